//! A quota that a request states.

use super::key::KeyNumber;
use super::{LimitSet, Quota};
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Limit, Parameters};
use std::num::NonZeroU32;

/// How the quota of one limit follows from the value of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaFrom {
    /// The limit, as an index into the policy's limits.
    pub limit: usize,
    /// The key, as an index into `Callers::keys`.
    pub key: usize,
    /// The smallest quota, in units.
    pub min: NonZeroU32,
    /// The largest quota, in units.
    pub max: NonZeroU32,
    /// Whether a bucket's capacity is the quota.
    pub sets_burst: bool,
    /// The most units of a window if these can be more than the quota, since rejected requests count too.
    pub most: Option<NonZeroU32>,
    /// The bytes that one state of the limit may have.
    pub room: usize,
}

impl QuotaFrom {
    /// The limits of a caller, with the quotas that `number` says the values of the keys are. `declared` are all
    /// limits of the policy, a penalty last, and `set` those of such a caller otherwise. `None`: it is `set`.
    pub fn apply(
        all: &[QuotaFrom],
        declared: &[Limit],
        set: &LimitSet,
        number: impl Fn(usize) -> KeyNumber,
    ) -> Option<LimitSet> {
        let mut limits: Vec<(Limit, Quota)> = Vec::with_capacity(declared.len());
        let judging = declared.iter().filter(|limit| !limit.is_penalty()).enumerate();
        limits.extend(judging.map(|(index, limit)| {
            let quota = set.quota(index).unwrap_or(Quota::Unlimited);
            (set.limit(index).copied().unwrap_or(*limit), quota)
        }));
        let mut any = false;
        for from in all {
            if let (Some(stated), Some(own)) = (from.quota(number(from.key)), limits.get_mut(from.limit)) {
                *own = (from.limit_with(&own.0, stated), Quota::Units(stated));
                any = true;
            }
        }
        let penalty = declared.iter().find(|limit| limit.is_penalty());
        any.then(|| LimitSet::new(&limits, penalty.copied()))
    }

    /// The limit with the smallest quota. `declared` are all limits of the policy.
    pub fn smallest(&self, declared: &[Limit]) -> Option<Limit> {
        Some(self.limit_with(declared.get(self.limit)?, self.min))
    }

    /// The quota that a value states. `None`: it states none.
    fn quota(&self, value: KeyNumber) -> Option<NonZeroU32> {
        let KeyNumber::Number(number) = value else { return None };
        let units = u32::try_from(number).unwrap_or(u32::MAX);
        Some(NonZeroU32::new(units).map_or(self.min, |units| units.clamp(self.min, self.max.max(self.min))))
    }

    /// The limit with this quota, and with parameters for it, as if it were that of a tier.
    fn limit_with(&self, limit: &Limit, quota: NonZeroU32) -> Limit {
        let same = limit.algorithm.parameters();
        let slots = Slots::that_fit(self.most.unwrap_or(quota), limit.window, self.room);
        let burst = if self.sets_burst { Some(quota) } else { same.burst };
        let parameters = Parameters { slot_shift: Some(slots.shift()), burst, ..same };
        Limit { quota, algorithm: limit.algorithm.with(&parameters).unwrap_or(limit.algorithm), ..*limit }
    }
}
