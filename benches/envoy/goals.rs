//! What Tollgate is to cost at most.

use crate::results::Results;
use crate::statistics::Summary;
use std::fs;
use std::path::Path;

pub struct Goal {
    pub name: &'static str,
    pub unit: &'static str,
    pub at_most: f64,
    /// `None`: it was not measured in this run.
    pub found: Option<Summary>,
    /// The same figure of a filter that makes the host calls and does nothing else. `None`: there is no such
    /// filter, or it was not measured.
    pub floor: Option<Summary>,
}

impl Goal {
    pub fn reached(&self) -> Option<bool> {
        self.found.map(|found| found.median <= self.at_most)
    }
}

/// 2^20 bytes.
pub const MEGABYTE: f64 = 1024.0 * 1024.0;

/// `batched`: the service's processor time for an entry, in microseconds, if it was measured.
pub fn all(results: &[Results], module: &Path, batched: Option<f64>) -> Vec<Goal> {
    let in_group = |name: &str| results.iter().find(|results| results.group.name == name);
    let added = |group, name, other| in_group(group)?.added_ratio(name, other);
    let total = |group, name, other| in_group(group)?.ratio(name, other);
    let memory = || in_group("memory")?.once_added("full_table", |once| Some(once.memory as f64 / MEGABYTE));
    let start = |case: &str| in_group("subjects")?.once_added(case, |once| Some(once.started_in * 1e3));
    let exchange = || in_group("fleet")?.asked("asked_redis", |asked| asked.exchange_cpu);
    let size = || Summary::of([fs::metadata(module).ok()?.len() as f64 / 1e3]);
    let goal = |name, at_most, found| Goal { name, unit: "", at_most, found, floor: None };
    vec![
        goal("two layers ÷ floor, added CPU", 1.15, added("subjects", "two_layers", "floor")),
        Goal {
            floor: added("subjects", "floor", "naive"),
            ..goal("two layers ÷ naive, added CPU", 0.65, added("subjects", "two_layers", "naive"))
        },
        goal(
            "one layer ÷ floor without source.address, added CPU",
            1.15,
            added("subjects", "one_layer", "floor_without_address"),
        ),
        Goal {
            floor: total("subjects", "floor_refused", "none"),
            ..goal(
                "a rejected request ÷ an unlimited one, total CPU",
                1.6,
                total("subjects", "refused", "none"),
            )
        },
        goal("Facturapi ÷ its floor, added CPU", 1.5, added("systems", "facturapi", "floor_facturapi")),
        goal("Factuarea ÷ its floor, added CPU", 1.5, added("systems", "factuarea", "floor_factuarea")),
        goal("1,000,000 keys ÷ hot key, added CPU", 1.8, added("keys", "1m_keys", "hot_key")),
        goal("100 policies ÷ 1 policy, added CPU", 1.15, added("policies", "100_policies", "1_policy")),
        Goal {
            floor: total("workers", "floor_two_workers", "floor_one_worker"),
            ..goal("2 workers on one key ÷ 1, total CPU", 1.15, total("workers", "two_workers", "one_worker"))
        },
        Goal { unit: "MB", ..goal("memory added, 2 workers, table full", 60.0, memory()) },
        Goal { unit: "KB", ..goal("module", 400.0, size()) },
        Goal { unit: "ms", floor: start("empty"), ..goal("start-up added", 150.0, start("two_layers")) },
        goal("leased ÷ proxy scope, Envoy's total CPU", 1.1, total("fleet", "leased", "proxy_scope")),
        goal(
            "asked ÷ Envoy's global limit, Envoy's total CPU",
            1.0,
            total("fleet", "asked_memory", "global_memory"),
        ),
        Goal { unit: "µs", ..goal("the service's CPU, an exchange on Redis", 60.0, exchange()) },
        // 20,000 a second on one processor.
        Goal {
            unit: "µs",
            ..goal("the service's CPU, one of 64 entries on Redis", 50.0, Summary::of(batched))
        },
    ]
}
