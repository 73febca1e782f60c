//! How many clients the table has room for.

use super::super::PolicySet;
use super::Doubt;
use crate::limiter::{Counter, Limit};
use crate::time::{Now, SECOND};

/// A table with room for fewer clients is hardly what was meant.
const FEW: u64 = 1_000;

/// What a page keeps back for records that grow, its own first bytes, and the host's last one.
const OF_A_PAGE: u64 = 192 + 4 + 1;
/// What a record takes beside its states, and a state beside its bytes.
const OF_A_RECORD: u64 = 14;
const OF_A_STATE: u64 = 11;

pub(super) fn doubt_room(set: &PolicySet, doubts: &mut Vec<Doubt>) {
    let clients = set.clients();
    if clients < FEW {
        doubts.push(Doubt::new(
            "table",
            format!("there is room for some {clients} clients; of more, those that used least are forgotten"),
        ));
    }
}

impl PolicySet {
    /// How many clients of one request each, by every key, the table has room for if they spread evenly.
    pub fn clients(&self) -> u64 {
        let mut records: Vec<(&[usize], Vec<&Limit>)> = Vec::new();
        for policy in &self.policies {
            match records.iter_mut().find(|(key, _)| *key == policy.key && !policy.apart) {
                Some((_, limits)) => limits.extend(policy.limits()),
                None => records.push((&policy.key, policy.limits().iter().collect())),
            }
        }
        let bytes: u64 = records.iter().map(|(_, limits)| record_bytes(limits)).sum();
        let page = u64::from(self.geometry.page_bytes).saturating_sub(OF_A_PAGE);
        u64::from(self.geometry.pages.get()) * page / bytes.max(1)
    }
}

fn record_bytes(limits: &[&Limit]) -> u64 {
    OF_A_RECORD + limits.iter().map(|limit| OF_A_STATE + state_bytes(limit)).sum::<u64>()
}

/// After one request, ten days after the start: the longer ago, the longer the numbers.
fn state_bytes(limit: &Limit) -> u64 {
    let now = Now { mono: 864_000 * SECOND, wall: 1_767_222_000 * SECOND };
    let mut counter = Counter::empty(limit, now);
    counter.charge(now, 1);
    let mut bytes = Vec::new();
    counter.write(&mut bytes);
    bytes.len() as u64
}
