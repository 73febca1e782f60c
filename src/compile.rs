//! From the configuration as written to the policy set, with every error it has.
//!
//! What is called once is not inlined here: Envoy's V8 needs memory in proportion to the largest function that it compiles,
//! and keeps it. As one function this folder took 7 MB of a process.

mod consumers;
mod counting;
mod duration;
mod keys;
mod limits;
mod matches;
mod paths;
mod policies;
mod replies;
mod sharing;
mod statuses;

use crate::config::{ConfigErrors, Reader, Value, Vocabulary};
use crate::http::{AUTHORIZATION, RequestMatch, Spellings};
use crate::reply::ReplyRules;
use crate::rules::{Callers, Key, Policy, PolicySet, Routes};
use crate::table::{Charging, Geometry};
use consumers::{Known, TierNames, consumers, tiers};
use keys::keys;
use matches::exceptions;
use replies::saying;
use std::cell::RefCell;
use std::num::NonZeroU32;

const NAME: &str = "a name of letters, digits, _ and -, at most 64";
const POLICIES: &str = "a list of at least one policy";

/// A configuration as compiled.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Who is limited by what, for the engine.
    pub rules: PolicySet,
    /// What clients and access logs are shown, for the replies.
    pub replies: ReplyRules,
}

/// Compiles a configuration.
///
/// # Errors
/// All errors, each with its path, what was found and what is allowed.
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
    const FIELDS: [&str; 13] = [
        "keys",
        "consumers",
        "tiers",
        "policies",
        "exempt",
        "exempt_preflight",
        "paths",
        "charge",
        "reject",
        "retry_after",
        "headers",
        "access_log",
        "table",
    ];
    let fields = root.object(&FIELDS)?;
    let geometry = geometry(fields.optional("table"));
    let table = geometry.unwrap_or(DEFAULT_TABLE);
    let keys = fields.required("keys", "an object of named keys").and_then(|object| keys(object, table));
    let words = keys.as_ref().map(|keys| Vocabulary::new(keys.iter().map(|key| key.name.as_str()).collect()));
    let tiers = fields.read("tiers", |object| tiers(object, keys.as_deref(), words.as_ref()));
    let grades = TierNames::of(tiers.as_ref());
    let known = fields.read_or("consumers", Known::default(), |list| {
        consumers(list, keys.as_deref(), words.as_ref(), grades)
    });
    let nobody = Known::default();
    let context = policies::Context {
        keys: keys.as_deref(),
        words: words.as_ref(),
        grades,
        known: known.as_ref().unwrap_or(&nobody),
        table,
    };
    let policies = fields.required("policies", POLICIES).and_then(|list| policies::read(list, context));
    let exempt = fields.read_or("exempt", Vec::new(), exceptions);
    let charging = fields.read_or("charge", Charging::default(), |charge| {
        charge.word(&[("all_or_nothing", Charging::AllOrNothing), ("sequential", Charging::Sequential)])
    });
    let exempt_preflight = fields.read_or("exempt_preflight", true, Reader::flag);
    let spellings = fields.read_or("paths", paths::ALL, paths::spellings);
    let saying = saying(&fields, policies.as_deref());
    let (charging, exempt_preflight, geometry) = (charging?, exempt_preflight?, geometry?);
    let (
        Some(keys),
        Some(known),
        Some(tiers),
        Some(mut policies),
        Some(mut exempt),
        Some(spellings),
        Some(mut replies),
    ) = (keys, known, tiers, policies, exempt, spellings, saying)
    else {
        return None;
    };
    paths::set_spellings(spellings, &mut policies, &mut exempt);
    let reads_authorization = keys.iter().any(|key| key.source.reads_header(AUTHORIZATION));
    let callers = Callers { consumers: known.into_consumers(&keys), tiers, keys };
    replies.consumers = callers.consumers.list().clone();
    replies.tiers = callers.tiers.as_ref().map_or_else(Vec::new, |tiers| tiers.names.clone());
    let rules = PolicySet {
        can_be_ambiguous: callers.keys.iter().any(Key::can_be_ambiguous),
        callers,
        routes: routes(&policies, spellings),
        policies,
        exempt,
        charging,
        exempt_preflight,
        reads_authorization,
        logs_callers: replies.access_log,
        geometry,
    };
    Some(Configuration { rules, replies })
}

/// An index of the paths that the policies' matches begin with.
fn routes(policies: &[Policy], spellings: Spellings) -> Routes {
    let mut routes = Routes::new(policies.len(), spellings);
    for (index, policy) in policies.iter().enumerate() {
        if policy.matches.is_empty() {
            routes.add(index, None);
        }
        let rules = policy.judged().chain(policy.response.return_matches());
        rules.for_each(|rule: &RequestMatch| routes.add(index, rule.path.as_ref()));
    }
    routes
}

const DEFAULT_TABLE: Geometry = Geometry {
    pages: match NonZeroU32::new(16_384) {
        Some(pages) => pages,
        None => NonZeroU32::MIN,
    },
    page_bytes: 1_536,
};

fn geometry(table: Option<&Reader<'_>>) -> Option<Geometry> {
    let Some(table) = table else { return Some(DEFAULT_TABLE) };
    let fields = table.object(&["pages", "page_bytes"])?;
    let pages =
        fields.read_or("pages", u64::from(DEFAULT_TABLE.pages.get()), |n| n.whole_number(1..=1_048_576));
    let bytes =
        fields.read_or("page_bytes", u64::from(DEFAULT_TABLE.page_bytes), |n| n.whole_number(512..=65_535));
    let pages = NonZeroU32::new(u32::try_from(pages?).ok()?)?;
    Some(Geometry { pages, page_bytes: u16::try_from(bytes?).ok()? })
}

#[inline(never)]
fn name_of(reader: &Reader<'_>, name: &str) -> Option<String> {
    if is_name(name) { Some(name.to_string()) } else { reader.error_name(name, NAME) }
}

#[inline(never)]
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A quota that is a number.
fn whole_quota(reader: &Reader<'_>) -> Option<NonZeroU32> {
    let quota = reader.whole_number(1..=u64::from(u32::MAX))?;
    NonZeroU32::new(u32::try_from(quota).ok()?)
}

/// All of them, each read even after one has failed.
fn all<T>(items: impl IntoIterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut all = Some(Vec::new());
    for item in items {
        match (&mut all, item) {
            (Some(list), Some(item)) => list.push(item),
            (None, _) | (_, None) => all = None,
        }
    }
    all
}

#[cfg(test)]
mod tests;
