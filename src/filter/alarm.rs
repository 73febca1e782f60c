//! Warnings in Envoy's log for whoever operates it. Of each kind, all workers together write one a minute, so
//! that nobody who can cause one can fill the log.

use super::host::Host;
use crate::table::{Read, Write};
use crate::time::{Micros, SECOND};

const EVERY: Micros = 60 * SECOND;

/// A kind of warning.
#[derive(Clone, Copy)]
pub(super) struct Alarm {
    /// Where the shared data have the instant of the last one.
    key: &'static [u8],
    /// What it says, after a number: what has happened, what to do, and which counter has how often.
    what: &'static str,
    /// Fewer at once are usual.
    from: u64,
}

impl Alarm {
    pub const OVERFLOW: Alarm = Alarm {
        key: b"tollgate:warned:overflow",
        what: "requests of new callers were rejected since the table is full: raise table.pages \
               (counter tollgate.table.overflow_rejected)",
        from: 1,
    };
    pub const DEGRADED: Alarm = Alarm {
        key: b"tollgate:warned:degraded",
        what: "decisions were made by one worker alone, since it could not write a record: if that goes on, \
               choose on_contention for the policies of busy callers (counter tollgate.table.degraded)",
        from: 10,
    };
    pub const DAMAGED: Alarm = Alarm {
        key: b"tollgate:warned:damaged",
        what: "pages of the table were not written by this module, and count as empty: give each module a \
               vm_id of its own (counter tollgate.table.damaged_pages)",
        from: 1,
    };
    pub const DEBTS_DROPPED: Alarm = Alarm {
        key: b"tollgate:warned:debts",
        what: "counts were lost since Envoy's shared data could not be written: allow proxy_set_shared_data, \
               and restart Envoy if it goes on (counter tollgate.table.debts_dropped)",
        from: 1,
    };
    pub const FLEET_DOWN: Alarm = Alarm {
        key: b"tollgate:warned:down",
        what: "each policy follows its on_outage; start the service, or mend the way to its cluster \
               (counter tollgate.fleet.failures)",
        from: 0,
    };
    pub const FLEET_EMPTIED: Alarm = Alarm {
        key: b"tollgate:warned:emptied",
        what: "all its counts begin anew; see that it keeps its data (counter tollgate.fleet.emptied)",
        from: 0,
    };

    /// Warns that this has happened so often since the last tick, if that is not usual and a warning is due.
    pub fn warn_of(self, number: u64, host: impl Host, now: Micros) {
        if number >= self.from && self.is_due(host, now) {
            log::warn!("{number} {}", self.what);
        }
    }

    /// Warns, if a warning is due, after these words.
    pub fn warn(self, words: std::fmt::Arguments<'_>, host: impl Host, now: Micros) {
        if self.is_due(host, now) {
            log::warn!("{words}: {}", self.what);
        }
    }

    /// Whether a minute has passed since any worker warned last. The caller that gets `true` is the one to warn.
    fn is_due(self, host: impl Host, now: Micros) -> bool {
        let version = match host.read_shared(self.key) {
            Read::Absent => None,
            Read::Present(bytes, version) => {
                let last = bytes.first_chunk().map_or(0, |last| u64::from_le_bytes(*last));
                if last <= now && now - last < EVERY {
                    return false;
                }
                Some(version)
            }
            Read::Unavailable => return false,
        };
        host.write_shared(self.key, &now.to_le_bytes(), version) == Write::Stored
    }

    /// Whether the last warning was not followed by the news that its cause is over. The caller that gets `true`
    /// is the one to tell it.
    pub fn is_open(self, host: impl Host) -> bool {
        const OVER: &[u8] = b"over";
        let Read::Present(warned, version) = host.read_shared(self.key) else { return false };
        let ended = [&warned, OVER].concat();
        !warned.ends_with(OVER) && host.write_shared(self.key, &ended, Some(version)) == Write::Stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::fake_host::{Fake, host};
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn all_workers_together_warn_once_a_minute_of_each_kind() {
        let (fake, now) = (Fake::new("{}"), 1_000 * SECOND);
        // A worker that reads before another one writes finds a newer version.
        assert!(Alarm::OVERFLOW.is_due(fake, now));
        assert!(Alarm::DAMAGED.is_due(fake, now), "another kind");
        assert!(!Alarm::OVERFLOW.is_due(fake, now));
        assert!(!Alarm::OVERFLOW.is_due(fake, now + EVERY - 1));
        assert!(Alarm::OVERFLOW.is_due(fake, now + EVERY));
        // After a reboot of the clock, or with nonsense in the shared data, they warn.
        assert!(Alarm::OVERFLOW.is_due(fake, now - 1));
        host(|knows| knows.shared.get_mut(Alarm::OVERFLOW.key).unwrap().0 = b"nonsense".to_vec());
        assert!(Alarm::OVERFLOW.is_due(fake, now));
        host(|knows| knows.rejects_writes = true);
        assert!(!Alarm::OVERFLOW.is_due(fake, now + EVERY));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_end_of_an_outage_is_told_once_after_each_warning() {
        let (fake, now) = (Fake::new("{}"), 1_000 * SECOND);
        assert!(!Alarm::FLEET_DOWN.is_open(fake), "nobody has warned");
        assert!(Alarm::FLEET_DOWN.is_due(fake, now));
        assert!(Alarm::FLEET_DOWN.is_open(fake));
        assert!(!Alarm::FLEET_DOWN.is_open(fake), "another worker has told it");
        // It goes down and up again within the minute.
        assert!(!Alarm::FLEET_DOWN.is_due(fake, now + SECOND));
        assert!(!Alarm::FLEET_DOWN.is_open(fake));
        assert!(Alarm::FLEET_DOWN.is_due(fake, now + EVERY));
        assert!(Alarm::FLEET_DOWN.is_open(fake));
    }
}
