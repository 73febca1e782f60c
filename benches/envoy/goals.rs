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
}

impl Goal {
    pub fn reached(&self) -> Option<bool> {
        self.found.map(|found| found.median <= self.at_most)
    }
}

/// 2^20 bytes.
pub const MEGABYTE: f64 = 1024.0 * 1024.0;

pub fn all(results: &[Results], module: &Path) -> Vec<Goal> {
    let ratio = |name, at_most, found: Option<Summary>| Goal { name, unit: "", at_most, found };
    let in_group = |name: &str| results.iter().find(|results| results.group.name == name);
    let added = |group, name, other| in_group(group)?.added_ratio(name, other);
    let total = |group, name, other| in_group(group)?.ratio(name, other);
    let memory = || in_group("memory")?.once_added("full_table", |once| Some(once.memory as f64 / MEGABYTE));
    let start = || in_group("subjects")?.once_added("two_layers", |once| Some(once.started_in * 1e3));
    let size = || Summary::of([fs::metadata(module).ok()?.len() as f64 / 1e3]);
    vec![
        ratio("two layers ÷ floor, added CPU", 1.15, added("subjects", "two_layers", "floor")),
        ratio("two layers ÷ naive, added CPU", 0.65, added("subjects", "two_layers", "naive")),
        ratio(
            "one layer ÷ floor without source.address, added CPU",
            1.15,
            added("subjects", "one_layer", "floor_without_address"),
        ),
        ratio("a refused request ÷ an unlimited one, total CPU", 1.6, total("subjects", "refused", "none")),
        ratio("1,000,000 keys ÷ hot key, added CPU", 1.8, added("keys", "1m_keys", "hot_key")),
        ratio("100 policies ÷ 1 policy, added CPU", 1.15, added("policies", "100_policies", "1_policy")),
        ratio("2 workers on one key ÷ 1, total CPU", 1.15, total("workers", "two_workers", "one_worker")),
        Goal { name: "memory added, 2 workers, table full", unit: "MB", at_most: 60.0, found: memory() },
        Goal { name: "module", unit: "KB", at_most: 350.0, found: size() },
        Goal { name: "start-up added", unit: "ms", at_most: 150.0, found: start() },
    ]
}
