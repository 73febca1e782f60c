//! What makes a key's value valid. Each proof is a file of its own: its data, what holds for it, how it is
//! written in a configuration and how a request is checked. Nothing outside this folder matches on the proofs; it
//! asks for the property that it needs.
//!
//! To add one, write its file, declare it below, and name it in the list at the end.

mod consumer;
mod metadata;
mod present;
mod unless;

pub use consumer::Consumer;
pub use metadata::Metadata;
pub use present::Present;
pub use unless::{CredentialRejection, Unless};

use crate::config::{Fields, Reader};
use crate::http::MetadataPath;
use crate::table::TableSize;

/// What holds for all keys with one proof.
#[derive(Debug)]
pub struct ProofKind {
    /// The word that stands for it in `valid`.
    pub word: Option<&'static str>,
    /// The fields of `valid` that it is written in. The first one is required. Empty if there are none.
    pub fields: &'static [&'static str],
    /// Whether anything finds out values that clients have made up.
    pub checks: bool,
    /// Whether a value that a client has made up is never valid.
    pub proves: bool,
    /// Whether the list of consumers decides.
    pub of_consumers: bool,
}

impl ProofKind {
    /// What every value has that is there.
    const NONE: ProofKind =
        ProofKind { word: None, fields: &[], checks: false, proves: false, of_consumers: false };
}

/// What the engine knows about the value that a request presents for a key.
pub trait ValueFacts {
    /// Whether a consumer owns it.
    fn has_owner(&self) -> bool;

    /// Whether an earlier filter has set this metadata, to anything but `false` or something empty.
    fn affirms(&self, path: &MetadataPath) -> bool;

    /// Whether the upstream has recently rejected it.
    fn was_rejected(&self) -> bool;
}

/// What a proof may need besides its own fields.
#[derive(Clone, Copy)]
pub struct ProofContext<'a> {
    /// The name of the key.
    pub key: &'a str,
    /// The size of the table, which bounds the states of limits.
    pub table: TableSize,
}

/// What one proof does. Only [`Validity`] calls these functions, and documents them.
trait Proof: Sized {
    const KIND: ProofKind;

    /// What its word stands for.
    const OF_WORD: Option<Self> = None;

    /// Reads its first field. It is called only if there is one.
    fn parse(_field: &Reader<'_>, _fields: &Fields<'_>, _context: ProofContext<'_>) -> Option<Self> {
        None
    }

    fn holds(&self, value: &impl ValueFacts) -> bool;

    fn rejection(&self) -> Option<&CredentialRejection> {
        None
    }

    fn describe(&self) -> String;
}

/// Makes the type of all proofs, which hands each question on to the proof itself.
macro_rules! proofs {
    ($($(#[$about:meta])* $proof:ident,)+) => {
        /// When a value is valid.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Validity {
            $($(#[$about])* $proof($proof),)+
        }

        $(impl From<$proof> for Validity {
            fn from(proof: $proof) -> Validity {
                Validity::$proof(proof)
            }
        })+

        impl Validity {
            /// What holds for each proof, in the order of the language.
            pub const KINDS: &'static [ProofKind] = &[$($proof::KIND,)+];

            /// What holds for all keys with this proof.
            pub fn kind(&self) -> &'static ProofKind {
                match self { $(Validity::$proof(_) => const { &$proof::KIND },)+ }
            }

            /// The proof that a word stands for.
            fn of_word(word: &Reader<'_>) -> Option<Validity> {
                $(if $proof::KIND.word.is_some_and(|own| word.is_word(own)) {
                    return $proof::OF_WORD.map(Validity::$proof);
                })+
                None
            }

            /// Reads the proofs whose first fields are there: the last of them, and all their kinds.
            fn of_fields(
                fields: &Fields<'_>,
                context: ProofContext<'_>,
            ) -> (Option<Validity>, Vec<&'static ProofKind>) {
                let (mut proof, mut kinds) = (None, Vec::new());
                $(if let Some(field) = $proof::KIND.fields.first().and_then(|name| fields.optional(name)) {
                    proof = $proof::parse(field, fields, context).map(Validity::$proof);
                    kinds.push(const { &$proof::KIND });
                })+
                (proof, kinds)
            }

            /// Whether a value that a request presents is valid.
            pub fn holds(&self, value: &impl ValueFacts) -> bool {
                match self { $(Validity::$proof(proof) => proof.holds(value),)+ }
            }

            /// How the upstream's responses reject a value, if they do.
            pub fn rejection(&self) -> Option<&CredentialRejection> {
                match self { $(Validity::$proof(proof) => proof.rejection(),)+ }
            }

            /// The proof in words, for `tollgate check`, such as `if it identifies a consumer`. Empty if every
            /// value is valid.
            pub fn describe(&self) -> String {
                match self { $(Validity::$proof(proof) => proof.describe(),)+ }
            }
        }
    };
}

proofs! {
    /// Whenever it is present.
    Present,
    /// When a consumer owns it.
    Consumer,
    /// When an earlier filter has set some metadata.
    Metadata,
    /// Until the upstream rejects it; then not, for a while.
    Unless,
}

/// What `valid` may be: every one of [`Validity::KINDS`].
const ALLOWED: &str = "consumer, or an object with metadata, or with unless and for";

impl Default for Validity {
    fn default() -> Validity {
        Present.into()
    }
}

impl Validity {
    /// Reads the field `valid`.
    #[inline(never)]
    pub fn parse(valid: &Reader<'_>, context: ProofContext<'_>) -> Option<Validity> {
        if let Some(proof) = Validity::of_word(valid) {
            return Some(proof);
        }
        if !valid.is_object() {
            return valid.error(ALLOWED);
        }
        let names: Vec<&str> = Validity::KINDS.iter().flat_map(|kind| kind.fields).copied().collect();
        let fields = valid.object(&names)?;
        let (proof, kinds) = Validity::of_fields(&fields, context);
        let is_there = |name: &&&str| fields.optional(name).is_some();
        match kinds.as_slice() {
            [kind]
                if kind.fields.iter().filter(is_there).count() == names.iter().filter(is_there).count() =>
            {
                proof
            }
            _ => valid.error(ALLOWED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn what_valid_may_be_names_every_proof() {
        for kind in Validity::KINDS {
            let words = kind.word.iter().chain(kind.fields);
            words.for_each(|word| assert!(ALLOWED.contains(word), "{word}"));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_proof_has_its_own_fields_only() {
        let errors = |valid: &str| {
            let json = format!(
                r#"{{"keys": {{"k": {{"header": "x-k", "valid": {valid}}}}},
                    "policies": [{{"name": "p", "key": "k", "limits": [{{"quota": 1, "window": "1m"}}]}}]}}"#
            );
            crate::compile::compile(&crate::config::parse(json.as_bytes()).unwrap()).is_err()
        };
        for valid in [r#""consumer""#, r#"{"metadata": ["f", "k"]}"#, r#"{"unless": [401], "for": "1m"}"#] {
            assert!(!errors(valid), "{valid}");
        }
        for valid in [
            "{}",
            r#"{"for": "1m"}"#,
            r#"{"metadata": ["f", "k"], "for": "1m"}"#,
            r#"{"metadata": ["f", "k"], "unless": [401]}"#,
        ] {
            assert!(errors(valid), "{valid}");
        }
    }
}
