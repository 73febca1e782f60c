//! What has happened lately, to be told when a promise is broken.

use super::fate::Fate;
use super::oracle::StreamId;
use super::world::Visit;
use std::collections::VecDeque;
use std::fmt::Write;
use tollgate::time::Micros;

/// So many events are remembered, and so many of them told.
const REMEMBERED: usize = 20_000;
const TOLD: usize = 40;

/// One of them. Of requests that were rejected nothing is known but that.
#[derive(Clone)]
pub enum Event {
    RequestCache(Box<(usize, Visit, Fate)>),
    Rejected,
    Handled(u16),
    Heard,
    Ended,
    Updated,
}

impl Event {
    pub fn asked(worker: usize, visit: &Visit, fate: Fate, rejected: bool) -> Event {
        if rejected { Event::Rejected } else { Event::RequestCache(Box::new((worker, visit.clone(), fate))) }
    }
}

/// The last events.
#[derive(Default)]
pub struct Chronicle(VecDeque<(StreamId, Micros, Event)>);

impl Chronicle {
    pub fn note(&mut self, stream: StreamId, at: Micros, event: Event) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((stream, at, event));
    }

    /// The last of those about some streams, and updates.
    pub fn told(&self, streams: &[StreamId]) -> String {
        let about = |(stream, _, event): &&(StreamId, Micros, Event)| {
            streams.contains(stream) || matches!(event, Event::Updated)
        };
        let last: Vec<_> = self.0.iter().rev().filter(about).take(TOLD).collect();
        last.iter().rev().fold(String::new(), |mut told, (stream, at, event)| {
            let _ = match event {
                Event::RequestCache(asked) => {
                    let (worker, Visit { call, deed, cost }, fate) = asked.as_ref();
                    let who = (&call.address, &call.bearer, &call.session, &call.organization);
                    writeln!(
                        told,
                        "{at} µs, {stream}, worker {worker}: {} {} of {who:?}, {deed:?} for {cost}, {fate:?}",
                        call.method, call.path
                    )
                }
                Event::Handled(status) => writeln!(told, "{at} µs, {stream}: handled, {status}"),
                Event::Rejected => writeln!(told, "{at} µs, {stream}: rejected"),
                Event::Heard => writeln!(told, "{at} µs, {stream}: answered"),
                Event::Ended => writeln!(told, "{at} µs, {stream}: ended"),
                Event::Updated => writeln!(told, "{at} µs: other policies"),
            };
            told
        })
    }
}
