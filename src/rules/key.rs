//! Named keys: how callers are told apart, and when a key is believed.

use crate::http::credential::{Reading, Repeated};
use crate::http::{MetadataPath, StatusSet};
use crate::limiter::Limit;
use crate::time::Micros;

/// A named way to tell callers apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As in the configuration.
    pub name: String,
    /// What its values are, hashed with them, so that organization 1 is not user 1 (FP-5). It is the key's own name,
    /// or another's whose equal values are the same caller.
    pub kind: String,
    /// Where the value comes from.
    pub source: Source,
    /// Only so many first bytes tell callers apart (BI-3). A consumer is known by the whole value.
    pub prefix: Option<usize>,
    /// When the value is to be believed. One that is not is as good as absent (FP-6, PA-8).
    pub validity: Validity,
    /// Whether clients can't make values up: Envoy, an earlier filter or the list of consumers vouches for them.
    pub proven: bool,
    /// Which spellings are one value.
    pub reading: Reading,
}

impl Key {
    /// Whether a request may have several values of which nobody can tell which one counts. Even where the first or the
    /// last does, servers may differ in what they pass over.
    pub fn can_be_ambiguous(&self) -> bool {
        match self.source {
            Source::Header { .. } => self.reading.repeated == Repeated::Reject,
            Source::Query(_) | Source::Cookie(_) => true,
            Source::ClientIp { .. }
            | Source::Metadata(_)
            | Source::PathParameter(_)
            | Source::Consumer(_)
            | Source::Constant(_)
            | Source::FirstOf(_) => false,
        }
    }
}

/// Where a key's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A request header.
    Header {
        /// Lower-case.
        name: String,
        /// The authentication scheme to expect before the value and to leave out, such as `Bearer`.
        scheme: Option<String>,
    },
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
    /// The client's IP, never a header that the client can write.
    ClientIp {
        /// IPv6 addresses that share so many first bits are one client.
        ipv6_prefix: u8,
    },
    /// What an earlier filter has found out, such as a claim of a verified token.
    Metadata(MetadataPath),
    /// A parameter of the path template that the request has matched.
    PathParameter(String),
    /// What is known of the consumer.
    Consumer(Attribute),
    /// The same for all.
    Constant(String),
    /// The first of these keys, by index, that the request has.
    FirstOf(Vec<usize>),
}

impl Source {
    /// Whether one client may have this value and any number of others: addresses of IPv6 by a long prefix.
    pub fn is_cheap(&self, value: &[u8]) -> bool {
        const USUAL_NETWORK: u8 = 48;
        const IPV6: usize = 16;
        matches!(self, Source::ClientIp { ipv6_prefix } if *ipv6_prefix > USUAL_NETWORK)
            && value.len() == IPV6
    }

    /// Whether it is this header, by its lower-case name.
    pub fn reads_header(&self, header: &str) -> bool {
        match self {
            Source::Header { name, .. } => name == header,
            Source::Query(_)
            | Source::Cookie(_)
            | Source::ClientIp { .. }
            | Source::Metadata(_)
            | Source::PathParameter(_)
            | Source::Consumer(_)
            | Source::Constant(_)
            | Source::FirstOf(_) => false,
        }
    }
}

/// What is known of a consumer.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Its own name.
    Name,
    /// One of its attributes.
    Named(String),
}

/// When a credential is to be believed.
#[derive(Clone, Debug, PartialEq)]
pub enum Validity {
    /// Whenever it is there.
    Present,
    /// When a consumer is known by it.
    Consumer,
    /// When an earlier filter has left this metadata.
    Metadata(MetadataPath),
    /// Until the upstream answers it with a status that says otherwise; then not, for a while.
    Unless(CredentialRejection),
}

/// How an upstream says that a credential is not valid, and how long that is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialRejection {
    /// The statuses that say so.
    pub statuses: StatusSet,
    /// The mark that is left in the record of a credential that is rejected, and the proof in that of one that is not: a unit
    /// of these limits each, which says so as long as its window is.
    pub limits: [Limit; 2],
}

impl CredentialRejection {
    /// The mark.
    pub fn mark(&self) -> &[Limit] {
        let [mark, _] = &self.limits;
        std::slice::from_ref(mark)
    }

    /// The proof.
    pub fn proof(&self) -> &[Limit] {
        let [_, proof] = &self.limits;
        std::slice::from_ref(proof)
    }

    /// How many units each has: one of them is taken.
    pub fn units(&self) -> u32 {
        let [mark, _] = &self.limits;
        mark.quota.get()
    }

    /// How long it is remembered.
    pub fn lasts(&self) -> Micros {
        let [mark, _] = &self.limits;
        mark.window
    }
}
