//! Several clients at once, each on a connection of its own.

use std::thread;

use super::request::{Request, admitted};

/// So many clients.
pub struct Crowd(pub usize);

impl Crowd {
    /// Each sends the request `times` times: how many passed? Every other answer must be a 429.
    pub fn admitted_of(&self, times: usize, request: &Request) -> usize {
        self.sum_of(|| request.admitted_of(times))
    }

    /// Each sends the request until it has been rejected `run` times without a break: how many passed?
    pub fn admitted_before_rejections(&self, run: usize, request: &Request) -> usize {
        self.sum_of(|| admitted_before_rejections(run, request))
    }

    /// Each does this: what is the sum?
    pub fn sum_of(&self, act: impl Fn() -> usize + Sync) -> usize {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.0).map(|_| scope.spawn(&act)).collect();
            clients.into_iter().map(|client| client.join().expect("a client's work")).sum()
        })
    }
}

fn admitted_before_rejections(run: usize, request: &Request) -> usize {
    let mut connection = request.connect();
    let (mut passed, mut rejected) = (0, 0);
    while rejected < run {
        if admitted(&connection.exchange(request)) {
            (passed, rejected) = (passed + 1, 0);
        } else {
            rejected += 1;
        }
    }
    passed
}
