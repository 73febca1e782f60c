//! A value that an earlier filter vouches for.

use super::{Proof, ProofContext, ProofKind, ValueFacts};
use crate::config::{Composite, Field, Fields};
use crate::http::MetadataPath;
use crate::rules::key::texts::{self, metadata_path};

/// A value is valid if an earlier filter has set this metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(pub MetadataPath);

/// The metadata that decides.
const METADATA: Field<Composite> = Field::optional(
    "metadata",
    texts::METADATA,
    "the upstream decides",
    "valid if this metadata of an earlier filter is `true`, a non-empty text, any number, or a list or an object that is \
     not empty: the filter's name, then one or more names down to the value",
);

impl Proof for Metadata {
    const KIND: ProofKind = ProofKind { checks: true, proves: true, ..ProofKind::NONE };

    const FIELDS: &'static [Field] = &[METADATA.erased()];

    fn parse(fields: &Fields<'_>, _context: ProofContext<'_>) -> Option<Self> {
        fields.needed(&METADATA).and_then(|path| metadata_path(path, false)).map(Metadata)
    }

    fn holds(&self, value: &impl ValueFacts) -> bool {
        value.affirms(&self.0)
    }

    fn describe(&self) -> String {
        format!("if there is metadata {}", self.0)
    }
}
