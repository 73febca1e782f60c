//! What it costs to load a large policy: in proportion to its length, since all of Envoy's workers stand
//! still meanwhile.

use super::super::*;
use crate::config::parse;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Texts that are to be in proportion to their number; `i` counts.
type Piece = fn(usize) -> String;

/// A policy with many pieces of one kind: `before`, pieces separated by commas, `after`.
struct Shape {
    name: &'static str,
    before: &'static str,
    piece: Piece,
    after: &'static str,
}

const CONSUMERS: &str = r#"{"keys": {"key": {"header": "x-api-key"}}, "consumers": ["#;
const AFTER_CONSUMERS: &str = r#"], "policies": [{"name": "api", "key": "key", "limits": [
    {"name": "minute", "quota": 5, "window": "60s"}, {"name": "day", "quota": 5, "window": "day"}]}]}"#;
const AFTER_POLICIES: &str = r#"], "headers": {"preset": "ietf"}}"#;

fn policy(i: usize, key: &str) -> String {
    format!(
        r#"{{"name": "p{i}", "key": "{key}", "match": [{{"path": "/v1/{}/{i}"}}], "limits": [{{"quota": 9, "window": "60s"}}]}}"#,
        i % 50
    )
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "consumers with quotas of their own",
        before: CONSUMERS,
        piece: |i| {
            let quotas = format!(r#""api/minute": {}, "api/day": {}"#, i + 10, i + 100);
            format!(r#"{{"name": "c{i}", "keys": {{"key": ["sha256:{i:064x}"]}}, "quotas": {{{quotas}}}}}"#)
        },
        after: AFTER_CONSUMERS,
    },
    Shape {
        name: "credentials of one consumer",
        before: r#"{"keys": {"key": {"header": "x-api-key"}}, "consumers": [{"name": "anna", "keys": {"key": ["#,
        piece: |i| format!(r#""sha256:{i:064x}""#),
        after: r#"]}}], "policies": [{"name": "api", "key": "key", "limits": [{"quota": 5, "window": "60s"}]}]}"#,
    },
    Shape {
        name: "policies by one key",
        before: r#"{"keys": {"ip": {"client_ip": {}}}, "policies": ["#,
        piece: |i| policy(i, "ip"),
        after: AFTER_POLICIES,
    },
    Shape {
        name: "keys, each with alternatives",
        before: r#"{"policies": [{"name": "p", "key": "k1", "limits": [{"quota": 9, "window": "60s"}]}], "keys": {"#,
        piece: |i| {
            let source = if i % 2 == 0 {
                r#""header": "h""#.into()
            } else {
                format!(r#""first_of": ["k0", "k{}"]"#, i - 1)
            };
            format!(r#""k{i}": {{{source}}}"#)
        },
        after: "}}",
    },
    Shape {
        name: "errors",
        before: CONSUMERS,
        piece: |i| {
            format!(
                r#"{{"name": "c{i}", "keys": {{"key": ["sha256:{i:064x}"]}}, "quotas": {{"apo": 1}}, "tear": "x"}}"#
            )
        },
        after: AFTER_CONSUMERS,
    },
];

impl Shape {
    fn text(&self, number: usize) -> String {
        let mut text = self.before.to_string();
        for i in 0..number {
            let comma = if i == 0 { "" } else { "," };
            write!(text, "{comma}{}", (self.piece)(i)).unwrap();
        }
        text + self.after
    }
}

/// How long each took at best, so that what else the machine does counts little.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// To read the text as a tree: in proportion to its length, whatever caches and the system's memory make
    /// of it.
    parse: Duration,
    compile: Duration,
}

impl Times {
    const NONE: Times = Times { parse: Duration::MAX, compile: Duration::MAX };

    fn try_again(&mut self, shape: &Shape, text: &str) {
        let begin = Instant::now();
        let value = parse(text.as_bytes()).unwrap();
        self.parse = self.parse.min(begin.elapsed());
        let begin = Instant::now();
        assert_eq!(compile(&value).is_err(), shape.name == "errors", "{}", shape.name);
        self.compile = self.compile.min(begin.elapsed());
    }

    fn ratio(&self) -> f64 {
        self.compile.as_secs_f64() / self.parse.as_secs_f64()
    }
}

const FEW: usize = 500;
const TIMES: usize = 16;

/// Caches make it up to two and a half times as long for each; a search through all for each, up to sixteen.
#[test]
fn to_load_a_large_policy_takes_in_proportion_as_long_as_a_small_one() {
    for shape in &SHAPES {
        let [small, large] = [FEW, FEW * TIMES].map(|number| shape.text(number));
        let (mut of_small, mut of_large) = (Times::NONE, Times::NONE);
        let mut growth = f64::INFINITY;
        // On a busy machine it takes more rounds to see each at its best.
        for round in 0..40 {
            (0..4).for_each(|_| of_small.try_again(shape, &small));
            of_large.try_again(shape, &large);
            growth = of_large.ratio() / of_small.ratio();
            if round >= 5 && growth < 5.0 {
                break;
            }
        }
        assert!(
            growth < 5.0,
            "{}: {growth:.1} times as long for each: {of_small:?}, then {of_large:?}",
            shape.name
        );
    }
}
