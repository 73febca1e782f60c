//! Many clients that send as fast as they can, on connections of their own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Stage;
use super::judge::{Outcome, Record};
use crate::harness::{Connection, NUMBER, Request};

/// How many clients each Envoy has.
const CLIENTS: usize = 3;

/// How long a client rests after an answer that is not 200, so that the machine has time for the others.
const REST: Duration = Duration::from_millis(2);

static LAST: AtomicU64 = AtomicU64::new(0);

impl Stage {
    /// Sends `target` with this key over all Envoys, as fast as answers come, for so long, and as long as
    /// `meanwhile` takes.
    pub fn flood(&self, target: &str, key: &str, lasting: Duration, meanwhile: impl FnOnce()) -> Record {
        self.flood_of(|i| self.try_on(i, |gateway| gateway.get(target).key(key)), lasting, meanwhile)
    }

    /// The same at so many requests a second, spread evenly over all clients.
    pub fn paced_flood(&self, target: &str, key: &str, per_second: u32, lasting: Duration) -> Record {
        let clients = u32::try_from(CLIENTS * self.envoys()).unwrap_or(u32::MAX);
        let request = |i: usize| {
            thread::sleep(Duration::from_secs(1) * clients / per_second);
            self.try_on(i, |gateway| gateway.get(target).key(key))
        };
        self.flood_of(request, lasting, || ())
    }

    /// The same with a request for each Envoy. `None`: it does not run.
    pub fn flood_of(
        &self,
        request: impl Fn(usize) -> Option<Request> + Sync,
        lasting: Duration,
        meanwhile: impl FnOnce(),
    ) -> Record {
        let over = AtomicBool::new(false);
        let client = |i: usize| {
            let mut client = Client { connection: None };
            let mut outcomes = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let outcome = request(i).map(|request| client.send(&request));
                if outcome.as_ref().is_none_or(|outcome| outcome.status != 200) {
                    thread::sleep(REST);
                }
                outcomes.extend(outcome);
            }
            outcomes
        };
        let client = &client;
        let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
            let clients =
                (0..CLIENTS * self.envoys()).map(|n| scope.spawn(move || client(n % self.envoys())));
            let clients: Vec<_> = clients.collect();
            let end = Instant::now() + lasting;
            // If it panics, the clients have to end all the same.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
            if done.is_ok() {
                thread::sleep(end.saturating_duration_since(Instant::now()));
            }
            over.store(true, Ordering::Relaxed);
            let outcomes =
                clients.into_iter().flat_map(|client| client.join().expect("a client's work")).collect();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcomes
        });
        for outcome in &mut outcomes {
            outcome.arrived = self.upstream.arrival(outcome.number);
        }
        Record::new(outcomes)
    }
}

struct Client {
    connection: Option<Connection>,
}

impl Client {
    fn send(&mut self, request: &Request) -> Outcome {
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let request = request.clone().header(NUMBER, number.to_string());
        let sent = Instant::now();
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => request.try_connect(),
        };
        let answer = connection.and_then(|mut connection| {
            let response = connection.try_exchange(&request)?;
            self.connection = Some(connection);
            Ok(response)
        });
        let status = answer.as_ref().map_or(0, |response| response.status);
        Outcome { number, sent, arrived: None, status }
    }
}
