//! Compiles a configuration into the rules that the engine evaluates and the rules by which replies are
//! written, or reports every error in it.
//!
//! # Why some functions are never inlined
//!
//! Envoy's V8 needs memory in proportion to the largest function that it compiles, and keeps it: as a single
//! function this folder took 7 MB of a process. So what reads one object of the language is
//! `#[inline(never)]`, where the compiler would otherwise merge it into its only caller, and so are the
//! functions of `config::Reader` that would be copied into every caller. Measured on the module (2026-11):
//!
//! | | module | largest function |
//! |---|---|---|
//! | none | 358.1 KB | 28.5 KB |
//! | only here | 358.8 KB | 10.2 KB |
//! | as it is | 351.5 KB | 9.4 KB |

mod address_ranges;
mod consumers;
mod cost_body;
mod counting;
mod fleet;
mod forgive;
mod key_numbers;
mod key_part;
mod keys;
mod limits;
mod matches;
mod metrics;
mod paths;
mod penalty;
mod policies;
mod replies;
mod schedule;
mod sharing;
mod tiers;
mod unknown_cost;

use crate::body::Pointers;
use crate::config::{ConfigErrors, Fields, Reader, Value, Vocabulary, statuses};
use crate::http::{AUTHORIZATION, Spellings};
use crate::language::{configuration, table};
use crate::reply::ReplyRules;
use crate::rules::{Callers, Key, KnownKeys, Policy, PolicySet, RequestMatch, Routes};
use crate::table::TableSize;
use consumers::{ConsumerContext, KnownConsumers, consumers};
use keys::keys;
use matches::exceptions;
use policies::PolicyContext;
use replies::reply_rules;
use std::cell::RefCell;
use std::num::NonZeroU32;
use tiers::DeclaredTiers;

/// A compiled configuration.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What the engine evaluates: who is limited, and by what.
    pub rules: PolicySet,
    /// How rejections, limit headers and access log lines are written.
    pub replies: ReplyRules,
}

/// Compiles a configuration.
///
/// # Errors
/// Every error, each with its path, what was found there and what is allowed.
pub fn compile(value: &Value) -> Result<Configuration, ConfigErrors> {
    let errors = RefCell::new(ConfigErrors::default());
    let compiled = configuration(&Reader::root(value, &errors));
    let errors = errors.into_inner();
    match compiled {
        Some(set) if errors.is_empty() => Ok(set),
        Some(_) | None => Err(errors),
    }
}

