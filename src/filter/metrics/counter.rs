//! One counter of Envoy's, and what this worker has still to add to it.

use crate::filter::host::Host;

pub(in crate::filter) struct Counter {
    /// `None`: the host would not define it.
    id: Option<u32>,
    pub pending: u64,
}

impl Counter {
    pub fn define(host: impl Host, name: &str) -> Counter {
        Counter { id: host.define_counter(name), pending: 0 }
    }

    pub fn flush(&mut self, host: impl Host) {
        let pending = std::mem::take(&mut self.pending);
        if let (Some(id), 1..) = (self.id, pending) {
            host.add_to_counter(id, pending);
        }
    }
}
