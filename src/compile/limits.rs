//! Compiles the limits of a policy: which fields each algorithm has, and what they mean.

use super::duration::{self, DURATION};
use super::name::{NAME, name_of};
use super::tiers::DeclaredTiers;
use crate::config::{Fields, Reader, all};
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Field, Limit, LimitId, Parameters};
use crate::table::{Count, TableSize};
use crate::time::{Micros, Period, Zone};
use std::num::NonZeroU32;

const QUOTA: &str = "a whole number from 1 to 4294967295";
const PERIOD: &str = "day, week or month";
const LIMITS: &str = "a list of at least one limit";

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
    given: Given,
}

/// What decides, besides the quota, which parameters the algorithm of a limit has.
#[derive(Clone, Copy)]
struct Given {
    /// The window.
    window: Micros,
    /// `None`: the quota.
    burst: Option<NonZeroU32>,
    period: Option<Period>,
    zone: Zone,
    reported: bool,
    count: Count,
    /// The bytes that one state may have.
    room: usize,
}

impl Given {
    /// If rejected requests count too, a window may have any number of entries.
    #[inline(never)]
    fn parameters(&self, quota: NonZeroU32) -> Parameters {
        let units = match self.count {
            Count::Accepted | Count::Rejected | Count::Never => quota,
            Count::All => NonZeroU32::MAX,
        };
        Parameters {
            slot_shift: Some(Slots::that_fit(units, self.window, self.room).shift()),
            burst: Some(self.burst.unwrap_or(quota)),
            period: self.period,
            zone: Some(self.zone),
            reported: self.reported,
        }
    }
}

impl TieredLimit {
    /// The limit with the quota of a tier.
    pub fn of_tier(&self, tier: usize) -> Limit {
        self.quotas.get(tier).map_or(self.limit, |quota| self.with(*quota))
    }

    /// The limit with another quota, and with parameters for that quota: a tier of hundreds stays exact beside
    /// one of thousands (PA-7).
    pub fn with(&self, quota: NonZeroU32) -> Limit {
        let same = self.limit.algorithm;
        Limit { quota, algorithm: same.with(&self.given.parameters(quota)).unwrap_or(same), ..self.limit }
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
    let algorithm = match fields.optional("algorithm") {
        Some(word) => word.word(Algorithm::WORDS),
        None => default_algorithm(&fields),
    };
    let given = algorithm.and_then(|algorithm| given(&fields, algorithm, context));
    let (name, (quota, quotas), given) = (name?, quotas?, given?);
    let algorithm = algorithm?.with(&given.parameters(quota))?;
    let window = algorithm.max_window().unwrap_or(given.window);
    let limit = Limit { id: LimitId::new(context.policy, &name), quota, window, algorithm };
    Some(TieredLimit { name, limit, quotas, given })
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

/// The algorithm if none is named: the first that has such a window. `calendar` if the window is a day, week or
/// month.
fn default_algorithm(fields: &Fields<'_>) -> Option<Algorithm> {
    let named = |window: &&Reader<'_>| PERIODS.iter().any(|(word, _)| window.is_word(word));
    let is_period = fields.optional("window").is_some_and(|window| named(&window));
    let fits = |(_, algorithm): &&(_, Algorithm)| algorithm.has_periods() == is_period;
    Algorithm::WORDS.iter().find(fits).map(|(_, algorithm)| *algorithm)
}

/// What the fields of a limit say about the parameters of its algorithm.
#[inline(never)]
fn given(fields: &Fields<'_>, algorithm: Algorithm, context: LimitContext<'_>) -> Option<Given> {
    let in_place = reject_fields_of_others(fields, algorithm);
    let (mut window, mut period) = (Some(0), Some(None));
    match algorithm.announced_wait() {
        Some(wait) => window = fields.read_or("retry_after", wait, duration::read),
        None if algorithm.has_periods() => {
            period = fields.required("window", PERIOD).and_then(|word| word.word(&PERIODS)).map(Some);
        }
        None => window = fields.required("window", DURATION).and_then(duration::read),
    }
    let zone = match algorithm.has_field(Field::TimeZone) {
        true => fields.read_or("time_zone", Zone::UTC, time_zone),
        false => Some(Zone::UTC),
    };
    let burst = match algorithm.has_field(Field::Burst) {
        true => fields.read("burst", whole_quota),
        false => Some(None),
    };
    in_place?;
    Some(Given {
        window: window?,
        burst: burst?,
        period: period?,
        zone: zone?,
        reported: context.reported,
        count: context.count,
        room: context.table.max_state_bytes(),
    })
}

fn time_zone(name: &Reader<'_>) -> Option<Zone> {
    const ZONE: &str = "an IANA time zone such as Europe/Madrid";
    let text = name.text(ZONE)?;
    Zone::named(text).map_or_else(|nearest| name.error_similar(ZONE, &nearest), Some)
}

/// A field that does not apply to the algorithm would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, algorithm: Algorithm) -> Option<()> {
    let own = [
        ("time_zone", Field::TimeZone),
        ("burst", Field::Burst),
        ("retry_after", Field::RetryAfter),
        ("window", Field::Window),
    ];
    let mut valid = Some(());
    for (name, field) in own.into_iter().filter(|(_, field)| !algorithm.has_field(*field)) {
        if let Some(reader) = fields.optional(name) {
            valid = reader.error(&only_with(name, field));
        }
    }
    valid
}

/// With which algorithms a limit has a field, or with which it has not, whichever is shorter.
#[inline(never)]
fn only_with(name: &str, field: Field) -> String {
    let has = |(_, algorithm): &&(&str, Algorithm)| algorithm.has_field(field);
    let number = Algorithm::WORDS.iter().filter(has).count();
    let lists_with = 2 * number <= Algorithm::WORDS.len();
    let mut left = if lists_with { number } else { Algorithm::WORDS.len() - number };
    let mut text = match lists_with {
        true => "only with algorithm ".to_string(),
        false => ["no ", name, " with algorithm "].concat(),
    };
    for (word, _) in Algorithm::WORDS.iter().filter(|one| has(one) == lists_with) {
        left -= 1;
        text.push_str(word);
        text.push_str(match left {
            0 => "",
            1 => " or ",
            2.. => ", ",
        });
    }
    text
}
