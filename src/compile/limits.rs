//! Compiles the limits of a policy: which fields each algorithm takes, and what they mean.

use super::consumers::TierNames;
use super::{NAME, all, duration, name_of, whole_quota};
use crate::config::{Fields, Reader};
use crate::limiter::calendar::Calendar;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit, LimitId};
use crate::table::{Count, Geometry};
use crate::time::{Micros, Period, SECOND, Zone};
use std::num::NonZeroU32;

const QUOTA: &str = "a whole number from 1 to 4294967295";
const WINDOW: &str = "a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d";
const PERIOD: &str = "day, week or month";
const LIMITS: &str = "a list of at least one limit";

/// The algorithms by the names that the configuration gives them.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    SlidingWindow,
    SlidingCounter,
    FixedWindow,
    Calendar,
    TokenBucket,
    Concurrency,
    Stock,
}

const KINDS: [(&str, Kind); 7] = [
    ("sliding_window", Kind::SlidingWindow),
    ("sliding_counter", Kind::SlidingCounter),
    ("fixed_window", Kind::FixedWindow),
    ("calendar", Kind::Calendar),
    ("token_bucket", Kind::TokenBucket),
    ("concurrency", Kind::Concurrency),
    ("stock", Kind::Stock),
];

const PERIODS: [(&str, Period); 3] = [("day", Period::Day), ("week", Period::Week), ("month", Period::Month)];

/// What the limits of one policy depend on beside themselves.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub policy: &'a str,
    pub table: Geometry,
    pub count: Count,
    /// Whether responses say how many units of a stock there are.
    pub reported: bool,
    pub grades: TierNames<'a>,
}

/// A limit with the quotas of all tiers.
pub(super) struct LimitByTier {
    pub name: String,
    /// With the default tier's quota.
    pub limit: Limit,
    /// One for each tier; none if all have the same.
    quotas: Vec<NonZeroU32>,
    /// Whether a bucket's burst is its quota.
    burst_is_quota: bool,
    log: LogRoom,
}

/// What decides, beside quota and window, how long a log's slots are.
#[derive(Clone, Copy)]
struct LogRoom {
    count: Count,
    bytes: usize,
}

impl LogRoom {
    /// If rejected requests count, too, there is no telling how many entries a log may have to hold.
    fn slots(self, quota: NonZeroU32, window: Micros) -> Slots {
        let units = match self.count {
            Count::Accepted | Count::Never => quota,
            Count::All => NonZeroU32::MAX,
        };
        Slots::that_fit(units, window, self.bytes)
    }
}

impl LimitByTier {
    /// With a tier's quota.
    pub fn of_tier(&self, tier: usize) -> Limit {
        self.quotas.get(tier).map_or(self.limit, |quota| self.with(*quota))
    }

