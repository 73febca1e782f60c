//! A real Prometheus with the shipped configuration and rules, which scrapes once a second.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;

use serde_json::Value;

use crate::harness::{Files, Process, Request, eventually, found, free_address, in_repository};

pub struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _files: Files,
}

/// The program, or promtool, which is beside it.
pub fn program(name: &str) -> std::path::PathBuf {
    found("PROMETHEUS", ".tools/prometheus/usr/bin/prometheus").with_file_name(name)
}

impl Prometheus {
    /// Scrapes these admin ports of Envoys, and this operator port of the service.
    pub fn start(envoys: &[SocketAddr], service: SocketAddr) -> Self {
        let files = Files::new();
        let shipped = |name: &str| fs::read_to_string(in_repository("deploy/prometheus").join(name)).unwrap();
        let configuration = configuration(&shipped("prometheus.yaml"), envoys, service);
        fs::write(files.file("prometheus.yaml"), configuration).expect("a configuration");
        fs::write(files.file("rules.yaml"), shipped("rules.yaml")).expect("the rules");
        let (process, address) = launch(&files);
        Self { address, _process: process, _files: files }
    }

    /// What a page of its interface for programs answers.
    fn data(&self, path: &str) -> Result<Value, String> {
        let response = Request::new(self.address, "GET", path).send();
        let answer = response.json();
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// The answer to a query, now: for each series its labels and its value. An error is what is wrong with it.
    pub fn ask(&self, query: &str) -> Result<Vec<(Value, f64)>, String> {
        let data = self.data(&format!("/api/v1/query?query={}", encoded(query)))?;
        let number = |value: &Value| value[1].as_str().and_then(|text| text.parse().ok()).expect("a number");
        Ok(match data["resultType"].as_str() {
            Some("scalar") => vec![(Value::Null, number(&data["result"]))],
            _ => {
                let series = data["result"].as_array().expect("series").iter();
                series.map(|series| (series["metric"].clone(), number(&series["value"]))).collect()
            }
        })
    }

    /// The value of a query that answers with one number.
    pub fn number(&self, query: &str) -> f64 {
        let answer = self.ask(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        match answer.as_slice() {
            [(_, number)] => *number,
            [] => 0.0,
            several => panic!("{query} answers {several:?}"),
        }
    }

    /// All rules that it has loaded.
    pub fn rules(&self) -> Vec<Value> {
        let data = self.data("/api/v1/rules").expect("rules");
        let groups = data["groups"].as_array().expect("groups").iter();
        groups.flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
    }

    /// Names of the alerts that fire.
    pub fn alerts(&self) -> Vec<String> {
        let series = self.ask("count by (alertname) (ALERTS{alertstate=\"firing\"})").expect("alerts");
        series.into_iter().map(|(labels, _)| labels["alertname"].as_str().unwrap().to_owned()).collect()
    }
}

/// The shipped configuration with other targets, and faster.
fn configuration(shipped: &str, envoys: &[SocketAddr], service: SocketAddr) -> String {
    let envoys: Vec<_> = envoys.iter().map(|envoy| format!("\"{envoy}\"")).collect();
    let mut text = shipped.to_owned();
    for (from, to) in [
        ("targets: [\"envoy:9901\"]", format!("targets: [{}]", envoys.join(", "))),
        ("    dns_sd_configs:\n      - { names: [envoy-2], type: A, port: 9901 }\n", String::new()),
        (
            "dns_sd_configs:\n      - { names: [tollgate-fleet], type: A, port: 7071 }\n",
            format!("static_configs:\n      - targets: [\"{service}\"]\n"),
        ),
        ("_interval: 15s", "_interval: 1s".to_owned()),
    ] {
        assert!(text.contains(from), "deploy/prometheus/prometheus.yaml has no {from}");
        text = text.replace(from, &to);
    }
    text
}

fn launch(files: &Files) -> (Process, SocketAddr) {
    let address = free_address();
    let options = [
        format!("--config.file={}", files.file("prometheus.yaml").display()),
        format!("--storage.tsdb.path={}", files.file("data").display()),
        format!("--web.listen-address={address}"),
        "--log.level=warn".to_owned(),
    ];
    let mut process = Process::start(&program("prometheus"), &options, Vec::new(), &files.log_file());
    eventually("Prometheus to answer", || {
        let ended = process.ended();
        assert!(ended.is_none(), "Prometheus ended by itself: {ended:?}");
        let ready = Request::new(address, "GET", "/-/ready");
        let mut connection = ready.try_connect().ok()?;
        (connection.try_exchange(&ready).ok()?.status == 200).then_some(())
    });
    (process, address)
}

/// As a value in a target.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string");
        }
        encoded
    })
}
