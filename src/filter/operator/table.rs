//! How full the table is, as the workers have counted it within the last two minutes.

use super::answer::{TableAnswer, to_json};
use crate::filter::host::Host;
use crate::filter::survey;
use crate::filter::worker::Worker;
use crate::time::SECOND;

pub(super) fn answer<H: Host>(worker: &Worker<H>) -> String {
    let rules = worker.engine.rules();
    let size = rules.table_size;
    let now = worker.clock.now::<H>();
    let seen = survey::seen(worker.host, worker.store.1, size.pages.get());
    to_json(&TableAnswer {
        name: rules.table_name.as_deref(),
        pages: size.pages.get(),
        page_bytes: size.page_bytes,
        capacity_bytes: size.capacity(),
        records: seen.map(|(fill, _)| fill.records),
        bytes: seen.map(|(fill, _)| fill.bytes),
        counted_ago: seen.map(|(_, at)| now.mono.saturating_sub(at) / SECOND),
    })
}
