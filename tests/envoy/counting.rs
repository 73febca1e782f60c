//! Which requests count: rejected ones, failed ones (SP-6, PA-9, FA-23).

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Gateway, Request, Setup, new_key, per_algorithm, per_key};

const QUOTA: usize = 3;
const ALGORITHMS: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];

#[test]
fn sp_6_where_all_count_a_flood_longer_than_the_window_stays_rejected() {
    let gateway = counting("all");
    let request = gateway.get("/").key(new_key());
    assert_eq!(admitted_of_flood(&request, Duration::from_secs(5)), QUOTA);
}

#[test]
fn pa_9_where_only_accepted_ones_count_such_a_flood_is_let_through_again() {
    let gateway = counting("accepted");
    let request = gateway.get("/").key(new_key());
    let admitted = admitted_of_flood(&request, Duration::from_secs(5));
    assert!((2 * QUOTA..=4 * QUOTA).contains(&admitted), "{admitted} passed");
}

#[test]
fn sp_6_where_all_count_exactly_the_quota_passes_at_first() {
    let gateway = Setup::yaml(per_algorithm(&ALGORITHMS, "quota: 3, window: 7d", "count: all")).start();
    for algorithm in ALGORITHMS {
        let request = gateway.get(&format!("/{algorithm}")).key(new_key());
        assert_eq!(request.admitted_of(20), QUOTA, "{algorithm}");
    }
}

/// The request that is rejected counts from now, so nothing is free before a whole window from now has
/// passed.
#[test]
fn sp_6_x_2_where_all_count_a_rejection_tells_the_wait_that_it_has_itself_caused() {
    let policy = per_key(1, "60s") + "    count: all\n";
    let gateway = Setup::yaml(policy).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.send().status, 200);
    // The first one's minute is to be over clearly before the second one's.
    thread::sleep(Duration::from_secs(3));
    let told = request.send().retry_after();
    // A slot of the log may be added to the minute.
    assert!((60..=62).contains(&told), "told {told} s");
}

#[test]
fn fa_23_what_the_upstream_answers_makes_no_difference_unless_the_policy_says_so() {
    let gateway = Setup::yaml(per_key(3, "1h")).start();
    let key = new_key();
    for status in [200, 404, 503] {
        assert_eq!(answered(&gateway, "", &key, status).send().status, status);
    }
    assert_eq!(answered(&gateway, "", &key, 200).send().status, 429);
}

#[test]
fn fa_23_what_the_policy_gives_back_is_not_spent() {
    let gateway = refunding();
    for algorithm in ALGORITHMS {
        let key = new_key();
        for status in [500, 502, 503, 599, 500, 502] {
            assert_eq!(answered(&gateway, algorithm, &key, status).send().status, status, "{algorithm}");
        }
        assert_eq!(answered(&gateway, algorithm, &key, 200).admitted_of(20), QUOTA, "{algorithm}");
    }
}

#[test]
fn fa_23_what_the_policy_does_not_give_back_is_spent() {
    let gateway = refunding();
    for algorithm in ALGORITHMS {
        let key = new_key();
        for status in [400, 404, 499] {
            assert_eq!(answered(&gateway, algorithm, &key, status).send().status, status, "{algorithm}");
        }
        assert_eq!(answered(&gateway, algorithm, &key, 503).send().status, 429, "{algorithm}");
    }
}

/// A request given back leaves those before and after it counted.
#[test]
fn fa_23_only_what_failed_is_given_back() {
    let gateway = refunding();
    for algorithm in ALGORITHMS {
        let key = new_key();
        for status in [200, 503, 200, 500, 503, 200] {
            assert_eq!(answered(&gateway, algorithm, &key, status).send().status, status, "{algorithm}");
        }
        assert_eq!(answered(&gateway, algorithm, &key, 200).send().status, 429, "{algorithm}");
    }
}

/// Three in two seconds.
fn counting(count: &str) -> Gateway {
    Setup::yaml(per_key(3, "2s") + &format!("    count: {count}\n")).start()
}

/// Three in a window that ends in no test.
fn refunding() -> Gateway {
    Setup::yaml(per_algorithm(&ALGORITHMS, "quota: 3, window: 7d", "refund_on: [5xx]")).start()
}

/// A request for a path that the upstream answers with this status.
fn answered(gateway: &Gateway, path: &str, key: &str, status: u16) -> Request {
    gateway.get(&format!("/{path}")).key(key).answered(status)
}

/// Requests without a pause for so long: how many pass?
fn admitted_of_flood(request: &Request, length: Duration) -> usize {
    let begin = Instant::now();
    let mut connection = request.connect();
    let mut admitted = 0;
    while begin.elapsed() < length {
        admitted += usize::from(connection.exchange(request).status == 200);
    }
    admitted
}
