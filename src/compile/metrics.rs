//! Compiles what is counted for operators besides what always is.

use super::consumers::KnownConsumers;
use crate::config::Fields;
use crate::language::{configuration, metrics};

/// More consumers than this would be too many counters for Envoy.
const MAX_CONSUMERS: usize = 1_000;

/// Whether the requests of each consumer are counted. Consumers that could not be read are `None`.
#[inline(never)]
pub(super) fn counts_consumers(root: &Fields<'_>, consumers: Option<&KnownConsumers<'_>>) -> Option<bool> {
    let fields = root.object_or_empty(&configuration::METRICS, &metrics::OBJECT)?;
    let counts = fields.get(&metrics::CONSUMERS)?;
    let (true, Some(consumers)) = (counts, consumers) else { return Some(counts) };
    let at = || fields.about(&metrics::CONSUMERS);
    match consumers.list.len() {
        0 => at().error_found("counters of consumers, but no consumers", "only with consumers"),
        1..=MAX_CONSUMERS => Some(true),
        many => at().error_found(&format!("{many} consumers"), &format!("at most {MAX_CONSUMERS} consumers")),
    }
}
