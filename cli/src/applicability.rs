//! Why a policy applies to a request, or does not.

use super::words::key;
use super::{Applied, Match, Part, Policy, PolicySet};
use crate::identity::{Caller, Key, Source};
use crate::key::Seed;
use crate::request::{Asked, Request};
use crate::time::Micros;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How a policy stands to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It judges the request; by each of its keys, who is counted.
    Counts(Vec<String>),
    /// It judges the request in shadow, and refuses nothing.
    Shadows(Vec<String>),
    /// The request may give a unit back; by each of its keys, to whom.
    Returns(Vec<String>),
    /// It does not apply, and this is why.
    Not(String),
}

impl PolicySet {
    /// How each policy stands to a request at an instant of the wall clock, in their order.
    pub fn standings<R: Request>(&self, asked: &Asked<'_, R>, wall: Micros) -> Vec<Standing> {
        if let Some(reason) = self.exemption(asked) {
            return self.policies.iter().map(|_| Standing::Not(reason.clone())).collect();
        }
        // The identities themselves are not shown, so any seed does.
        let seed = Seed::new([0; Seed::LEN]);
        let caller = Caller::new(asked, &self.directory, &seed, &[]);
        let applied = self.that_apply(asked, &caller, wall);
        let standing = |(index, policy)| match applied.iter().find(|one| one.policy == index) {
            Some(one) => self.who(policy, one, asked, &caller),
            None => Standing::Not(self.why_not(policy, asked, &caller, &applied)),
        };
        self.policies.iter().enumerate().map(standing).collect()
    }

    fn exemption<R: Request>(&self, asked: &Asked<'_, R>) -> Option<String> {
        if let Some(rule) = self.exempt.iter().find(|rule| rule.matches(asked)) {
            return Some(format!("{rule} is exempt"));
        }
        self.exempts_as_preflight(asked).then(|| "a CORS preflight is exempt".into())
    }

    fn who<R: Request>(
        &self,
        policy: &Policy,
        applied: &Applied,
        asked: &Asked<'_, R>,
        caller: &Caller<'_, R>,
    ) -> Standing {
        let rule = policy.part(asked).and_then(|(_, rule)| rule);
        let template = rule.and_then(|rule| rule.path.as_ref());
        let shown = |key: &usize| {
            if caller.is_ambiguous(&[*key], template) {
                let key = self.directory.keys.get(*key)?;
                return Some(format!("{}, which the request has several times and so is rejected", key.name));
            }
            let (_, value) = caller.value(*key, template)?;
            Some(shown(self.directory.keys.get(caller.taken(*key, template)?)?, &value))
        };
        let who = policy.key.iter().filter_map(shown).collect();
        match applied.part {
            Part::Returns(_) => Standing::Returns(who),
            Part::Judges(_) if applied.shadow => Standing::Shadows(who),
            Part::Judges(_) => Standing::Counts(who),
        }
    }

    fn why_not<R: Request>(
        &self,
        policy: &Policy,
        asked: &Asked<'_, R>,
        caller: &Caller<'_, R>,
        applied: &[Applied],
    ) -> String {
        let Some((_, rule)) = policy.part(asked) else { return mismatches(policy, asked) };
        let template = rule.and_then(|rule| rule.path.as_ref());
        let lacks = |index: &&usize| caller.value(**index, template).is_none();
        if let Some(lacking) = policy.key.iter().find(lacks).and_then(|index| self.directory.keys.get(*index))
        {
            return format!("the request has no {} ({})", lacking.name, key(lacking, &self.directory));
        }
        let rivals = applied.iter().filter_map(|one| self.policies.get(one.policy));
        let rival = rivals.filter(|other| other.class & policy.class != 0).map(Policy::name).next();
        format!("{} of its class does", rival.unwrap_or("another"))
    }
}

/// What each match has against the request.
fn mismatches<R: Request>(policy: &Policy, asked: &Asked<'_, R>) -> String {
    if let Some(rule) = policy.except.iter().find(|rule| rule.matches(asked)) {
        return format!("{rule} is excepted");
    }
    let against = |rule: &Match| {
        if !rule.methods.is_empty() && !rule.methods.iter().any(|method| method.as_bytes() == asked.method())
        {
            return format!("the method is not {}", rule.methods.join(" or "));
        }
        match (&rule.path, &rule.host) {
            (Some(path), _) if !path.is_met_by(asked) => format!("the path is not {path}"),
            (_, Some(host)) if !host.matches(asked.host()) => format!("the host is not {host}"),
            // The caller has found that it does not match: its headers do not.
            (_, _) => format!("it is not {rule}"),
        }
    };
    let mut reasons: Vec<String> = policy.matches.iter().map(against).collect();
    reasons.dedup();
    reasons.join(", ")
}

/// A key's value, as much of it as may be seen: what anybody can see is no secret, anything else may be.
fn shown(key: &Key, value: &[u8]) -> String {
    let value = match &key.source {
        Source::ClientIp { ipv6_prefix } => address(value, *ipv6_prefix),
        Source::PathParameter(_) | Source::Consumer(_) | Source::Constant(_) | Source::Metadata(_) => {
            String::from_utf8_lossy(value).escape_debug().to_string()
        }
        Source::Header { .. } | Source::Query(_) | Source::Cookie(_) | Source::FirstOf(_) => veiled(value),
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
