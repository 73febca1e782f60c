//! Where the values of keys come from. Each source is a file of its own: its data, what holds for it, how it is
//! written in a configuration and how it is read from a request. Nothing outside this folder matches on the
//! sources; it asks for the property that it needs.
//!
//! To add one, write its file, declare it here, and name it in the list below.

mod certificate;
mod client_ip;
mod constant;
mod consumer;
mod cookie;
mod first_of;
mod header;
mod host;
mod kind;
mod metadata;
mod path_parameter;
mod query;
mod request_part;
mod route_metadata;

pub use certificate::CERTIFICATE_FIELDS;
pub use consumer::Attribute;
pub use kind::{Presence, SourceKind, Whose};

use super::{Key, KeyValue};
use crate::config::{Field, Fields, Reader, Vocabulary, either_of};
use crate::http::{PathTemplate, Request, RequestCache, Spellings};
use std::borrow::Cow;

/// What each match of a policy must have, so that every request that fits one has the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MatchPart<'a> {
    /// A path with this parameter.
    Parameter(&'a str),
    /// A path.
    Path,
    /// A name.
    Name,
}

/// What the engine knows about a request and its caller, for the source of one key.
pub trait Facts<'c> {
    /// The host's request.
    type Request: Request + 'c;

    /// The request.
    fn request(&self) -> &'c RequestCache<'c, Self::Request>;

    /// The template of the match that the request fits. `None`: it fits none that has a path.
    fn template(&self) -> Option<&PathTemplate>;

    /// The name of the match that the request fits, if that has one.
    fn match_name(&self) -> Option<&str>;

    /// What the request presents for the key, as [`Key::read`] finds it, if it is valid. Empty if its values
    /// conflict.
    fn presented(&self) -> Option<&'c [u8]>;

    /// An attribute of the consumer. Empty if conflicting values hide who the consumer is.
    fn attribute(&self, attribute: &Attribute) -> Option<&'c [u8]>;
}

/// The field of a key that a source is written in.
const fn field<K: Copy>(name: &'static str, kind: K, about: &'static str) -> Field<K> {
    Field::optional(name, kind, "another source", about)
}

/// What one source does, besides the constant `FIELD` that it has. Only [`KeySource`] calls these functions, and documents them.
trait Source: Sized {
    const KIND: SourceKind;

    fn kind(&self) -> &'static SourceKind {
        const { &Self::KIND }
    }

    fn set_spellings(&mut self, _spellings: Spellings) {}

    fn folds_case(&self, _key: &Key) -> bool {
        false
    }

    fn parse(field: &Reader<'_>, beside: Beside<'_, '_>) -> Option<Self>;

    fn presented<'a, R: Request>(
        &self,
        _request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        None
    }

    fn value<'c>(&'c self, _key: &Key, facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        facts.presented().map(Cow::Borrowed)
    }

    fn value_of(&self, text: &str) -> Option<Vec<u8>> {
        Some(text.as_bytes().to_vec())
    }

    fn is_shown<R: Request>(&self, _request: &RequestCache<'_, R>, _key: &Key) -> bool {
        false
    }

    fn can_be_ambiguous(&self, _key: &Key) -> bool {
        false
    }

    fn is_cheap(&self, _value: &[u8]) -> bool {
        false
    }

    fn joins_lines(&self) -> bool {
        false
    }

    fn header(&self) -> Option<&str> {
        None
    }

    fn reads(&self) -> Option<&str> {
        self.header()
    }

    fn match_part(&self) -> Option<MatchPart<'_>> {
        None
    }

    fn ipv6_prefix(&self) -> Option<u8> {
        None
    }

    fn alternatives(&self) -> &[usize] {
        &[]
    }

    fn describe(&self, keys: &[Key]) -> String;

    fn show(&self, value: &[u8]) -> String {
        String::from_utf8_lossy(value).escape_debug().to_string()
    }
}

/// What stands beside a source in a configuration.
#[derive(Clone, Copy)]
pub struct Beside<'r, 'a> {
    /// All fields of the key.
    pub fields: &'r Fields<'a>,
    /// All keys.
    pub keys: KeyEntries<'r, 'a>,
}

/// The keys as written, which `first_of` and `same_as` refer to.
#[derive(Clone, Copy)]
pub struct KeyEntries<'r, 'a> {
    /// Each key.
    pub entries: &'r [Reader<'a>],
    /// Their names, in the same order.
    pub names: &'r Vocabulary<'a>,
}

