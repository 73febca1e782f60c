//! How many clients the table has room for.

use super::Doubt;
use crate::inspect::clients;
use tollgate::compile::Configuration;

/// A table with room for fewer clients is hardly what was meant.
const FEW: u64 = 1_000;

pub(super) fn doubt_room(set: &Configuration, doubts: &mut Vec<Doubt>) {
    let clients = clients(set);
    if clients < FEW {
        doubts.push(Doubt::new(
            "table",
            format!("there is room for some {clients} clients; of more, those that used least are forgotten"),
        ));
    }
}
