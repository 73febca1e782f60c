//! Compiles the limits of a policy: which fields each algorithm has, and what they mean.

use super::duration::{self, DURATION};
use super::name::{NAME, name_of};
use super::tiers::DeclaredTiers;
use crate::config::{Fields, Reader, all};
use crate::limiter::calendar::Calendar;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit, LimitId};
use crate::table::{Count, TableSize};
use crate::time::{Micros, Period, SECOND, Zone};
use std::num::NonZeroU32;

const QUOTA: &str = "a whole number from 1 to 4294967295";
const PERIOD: &str = "day, week or month";
const LIMITS: &str = "a list of at least one limit";

/// The algorithms by the names that the configuration gives them.
#[derive(Clone, Copy, PartialEq)]
enum AlgorithmName {
    SlidingWindow,
    SlidingCounter,
    FixedWindow,
    Calendar,
    TokenBucket,
    Concurrency,
    Stock,
}

const ALGORITHMS: [(&str, AlgorithmName); 7] = [
    ("sliding_window", AlgorithmName::SlidingWindow),
    ("sliding_counter", AlgorithmName::SlidingCounter),
    ("fixed_window", AlgorithmName::FixedWindow),
    ("calendar", AlgorithmName::Calendar),
    ("token_bucket", AlgorithmName::TokenBucket),
    ("concurrency", AlgorithmName::Concurrency),
    ("stock", AlgorithmName::Stock),
];

const PERIODS: [(&str, Period); 3] = [("day", Period::Day), ("week", Period::Week), ("month", Period::Month)];

/// What the limits of a policy depend on besides their own fields.
#[derive(Clone, Copy)]
pub(super) struct LimitContext<'a> {
    /// The policy's name.
    pub policy: &'a str,
    pub table: TableSize,
    pub count: Count,
    /// Whether responses report how many units of a stock there are.
    pub reported: bool,
    pub tiers: DeclaredTiers<'a>,
}

/// A limit, and its quota in each tier.
pub(super) struct TieredLimit {
    pub name: String,
    /// With the quota of the default tier.
    pub limit: Limit,
    /// One for each tier; empty if all have the same.
    quotas: Vec<NonZeroU32>,
    /// Whether the burst of a token bucket follows its quota.
    burst_is_quota: bool,
    log: LogRoom,
}

/// What decides, besides quota and window, how long the slots of a sliding window are.
#[derive(Clone, Copy)]
struct LogRoom {
    count: Count,
    /// The bytes that one state may have.
    bytes: usize,
}

impl LogRoom {
    /// If rejected requests count too, a window may have any number of entries.
    fn slots(self, quota: NonZeroU32, window: Micros) -> Slots {
        let units = match self.count {
            Count::Accepted | Count::Rejected | Count::Never => quota,
            Count::All => NonZeroU32::MAX,
        };
        Slots::that_fit(units, window, self.bytes)
    }
}

impl TieredLimit {
    /// The limit with the quota of a tier.
    pub fn of_tier(&self, tier: usize) -> Limit {
        self.quotas.get(tier).map_or(self.limit, |quota| self.with(*quota))
    }

    /// The limit with another quota, and with slots for that quota: a tier of hundreds stays exact beside one
    /// of thousands (PA-7).
    pub fn with(&self, quota: NonZeroU32) -> Limit {
        let algorithm = match self.limit.algorithm {
            Algorithm::SlidingWindow(_) => Algorithm::SlidingWindow(self.log.slots(quota, self.limit.window)),
            Algorithm::TokenBucket { .. } if self.burst_is_quota => Algorithm::TokenBucket { burst: quota },
            same @ (Algorithm::TokenBucket { .. }
            | Algorithm::SlidingCounter
            | Algorithm::FixedWindow
            | Algorithm::Calendar(_)
            | Algorithm::Concurrency
            | Algorithm::Stock { .. }
            | Algorithm::Penalty) => same,
        };
        Limit { quota, algorithm, ..self.limit }
    }
}

/// Reads the list of limits.
pub(super) fn read(list: &Reader<'_>, context: LimitContext<'_>) -> Option<Vec<TieredLimit>> {
    let entries = list.non_empty_list(LIMITS)?;
    let limits: Vec<_> = entries.iter().map(|entry| limit(entry, context)).collect();
    for (i, (entry, limit)) in entries.iter().zip(&limits).enumerate() {
        let twin = |other: &TieredLimit| limit.as_ref().is_some_and(|limit| limit.name == other.name);
        if limits.iter().take(i).flatten().any(twin) {
            entry.error_found::<()>(
                "a second limit of the same name",
                "a different name for each limit of a policy",
            );
        }
    }
    all(limits)
}

#[inline(never)]
fn limit(entry: &Reader<'_>, context: LimitContext<'_>) -> Option<TieredLimit> {
    let fields = entry.object(&[
        "name",
        "algorithm",
        "quota",
        "window",
        "time_zone",
        "burst",
        "retry_after",
        "message",
    ])?;
    let name = fields.read_or("name", "limit".to_string(), |name| name_of(name, name.text(NAME)?));
    let quotas = fields.required("quota", QUOTA).and_then(|quota| quotas(quota, context.tiers));
    let default = quotas.as_ref().map(|(default, _)| *default);
    let (bytes, reported) = (context.table.max_state_bytes(), context.reported);
    let log = LogRoom { count: context.count, bytes };
    let algorithm = fields.read_or("algorithm", default_algorithm(&fields), |word| word.word(&ALGORITHMS));
    let counted = algorithm.and_then(|name| counted(&fields, name, default, log));
    let (name, (quota, quotas), (window, mut algorithm)) = (name?, quotas?, counted?);
    if let Algorithm::Stock { reported: keeps_apart } = &mut algorithm {
        *keeps_apart = reported;
    }
    let limit = Limit { id: LimitId::new(context.policy, &name), quota, window, algorithm };
    Some(TieredLimit { name, limit, quotas, burst_is_quota: fields.optional("burst").is_none(), log })
}

