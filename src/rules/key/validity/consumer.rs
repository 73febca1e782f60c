//! A value that the list of consumers vouches for.

use super::{Proof, ProofKind, ValueFacts};
use crate::config::Word;

/// A value is valid if a consumer owns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer;

impl Proof for Consumer {
    const KIND: ProofKind = ProofKind { checks: true, proves: true, of_consumers: true };

    const WORDS: &'static [Word<()>] =
        &[Word::new("consumer", (), "if it is listed under this key for a consumer")];
    const OF_WORD: Option<Self> = Some(Consumer);

    fn holds(&self, value: &impl ValueFacts) -> bool {
        value.has_owner()
    }

    fn describe(&self) -> String {
        "if it identifies a consumer".into()
    }
}
