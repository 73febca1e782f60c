//! At most so many requests in flight, and none forgotten there: FP-1, FP-14.
//!
//! No test makes a worker's VM die: only a trap does that, and nothing a client or a configuration can send
//! makes this module trap. What a VM that died had in flight is the limiter's unit tests' business; here a VM
//! is replaced by another.

mod bounds;
mod long;
mod releases;
mod reload;

use std::time::Duration;

use crate::harness::{
    Call, Gateway, HELD, InFlight, Request, Setup, Upstream, eventually, new_key, per_key_limit, within,
};

const QUOTA: usize = 3;

/// What has ended is noticed at once, if not by the client's next request. Far less than the 30 seconds after
/// which a worker is no longer believed, so that what comes free by that is not taken for released.
const SOON: Duration = Duration::from_secs(10);

/// So many in flight for each key.
fn policy(quota: usize) -> String {
    per_key_limit(&format!("algorithm: concurrency, quota: {quota}, retry_after: 7s"))
}

/// A gateway whose upstream is slow when it is asked for [`HELD`].
struct Slow {
    gateway: Gateway,
    upstream: Upstream,
}

/// One caller, as two requests.
struct Caller {
    key: String,
    held: Request,
    quick: Request,
}

/// A request that waits at the upstream.
struct Flight {
    client: InFlight,
    call: Call,
}

impl Slow {
    fn start() -> Self {
        Self::with(|setup| setup)
    }

    fn with(further: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::answering(&[]);
        let setup = Setup::yaml(policy(QUOTA)).upstream(upstream.address());
        let gateway = further(setup).start();
        Self { gateway, upstream }
    }

    fn new_caller(&self) -> Caller {
        let key = new_key();
        let request = |target| self.gateway.get(target).key(&key);
        Caller { held: request(HELD), quick: request("/"), key: key.clone() }
    }

    /// Puts a request in flight, as soon as there is room for it.
    fn flight(&self, request: &Request) -> Flight {
        within(SOON, "room for one more in flight", || {
            let client = request.begin();
            let passed = eventually("a rejection, or the request at the upstream", || {
                let call = self.upstream.next_call();
                if call.is_none() && client.answered() { Some(None) } else { call.map(Some) }
            });
            match passed {
                Some(call) => Some(Flight { client, call }),
                None => {
                    assert_eq!(client.response().status, 429);
                    None
                }
            }
        })
    }

    /// So many requests in flight, and room for not one more.
    fn full(&self, caller: &Caller, quota: usize) -> Vec<Flight> {
        let flights = (0..quota).map(|_| self.flight(&caller.held)).collect();
        assert!(caller.is_full(), "more than {quota} in flight");
        flights
    }

    /// What was in flight no longer is: there is room for the quota again, and for no more.
    fn assert_nothing_leaked(&self, caller: &Caller) {
        self.full(caller, QUOTA).into_iter().for_each(Flight::land);
    }
}

impl Caller {
    /// Whether every worker rejects it.
    fn is_full(&self) -> bool {
        let connections = (0..20).map(|_| self.quick.connect());
        connections.map(|mut connection| connection.exchange(&self.quick).status).all(|status| status == 429)
    }
}

impl Flight {
    /// The upstream answers, and the client gets it.
    fn land(self) {
        self.call.answer(200);
        assert_eq!(self.client.response().status, 200);
    }
}
