//! What Envoy calls (proxy-wasm ABI 0.2.1), and whom each call is for.
//!
//! Only what is used is exported: Envoy calls whatever a module exports, for each request, and a call that does nothing
//! costs as much as one that does (see DESIGN.md).

use super::{Action, Gate, Passage};
use crate::identity_map::IdentityMap;
use crate::key::Identity;
use std::cell::RefCell;

/// Configurations and requests by the numbers that Envoy gives them.
struct Contexts {
    gates: Vec<(u32, Gate)>,
    passages: IdentityMap<Passage>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> =
        const { RefCell::new(Contexts { gates: Vec::new(), passages: IdentityMap::new() }) };
}

impl Contexts {
    /// Few at a time: a worker has one for each filter configuration, and old ones until their streams have ended.
    fn gate(&mut self, id: u32) -> Option<&mut Gate> {
        self.gates.iter_mut().find(|(of, _)| *of == id).map(|(_, gate)| gate)
    }
}

fn with<T>(use_them: impl FnOnce(&mut Contexts) -> T) -> T {
    CONTEXTS.with_borrow_mut(use_them)
}

/// A stream's number as a map wants it. Numbers that count up need no better hash than an odd factor, and no client
/// chooses them.
fn stream(id: u32) -> Identity {
    Identity { page: u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15), fingerprint: 0 }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, gate: u32) {
    const NONE: u32 = 0;
    with(|contexts| {
        if gate == NONE {
            contexts.gates.push((id, Gate::default()));
        } else if let Some(passage) = contexts.gate(gate).map(|gate| gate.admit())
            && let Some(place) = contexts.passages.open(stream(id), usize::MAX)
        {
            *place = passage;
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(id: u32, _size: usize) -> u32 {
    u32::from(with(|contexts| contexts.gate(id).is_some_and(Gate::configure)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(id: u32) {
    with(|contexts| contexts.gate(id).iter().for_each(|gate| gate.settle()));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _headers: usize, _end_of_stream: u32) -> u32 {
    let decide = |contexts: &mut Contexts| contexts.passages.get_mut(stream(id)).map(Passage::request);
    with(decide).unwrap_or(Action::Continue) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _headers: usize, _end_of_stream: u32) -> u32 {
    with(|contexts| contexts.passages.get_mut(stream(id)).iter_mut().for_each(|passage| passage.response()));
    Action::Continue as u32
}

/// The end of a stream, however it came, or of a configuration: what it still owes is posted before it goes.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    with(|contexts| match contexts.passages.remove(stream(id)) {
        Some(passage) => passage.end(),
        None => {
            contexts.gate(id).iter().for_each(|gate| gate.settle());
            contexts.gates.retain(|(of, _)| *of != id);
        }
    });
}
