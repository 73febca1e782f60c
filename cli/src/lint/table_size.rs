//! Tables with room for very few clients.

use super::Warning;
use crate::inspect::table_room;
use tollgate::compile::Configuration;

/// A table with room for fewer clients is probably a mistake.
const MIN_CLIENTS: u64 = 1_000;

pub(super) fn warn_table_size(set: &Configuration, warnings: &mut Vec<Warning>) {
    let clients = table_room(set);
    if clients < MIN_CLIENTS {
        warnings.push(Warning::new(
            "table",
            format!("there is room for about {clients} clients; if there are more, those that used least are forgotten"),
        ));
    }
}
