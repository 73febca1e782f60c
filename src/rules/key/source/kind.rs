//! What holds for all keys of one source, whatever their values.

use crate::http::credential::Repeated;

/// What holds for all keys of one source.
#[derive(Debug)]
pub struct SourceKind {
    /// The field of a key that it is written in.
    pub field: &'static str,
    /// The [`modifiers`](crate::rules::modifiers) that apply to it, by name.
    pub takes: &'static [&'static str],
    /// Whether clients write the value themselves, and may have as many as they like. A path parameter is no
    /// such value: with another one, the request is for something else.
    pub client_supplied: bool,
    /// Whether values may be credentials, which are never shown.
    pub secret: bool,
    /// Whether Envoy, an earlier filter or the configuration vouches for values.
    pub vouched: bool,
    /// Whether consumers can be known by it, because it is a credential, or stands for one.
    pub identifies_consumers: bool,
    /// Whether consumers can be known by it, because values are addresses, of which they have ranges.
    pub identifies_by_range: bool,
    /// Whether the value is what the list of consumers says about a caller.
    pub of_consumer: bool,
    /// Which requests have it.
    pub presence: Presence,
    /// Whose a value is.
    pub whose: Whose,
    /// Whether a match can ask for it. [`Presence::Sometimes`] only.
    pub can_be_asked: bool,
    /// Whether values are decoded before anything looks at them.
    pub decoded: bool,
    /// Whether `false` is a value.
    pub has_flags: bool,
    /// Which of several values counts, unless the configuration says otherwise.
    pub repeated: Repeated,
}

impl SourceKind {
    /// A source with this field, for which every other property is the usual one.
    pub(super) const fn new(field: &'static str) -> SourceKind {
        SourceKind {
            field,
            takes: &[],
            client_supplied: false,
            secret: false,
            vouched: false,
            identifies_consumers: false,
            identifies_by_range: false,
            of_consumer: false,
            presence: Presence::Sometimes,
            whose: Whose::Callers,
            can_be_asked: false,
            decoded: false,
            has_flags: false,
            repeated: Repeated::Reject,
        }
    }

    /// A source of credentials, which clients write into their requests.
    pub(super) const fn credential(field: &'static str) -> SourceKind {
        SourceKind {
            client_supplied: true,
            secret: true,
            identifies_consumers: true,
            can_be_asked: true,
            ..SourceKind::new(field)
        }
    }
}

/// Which requests have a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Presence {
    /// All of them.
    Always,
    /// Those that fit a match which provides it. Each match of a policy with such a key does.
    WithMatch,
    /// Some.
    Sometimes,
}

/// Whose the values of a key are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Whose {
    /// The caller's own.
    Callers,
    /// That of what the caller asks for: others may ask for it, too.
    Targets,
    /// The same for everybody.
    Everyones,
}
