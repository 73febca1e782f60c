//! Many verdicts, one decision: a plain value that the glue applies.

use crate::identity::Identity;
use crate::limiter::Verdict;
use crate::table::{Charged, Outcome};
use crate::time::{Micros, Now};
use std::cmp::Reverse;

/// What was decided about one request.
#[derive(Clone, Debug)]
pub struct Decision {
    answers: Vec<PolicyDecision>,
    /// The one that rejects for longest, by index; the first of several. `None`: none does.
    violated: Option<usize>,
    consumer: Option<usize>,
    tier: Option<usize>,
    /// When.
    pub now: Now,
    answered: bool,
    /// What most decisions have nothing of, so that they are short.
    rest: Option<Box<Rest>>,
}

/// What some decisions have beside their answers.
#[derive(Clone, Debug, Default)]
struct Rest {
    /// Answers of policies in shadow: noted, and without consequence.
    shadows: Vec<PolicyDecision>,
    /// Policies that the request may give a unit back to.
    returns: Vec<Applied>,
    credential_check: CredentialCheck,
}

/// One policy's part in a decision.
#[derive(Clone, Debug)]
pub struct PolicyDecision {
    /// The policy's index in its set.
    pub policy: usize,
    /// Who was counted.
    pub identity: Identity,
    /// The number of the caller's limit set.
    pub limit_set: usize,
    /// What the request costs, in units.
    pub cost: u32,
    /// What its limits said, and whether they counted it.
    pub outcome: Outcome,
}

/// How a policy takes part in one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Its limits judge the request, which costs so many units.
    Judges(u32),
    /// The request gives a unit back, if its response says so.
    Returns(usize),
}

/// A policy that takes part in one request, and whom it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// The policy's index in its set.
    pub policy: usize,
    /// How it takes part.
    pub role: Role,
    /// Who is counted.
    pub identity: Identity,
    /// The number of the caller's limit set.
    pub limit_set: usize,
    /// Whether a rejection is only noted.
    pub shadow: bool,
}

/// A credential that an answer may reject.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its key, by index.
    pub key: usize,
    /// Its record.
    pub identity: Identity,
    /// Whether an answer has proved it of late.
    pub proved: bool,
}

/// What an answer can say about a request's credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialCheck {
    /// Credentials that the answer may reject.
    pub credentials: Vec<Credential>,
    /// The policies that would have judged the request without those keys, and what it costs there: they count it if the
    /// keys are rejected.
    pub as_anonymous: Vec<(Applied, u32)>,
    /// Their answers, apart, until an answer has proved the keys.
    pub held: Vec<PolicyDecision>,
    /// Who judges a caller without those keys: by policy, and whom it counts.
    pub anonymous: Vec<(usize, Identity)>,
}

impl CredentialCheck {
    /// Takes the answers of the policies that hold units, the last `held`. If one of them rejects the request, it is answered as
    /// that of a caller without the keys.
    pub fn with_answers(mut self, held: usize, answers: &mut Vec<PolicyDecision>) -> CredentialCheck {
        self.held = answers.split_off(answers.len().saturating_sub(held));
        if self.held.iter().any(PolicyDecision::rejected) {
            let said = |one: &PolicyDecision| self.anonymous.contains(&(one.policy, one.identity));
            let (mut said, unsaid): (Vec<PolicyDecision>, Vec<PolicyDecision>) =
                answers.drain(..).partition(said);
            said.append(&mut self.held);
            *answers = said;
            // What these have counted has to be settled all the same.
            self.held = unsaid;
        }
        self
    }
}

impl PolicyDecision {
    /// Whether this policy rejected.
    pub fn rejected(&self) -> bool {
        !self.outcome.admitted()
    }

    /// What was counted when it was decided, at that instant.
    pub fn charged(&self, at: Now) -> Charged {
        Charged { cost: self.cost, at: self.outcome.charged.then_some(at) }
    }
}

impl Decision {
    /// The decision that follows from the answers of all policies that are enforced; with none, to pass.
    #[inline]
    pub fn new(answers: Vec<PolicyDecision>, now: Now) -> Decision {
        let rejected = answers.iter().any(PolicyDecision::rejected);
        Decision {
            violated: if rejected { longest_rejection(&answers) } else { None },
            answers,
            consumer: None,
            tier: None,
            now,
            answered: false,
            rest: None,
        }
    }

