//! The cases of a group take turns.
//!
//! A turn is short, since a shared machine's speed drifts from second to second, and what is compared should
//! meet the same of it. All processes of a group run at once, one of them with a load. For each generation
//! they are started anew, so that no process's luck with its memory's layout decides.

use crate::backend::{Account, Backend, Programs};
use crate::filters::{CLUSTER, NOWHERE};
use crate::gateway::{Chain, Gateway};
use crate::load::Latency;
use crate::subjects::{Case, Group, OpenLoop};
use crate::{filters, paced};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Far below what the slowest subject can do, so that nothing queues.
const OPEN_LOOP_RATE: u32 = 2_000;

/// Long enough for V8 to optimise what is hot.
const WARM_UP: Duration = Duration::from_millis(1_500);

/// One case's turn.
#[derive(Clone)]
pub struct Sample {
    /// Of the whole Envoy process, in microseconds a request.
    pub cpu: f64,
    pub per_second: f64,
    /// The part of requests that were rejected.
    pub rejected: f64,
    /// Of what the filter asks, if it asks anybody.
    pub asked: Option<Asked>,
}

/// What a turn has taken of the processes beside Envoy.
#[derive(Clone, Copy)]
pub struct Asked {
    /// Of the service, in microseconds a request.
    pub service_cpu: f64,
    /// Of Redis, in microseconds a request.
    pub redis_cpu: Option<f64>,
    /// Messages to the fleet's service, a request.
    pub exchanges: Option<f64>,
    /// Of the service, in microseconds a message. `None`: there were too few to tell.
    pub exchange_cpu: Option<f64>,
}

/// What is measured once a generation.
#[derive(Clone)]
pub struct Applicability {
    /// Bytes.
    pub memory: u64,
    /// Seconds from the start of the process to its first response.
    pub started_in: f64,
    pub latency: Option<Latency>,
}

/// How measurements are made.
pub struct Bench {
    pub envoy: PathBuf,
    pub script: PathBuf,
    /// For Envoy's files.
    pub folder: PathBuf,
    pub turn: Duration,
    /// What filters ask. `None`: no chosen group needs it.
    pub programs: Option<Programs>,
}

/// The processes of one case.
struct Running {
    gateway: Gateway,
    backend: Option<Backend>,
}

impl Bench {
    /// One generation of a group: so many turns of each of its cases, round by round.
    pub fn generation(
        &self,
        group: &Group,
        generation: u32,
        rounds: u32,
    ) -> Vec<(Applicability, Vec<Sample>)> {
        let running: Vec<Running> = group.cases.iter().map(|case| self.start(case)).collect();
        for (case, running) in group.cases.iter().zip(&running) {
            self.prepare(case, &running.gateway);
        }
        let mut samples = vec![Vec::new(); group.cases.len()];
        for round in 0..rounds {
            for ((case, running), samples) in group.cases.iter().zip(&running).zip(&mut samples) {
                let seed = generation * rounds + round + 1;
                samples.push(self.sample(case, running, seed));
            }
        }
        let standing = |case: &Case, Running { gateway, .. }: &Running| {
            let latency = group.latency.map(|with| self.latency(case, gateway, with));
            let started_in = gateway.started_in.as_secs_f64();
            Applicability { memory: gateway.program.memory(), started_in, latency }
        };
        let standing = group.cases.iter().zip(&running).map(|(case, running)| standing(case, running));
        standing.zip(samples).collect()
    }

    fn start(&self, case: &Case) -> Running {
        let backend = case.backend.map(|kind| {
            let programs = self.programs.as_ref().expect("BENCH_SERVICES, which `make bench` sets");
            Backend::start(kind, programs, &self.folder, case.name)
        });
        let service = backend.iter().map(|backend| filters::cluster(CLUSTER, backend.address));
        let nowhere = filters::cluster(NOWHERE, SocketAddr::from(([127, 0, 0, 1], 1)));
        let (route, filters, clusters) = if case.is_routed {
            let filters = [&case.filters[..], &[filters::answer()]].concat();
            (json!({ "route": { "cluster": NOWHERE } }), filters, service.chain([nowhere]).collect())
        } else {
            let text = if case.body.is_empty() { "hello\n" } else { &case.body };
            let body = json!({ "inline_string": text });
            let mut direct = json!({ "direct_response": { "status": 200, "body": body } });
            if !case.body.is_empty() {
                let header = json!({ "key": "content-type", "value": "application/json" });
                direct["response_headers_to_add"] =
                    json!([{ "header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }]);
            }
            (direct, case.filters.clone(), service.collect::<Vec<_>>())
        };
        let chain = Chain { filters: &filters, clusters: &clusters, route: &route, workers: case.workers };
        Running { gateway: Gateway::start(&self.envoy, &self.folder, case.name, &chain), backend }
    }

    fn prepare(&self, case: &Case, gateway: &Gateway) {
        let (mut sent, mut seed) = (0, 100_000);
        loop {
            sent += case.load.closed_loop(&self.script, gateway.address, WARM_UP, seed).all;
            seed += 1;
            if sent >= case.before {
                break;
            }
        }
    }

    fn sample(&self, case: &Case, Running { gateway, backend }: &Running, seed: u32) -> Sample {
        let asked_before = backend.as_ref().map(Backend::account);
        let before = gateway.program.cpu();
        let answers = case.load.closed_loop(&self.script, gateway.address, self.turn, seed);
        let cpu = gateway.program.cpu() - before;
        let requests = answers.all as f64;
        let asked = backend.as_ref().zip(asked_before);
        Sample {
            cpu: cpu.as_secs_f64() * 1e6 / requests,
            per_second: answers.per_second,
            rejected: answers.failed as f64 / requests,
            asked: asked.map(|(backend, before)| Asked::since(&before, &backend.account(), requests)),
        }
    }

    fn latency(&self, case: &Case, gateway: &Gateway, with: OpenLoop) -> Latency {
        const SECONDS: u64 = 2;
        let (load, to) = (&case.load, gateway.address);
        match with {
            OpenLoop::H2load => load.open_loop(to, OPEN_LOOP_RATE, SECONDS, &self.folder.join("h2load.tsv")),
            // The keys of no turn, and new in each generation, whose processes are new.
            OpenLoop::Paced => {
                paced::open_loop(load, to, OPEN_LOOP_RATE, Duration::from_secs(SECONDS), 200_000)
            }
        }
    }
}

impl Asked {
    fn since(before: &Account, after: &Account, requests: f64) -> Asked {
        /// The service does some work of its own twice a second.
        const FEWEST: f64 = 100.0;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let service = micros(after.service - before.service);
        let redis = after.redis.zip(before.redis).map(|(after, before)| micros(after - before));
        let exchanges = after.exchanges.zip(before.exchanges).map(|(after, before)| (after - before) as f64);
        Asked {
            service_cpu: service / requests,
            redis_cpu: redis.map(|redis| redis / requests),
            exchanges: exchanges.map(|exchanges| exchanges / requests),
            exchange_cpu: exchanges.filter(|exchanges| *exchanges >= FEWEST).map(|number| service / number),
        }
    }
}
