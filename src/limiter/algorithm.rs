//! What others ask about an algorithm, with the answers that hold for most of them.

use super::growth::Growth;
use super::{Algorithm, Limit};
use crate::time::{MILLISECOND, Micros, Period, Zone};
use std::num::NonZeroU32;

/// All parameters that any algorithm has. Each takes those that are its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parameters {
    /// The binary logarithm of the slots to which times are rounded up, in milliseconds.
    pub slot_shift: Option<u8>,
    /// A bucket's capacity.
    pub burst: Option<NonZeroU32>,
    /// Day, week or month.
    pub period: Option<Period>,
    /// The zone whose midnights count.
    pub zone: Option<Zone>,
    /// Whether responses report the number of units.
    pub reported: bool,
    /// How long a unit is in flight before it counts.
    pub after: Micros,
    /// How a penalty grows.
    pub growth: Growth,
}

/// The fields of a limit, and one of its policy, that not every algorithm has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field {
    /// `window`: the time that the quota is for.
    Window,
    /// `time_zone`: that of a window that is a calendar's.
    TimeZone,
    /// `burst`: how many units are admitted at once.
    Burst,
    /// `refill`: whether units come back one by one.
    Refill,
    /// `retry_after`: the wait that a rejection announces.
    RetryAfter,
    /// `after`: how long a unit is in flight before it counts.
    After,
    /// `stock_header`: how many units there are.
    StockHeader,
}

/// Declares the methods of [`Properties`], and the same ones of [`Algorithm`], which ask its parameters.
macro_rules! properties {
    (
        $(#[$about:meta])* const FIELDS: $fields:ty;
        $($(#[$doc:meta])* fn $name:ident($self:ident $(, $argument:ident: $type:ty)*) -> $answer:ty $default:block)*
    ) => {
        /// What an algorithm is, as answers to questions. The defaults hold for most algorithms.
        pub trait Properties: Copy + Into<Algorithm> {
            $(#[$about])* const FIELDS: $fields;
            $($(#[$doc])* fn $name($self $(, $argument: $type)*) -> $answer $default)*
        }

        impl Algorithm {
            $($(#[$doc])* pub fn $name($self $(, $argument: $type)*) -> $answer {
                each!(Algorithm, $self, it => it.$name($($argument),*))
            })*
        }
    };
}

properties! {
    /// The fields of its limits that not every algorithm has.
    const FIELDS: &'static [Field];

    /// Its parameters. By default it has none.
    fn parameters(self) -> Parameters {
        Parameters::default()
    }

    /// Whether limits of this algorithm have a field.
    fn has_field(self, field: Field) -> bool {
        Self::FIELDS.contains(&field)
    }

    /// The algorithm whose units come back all at once instead of one by one, if it has one.
    fn refilled_at_once(self) -> Algorithm {
        self.into()
    }

    /// Whether its quota is for a window of time, and units come back by themselves.
    fn has_window(self) -> bool {
        self.has_field(Field::Window)
    }

    /// Whether its windows are a calendar's periods.
    fn has_periods(self) -> bool {
        self.has_field(Field::TimeZone)
    }

    /// The longest that its windows can be, if that follows from its parameters.
    fn max_window(self) -> Option<Micros> {
        None
    }

    /// The window that limit headers name, if its limit has this one.
    fn announced_window(self, window: Micros) -> Option<Micros> {
        self.has_window().then_some(window)
    }

    /// The wait that a rejection announces unless the policy names another, if the true one can't be known.
    fn announced_wait(self) -> Option<Micros> {
        None
    }

    /// Whether its windows end at edges of the clock, so that units taken ahead end with them.
    fn is_aligned(self) -> bool {
        false
    }

    /// Whether a unit comes back a window after it was counted, whenever that was.
    fn slides(self) -> bool {
        self.has_window() && !self.is_aligned()
    }

    /// Whether it only counts the units of a window: it admits them however they are spread, and whoever has
    /// used them up at once waits for a window to pass. From a bucket, units come back one by one.
    fn counts_windows(self) -> bool {
        self.has_window()
    }

    /// Whether units that are not used when they come back can be used later, together with others. If not, one
    /// request is admitted at a time, nothing is left after it, and a moment that passes unused is lost.
    fn saves_up(self) -> bool {
        true
    }

    /// Whether units can be counted at a later time and then moved to their own. Only such units are taken
    /// ahead.
    fn counts_by_time(self) -> bool {
        false
    }

    /// How far apart uses of units taken ahead may be to be counted at the same time.
    fn resolution(self) -> Micros {
        // No lease crosses an edge of the clock, and within one window all units are alike.
        if self.is_aligned() { Micros::MAX } else { MILLISECOND }
    }

    /// Whether it counts units in flight, which come back when their stream ends.
    fn counts_in_flight(self) -> bool {
        false
    }

    /// How long a unit is in flight before it counts. 0: it counts when it is admitted.
    fn counted_after(self) -> Micros {
        0
    }

    /// Whether a response may report how many units there are.
    fn takes_reports(self) -> bool {
        self.has_field(Field::StockHeader)
    }

    /// Whether it is what a policy's limits have in common, and counts nothing: a block that follows a rejection,
    /// and the mark of a restart.
    fn is_penalty(self) -> bool {
        false
    }

    /// Whether it is a penalty that a rejection begins.
    fn blocks(self) -> bool {
        false
    }

    /// Whether it is a penalty after which the counts of its policy begin at zero.
    fn restarts_after_block(self) -> bool {
        false
    }

    /// Whether it is a penalty of a policy whose counts may begin at zero again, after a block or a response.
    fn may_restart(self) -> bool {
        false
    }

    /// The maximum number of units that can be admitted at one instant.
    fn max_at_once(self, quota: NonZeroU32) -> NonZeroU32 {
        quota
    }

    /// The maximum number of units that can be admitted in any time as long as the window. `None`: it has no
    /// window.
    fn max_per_window(self, quota: NonZeroU32) -> Option<u64> {
        // Half of them before an edge of the clock, half after it.
        let windows = if self.is_aligned() { 2 } else { 1 };
        self.has_window().then_some(windows * u64::from(quota.get()))
    }

    /// Whether every window of another limit lies within one of this limit's.
    fn holds_windows_of(self, _limit: &Limit, _other: &Limit) -> bool {
        false
    }
}