    /// The decision about a request that no policy applies to.
    pub fn to_pass(now: Now) -> Decision {
        Decision::new(Vec::new(), now)
    }

    pub fn add_shadows(&mut self, shadows: Vec<PolicyDecision>) {
        if !shadows.is_empty() {
            self.rest.get_or_insert_default().shadows = shadows;
        }
    }

    pub fn add_returns(&mut self, returns: Vec<Applied>) {
        if !returns.is_empty() {
            self.rest.get_or_insert_default().returns = returns;
        }
    }

    pub fn set_caller(&mut self, (consumer, tier): (Option<usize>, Option<usize>)) {
        (self.consumer, self.tier) = (consumer, tier);
    }

    pub fn set_credential_check(&mut self, check: CredentialCheck) {
        self.rest.get_or_insert_default().credential_check = check;
    }

    /// The answers of policies that the request comes under only if its credentials are rejected.
    pub fn held(&self) -> &[PolicyDecision] {
        self.rest.as_deref().map_or(&[], |rest| &rest.credential_check.held)
    }

    /// The answers of enforced policies, in the order of the policies.
    pub fn answers(&self) -> &[PolicyDecision] {
        &self.answers
    }

    /// The answers of policies in shadow, in the order of the policies.
    pub fn shadows(&self) -> &[PolicyDecision] {
        self.rest.as_deref().map_or(&[], |rest| &rest.shadows)
    }

    /// The answers of enforced policies, then of those in shadow.
    pub fn all_answers(&self) -> impl Iterator<Item = &PolicyDecision> {
        self.answers.iter().chain(self.shadows())
    }

    pub fn all_answers_mut(&mut self) -> impl Iterator<Item = &mut PolicyDecision> {
        self.answers.iter_mut().chain(self.rest.iter_mut().flat_map(|rest| &mut rest.shadows))
    }

    /// The policies that the request may give a unit back to.
    pub fn returns(&self) -> &[Applied] {
        self.rest.as_deref().map_or(&[], |rest| &rest.returns)
    }

    /// What the response can say about the request's credentials, if it can say anything.
    pub fn credential_check(&self) -> Option<&CredentialCheck> {
        self.rest.as_deref().map(|rest| &rest.credential_check).filter(|trial| !trial.credentials.is_empty())
    }

    /// The consumer, by index, if a policy has asked for it and it is known.
    pub fn consumer(&self) -> Option<usize> {
        self.consumer
    }

    /// The tier, by index, if a policy has asked for it.
    pub fn tier(&self) -> Option<usize> {
        self.tier
    }

    /// Whether the request is rejected.
    pub fn rejected(&self) -> bool {
        self.violated.is_some()
    }

    /// Notes that the upstream has answered.
    pub fn mark_answered(&mut self) {
        self.answered = true;
    }

    /// Whether the upstream has answered.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether a good answer would prove a caller whose record a full page may drop, though it has used much.
    pub fn awaits_proof(&self) -> bool {
        self.answers.iter().any(|answer| answer.outcome.unproven)
    }

    /// The answer of the policy that rejects for longest, if any does; the first of several.
    pub fn violated(&self) -> Option<&PolicyDecision> {
        self.answers.get(self.violated?)
    }

    /// The longest wait that any limit asks for (BI-12): with less, the next request is rejected too.
    pub fn retry_after(&self) -> Micros {
        let verdicts = self.answers.iter().flat_map(|answer| &answer.outcome.verdicts);
        verdicts.map(|verdict| verdict.retry_after).max().unwrap_or_default()
    }

    /// The verdict of one limit, if its policy applies.
    pub fn verdict(&self, policy: usize, limit: usize) -> Option<&Verdict> {
        self.answers.iter().find(|answer| answer.policy == policy)?.outcome.verdicts.get(limit)
    }
}

/// The answer that rejects for longest, by index.
#[inline(never)]
fn longest_rejection(answers: &[PolicyDecision]) -> Option<usize> {
    let wait =
        |answer: &PolicyDecision| answer.outcome.verdicts.iter().map(|verdict| verdict.retry_after).max();
    let rejections = answers.iter().enumerate().filter(|(_, answer)| answer.rejected());
    rejections.min_by_key(|(_, answer)| Reverse(wait(answer))).map(|(index, _)| index)
}
