//! Why a policy applies to a request, or does not.

use super::words::source;
use super::{Key, Match, Part, Policy, PolicySet};
use crate::identity::Source;
use crate::request::{Asked, Request};
use std::net::{Ipv4Addr, Ipv6Addr};

/// How a policy stands to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It judges the request; by each of its keys, who is counted.
    Counts(Vec<String>),
    /// The request may give a unit back; by each of its keys, to whom.
    Returns(Vec<String>),
    /// It does not apply, and this is why.
    Not(String),
}

impl PolicySet {
    /// How each policy stands to a request, in their order.
    pub fn standings<R: Request>(&self, asked: &Asked<'_, R>) -> Vec<Standing> {
        if self.exempt_preflight && asked.is_preflight() {
            return self
                .policies
                .iter()
                .map(|_| Standing::Not("a CORS preflight is exempt".into()))
                .collect();
        }
        self.policies.iter().map(|policy| self.standing(policy, asked)).collect()
    }

    fn standing<R: Request>(&self, policy: &Policy, asked: &Asked<'_, R>) -> Standing {
        let Some(part) = policy.part(asked) else {
            return Standing::Not(mismatches(&policy.matches, asked));
        };
        let keys = policy.key.iter().filter_map(|index| Some((self.keys.get(*index)?, asked.key(*index))));
        let keys: Vec<_> = keys.collect();
        if let Some((key, _)) = keys.iter().find(|(_, value)| value.is_none()) {
            return Standing::Not(format!("the request has no {} ({})", key.name, source(&key.source)));
        }
        let who = keys.iter().map(|(key, value)| shown(key, value.unwrap_or_default())).collect();
        match part {
            Part::Judges => Standing::Counts(who),
            Part::Returns(_) => Standing::Returns(who),
        }
    }
}

/// What each match has against the request.
fn mismatches<R: Request>(matches: &[Match], asked: &Asked<'_, R>) -> String {
    let against = |rule: &Match| {
        if let Some(method) = rule.method.as_ref().filter(|method| method.as_bytes() != asked.method()) {
            return format!("the method is not {method}");
        }
        match &rule.path {
            Some(path) if !path.matches(asked.path()) => format!("the path is not {path}"),
            // The caller has found that it does not match.
            Some(_) | None => format!("it is not {rule}"),
        }
    };
    let mut reasons: Vec<String> = matches.iter().map(against).collect();
    reasons.dedup();
    reasons.join(", ")
}

/// A key's value, as much of it as may be seen: an address is no secret, anything else may be.
fn shown(key: &Key, value: &[u8]) -> String {
    let value = match &key.source {
        Source::ClientIp { ipv6_prefix } => address(value, *ipv6_prefix),
        Source::Header { .. } => veiled(value),
    };
    format!("{} {value}", key.name)
}

fn address(value: &[u8], ipv6_prefix: u8) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Ipv4Addr::from(octets).to_string();
    }
    match <[u8; 16]>::try_from(value) {
        Ok(octets) => format!("{}/{ipv6_prefix}", Ipv6Addr::from(octets)),
        Err(_) if value.is_empty() => "without an address".into(),
        Err(_) => String::from_utf8_lossy(value).escape_debug().to_string(),
    }
}

/// The first four characters and the length; of a short value less.
fn veiled(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let most = (text.chars().count() / 2).min(4);
    let start: String = text.chars().take(most).collect();
    format!("\"{}…\" ({} bytes)", start.escape_debug(), value.len())
}
