//! The wall clock: what steps of it change, which is nothing, and when a month begins (FA-25).

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Setup, new_key, per_algorithm, per_key_limit};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// In the middle of a month, and ten minutes before noon.
const MIDDLE: u64 = 1_789_473_000;

const ALGORITHMS: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];
const QUOTA: usize = 3;

/// Sets the clock, and waits until each worker has looked at it.
fn set(gateway: &Gateway, unix_time: u64) {
    gateway.set_wall_clock(unix_time);
    thread::sleep(Duration::from_millis(1_500));
}

fn gateway(window: &str) -> Gateway {
    let policies = per_algorithm(&ALGORITHMS, &format!("quota: {QUOTA}, window: {window}"), "");
    Setup::yaml(policies).at(MIDDLE).start()
}

#[test]
fn x_6_a_step_of_the_wall_clock_frees_nothing() {
    let gateway = gateway("1h");
    let callers = ALGORITHMS.map(|algorithm| gateway.get(&format!("/{algorithm}")).key(new_key()));
    for caller in &callers {
        assert_eq!(caller.admitted_of(2 * QUOTA), QUOTA);
    }
    for now in [MIDDLE + HOUR, MIDDLE + 40 * DAY, MIDDLE, MIDDLE - 2 * HOUR, MIDDLE - 400 * DAY, MIDDLE + 5] {
        set(&gateway, now);
        for (caller, algorithm) in callers.iter().zip(ALGORITHMS) {
            let rejected = caller.send();
            assert_eq!(rejected.status, 429, "{algorithm} at {now}");
            // By two counters a unit still weighs in the window after its own.
            let windows = if algorithm == "sliding_counter" { 2 } else { 1 };
            assert!(rejected.retry_after() <= windows * HOUR + 1, "{algorithm} at {now}: {rejected:?}");
        }
    }
}

#[test]
fn x_6_a_step_of_the_wall_clock_freezes_nothing() {
    for now in [MIDDLE - DAY, MIDDLE + DAY] {
        let gateway = gateway("3s");
        let callers = ALGORITHMS.map(|algorithm| gateway.get(&format!("/{algorithm}")).key(new_key()));
        for caller in &callers {
            let mut connection = caller.connect();
            // The window may end meanwhile, so that some more may pass before one is rejected.
            assert!((0..20).any(|_| connection.exchange(caller).status == 429));
        }
        gateway.set_wall_clock(now);
        let waits = callers.iter().map(|caller| {
            let response = caller.send();
            if response.status == 429 { response.retry_after() } else { 0 }
        });
        let longest = waits.max().unwrap();
        // Twice the window: by two counters a unit still weighs in the one after its own.
        assert!(longest <= 7, "{longest} s at {now}");
        thread::sleep(Duration::from_secs(longest));
        for (caller, algorithm) in callers.iter().zip(ALGORITHMS) {
            assert_eq!(caller.send().status, 200, "{algorithm} at {now}");
        }
    }
}

/// What a window by the calendar has counted stays until the instant at which it was to end, however that is
/// called now.
#[test]
fn x_6_a_step_of_the_wall_clock_frees_no_month() {
    let policy = per_key_limit("quota: 3, window: month, time_zone: Europe/Madrid");
    let gateway = Setup::yaml(policy + "retry_after: { max: 31622400 }\n").at(MIDDLE).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(2 * QUOTA), QUOTA);
    let told = request.send().retry_after();
    assert!((10 * DAY..20 * DAY).contains(&told), "{told}");
    for now in [MIDDLE + 20 * DAY, MIDDLE - 20 * DAY, MIDDLE + 400 * DAY, MIDDLE + 5] {
        set(&gateway, now);
        let rejected = request.send();
        assert_eq!(rejected.status, 429, "at {now}");
        assert!(rejected.retry_after().abs_diff(told) <= 60, "{told} s, then at {now} {rejected:?}");
    }
}

#[test]
fn x_6_a_reset_is_told_by_the_clock_as_it_is() {
    let policy = per_key_limit("quota: 3, window: 1h") + "headers: { preset: x-ratelimit }\n";
    let gateway = Setup::yaml(policy).at(MIDDLE).start();
    let request = gateway.get("/").key(new_key());
    for now in [MIDDLE, MIDDLE - 2 * DAY, MIDDLE + 2 * DAY, MIDDLE + 2 * DAY] {
        set(&gateway, now);
        let response = request.send();
        let reset = response.number("x-ratelimit-reset");
        assert!((now + HOUR - 120..=now + HOUR + 120).contains(&reset), "{reset} at {now}");
        if response.status == 429 {
            assert!(reset >= now + response.retry_after(), "PA-4: {response:?}");
        }
    }
}

/// Two a month for each key.
fn monthly() -> Gateway {
    let policy = per_key_limit("quota: 2, window: month, time_zone: Europe/Madrid");
    let headers = "headers: { preset: x-ratelimit, reset: window_end }\n";
    Setup::yaml(policy + headers).at(APRIL - DAY).start()
}

/// When months begin in Madrid.
const JANUARY: u64 = 1_767_222_000;
const FEBRUARY: u64 = 1_769_900_400;
const APRIL: u64 = 1_774_994_400;
const MAY: u64 = 1_777_586_400;
const OCTOBER: u64 = 1_790_805_600;
const NOVEMBER: u64 = 1_793_487_600;
const DECEMBER: u64 = 1_796_079_600;

#[test]
fn fa_25_a_month_ends_when_the_next_begins_in_madrid() {
    let gateway = monthly();
    for (now, end) in [
        (JANUARY - 60, JANUARY),
        (JANUARY, FEBRUARY),
        (APRIL - 60, APRIL),
        (APRIL, MAY),
        (OCTOBER - 60, OCTOBER),
        (NOVEMBER - 60, NOVEMBER),
        (NOVEMBER, DECEMBER),
    ] {
        set(&gateway, now);
        let response = gateway.get("/").key(new_key()).send();
        let reset = response.number("x-ratelimit-reset");
        // Between the two clocks there is a hair, which rounding can make a second.
        assert!(reset == end || reset == end + 1, "{reset} is not {end}, at {now}");
    }
}

#[test]
fn fa_25_fa_4_what_march_has_used_up_april_gives_anew_at_its_first_second() {
    let gateway = monthly();
    set(&gateway, APRIL - 10);
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(5), 2);
    let rejected = request.send();
    assert!((1..=10).contains(&rejected.retry_after()), "{rejected:?}");
    thread::sleep(Duration::from_secs(rejected.retry_after()));
    let admitted = request.send();
    assert_eq!(admitted.status, 200);
    assert!(admitted.number("x-ratelimit-reset").abs_diff(MAY) <= 1, "{admitted:?}");
    assert_eq!(request.admitted_of(5), 1);
}