impl<'r, 'a> KeyEntries<'r, 'a> {
    /// Reads the name of a key: its index and its entry.
    pub fn named(self, reader: &Reader<'_>) -> Option<(usize, &'r Reader<'a>)> {
        let index = reader.word_in(self.names)?;
        Some((index, self.entries.get(index)?))
    }
}

/// Makes the type of all sources, which hands each question on to the source itself.
macro_rules! key_sources {
    ($($(#[$about:meta])* $file:ident::$source:ident,)+) => {
        $(pub use $file::$source;)+

        /// Where a key's value comes from.
        #[derive(Clone, Debug, PartialEq)]
        pub enum KeySource {
            $($(#[$about])* $source($source),)+
        }

        $(impl From<$source> for KeySource {
            fn from(source: $source) -> KeySource {
                KeySource::$source(source)
            }
        })+

        impl KeySource {
            /// The field of each source, in the order of the language.
            pub const FIELDS: &'static [Field] = &[$($source::FIELD.erased(),)+];

            /// The names of these fields.
            pub const NAMES: &'static [&'static str] = &[$($source::FIELD.name,)+];

            /// What holds for each source as such, in the same order.
            pub const KINDS: &'static [SourceKind] = &[$($source::KIND,)+];

            /// What holds for this source. It may depend on how the source is written.
            pub fn kind(&self) -> &'static SourceKind {
                match self { $(KeySource::$source(source) => source.kind(),)+ }
            }

            /// Sets which spellings of a path are the same path.
            pub fn set_spellings(&mut self, spellings: Spellings) {
                match self { $(KeySource::$source(source) => source.set_spellings(spellings),)+ }
            }

            /// Whether values are in lower case, because case does not matter.
            pub fn folds_case(&self, key: &Key) -> bool {
                match self { $(KeySource::$source(source) => source.folds_case(key),)+ }
            }

            /// Reads a key's only source.
            pub fn parse(beside: Beside<'_, '_>) -> Option<KeySource> {
                $(if let Some(field) = beside.fields.present(&$source::FIELD) {
                    return $source::parse(field, beside).map(KeySource::$source);
                })+
                None
            }

            /// What a request itself presents, before the key's `part` divides it. The engine reads it once for
            /// all policies, and checks whether it is valid.
            pub(super) fn presented<'a, R: Request>(
                &self,
                request: &'a RequestCache<'a, R>,
                key: &Key,
            ) -> Option<KeyValue<'a>> {
                match self { $(KeySource::$source(source) => source.presented(request, key),)+ }
            }

            /// The value by which a caller is counted, before the key's `prefix` shortens it. `None`: the request
            /// does not have the key. If it has [alternatives](Self::alternatives), one of these has the value.
            pub fn value<'c>(&'c self, key: &Key, facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
                match self { $(KeySource::$source(source) => source.value(key, facts),)+ }
            }

            /// The value that stands for this text, before case is folded. `None`: none does.
            pub fn value_of(&self, text: &str) -> Option<Vec<u8>> {
                match self { $(KeySource::$source(source) => source.value_of(text),)+ }
            }

            /// Whether a request shows who sends it by this key, whether or not the value is valid.
            pub fn is_shown<R: Request>(&self, request: &RequestCache<'_, R>, key: &Key) -> bool {
                match self { $(KeySource::$source(source) => source.is_shown(request, key),)+ }
            }

            /// Whether a request may present conflicting values for this key.
            pub fn can_be_ambiguous(&self, key: &Key) -> bool {
                match self { $(KeySource::$source(source) => source.can_be_ambiguous(key),)+ }
            }

            /// Whether a single client may easily have many values like this one, although it cannot make them up.
            pub fn is_cheap(&self, value: &[u8]) -> bool {
                match self { $(KeySource::$source(source) => source.is_cheap(value),)+ }
            }

            /// Whether the usual value ends at a comma or a line's end, and `whole` and `separator` read all lines
            /// as one value.
            pub fn joins_lines(&self) -> bool {
                match self { $(KeySource::$source(source) => source.joins_lines(),)+ }
            }

            /// The header that it reads, in lower case.
            pub fn header(&self) -> Option<&str> {
                match self { $(KeySource::$source(source) => source.header(),)+ }
            }

            /// The request header that it reads, in lower case, as a part of which it may have its value.
            pub fn reads(&self) -> Option<&str> {
                match self { $(KeySource::$source(source) => source.reads(),)+ }
            }

            /// What each match of a policy with such a key must have.
            pub fn match_part(&self) -> Option<MatchPart<'_>> {
                match self { $(KeySource::$source(source) => source.match_part(),)+ }
            }

            /// If it is the client's address: how many leading bits of an IPv6 address count.
            pub fn ipv6_prefix(&self) -> Option<u8> {
                match self { $(KeySource::$source(source) => source.ipv6_prefix(),)+ }
            }

            /// The keys, by index, of which the first that a request has stands for this one. None of them has
            /// alternatives of its own. Empty for sources that have values themselves.
            pub fn alternatives(&self) -> &[usize] {
                match self { $(KeySource::$source(source) => source.alternatives(),)+ }
            }

            /// The source in words, for `tollgate check`.
            pub fn describe(&self, keys: &[Key]) -> String {
                match self { $(KeySource::$source(source) => source.describe(keys),)+ }
            }

            /// A value in words, for `tollgate explain`. It must not be [secret](SourceKind::secret).
            pub fn show(&self, value: &[u8]) -> String {
                match self { $(KeySource::$source(source) => source.show(value),)+ }
            }
        }
    };
}

