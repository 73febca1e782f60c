//! The rules as compiled: plain data. Nothing in it can be wrong any more, so nothing has to be checked while a request
//! waits.
//!
//! [`crate::compile`] makes it, [`crate::engine`] evaluates it.

mod callers;
mod key;
mod limit_set;
mod mode;
mod on_response;
mod policy;
mod routes;

pub use callers::{Callers, Consumer, Consumers, Digest, Tiers};
pub use key::{Attribute, CredentialRejection, Key, Source, Validity};
pub use limit_set::{LimitSet, LimitsByCaller};
pub use mode::Mode;
pub use on_response::{MAX_UNITS, OnResponse, Unanswered};
pub use policy::Policy;
pub use routes::Routes;

use crate::http::RequestMatch;
use crate::limiter::Limit;
use crate::table::{ChargeMode, TableSize};

/// All policies of one filter.
#[derive(Clone, Debug)]
pub struct PolicySet {
    /// Who can be told apart.
    pub callers: Callers,
    /// In the order of the configuration.
    pub policies: Vec<Policy>,
    /// Finds the policies that a path can match.
    pub routes: Routes,
    /// Requests that no policy applies to.
    pub exempt: Vec<RequestMatch>,
    /// How the policies of one request depend on each other.
    pub charging: ChargeMode,
    /// Whether CORS preflights are exempt.
    pub exempt_preflight: bool,
    /// Whether a key reads the `authorization` header.
    pub reads_authorization: bool,
    /// Whether a request can have several values for one key, so that none of them counts.
    pub can_be_ambiguous: bool,
    /// Whether access logs name the consumer and the tier, so that both are looked up for every request.
    pub logs_callers: bool,
    /// The size of the table.
    pub geometry: TableSize,
}

impl PolicySet {
    /// All limits of all policies, with the quotas of callers who have no tier and no quota of their own.
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.policies.iter().flat_map(Policy::limits)
    }

    /// Whether any policy or key depends on responses or on streams' ends.
    pub fn follows_responses(&self) -> bool {
        self.policies.iter().any(Policy::follows_responses) || self.checks_credentials()
    }

    /// Whether the upstream's responses decide if a key is valid.
    pub fn checks_credentials(&self) -> bool {
        self.callers.keys.iter().any(|key| matches!(key.validity, Validity::Unless(_)))
    }
}
