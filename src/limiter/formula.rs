//! What makes an algorithm: its parameters, and the states that it reads.

use super::algorithm::{Parameters, Properties};
use super::state::State;
use super::{Algorithm, Limit};
use crate::time::{Micros, Now};
use std::num::NonZeroU32;

/// Identifies a worker's VM. Drawn at random when the VM starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerId(pub u32);

/// Who opens a state, and when.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// When.
    pub now: Now,
    /// The worker that opens it.
    pub worker: WorkerId,
    /// For how long no worker ran until just now, and could renew its units in flight. Mostly 0.
    pub stall: Micros,
}

/// An algorithm, as its parameters.
pub trait Formula: Properties {
    /// One limit's state, opened.
    type State<'a>: State;

    /// The tag of its states in records. It is never reused.
    const KIND: u8;

    /// What it promises, in Markdown, for the reference page.
    const ABOUT: &'static str;

    /// Parameters that stand for any, where only the algorithm matters.
    const PLAIN: Self;

    /// What a limit allows, in words. `window` is the length of its window.
    fn in_words(self, quota: u32, window: &str) -> String;

    /// The maximum number of bytes that a state has. `None`: that depends on the number of workers.
    fn max_state_bytes(self, limit: &Limit) -> Option<u64>;

    /// The units that a state's bytes show as used at `now`, in 255ths of the quota, rounded up. By default
    /// that is what was used when it was written.
    fn share_of(_state: &[u8], _now: Micros) -> Option<u8> {
        None
    }

    /// See [`super::coarser`]. By default a state can't be any shorter.
    fn coarser(_state: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// A state's bytes as text. `None`: they are damaged.
    fn to_text(state: &[u8]) -> Option<String>;

    /// The bytes of a state that was written as text. `None`: nobody has written this text.
    fn from_text(text: &str) -> Option<Vec<u8>>;

    /// The algorithm with these parameters. `None`: one that it needs is missing.
    fn with(self, _given: &Parameters) -> Option<Self> {
        Some(self)
    }

    /// The part of its parameters that one of several workers may use, where `part` is that of units.
    #[must_use]
    fn share(self, _part: impl Fn(NonZeroU32) -> NonZeroU32) -> Self {
        self
    }

    /// The state of an unused limit.
    fn unused(self, limit: &Limit, opening: Opening) -> Self::State<'static>;

    /// Parses a state's bytes, which are not empty. `None`: they are damaged.
    fn open<'a>(self, limit: &Limit, state: &'a [u8], opening: Opening) -> Option<Self::State<'a>>;
}

impl Algorithm {
    /// The algorithm whose states have this tag. `None`: this version does not know it.
    pub fn of_kind(kind: u8) -> Option<Algorithm> {
        of_kind!(kind, Parameters => Some(Parameters::PLAIN.into()))
    }

    /// The algorithm with these parameters. `None`: one that it needs is missing.
    #[must_use]
    #[inline(never)]
    pub fn with(self, given: &Parameters) -> Option<Algorithm> {
        each!(Algorithm, self, parameters => parameters.with(given).map(Algorithm::from))
    }

    /// See [`Formula::in_words`].
    pub fn in_words(self, quota: u32, window: &str) -> String {
        each!(Algorithm, self, parameters => parameters.in_words(quota, window))
    }

    /// See [`Formula::max_state_bytes`].
    pub fn max_state_bytes(self, limit: &Limit) -> Option<u64> {
        each!(Algorithm, self, parameters => parameters.max_state_bytes(limit))
    }

    /// The algorithm with the part of its parameters that one of several workers may use.
    fn share(self, part: impl Fn(NonZeroU32) -> NonZeroU32) -> Algorithm {
        each!(Algorithm, self, parameters => parameters.share(part).into())
    }
}

impl Limit {
    /// The part of a limit that one of several workers may admit by itself.
    #[must_use]
    pub fn share(&self, workers: u32) -> Limit {
        let part =
            |units: NonZeroU32| NonZeroU32::new(units.get() / workers.max(1)).unwrap_or(NonZeroU32::MIN);
        Limit { quota: part(self.quota), algorithm: self.algorithm.share(part), ..*self }
    }
}
