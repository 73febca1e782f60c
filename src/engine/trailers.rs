//! Responses whose trailers decide: they have the real cost, or the gRPC status. A policy that waits for them
//! holds the request's cost until they come. Other policies are settled by the response's head.

use super::Engine;
use crate::decision::{Decision, ResponseHead};
use crate::http::{GrpcStatus, Response, grpc_status};
use crate::rules::{OnResponse, Unread};
use crate::table::{Store, Transaction};

/// The trailers of a response: the value of one, by its lower-case name.
pub type Trailers<'t> = &'t dyn Fn(&str) -> Option<Vec<u8>>;

/// Which part of a response has come.
#[derive(Clone, Copy)]
pub(super) struct When {
    /// Whether it is the end, rather than the head.
    pub late: bool,
    /// Whether the gRPC status is not in the head.
    pub in_trailers: bool,
    /// Whether the response broke off before its trailers, so that nobody knows the gRPC status.
    pub broken: bool,
}

impl When {
    /// Whether this is when it is decided what depends on a status. `names_grpc`: on a gRPC status, too.
    pub fn settles(self, names_grpc: bool) -> bool {
        let waits = self.in_trailers && names_grpc;
        waits == self.late && !(waits && self.broken)
    }
}

/// A response at its end.
struct Ended<'a> {
    head: &'a ResponseHead,
    trailers: Option<Trailers<'a>>,
    grpc: Option<u16>,
}

impl Response for Ended<'_> {
    fn status(&self) -> u16 {
        self.head.status
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let mut headers = self.head.headers.iter();
        headers.find(|(own, _)| own == name).map(|(_, value)| value.clone())
    }

    fn trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.trailers.and_then(|trailers| trailers(name))
    }

    fn grpc_status(&self) -> Option<u16> {
        self.grpc
    }

    fn is_broken(&self) -> bool {
        self.trailers.is_none()
    }
}

impl Engine {
    /// Notes what waits for the trailers of a response with this head. Returns whether anything does.
    #[inline(never)] // rarely called
    pub(super) fn await_trailers(
        &self,
        decision: &mut Decision,
        head: &impl Response,
        grpc: GrpcStatus,
    ) -> bool {
        let in_trailers = grpc == GrpcStatus::InTrailers;
        let (policies, check) = decision.policies_and_check();
        let decides_credentials = in_trailers && check.is_some_and(|check| self.names_grpc(check));
        let mut waiting: Vec<&OnResponse> = Vec::new();
        for one in policies.filter(|one| !one.rejected() && !one.is_peek()) {
            let Some(policy) = self.policy(one.policy) else { continue };
            // Whether its credentials are valid changes what a request costs everywhere.
            one.awaits_trailers = decides_credentials || policy.response.awaits_trailers(head, grpc);
            if one.awaits_trailers {
                waiting.push(&policy.response);
            }
        }
        for one in decision.returns() {
            let rules = self.policy(one.policy).map(|policy| &policy.response);
            waiting.extend(rules.filter(|rules| in_trailers && rules.names_grpc()));
        }
        let awaits = decides_credentials || !waiting.is_empty();
        if awaits {
            let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
            for name in waiting.iter().flat_map(|rules| rules.reports()) {
                let value = head.header(name).filter(|_| !headers.iter().any(|(own, _)| own == name));
                headers.extend(value.map(|value| (name.to_owned(), value)));
            }
            decision.set_head(ResponseHead { status: head.status(), grpc, headers });
        }
        awaits
    }

    /// Applies what the response's trailers change. `None`: the response broke off before they came. A response
    /// without trailers that is complete has some, which are empty.
    ///
    /// Returns the policies, by index, that could not read what the response was to report.
    #[inline(never)] // rarely called
    pub fn on_trailers(
        &self,
        decision: &mut Decision,
        trailers: Option<Trailers<'_>>,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Vec<(usize, Unread)> {
        let Some(head) = decision.take_head() else { return Vec::new() };
        let in_trailers = head.grpc == GrpcStatus::InTrailers;
        let stated = trailers.filter(|_| in_trailers);
        let stated = stated.map(|trailers| grpc_status(trailers("grpc-status").as_deref()));
        let ended = Ended { head: &head, trailers, grpc: stated.or(head.grpc.known()) };
        let when = When { late: true, in_trailers, broken: in_trailers && trailers.is_none() };
        self.settle(decision, &ended, when, transaction)
    }
}
