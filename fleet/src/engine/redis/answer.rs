//! What Redis answers. Anything may come back: another program may listen there, and other programs may write there.

use crate::engine::{Found, Reading, Swapped, Unavailable};
use redis::{RedisError, ServerError, Value};
use tollgate::time::{Micros, SECOND};

/// The answer to a swap.
#[derive(Clone)]
pub(super) enum Outcome {
    Swapped(Swapped),
    /// The server does not know the script.
    NoScript,
}

/// An answer of the wrong kind.
pub(super) fn nonsense(command: &str) -> Unavailable {
    Unavailable(format!("an answer to {command} that Redis does not give"))
}

/// An error that the server answered with.
pub(super) fn refused(error: &ServerError) -> Unavailable {
    Unavailable(plain(error.code(), error.details()))
}

/// An error of the connection.
pub(super) fn failed(error: &RedisError) -> String {
    match error.code() {
        Some(code) => plain(code, error.detail()),
        None => plain("", Some(&error.to_string())),
    }
}

/// Redis quotes arguments in its errors, and these are keys or values: the text ends before the first quote.
fn plain(code: &str, detail: Option<&str>) -> String {
    const MAX_DETAIL: usize = 120;
    let detail = detail.unwrap_or_default().split(['\'', '`', '"', '\n']).next().unwrap_or_default();
    let detail: String = detail.chars().filter(|char| !char.is_control()).take(MAX_DETAIL).collect();
    [code, detail.trim_end_matches([' ', ','])].join(" ").trim().to_string()
}

/// Why the connection leads to a server that can't serve any more, such as a primary that has become a replica.
pub(super) fn moved_away(answer: &Value) -> Option<String> {
    let Value::ServerError(error) = answer else { return None };
    let is_away = matches!(error.code(), "READONLY" | "MASTERDOWN" | "NOAUTH" | "WRONGPASS");
    is_away.then(|| plain(error.code(), error.details()))
}

pub(super) fn time(answer: &Value) -> Option<Micros> {
    let Value::Array(parts) = answer else { return None };
    let [seconds, micros] = parts.as_slice() else { return None };
    instant(seconds, micros)
}

fn instant(seconds: &Value, micros: &Value) -> Option<Micros> {
    number(seconds)?.checked_mul(SECOND)?.checked_add(number(micros)?)
}

fn number(value: &Value) -> Option<u64> {
    let Value::BulkString(bytes) = value else { return None };
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The value under a key.
pub(super) fn found(answer: Value) -> Result<Found, Unavailable> {
    if let Value::ServerError(error) = &answer {
        return if is_wrong_type(error) { Ok(Found::Foreign) } else { Err(refused(error)) };
    }
    if let Value::BulkString(bytes) = answer {
        return Ok(String::from_utf8(bytes).map_or(Found::Foreign, Found::Text));
    }
    if answer == Value::Nil { Ok(Found::Nothing) } else { Err(nonsense("GET")) }
}

/// The answer of the swapping script.
pub(super) fn outcome(answer: Value) -> Result<Outcome, Unavailable> {
    if let Value::ServerError(error) = &answer {
        return failed_swap(error);
    }
    if let Value::Array(parts) = answer {
        return changed(parts).map(Outcome::Swapped).ok_or_else(|| nonsense("EVALSHA"));
    }
    if answer == Value::Nil { Ok(Outcome::Swapped(Swapped::Done)) } else { Err(nonsense("EVALSHA")) }
}

fn failed_swap(error: &ServerError) -> Result<Outcome, Unavailable> {
    if error.code() == "NOSCRIPT" {
        return Ok(Outcome::NoScript);
    }
    if is_wrong_type(error) {
        // Someone has put another type there since it was read. Nothing can be applied, so no clock is needed.
        return Ok(Outcome::Swapped(Swapped::Changed(Reading { now: 0, found: Found::Foreign })));
    }
    Err(refused(error))
}

/// The clock and the value, which is `false` if there is none: that comes as nil.
fn changed(mut parts: Vec<Value>) -> Option<Swapped> {
    let value = if parts.len() > 2 { parts.pop()? } else { Value::Nil };
    let [seconds, micros] = parts.as_slice() else { return None };
    let now = instant(seconds, micros)?;
    let found = found(value).ok()?;
    Some(Swapped::Changed(Reading { now, found }))
}

/// Redis 6 puts an error inside a script into another one.
fn is_wrong_type(error: &ServerError) -> bool {
    error.code() == "WRONGTYPE" || error.details().is_some_and(|details| details.contains("WRONGTYPE"))
}

/// The value of `CONFIG GET`.
pub(super) fn policy(answer: Value) -> Option<String> {
    let Value::Array(mut parts) = answer else { return None };
    let Value::BulkString(bytes) = parts.pop()? else { return None };
    String::from_utf8(bytes).ok()
}