fn configuration(root: &Reader<'_>) -> Option<Configuration> {
    let fields = root.fields(&configuration::OBJECT)?;
    let (table_size, table_name) = table(&fields).unzip();
    let table = table_size.unwrap_or(DEFAULT_TABLE);
    let keys = fields.needed(&configuration::KEYS).and_then(|object| keys(object, table));
    let key_names =
        keys.as_ref().map(|keys| Vocabulary::new(keys.iter().map(|key| key.name.as_str()).collect()));
    let tiers = fields.get_optional_with(&configuration::TIERS, |object| {
        tiers::read(object, keys.as_deref(), key_names.as_ref())
    });
    let callers = ConsumerContext {
        keys: keys.as_deref(),
        key_names: key_names.as_ref(),
        tiers: DeclaredTiers::of(tiers.as_ref()),
    };
    let consumers = fields.get_optional_with(&configuration::CONSUMERS, |list| consumers(list, callers));
    let consumers = consumers.map(Option::unwrap_or_default);
    let consumer_name =
        fields.get_optional_with(&configuration::CONSUMER_NAME, |at| consumers::consumer_name(at, callers));
    let nobody = KnownConsumers::default();
    let fleet = fields.get_optional_with(&configuration::FLEET, fleet::settings);
    let context = PolicyContext {
        // If it could not be read, only it is an error.
        fleet: !matches!(fleet, Some(None)),
        keys: callers.keys,
        key_names: callers.key_names,
        tiers: callers.tiers,
        consumers: consumers.as_ref().unwrap_or(&nobody),
        table,
    };
    let policies = fields.needed(&configuration::POLICIES).and_then(|list| policies::read(list, context));
    let forgive = fields
        .get_optional_with(&configuration::FORGIVE, |list| forgive::read(list, callers, policies.as_deref()));
    let known = KnownKeys { keys: callers.keys, names: callers.key_names };
    let exempt = fields.get_optional_with(&configuration::EXEMPT, |list| exceptions(list, known));
    let exempt = exempt.map(Option::unwrap_or_default);
    let charging = fields.get(&configuration::CHARGE);
    let exempt_preflight = fields.get(&configuration::EXEMPT_PREFLIGHT);
    let spellings = paths::spellings(&fields);
    let counts_consumers = metrics::counts_consumers(&fields, consumers.as_ref());
    let replies = reply_rules(&fields, policies.as_deref());
    let (charging, exempt_preflight, table_size, fleet) = (charging?, exempt_preflight?, table_size?, fleet?);
    let (consumer_name, counts_consumers, forgive) = (consumer_name?, counts_consumers?, forgive?);
    let (
        Some(mut keys),
        Some(consumers),
        Some(tiers),
        Some(mut policies),
        Some(mut exempt),
        Some(spellings),
        Some(mut replies),
    ) = (keys, consumers, tiers, policies, exempt, spellings, replies)
    else {
        return None;
    };
    if let Some(name) = replies.shadow_header.as_deref()
        && keys.iter().any(|key| key.source.header() == Some(name))
    {
        // The upstream would no longer get what the client has sent.
        return fields.present(&configuration::SHADOW_HEADER)?.error("a header that no key reads");
    }
    paths::apply(spellings, &mut policies, &mut exempt);
    paths::apply_to_keys(spellings, &mut keys);
    let mut pointers = Pointers::default();
    let bodies = policies.iter_mut().filter_map(|policy| policy.response.body.as_deref_mut());
    bodies.for_each(|body| body.add_to(&mut pointers));
    let reads_authorization = keys.iter().any(|key| key.source.header() == Some(AUTHORIZATION));
    let forgive = forgive.filter(|forgive| forgive.all().next().is_some()).map(Box::new);
    let callers = Callers { consumers: consumers.into_consumers(&keys), tiers, keys, forgive };
    replies.consumers = callers.consumers.list().clone();
    replies.tiers = callers.tiers.as_ref().map_or_else(Vec::new, |tiers| tiers.names.clone());
    let rules = PolicySet {
        can_be_ambiguous: callers.keys.iter().any(Key::can_be_ambiguous),
        callers,
        routes: routes(&policies, spellings),
        policies,
        pointers,
        exempt,
        charging,
        exempt_preflight,
        reads_authorization,
        names_callers: replies.access_log.is_some() || counts_consumers,
        counts_consumers,
        consumer_name,
        table_size,
        table_name: table_name.flatten(),
        fleet,
    };
    Some(Configuration { rules, replies })
}

/// Indexes the policies by the paths that their matches begin with.
fn routes(policies: &[Policy], spellings: Spellings) -> Routes {
    let mut routes = Routes::new(policies.len(), spellings);
    for (index, policy) in policies.iter().enumerate() {
        if policy.matches.is_empty() {
            routes.add(index, None);
        }
        let rules = policy.judged().chain(policy.response.return_matches());
        rules.for_each(|rule: &RequestMatch| routes.add(index, rule.path()));
    }
    routes
}

/// For a table that has errors of its own, so that no other field is an error as a consequence.
const DEFAULT_TABLE: TableSize = TableSize { pages: NonZeroU32::MIN, page_bytes: u16::MAX };

/// The size of the table, and its name.
fn table(root: &Fields<'_>) -> Option<(TableSize, Option<Box<str>>)> {
    let fields = root.object_or_empty(&configuration::TABLE, &table::OBJECT)?;
    let (pages, page_bytes) = (fields.get(&table::PAGES), fields.get(&table::PAGE_BYTES));
    let name = fields.get_optional(&table::NAME);
    Some((TableSize { pages: pages?, page_bytes: page_bytes? }, name?.map(String::into_boxed_str)))
}

#[cfg(test)]
mod tests;
