//! A policy set in words, for whoever wants to know what it does.

mod limit;

use super::{Count, Key, Match, OnContention, Policy, PolicySet, StatusSet};
use crate::config::Value;
use crate::identity::Source;
use crate::response::{HeaderRules, Reset, Upstream};
use crate::table::Charging;
pub(crate) use limit::limit;

/// What will be enforced on whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// In the order of the configuration.
    pub policies: Vec<PolicySummary>,
    /// What holds for all of them: what it is about, and what is said about it.
    pub general: Vec<(&'static str, String)>,
}

/// One policy in words.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySummary {
    /// As in the configuration.
    pub name: String,
    /// Which requests, and who is counted.
    pub applies: String,
    /// Each with its name, if there are several.
    pub limits: Vec<String>,
    /// What else is said of it.
    pub also: Vec<String>,
}

impl PolicySet {
    /// All of it in words.
    pub fn summary(&self) -> Summary {
        let policies = self.policies.iter().map(|policy| self.policy_in_words(policy)).collect();
        Summary { policies, general: self.general() }
    }

    fn policy_in_words(&self, policy: &Policy) -> PolicySummary {
        let requests = match policy.matches.as_slice() {
            [] => "every request".to_string(),
            matches => matches.iter().map(Match::to_string).collect::<Vec<_>>().join(", "),
        };
        let may_lack = |key: &&Key| !matches!(key.source, Source::ClientIp { .. });
        let that_have = match policy.key.iter().filter_map(|key| self.keys.get(*key)).filter(may_lack).count()
        {
            0 => "",
            1 => " that has it",
            _ => " that has them",
        };
        let several = policy.limits.len() > 1;
        let limits = policy.limits.iter().zip(&policy.limit_names).map(|(one, name)| {
            let words = limit(one);
            if several { format!("{name}: {words}") } else { words }
        });
        PolicySummary {
            name: policy.name.clone(),
            applies: format!("{requests}{that_have}, counted by {}", self.key_in_words(&policy.key)),
            limits: limits.collect(),
            also: counting(policy),
        }
    }

    fn key_in_words(&self, key: &[usize]) -> String {
        let keys = key.iter().filter_map(|index| self.keys.get(*index));
        let words = keys.map(|key| format!("{} ({})", key.name, source(&key.source)));
        words.collect::<Vec<_>>().join(" and ")
    }

    fn general(&self) -> Vec<(&'static str, String)> {
        let mut general = Vec::new();
        if self.policies.len() > 1 {
            let charging = match self.charging {
                Charging::AllOrNothing => {
                    "all policies that apply must admit; a refusal by any spends nothing"
                }
                Charging::Sequential => {
                    "all policies that apply must admit, in this order; a refusal has spent what came before it"
                }
            };
            general.push(("together", charging.into()));
        }
        if self.exempt_preflight {
            general.push(("exempt", "CORS preflights".into()));
        }
        let rejection = self.rejection();
        general.push((
            "refusal",
            format!(
                "{} with retry-after of at most {} s, {}: {}",
                rejection.status,
                rejection.longest_wait,
                rejection.content_type,
                rejection.body.trim_end()
            ),
        ));
        general.push(("headers", self.headers_in_words()));
        let bytes = u64::from(self.geometry.pages.get()) * u64::from(self.geometry.page_bytes);
        general.push((
            "table",
            format!(
                "{} KiB at most, room for some {} clients",
                bytes.div_ceil(1024),
                rounded(self.clients())
            ),
        ));
        general
    }

    fn headers_in_words(&self) -> String {
        let Some(HeaderRules { policy, limit, reset, upstream }) = self.headers() else {
            return "none".into();
        };
        let described = self.policies.get(*policy);
        let name = described.map_or("", Policy::name);
        let limit = described.and_then(|policy| policy.limit_names.get(*limit)).map_or("", String::as_str);
        let reset = match reset {
            Reset::NextSlot => "when the next unit comes back",
            Reset::FullReset => "when all units are back",
        };
        let upstream = match upstream {
            Upstream::Replace => "the upstream's are replaced",
            Upstream::Keep => "the upstream's own are kept",
        };
        format!("x-ratelimit-limit, -remaining, -reset ({reset}) of {name}/{limit}; {upstream}")
    }
}

/// Two digits are all that an estimate is worth.
fn rounded(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number / unit * unit
}

pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Header { name, scheme, prefix } => {
            let scheme = scheme.as_ref().map_or(String::new(), |scheme| format!(", behind {scheme}"));
            let prefix = prefix.map_or(String::new(), |prefix| format!(", its first {prefix} bytes"));
            format!("header {name}{scheme}{prefix}")
        }
        Source::ClientIp { ipv6_prefix } => {
            format!("the client's address, IPv6 by its first {ipv6_prefix} bits")
        }
    }
}

fn counting(policy: &Policy) -> Vec<String> {
    let mut also = Vec::new();
    match policy.count {
        Count::Accepted => {}
        Count::All => also.push("refused requests count, too".to_string()),
        Count::Later => {
            let statuses = policy.response.count.as_ref().map_or(String::new(), StatusSet::to_string);
            also.push(format!("a request counts when it is answered with {statuses}"));
        }
    }
    if let Some(statuses) = &policy.response.refund {
        also.push(format!("given back when answered with {statuses}"));
    }
    for (rule, statuses) in &policy.response.returns {
        also.push(format!("{rule} gives a unit back when answered with {statuses}"));
    }
    match policy.on_contention {
        OnContention::Bucket => {}
        OnContention::Deny => also.push("refuses when its record can't be written".into()),
        OnContention::Allow => also.push("admits when its record can't be written".into()),
    }
    also
}

impl Summary {
    /// As a tree, for machines.
    pub fn to_value(&self) -> Value {
        let list = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
        let policy = |policy: &PolicySummary| {
            Value::Object(vec![
                ("name".into(), policy.name.as_str().into()),
                ("applies".into(), policy.applies.as_str().into()),
                ("limits".into(), list(&policy.limits)),
                ("also".into(), list(&policy.also)),
            ])
        };
        let policies = Value::List(self.policies.iter().map(policy).collect());
        let general = self.general.iter().map(|(name, words)| ((*name).to_string(), words.as_str().into()));
        Value::Object([("policies".into(), policies)].into_iter().chain(general).collect())
    }
}
