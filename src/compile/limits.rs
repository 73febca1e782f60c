//! Compiles the limits of a policy: which fields each algorithm has, and what they mean.

use super::key_numbers::quota_from;
use super::tiers::DeclaredTiers;
use crate::config::{Fields, Reader, all};
use crate::language::{forms, limit, policy};
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Field, Limit, LimitId, Parameters};
use crate::rules::{KnownKeys, Quota, QuotaFrom};
use crate::table::{Count, TableSize};
use crate::time::{Micros, Period, Zone};
use std::num::NonZeroU32;

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
    pub known: KnownKeys<'a>,
}

/// A limit, and its quota in each tier.
pub(super) struct TieredLimit {
    pub name: String,
    /// With the quota of the default tier, or of another one if that is not a number of units.
    pub limit: Limit,
    /// The quota of the default tier.
    quota: Quota,
    /// One for each tier; empty if all have the same.
    quotas: Vec<Quota>,
    /// How its quota follows from the request instead, if it does.
    pub quota_from: Option<QuotaFrom>,
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
    after: Micros,
    count: Count,
    /// The bytes that one state may have.
    room: usize,
}

impl Given {
    /// The most units of a window, if these can be more than the quota.
    fn most(&self) -> Option<NonZeroU32> {
        match self.count {
            Count::Accepted | Count::Rejected | Count::Never => None,
            Count::All => Some(NonZeroU32::MAX),
        }
    }

    /// If rejected requests count too, a window may have any number of entries.
    #[inline(never)]
    fn parameters(&self, quota: NonZeroU32) -> Parameters {
        let units = self.most().unwrap_or(quota);
        Parameters {
            slot_shift: Some(Slots::that_fit(units, self.window, self.room).shift()),
            burst: Some(self.burst.unwrap_or(quota)),
            period: self.period,
            zone: Some(self.zone),
            reported: self.reported,
            after: self.after,
            ..Parameters::default()
        }
    }
}

impl TieredLimit {
    /// The limit for callers with neither a tier nor quotas of their own.
    pub fn by_default(&self) -> (Limit, Quota) {
        self.having(self.quota)
    }

    /// The limit with the quota of a tier.
    pub fn of_tier(&self, tier: usize) -> (Limit, Quota) {
        self.having(self.quotas.get(tier).copied().unwrap_or(self.quota))
    }

    /// The limit with another quota.
    pub fn having(&self, quota: Quota) -> (Limit, Quota) {
        (quota.units().map_or(self.limit, |units| self.with(units)), quota)
    }

    /// The limit with so many units, and with parameters for that quota: a tier of hundreds stays exact beside
    /// one of thousands (PA-7).
    fn with(&self, quota: NonZeroU32) -> Limit {
        let same = self.limit.algorithm;
        Limit { quota, algorithm: same.with(&self.given.parameters(quota)).unwrap_or(same), ..self.limit }
    }
}

