//! This worker as a member of its fleets: its calls of their services, and the requests that wait for the answers.

use super::host::{Host, new_holder};
use crate::config::{ConfigError, ConfigErrors};
use crate::fleet::member::Member;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::rules::FleetSettings;
use crate::time::{Micros, Now};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The most requests that wait at once. Further ones are decided without the service.
const MAX_WAITING: usize = 16_384;

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
}

/// A request that waits for units.
pub(super) trait Waits {
    /// Decides the request. Returns the caller whose units it has to wait for again, if it has to.
    fn decide(&self) -> Option<Identity>;

    /// Decides the request without further units.
    fn decide_now(&self);

    /// Whether nobody needs a decision any more: the client has left.
    fn is_over(&self) -> bool;

    /// Whether it has waited for as long as it may.
    fn is_late(&self) -> bool;
}

/// The requests that wait, by the caller whose units they wait for.
#[derive(Default)]
pub(super) struct Waiting {
    requests: IdentityMap<Vec<Rc<dyn Waits>>>,
    number: usize,
}

/// One configuration's way to its fleet.
pub(super) struct Fleet {
    pub membership: Rc<Membership>,
    cluster: String,
    path: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// The host's names of the calls without an answer so far, and the member's.
    calls: Vec<(u32, u64)>,
    /// The root context of the configuration. `None`: it is deleted.
    pub root: Option<u32>,
}

impl Fleet {
    /// Joins a fleet, or goes on as its member.
    pub fn new<H: Host>(
        host: H,
        root: u32,
        settings: &FleetSettings,
        members: &Members,
    ) -> Result<Fleet, ConfigErrors> {
        if !host.can_wait(root) {
            let found = "a host that does not let this module pause requests";
            let allowed = "with proxy_http_call, proxy_set_effective_context and proxy_continue_stream among the \
                           allowed_capabilities";
            return Err(ConfigError::new("fleet", found, allowed).into());
        }
        let membership = members.of::<H>(&settings.name, settings.timeout);
        membership.member.borrow_mut().set_timeout(settings.timeout);
        Ok(Fleet {
            membership,
            cluster: settings.cluster.clone(),
            path: format!("/v1/{}/", settings.name),
            timeout: Duration::from_micros(settings.timeout),
            calls: Vec::new(),
            root: Some(root),
        })
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
        self.root = None;
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
        });
        members.push((fleet.to_owned(), membership.clone()));
        membership
    }
}

impl Waiting {
    /// Adds a request. `false`: too many wait.
    pub fn add(&mut self, caller: Identity, request: Rc<dyn Waits>) -> bool {
        let room = self.number < MAX_WAITING;
        let Some(requests) = self.requests.open(caller, usize::MAX).filter(|_| room) else { return false };
        requests.push(request);
        self.number += 1;
        true
    }

    /// Takes the requests that wait for a caller's units.
    pub fn take(&mut self, caller: Identity) -> Vec<Rc<dyn Waits>> {
        let requests = self.requests.remove(caller).unwrap_or_default();
        self.number -= requests.len();
        requests
    }

    /// Takes the requests that have waited for as long as they may. Those whose clients have left are dropped.
    pub fn take_late(&mut self) -> Vec<Rc<dyn Waits>> {
        let mut late = Vec::new();
        let mut number = 0;
        self.requests.each_mut(|requests| {
            late.extend(requests.extract_if(.., |request| request.is_over() || request.is_late()));
            number += requests.len();
        });
        self.number = number;
        for caller in self.callers() {
            if self.requests.get(caller).is_some_and(Vec::is_empty) {
                self.requests.remove(caller);
            }
        }
        late.retain(|request| !request.is_over());
        late
    }

    /// The callers whose units requests wait for.
    pub fn callers(&self) -> Vec<Identity> {
        self.requests.iter().map(|(caller, _)| caller).collect()
    }
}
