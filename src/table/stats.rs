//! Counters for metrics.

/// Numbers of events since the last [`super::Table::take_stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableStats {
    /// Records that were dropped before they expired, to make room.
    pub evictions: u64,
    /// Requests that were counted in a page's overflow record.
    pub overflow: u64,
    /// Pages or states that this module did not write, and that were read as empty.
    pub damaged: u64,
    /// Writes that failed because another worker had written the page.
    pub cas_misses: u64,
    /// Decisions that a worker made alone, without the shared record.
    pub degraded: u64,
    /// Decisions that were served from leases, without the shared table.
    pub leased: u64,
    /// Leases that were not taken because the worker had the maximum number of them.
    pub leases_full: u64,
    /// Corrections that could neither be written nor kept as debts.
    pub debts_dropped: u64,
    /// Records whose counts were forgiven.
    pub forgiven: u64,
}
