//! The counters of a policy's limits, tiers and consumers. A tick looks only at those that have counted since the last
//! one.
//!
//! Those of limits and tiers are defined when the policy is loaded: of a counter that appears with its first count,
//! `rate` misses that count. Those of consumers are defined when they first count something, so that a long list of
//! consumers costs nothing until they come, and so are those of limits and tiers beyond [`MAX_DEFINED`].
//!
//! Only names of the configuration are in the names of counters, so the configuration bounds how many there
//! are, whatever clients send.

use super::counter::Counter;
use crate::filter::host::Host;
use crate::reply::ReplyRules;

/// So many are defined at most when a policy is loaded, which costs a host call for each.
const MAX_DEFINED: usize = 4_096;

/// What is counted: an event of one policy, at one of its limits, or with a caller of some tier or some
/// consumer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Label {
    /// The policy, as an index into `PolicySet::policies`.
    pub policy: usize,
    pub about: About,
    /// The limit, tier or consumer, as an index into the configuration's list.
    pub index: usize,
    pub event: Event,
}

/// What a counter is about besides its policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum About {
    Limit,
    Tier,
    Consumer,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Admitted,
    Rejected,
    ShadowRejected,
}

impl Event {
    const NUMBER: usize = 3;

    fn word(self) -> &'static str {
        match self {
            Event::Admitted => "admitted",
            Event::Rejected => "refused",
            Event::ShadowRejected => "shadow_refused",
        }
    }
}

impl Label {
    /// Its place in the row of its policy.
    fn place(self) -> usize {
        self.index * Event::NUMBER + self.event as usize
    }

    /// The counter's name. `None`: the configuration has no such thing.
    fn name(self, replies: &ReplyRules) -> Option<String> {
        let policy = replies.policies.get(self.policy)?;
        let (word, name) = match self.about {
            About::Limit => (".limit.", &policy.limits.get(self.index)?.name),
            About::Tier => (".tier.", replies.tiers.get(self.index)?),
            About::Consumer => (".consumer.", &replies.consumers.get(self.index)?.name),
        };
        Some(["tollgate.policy.", &policy.name, word, name, ".", self.event.word()].concat())
    }
}

/// Where the counters of the limits, the tiers or the consumers of one policy are: by [`Label::place`], an index
/// into [`Labelled::entries`]. It is as long as what has counted demands.
#[derive(Default)]
pub(super) struct Row(Vec<usize>);

impl Row {
    const NOWHERE: usize = usize::MAX;
}

/// These counters of one filter configuration.
#[derive(Default)]
pub(super) struct Labelled {
    entries: Vec<Entry>,
    /// Those that have counted since the last flush, by index, each once.
    changed: Vec<usize>,
}

struct Entry {
    label: Label,
    /// `None`: it is not defined yet.
    counter: Option<Counter>,
    /// What was counted since the last flush.
    pending: u64,
}

impl Labelled {
    /// Defines a counter, so that it is there before it first counts. `row` is the policy's for what the label is about.
    pub fn define(&mut self, row: &mut Row, label: Label, host: impl Host, replies: &ReplyRules) {
        if self.entries.len() < MAX_DEFINED
            && let Some(name) = label.name(replies)
        {
            self.add(row, label, Some(Counter::define(host, &name)));
        }
    }

    /// Counts an event. `row` is the policy's for what the label is about.
    #[inline]
    pub fn count(&mut self, row: &mut Row, label: Label) {
        let place = row.0.get(label.place()).copied().unwrap_or(Row::NOWHERE);
        match self.entries.get_mut(place) {
            Some(Entry { pending, .. }) => {
                if *pending == 0 {
                    self.changed.push(place);
                }
                *pending += 1;
            }
            None => self.count_first(row, label),
        }
    }

    /// Counts an event for the first time.
    #[cold]
    fn count_first(&mut self, row: &mut Row, label: Label) {
        self.changed.push(self.entries.len());
        self.add(row, label, None);
        if let Some(Entry { pending, .. }) = self.entries.last_mut() {
            *pending = 1;
        }
    }

    #[cold]
    fn add(&mut self, Row(row): &mut Row, label: Label, counter: Option<Counter>) {
        let (at, place) = (label.place(), self.entries.len());
        if row.len() <= at {
            row.resize(at + 1, Row::NOWHERE);
        }
        if let Some(own) = row.get_mut(at) {
            *own = place;
        }
        self.entries.push(Entry { label, counter, pending: 0 });
    }

    /// Adds what was counted since the last time to Envoy's counters.
    #[inline(never)] // most ticks have little to add
    pub fn flush(&mut self, host: impl Host, replies: &ReplyRules) {
        for place in self.changed.drain(..) {
            let Some(Entry { label, counter, pending }) = self.entries.get_mut(place) else { continue };
            if counter.is_none() {
                *counter = label.name(replies).map(|name| Counter::define(host, &name));
            }
            let pending = std::mem::take(pending);
            if let Some(counter) = counter {
                counter.pending = pending;
                counter.flush(host);
            }
        }
    }
}
