//! A minute and a month in one policy: FA-1, FA-4, FA-9, FA-16, FA-22.

use crate::harness::{Gateway, Period, Setup, end_of, new_key};

const MINUTE: usize = 5;

/// The month is the smaller one, so that it can reject at all within a test.
fn gateway(charge: &str) -> Gateway {
    Setup::yaml(format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer }}
policies:
  - name: key
    key: api_key
    limits:
      - {{ name: minute, quota: {MINUTE}, window: 60s }}
      - {{ name: month, quota: 3, window: month, time_zone: UTC }}
headers: {{ preset: x-ratelimit, describes: key/minute }}
retry_after: {{ max: 31622400 }}
charge: {charge}
"
    ))
    .start()
}

#[test]
fn fa_22_a_rejection_by_the_month_spends_nothing_of_the_minute() {
    for charge in ["all_or_nothing", "sequential"] {
        let gateway = gateway(charge);
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.admitted_of(3), 3);
        for _ in 0..2 * MINUTE {
            let rejected = request.send();
            assert_eq!(rejected.status, 429);
            assert_eq!(rejected.value("x-ratelimit-remaining"), "2", "{charge}");
        }
    }
}

#[test]
fn fa_9_a_rejection_by_the_month_shows_the_minutes_limit() {
    let gateway = gateway("all_or_nothing");
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(3), 3);
    assert_eq!(request.send().value("x-ratelimit-limit"), MINUTE.to_string());
}

#[test]
fn fa_4_a_rejection_by_the_month_tells_to_wait_for_the_first_of_the_next() {
    let gateway = gateway("all_or_nothing");
    let (rejected, left) = end_of(Period::Month, || {
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.admitted_of(3), 3);
        request.send()
    });
    let told = rejected.retry_after();
    assert!(told.abs_diff(left) <= 2, "told {told} s of {left} s");
}
