//! A gauge of Envoy's: all workers set the same one, and it shows the last value.

use crate::filter::host::Host;

/// Defined when it is first set.
#[derive(Default)]
pub(in crate::filter) struct Gauge {
    /// `Some(None)`: the host would not define it.
    id: Option<Option<u32>>,
}

impl Gauge {
    pub fn set(&mut self, host: impl Host, name: &str, value: u64) {
        if let Some(id) = *self.id.get_or_insert_with(|| host.define_gauge(name)) {
            host.set_gauge(id, value);
        }
    }
}
