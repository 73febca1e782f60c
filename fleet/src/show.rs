//! `tollgate-fleet show`: what the engine has about one caller, for people.

use crate::engine::{Engine, Found, Reading};
use crate::exchange::key;
use crate::membership::Membership;
use crate::options::ShowOptions;
use crate::record::{HolderState, Mark, Record, State};
use std::fmt::Write as _;
use tollgate::identity::{Encoder, Identity, Seed};
use tollgate::limiter::Algorithm;
use tollgate::limiter::text::{to_text, used};
use tollgate::time::{Micros, SECOND};

/// The record of a caller as text.
///
/// # Errors
/// One line: why there is nothing to show.
pub async fn show(options: &ShowOptions) -> Result<String, String> {
    let (engine, prefix) = options.engine()?;
    let caller = match options.caller {
        Some(hash) => Identity { page: (hash >> 64) as u64, fingerprint: hash as u64 },
        None => hashed(options, &engine, &prefix).await?,
    };
    // Whether the caller can make up its keys is a bit of the hash, and not everybody who asks knows it.
    let keys = [false, true].map(|proven| key(&prefix, &options.policy, caller.known(proven)));
    let read = engine.read(&keys).await.map_err(|error| format!("--engine: {error}"))?;
    let mut text = String::new();
    for (key, reading) in keys.iter().zip(read) {
        describe(key, reading, &mut text);
    }
    if text.is_empty() {
        let [key, other] = keys;
        let _ = writeln!(text, "no record: nothing is counted for this caller now ({key}, {other})");
    }
    Ok(text)
}

/// The hash of the values that the caller sends, as the module makes it.
async fn hashed(options: &ShowOptions, engine: &Engine, prefix: &str) -> Result<Identity, String> {
    let joined = Membership::new(prefix).read(engine).await.map_err(|error| format!("--engine: {error}"))?;
    let joined =
        joined.ok_or_else(|| format!("--fleet: {prefix} has no seed yet: no proxy has joined it"))?;
    let seed = u128::from_str_radix(&joined.seed, 16).map_err(|error| error.to_string())?;
    let mut encoder = Encoder::new(&Seed::new(seed.to_be_bytes()));
    encoder.add("", options.policy.as_bytes());
    options.key_value.iter().for_each(|(name, value)| encoder.add(name, value.as_bytes()));
    Ok(encoder.finish())
}

fn describe(key: &str, reading: Reading, text: &mut String) {
    let Reading { now, found } = reading;
    let record = match found {
        Found::Nothing => return,
        Found::Text(value) => Record::from_text(&value).ok(),
        Found::Foreign => None,
    };
    let _ = writeln!(text, "{key}");
    let Some(record) = record else {
        let _ = writeln!(text, "  not a record: another program has written this value, or a later version");
        return;
    };
    let _ = writeln!(
        text,
        "  written {}, expires {}",
        instant(record.written, now),
        instant(record.expires(), now)
    );
    record.states.iter().for_each(|state| describe_limit(state, now, text));
    record.holders.iter().for_each(|holder| describe_holder(holder, now, text));
}

fn describe_limit(state: &State, now: Micros, text: &mut String) {
    let State { limit, kind, expires, content } = state;
    let algorithm = Algorithm::of_kind(*kind).map_or("unknown", Algorithm::word);
    let used = used(*kind, content).map_or(String::new(), |used| format!("{used} used, "));
    let content = to_text(*kind, content).unwrap_or_default();
    let _ = writeln!(text, "  limit {:08x} ({algorithm}): {used}until {}", limit.0, instant(*expires, now));
    let _ = writeln!(text, "    {content}");
}

fn describe_holder(holder: &HolderState, now: Micros, text: &mut String) {
    let _ = writeln!(text, "  worker {:016x}: seen {}", holder.holder, instant(holder.seen, now));
    for (number, mark) in &holder.marks {
        if let Mark::Granted { end, units, .. } = mark {
            let state = if *end > now { "usable until" } else { "not reported yet, ended" };
            let _ = writeln!(text, "    grant {number}: {units} units, {state} {}", instant(*end, now));
        }
    }
}

/// An instant as a date, and its distance from now.
fn instant(at: Micros, now: Micros) -> String {
    let (before, length) = if at < now { ("", now - at) } else { ("in ", at - now) };
    let after = if at < now { " ago" } else { "" };
    format!("{} ({before}{}.{:03} s{after})", date(at), length / SECOND, length % SECOND / 1_000)
}

/// A date in UTC, by the days of a year that begins in March.
fn date(at: Micros) -> String {
    const DAY: u64 = 86_400;
    let seconds = at / SECOND;
    let days = seconds / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds % DAY / 3_600, seconds % 3_600 / 60, seconds % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_764_403_199, "2025-11-29T07:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date(seconds * SECOND), expected);
        }
    }
}