    /// With another quota, and slots of its own: beside a plan of thousands one of hundreds stays exact (PA-7).
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
pub(super) fn read(list: &Reader<'_>, context: Context<'_>) -> Option<Vec<LimitByTier>> {
    let entries = list.list_of_some(LIMITS)?;
    let limits: Vec<_> = entries.iter().map(|entry| limit(entry, context)).collect();
    for (i, (entry, limit)) in entries.iter().zip(&limits).enumerate() {
        let twin = |other: &LimitByTier| limit.as_ref().is_some_and(|limit| limit.name == other.name);
        if limits.iter().take(i).flatten().any(twin) {
            entry.error_found::<()>(
                "a second limit of the same name",
                "a name of its own for each limit of a policy",
            );
        }
    }
    all(limits)
}

#[inline(never)]
fn limit(entry: &Reader<'_>, context: Context<'_>) -> Option<LimitByTier> {
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
    let quotas = fields.required("quota", QUOTA).and_then(|quota| quotas(quota, context.grades));
    let default = quotas.as_ref().map(|(default, _)| *default);
    let (bytes, reported) = (context.table.room_for_one_state(), context.reported);
    let log = LogRoom { count: context.count, bytes };
    let kind = fields.read_or("algorithm", default_kind(&fields), |word| word.word(&KINDS));
    let counted = kind.and_then(|kind| counted(&fields, kind, default, log));
    let (name, (quota, quotas), (window, mut algorithm)) = (name?, quotas?, counted?);
    if let Algorithm::Stock { reported: keeps_apart } = &mut algorithm {
        *keeps_apart = reported;
    }
    let limit = Limit { id: LimitId::new(context.policy, &name), quota, window, algorithm };
    Some(LimitByTier { name, limit, quotas, burst_is_quota: fields.optional("burst").is_none(), log })
}

/// The default quota, and that of each tier.
fn quotas(reader: &Reader<'_>, grades: TierNames<'_>) -> Option<(NonZeroU32, Vec<NonZeroU32>)> {
    if !reader.is_object() {
        return Some((whole_quota(reader)?, Vec::new()));
    }
    let tiers = match grades {
        TierNames::Tiers(tiers) => tiers,
        TierNames::None => return reader.error_found("a quota for each tier without tiers", QUOTA),
        TierNames::Invalid => return None,
    };
    let names: Vec<&str> = tiers.names.iter().map(String::as_str).collect();
    let fields = reader.object(&names)?;
    let quotas = names.iter().map(|name| fields.required(name, QUOTA).and_then(whole_quota));
    let quotas = all(quotas.collect::<Vec<_>>())?;
    Some((*quotas.get(tiers.default)?, quotas))
}

/// Without an algorithm the window tells: a day, week or month is the calendar's.
fn default_kind(fields: &Fields<'_>) -> Kind {
    let named = |window: &&Reader<'_>| PERIODS.iter().any(|(word, _)| window.is_word(word));
    if fields.optional("window").is_some_and(|window| named(&window)) {
        Kind::Calendar
    } else {
        Kind::SlidingWindow
    }
}

/// The window and the algorithm with what it needs.
#[inline(never)]
fn counted(
    fields: &Fields<'_>,
    kind: Kind,
    quota: Option<NonZeroU32>,
    log: LogRoom,
) -> Option<(Micros, Algorithm)> {
    let in_place = reject_fields_of_others(fields, kind);
    let window = match kind {
        Kind::Calendar => None,
        Kind::Concurrency => Some(fields.read_or("retry_after", SECOND, duration::read)?),
        Kind::Stock => Some(fields.read_or("retry_after", 60 * SECOND, duration::read)?),
        Kind::SlidingWindow | Kind::SlidingCounter | Kind::FixedWindow | Kind::TokenBucket => {
            Some(fields.required("window", WINDOW).and_then(duration::read)?)
        }
    };
    let algorithm = match kind {
        Kind::SlidingWindow => Algorithm::SlidingWindow(log.slots(quota?, window?)),
        Kind::SlidingCounter => Algorithm::SlidingCounter,
        Kind::FixedWindow => Algorithm::FixedWindow,
        Kind::Calendar => Algorithm::Calendar(calendar(fields)?),
        Kind::TokenBucket => Algorithm::TokenBucket { burst: burst(fields, quota)? },
        Kind::Concurrency => Algorithm::Concurrency,
        Kind::Stock => Algorithm::Stock { reported: false },
    };
    in_place?;
    let window = match algorithm {
        Algorithm::Calendar(calendar) => calendar.longest(),
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
        Zone::named(text).map_or_else(|nearest| name.error_near(ZONE, &nearest), Some)
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

/// A field that the algorithm does not know would be silently without effect.
fn reject_fields_of_others(fields: &Fields<'_>, kind: Kind) -> Option<()> {
    let of: [(&str, &[Kind], &str); 4] = [
        ("time_zone", &[Kind::Calendar], "only with algorithm calendar"),
        ("burst", &[Kind::TokenBucket], "only with algorithm token_bucket"),
        ("retry_after", &[Kind::Concurrency, Kind::Stock], "only with algorithm concurrency or stock"),
        (
            "window",
            &[
                Kind::SlidingWindow,
                Kind::SlidingCounter,
                Kind::FixedWindow,
                Kind::Calendar,
                Kind::TokenBucket,
            ],
            "no window with algorithm concurrency or stock",
        ),
    ];
    let mut sound = Some(());
    for (name, kinds, allowed) in of {
        if let Some(field) = fields.optional(name).filter(|_| !kinds.contains(&kind)) {
            sound = field.error(allowed);
        }
    }
    sound
}
