//! Compiles the limits of a policy: which fields each algorithm has, and what they mean.

use super::tiers::DeclaredTiers;
use crate::config::{Fields, Reader, all};
use crate::language::{forms, limit, policy};
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Field, Limit, LimitId, Parameters};
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
            ..Parameters::default()
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
    let entries = list.non_empty_list(policy::LIMITS.kind.allowed)?;
    let limits: Vec<_> = entries.iter().map(|entry| read_limit(entry, context)).collect();
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
fn read_limit(entry: &Reader<'_>, context: LimitContext<'_>) -> Option<TieredLimit> {
    let fields = entry.fields(&limit::OBJECT)?;
    let name = fields.get(&limit::NAME);
    let quotas = fields.needed(&limit::QUOTA).and_then(|quota| quotas(quota, context.tiers));
    let algorithm = match fields.present(&limit::ALGORITHM) {
        Some(word) => word.read(limit::ALGORITHM.kind),
        None => default_algorithm(&fields),
    };
    let given = algorithm.and_then(|algorithm| given(&fields, algorithm, context));
    let at_once = fields.get(&limit::REFILL)?;
    let algorithm = algorithm.map(|algorithm| if at_once { algorithm.refilled_at_once() } else { algorithm });
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
        DeclaredTiers::None => {
            return reader.error_found("a quota for each tier, but no tiers", limit::QUOTA.kind.allowed);
        }
        DeclaredTiers::Invalid => return None,
    };
    let names: Vec<&str> = tiers.names.iter().map(String::as_str).collect();
    let fields = reader.object(&names)?;
    let quotas =
        names.iter().map(|name| fields.required(name, limit::QUOTA.kind.allowed).and_then(whole_quota));
    let quotas = all(quotas.collect::<Vec<_>>())?;
    Some((*quotas.get(tiers.default)?, quotas))
}

/// Reads a quota that is a number, in units.
pub(super) fn whole_quota(reader: &Reader<'_>) -> Option<NonZeroU32> {
    reader.read(forms::UNITS).and_then(NonZeroU32::new)
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

const PERIOD: &str = "day, week or month";

fn time_zone(name: &Reader<'_>) -> Option<Zone> {
    let allowed = limit::TIME_ZONE.kind.allowed;
    let text = name.text(allowed)?;
    Zone::named(text).map_or_else(|nearest| name.error_similar(allowed, &nearest), Some)
}
