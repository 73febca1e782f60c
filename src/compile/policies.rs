//! Compiles the policies, one by one, and then checks them as a set.

use super::consumers::{ConsumerQuota, KnownConsumers};
use super::counting::{check_hold, count, enforced, mode, on_response};
use super::fleet::scope;
use super::key_numbers::cost_from;
use super::keys::key_indexes;
use super::limits::{self, LimitContext, TieredLimit};
use super::matches::{exceptions, matches};
use super::penalty::{check_restarts, penalty};
use super::schedule;
use super::sharing::{assign_records, check_room};
use super::tiers::DeclaredTiers;
use crate::config::{Fields, Names, Reader, Vocabulary, all, either_of};
use crate::language::{configuration, forms, limit, policy, request_match};
use crate::limiter::{self, Algorithm, Limit};
use crate::rules::{
    Key, KnownKeys, LimitSet, LimitsByCaller, MatchPart, OnResponse, Policy, Quota, RequestMatch,
};
use crate::table::{Count, TableSize};

/// What policies depend on besides their own fields. Keys that could not be read are `None`.
#[derive(Clone, Copy)]
pub(super) struct PolicyContext<'a> {
    /// Whether the configuration names a fleet.
    pub fleet: bool,
    pub keys: Option<&'a [Key]>,
    pub key_names: Option<&'a Vocabulary<'a>>,
    pub tiers: DeclaredTiers<'a>,
    pub consumers: &'a KnownConsumers<'a>,
    pub table: TableSize,
}

/// Reads the list `policies`.
#[inline(never)]
pub(super) fn read(list: &Reader<'_>, context: PolicyContext<'_>) -> Option<Vec<Policy>> {
    let entries = list.non_empty_list(configuration::POLICIES.kind.allowed)?;
    let mut classes = Vec::new();
    let policies: Vec<_> = entries.iter().map(|entry| read_policy(entry, context, &mut classes)).collect();
    let (mut seen, mut taken): (Vec<&Policy>, _) = (Vec::new(), Names::default());
    for (entry, policy) in entries.iter().zip(&policies) {
        let Some(policy) = policy else { continue };
        check_names(entry, policy, &mut taken);
        seen.push(policy);
        check_room(entry, policy, context.table);
    }
    if policies.iter().all(Option::is_some) {
        check_consumer_quotas(&seen, context.consumers);
    }
    let mut policies = all(policies)?;
    if let Some(keys) = context.keys {
        assign_records(&mut policies, keys, context.table);
        let rejects_credentials = keys.iter().any(Key::can_be_rejected);
        for policy in &mut policies {
            policy.counts_by_match = counts_by_match(policy, keys);
            policy.gives_back = policy.response.gives_back() || rejects_credentials;
        }
    }
    Some(policies)
}

/// Checks the names of a policy and of its limits against `taken`, those of the policies before it.
fn check_names(entry: &Reader<'_>, policy: &Policy, taken: &mut Names) {
    let id = |limit: &Limit| limit.id.0.to_le_bytes();
    let collides = policy.limits().iter().any(|limit| taken.find("id", &id(limit)).is_some());
    for limit in policy.limits() {
        taken.add("id", &id(limit));
    }
    if taken.add("name", policy.name.as_bytes()).is_some() {
        entry.error_found::<()>(
            &["a second policy named ", &policy.name].concat(),
            "a different name for each policy",
        );
    } else if collides {
        entry.error_found::<()>(
            "a limit with the same record id as another one",
            "another name for the policy",
        );
    }
}

/// A consumer's quota for a limit that does not exist would silently have no effect.
fn check_consumer_quotas(policies: &[&Policy], consumers: &KnownConsumers<'_>) {
    let references = limit_references(policies.iter().copied());
    let references = Vocabulary::new(references.iter().map(|(name, _)| name.as_str()).collect());
    for ConsumerQuota { at, .. } in &consumers.quotas {
        at.name_in(&references);
    }
}

/// The names by which other fields refer to limits, with the indexes of policy and limit: `policy/limit` for
/// all, then `policy` for each policy with only one limit.
pub(super) fn limit_references<'a>(
    policies: impl Iterator<Item = &'a Policy>,
) -> Vec<(String, (usize, usize))> {
    let (mut full, mut short) = (Vec::new(), Vec::new());
    for (p, policy) in policies.enumerate() {
        let names = policy.limit_names.iter().enumerate();
        full.extend(names.map(|(l, limit)| (format!("{}/{limit}", policy.name), (p, l))));
        if policy.limit_names.len() == 1 {
            short.push((policy.name.clone(), (p, 0)));
        }
    }
    full.append(&mut short);
    full
}

