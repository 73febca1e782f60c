use super::*;
use std::fmt::Write as _;
use std::path::PathBuf;

/// `limit` requests a minute for each address, and what `more` adds.
fn per_minute(limit: u32) -> String {
    format!(
        "keys: {{ client_ip: {{ client_ip: {{}} }} }}\npolicies:\n  - name: ip\n    key: client_ip\n    \
         limits: [{{ name: minute, quota: {limit}, window: 60s }}]\n"
    )
}

fn policy_file(name: &str, text: &str) -> String {
    file(name, text).display().to_string()
}

/// Lines of the combined format, one for each second and address.
fn combined(requests: &[(u32, &str)]) -> String {
    requests.iter().fold(String::new(), |mut text, (second, address)| {
        let (minutes, seconds) = (second / 60, second % 60);
        let _ = writeln!(
            text,
            "{address} - - [28/Nov/2026:10:{minutes:02}:{seconds:02} +0000] \"GET /v1/x?a=1 HTTP/1.1\" 200 12 \"-\" \"curl\""
        );
        text
    })
}

fn log_file(name: &str, text: impl AsRef<[u8]>) -> String {
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a log");
    path.display().to_string()
}

fn replayed(arguments: &[&str]) -> serde_json::Value {
    json(&tollgate(&[&["replay"], arguments, &["--json"]].concat()).success())
}

#[test]
fn a_replay_says_who_would_have_been_rejected() {
    let policy = policy_file("replay-one.yaml", &per_minute(3));
    let log = log_file(
        "replay-one.log",
        combined(&[
            (0, "192.0.2.7"),
            (1, "192.0.2.7"),
            (2, "192.0.2.7"),
            (3, "192.0.2.7"),
            (4, "192.0.2.9"),
            (61, "192.0.2.7"),
        ]),
    );
    let out = tollgate(&["replay", &policy, &log]).success();
    let shown: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(
        shown.join("\n"),
        "6 requests from 2026-11-28T10:00:00Z to 2026-11-28T10:01:01Z
1 rejected (16.6 %)

limit      judged    rejected  callers  longest wait  fullest
ip/minute       6  1 (16.6 %)        1          57 s    100 %

callers by their fullest moment
callers of  callers  <25 %  <50 %  <75 %  <90 %  <=100 %  rejected
ip                2      0      1      0      0        0         1

most rejected callers
caller               policy  requests  rejected                 first
client_ip 192.0.2.7      ip         5         1  2026-11-28T10:00:03Z

by time, an hour a column, from 2026-11-28T10:00:00Z
requests  █  at most 6
rejected  █  at most 1

to know
- 6 (100.0 %) requests have times in whole seconds: bursts look sharper than they were
- 1 (16.6 %) requests are rejected here: nobody knows when their callers would have come back"
    );
}

#[test]
fn a_replay_fails_if_a_condition_holds() {
    let policy = policy_file("replay-fail.yaml", &per_minute(1));
    let log = log_file("replay-fail.log", combined(&[(0, "192.0.2.7"), (1, "192.0.2.7")]));
    let ran = |condition: &str| tollgate(&["replay", &policy, &log, "--fail-if", condition]).status;
    assert_eq!(ran("rejected > 49%"), 1);
    assert_eq!(ran("rejected > 50%"), 0);
    assert_eq!(ran("ip/minute >= 1"), 1);
    assert_eq!(ran("rejected_callers > 1"), 0);
    assert_eq!(ran("newly_rejected > 0"), 2, "there is nothing to compare with");
    assert_eq!(ran("nobody/minute > 0"), 2);
}

#[test]
fn two_policies_are_compared_on_the_same_traffic() {
    let (new, old) =
        (policy_file("replay-new.yaml", &per_minute(2)), policy_file("replay-old.yaml", &per_minute(3)));
    let requests: Vec<(u32, &str)> = (0..4).map(|second| (second, "192.0.2.7")).collect();
    let log = log_file("replay-two.log", combined(&requests));
    let report = replayed(&[&new, &log, "--against", &old]);
    assert_eq!((&report["rejected"], &report["against"]["rejected"]), (&2.into(), &1.into()));
    assert_eq!(report["against"]["newly_rejected"], 1);
    assert_eq!(report["against"]["newly_rejected_callers"][0]["caller"], "client_ip 192.0.2.7");
    let back = replayed(&[&old, &log, "--against", &new]);
    assert_eq!(
        (&back["against"]["newly_rejected"], &back["against"]["no_longer_rejected"]),
        (&0.into(), &1.into())
    );
    assert_eq!(back["against"]["no_longer_rejected_callers"][0]["no_longer_rejected"], 1);
}

