//! A row of equal requests: in Envoy, in `tollgate explain`, and whether both answer alike.

use std::fs;
use std::net::Ipv4Addr;

use serde_json::Value;
use tollgate_cli::command::{self, outcome::Status};

use crate::harness::{Files, Gateway, Response, new_ip, unix_time};

/// How much later than in the tool a request may be in Envoy.
const SECONDS: u64 = 2;

/// Longer than any window of the tests.
const FOREVER: u64 = 32 * 86_400;

pub struct Row {
    method: String,
    path: String,
    from: Ipv4Addr,
    headers: Vec<(String, String)>,
    statuses: Vec<u16>,
    response_headers: Vec<(String, String)>,
    times: usize,
    every: &'static str,
    pause: fn(),
    /// How far apart equal times may be, in seconds.
    apart: u64,
}

/// Requests of a caller at an address of its own.
pub fn row(method: &str, path: &str) -> Row {
    Row {
        method: method.into(),
        path: path.into(),
        from: new_ip(),
        headers: Vec::new(),
        statuses: vec![200],
        response_headers: Vec::new(),
        times: 1,
        every: "1ms",
        pause: || {},
        apart: SECONDS,
    }
}

impl Row {
    pub fn key(self, key: &str) -> Row {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn header(mut self, name: &str, value: &str) -> Row {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The last status repeats.
    pub fn answered(self, statuses: &[u16]) -> Row {
        Row { statuses: statuses.to_vec(), ..self }
    }

    pub fn answered_with(mut self, name: &str, value: &str) -> Row {
        self.response_headers.push((name.into(), value.into()));
        self
    }

    pub fn times(self, times: usize) -> Row {
        Row { times, ..self }
    }

    pub fn every(self, every: &'static str, pause: fn()) -> Row {
        Row { every, pause, ..self }
    }

    /// Waits and resets are not compared.
    pub fn at_any_time(self) -> Row {
        Row { apart: FOREVER, ..self }
    }

    /// Asks both and compares their answers. Returns the statuses.
    #[track_caller]
    pub fn compare(&self, gateway: &Gateway, policy: &str) -> Vec<u16> {
        let (at, seen) = self.in_envoy(gateway);
        let explained = self.explained(policy, at);
        let responses = explained["responses"].as_array().expect("the responses");
        assert_eq!(responses.len(), self.times.min(1_000), "{explained}");
        for (number, (explained, seen)) in (1..).zip(responses.iter().zip(&seen)) {
            if let Err(why) = agree(explained, seen, self.apart) {
                panic!(
                    "number {number} of {} {}: {why}\n{explained}\n{seen:?}\n{policy}",
                    self.method, self.path
                );
            }
        }
        let passed = seen.iter().filter(|response| !is_rejection(response)).count();
        assert_eq!(explained["passed"], passed, "{} {}", self.method, self.path);
        seen.iter().map(|response| response.status).collect()
    }

    /// When the first request was sent, and all responses. No window of the clock ends meanwhile.
    fn in_envoy(&self, gateway: &Gateway) -> (u64, Vec<Response>) {
        let request = gateway.request(&self.method, &self.path).from(self.from);
        let request = request.header("content-length", "0");
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        let headers = self.response_headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.answered_with(name, value));
        // Rather a pause before than a second row, which would count on top of the first.
        while unix_time().as_secs() % 60 > 45 && self.every == "1ms" {
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let at = unix_time().as_secs();
        let mut connection = request.connect();
        let send = |number: usize| {
            if number > 0 {
                (self.pause)();
            }
            let status = self.statuses[number.min(self.statuses.len() - 1)];
            connection.exchange(&request.clone().answered(status))
        };
        (at, (0..self.times).map(send).collect())
    }

    fn explained(&self, policy: &str, at: u64) -> Value {
        let files = Files::new();
        let file = files.file("policy.yaml");
        fs::write(&file, policy).expect("a policy file");
        let at = jiff::Timestamp::from_second(at as i64).expect("an instant").to_string();
        let statuses: Vec<String> = self.statuses.iter().map(u16::to_string).collect();
        let mut arguments: Vec<String> =
            vec!["tollgate".into(), "explain".into(), file.display().to_string()];
        arguments.push(format!("{} {}", self.method, self.path));
        let options = [
            ("--client-ip", self.from.to_string()),
            ("--host", "gateway".into()),
            ("--times", self.times.to_string()),
            ("--every", self.every.into()),
            ("--status", statuses.join(",")),
            ("--at", at),
        ];
        options.into_iter().for_each(|(option, value)| arguments.extend([option.into(), value]));
        for (option, headers) in [("-H", &self.headers), ("--response-header", &self.response_headers)] {
            for (name, value) in headers {
                arguments.extend([option.into(), format!("{name}: {value}")]);
            }
        }
        arguments.extend(["--each".into(), "--json".into()]);
        let outcome = command::run(arguments).expect("valid arguments");
        assert_eq!(outcome.status, Status::Success, "{}", outcome.stderr);
        let explained: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        explained[0].clone()
    }
}

pub fn is_rejection(response: &Response) -> bool {
    response.values("cache-control") == ["no-store"]
}

/// Whether a response is as it is explained; times may be `apart` seconds apart.
pub fn agree(explained: &Value, seen: &Response, apart: u64) -> Result<(), String> {
    if explained["status"] != seen.status {
        return Err("another status".into());
    }
    let waits: Vec<u64> = seen.values("retry-after").iter().filter_map(|wait| wait.parse().ok()).collect();
    let headers = explained["headers"].as_object().expect("headers");
    for (name, value) in headers {
        let value = value.as_str().expect("a text");
        match seen.values(name)[..] {
            [found] => alike(value, found, apart, |number| {
                name == "retry-after"
                    || name.contains("reset")
                    || is_time(number, &waits)
                    || name == "ratelimit"
            })
            .map_err(|why| format!("{name}: {why}"))?,
            _ => return Err(format!("{name} is there {} times", seen.values(name).len())),
        }
    }
    let limits = seen.limit_headers();
    if let Some(more) = limits.iter().find(|name| !headers.contains_key(**name)) {
        return Err(format!("Envoy adds {more}"));
    }
    match explained.get("body").and_then(Value::as_str) {
        Some(body) => alike(body, seen.text(), apart, |number| is_time(number, &waits)),
        None if is_rejection(seen) => Err("Envoy rejects it".into()),
        None => Ok(()),
    }
}

/// A wait, or an instant since 1970.
fn is_time(number: u64, waits: &[u64]) -> bool {
    number > 1_000_000_000 || waits.iter().any(|wait| wait.abs_diff(number) <= SECONDS)
}

/// Whether both texts are equal but for ids and for numbers that are times.
fn alike(explained: &str, seen: &str, apart: u64, is_time: impl Fn(u64) -> bool) -> Result<(), String> {
    let ids = regex_lite::Regex::new("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}").expect("an expression");
    let numbers = regex_lite::Regex::new("[0-9]+").expect("an expression");
    let [explained, seen] = [explained, seen].map(|text| ids.replace_all(text, "ID").into_owned());
    let parts = |text: &str| numbers.split(text).map(str::to_owned).collect::<Vec<_>>();
    let of = |text: &str| {
        numbers.find_iter(text).map(|found| found.as_str().parse().unwrap_or(u64::MAX)).collect::<Vec<u64>>()
    };
    let equal = |(one, other): (u64, u64)| one == other || one.abs_diff(other) <= apart && is_time(other);
    if parts(&explained) == parts(&seen) && of(&explained).into_iter().zip(of(&seen)).all(equal) {
        return Ok(());
    }
    Err(format!("{explained:?} explained, {seen:?} seen"))
}
