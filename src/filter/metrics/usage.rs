//! How near the admitted requests of a policy come to its quotas.

use super::counter::Counter;
use crate::filter::host::Host;
use crate::limiter::Verdict;

/// Admitted requests after which at least this share of one of the policy's quotas is used. A request counts in
/// each share that it reaches.
pub(super) struct Usage {
    from_50: Counter,
    from_75: Counter,
    /// From 90 %: a tenth or less is left.
    near_limit: Counter,
    from_100: Counter,
}

impl Usage {
    pub fn define(host: impl Host, policy: &str) -> Usage {
        let counter = |name: &str| Counter::define(host, &["tollgate.policy.", policy, name].concat());
        Usage {
            from_50: counter(".from_50"),
            from_75: counter(".from_75"),
            near_limit: counter(".near_limit"),
            from_100: counter(".from_100"),
        }
    }

    /// Counts an admitted request. Most leave more than half of each quota.
    #[inline]
    pub fn count(&mut self, verdicts: &[Verdict]) {
        if verdicts.iter().any(|verdict| verdict.leaves_at_most_one_in(2)) {
            self.count_near(verdicts);
        }
    }

    #[inline(never)] // most requests do not come here
    fn count_near(&mut self, verdicts: &[Verdict]) {
        let reaches = |share: fn(&Verdict) -> bool| u64::from(verdicts.iter().any(share));
        self.from_50.pending += 1;
        self.from_75.pending += reaches(|verdict| verdict.leaves_at_most_one_in(4));
        self.near_limit.pending += reaches(Verdict::near_limit);
        self.from_100.pending += reaches(|verdict| verdict.remaining == 0);
    }

    pub fn all(&mut self) -> [&mut Counter; 4] {
        let Usage { from_50, from_75, near_limit, from_100 } = self;
        [from_50, from_75, near_limit, from_100]
    }
}