#[inline(never)]
fn read_policy(entry: &Reader<'_>, context: PolicyContext<'_>, classes: &mut Vec<String>) -> Option<Policy> {
    let fields = entry.fields(&policy::OBJECT)?;
    let name = fields.get(&policy::NAME);
    let known = KnownKeys { keys: context.keys, names: context.key_names };
    let matches = fields.get_optional_with(&policy::MATCH, |list| matches(list, known));
    let except = fields.get_optional_with(&policy::EXCEPT, |list| exceptions(list, known));
    let key = fields.needed(&policy::KEY).and_then(|key| key_indexes(key, context.key_names));
    let class = fields.get_optional_with(&policy::CLASS, |class| class_bit(class, classes));
    let cost = fields.get(&policy::COST);
    let cost_from = fields.get_optional_with(&policy::COST_FROM, |object| cost_from(object, known));
    let count = count(&fields);
    let limits = fields.needed(&policy::LIMITS).and_then(|list| {
        let policy = name.as_deref().unwrap_or_default();
        let count = count.unwrap_or_default();
        let reported = fields.present(&policy::STOCK_HEADER).is_some();
        limits::read(
            list,
            LimitContext { policy, table: context.table, count, reported, tiers: context.tiers, known },
        )
    });
    let on_contention = fields.get(&policy::ON_CONTENTION);
    let response = on_response(&fields, known);
    let penalty = penalty(&fields, name.as_deref().unwrap_or_default());
    let (mode, enforced) = (mode(&fields), enforced(&fields));
    let schedule = fields.get_optional_with(&policy::SCHEDULE, schedule::read);
    let scope = scope(&fields, context.fleet);
    let (Some(name), Some(key), Some(matches), Some(response), Some(limits)) =
        (name, key, matches, response, limits)
    else {
        return None;
    };
    let matches = matches.unwrap_or_default();
    check_stock(&fields, &limits);
    check_rejections_in_flight(&fields, count, &limits);
    check_responses_in_flight(&fields, &limits);
    check_restarts(&fields, &limits);
    check_match_parts(&fields, &key, &matches, &response, context.keys);
    let (
        Some(except),
        Some(class),
        Some(cost),
        Some(cost_from),
        Some(count),
        Some(on_contention),
        Some(penalty),
        Some(mode),
        Some(enforced),
        Some(schedule),
        Some(scope),
    ) = (except, class, cost, cost_from, count, on_contention, penalty, mode, enforced, schedule, scope)
    else {
        return None;
    };
    let policy = Policy {
        limit_sets: limit_sets(&name, &limits, penalty, context),
        quotas_from: limits.iter().filter_map(|limit| limit.quota_from).collect(),
        limit_names: limits.into_iter().map(|limit| limit.name).collect(),
        name,
        matches,
        except: except.unwrap_or_default(),
        class: class.unwrap_or_default(),
        key,
        counts_by_match: false,
        own_record: false,
        gives_back: false,
        cost,
        cost_from: cost_from.map(Box::new),
        count,
        on_contention,
        response,
        mode,
        enforced,
        schedule,
        scope,
    };
    check_hold(&fields, &policy);
    check_quotas_from(&fields, &policy);
    check_after(&fields, &policy);
    Some(policy)
}

/// The service of a fleet is told how many units a proxy has in flight, and not since when.
fn check_after(fields: &Fields<'_>, policy: &Policy) {
    let entries = fields.present(&policy::LIMITS).map_or_else(Vec::new, Reader::entries);
    let later = policy.limits().iter().position(|limit| limit.algorithm.counted_after() > 0);
    if let Some(entry) = later.and_then(|index| entries.get(index)).filter(|_| policy.scope.is_fleet()) {
        entry
            .field(limit::AFTER.name)
            .error_found::<()>("after with scope: fleet", "only with scope: proxy, in a policy of its own");
    }
}

