//! The wait that rejections announce.

use crate::config::{Field, Literal, Number, Object, Word, Words, object};
use crate::reply::MAX_TIMER_SECONDS;

/// Whether the header is sent.
pub const SHOW: Field<&Words<bool>> = Field::default(
    "show",
    &Words(&[Word::new("on_429", true, "on rejections"), Word::new("never", false, "never")]),
    Literal::Text("on_429"),
    "when the header is sent",
);

/// The shortest wait.
pub const MIN: Field<Number<u64>> = Field::default(
    "min",
    Number::new(1, 86_400, "seconds"),
    Literal::Number(1),
    "the shortest wait; at most `max`",
);

/// The longest wait.
pub const MAX: Field<Number<u64>> = Field::default(
    "max",
    Number::new(1, 31_622_400, "seconds"),
    Literal::Number(MAX_TIMER_SECONDS as i32),
    "the longest wait. Longer ones overflow the timers of most Node clients; a client that waits only this long may be rejected again",
);

/// What is added at random.
pub const JITTER: Field<Number<u64>> = Field::default(
    "jitter",
    Number::new(0, 3_600, "seconds"),
    Literal::Number(0),
    "up to this many seconds are added at random, so that clients do not all return at once",
);

/// The object.
pub const OBJECT: Object = object!("retry_after" at "retry_after":
    "The wait in the header `retry-after` and in `{retry_after}`: whole seconds, rounded up, the longest of all limits that reject.";
    SHOW, MIN, MAX, JITTER);
