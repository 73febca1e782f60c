//! What the root context does for the fleet: it sends the worker's calls, and has the requests decided that wait
//! for their answers.
//!
//! Calls are sent from the root context. One that belonged to a stream would be lost with it, and so would the
//! units that it brings.

use super::host::Host;
use super::membership::{FleetClient, Membership};
use super::worker::Worker;
use crate::fleet::member::Event;
use crate::identity::Identity;
use crate::time::{Micros, Now};
use std::cell::RefCell;
use std::rc::Rc;

/// Sends what is to be sent, in the root context of a configuration.
pub(super) fn send<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    let freed = with_fleet(worker, |host, fleet, now| fleet.send(host, now));
    resume(worker, freed);
}

/// A call of this configuration has an answer, or will have none.
pub(super) fn answered<H: Host>(worker: &Rc<RefCell<Worker<H>>>, token: u32) {
    let freed = with_fleet(worker, |host, fleet, now| fleet.answered(host, token, now));
    resume(worker, freed);
    send(worker);
}

/// About ten times a second, in the root context.
pub(super) fn tick<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    let mut events = Vec::new();
    let freed = with_fleet(worker, |_, fleet, now| {
        let mut member = fleet.membership.member.borrow_mut();
        let freed = member.tick(now);
        events = member.take_events();
        freed
    });
    events.iter().for_each(report);
    resume(worker, freed);
    release_late(worker);
    send(worker);
}

/// The root context is gone: nobody sends calls for this configuration any more, nor hears of their answers.
pub(super) fn leave<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    let callers = with_fleet(worker, |_, fleet, _| fleet.leave());
    resume(worker, callers);
}

fn report(event: &Event) {
    match event {
        Event::Joined => log::info!("this worker has joined the fleet"),
        Event::Down(0) => {
            log::warn!("the fleet's service does not answer: each policy follows its on_outage");
        }
        Event::Down(status) => {
            log::warn!("the fleet's service answers with {status}: each policy follows its on_outage");
        }
        Event::Up => log::info!("the fleet's service answers again"),
        Event::Emptied => log::error!("the fleet's engine has lost its data: all its counts begin anew"),
    }
}

fn with_fleet<H: Host>(
    worker: &Rc<RefCell<Worker<H>>>,
    use_it: impl FnOnce(H, &mut FleetClient, Now) -> Vec<Identity>,
) -> Vec<Identity> {
    let worker = &mut *worker.borrow_mut();
    let now = worker.clock.now::<H>();
    worker.fleet.as_mut().map(|fleet| use_it(worker.host, fleet, now)).unwrap_or_default()
}

/// Decides the requests that have waited for as long as they may: nobody has asked for their units, since too
/// many callers wait, or the service does not answer any more.
fn release_late<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    in_streams(worker, |membership, now| {
        let late = membership.waiting.borrow_mut().take_late(now);
        late.iter().for_each(|request| request.decide_now());
        !late.is_empty()
    });
}

/// Decides the requests that wait for these callers. Some may have to wait again.
fn resume<H: Host>(worker: &Rc<RefCell<Worker<H>>>, callers: Vec<Identity>) {
    in_streams(worker, |membership, now| {
        let mut decided = false;
        for caller in callers {
            let requests = membership.waiting.borrow_mut().take(caller);
            for request in requests.into_iter().filter(|request| !request.is_over()) {
                decided = true;
                let waits_again = |caller| membership.waiting.borrow_mut().add(caller, request.clone());
                if request.decide(now).is_some_and(|caller| !waits_again(caller)) {
                    request.decide_now();
                }
            }
        }
        decided
    });
}

/// Decides requests, each in its stream's context, and comes back to the root's. `decide` says whether there were
/// any.
fn in_streams<H: Host>(worker: &Rc<RefCell<Worker<H>>>, decide: impl FnOnce(&Membership, Micros) -> bool) {
    let (host, now, membership, root) = {
        let worker = worker.borrow();
        let Some(fleet) = &worker.fleet else { return };
        (worker.host, worker.clock.now::<H>(), fleet.membership.clone(), fleet.root)
    };
    let decided = decide(&membership, now.mono);
    if let Some(root) = root.filter(|_| decided) {
        host.enter(root);
    }
}
