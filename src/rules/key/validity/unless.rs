//! A value that the upstream's responses prove or reject.

use super::{Proof, ProofContext, ProofKind, ValueFacts};
use crate::config::{Composite, Field, Fields, Form, Literal, Rule, forms, statuses};
use crate::http::StatusSet;
use crate::limiter::{Limit, LimitId};
use crate::time::{Micros, in_words};
use std::num::NonZeroU32;

/// A value is valid until the upstream rejects it; then it is not, for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Unless(pub CredentialRejection);

/// How the upstream rejects a credential, and how long the engine remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialRejection {
    /// The response statuses that reject it.
    pub statuses: StatusSet,
    /// Two limits in the credential's own record: a unit taken of the first is the marker of a rejected
    /// credential, one of the second is the proof of a valid one. Each lasts for the limit's window.
    pub limits: [Limit; 2],
}

/// The statuses by which the upstream rejects it.
const UNLESS: Field<Composite> = Field::optional(
    "unless",
    forms::STATUSES,
    "an earlier filter decides",
    "valid until the upstream answers a request that has the value with one of these statuses",
);

/// How long it is then rejected.
const FOR: Field<&Form<Micros>> =
    Field::default("for", &forms::DURATION, Literal::Text("10m"), "how long the value then counts as absent");

impl Proof for Unless {
    const KIND: ProofKind = ProofKind { checks: true, ..ProofKind::NONE };

    const FIELDS: &'static [Field] = &[UNLESS.erased(), FOR.erased()];

    const RULES: &'static [Rule] = &[Rule::OnlyWith(FOR.name, &[UNLESS.name])];

    fn parse(fields: &Fields<'_>, context: ProofContext<'_>) -> Option<Self> {
        let statuses = fields.needed(&UNLESS).and_then(statuses::read);
        let limits = marker_limits(fields.get(&FOR)?, context);
        Some(Unless(CredentialRejection { statuses: statuses?, limits }))
    }

    fn holds(&self, value: &impl ValueFacts) -> bool {
        !value.was_rejected()
    }

    fn rejection(&self) -> Option<&CredentialRejection> {
        Some(&self.0)
    }

    fn describe(&self) -> String {
        let (statuses, window) = (&self.0.statuses, in_words(self.0.window()));
        format!("unless the response to it was {statuses} in the last {window}")
    }
}

/// The limits whose records mark a credential as rejected and as proven valid. A marker is one of 256 units,
/// so that its record counts as hardly used: made-up credentials must not evict other callers. No policy's
/// name contains a #.
fn marker_limits(window: Micros, ProofContext { key, table }: ProofContext<'_>) -> [Limit; 2] {
    const UNITS: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
    let id = |what| LimitId::new(what, key);
    ["#valid", "#proof"].map(|what| Limit::trailing(id(what), UNITS, window, table.max_state_bytes()))
}

impl CredentialRejection {
    /// The limit whose units are markers.
    pub fn marker(&self) -> &[Limit] {
        let [marker, _] = &self.limits;
        std::slice::from_ref(marker)
    }

    /// The limit whose units are proofs.
    pub fn proof(&self) -> &[Limit] {
        let [_, proof] = &self.limits;
        std::slice::from_ref(proof)
    }

    /// The quota of each of the two limits.
    pub fn units(&self) -> u32 {
        let [marker, _] = &self.limits;
        marker.quota.get()
    }

    /// How long a rejection or a proof is remembered.
    pub fn window(&self) -> Micros {
        let [marker, _] = &self.limits;
        marker.window
    }
}
