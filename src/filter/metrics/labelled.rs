//! The counters of a policy's limits, tiers and consumers. Each is defined when it first counts something, so
//! that a long list of consumers costs nothing until they come, and a tick looks only at those that have
//! counted since the last one.
//!
//! Only names of the configuration are in the names of counters, so the configuration bounds how many there
//! are, whatever clients send.

use super::counter::Counter;
use crate::filter::host::Host;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::reply::ReplyRules;

/// What is counted: an event of one policy, at one of its limits, or with a caller of some tier or some
/// consumer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Label {
    /// The policy, as an index into `PolicySet::policies`.
    pub policy: usize,
    pub about: About,
    pub event: Event,
}

/// What a counter is about besides its policy. The index is that of the configuration's list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum About {
    Limit(usize),
    Tier(usize),
    Consumer(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Admitted,
    Rejected,
    ShadowRejected,
}

impl Event {
    fn word(self) -> &'static str {
        match self {
            Event::Admitted => "admitted",
            Event::Rejected => "refused",
            Event::ShadowRejected => "shadow_refused",
        }
    }
}

impl Label {
    /// As a key of the map.
    fn key(self) -> Identity {
        let (kind, index) = match self.about {
            About::Limit(index) => (0, index),
            About::Tier(index) => (1, index),
            About::Consumer(index) => (2, index),
        };
        let event = match self.event {
            Event::Admitted => 0,
            Event::Rejected => 1,
            Event::ShadowRejected => 2,
        };
        Identity { page: (self.policy as u64) << 8 | kind << 4 | event, fingerprint: (index as u64) << 32 }
    }

    /// The counter's name. `None`: the configuration has no such thing.
    fn name(self, replies: &ReplyRules) -> Option<String> {
        let policy = replies.policies.get(self.policy)?;
        let (word, name) = match self.about {
            About::Limit(index) => (".limit.", &policy.limits.get(index)?.name),
            About::Tier(index) => (".tier.", replies.tiers.get(index)?),
            About::Consumer(index) => (".consumer.", &replies.consumers.get(index)?.name),
        };
        Some(["tollgate.policy.", &policy.name, word, name, ".", self.event.word()].concat())
    }
}

/// These counters of one filter configuration.
#[derive(Default)]
pub(super) struct Labelled {
    counters: IdentityMap<Entry>,
    /// Those that have counted since the last flush, each once.
    changed: Vec<Label>,
}

#[derive(Default)]
struct Entry {
    /// `None`: it is not defined yet.
    counter: Option<Counter>,
    /// What was counted since the last flush.
    pending: u64,
}

impl Labelled {
    pub fn count(&mut self, label: Label) {
        let Some(entry) = self.counters.open(label.key(), usize::MAX) else { return };
        if entry.pending == 0 {
            self.changed.push(label);
        }
        entry.pending += 1;
    }

    /// Adds what was counted since the last time to Envoy's counters.
    #[inline(never)] // nothing has changed at most ticks
    pub fn flush(&mut self, host: impl Host, replies: &ReplyRules) {
        for label in self.changed.drain(..) {
            let Some(entry) = self.counters.get_mut(label.key()) else { continue };
            if entry.counter.is_none() {
                entry.counter = label.name(replies).map(|name| Counter::define(host, &name));
            }
            let pending = std::mem::take(&mut entry.pending);
            if let Some(counter) = &mut entry.counter {
                counter.pending = pending;
                counter.flush(host);
            }
        }
    }
}