/// Reads the list of limits.
pub(super) fn read(list: &Reader<'_>, context: LimitContext<'_>) -> Option<Vec<TieredLimit>> {
    let entries = list.non_empty_list(policy::LIMITS.kind.allowed)?;
    let limits: Vec<_> =
        entries.iter().enumerate().map(|(index, entry)| read_limit(entry, index, context)).collect();
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
fn read_limit(entry: &Reader<'_>, index: usize, context: LimitContext<'_>) -> Option<TieredLimit> {
    let fields = entry.fields(&limit::OBJECT)?;
    let name = fields.get(&limit::NAME);
    let quotas = fields.needed(&limit::QUOTA).and_then(|quota| quotas(quota, context.tiers));
    let algorithm = match fields.present(&limit::ALGORITHM) {
        Some(word) => word.read(limit::ALGORITHM.kind),
        None => default_algorithm(&fields),
    };
    let given = algorithm.and_then(|algorithm| given(&fields, algorithm, context));
    let quota_from = fields.get_optional_with(&limit::QUOTA_FROM, |object| {
        quota_from(object, index, context.known, |from| {
            let Some(given) = &given else { return };
            (from.sets_burst, from.most, from.room) = (given.burst.is_none(), given.most(), given.room);
        })
    });
    let at_once = fields.get(&limit::REFILL);
    let (name, (quota, quotas), quota_from, given) = (name?, quotas?, quota_from?, given?);
    let algorithm = match (algorithm?, at_once?) {
        (algorithm, true) => algorithm.refilled_at_once(),
        (algorithm, false) => algorithm,
    };
    // Records and descriptions need some number, also of a limit that counts for nobody.
    let units =
        [&quota].into_iter().chain(&quotas).find_map(|quota| quota.units()).unwrap_or(NonZeroU32::MIN);
    let algorithm = algorithm.with(&given.parameters(units))?;
    let window = algorithm.max_window().unwrap_or(given.window);
    let limit = Limit { id: LimitId::new(context.policy, &name), quota: units, window, algorithm };
    Some(TieredLimit { name, limit, quota, quotas, quota_from, given })
}

/// The quota of the default tier, and that of each tier.
fn quotas(reader: &Reader<'_>, tiers: DeclaredTiers<'_>) -> Option<(Quota, Vec<Quota>)> {
    if !reader.is_object() {
        return Some((one_quota(reader)?, Vec::new()));
    }
    let tiers = match tiers {
        DeclaredTiers::Valid(tiers) => tiers,
        DeclaredTiers::None => {
            return reader.error_found("a quota for each tier, but no tiers", limit::QUOTA.kind.allowed);
        }
        DeclaredTiers::Invalid => return None,
    };
    let names: Vec<&str> = tiers.names.iter().map(String::as_str).collect();
    let fields = reader.object(&names)?;
    let quotas =
        names.iter().map(|name| fields.required(name, limit::QUOTA.kind.allowed).and_then(one_quota));
    let quotas = all(quotas.collect::<Vec<_>>())?;
    Some((*quotas.get(tiers.default)?, quotas))
}

/// Reads a quota: a number of units, or a word.
pub(super) fn one_quota(reader: &Reader<'_>) -> Option<Quota> {
    if let Some(word) = limit::QUOTAS.0.iter().find(|word| reader.is_word(word.word)) {
        return Some(word.means);
    }
    let units = reader.whole().filter(|units| (0..=forms::QUOTA.range.max).contains(units));
    let Some(units) = units.and_then(|units| u32::try_from(units).ok()) else {
        let words = limit::QUOTAS.0.iter().map(|word| word.word);
        return reader.error_among(&[forms::QUOTA_ALLOWED].into_iter().chain(words).collect::<Vec<_>>());
    };
    Some(NonZeroU32::new(units).map_or(Quota::Nothing, Quota::Units))
}

/// The algorithm if none is named: the first that has such a window. `calendar` if the window is a day, week or
/// month.
fn default_algorithm(fields: &Fields<'_>) -> Option<Algorithm> {
    let window = fields.present(&limit::WINDOW);
    let is_period = window.is_some_and(|window| limit::PERIODS.0.iter().any(|one| window.is_word(one.word)));
    let word = Algorithm::WORDS.0.iter().find(|word| word.means.has_periods() == is_period);
    word.map(|word| word.means)
}

/// What the fields of a limit say about the parameters of its algorithm. A field that does not apply to the
/// algorithm would silently have no effect.
#[inline(never)]
fn given(fields: &Fields<'_>, algorithm: Algorithm, context: LimitContext<'_>) -> Option<Given> {
    if fields.present(&limit::ALGORITHM).is_none() {
        fields.check_effects(limit::ALGORITHM.name, algorithm.word(), &limit::ByAlgorithm, &limit::OBJECT);
    }
    let (mut window, mut period, mut zone, mut burst) = (Some(0), Some(None), Some(Zone::UTC), Some(None));
    if algorithm.has_periods() {
        period =
            fields.required(limit::WINDOW.name, PERIOD).and_then(|word| word.read(limit::PERIODS)).map(Some);
        zone = fields.get_optional_with(&limit::TIME_ZONE, time_zone).map(|zone| zone.unwrap_or(Zone::UTC));
    } else if algorithm.has_window() {
        window = fields.needed(&limit::WINDOW).and_then(|window| window.read(&forms::DURATION));
    }
    if let Some(wait) = algorithm.announced_wait() {
        window = fields.get_optional(&limit::RETRY_AFTER).map(|given| given.unwrap_or(wait));
    }
    if algorithm.has_field(Field::Burst) {
        burst = fields.get_optional(&limit::BURST);
    }
    let mut after = Some(0);
    if algorithm.has_field(Field::After) {
        after = fields.get_optional(&limit::AFTER).map(Option::unwrap_or_default);
    }
    Some(Given {
        window: window?,
        burst: burst?,
        period: period?,
        zone: zone?,
        reported: context.reported,
        after: after?,
        count: context.count,
        room: context.table.max_state_bytes(),
    })
}

const PERIOD: &str = "day, week or month";

/// Reads the name of a time zone.
pub(super) fn time_zone(name: &Reader<'_>) -> Option<Zone> {
    let allowed = limit::TIME_ZONE.kind.allowed;
    let text = name.text(allowed)?;
    Zone::named(text).map_or_else(|nearest| name.error_similar(allowed, &nearest), Some)
}
