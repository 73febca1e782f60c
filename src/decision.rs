//! Many verdicts, one decision: a plain value that the glue applies.

use crate::limiter::Verdict;
use crate::table::{Verdicts, admitted};
use crate::time::{Micros, Now};

/// What was decided about one request.
#[derive(Clone, Debug)]
pub struct Decision {
    answers: Vec<Answer>,
    /// When.
    pub now: Now,
}

/// One policy's part in a decision.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The policy's index in its set.
    pub policy: usize,
    /// One verdict for each of its limits.
    pub verdicts: Verdicts,
}

impl Answer {
    /// Whether this policy refused.
    pub fn refused(&self) -> bool {
        !admitted(&self.verdicts)
    }
}

impl Decision {
    /// The decision that follows from the answers of all policies that apply; with none, to pass.
    pub fn new(answers: Vec<Answer>, now: Now) -> Decision {
        Decision { answers, now }
    }

    /// The answers, in the order of the policies.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Whether the request is refused.
    pub fn refused(&self) -> bool {
        self.answers.iter().any(Answer::refused)
    }

    /// The longest wait that any limit asks for (BI-12): with less, the next request is refused too.
    pub fn retry_after(&self) -> Micros {
        let verdicts = self.answers.iter().flat_map(|answer| &answer.verdicts);
        verdicts.map(|verdict| verdict.retry_after).max().unwrap_or_default()
    }

    /// The verdict of one limit, if its policy applies.
    pub fn verdict(&self, policy: usize, limit: usize) -> Option<&Verdict> {
        self.answers.iter().find(|answer| answer.policy == policy)?.verdicts.get(limit)
    }
}