/// The quota of the default tier, and that of each tier.
fn quotas(reader: &Reader<'_>, tiers: DeclaredTiers<'_>) -> Option<(NonZeroU32, Vec<NonZeroU32>)> {
    if !reader.is_object() {
        return Some((whole_quota(reader)?, Vec::new()));
    }
    let tiers = match tiers {
        DeclaredTiers::Valid(tiers) => tiers,
        DeclaredTiers::None => return reader.error_found("a quota for each tier, but no tiers", QUOTA),
        DeclaredTiers::Invalid => return None,
    };
    let names: Vec<&str> = tiers.names.iter().map(String::as_str).collect();
    let fields = reader.object(&names)?;
    let quotas = names.iter().map(|name| fields.required(name, QUOTA).and_then(whole_quota));
    let quotas = all(quotas.collect::<Vec<_>>())?;
    Some((*quotas.get(tiers.default)?, quotas))
}

/// Reads a quota that is a number, in units.
pub(super) fn whole_quota(reader: &Reader<'_>) -> Option<NonZeroU32> {
    let quota = reader.whole_number(1..=u64::from(u32::MAX))?;
    NonZeroU32::new(u32::try_from(quota).ok()?)
}

/// The algorithm if none is named: `calendar` if the window is a day, week or month.
fn default_algorithm(fields: &Fields<'_>) -> AlgorithmName {
    let named = |window: &&Reader<'_>| PERIODS.iter().any(|(word, _)| window.is_word(word));
    if fields.optional("window").is_some_and(|window| named(&window)) {
        AlgorithmName::Calendar
    } else {
        AlgorithmName::SlidingWindow
    }
}

/// The window in microseconds, and the algorithm with its parameters.
fn counted(
    fields: &Fields<'_>,
    name: AlgorithmName,
    quota: Option<NonZeroU32>,
    log: LogRoom,
) -> Option<(Micros, Algorithm)> {
    let in_place = reject_fields_of_others(fields, name);
    let window = match name {
        AlgorithmName::Calendar => None,
        AlgorithmName::Concurrency => Some(fields.read_or("retry_after", SECOND, duration::read)?),
        AlgorithmName::Stock => Some(fields.read_or("retry_after", 60 * SECOND, duration::read)?),
        AlgorithmName::SlidingWindow
        | AlgorithmName::SlidingCounter
        | AlgorithmName::FixedWindow
        | AlgorithmName::TokenBucket => Some(fields.required("window", DURATION).and_then(duration::read)?),
    };
    let algorithm = match name {
        AlgorithmName::SlidingWindow => Algorithm::SlidingWindow(log.slots(quota?, window?)),
        AlgorithmName::SlidingCounter => Algorithm::SlidingCounter,
        AlgorithmName::FixedWindow => Algorithm::FixedWindow,
        AlgorithmName::Calendar => Algorithm::Calendar(calendar(fields)?),
        AlgorithmName::TokenBucket => Algorithm::TokenBucket { burst: burst(fields, quota)? },
        AlgorithmName::Concurrency => Algorithm::Concurrency,
        AlgorithmName::Stock => Algorithm::Stock { reported: false },
    };
    in_place?;
    let window = match algorithm {
        Algorithm::Calendar(calendar) => calendar.max_length(),
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::TokenBucket { .. }
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => window?,
    };
    Some((window, algorithm))
}

fn calendar(fields: &Fields<'_>) -> Option<Calendar> {
    let period = fields.required("window", PERIOD).and_then(|word| word.word(&PERIODS));
    let zone = fields.read("time_zone", |name| {
        const ZONE: &str = "an IANA time zone such as Europe/Madrid";
        let text = name.text(ZONE)?;
        Zone::named(text).map_or_else(|nearest| name.error_similar(ZONE, &nearest), Some)
    });
    let zone = match zone? {
        Some(zone) => zone,
        None => Zone::named("UTC").ok()?,
    };
    Some(Calendar { period: period?, zone })
}

fn burst(fields: &Fields<'_>, quota: Option<NonZeroU32>) -> Option<NonZeroU32> {
    let burst = fields.read("burst", |n| n.whole_number(1..=u64::from(u32::MAX)))?;
    match burst {
        Some(burst) => NonZeroU32::new(u32::try_from(burst).ok()?),
        None => quota,
    }
}

/// A field that does not apply to the algorithm would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, name: AlgorithmName) -> Option<()> {
    let of: [(&str, &[AlgorithmName], &str); 4] = [
        ("time_zone", &[AlgorithmName::Calendar], "only with algorithm calendar"),
        ("burst", &[AlgorithmName::TokenBucket], "only with algorithm token_bucket"),
        (
            "retry_after",
            &[AlgorithmName::Concurrency, AlgorithmName::Stock],
            "only with algorithm concurrency or stock",
        ),
        (
            "window",
            &[
                AlgorithmName::SlidingWindow,
                AlgorithmName::SlidingCounter,
                AlgorithmName::FixedWindow,
                AlgorithmName::Calendar,
                AlgorithmName::TokenBucket,
            ],
            "no window with algorithm concurrency or stock",
        ),
    ];
    let mut valid = Some(());
    for (field, algorithms, allowed) in of {
        if let Some(field) = fields.optional(field).filter(|_| !algorithms.contains(&name)) {
            valid = field.error(allowed);
        }
    }
    valid
}
