//! What the root context does for the fleet: it sends the worker's calls, and has the requests decided that wait
//! for their answers.
//!
//! Calls are sent from the root context. One that belonged to a stream would be lost with it, and so would the
//! units that it brings.

use super::alarm::Alarm;
use super::host::Host;
use super::membership::FleetClient;
use super::waiting::Waiting;
use super::worker::Worker;
use crate::fleet::member::Event;
use crate::identity::Identity;
use crate::time::{Micros, Now};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// A fleet's member has to notice soon that its service is back.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// The tick that follows while requests are ready to be decided.
const SOON: Duration = Duration::from_millis(1);

/// So many requests are decided at once, which happens at most three times in one callback.
///
/// Envoy lets a stream go on, or answers it, right after the callback that has decided it. Within that it calls the
/// module about the response, and right after *that* callback goes on with the next stream: one within the other.
/// V8 ends a VM whose stack is full, by some 500 streams in the shortest filter chain.
const MOST: usize = 16;

/// Sends what is to be sent, in the root context of a configuration.
pub(super) fn send<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    let freed = with_fleet(worker, |host, fleet, now| fleet.send(host, now));
    resume(worker, freed, MOST);
}

/// Sends what a stream waits for, and comes back to the stream's context.
pub(super) fn send_for<H: Host>(worker: &RefCell<Worker<H>>, context: u32) {
    let (host, root) = {
        let worker = worker.borrow();
        (worker.host, worker.fleet.as_ref().and_then(|fleet| fleet.root))
    };
    if let Some(root) = root {
        host.wake_root(root, context);
    }
}

/// A call of this configuration has an answer, or will have none.
pub(super) fn answered<H: Host>(worker: &Rc<RefCell<Worker<H>>>, token: u32) {
    let freed = with_fleet(worker, |host, fleet, now| fleet.answered(host, token, now));
    resume(worker, freed, MOST);
    send(worker);
}

/// Decides ready requests, in a tick that came early for them. `true`: some are left, and the next tick comes early,
/// too.
pub(super) fn hurry<H: Host>(worker: &Rc<RefCell<Worker<H>>>) -> bool {
    if !worker.borrow().fleet.as_ref().is_some_and(|fleet| fleet.hurries) {
        return false;
    }
    in_streams(worker, MOST, |_, _| ());
    let worker = &mut *worker.borrow_mut();
    let Some(fleet) = &mut worker.fleet else { return false };
    fleet.hurries = fleet.membership.waiting.borrow().has_ready();
    if !fleet.hurries {
        worker.host.tick_every(TICK);
    }
    fleet.hurries
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
    let (host, now) = (worker.borrow().host, H::monotonic_time());
    events.iter().for_each(|event| report(event, host, now));
    // Late ones: nobody has asked for their units, since too many callers wait, or the service does not answer any
    // more.
    in_streams(worker, MOST, |waiting, now| {
        freed.into_iter().for_each(|caller| waiting.free(caller));
        waiting.free_late(now);
    });
    send(worker);
}

/// The root context is gone: nobody sends calls for this configuration any more, nor hears of their answers.
/// Those that wait are decided a few at a time by the ticks of another configuration of this fleet, which follows
/// on this one as a rule. If there is none, all are decided at once, since no tick follows.
pub(super) fn leave<H: Host>(worker: &Rc<RefCell<Worker<H>>>) {
    let mut most = usize::MAX;
    let callers = with_fleet(worker, |_, fleet, _| {
        let callers = fleet.leave();
        if fleet.membership.ticks() {
            most = MOST;
        }
        callers
    });
    resume(worker, callers, most);
}

fn report(event: &Event, host: impl Host, now: Micros) {
    let down = |words: std::fmt::Arguments<'_>| Alarm::FLEET_DOWN.warn(words, host, now);
    match event {
        Event::Joined => log::info!("this worker has joined the fleet"),
        Event::Down(0) => down(format_args!("the fleet's service does not answer")),
        Event::Down(status) => down(format_args!("the fleet's service answers with {status}")),
        Event::Up if Alarm::FLEET_DOWN.is_open(host) => log::warn!("the fleet's service answers again"),
        Event::Up => {}
        Event::Emptied => {
            Alarm::FLEET_EMPTIED.warn(format_args!("the fleet's engine has lost its data"), host, now);
        }
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

/// Decides the requests that wait for these callers. Some may have to wait again.
fn resume<H: Host>(worker: &Rc<RefCell<Worker<H>>>, callers: Vec<Identity>, most: usize) {
    in_streams(worker, most, |waiting, _| callers.into_iter().for_each(|caller| waiting.free(caller)));
}

/// Decides requests, each in its stream's context, and comes back to the root's: those that `free` adds to the ready
/// ones, but only the first `most`. If some are left, a tick follows soon.
fn in_streams<H: Host>(
    worker: &Rc<RefCell<Worker<H>>>,
    most: usize,
    free: impl FnOnce(&mut Waiting, Micros),
) {
    let (host, now, membership, root) = {
        let worker = worker.borrow();
        let Some(fleet) = &worker.fleet else { return };
        (worker.host, worker.clock.now::<H>().mono, fleet.membership.clone(), fleet.root)
    };
    let waiting = &membership.waiting;
    free(&mut waiting.borrow_mut(), now);
    let mut decided = 0;
    while decided < most {
        let Some(request) = waiting.borrow_mut().next() else { break };
        decided += 1;
        let waits_again = |caller| waiting.borrow_mut().add(caller, request.clone());
        if request.decide(now).is_some_and(|caller| !waits_again(caller)) {
            request.decide_now();
        }
    }
    if let Some(root) = root.filter(|_| decided > 0) {
        host.enter(root);
    }
    let is_left = waiting.borrow().has_ready();
    if let Some(fleet) =
        worker.borrow_mut().fleet.as_mut().filter(|fleet| is_left && !fleet.hurries && root.is_some())
    {
        fleet.hurries = true;
        host.tick_every(SOON);
    }
}
