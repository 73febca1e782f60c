//! What makes a key's value valid. Each proof is a file of its own: its data, what holds for it, how it is
//! written in a configuration and how a request is checked. Nothing outside this folder matches on the proofs; it
//! asks for the property that it needs.
//!
//! To add one, write its file, declare it here, and name it in the list below.

mod consumer;
mod metadata;
mod present;
mod unless;

pub use unless::CredentialRejection;

use crate::config::{Composite, Field, Fields, Kind, Object, Reader, Rule, Word, Words, joined, object};
use crate::http::MetadataPath;
use crate::table::TableSize;

/// What holds for all keys with one proof.
#[derive(Debug)]
pub struct ProofKind {
    /// Whether anything finds out values that clients have made up.
    pub checks: bool,
    /// Whether a value that a client has made up is never valid.
    pub proves: bool,
    /// Whether the list of consumers decides.
    pub of_consumers: bool,
}

impl ProofKind {
    /// What every value has that is there.
    const NONE: ProofKind = ProofKind { checks: false, proves: false, of_consumers: false };
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

    /// The words that stand for it in `valid`, and what it is then.
    const WORDS: &'static [Word<()>] = &[];
    const OF_WORD: Option<Self> = None;

    /// Its fields in the object `valid`. The first one is there if this is the proof.
    const FIELDS: &'static [Field] = &[];

    /// Which of its fields need or exclude each other.
    const RULES: &'static [Rule] = &[];

    fn parse(_fields: &Fields<'_>, _context: ProofContext<'_>) -> Option<Self> {
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
    ($($(#[$about:meta])* $file:ident::$proof:ident,)+) => {
        $(pub use $file::$proof;)+

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
            /// The words of `valid`.
            const WORDS: &'static Words<()> =
                &Words(&joined::<_, { 0 $(+ $proof::WORDS.len())+ }>(&[$($proof::WORDS,)+]));

            /// The fields of the object `valid`.
            const FIELDS: &'static [Field] = &joined::<_, { 0 $(+ $proof::FIELDS.len())+ }>(&[$($proof::FIELDS,)+]);

            /// Which of them need or exclude each other.
            const RULES: &'static [Rule] = &joined::<_, { 1 $(+ $proof::RULES.len())+ }>(
                &[&[Rule::ExactlyOne(Self::FIRST_FIELDS)], $($proof::RULES,)+]
            );

            /// The fields that say which proof it is.
            const FIRST_FIELDS: &'static [&'static str] =
                &first_fields::<{ 0 $(+ !$proof::FIELDS.is_empty() as usize)+ }>(&[$($proof::FIELDS,)+]);

            /// What holds for all keys with this proof.
            pub fn kind(&self) -> &'static ProofKind {
                match self { $(Validity::$proof(_) => const { &$proof::KIND },)+ }
            }

            /// Reads the field `valid`.
            #[inline(never)]
            pub fn parse(valid: &Reader<'_>, context: ProofContext<'_>) -> Option<Validity> {
                $(if $proof::WORDS.iter().any(|one| valid.is_word(one.word)) {
                    return $proof::OF_WORD.map(Validity::$proof);
                })+
                if !valid.is_object() {
                    return valid.error(VALID.allowed);
                }
                let fields = valid.fields(&OBJECT)?;
                $(if let Some(first) = $proof::FIELDS.first() && fields.present(first).is_some() {
                    return $proof::parse(&fields, context).map(Validity::$proof);
                })+
                None
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
    present::Present,
    /// When a consumer owns it.
    consumer::Consumer,
    /// When an earlier filter has set some metadata.
    metadata::Metadata,
    /// Until the upstream rejects it; then not, for a while.
    unless::Unless,
}

/// The first fields of all proofs that have fields, which are `N`.
#[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
const fn first_fields<const N: usize>(proofs: &[&[Field]]) -> [&'static str; N] {
    let mut names = [""; N];
    let (mut proof, mut end) = (0, 0);
    while proof < proofs.len() {
        if let [first, ..] = proofs[proof] {
            names[end] = first.name;
            end += 1;
        }
        proof += 1;
    }
    names
}

impl Default for Validity {
    fn default() -> Validity {
        Present.into()
    }
}

/// What `valid` may be: one of the words, or the object.
pub(super) const VALID: Composite = Composite::new(
    Kind::Either(&[Kind::Words(Validity::WORDS), Kind::Object(&OBJECT)]),
    "consumer, or an object with metadata, or with unless and for",
);

const OBJECT: Object = object!("valid" at "keys.NAME.valid":
"What decides whether a key's value is valid: `metadata` of an earlier filter, or the upstream's responses (`unless` \
 with `for`).";
lists [Validity::FIELDS]; rules Validity::RULES);

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn what_valid_may_be_names_every_proof() {
        let words = Validity::WORDS.0.iter().map(|word| word.word);
        for name in words.chain(Validity::FIELDS.iter().map(|field| field.name)) {
            assert!(VALID.allowed.contains(name), "{name}");
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
