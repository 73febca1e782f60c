//! How many clients the table has room for.

use super::Warning;
use crate::inspect::clients;
use tollgate::compile::Configuration;

/// A table with room for fewer clients is hardly what was meant.
const FEW: u64 = 1_000;

pub(super) fn warn_room(set: &Configuration, warnings: &mut Vec<Warning>) {
    let clients = clients(set);
    if clients < FEW {
        warnings.push(Warning::new(
            "table",
            format!("there is room for some {clients} clients; of more, those that used least are forgotten"),
        ));
    }
}
