//! Compiles what is said to clients: the rejection and the limit headers.

use super::super::Policy;
use crate::config::{Fields, Reader};
use crate::response::{HeaderRules, Rejection, Reset, Upstream};

/// Longer waits make most Node clients retry at once: their timers hold 2^31-1 ms.
pub(super) const DEFAULT_LONGEST_WAIT: u64 = 2_147_483;

/// The most seconds that `retry-after` may tell.
pub(super) fn longest_wait(reader: &Reader<'_>) -> Option<u64> {
    let fields = reader.object(&["max"])?;
    fields.read_or("max", DEFAULT_LONGEST_WAIT, |n| n.whole_number(1..=366 * 86_400))
}

/// What a refused request is answered.
pub(super) fn rejection(reader: &Reader<'_>) -> Option<Rejection> {
    const BODY: &str = "a text";
    const CONTENT_TYPE: &str = "a media type such as application/json";
    let fields = reader.object(&["status", "body", "content_type"])?;
    let default = Rejection::default();
    let status = fields.read_or("status", u64::from(default.status), |n| n.whole_number(400..=599));
    let body = fields.read("body", |body| body.text(BODY).map(str::to_string));
    let content_type = fields.read("content_type", |field| {
        let text = field.text(CONTENT_TYPE)?;
        let sound = text.contains('/') && text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
        if sound { Some(text.to_string()) } else { field.fault(CONTENT_TYPE) }
    });
    let (status, body, content_type) = (u32::try_from(status?).ok()?, body?, content_type?);
    Some(Rejection::new(status, body.unwrap_or(default.body), content_type))
}

/// Which limit headers there are.
pub(super) fn header_rules(reader: &Reader<'_>, policies: Option<&[Policy]>) -> Option<HeaderRules> {
    let fields = reader.object(&["preset", "describes", "reset", "upstream"])?;
    let preset = fields.required("preset", "x-ratelimit").and_then(|word| word.word(&[("x-ratelimit", ())]));
    let reset = fields.read_or("reset", Reset::NextSlot, |word| {
        word.word(&[("next_slot", Reset::NextSlot), ("full_reset", Reset::FullReset)])
    });
    let upstream = fields.read_or("upstream", Upstream::Replace, |word| {
        word.word(&[("replace", Upstream::Replace), ("keep", Upstream::Keep)])
    });
    // Faulty policies have no names to choose from, and their own faults are told.
    let described = policies.and_then(|policies| described(&fields, policies));
    preset?;
    let (policy, limit) = described?;
    Some(HeaderRules { policy, limit, reset: reset?, upstream: upstream? })
}

/// The policy and the limit, as indexes, that headers describe: `policy/limit`, or `policy` when it has one
/// limit, or nothing at all when there is only one limit to speak of.
fn described(fields: &Fields<'_>, policies: &[Policy]) -> Option<(usize, usize)> {
    let mut words: Vec<(String, (usize, usize))> = Vec::new();
    for (p, policy) in policies.iter().enumerate() {
        let names = policy.limit_names.iter().enumerate();
        words.extend(names.map(|(l, name)| (format!("{}/{name}", policy.name), (p, l))));
    }
    if let ([(_, only)], None) = (words.as_slice(), fields.optional("describes")) {
        return Some(*only);
    }
    for (p, policy) in policies.iter().enumerate().filter(|(_, policy)| policy.limit_names.len() == 1) {
        words.push((policy.name.clone(), (p, 0)));
    }
    let words: Vec<(&str, (usize, usize))> =
        words.iter().map(|(word, place)| (word.as_str(), *place)).collect();
    let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    fields.required("describes", &names.join(", "))?.word(&words)
}
