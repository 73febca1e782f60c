//! The workers that the fleet has had in the last minute. In an outage each gets its share of a quota, so each is
//! told how many there are. All services keep one list in the engine, and each adds those that it has heard of.

use crate::engine::{Engine, Found, Swap, Swapped, Unavailable};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tollgate::time::{Micros, SECOND};

/// How long a worker counts that has gone silent. A living one says something every 10 s.
const WORKER_TIME: Micros = 60 * SECOND;

/// How old an entry of the list may be before it is written again. Nothing is written more often for it.
const RENEW_TIME: Micros = WORKER_TIME / 4;

/// The most workers of the list, so that its value stays small.
const MAX_WORKERS: usize = 4_096;

/// The workers, as far as this service knows.
pub struct Workers {
    key: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that have said something since the list was last written.
    heard: HashSet<u64>,
    /// The number of those in the list.
    listed: usize,
}

impl Workers {
    /// `prefix` is what the fleet's keys begin with.
    pub fn new(prefix: &str) -> Workers {
        Workers { key: format!("{prefix}#workers"), state: Mutex::default() }
    }

    /// Notes that a worker has said something. Returns the number of all workers.
    pub fn note(&self, worker: u64) -> u32 {
        let mut state = self.lock();
        if state.heard.len() < MAX_WORKERS {
            state.heard.insert(worker);
        }
        u32::try_from(state.listed.max(state.heard.len())).unwrap_or(u32::MAX)
    }

    /// Adds the workers that this service has heard of to the list, if it lacks them or they are old in it. If
    /// another service was faster, the next time will do.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn publish(&self, engine: &Engine) -> Result<(), Unavailable> {
        let read = engine.read(std::slice::from_ref(&self.key)).await?.into_iter().next().unwrap_or_default();
        let old = match read.found {
            Found::Nothing => None,
            Found::Text(text) => Some(text),
            Found::Foreign => return Ok(()),
        };
        let mut list = old.as_deref().map(parse).unwrap_or_default();
        let heard = std::mem::take(&mut self.lock().heard);
        let is_fresh = |seen: &Micros| seen.saturating_add(RENEW_TIME) > read.now;
        let is_news = heard.iter().any(|worker| !list.get(worker).is_some_and(is_fresh));
        list.extend(heard.iter().map(|worker| (*worker, read.now)));
        list.retain(|_, seen| seen.saturating_add(WORKER_TIME) > read.now);
        self.lock().listed = list.len();
        if !is_news {
            return Ok(());
        }
        let expires = read.now.saturating_add(2 * WORKER_TIME);
        let swapped = engine.swap(&[Swap { key: self.key.clone(), old, new: text(&list), expires }]).await;
        if !matches!(swapped.as_deref(), Ok([Swapped::Done])) {
            self.lock().heard.extend(heard);
        }
        swapped.map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `WORKER SEEN`, one a line.
fn text(list: &HashMap<u64, Micros>) -> String {
    let mut text = String::new();
    for (worker, seen) in list.iter().take(MAX_WORKERS) {
        let _ = writeln!(text, "{worker:016x} {seen}");
    }
    text
}

/// Lines that nobody has written are left out.
fn parse(text: &str) -> HashMap<u64, Micros> {
    let line = |line: &str| {
        let (worker, seen) = line.split_once(' ')?;
        Some((u64::from_str_radix(worker, 16).ok()?, seen.parse().ok()?))
    };
    text.lines().take(MAX_WORKERS).filter_map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::engine::Memory;

    #[tokio::test(flavor = "current_thread")]
    async fn services_on_one_engine_count_the_workers_of_all() {
        let engine = Engine::Memory(Memory::new(1_000));
        let services = [Workers::new("fleet"), Workers::new("fleet")];
        assert_eq!(services[0].note(1), 1);
        assert_eq!(services[0].note(2), 2);
        assert_eq!(services[1].note(3), 1);
        for service in services.iter().chain(&services) {
            service.publish(&engine).await.unwrap();
        }
        assert_eq!(services[0].note(1), 3);
        assert_eq!(services[1].note(3), 3);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_worker_that_the_list_has_lately_heard_of_is_not_written_again() {
        let engine = Engine::Memory(Memory::new(1_000));
        let (service, keys) = (Workers::new("fleet"), ["fleet#workers".to_owned()]);
        service.note(1);
        service.publish(&engine).await.unwrap();
        let before = engine.read(&keys).await.unwrap();
        service.note(1);
        service.publish(&engine).await.unwrap();
        assert_eq!(engine.read(&keys).await.unwrap()[0].found, before[0].found);
        service.note(2);
        service.publish(&engine).await.unwrap();
        assert_ne!(engine.read(&keys).await.unwrap()[0].found, before[0].found);
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_what_nobody_wrote_is_left_out() {
        let list = HashMap::from([(1, 5), (u64::MAX, 7)]);
        assert_eq!(parse(&text(&list)), list);
        assert_eq!(parse("nonsense\n0001 x\n0002 8"), HashMap::from([(2, 8)]));
    }
}
