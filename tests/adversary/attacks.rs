//! The attacks that once worked (A1 to A6), each by its name, with the figures that say whether it still
//! does.

mod a1_full_maps;
mod a2_no_answer;
mod a3_in_flight;
mod a4_full_page;
mod a5_newcomers;
mod a6_busy_callers;

use super::fate::Fate;
use super::script;
use super::world::{Visit, World};
use tollgate::config::{Value, parse_json};
use tollgate::time::Micros;

const KEYS: &str = r#""ip": {"client_ip": {}}, "key": {"header": "authorization", "scheme": "Bearer"},
    "session": {"cookie": "session", "valid": {"unless": [401], "for": "10m"}}"#;

/// A document with these policies.
fn policies(policies: &str) -> Value {
    let document = format!(r#"{{"keys": {{{KEYS}}}, "policies": [{policies}]}}"#);
    parse_json(document.as_bytes()).expect("JSON")
}

/// One worker, and a table that is never full.
fn roomy(document: &Value) -> World {
    World::new(document, 1, 16_384)
}

/// So many requests of one kind, each so long after the one before. Answers how many were admitted.
fn ask(world: &mut World, times: u32, visit: &Visit, fate: Fate, gap: Micros) -> u32 {
    (0..times).map(|_| u32::from(world.ask_alone(0, visit, fate, gap))).sum()
}
