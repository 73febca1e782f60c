//! Keys that read headers which clients write themselves, or of which only the beginning is read, and rules
//! that clients can free themselves by.

use super::Warning;
use crate::inspect::counts_by;
use tollgate::compile::Configuration;
use tollgate::config::field_path;
use tollgate::rules::{Key, Part, Presence, RequestMatch};

/// Headers in which proxies tell a client's address.
const ADDRESSES: &[&str] = &[
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "remote-addr",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-forwarded-for",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
];

/// Headers in which gateways tell their upstreams who or what a request is for.
const IDENTITIES: &[&str] = &[
    "remote-user",
    "x-account-id",
    "x-auth-request-email",
    "x-auth-request-user",
    "x-authenticated-userid",
    "x-consumer-id",
    "x-consumer-username",
    "x-customer-id",
    "x-forwarded-email",
    "x-forwarded-host",
    "x-forwarded-user",
    "x-org-id",
    "x-organization-id",
    "x-original-host",
    "x-remote-user",
    "x-tenant",
    "x-tenant-id",
    "x-user",
    "x-user-id",
    "x-userid",
    "x-username",
];

/// Headers whose values have commas by their nature.
const WITH_COMMAS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "baggage",
    "cache-control",
    "cookie",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "link",
    "prefer",
    "range",
    "sec-ch-ua",
    "sec-ch-ua-full-version-list",
    "signature",
    "signature-input",
    "te",
    "tracestate",
    "user-agent",
    "via",
    "warning",
    "x-forwarded-client-cert",
];

/// What is wrong with the header that a key reads.
pub(super) fn warn_header(set: &Configuration, index: usize, path: &str, warnings: &mut Vec<Warning>) {
    let Some(key) = set.rules.callers.keys.get(index) else { return };
    let Some(name) = key.source.header() else { return };
    let at = field_path(path, "header");
    let is_one_of = |names: &[&str]| names.contains(&name);
    // The last entry is that of the nearest proxy.
    let is_proxys = matches!(key.part, Part::Element { index: ..0, .. });
    if is_one_of(ADDRESSES) {
        if is_counted_unproven(set, index) && !is_proxys {
            let message = format!(
                "clients write {name} themselves, and each made-up value is a new caller; use client_ip, whose \
                 address Envoy determines: behind proxies, set xff_num_trusted_hops in Envoy"
            );
            warnings.push(Warning::new(at, message));
        }
        return;
    }
    if is_one_of(IDENTITIES) && is_counted_unproven(set, index) && !limits_everybody(set) {
        let message = format!(
            "unless a proxy or a filter before Tollgate overwrites {name}, clients write it themselves, and each \
             made-up value is a new caller; use metadata of an earlier filter, set valid, or add a policy by client_ip"
        );
        warnings.push(Warning::new(at, message));
    } else if is_one_of(WITH_COMMAS) && key.source.joins_lines() && key.part == Part::Usual {
        let instead = match name {
            "cookie" => "a key with cookie, which reads one cookie",
            _ => "whole: true, or separator with index",
        };
        let message = format!(
            "only the value up to the first comma counts, and values of {name} have commas by nature; use {instead}"
        );
        warnings.push(Warning::new(at, message));
    }
}

/// Warns if a request with fewer elements than a key wants is not limited at all.
pub(super) fn warn_element(set: &Configuration, index: usize, path: &str, warnings: &mut Vec<Warning>) {
    let Some(key) = set.rules.callers.keys.get(index) else { return };
    let Part::Element { index: place, .. } = key.part else { return };
    let policies = &set.rules.policies;
    let all_need_it = policies.iter().all(|policy| policy.key.contains(&index));
    if !matches!(place, 0 | -1) && key.can_be_made_up() && all_need_it {
        let message = format!(
            "a request without element {place} has no {}, so no policy limits it; add a policy by client_ip",
            key.name
        );
        warnings.push(Warning::new(field_path(path, "index"), message));
    }
}

/// Warns of rules that free every request with a key, or with a part of its value, where clients can make up
/// such a value. A whole value may be a secret.
pub(super) fn warn_freeing(set: &Configuration, warnings: &mut Vec<Warning>) {
    let mut rules: Vec<(String, &RequestMatch)> = Vec::new();
    rules.extend(set.rules.exempt.iter().enumerate().map(|(i, rule)| (format!("exempt[{i}]"), rule)));
    for (p, policy) in set.rules.policies.iter().enumerate() {
        let except = policy.except.iter().enumerate();
        rules.extend(except.map(|(i, rule)| (format!("policies[{p}].except[{i}]"), rule)));
    }
    for (at, rule) in rules {
        for key in rule.open_keys().filter_map(|key| set.rules.callers.keys.get(key)) {
            if key.can_be_made_up() {
                let message =
                    format!("any client can free itself with a made-up {}; set valid for it", key.name);
                warnings.push(Warning::new(field_path(&field_path(&at, "keys"), &key.name), message));
            }
        }
    }
}

fn is_counted_unproven(set: &Configuration, index: usize) -> bool {
    let unproven = set.rules.callers.keys.get(index).is_some_and(Key::can_be_made_up);
    unproven && counts_by(set, index)
}

/// Whether some policy counts all requests by what clients cannot choose.
fn limits_everybody(set: &Configuration) -> bool {
    let is_given = |index: &usize| {
        let key = set.rules.callers.keys.get(*index);
        key.is_some_and(|key| key.source.kind().presence == Presence::Always)
    };
    set.rules.policies.iter().any(|policy| policy.key.iter().all(is_given))
}