#[test]
fn other_quotas_are_tried_and_the_smallest_is_found() {
    let policy = policy_file("replay-sweep.yaml", &per_minute(2));
    let requests: Vec<(u32, &str)> = (0..20).map(|second| (second, "192.0.2.7")).collect();
    let log = log_file("replay-sweep.log", combined(&requests));
    let csv = tollgate(&["replay", &policy, &log, "--sweep", "ip/minute=5..20/5", "--csv"]).success();
    assert_eq!(
        csv,
        "limit,quota,requests,rejected,rejected_by_limit\nip/minute,5,20,15,15\nip/minute,10,20,10,10\n\
         ip/minute,15,20,5,5\nip/minute,20,20,0,0\n"
    );
    let smallest =
        |share: &str| replayed(&[&policy, &log, "--share", share])["smallest_quotas"][0]["quota"].clone();
    assert_eq!((smallest("0%"), smallest("25%"), smallest("100%")), (20.into(), 15.into(), 1.into()));
    assert_eq!(tollgate(&["replay", &policy, &log, "--sweep", "ip/hour=5..20"]).status, 2);
    assert_eq!(tollgate(&["replay", &policy, &log, "--sweep", "ip/minute=20..5"]).status, 2);
}

#[test]
fn lines_in_the_order_of_their_ends_are_replayed_in_that_of_their_starts() {
    // The first request takes 20 s, and its line comes last. It is the first all the same.
    let line = |start: &str, path: &str, took: u32| {
        format!("2026-11-28T10:00:{start}Z 192.0.2.7 GET {path} HTTP/1.1 200 via_upstream {took}ms -\n")
    };
    let text = line("05.000", "/b", 1) + &line("06.000", "/c", 1) + &line("00.000", "/a", 20_000);
    let only_a = per_minute(1)
        + "    match: [{ path: /a }]\n  - name: all\n    key: client_ip\n    \
                                limits: [{ name: minute, quota: 2, window: 60s }]\n";
    let policy = policy_file("replay-order.yaml", &only_a);
    let log = log_file("replay-order.log", text);
    let report = replayed(&[&policy, &log]);
    assert_eq!(report["policies"][0]["rejected"], 0, "{report}");
    assert_eq!(report["most_rejected"][0]["first_rejected"], "2026-11-28T10:00:06Z");
    let late = replayed(&[&policy, &log, "--reorder", "1"]);
    assert!(late["notes"].to_string().contains("came more than 1 s before"), "{late}");
}

#[test]
fn the_responses_of_the_log_count() {
    let failures = "keys: { client_ip: { client_ip: {} } }\npolicies:\n  - name: login\n    key: client_ip\n    \
                    count_on: [401]\n    limits: [{ name: minute, quota: 2, window: 60s }]\n";
    let policy = policy_file("replay-failures.yaml", failures);
    let line = |second: u32, status: u32| {
        format!(
            "2026-11-28T10:00:{second:02}.000Z 192.0.2.7 POST /login HTTP/1.1 {status} via_upstream 5ms -\n"
        )
    };
    let statuses = [200, 401, 200, 401, 200, 200];
    let text: String = (0..).zip(statuses).map(|(second, status)| line(second, status)).collect();
    let report = replayed(&[&policy, &log_file("replay-failures.log", text)]);
    assert_eq!(report["rejected"], 2, "{report}");
}

#[test]
fn requests_in_flight_end_when_the_log_says() {
    let concurrent = "keys: { client_ip: { client_ip: {} } }\npolicies:\n  - name: open\n    key: client_ip\n    \
                      limits: [{ name: at-once, algorithm: concurrency, quota: 1 }]\n";
    let policy = policy_file("replay-open.yaml", concurrent);
    let line = |start: &str, took: u32| {
        format!("2026-11-28T10:00:{start}Z 192.0.2.7 GET / HTTP/1.1 200 via_upstream {took}ms -\n")
    };
    let text = line("01.000", 1_000) + &line("01.500", 1_000) + &line("02.100", 10) + &line("02.105", 1);
    let report = replayed(&[&policy, &log_file("replay-open.log", text)]);
    assert_eq!(
        report["rejected"], 2,
        "the second while the first is open, the fourth while the third is: {report}"
    );
}

const BY_KEY: &str = "keys: { api_key: { header: authorization, scheme: Bearer } }\npolicies:\n  - name: key\n    \
                      key: api_key\n    limits: [{ name: minute, quota: 1, window: 60s }]\n";

