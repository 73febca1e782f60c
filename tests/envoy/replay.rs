//! `tollgate replay` and Envoy agree: the replay of the log that Envoy writes while Tollgate limits decides each
//! line as Envoy did.
//!
//! The log's times are those of the requests' starts, in milliseconds; Envoy decides a request between that and
//! the end of its line's duration. So two requests can only be decided otherwise if the time between them is as
//! close to a window as their durations and the two milliseconds that are cut off, and one only if it is as close
//! to an edge of a window that the clock divides. The traffic keeps away from both: requests come in bursts
//! 400 ms apart, and windows end between two bursts. That is checked in the log, and where a busy machine has not
//! kept to it, the traffic is sent again.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use tollgate_cli::command;

use crate::harness::{Files, Gateway, Setup, Upstream, eventually, new_ip, unix_time};

/// The time between bursts.
const SLOT: Duration = Duration::from_millis(400);
/// How long after a whole number of these times a burst begins. The clock's windows of 3 s end at such a number, or
/// half of the time later.
const AFTER_EDGES: Duration = Duration::from_millis(50);
/// Of each policy, in milliseconds.
const WINDOWS: [u64; 3] = [1_000, FIXED_WINDOW, 5_000];
/// The clock divides them: each begins at a multiple of its length since the UNIX epoch.
const FIXED_WINDOW: u64 = 3_000;
const BURSTS: usize = 20;

fn policy(quota: u32) -> String {
    format!(
        "keys: {{ client_ip: {{ client_ip: {{}} }} }}
access_log: true
policies:
  - name: sliding
    key: client_ip
    match: [{{ path: /sliding }}]
    limits: [{{ quota: {quota}, window: 1s }}]
  - name: fixed
    key: client_ip
    match: [{{ path: /fixed }}]
    limits: [{{ algorithm: fixed_window, quota: {quota}, window: 3s }}]
  - name: failures
    key: client_ip
    match: [{{ path: /login }}]
    count_on: [401]
    limits: [{{ quota: {quota}, window: 5s }}]
"
    )
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Sends bursts of requests from several addresses. Returns how many.
fn traffic(gateway: &Gateway, dice: &mut Dice) -> usize {
    let callers: Vec<_> = (0..4).map(|_| new_ip()).collect();
    thread::sleep(until_next_burst());
    let (begin, mut sent) = (Instant::now(), 0);
    for burst in 0..BURSTS {
        let due = SLOT * u32::try_from(burst).unwrap();
        thread::sleep(due.saturating_sub(begin.elapsed()));
        for _ in 0..8 + dice.below(10) {
            let caller = callers[usize::try_from(dice.below(4)).unwrap()];
            let path = ["/sliding", "/fixed", "/login"][usize::try_from(dice.below(3)).unwrap()];
            let status = if dice.below(3) > 0 { 401 } else { 200 };
            gateway.get(path).from(caller).answered(status).send();
            sent += 1;
        }
    }
    sent
}

/// The time until a burst may begin.
fn until_next_burst() -> Duration {
    let after_edge = unix_time().as_nanos() % SLOT.as_nanos();
    SLOT + AFTER_EDGES - Duration::from_nanos(u64::try_from(after_edge).unwrap())
}

/// What a line says of its request's time: its start and its duration in milliseconds.
fn times(line: &str) -> (u64, u64) {
    let words: Vec<&str> = line.split(' ').collect();
    let [_, time] = words[0].split('T').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let part = |range: std::ops::Range<usize>| time[range].parse::<u64>().expect("digits");
    let start = ((part(0..2) * 60 + part(3..5)) * 60 + part(6..8)) * 1_000 + part(9..12);
    (start, words[7].trim_end_matches("ms").parse().expect("a duration"))
}

/// Whether no two requests are as far apart as a window is long, and none is where the clock's windows meet, as far
/// as the log's times say.
fn keeps_away_from_edges(lines: &[String]) -> bool {
    /// Both times are cut off to a millisecond.
    const CUT_OFF: u64 = 2;
    let times: Vec<(u64, u64)> = lines.iter().map(|line| times(line)).collect();
    // A day begins at a multiple of the window, too.
    let meets_the_clock = |(start, took): &(u64, u64)| FIXED_WINDOW - start % FIXED_WINDOW <= took + CUT_OFF;
    let are_a_window_apart = |(start, took): &(u64, u64), (other, other_took): &(u64, u64)| {
        let apart = start.abs_diff(*other);
        WINDOWS.iter().any(|window| apart.abs_diff(*window) <= took + other_took + CUT_OFF)
    };
    !times.iter().any(meets_the_clock)
        && times
            .iter()
            .enumerate()
            .all(|(index, one)| !times[..index].iter().any(|other| are_a_window_apart(one, other)))
}

/// The log of a run in which the first request of 127.7.20.106 began a millisecond before a window of the clock, and
/// Envoy decided it in that window.
#[test]
fn a_log_that_meets_an_edge_of_the_clocks_windows_says_nothing() {
    let line = |time: &str, took: u64| {
        format!("2026-11-30T10:29:{time}Z 127.7.20.106 GET /fixed HTTP/1.1 200 via_upstream {took}ms")
    };
    let lines = |first: &str, took| vec![line(first, took), line("45.407", 0)];
    assert!(!keeps_away_from_edges(&lines("44.999", 1)));
    assert!(!keeps_away_from_edges(&lines("44.998", 0)));
    assert!(keeps_away_from_edges(&lines("44.997", 0)));
    assert!(keeps_away_from_edges(&lines("45.000", 1)));
}

fn replayed(files: &Files, policy: &str, lines: &[String]) -> serde_json::Value {
    let (policy_file, log) = (files.file("policy.yaml"), files.file("access.log"));
    fs::write(&policy_file, policy).expect("a policy");
    fs::write(&log, lines.join("\n")).expect("a log");
    let paths = [policy_file, log].map(|path| path.display().to_string());
    let outcome = command::run(["tollgate", "replay", &paths[0], &paths[1], "--json"]).expect("arguments");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stderr))
}

#[test]
fn the_replay_of_a_log_decides_what_envoy_decided() {
    let upstream = Upstream::answering(&[]);
    let address = upstream.address().to_string();
    let (files, mut dice) = (Files::new(), Dice(20_261_129));
    for attempt in 1.. {
        let gateway = Setup::printed(&policy(4), &["--access-log", "--upstream", &address]).start();
        let sent = traffic(&gateway, &mut dice);
        let lines = eventually("a line for each request", || {
            let log = gateway.log();
            let lines: Vec<String> =
                log.lines().filter(|line| line.contains(" decision=")).map(String::from).collect();
            (lines.len() == sent).then_some(lines)
        });
        if !keeps_away_from_edges(&lines) {
            assert!(attempt < 8, "the machine is too busy to compare times");
            continue;
        }
        let report = replayed(&files, &policy(4), &lines);
        let decided = &report["log_decisions"];
        assert_eq!(decided["decided"], sent, "{report}");
        assert_eq!(
            (&decided["now_admitted"], &decided["now_rejected"]),
            (&0.into(), &0.into()),
            "{lines:#?}"
        );
        let refused = lines.iter().filter(|line| line.contains("decision=refused")).count();
        assert_eq!(report["rejected"], refused);
        assert!(refused > 10, "{refused}");
        // Another quota is another decision, so a difference would be seen.
        let other = replayed(&files, &policy(5), &lines);
        assert!(other["log_decisions"]["now_admitted"].as_u64().expect("a number") > 0, "{other}");
        return;
    }
}
