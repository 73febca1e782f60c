//! Two Envoys of two workers each whose filter comes by ECDS from a file, the fleet's service, Redis, and a Prometheus
//! that scrapes them all; and traffic whose answers are counted.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use tollgate_cli::command::{self, outcome::Status};

use crate::harness::{Files, Gateway, Request, Setup, eventually, in_repository, module};
use crate::prometheus::Prometheus;
use crate::several::stage::{Link, Redis, Service};

/// The shortest traffic that each rate can see: several scrapes.
const TRAFFIC: Duration = Duration::from_secs(12);

pub struct Scene {
    // In this order they end: each can still say what it has to say.
    pub prometheus: Prometheus,
    pub envoys: Vec<Envoy>,
    _service: Service,
    _to_service: Link,
    _to_redis: Link,
    _redis: Redis,
    _files: Files,
}

pub struct Envoy {
    pub gateway: Gateway,
    /// The address of its admin interface, as in the label `instance`.
    pub instance: String,
    ecds: std::path::PathBuf,
}

/// How many requests passed and how many did not, by target and key.
pub type Counted = BTreeMap<(&'static str, &'static str), [u64; 2]>;

impl Scene {
    pub fn start() -> Self {
        let files = Files::new();
        let token = files.file("token");
        fs::write(&token, "a-token-that-only-the-fleet-knows").expect("a token file");
        let token = token.display().to_string();
        let redis = Redis::start();
        let to_redis = Link::to(redis.address());
        let service = Service::start(&to_redis, &token, 900);
        let to_service = Link::to(service.address());
        let envoys: Vec<_> =
            (0..2).map(|i| Envoy::start(&files, i, &to_service.address().to_string(), &token)).collect();
        let admins: Vec<_> = envoys.iter().map(|envoy| envoy.gateway.admin().0).collect();
        let prometheus = Prometheus::start(&admins, service.operator().0);
        Self {
            prometheus,
            envoys,
            _service: service,
            _to_service: to_service,
            _to_redis: to_redis,
            _redis: redis,
            _files: files,
        }
    }

    /// Requests of each kind, in turn to both Envoys, for some seconds.
    pub fn traffic(&self) -> Counted {
        let mut counted = Counted::new();
        let end = Instant::now() + TRAFFIC;
        while Instant::now() < end {
            for envoy in &self.envoys {
                for (target, key) in [
                    ("/plan", "acme-key"),
                    ("/plan", "tiny-key"),
                    ("/plan", "another-key"),
                    ("/metered", "none"),
                    ("/answers", "none"),
                    ("/hooks", "none"),
                    ("/fleet", "acme-key"),
                ] {
                    let request: Request = envoy.gateway.get(target).header("x-api-key", key);
                    let passed = request.admitted_of(1) == 1;
                    counted.entry((target, key)).or_default()[usize::from(!passed)] += 1;
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        counted
    }

    /// Waits until a query answers this number.
    pub fn until(&self, query: &str, expected: f64) {
        let mut last = f64::NAN;
        let mut looks = || {
            last = self.prometheus.number(query);
            (last == expected).then_some(())
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while looks().is_none() {
            assert!(Instant::now() < deadline, "{query} is {last} and not {expected}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Envoy {
    fn start(files: &Files, number: usize, fleet: &str, token: &str) -> Self {
        let policy = in_repository("tests/observe/policy.yaml").display().to_string();
        let module = module().display().to_string();
        let arguments =
            ["tollgate", "bootstrap", &policy, "--wasm", &module, "--port", "0", "--admin-port", "0"];
        let fleet = ["--fleet", fleet, "--fleet-token-file", token];
        let printed = command::run([&arguments[..], &fleet].concat()).expect("valid arguments");
        assert_eq!(printed.status, Status::Success, "{}", printed.stderr);
        let ecds = files.file(&format!("filter-{number}.yaml"));
        let (bootstrap, filter) = by_ecds(&printed.stdout, &ecds.display().to_string());
        fs::write(&ecds, filter).expect("the filter's file");
        let gateway =
            Setup::whole(format!("node: {{ id: envoy-{number}, cluster: envoys }}\n{bootstrap}")).start();
        eventually("each worker to join the fleet", || {
            (gateway.log().matches("has joined the fleet").count() >= 3).then_some(())
        });
        let instance = gateway.admin().0.to_string();
        Self { gateway, instance, ecds }
    }

    /// Moves another file over the filter's: with `to` in the place of `from` in the policy.
    pub fn update(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.ecds).expect("the filter's file");
        assert!(text.contains(from), "{from}");
        let next = self.ecds.with_extension("next");
        fs::write(&next, text.replace(from, to)).expect("the next file");
        fs::rename(next, &self.ecds).expect("a move");
    }
}

/// An Envoy file whose filter comes from a file, and that file.
fn by_ecds(printed: &str, path: &str) -> (String, String) {
    let (before, rest) = printed.split_once("- name: tollgate\n").expect("the filter");
    let end = rest.find("- name: envoy.filters.http.router").expect("the next filter");
    let (filter, after) = rest.split_at(end);
    let indent = " ".repeat(before.len() - before.trim_end_matches(' ').len() + 2);
    let source = format!("config_source: {{ path_config_source: {{ path: \"{path}\" }} }}");
    let typed = "type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]";
    let by_ecds = format!(
        "- name: tollgate\n{indent}config_discovery:\n{indent}  {source}\n{indent}  {typed}\n{}",
        &indent[2..]
    );
    let unindented = |line: &str| format!("  {}\n", line.strip_prefix(&indent).unwrap_or(line));
    let filter: String = filter.lines().filter(|line| !line.trim().is_empty()).map(unindented).collect();
    let resource = "\"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    let file = format!("resources:\n- {resource}\n  name: tollgate\n{filter}");
    (format!("{before}{by_ecds}{after}"), file)
}
