//! The answers to operators, as JSON.

use crate::limiter::Verdict;
use crate::table::PageId;
use crate::time::{Micros, Now, SECOND, push_instant};
use serde::Serialize;

/// An answer's text.
#[inline(never)]
pub(super) fn to_json(answer: &impl Serialize) -> String {
    // Only maps whose keys are no texts cannot be written.
    serde_json::to_string(answer).unwrap_or_default()
}

/// Why a question has no answer.
#[derive(Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<PageId>,
    pub allowed: &'a str,
}

/// How full the table is. `None`: nobody has counted yet.
#[derive(Serialize)]
pub(super) struct TableAnswer<'a> {
    pub name: Option<&'a str>,
    pub pages: u32,
    pub page_bytes: u16,
    pub capacity_bytes: u64,
    pub records: Option<u64>,
    pub bytes: Option<u64>,
    /// In seconds.
    pub counted_ago: Option<u64>,
}

/// What a caller has used.
#[derive(Serialize)]
pub(super) struct CallerAnswer<'a> {
    /// As it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The pseudonym, as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<&'a str>,
    pub consumer: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub policies: Vec<PolicyAnswer<'a>>,
    pub left_out: Vec<LeftOut<'a>>,
}

/// A policy of which nothing is shown or forgiven.
#[derive(Serialize)]
pub(super) struct LeftOut<'a> {
    pub policy: &'a str,
    pub why: &'static str,
}

/// A policy's counts, in this proxy or in the fleet.
#[derive(Serialize)]
pub(super) struct PolicyAnswer<'a> {
    pub policy: &'a str,
    /// Whether there was anything to forgive. `None`: nothing was to be forgiven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgiven: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// Until when the caller is blocked, `null` if it is not. Absent: only the service knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_until: Option<Option<String>>,
    /// How long a request of one unit is rejected, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_for: Option<u64>,
    pub limits: Vec<LimitAnswer<'a>>,
}

#[derive(Serialize)]
pub(super) struct LimitAnswer<'a> {
    limit: &'a str,
    algorithm: &'static str,
    quota: QuotaAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    /// In seconds. Units come back by themselves only if the limit has a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_unit_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_units_in: Option<u64>,
    /// An instant, `null` if nothing was forgiven. Absent: it does not count for the caller, or only the service knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgiven_since: Option<Option<String>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum QuotaAnswer {
    Units(u64),
    Word(&'static str),
}

impl<'a> PolicyAnswer<'a> {
    /// One that counts in this proxy, and blocks the caller until an instant of the wall clock.
    pub fn in_proxy(policy: &'a str, blocked_until: Option<Micros>) -> PolicyAnswer<'a> {
        let blocked_until = Some(blocked_until.map(instant));
        PolicyAnswer {
            policy,
            forgiven: None,
            scope: None,
            blocked_until,
            rejected_for: None,
            limits: Vec::new(),
        }
    }

    /// One that counts in the fleet.
    pub fn in_fleet(policy: &'a str, verdicts: &[Verdict]) -> PolicyAnswer<'a> {
        let wait = verdicts.iter().map(|verdict| verdict.retry_after).max().unwrap_or_default();
        let (scope, rejected_for) = (Some("fleet"), Some(wait.div_ceil(SECOND)));
        PolicyAnswer { policy, forgiven: None, scope, blocked_until: None, rejected_for, limits: Vec::new() }
    }
}

impl<'a> LimitAnswer<'a> {
    /// A limit that has no quota for the caller, or a quota of 0.
    pub fn uncounted(limit: &'a str, algorithm: &'static str, is_unlimited: bool) -> LimitAnswer<'a> {
        let quota = if is_unlimited { QuotaAnswer::Word("unlimited") } else { QuotaAnswer::Units(0) };
        LimitAnswer {
            limit,
            algorithm,
            quota,
            used: None,
            remaining: None,
            next_unit_in: None,
            all_units_in: None,
            forgiven_since: None,
        }
    }

    /// A limit that counts. `has_window`: units come back by themselves.
    pub fn counted(
        limit: &'a str,
        algorithm: &'static str,
        verdict: &Verdict,
        has_window: bool,
        now: Now,
    ) -> LimitAnswer<'a> {
        let quota = u64::from(verdict.quota);
        let used = quota.saturating_sub(verdict.remaining);
        let seconds = |at: Micros| if used == 0 { 0 } else { at.saturating_sub(now.mono).div_ceil(SECOND) };
        LimitAnswer {
            quota: QuotaAnswer::Units(quota),
            used: Some(used),
            remaining: Some(verdict.remaining),
            next_unit_in: has_window.then(|| seconds(verdict.next_slot)),
            all_units_in: has_window.then(|| seconds(verdict.full_reset)),
            ..LimitAnswer::uncounted(limit, algorithm, false)
        }
    }

    /// Since when it counts anew, on the wall clock; 0 if nothing was forgiven.
    pub fn forgiven_since(self, wall: Micros) -> LimitAnswer<'a> {
        LimitAnswer { forgiven_since: Some(Some(wall).filter(|wall| *wall > 0).map(instant)), ..self }
    }
}

/// An instant of the wall clock.
fn instant(wall: Micros) -> String {
    let mut text = String::new();
    push_instant(&mut text, wall.div_ceil(SECOND));
    text
}