#[test]
fn a_key_comes_from_a_field_of_the_log_and_is_never_shown() {
    let policy = policy_file("replay-key.yaml", BY_KEY);
    let line = |key: &str| {
        format!(
            "{{\"start_time\":\"2026-11-28T10:00:00.000Z\",\"method\":\"GET\",\"path\":\"/\",\"response_code\":200,\"auth\":{{\"key\":\"{key}\"}}}}\n"
        )
    };
    let text = line("sk_live_123456789") + &line("sk_live_123456789") + &line("sk_test_987654321");
    let log = log_file("replay-key.log", text);
    let out =
        tollgate(&["replay", &policy, &log, "--format", "envoy-json", "--key", "api_key=auth.key"]).success();
    assert!(out.contains("1 rejected") && out.contains("api_key \"sk_l…\" (17 bytes)"), "{out}");
    for more in [&["--csv"][..], &["--json"], &[]] {
        let arguments =
            [&["replay", &policy, &log, "--format", "envoy-json", "--key", "api_key=auth.key"], more]
                .concat();
        assert!(!tollgate(&arguments).success().contains("123456789"));
    }
    let csv =
        tollgate(&["replay", &policy, &log, "--format", "envoy-json", "--key", "api_key=auth.key", "--csv"]);
    let csv = csv.success();
    assert!(csv.contains("\nkey,\"api_key \"\"sk_l…\"\" (17 bytes)\",,2,1,"), "one cell: {csv}");
    let without = tollgate(&["replay", &policy, &log, "--format", "envoy-json"]).success();
    assert!(
        without.contains(
            "3 (100.0 %) requests lack what the policies ask for: the log has no header authorization"
        ),
        "{without}"
    );
    assert!(without.contains("policy key judged no request at all"), "{without}");
    assert_eq!(tollgate(&["replay", &policy, &log, "--key", "nobody=auth.key"]).status, 2);
}

#[test]
fn the_pseudonym_of_the_log_is_the_caller_where_its_key_is_not_in_the_log() {
    let policy = policy_file("replay-pseudonym.yaml", BY_KEY);
    let line = |caller: &str, decision: &str| {
        format!(
            "2026-11-28T10:00:00.000Z 192.0.2.7 GET / HTTP/1.1 200 via_upstream 5ms decision={decision} policy=key limit=minute \
             quota=1 remaining=0 near=true caller={caller}\n"
        )
    };
    let text = line("00000000000000aa", "admitted")
        + &line("00000000000000aa", "refused")
        + &line("00000000000000bb", "admitted");
    let out = tollgate(&["replay", &policy, &log_file("replay-pseudonym.log", text)]).success();
    assert!(out.contains("of 3 decisions in the log, 3 are the same here"), "{out}");
    assert!(out.contains("caller 00000000000000aa"), "{out}");
}

#[test]
fn logs_are_read_compressed_and_from_standard_input_and_merged() {
    let policy = policy_file("replay-merge.yaml", &per_minute(3));
    let (first, second) =
        (combined(&[(0, "192.0.2.7"), (2, "192.0.2.7")]), combined(&[(1, "192.0.2.7"), (3, "192.0.2.7")]));
    let one = log_file("replay-merge-1.log", &first);
    let two = log_file("replay-merge-2.log", &second);
    let report = replayed(&[&policy, &two, &one]);
    assert_eq!(report["most_rejected"][0]["first_rejected"], "2026-11-28T10:00:03Z");
    let from_stdin = tollgate_reading(&["replay", &policy, "-", "--json"], &(first + &second)).success();
    assert_eq!(json(&from_stdin)["requests"], 4);
}

#[test]
fn a_hostile_log_is_counted_and_nothing_more() {
    let policy = policy_file("replay-hostile.yaml", &per_minute(3));
    let mut bytes = combined(&[(0, "192.0.2.7"); 200]).into_bytes();
    bytes.extend([0, 159, 146, 150, b'\n']);
    bytes.extend(vec![b'x'; 10 << 20]);
    bytes.extend(b"\n192.0.2.7 - - [99/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n");
    bytes.extend(b"192.0.2.7 - - [28/Nov/9026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n");
    bytes.extend(combined(&[(1, "192.0.2.7")]).into_bytes());
    let log = log_file("replay-hostile.log", bytes);
    let report = replayed(&[&policy, &log]);
    assert_eq!(
        (&report["requests"], &report["unreadable"], &report["lines"]),
        (&201.into(), &4.into(), &205.into())
    );
    let notes = report["notes"].to_string();
    for (line, why) in [
        (201, "not of this format"),
        (202, "longer than 1 MiB"),
        (203, "without a time"),
        (204, "far from those around it"),
    ] {
        assert!(notes.contains(&format!("replay-hostile.log:{line}\"")), "{notes}");
        assert!(notes.contains(why), "{notes}");
    }
    assert_eq!(report["to"], "2026-11-28T10:00:01Z");
}

