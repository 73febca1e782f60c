//! A configuration's policies, compiled: plain data, already validated, so that no request pays for a check.
//!
//! `compile` builds it, and `engine` evaluates it. Only the sources of keys and what proves their values are more
//! than data: each says itself how it is written and how it is read from a request.

mod callers;
mod fleet;
mod key;
mod limit_set;
mod mode;
mod on_response;
mod policy;
mod request_match;
mod routes;

pub use callers::{Callers, Consumer, Consumers, Digest, Tiers};
pub use fleet::{FleetSettings, Scope};
pub use key::source::{self, Attribute, KeySource, Presence, SourceKind, Whose};
pub use key::validity::{self, CredentialRejection, Validity};
pub use key::{Key, KeyValue, Part, modifiers};
pub use limit_set::{LimitSet, LimitsByCaller};
pub use mode::Mode;
pub use on_response::{CostHeader, NoNumber, OnResponse, REJECTED, ReportHeader, UnknownCost, Unread};
pub use policy::Policy;
pub use request_match::{CallerKeys, KnownKeys, NamedPattern, RequestMatch};
pub use routes::Routes;

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
    /// Whether access logs name consumer and tier, so that both are looked up for every request.
    pub logs_callers: bool,
    /// The size of the table.
    pub table_size: TableSize,
    /// The service that keeps the counts of policies with [`Scope::Fleet`].
    pub fleet: Option<FleetSettings>,
}

impl PolicySet {
    /// The limits of all policies, with the quotas of callers who have neither a tier nor quotas of their
    /// own.
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

    /// Whether a request may be exempt because of its keys.
    pub fn exempts_by_keys(&self) -> bool {
        self.exempt.iter().any(RequestMatch::asks_for_caller)
    }

    /// Whether the upstream's responses decide if a key is valid.
    pub fn checks_credentials(&self) -> bool {
        self.callers.keys.iter().any(Key::can_be_rejected)
    }
}
