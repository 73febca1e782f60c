//! This worker as a member of its fleets, and its calls of their services.

use super::host::{Host, new_holder};
use super::waiting::{Waiting, Waits};
use crate::config::{ConfigError, ConfigErrors};
use crate::fleet::member::Member;
use crate::identity::Identity;
use crate::rules::FleetSettings;
use crate::time::{Micros, Now};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// This VM's memberships, by the fleets' names. All its configurations share them, so units in hand outlive
/// the configuration that they came from.
#[derive(Clone, Default)]
pub(super) struct Members(Rc<RefCell<Vec<Named>>>);

/// A fleet's name, and this worker as its member.
type Named = (String, Rc<Membership>);

/// This worker as a member of one fleet.
pub(super) struct Membership {
    pub member: RefCell<Member>,
    pub waiting: RefCell<Waiting>,
    /// The configurations whose root contexts live. Each ticks, and decides whoever waits.
    roots: Cell<u32>,
}

impl Membership {
    /// Whether a root context lives, so that a tick follows.
    pub fn ticks(&self) -> bool {
        self.roots.get() > 0
    }
}

/// One configuration's way to its fleet.
pub(super) struct FleetClient {
    pub membership: Rc<Membership>,
    cluster: String,
    path: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// The host's names of the calls without an answer so far, and the member's.
    calls: Vec<(u32, u64)>,
    /// The root context of the configuration. `None`: it is deleted.
    pub root: Option<u32>,
    /// Whether its ticks come early, since requests are ready to be decided.
    pub hurries: bool,
}

impl FleetClient {
    /// Whether the host lets this module do what it takes.
    pub fn check(host: impl Host, root: u32) -> Result<(), ConfigErrors> {
        if host.can_wait(root) {
            return Ok(());
        }
        let found = "a host that does not let this module pause requests";
        let allowed = "with proxy_http_call, proxy_set_effective_context and proxy_continue_stream among the \
                       allowed_capabilities";
        Err(ConfigError::new("fleet", found, allowed).into())
    }

    /// Joins a fleet, or goes on as its member.
    pub fn new<H: Host>(root: u32, settings: &FleetSettings, members: &Members) -> FleetClient {
        let membership = members.of::<H>(&settings.name, settings.timeout);
        membership.member.borrow_mut().set_timeout(settings.timeout);
        membership.roots.update(|roots| roots.saturating_add(1));
        FleetClient {
            membership,
            cluster: settings.cluster.clone(),
            path: format!("/v1/{}/", settings.name),
            timeout: Duration::from_micros(settings.timeout),
            calls: Vec::new(),
            root: Some(root),
            hurries: false,
        }
    }

    /// Lets a request wait for a caller's units. `false`: too many wait, or nobody would decide it.
    pub fn wait(&self, caller: Identity, request: Rc<dyn Waits>) -> bool {
        let waits = self.root.is_some() && self.membership.waiting.borrow_mut().add(caller, request);
        self.membership.member.borrow_mut().count(|stats| stats.waited += u64::from(waits));
        waits
    }

    /// Sends all calls that are to be sent now. Returns the callers whose requests wait in vain.
    pub fn send(&mut self, host: impl Host, now: Now) -> Vec<Identity> {
        let mut freed = Vec::new();
        let mut member = self.membership.member.borrow_mut();
        while let Some(call) = member.next_call(now) {
            let path = [&self.path, call.path].concat();
            match host.call(&self.cluster, &path, &call.body, self.timeout) {
                Some(token) => self.calls.push((token, call.number)),
                None => freed.extend(member.answered(call.number, Err(0), now)),
            }
        }
        freed
    }

    /// The root context is gone: nobody sends calls for this configuration any more, nor hears of their answers.
    /// Returns all callers whose units requests wait for.
    pub fn leave(&mut self) -> Vec<Identity> {
        if self.root.take().is_some() {
            self.membership.roots.update(|roots| roots.saturating_sub(1));
        }
        let mut member = self.membership.member.borrow_mut();
        self.calls.drain(..).for_each(|(_, number)| member.cancel(number));
        self.membership.waiting.borrow().callers()
    }

    /// A call has an answer, or will have none. Returns the callers whose requests can be decided now.
    pub fn answered(&mut self, host: impl Host, token: u32, now: Now) -> Vec<Identity> {
        let Some(at) = self.calls.iter().position(|(own, _)| *own == token) else { return Vec::new() };
        let (_, number) = self.calls.swap_remove(at);
        let body = match host.call_status() {
            200 => Ok(host.call_body()),
            status => Err(status),
        };
        let body = body.as_deref().map_err(|status| *status);
        self.membership.member.borrow_mut().answered(number, body, now)
    }
}

impl Members {
    fn of<H: Host>(&self, fleet: &str, timeout: Micros) -> Rc<Membership> {
        let mut members = self.0.borrow_mut();
        if let Some((_, member)) = members.iter().find(|(name, _)| name == fleet) {
            return member.clone();
        }
        let holder = u64::from_le_bytes(new_holder::<H>());
        let membership = Rc::new(Membership {
            member: RefCell::new(Member::new(holder, timeout)),
            waiting: RefCell::default(),
            roots: Cell::default(),
        });
        members.push((fleet.to_owned(), membership.clone()));
        membership
    }
}
