//! Facturapi's document, clause by clause, on the policy file that ships.
//!
//! The file's policies begin on 19 May 2026. Here they have begun, whatever the date is, except where that is
//! the point. One Envoy serves the tests whose callers nobody else knows; known ones are a few, so their
//! tests have one each.

mod beginning;
mod classes;
mod identities;
mod in_flight;
mod rejection;

use std::sync::LazyLock;

use crate::harness::{Gateway, Request, Response, Setup, Shared, new_ip};

const BEGIN: &str = "2026-05-19T00:00:00-06:00";
const HEAVY: &str = "/v2/exports";
/// The smallest quota of a class.
const HEAVY_QUOTA: usize = 20;

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| in_force().start());

fn gateway() -> Shared {
    Shared(&GATEWAY)
}

fn in_force() -> Setup {
    beginning_at("2020-01-01T00:00:00-06:00")
}

fn beginning_at(instant: &str) -> Setup {
    Setup::file("facturapi.yaml").replacing(BEGIN, instant)
}

/// A request of any method, without a body.
fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    gateway.request(method, path).header("content-length", "0")
}

/// A request of the class that is used up soonest.
fn heavy(gateway: &Gateway) -> Request {
    ask(gateway, "POST", HEAVY)
}

/// A new caller's first request beyond what it may.
fn rejection(gateway: &Gateway) -> Response {
    let request = heavy(gateway).from(new_ip());
    assert_eq!(request.admitted_of(HEAVY_QUOTA), HEAVY_QUOTA);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected
}
