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

/// 1,000 failures are enough for leases, which hold units of their own.
fn large(fields: &str) -> Served {
    let policy = POLICY.replace("quota: 5", "quota: 1000");
    Setup::yaml(policy + fields).start_served()
}

#[test]
fn of_guesses_that_come_at_once_no_more_than_a_leased_quota_reach_the_upstream() {
    for fields in ["", "charge: sequential\n"] {
        let served = large(fields);
        let client = new_ip();
        let login = served.gateway.get("/").from(client).answered(401);
        let one_by_one = Crowd(4).sum_of(|| {
            let mut connection = login.connect();
            (0..240).filter(|_| connection.exchange(&login).status == 401).count()
        });
        assert_eq!(one_by_one, 960);
        let guesses = vec![served.gateway.get(crate::harness::HELD).from(client); GUESSES];
        let statuses = served.at_once(&guesses, 401);
        let reached = statuses.iter().filter(|status| **status == 401).count();
        // What a worker has leased and not used may reject others, but never admits more.
        assert!((30..=40).contains(&reached), "{reached} of 40, {fields}");
        assert!(served.upstream.requests() <= 1_000, "{}", served.upstream.requests());
    }
}

#[test]
fn in_order_too_no_more_guesses_than_the_quota_reach_the_upstream() {
    let policy = format!("charge: sequential{POLICY}");
    let served = Setup::yaml(policy).start_served();
    for _ in 0..2 {
        let statuses = served.at_once(&guesses(&served, 40), 401);
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), QUOTA, "of 40");
    }
    assert_eq!(served.upstream.requests(), 2 * QUOTA);
}
