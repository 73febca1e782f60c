//! What the arguments of a replay say.

use crate::replay::format::{FORMATS, Format, SLOTS, Slot};
use crate::replay::policy::Target;

/// A format by its name.
pub fn format(text: &str) -> Result<&'static Format, String> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let format = FORMATS.iter().find(|format| format.name == text);
    format.ok_or_else(|| format!("one of {}", names.join(", ")))
}

/// `NAME=FIELD`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, field) = text.split_once('=').ok_or("a name and a field of the log, such as api_key=key")?;
    Ok((name.trim().into(), field.trim().into()))
}

/// `NAME=FIELD`, with the name of a header.
pub fn header(text: &str) -> Result<(String, String), String> {
    pair(text).map(|(name, field)| (name.to_ascii_lowercase(), field))
}

/// `WHAT=FIELD`.
pub fn field(text: &str) -> Result<(Slot, String), String> {
    let (word, field) = pair(text)?;
    let words: Vec<&str> = SLOTS.iter().map(|(word, _)| *word).collect();
    let slot = SLOTS.iter().find(|(known, _)| *known == word).map(|(_, slot)| *slot);
    Ok((slot.ok_or_else(|| format!("one of {}", words.join(", ")))?, field))
}

/// Other quotas of a limit.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The limit.
    pub target: Target,
    /// Its quotas, in increasing order.
    pub quotas: Vec<u32>,
}

/// The maximum number of quotas in a sweep.
const MAX_QUOTAS: usize = 50;

/// `LIMIT=FROM..TO` or `LIMIT=FROM..TO/STEP`.
pub fn sweep(text: &str) -> Result<Sweep, String> {
    const SUCH_AS: &str = "a limit and its quotas, such as api/minute=50..200 or api/minute=50..200/25";
    let (target, range) = text.rsplit_once('=').ok_or(SUCH_AS)?;
    let (range, step) = match range.split_once('/') {
        Some((range, step)) => {
            (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0).ok_or(SUCH_AS)?))
        }
        None => (range, None),
    };
    let (from, to) = range.split_once("..").ok_or(SUCH_AS)?;
    let (from, to): (u32, u32) = (from.parse().map_err(|_| SUCH_AS)?, to.parse().map_err(|_| SUCH_AS)?);
    if from > to {
        return Err(SUCH_AS.into());
    }
    // Ten steps, if none is given.
    let step = step.unwrap_or_else(|| (to - from).div_ceil(10).max(1));
    let mut quotas: Vec<u32> =
        (from..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX)).take(MAX_QUOTAS + 1).collect();
    if quotas.last() != Some(&to) {
        quotas.push(to);
    }
    match quotas.len() > MAX_QUOTAS {
        true => Err(format!("at most {MAX_QUOTAS} quotas: give a larger step, as api/minute=50..200/25")),
        false => Ok(Sweep { target: Target::parse(target), quotas }),
    }
}
