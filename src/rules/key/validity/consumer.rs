//! A value that the list of consumers vouches for.

use super::{Proof, ProofKind, ValueFacts};

/// A value is valid if a consumer owns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer;

impl Proof for Consumer {
    const KIND: ProofKind = ProofKind {
        word: Some("consumer"),
        checks: true,
        proves: true,
        of_consumers: true,
        ..ProofKind::NONE
    };

    const OF_WORD: Option<Self> = Some(Consumer);

    fn holds(&self, value: &impl ValueFacts) -> bool {
        value.has_owner()
    }

    fn describe(&self) -> String {
        "if it identifies a consumer".into()
    }
}
