//! What a member of a fleet counts.

use super::counter::Counter;
use crate::filter::host::Host;
use crate::fleet::member::MemberStats;

/// What a member of a fleet counts.
pub(super) struct FleetCounters {
    /// Calls of the service.
    calls: Counter,
    /// Calls without an answer.
    failures: Counter,
    /// Requests that waited for an answer.
    waited: Counter,
    /// Decisions without the service.
    alone: Counter,
    /// Requests for which there was no room.
    full: Counter,
    /// Corrections that were lost.
    dropped: Counter,
    /// Times that the engine has lost its data.
    emptied: Counter,
}

impl FleetCounters {
    pub fn define(host: impl Host) -> FleetCounters {
        let counter = |name: &str| Counter::define(host, &format!("tollgate.fleet.{name}"));
        FleetCounters {
            calls: counter("calls"),
            failures: counter("failures"),
            waited: counter("waited"),
            alone: counter("alone"),
            full: counter("full"),
            dropped: counter("dropped"),
            emptied: counter("emptied"),
        }
    }

    pub fn add(&mut self, stats: MemberStats) {
        let MemberStats { calls, failures, waited, alone, full, dropped, emptied } = stats;
        let counts = [calls, failures, waited, alone, full, dropped, emptied];
        self.all().into_iter().zip(counts).for_each(|(counter, count)| counter.pending += count);
    }

    /// All of them, to be flushed.
    pub fn all(&mut self) -> [&mut Counter; 7] {
        let FleetCounters { calls, failures, waited, alone, full, dropped, emptied } = self;
        [calls, failures, waited, alone, full, dropped, emptied]
    }
}
