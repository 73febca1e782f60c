//! A value that an earlier filter vouches for.

use super::{Proof, ProofContext, ProofKind, ValueFacts};
use crate::config::{Fields, Reader};
use crate::http::MetadataPath;
use crate::rules::key::texts::metadata_path;

/// A value is valid if an earlier filter has set this metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(pub MetadataPath);

impl Proof for Metadata {
    const KIND: ProofKind =
        ProofKind { fields: &["metadata"], checks: true, proves: true, ..ProofKind::NONE };

    fn parse(field: &Reader<'_>, _fields: &Fields<'_>, _context: ProofContext<'_>) -> Option<Self> {
        metadata_path(field).map(Metadata)
    }

    fn holds(&self, value: &impl ValueFacts) -> bool {
        value.affirms(&self.0)
    }

    fn describe(&self) -> String {
        format!("if there is metadata {}", self.0)
    }
}
