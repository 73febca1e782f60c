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
    /// How many things there are: `x-stock`.
    pub stock: Option<u64>,
    pub origin: Origin,
}

impl Answer {
    pub fn of_envoy(status: u16) -> Answer {
        Answer { status, cost: 0, stock: None, origin: Origin::Envoy }
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
            "x-stock" => self.stock,
            _ => None,
        };
        number.map(|number| number.to_string().into_bytes())
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
        let stock = owners.first().map(|owner| self.existing(owner));
        (Answer { status, cost, stock, origin: Origin::Upstream }, more < 0)
    }

    pub fn existing(&self, owner: &Owner) -> u64 {
        self.things.get(owner).copied().unwrap_or_default()
    }
}
