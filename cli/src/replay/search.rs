//! The smallest quota that rejects at most a share of the requests: the log is replayed with several quotas at
//! once, until two that are neighbours differ.

use super::condition::Share;

/// How many quotas are tried in one pass over the log.
pub const AT_ONCE: usize = 8;

/// What a quota does: how many requests its limit rejects, of how many that it judges.
pub type Effect = (u64, u64);

/// The smallest quota that rejects at most `share`. `declared` is the quota of the policy, with what it does.
/// `None`: none up to the largest does.
///
/// # Errors
/// Those of `replay`.
pub fn smallest<E>(
    share: Share,
    declared: (u32, Effect),
    mut replay: impl FnMut(&[u32]) -> Result<Vec<Effect>, E>,
) -> Result<Option<u32>, E> {
    let is_enough = |(rejected, judged): Effect| !share.is_passed_by(rejected, judged);
    // The largest that is known to reject more, and the smallest that is known not to.
    let (mut low, mut high) = match is_enough(declared.1) {
        true => (0, Some(declared.0)),
        false => (declared.0, None),
    };
    while high.is_none_or(|high| high - low > 1) {
        let tried = between(low, high);
        if tried.is_empty() {
            break;
        }
        let effects = replay(&tried)?;
        match effects.iter().position(|effect| is_enough(*effect)) {
            Some(place) => {
                high = tried.get(place).copied();
                low = place.checked_sub(1).and_then(|before| tried.get(before)).copied().unwrap_or(low);
            }
            None => low = tried.last().copied().unwrap_or(low),
        }
    }
    Ok(high)
}

/// Quotas to try next, in order: by doubling while the largest is not known, by equal ratios while that is far
/// off, else by equal steps.
fn between(low: u32, high: Option<u32>) -> Vec<u32> {
    let steps = u64::try_from(AT_ONCE).unwrap_or(1) + 1;
    let mut tried: Vec<u32> = match high {
        None => (1..steps).map(|power| low.max(1).saturating_mul(1 << power)).collect(),
        Some(high) if u64::from(high - low) <= steps => (low + 1..high).collect(),
        Some(high) if high / low.max(1) >= 4 => {
            let ratio = root(u64::from(high / low.max(1)), steps);
            let points = (1..steps).scan(u64::from(low.max(1)) * 1_000, |point, _| {
                *point = point.saturating_mul(ratio) / 1_000;
                u32::try_from(*point / 1_000).ok()
            });
            points.collect()
        }
        Some(high) => {
            let width = u64::from(high - low);
            (1..steps).filter_map(|step| u32::try_from(u64::from(low) + width * step / steps).ok()).collect()
        }
    };
    tried.retain(|quota| *quota > low && high.is_none_or(|high| *quota < high));
    tried.dedup();
    // Ratios of small numbers may round to nothing in between.
    if tried.is_empty() && high.is_some_and(|high| high - low > 1) {
        tried.push(low + 1);
    }
    tried
}

/// The ratio, in thousandths, whose power is at least `whole`.
fn root(whole: u64, power: u64) -> u64 {
    let reaches = |ratio: u64| {
        let reached = (0..power).fold(1_000_u64, |reached, _| reached.saturating_mul(ratio) / 1_000);
        reached / 1_000 >= whole
    };
    (1_001..=1_000_000).find(|ratio| reaches(*ratio)).unwrap_or(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_smallest_quota_is_found_in_a_few_passes(needed in 1_u32..=u32::MAX, declared in 1_u32..=u32::MAX) {
            let effect = |quota: u32| (u64::from(quota < needed), 10);
            let mut passes = 0;
            let found = smallest(Share(0), (declared, effect(declared)), |quotas| {
                passes += 1;
                assert!(quotas.len() <= AT_ONCE && quotas.is_sorted(), "{quotas:?}");
                Ok::<_, ()>(quotas.iter().map(|quota| effect(*quota)).collect())
            });
            prop_assert_eq!(found, Ok(Some(needed)));
            prop_assert!(passes <= 16, "{} passes", passes);
        }
    }

    #[test]
    fn a_share_that_no_quota_keeps_has_none() {
        assert_eq!(
            smallest(Share(0), (5, (1, 1)), |quotas| Ok::<_, ()>(vec![(1, 1); quotas.len()])),
            Ok(None)
        );
    }
}
