//! Policies from a seed: all algorithms, everything that responses can change, and how policies stand
//! together.

use super::random::Random;
use tollgate::compile::compile;
use tollgate::config::{Value, parse_json};

const KEYS: &str = r#"{
    "ip": {"client_ip": {}},
    "key": {"header": "authorization", "scheme": "Bearer"},
    "session": {"cookie": "session", "valid": {"unless": [401], "for": "10m"}},
    "organization": {"metadata": ["envoy.filters.http.jwt_authn", "payload", "organization"]},
    "known": {"consumer": "name"},
    "caller": {"first_of": ["organization", "session", "key", "ip"]}
}"#;

/// The SHA-256 of `known`.
const CONSUMERS: &str = r#"[{"name": "one", "tier": "large",
    "keys": {"key": ["sha256:7117fff2d0fd294462b3c802b7cb8753579f23f3946b99cf55f38e873f013f10"]}}]"#;

/// One set of policies.
pub fn draw(seed: u64) -> Value {
    let mut random = Random::new(seed);
    let random = &mut random;
    let policies: Vec<String> = (0..random.between(1, 3)).map(|number| policy(random, number)).collect();
    let charge = random.pick(&["all_or_nothing", "sequential"]);
    let document = format!(
        r#"{{"keys": {KEYS}, "tiers": {{"names": ["small", "large"], "default": "small"}}, "consumers": {CONSUMERS},
            "charge": "{charge}", "policies": [{}]}}"#,
        policies.join(", ")
    );
    parse_json(document.as_bytes()).expect("JSON")
}

fn policy(random: &mut Random, number: u64) -> String {
    let key = random.pick(&["ip", "ip", "key", "caller", "caller"]);
    let things = random.chance(300);
    let (matches, limits) = if things { things_of(random) } else { windows_of(random) };
    let mut counting = if things { r#""refund_unless": [201]"#.into() } else { counting(random) };
    // No response changes what is in flight.
    if limits.matches("algorithm").count() == limits.matches("concurrency").count() {
        counting = r#""count": "accepted""#.into();
    }
    let more = more(random, number, things, &counting);
    format!(r#"{{"name": "p{number}", "key": "{key}", {matches} {counting}, {more} "limits": [{limits}]}}"#)
}

/// A stock, and what gives its units back.
fn things_of(random: &mut Random) -> (String, String) {
    let matches = r#""match": [{"method": "POST", "path": "/things"}],
        "returns": [{"method": "DELETE", "path": "/things/{id}"}],"#;
    let quota = quota(random, 2, 12);
    (matches.into(), format!(r#"{{"algorithm": "stock", "quota": {quota}}}"#))
}

fn windows_of(random: &mut Random) -> (String, String) {
    let matches = random.pick(&["", "", r#""match": [{"path": "/login"}],"#]);
    let limits: Vec<String> = (0..random.between(1, 2)).map(|number| limit(random, number)).collect();
    (matches.into(), limits.join(", "))
}

fn limit(random: &mut Random, number: u64) -> String {
    let algorithm = random.pick(&[
        "sliding_window",
        "sliding_window",
        "sliding_window",
        "sliding_counter",
        "fixed_window",
        "calendar",
        "token_bucket",
        "leaky_bucket",
        "concurrency",
    ]);
    let window = match algorithm {
        "concurrency" => String::new(),
        "calendar" => r#""window": "day", "time_zone": "Europe/Madrid","#.into(),
        _ => format!(r#""window": "{}s","#, random.pick(&[1, 2, 10, 60, 600])),
    };
    let small = quota(random, 3, 60);
    let quota = if random.chance(300) {
        format!(r#"{{"small": {small}, "large": {}}}"#, small * 4)
    } else {
        small.to_string()
    };
    // Without a draw, so that other policies stay as they are.
    let refill =
        if algorithm == "token_bucket" && small.is_multiple_of(2) { r#""refill": "at_once","# } else { "" };
    format!(r#"{{"name": "l{number}", "algorithm": "{algorithm}", {window} {refill} "quota": {quota}}}"#)
}

fn quota(random: &mut Random, least: u64, most: u64) -> u64 {
    (random.between(least, most)).max(1)
}

/// Which requests count.
fn counting(random: &mut Random) -> String {
    random
        .pick(&[
            r#""count": "accepted""#,
            r#""count": "all""#,
            r#""count_on": [401]"#,
            r#""count_on": [401, "5xx"]"#,
            r#""refund_on": ["5xx"]"#,
            r#""refund_on": [401]"#,
            r#""refund_unless": [200]"#,
            r#""cost_header": "x-cost""#,
            r#""cost_header": "x-cost", "refund_on": ["5xx"]"#,
        ])
        .into()
}

fn more(random: &mut Random, number: u64, things: bool, counting: &str) -> String {
    let mut more = String::new();
    if !things && random.chance(300) {
        more += r#""cost": 2, "#;
    }
    if random.chance(150) {
        more += r#""block_for": "5s", "#;
    }
    let unanswered = random.pick(&["", "", "keep", "refund", "3"]);
    let answers_matter = !things && !counting.starts_with("\"count\"");
    if answers_matter && !unanswered.is_empty() && knows(r#""cost_header": "x-cost", "unanswered": 3,"#) {
        let said = if unanswered == "3" { unanswered.into() } else { format!("\"{unanswered}\"") };
        more += &format!(r#""unanswered": {said}, "#);
    }
    if things && random.chance(400) && knows(r#""stock_header": "x-stock","#) {
        more += &format!(r#""stock_header": "x-stock-{number}", "#);
    }
    more
}

/// Whether the language has such fields yet.
pub fn knows(fields: &str) -> bool {
    let document = format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", {fields}
            "limits": [{{"algorithm": "stock", "quota": 1}}]}}]}}"#
    );
    parse_json(document.as_bytes()).is_ok_and(|document| compile(&document).is_ok())
}
