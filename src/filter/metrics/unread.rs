//! Responses without the numbers that they were to report.

use super::counter::Counter;
use crate::body::Unreadable;
use crate::filter::host::Host;
use crate::rules::{NoCost, NoNumber};

/// Responses whose body did not report the cost that it was to report.
pub(super) struct UnreadBodies {
    /// It was compressed.
    encoded: Counter,
    /// It was no JSON.
    of_type: Counter,
    /// It had no such number.
    absent: Counter,
    /// It broke off.
    aborted: Counter,
}

impl UnreadBodies {
    #[inline(never)]
    pub fn define(host: impl Host, policy: &str) -> UnreadBodies {
        let counter = |name: &str| Counter::define(host, &["tollgate.policy.", policy, name].concat());
        UnreadBodies {
            encoded: counter(".cost_body_unread_encoded"),
            of_type: counter(".cost_body_unread_type"),
            absent: counter(".cost_body_unread_absent"),
            aborted: counter(".cost_body_unread_aborted"),
        }
    }

    pub fn count(&mut self, why: NoCost) {
        let counter = match why {
            NoCost::Unreadable(Unreadable::Encoded) => &mut self.encoded,
            NoCost::Unreadable(Unreadable::Type) => &mut self.of_type,
            NoCost::Absent => &mut self.absent,
            NoCost::Aborted => &mut self.aborted,
        };
        counter.pending += 1;
    }

    pub fn flush(&mut self, host: impl Host) {
        let UnreadBodies { encoded, of_type, absent, aborted } = self;
        [encoded, of_type, absent, aborted].into_iter().for_each(|counter| counter.flush(host));
    }
}

/// Responses without a number that they were to report.
pub(super) struct Unreported {
    /// Without the header.
    missing: Counter,
    /// With one that is not a whole number.
    unreadable: Counter,
}

impl Unreported {
    pub fn define(host: impl Host, missing: &str, unreadable: &str) -> Unreported {
        let counter = |name| Counter::define(host, name);
        Unreported { missing: counter(missing), unreadable: counter(unreadable) }
    }

    pub fn count(&mut self, why: NoNumber) {
        let counter = match why {
            NoNumber::Missing => &mut self.missing,
            NoNumber::Unreadable => &mut self.unreadable,
        };
        counter.pending += 1;
    }

    pub fn flush(&mut self, host: impl Host) {
        let Unreported { missing, unreadable } = self;
        [missing, unreadable].into_iter().for_each(|counter| counter.flush(host));
    }
}
