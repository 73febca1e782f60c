//! One line about each decision, for Envoy's access logs.

use super::decimal::push_decimal;
use super::template::push_json;
use super::{DescribedLimit, ReplyRules, described, most_constrained, rejecting};
use crate::decision::{Decision, PolicyDecision};
use crate::identity::Identity;
use crate::limiter::Verdict;

/// What access logs are told of each decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AccessLog {
    /// How a line is written.
    pub format: LogFormat,
    /// Whether a line has the caller's pseudonym.
    pub caller: bool,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LogFormat {
    /// As words: `decision=refused policy=ip`.
    #[default]
    Text,
    /// As one JSON object.
    Json,
}

impl ReplyRules {
    /// The line that an access log shows as `%FILTER_STATE(wasm.tollgate:PLAIN)%`, such as `decision=refused
    /// policy=ip limit=minute quota=50 remaining=0 retry_after=7 near=false`, or the same as JSON. `None`: access
    /// log lines are not configured. No value in it needs quotes as words.
    pub fn access_line(&self, decision: &Decision) -> Option<String> {
        self.access_log.map(|log| line(self, log, decision))
    }

    /// Whether an admitted request has left its caller with a tenth of some quota of this policy, or less
    /// (FA-26).
    pub fn near_limit(&self, one: &PolicyDecision) -> bool {
        one.outcome.verdicts.iter().any(Verdict::near_limit)
    }
}

#[inline(never)]
fn line(rules: &ReplyRules, AccessLog { format, caller }: AccessLog, decision: &Decision) -> String {
    let mut line = Line::new(format);
    let rejected = decision.rejecting();
    line.word("decision", if rejected.is_some() { "refused" } else { "admitted" });
    let limit = match rejected {
        Some(one) => rejecting(&described(rules, std::slice::from_ref(one))),
        None => most_constrained(&described(rules, decision.policies())),
    };
    if let Some(DescribedLimit { policy, description, verdict, .. }) = limit {
        line.word("policy", policy);
        line.word("limit", &description.name);
        line.number("quota", verdict.quota.into());
        line.number("remaining", verdict.remaining);
    }
    if rejected.is_some() {
        line.number("retry_after", rules.retry_after.seconds(decision));
    }
    let near = rejected.is_none() && decision.policies().iter().any(|one| rules.near_limit(one));
    line.flag("near", near);
    if decision.policies().iter().any(|one| one.outcome.overflowed) {
        line.flag("overflow", true);
    }
    for (name, word) in [("consumer", rules.consumer_name(decision)), ("tier", rules.tier_name(decision))] {
        if !word.is_empty() {
            line.word(name, word);
        }
    }
    line.words("shadow", rules.shadow_rejections(decision));
    if let Some(one) = rejected.or(limit.map(|limit| limit.decision)).filter(|_| caller) {
        line.word("caller", &pseudonym(one.identity));
    }
    line.end()
}

/// Half of the keyed hash of a caller, without the bit that is not part of the hash. The other half, which says on
/// which page its record is, is in no log: who reads logs must not learn which callers share a page.
fn pseudonym(identity: Identity) -> String {
    let hash = identity.known(false).fingerprint;
    let digits = (0..u64::BITS).step_by(4).rev().map(|shift| (hash >> shift & 0xF) as u32);
    digits.filter_map(|digit| char::from_digit(digit, 16)).collect()
}

/// A line as it is written.
struct Line {
    text: String,
    format: LogFormat,
}

impl Line {
    fn new(format: LogFormat) -> Line {
        const USUAL_LEN: usize = 128;
        let mut text = String::with_capacity(USUAL_LEN);
        if format == LogFormat::Json {
            text.push('{');
        }
        Line { text, format }
    }

    /// Begins a value.
    fn name(&mut self, name: &str) {
        let parts = match (self.format, self.text.len()) {
            (LogFormat::Text, 0) => ["", name, "="],
            (LogFormat::Text, _) => [" ", name, "="],
            (LogFormat::Json, 1) => ["\"", name, "\":"],
            (LogFormat::Json, _) => [",\"", name, "\":"],
        };
        self.text.extend(parts);
    }

    fn word(&mut self, name: &str, word: &str) {
        self.name(name);
        self.value(word);
    }

    fn value(&mut self, word: &str) {
        match self.format {
            LogFormat::Text => self.text.push_str(word),
            LogFormat::Json => {
                self.text.push('"');
                push_json(&mut self.text, word);
                self.text.push('"');
            }
        }
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        push_decimal(&mut self.text, number);
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.name(name);
        self.text.push_str(if flag { "true" } else { "false" });
    }

    /// A list, if it is not empty.
    fn words<'a>(&mut self, name: &str, words: impl Iterator<Item = &'a str>) {
        let (before, after) = match self.format {
            LogFormat::Text => ("", ""),
            LogFormat::Json => ("[", "]"),
        };
        let mut is_empty = true;
        for word in words {
            if is_empty {
                self.name(name);
            }
            self.text.push_str(if is_empty { before } else { "," });
            self.value(word);
            is_empty = false;
        }
        self.text.push_str(if is_empty { "" } else { after });
    }

    fn end(mut self) -> String {
        if self.format == LogFormat::Json {
            self.text.push('}');
        }
        self.text
    }
}
