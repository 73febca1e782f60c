//! How many clients the table has room for.

use super::super::PolicySet;
use super::Doubt;
use crate::limiter::{Counter, Limit};
use crate::table::page;
use crate::time::{Now, SECOND};

/// A table with room for fewer clients is hardly what was meant.
const FEW: u64 = 1_000;

/// Bytes of a page that are not for the records of new clients.
const OF_A_PAGE: u64 = (page::RESERVE + page::PAGE_HEADER + page::HOST_SUFFIX) as u64;

/// Bytes of a record beside its states.
const OF_A_RECORD: u64 = page::RECORD_HEADER as u64;

/// Bytes of a state beside its content, whose length takes one byte.
const OF_A_STATE: u64 = page::STATE_HEADER as u64 + 1;

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
