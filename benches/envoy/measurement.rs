//! The cases of a group take turns.
//!
//! A turn is short, since a shared machine's speed drifts from second to second, and what is compared should
//! meet the same of it. All processes of a group run at once, one of them with a load. For each generation
//! they are started anew, so that no process's luck with its memory's layout decides.

use crate::gateway::Gateway;
use crate::load::Latency;
use crate::subjects::{Case, Group};
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
}

impl Bench {
    /// One generation of a group: so many turns of each of its cases, round by round.
    pub fn generation(
        &self,
        group: &Group,
        generation: u32,
        rounds: u32,
    ) -> Vec<(Applicability, Vec<Sample>)> {
        let gateways: Vec<Gateway> = group.cases.iter().map(|case| self.start(case)).collect();
        for (case, gateway) in group.cases.iter().zip(&gateways) {
            self.prepare(case, gateway);
        }
        let mut samples = vec![Vec::new(); group.cases.len()];
        for round in 0..rounds {
            for ((case, gateway), samples) in group.cases.iter().zip(&gateways).zip(&mut samples) {
                let seed = generation * rounds + round + 1;
                samples.push(self.sample(case, gateway, seed));
            }
        }
        let standing = |case: &Case, gateway: &Gateway| {
            let log = self.folder.join("h2load.tsv");
            let latency =
                group.latency.then(|| case.load.open_loop(gateway.address, OPEN_LOOP_RATE, 2, &log));
            let started_in = gateway.started_in.as_secs_f64();
            Applicability { memory: gateway.memory(), started_in, latency }
        };
        let standing = group.cases.iter().zip(&gateways).map(|(case, gateway)| standing(case, gateway));
        standing.zip(samples).collect()
    }

    fn start(&self, case: &Case) -> Gateway {
        Gateway::start(&self.envoy, &self.folder, case.name, &case.filters, case.workers)
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

    fn sample(&self, case: &Case, gateway: &Gateway, seed: u32) -> Sample {
        let before = gateway.cpu();
        let answers = case.load.closed_loop(&self.script, gateway.address, self.turn, seed);
        let cpu = gateway.cpu() - before;
        Sample {
            cpu: cpu.as_secs_f64() * 1e6 / answers.all as f64,
            per_second: answers.per_second,
            rejected: answers.failed as f64 / answers.all as f64,
        }
    }
}