key_sources! {
    /// A request header.
    header::Header,
    /// A query parameter.
    query::Query,
    /// A cookie.
    cookie::Cookie,
    /// The client's IP address as Envoy knows it, never a header that the client can set.
    client_ip::ClientIp,
    /// The request's host, folded.
    host::Host,
    /// A parameter of the path template that the request has matched.
    path_parameter::PathParameter,
    /// What the request asks for: a part of it, or the match or the route that it fits.
    request_part::RequestPart,
    /// Metadata that an earlier filter has left, such as a claim of a verified token.
    metadata::Metadata,
    /// Metadata of Envoy's route.
    route_metadata::RouteMetadata,
    /// A field of the client's certificate.
    certificate::Certificate,
    /// An attribute of the consumer.
    consumer::Consumer,
    /// A constant, so that all callers are counted together.
    constant::Constant,
    /// The first of several keys that the request has a value for.
    first_of::FirstOf,
}

/// Names of sources: the first of this list, as many as the number says.
pub type SourceNames = ([&'static str; KeySource::NAMES.len()], usize);

impl KeySource {
    /// The fields of the sources that take a modifier.
    #[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
    pub const fn that_take(modifier: &str) -> SourceNames {
        let mut names: SourceNames = ([""; KeySource::NAMES.len()], 0);
        let mut kind = 0;
        while kind < Self::KINDS.len() {
            if is_one_of(modifier, Self::KINDS[kind].takes) {
                names.0[names.1] = Self::KINDS[kind].field;
                names.1 += 1;
            }
            kind += 1;
        }
        names
    }

    /// The fields of the sources that have a property, such as `header, query or cookie`.
    #[inline(never)]
    pub fn fields(has: &dyn Fn(&SourceKind) -> bool) -> String {
        let fields: Vec<&str> = Self::KINDS.iter().filter(|kind| has(kind)).map(|kind| kind.field).collect();
        either_of(&fields)
    }
}

/// Whether a name is in a list.
#[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
const fn is_one_of(name: &str, list: &[&str]) -> bool {
    let mut place = 0;
    while place < list.len() {
        let (one, other) = (name.as_bytes(), list[place].as_bytes());
        let mut equal = 0;
        while equal < one.len() && equal < other.len() && one[equal] == other[equal] {
            equal += 1;
        }
        if equal == one.len() && equal == other.len() {
            return true;
        }
        place += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::credential::Repeated;
    use crate::rules::modifiers;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_modifier_that_a_source_takes_is_one() {
        for name in KeySource::KINDS.iter().flat_map(|kind| kind.takes) {
            assert!(modifiers::ALL.iter().any(|modifier| modifier.name == *name), "{name}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_match_asks_only_for_keys_that_some_requests_lack() {
        for kind in KeySource::KINDS.iter().filter(|kind| kind.can_be_asked) {
            assert_eq!(kind.presence, Presence::Sometimes, "{}", kind.field);
        }
    }

    /// As the documentation of `repeated` says.
    #[wasm_bindgen_test(unsupported = test)]
    fn of_a_header_the_first_value_counts_and_of_others_none() {
        assert_eq!(KeySource::fields(&|kind| kind.repeated == Repeated::First), "header");
        assert_eq!(KeySource::fields(&|kind| kind.repeated == Repeated::Last), "");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_sources_of_a_modifier_are_found() {
        let (names, number) = KeySource::that_take(modifiers::NAMES.name);
        assert_eq!(names[..number], ["query", "cookie"]);
        assert_eq!(KeySource::that_take("no modifier").1, 0);
    }
}
