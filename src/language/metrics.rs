//! What metrics count besides what they always do.

use crate::config::{Field, Flag, Literal, Object, object};

/// Whether each consumer has counters.
pub const CONSUMERS: Field<Flag> = Field::default(
    "consumers",
    Flag,
    Literal::Flag(false),
    "counts the admitted and rejected requests of each consumer under each policy, as \
     `policy.POLICY.consumer.CONSUMER.admitted` and `.refused`; only with `consumers`, at most 1,000",
);

/// The object.
pub const OBJECT: Object = object!("metrics" at "metrics":
    "[Metrics](operate.md#metrics) count by policy, limit and tier in any case, and never by key.";
    CONSUMERS);
