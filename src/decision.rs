//! Many verdicts, one decision: a plain value that the glue applies.

use crate::key::Identity;
use crate::limiter::Verdict;
use crate::table::Outcome;
use crate::time::{Micros, Now};
use std::cmp::Reverse;

/// What was decided about one request.
#[derive(Clone, Debug)]
pub struct Decision {
    answers: Vec<Answer>,
    /// Policies that this request may give a unit back to, and whose.
    returns: Vec<(usize, usize, Identity)>,
    /// When.
    pub now: Now,
    answered: bool,
}

/// One policy's part in a decision.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The policy's index in its set.
    pub policy: usize,
    /// Who was counted.
    pub identity: Identity,
    /// What its limits said, and whether they counted it.
    pub outcome: Outcome,
}

impl Answer {
    /// Whether this policy refused.
    pub fn refused(&self) -> bool {
        !self.outcome.admitted()
    }
}

impl Decision {
    /// The decision that follows from the answers of all policies that apply; with none, to pass.
    pub fn new(answers: Vec<Answer>, returns: Vec<(usize, usize, Identity)>, now: Now) -> Decision {
        Decision { answers, returns, now, answered: false }
    }

    /// The answers, in the order of the policies.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The policies that the request may give a unit back to.
    pub fn returns(&self) -> &[(usize, usize, Identity)] {
        &self.returns
    }

    /// Whether the request is refused.
    pub fn refused(&self) -> bool {
        self.answers.iter().any(Answer::refused)
    }

    /// Notes that the response has been seen. Answers whether it had been before.
    pub fn answer_seen(&mut self) -> bool {
        std::mem::replace(&mut self.answered, true)
    }

    /// The answer of the policy that refuses for longest, if any does; the first of several.
    pub fn violated(&self) -> Option<&Answer> {
        let wait = |answer: &&Answer| answer.outcome.verdicts.iter().map(|verdict| verdict.retry_after).max();
        self.answers.iter().filter(|answer| answer.refused()).min_by_key(|answer| Reverse(wait(answer)))
    }

    /// The longest wait that any limit asks for (BI-12): with less, the next request is refused too.
    pub fn retry_after(&self) -> Micros {
        let verdicts = self.answers.iter().flat_map(|answer| &answer.outcome.verdicts);
        verdicts.map(|verdict| verdict.retry_after).max().unwrap_or_default()
    }

    /// The verdict of one limit, if its policy applies.
    pub fn verdict(&self, policy: usize, limit: usize) -> Option<&Verdict> {
        self.answers.iter().find(|answer| answer.policy == policy)?.outcome.verdicts.get(limit)
    }
}
