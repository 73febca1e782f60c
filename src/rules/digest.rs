//! Digests of credentials, so that no dump of the configuration shows one.

use crate::identity::Identity;
use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a credential. It has no salt, because API keys are random, unlike passwords (see
/// DESIGN.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole credential.
    pub fn of(credential: &[u8]) -> Digest {
        Digest(Sha256::digest(credential).into())
    }

    /// The digest's 32 bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first 16 bytes, to look the digest up by.
    pub(super) fn half(&self) -> Identity {
        let number = |at| {
            self.0.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Identity { page: number(0), fingerprint: number(8) }
    }

    /// Parses 64 hexadecimal digits, in any case.
    pub fn parse(text: &str) -> Option<Digest> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(pairs) {
            *byte = crate::http::spelling::hex(*digits)?;
        }
        Some(Digest(bytes))
    }
}
