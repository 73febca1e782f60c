//! What access logs are told of each decision.

use crate::config::{Field, Flag, Literal, Object, Word, Words, object};
use crate::reply::LogFormat;

/// How a line is written.
pub const FORMAT: Field<&Words<LogFormat>> = Field::default(
    "format",
    &Words(&[
        Word::new("text", LogFormat::Text, "words such as `decision=refused policy=ip`"),
        Word::new("json", LogFormat::Json, "one JSON object"),
    ]),
    Literal::Text("text"),
    "how a line is written",
);

/// Whether it tells who called.
pub const CALLER: Field<Flag> = Field::default(
    "caller",
    Flag,
    Literal::Flag(false),
    "whether a line has a pseudonym of the caller, by the policy that it describes: 16 hexadecimal digits that nobody can compute \
     from a key. It is the same in all workers until Envoy restarts, and with `scope: fleet` in all proxies of the fleet",
);

/// The object.
pub const OBJECT: Object = object!("access_log" at "access_log":
    "What an [access log](replies.md#the-access-log) can show of each decision, with `%FILTER_STATE(wasm.tollgate:PLAIN)%`.";
    FORMAT, CALLER);
