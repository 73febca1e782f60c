//! A configuration's policies, compiled: plain data, already validated, so that no request pays for a check.
//!
//! `compile` builds it, and `engine` evaluates it. Only the sources of keys and what proves their values are more
//! than data: each says itself how it is written and how it is read from a request.

mod callers;
mod cost_from;
mod digest;
mod fleet;
mod forgive;
mod key;
mod limit_set;
mod mode;
mod on_response;
mod policy;
mod quota_from;
mod read_together;
mod request_match;
mod routes;
mod schedule;

pub use callers::{Callers, Consumer, Consumers, Tiers};
pub use cost_from::CostFrom;
pub use digest::Digest;
pub use fleet::{FleetSettings, Scope};
pub use forgive::Forgive;
pub use key::source::{self, Attribute, KeySource, MatchPart, Presence, SourceKind, Whose};
pub use key::validity::{self, CredentialRejection, Validity};
pub use key::{Key, KeyNumber, KeyValue, Part, modifiers};
pub use limit_set::{FIRST_OWN, LimitSet, LimitsByCaller, Quota, Standing};
pub use mode::{EnforcedShare, Mode};
pub use on_response::{BODY_PRESETS, BodyPreset, BodySeen, CostBody, CostTerm, NoCost, TokenKind, Weight};
pub use on_response::{CostHeader, NoNumber, OnResponse, Place, REJECTED, ReportHeader, UnknownCost, Unread};
pub use policy::Policy;
pub use quota_from::QuotaFrom;
pub use request_match::{CallerKeys, KnownKeys, NamedPattern, RequestMatch};
pub use routes::Routes;
pub use schedule::{Schedule, Span};

use crate::body::Pointers;
use crate::limiter::Limit;
use crate::table::{ChargeMode, TableSize};

/// All policies of one configuration.
#[derive(Clone, Debug)]
pub struct PolicySet {
    /// How callers are told apart.
    pub callers: Callers,
    /// In the order of the configuration.
    pub policies: Vec<Policy>,
    /// An index of the policies by path.
    pub routes: Routes,
    /// The numbers in responses' bodies that policies read.
    pub pointers: Pointers,
    /// Requests that are exempt from all policies.
    pub exempt: Vec<RequestMatch>,
    /// Whether a request that one policy rejects is counted by the others.
    pub charging: ChargeMode,
    /// Whether CORS preflights are exempt.
    pub exempt_preflight: bool,
    /// Whether a key reads the `authorization` header.
    pub reads_authorization: bool,
    /// Whether a request can present conflicting values for some key.
    pub can_be_ambiguous: bool,
    /// Whether access logs or metrics name consumer and tier, so that both are looked up for every request.
    pub names_callers: bool,
    /// Whether metrics count the requests of each consumer.
    pub counts_consumers: bool,
    /// The key, by index, whose value names callers that are no consumer.
    pub consumer_name: Option<usize>,
    /// The size of the table.
    pub table_size: TableSize,
    /// What separates the table from others in the same process; `None`: it is the one without a name.
    pub table_name: Option<Box<str>>,
    /// The service that keeps the counts of policies with [`Scope::Fleet`].
    pub fleet: Option<FleetSettings>,
}

impl PolicySet {
    /// The limits of all policies, see [`Policy::limits`].
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.policies.iter().flat_map(Policy::limits)
    }

    /// Whether any policy or key depends on responses or on the ends of streams.
    pub fn awaits_responses(&self) -> bool {
        self.policies.iter().any(Policy::awaits_responses) || self.checks_credentials()
    }

    /// The response headers that clients do not get, each once.
    pub fn removed_headers(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.policies.iter().flat_map(|policy| policy.response.removed_headers()) {
            if !names.iter().any(|other| other == name) {
                names.push(name.to_string());
            }
        }
        names
    }

    /// The response trailers that clients do not get.
    pub fn removed_trailers(&self) -> Vec<String> {
        self.policies.iter().flat_map(|policy| policy.response.removed_trailers()).map(String::from).collect()
    }

    /// Whether gRPC statuses decide about any policy or key.
    pub fn names_grpc(&self) -> bool {
        self.policies.iter().any(|policy| policy.response.names_grpc())
            || self
                .callers
                .keys
                .iter()
                .any(|key| key.validity.rejection().is_some_and(|rejection| rejection.statuses.names_grpc()))
    }

    /// Whether trailers of responses may report anything.
    pub fn reads_trailers(&self) -> bool {
        self.names_grpc() || self.policies.iter().any(|policy| policy.response.reads_trailers())
    }

    /// Whether any caller is forgiven anything.
    pub fn forgives(&self) -> bool {
        self.callers.forgive.is_some()
    }

    /// Whether a request may be exempt because of its keys.
    pub fn exempts_by_keys(&self) -> bool {
        self.exempt.iter().any(RequestMatch::asks_for_caller)
    }

    /// Whether a quota is unlimited or 0 for some callers.
    pub fn has_partial_limits(&self) -> bool {
        self.policies.iter().any(|policy| policy.limit_sets.are_partial())
    }

    /// Whether the upstream's responses decide if a key is valid.
    pub fn checks_credentials(&self) -> bool {
        self.callers.keys.iter().any(Key::can_be_rejected)
    }
}
