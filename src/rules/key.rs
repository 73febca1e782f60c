//! Named keys: where a caller's identity is read from, and when it is believed.

use crate::http::credential::{Reading, Repeated};
use crate::http::{MetadataPath, StatusSet};
use crate::limiter::Limit;
use crate::time::Micros;

/// One way to tell callers apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As in the configuration.
    pub name: String,
    /// What the values identify. It is hashed with them, so that organization 1 is not user 1 (FP-5). Usually
    /// the key's own name; keys with the same kind identify the same callers by equal values.
    pub kind: String,
    /// Where the value comes from.
    pub source: KeySource,
    /// The number of leading bytes that tell callers apart (BI-3); `None` for all. Consumers are always
    /// identified by the whole value.
    pub prefix: Option<usize>,
    /// When a value is believed. Otherwise it is treated as absent (FP-6, PA-8).
    pub validity: Validity,
    /// Whether clients cannot make values up, because Envoy, an earlier filter or the list of consumers
    /// vouches for them.
    pub proven: bool,
    /// How values are read.
    pub reading: Reading,
    /// Which part of the value counts.
    pub part: Part,
}

/// Which part of a value counts, before `prefix` shortens it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Part {
    /// Of a header the first line up to its first comma; of others the whole value.
    #[default]
    Usual,
    /// The whole value of all lines of a header.
    Whole,
    /// The value is a list of what this separator divides.
    List(String),
    /// One of the elements that this separator divides.
    Element {
        /// One character, or more.
        separator: String,
        /// From 0 at the beginning, or from -1 at the end.
        index: i32,
    },
}

impl Key {
    /// Whether responses of the upstream may reject its credentials.
    pub fn can_be_rejected(&self) -> bool {
        matches!(self.validity, Validity::Unless(_))
    }

    /// Whether a request may present conflicting values. That is possible even if the first or the last one
    /// counts, since servers differ in which values they skip. A client's list may be too long to be
    /// compared.
    pub fn can_be_ambiguous(&self) -> bool {
        match self.source {
            KeySource::Header { .. } if matches!(self.part, Part::List(_)) => true,
            // All lines are one value here.
            KeySource::Header { scheme: None, .. } if self.part != Part::Usual => false,
            KeySource::Header { .. } => self.reading.repeated == Repeated::Reject,
            KeySource::Query(_) | KeySource::Cookie(_) => true,
            KeySource::ClientIp { .. }
            | KeySource::Metadata(_)
            | KeySource::PathParameter(_)
            | KeySource::Consumer(_)
            | KeySource::Constant(_)
            | KeySource::FirstOf(_) => false,
        }
    }

    /// Whether clients write its values themselves, and nothing checks them.
    pub fn can_be_made_up(&self) -> bool {
        self.source.is_client_supplied() && self.validity == Validity::Present
    }
}

/// Where a key's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// A request header.
    Header {
        /// The header's name, in lower case.
        name: String,
        /// The authentication scheme that must precede the value, such as `Bearer`. It is not part of the
        /// value.
        scheme: Option<String>,
    },
    /// The query parameter of this name.
    Query(String),
    /// The cookie of this name.
    Cookie(String),
    /// The client's IP address as Envoy knows it, never a header that the client can set.
    ClientIp {
        /// IPv6 addresses with this many leading bits in common are one client, 0 to 128.
        ipv6_prefix: u8,
    },
    /// Metadata that an earlier filter has left, such as a claim of a verified token.
    Metadata(MetadataPath),
    /// The parameter of this name in the path template that the request has matched.
    PathParameter(String),
    /// An attribute of the consumer.
    Consumer(Attribute),
    /// A constant, so that all callers are counted together.
    Constant(String),
    /// The first of these keys, by index, that the request has a value for.
    FirstOf(Vec<usize>),
}

impl KeySource {
    /// Whether a single client may easily have many values like this one: IPv6 addresses with a long prefix.
    pub fn is_cheap(&self, value: &[u8]) -> bool {
        const USUAL_NETWORK: u8 = 48;
        const IPV6: usize = 16;
        matches!(self, KeySource::ClientIp { ipv6_prefix } if *ipv6_prefix > USUAL_NETWORK)
            && value.len() == IPV6
    }

    /// Whether clients write the value into the request, as they do their credentials.
    pub fn is_client_supplied(&self) -> bool {
        match self {
            KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_) => true,
            KeySource::ClientIp { .. }
            | KeySource::Metadata(_)
            | KeySource::PathParameter(_)
            | KeySource::Consumer(_)
            | KeySource::Constant(_)
            | KeySource::FirstOf(_) => false,
        }
    }

    /// Whether this is the header of this lower-case name.
    pub fn reads_header(&self, header: &str) -> bool {
        match self {
            KeySource::Header { name, .. } => name == header,
            KeySource::Query(_)
            | KeySource::Cookie(_)
            | KeySource::ClientIp { .. }
            | KeySource::Metadata(_)
            | KeySource::PathParameter(_)
            | KeySource::Consumer(_)
            | KeySource::Constant(_)
            | KeySource::FirstOf(_) => false,
        }
    }
}

/// An attribute of a consumer.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// The consumer's name.
    Name,
    /// The configured attribute of this name.
    Named(String),
}

/// When a credential is believed.
#[derive(Clone, Debug, PartialEq)]
pub enum Validity {
    /// Whenever it is present.
    Present,
    /// When a consumer owns it.
    Consumer,
    /// When an earlier filter has set this metadata.
    Metadata(MetadataPath),
    /// Until the upstream rejects it; then not, for a while.
    Unless(CredentialRejection),
}

/// How the upstream rejects a credential, and how long the engine remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialRejection {
    /// The response statuses that reject it.
    pub statuses: StatusSet,
    /// Two limits in the credential's own record: a unit taken of the first is the marker of a rejected
    /// credential, one of the second is the proof of a valid one. Each lasts for the limit's window.
    pub limits: [Limit; 2],
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