/// Standard input cannot be read again, so what its format was found by has to be counted from memory.
#[test]
fn what_cannot_be_read_at_the_beginning_of_standard_input_is_counted_as_in_a_file() {
    let policy = policy_file("replay-beginning.yaml", &per_minute(3));
    let long = "x".repeat(2 << 20) + "\n";
    let text = combined(&[(0, "192.0.2.7")]) + &long + "hello\n" + &combined(&[(1, "192.0.2.7")]);
    let from_file = replayed(&[&policy, &log_file("replay-beginning.log", &text)]);
    let from_stdin = json(&tollgate_reading(&["replay", &policy, "-", "--json"], &text).success());
    for report in [from_file, from_stdin] {
        assert_eq!(
            (&report["requests"], &report["unreadable"], &report["lines"]),
            (&2.into(), &2.into(), &4.into()),
            "{report}"
        );
        assert!(report["notes"].to_string().contains(":2\""), "{report}");
    }
}

#[test]
fn what_is_no_log_is_said() {
    let policy = policy_file("replay-none.yaml", &per_minute(3));
    let ran = tollgate_reading(&["replay", &policy, "-"], "hello\nworld\n");
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("the first 2 lines of stdin are of no known format; name one with --format"),
        "{}",
        ran.stderr
    );
    assert_eq!(tollgate(&["replay", &policy, "no/such/file"]).status, 2);
    let invalid = policy_file("replay-invalid.yaml", "policies: 7\n");
    assert_eq!(tollgate(&["replay", &invalid, "-"]).status, 1);
}

#[test]
fn a_block_does_not_fill_the_limits_that_its_caller_has_not_used() {
    let blocking = per_minute(3)
        .replace("limits: [", "block_for: 1h\n    limits: [{ name: day, quota: 100, window: 24h }, ");
    let policy = policy_file("replay-block.yaml", &blocking);
    let requests: Vec<(u32, &str)> = (0..10).map(|second| (second, "192.0.2.1")).collect();
    let report = replayed(&[&policy, &log_file("replay-block.log", combined(&requests))]);
    let limits = &report["policies"][0]["limits"];
    assert_eq!(report["rejected"], 7);
    assert_eq!((&limits[0]["fullest_permille"], &limits[1]["fullest_permille"]), (&30.into(), &1000.into()));
}

/// The newest of several rotated logs is often empty.
#[test]
fn an_empty_log_is_passed_over_but_a_replay_without_any_request_fails() {
    let policy = policy_file("replay-empty.yaml", &per_minute(3));
    let log = log_file("replay-one.log", combined(&[(0, "192.0.2.1")]));
    let empty = log_file("replay-empty.log", "");
    let report = replayed(&[&policy, &empty, &log]);
    assert_eq!(report["requests"], 1);
    assert!(report["notes"].to_string().contains("replay-empty.log has no line"), "{report}");
    let ran = tollgate(&["replay", &policy, &empty, "--fail-if", "rejected > 0%"]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (2, "tollgate: the logs have no request that can be read\n")
    );
}

#[test]
fn a_field_that_no_request_has_is_said() {
    let policy = policy_file("replay-unseen.yaml", &per_minute(3));
    let log = log_file("replay-unseen.log", combined(&[(0, "192.0.2.1")]));
    let notes = |field: &str| replayed(&[&policy, &log, "--header", field])["notes"].to_string();
    let note = "no request has the field plann, which an option names";
    assert!(notes("x-plan=plann").contains(note), "{}", notes("x-plan=plann"));
}

/// The script that the page measures the speed with.
#[test]
fn a_generated_day_is_replayed_the_same_in_both_formats() {
    let policy = policy_file("replay-day.yaml", &per_minute(50));
    let made = |format: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/make-log");
        let output = Command::new(script).args(["20000", format]).output().expect("tools/make-log");
        assert!(output.status.success());
        log_file(&format!("replay-day.{format}"), output.stdout)
    };
    let (text, structured) = (made("combined"), made("json"));
    let with_durations = ["--field", "duration_s=rt"];
    let one = replayed(&[&[policy.as_str(), &text], &with_durations[..]].concat());
    let other = replayed(&[&policy, &structured]);
    assert_eq!((&one["requests"], &other["requests"]), (&20_000.into(), &20_000.into()));
    let rejected = |report: &serde_json::Value| report["rejected"].as_u64().unwrap();
    assert!(rejected(&other) > 100, "{}", other["rejected"]);
    // Whole seconds differ by what they round.
    assert!(rejected(&one).abs_diff(rejected(&other)) <= 10, "{} and {}", rejected(&one), rejected(&other));
}