/// The service of a fleet knows one quota of each caller, not one of each request. And which limits a verdict is
/// about must not depend on the numbers.
fn check_quotas_from(fields: &Fields<'_>, policy: &Policy) {
    let entries = fields.present(&policy::LIMITS).map_or_else(Vec::new, Reader::entries);
    let mut places = policy.quotas_from.iter().filter_map(|from| entries.get(from.limit));
    let Some(at) = places.next().map(|entry| entry.field(limit::QUOTA_FROM.name)) else { return };
    if policy.scope.is_fleet() {
        at.error_found::<()>(
            "quota_from with scope: fleet",
            "only with scope: proxy; for a fleet, a quota for each tier, with tiers.from",
        );
    }
    let is_unlimited = |set: &LimitSet| (0..entries.len()).any(|i| set.quota(i) == Some(Quota::Unlimited));
    if entries.len() > 1 && policy.limit_sets.all().any(is_unlimited) {
        at.error_found::<()>(
            "quota_from, and a limit of the same policy that is unlimited for some callers",
            "a policy of its own for each of them",
        );
    }
}

/// Reads the name of a class, as its bit.
fn class_bit(reader: &Reader<'_>, classes: &mut Vec<String>) -> Option<u64> {
    let name = reader.read(&forms::NAME)?;
    let found = classes.iter().position(|class| *class == name);
    let index = found.unwrap_or_else(|| {
        classes.push(name);
        classes.len() - 1
    });
    let bit = u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index));
    bit.or_else(|| reader.error_found("a 65th class", "at most 64 classes"))
}

/// The limits for everybody, for each tier, and for each consumer with quotas of its own.
fn limit_sets(
    policy: &str,
    limits: &[TieredLimit],
    penalty: Option<Limit>,
    context: PolicyContext<'_>,
) -> LimitsByCaller {
    let of_tier = |tier| limits.iter().map(|limit| limit.of_tier(tier)).collect::<Vec<_>>();
    let set = |limits: Vec<(Limit, Quota)>| LimitSet::new(&limits, penalty);
    let mut names = Names::default();
    let declared = limits.iter().map(|limit| limit.limit).chain(penalty).collect();
    let by_default = limits.iter().map(TieredLimit::by_default).collect();
    let mut sets = LimitsByCaller::for_all(declared, set(by_default));
    let tiers = context.tiers.valid();
    for tier in 0..tiers.map_or(0, |tiers| tiers.names.len()) {
        sets.add_tier(set(of_tier(tier)), &mut names);
    }
    for own in context.consumers.quotas_of(policy).chunk_by(|one, other| one.consumer == other.consumer) {
        let Some(index) = own.first().map(|own| own.consumer) else { continue };
        let Some(consumer) = context.consumers.list.get(index) else { continue };
        let quota_for = |name: &str| {
            own.iter().find(|own| own.is_for(policy, name, limits.len() == 1)).map(|own| own.quota)
        };
        if !limits.iter().any(|limit| quota_for(&limit.name).is_some()) {
            continue;
        }
        let tier = consumer.tier.or(tiers.map(|tiers| tiers.default)).unwrap_or_default();
        let with_own = limits.iter().zip(of_tier(tier));
        let with_own =
            with_own.map(|(limit, of_tier)| quota_for(&limit.name).map_or(of_tier, |own| limit.having(own)));
        sets.add_consumer(index, set(with_own.collect()), &mut names);
    }
    sets
}

/// A header that reports a stock would silently have no effect without a limit that counts one.
fn check_stock(fields: &Fields<'_>, limits: &[TieredLimit]) {
    let is_stock = |limit: &TieredLimit| limit.limit.algorithm.takes_reports();
    if let Some(header) = fields.present(&policy::STOCK_HEADER).filter(|_| !limits.iter().any(is_stock)) {
        let with = Algorithm::WORDS.0.iter().filter(|word| word.means.has_field(limiter::Field::StockHeader));
        let with: Vec<&str> = with.map(|word| word.word).collect();
        let allowed = ["only with a limit of algorithm ", &either_of(&with)].concat();
        header.error_found::<()>("stock_header without a stock", &allowed);
    }
}

/// A rejected request is never in flight, so it would hold no unit of a concurrency limit.
fn check_rejections_in_flight(fields: &Fields<'_>, count: Option<Count>, limits: &[TieredLimit]) {
    let in_flight = limits.iter().find(|limit| limit.limit.counts_in_flight());
    let word = fields.present(&policy::COUNT).filter(|_| count == Some(Count::Rejected));
    if let (Some(word), Some(limit)) = (word, in_flight) {
        word.error_found::<()>(
            &["count: rejected with a limit of algorithm ", limit.limit.algorithm.word()].concat(),
            "only with other algorithms: a rejected request is never in flight",
        );
    }
}

