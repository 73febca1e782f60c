//! The upstream: it does what it is asked for when the request reaches it, whether or not anybody still
//! waits.

use std::collections::HashMap;
use tollgate::http::Response;
use tollgate::identity::Identity;

/// What a request is for, as the upstream understands it.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Nothing but an answer with this status.
    Answers(u16),
    /// A thing more, and a 201.
    Creates,
    /// A thing less and a 204; where there is none, a 404.
    Deletes,
}

/// Who has answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    Upstream,
    /// Envoy itself: the route's time is over, the upstream has reset the stream, or there is none.
    Envoy,
}

/// The head of a response.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub status: u16,
    /// What the request has really cost: `x-cost`.
    pub cost: u32,
    /// How many things there are of a policy's caller, by the policy's index: `x-stock-0` and so on.
    pub stocks: Stocks,
    pub origin: Origin,
}

/// Callers of several policies may own a thing, and each policy hears of its own caller's alone.
pub type Stocks = [Option<u64>; MAX_POLICIES];

const MAX_POLICIES: usize = 4;

impl Answer {
    pub fn of_envoy(status: u16) -> Answer {
        Answer { status, cost: 0, stocks: Stocks::default(), origin: Origin::Envoy }
    }
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status
    }

    /// As `%RESPONSE_CODE_DETAILS%` tells it: `via_upstream`.
    fn is_upstreams(&self) -> bool {
        self.origin == Origin::Upstream
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let number = match name {
            "x-cost" => self.is_upstreams().then_some(u64::from(self.cost)),
            name => name.strip_prefix("x-stock-").and_then(|policy| self.stock(policy)),
        };
        number.map(|number| number.to_string().into_bytes())
    }
}

impl Answer {
    fn stock(&self, policy: &str) -> Option<u64> {
        *self.stocks.get(policy.parse::<usize>().ok()?)?
    }
}

/// Whose things they are: a policy's, by index, and whom it counts.
pub type Owner = (usize, Identity);

/// What exists.
#[derive(Default)]
pub struct Upstream {
    things: HashMap<Owner, u64>,
}

impl Upstream {
    /// Does a deed. Answers the response, and whether something was deleted.
    pub fn handle(&mut self, deed: Deed, cost: u32, owners: &[Owner]) -> (Answer, bool) {
        // Where several policies count things, each has its own owner of every thing.
        let deletes = !owners.is_empty() && owners.iter().all(|owner| self.existing(owner) > 0);
        let (status, more) = match deed {
            Deed::Answers(status) => (status, 0),
            Deed::Creates => (201, 1),
            Deed::Deletes if deletes => (204, -1),
            Deed::Deletes => (404, 0),
        };
        for owner in owners {
            let things = self.things.entry(*owner).or_default();
            *things = things.saturating_add_signed(more);
        }
        let mut stocks = Stocks::default();
        for owner in owners {
            if let Some(stock) = stocks.get_mut(owner.0) {
                *stock = Some(self.existing(owner));
            }
        }
        (Answer { status, cost, stocks, origin: Origin::Upstream }, more < 0)
    }

    pub fn existing(&self, owner: &Owner) -> u64 {
        self.things.get(owner).copied().unwrap_or_default()
    }
}
