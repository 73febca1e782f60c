//! Failed logins are limited while they are in flight: in parallel, and by clients that never hear that they
//! have failed.

use std::time::Duration;

use crate::harness::{Crowd, Request, Served, Setup, new_ip};

const QUOTA: usize = 5;
const GUESSES: usize = 200;

const POLICY: &str = "
keys: { client_ip: { client_ip: {} } }
policies: [{ name: failures, key: client_ip, count_on: [401], limits: [{ quota: 5, window: 1h }] }]
";

fn served() -> Served {
    Setup::yaml(POLICY).start_served()
}

/// A client, whose logins the upstream decides on when it is told to.
fn guesses(served: &Served, count: usize) -> Vec<Request> {
    vec![served.gateway.get(crate::harness::HELD).from(new_ip()); count]
}

#[test]
fn of_guesses_that_come_at_once_as_many_as_the_quota_reach_the_upstream() {
    let served = served();
    let statuses = served.at_once(&guesses(&served, GUESSES), 401);
    assert_eq!(served.upstream.requests(), QUOTA, "of {GUESSES}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), QUOTA);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), GUESSES - QUOTA);
}

#[test]
fn of_guesses_whose_client_hangs_up_as_many_as_the_quota_reach_the_upstream() {
    let served = served();
    let guess = [served.gateway.get("/").from(new_ip()).answered(401)];
    let reached: usize = (0..GUESSES).map(|_| served.hung_up(&guess)).sum();
    assert_eq!(reached, QUOTA, "of {GUESSES}");
}

#[test]
fn of_rounds_of_guesses_that_come_at_once_only_the_first_reaches_the_upstream() {
    let served = served();
    let guesses = guesses(&served, 50);
    let reached = [(); 4].map(|()| served.arrivals(|| drop(served.at_once(&guesses, 401))));
    assert_eq!(reached, [QUOTA, 0, 0, 0], "of 50 each");
}

/// A hold that were not given back would turn the fifth good login into the last.
#[test]
fn good_logins_give_back_what_they_held() {
    let served = served();
    let rounds = guesses(&served, QUOTA);
    for _ in 0..20 {
        assert_eq!(served.at_once(&rounds, 200), [200; QUOTA]);
    }
    let login = rounds[0].clone();
    let failed = served.at_once(&vec![login; 2 * QUOTA], 401);
    assert_eq!(failed.iter().filter(|status| **status == 401).count(), QUOTA);
}

#[test]
fn good_logins_of_as_many_clients_as_the_quota_all_pass() {
    let served = served();
    let login = served.gateway.get("/").from(new_ip()).answered_after(Duration::from_millis(5));
    let reached = served.arrivals(|| {
        assert_eq!(Crowd(QUOTA).admitted_of(100, &login), QUOTA * 100);
    });
    assert_eq!(reached, QUOTA * 100);
}