/// Units in flight come back when their stream ends, whatever the response is.
fn check_responses_in_flight(fields: &Fields<'_>, limits: &[TieredLimit]) {
    let Some(limit) = limits.first().filter(|_| limits.iter().all(|limit| limit.limit.counts_in_flight()))
    else {
        return;
    };
    let of_responses = [
        policy::COST_HEADER.name,
        policy::COST_BODY.name,
        policy::COUNT_ON.name,
        policy::REFUND_ON.name,
        policy::REFUND_UNLESS.name,
        policy::RETURNS.name,
    ];
    for name in of_responses {
        if let Some(field) = fields.optional(name) {
            field.error_found::<()>(
                &[name, " with no other limit than ", limit.limit.algorithm.word()].concat(),
                "only with a limit of another algorithm: a unit in flight is released when its stream ends, whatever the response",
            );
        }
    }
}

/// A policy whose key is a part of the match that fits, such as a path parameter, would silently not apply to a
/// request that fits a match without it.
fn check_match_parts(
    fields: &Fields<'_>,
    key: &[usize],
    matches: &[(RequestMatch, Option<u32>)],
    response: &OnResponse,
    keys: Option<&[Key]>,
) {
    let parts = |index: &usize| keys?.get(*index)?.source.match_part();
    for part in key.iter().filter_map(parts) {
        let missing = |rule: &RequestMatch| !has_part(rule, part);
        // What returns units fits no match, so its name or template would never be that of a counted request.
        let (lacks, returns_nothing) = match part {
            MatchPart::Parameter(_) => (response.return_matches().any(missing), false),
            MatchPart::Path | MatchPart::Name => (false, response.return_matches().next().is_some()),
        };
        let lacks = lacks || matches.is_empty() || matches.iter().any(|(rule, _)| missing(rule));
        let (found, allowed) = match part {
            MatchPart::Parameter(name) => (
                format!("a key by the path parameter {name}, and requests without it"),
                format!("{{{name}}} in the path of every match"),
            ),
            MatchPart::Path => (
                "a key by the path template, and requests without one".into(),
                "a path in every match".into(),
            ),
            MatchPart::Name => (
                "a key by the match, and requests that fit none with a name".into(),
                "a name in every match".into(),
            ),
        };
        if lacks {
            fields.about(&policy::KEY).error_found::<()>(&found, &allowed);
        }
        if returns_nothing {
            fields.about(&policy::RETURNS).error_found::<()>(
                "returns, with a key by the match that a request fits",
                "only with other keys: a request that returns a unit fits no match, so it would be another caller",
            );
        }
    }
    check_match_names(fields, key, matches, keys);
}

fn has_part(rule: &RequestMatch, part: MatchPart<'_>) -> bool {
    match part {
        MatchPart::Parameter(name) => {
            rule.path().is_some_and(|path| path.parameters().any(|parameter| parameter == name))
        }
        MatchPart::Path => rule.path().is_some(),
        MatchPart::Name => rule.name().is_some(),
    }
}

fn counts_by_match(policy: &Policy, keys: &[Key]) -> bool {
    let parts = policy.key.iter().flat_map(|index| Key::origins(keys, index));
    let mut parts = parts.filter_map(|index| keys.get(*index)?.source.match_part());
    parts.next().is_some()
}

/// The name of a match would silently have no effect unless the policy counts by it.
fn check_match_names(
    fields: &Fields<'_>,
    key: &[usize],
    matches: &[(RequestMatch, Option<u32>)],
    keys: Option<&[Key]>,
) {
    let Some(keys) = keys else { return };
    let counts_by_name =
        |index: &usize| keys.get(*index).is_some_and(|key| key.source.match_part() == Some(MatchPart::Name));
    if key.iter().flat_map(|index| Key::origins(keys, index)).any(counts_by_name) {
        return;
    }
    let entries = fields.present(&policy::MATCH).map(Reader::entries).unwrap_or_default();
    for (entry, _) in entries.iter().zip(matches).filter(|(_, (rule, _))| rule.name().is_some()) {
        entry.field(request_match::NAME.name).error_found::<()>(
            "the name of a match, and no key by it",
            "only with a key by request: match, or first_of with such a key",
        );
    }
}
