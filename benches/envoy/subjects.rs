//! What is measured: groups of cases, each a filter chain, a number of workers, and a load.

use crate::backend::Kind;
use crate::load::{Keys, Load};
use crate::plenty::with_plenty;
use crate::{filters, policies};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Cases that take turns, to be compared with each other.
pub struct Group {
    pub name: &'static str,
    pub about: &'static str,
    pub cases: Vec<Case>,
    /// What latency is measured with. `None`: it is not measured.
    pub latency: Option<OpenLoop>,
}

/// What sends requests at a constant rate.
#[derive(Clone, Copy)]
pub enum OpenLoop {
    /// The key is hot.
    H2load,
    /// The key is that of the load ([`paced`](crate::paced)).
    Paced,
}

pub struct Case {
    pub name: &'static str,
    /// What it is, for readers of the table.
    pub about: &'static str,
    pub filters: Vec<Value>,
    pub workers: usize,
    /// What the filter asks.
    pub backend: Option<Kind>,
    /// Whether its route leads to a cluster, and another filter answers before. Otherwise the route answers, and
    /// Envoy's global limit does nothing.
    pub is_routed: bool,
    /// The JSON that its route answers with; empty: none.
    pub body: String,
    pub load: Load,
    /// So many requests of the same load before the first measurement.
    pub before: u64,
    /// The module that is in it.
    pub module: Option<PathBuf>,
}

/// Where things are.
pub struct Places {
    pub root: PathBuf,
    pub tollgate: PathBuf,
    /// The folder of the modules that only this benchmark has.
    pub others: PathBuf,
    /// Another build of Tollgate, to compare.
    pub other_build: Option<PathBuf>,
}

/// The case that all added costs are over. Each group has it.
pub const NONE: &str = "none";

/// With a million keys evenly, so many requests meet four fifths of them, and fill the default table.
const FILL: u64 = 1_600_000;

impl Case {
    fn new(name: &'static str, about: &'static str, filters: Vec<Value>) -> Case {
        let load = Load::hot("/", "Bearer 0000000000000001");
        Case {
            name,
            about,
            filters,
            workers: 1,
            backend: None,
            is_routed: false,
            body: String::new(),
            load,
            before: 0,
            module: None,
        }
    }

    fn none() -> Case {
        Case::new(NONE, "no filter", vec![])
    }

    fn wasm(name: &'static str, about: &'static str, id: &str, module: &Path, policy: &str) -> Case {
        let filter = filters::wasm(id, module, policy);
        Case { module: Some(module.into()), ..Case::new(name, about, vec![filter]) }
    }

    fn asking(self, path: &str, authorization: &str) -> Case {
        Case { load: Load::hot(path, authorization), ..self }
    }

    fn under(self, load: Load) -> Case {
        Case { load, ..self }
    }

    fn workers(self, workers: usize) -> Case {
        Case { workers, ..self }
    }

    fn asking_at(self, backend: Kind) -> Case {
        Case { backend: Some(backend), ..self }
    }

    fn after(self, before: u64) -> Case {
        Case { before, ..self }
    }
}

impl Places {
    fn tollgate(&self, name: &'static str, about: &'static str, policy: Value) -> Case {
        Case::wasm(name, about, "tollgate", &self.tollgate, &policy.to_string())
    }

    fn other(&self, name: &'static str, about: &'static str) -> Case {
        self.filter(name, name, about)
    }

    /// One of the filters beside Tollgate, in a case of another name.
    fn filter(&self, filter: &str, name: &'static str, about: &'static str) -> Case {
        Case::wasm(name, about, name, &self.others.join(format!("{filter}.wasm")), "")
    }

    /// The same policies in another build of the module.
    fn rebuilt(&self, name: &'static str, case: impl Fn(&Places, &'static str) -> Case) -> Option<Case> {
        let tollgate = self.other_build.clone()?;
        let places =
            Places { root: self.root.clone(), tollgate, others: self.others.clone(), other_build: None };
        Some(case(&places, name))
    }

    fn rejected(&self, name: &'static str, about: &'static str) -> Case {
        let policy = policies::with_headers(policies::published(&self.root, "billium"), "ip");
        self.tollgate(name, about, policy)
    }

    /// A million keys evenly, once the table is full.
    fn million_keys(&self, name: &'static str, about: &'static str) -> Case {
        self.two_layers(name, about).under(Load::of(Keys::Even(1_000_000))).after(FILL)
    }

    fn new_keys(&self, name: &'static str, about: &'static str) -> Case {
        self.two_layers(name, about).under(Load::of(Keys::New))
    }

    fn two_layers(&self, name: &'static str, about: &'static str) -> Case {
        let policy = with_plenty(policies::published(&self.root, "billium"));
        self.tollgate(name, about, policies::with_headers(policy, "key"))
    }

    /// One of the five systems as published, but for its quotas.
    fn system(&self, name: &'static str, about: &'static str) -> Case {
        self.published(name, name, about)
    }

    fn published(&self, system: &str, name: &'static str, about: &'static str) -> Case {
        self.tollgate(name, about, with_plenty(policies::published(&self.root, system)))
    }

    fn facturapi(&self, name: &'static str, about: &'static str) -> Case {
        self.published("facturapi", name, about).asking("/v2/invoices/1", "Bearer sk_live_acme")
    }

    fn factuarea(&self, name: &'static str, about: &'static str) -> Case {
        self.published("factuarea", name, about).asking("/v1/invoices", "Bearer fact_dashboard")
    }

    /// All groups, in the order of the report. What is compared stands close together.
    pub fn groups(&self) -> Vec<Group> {
        vec![
            self.subjects(),
            self.systems(),
            self.keys(),
            self.policies(),
            self.bodies(),
            self.workers(),
            self.memory(),
            self.fleet(),
        ]
    }

    fn subjects(&self) -> Group {
        let none = Case::none;
        let mut cases = vec![
            none(),
            self.other("empty", "an empty proxy-wasm filter"),
            self.other("floor", "the host calls of two layers and three headers"),
            self.other("floor_filtered", "floor, exporting only the callbacks that Tollgate uses"),
            self.two_layers("two_layers", "Tollgate: Billium's two layers, three headers"),
            self.other("naive", "floor, and get + compare-and-swap for each layer"),
            self.other("floor_without_address", "the host calls of one layer and three headers"),
            self.tollgate("one_layer", "Tollgate: the key alone, three headers", policies::one_layer()),
            self.other("floor_without_sdk", "floor, without the SDK and the callbacks that it exports"),
            Case::new(
                "local_ratelimit",
                "Envoy's bucket per key, three headers",
                vec![filters::local_ratelimit()],
            ),
            Case::new("lua", "Lua that adds three headers", vec![filters::lua()]),
            self.other("floor_refused", "the host calls of two layers that reject"),
            self.rejected("refused", "Tollgate: two layers, everything rejected"),
        ];
        let two_layers = |places: &Places, name| places.two_layers(name, "two_layers by another build");
        let rejected = |places: &Places, name| places.rejected(name, "refused by another build");
        cases.extend(self.rebuilt("two_layers_other", two_layers));
        cases.extend(self.rebuilt("refused_other", rejected));
        Group { name: "subjects", about: "one hot key, 1 worker", cases, latency: Some(OpenLoop::H2load) }
    }

    fn systems(&self) -> Group {
        let mut cases = vec![
            Case::none(),
            self.system("billium", "two layers, no headers"),
            self.facturapi("facturapi", "six policies, a consumer's organization, concurrency, no headers"),
            self.other("floor_facturapi", "the host calls of facturapi"),
            self.factuarea(
                "factuarea",
                "failures by address, a minute and a month by the consumer's tier, headers",
            ),
            self.other("floor_factuarea", "the host calls of factuarea"),
            self.system("safepays", "a minute and an hour of the clock, no headers")
                .asking("/api/v2/orders", "Bearer sp_shop"),
            self.system("parseo", "a known key's plan, headers")
                .asking("/external/v1/parse", "Bearer parseo_shop"),
        ];
        let facturapi = |places: &Places, name| places.facturapi(name, "facturapi by another build");
        let factuarea = |places: &Places, name| places.factuarea(name, "factuarea by another build");
        cases.extend(self.rebuilt("facturapi_other", facturapi));
        cases.extend(self.rebuilt("factuarea_other", factuarea));
        Group {
            name: "systems",
            about: "the five systems with higher quotas, one hot key, 1 worker",
            cases,
            latency: None,
        }
    }

    fn keys(&self) -> Group {
        let two = |name, about| self.two_layers(name, about);
        let million = Keys::Even(1_000_000);
        let mut cases = vec![
            Case::none(),
            two("hot_key", "one hot key"),
            two("10k_keys", "10,000 keys evenly").under(Load::of(Keys::Even(10_000))),
            self.million_keys("1m_keys", "1,000,000 keys evenly, the table full"),
            two("1m_callers", "the same, each key with an address of its own")
                .under(Load { addresses: true, ..Load::of(million) })
                .after(FILL),
            two("zipf", "100,000 keys, the n-th 1/n as often").under(Load::of(Keys::Zipf(100_000))),
            self.new_keys("new_keys", "each key new, the table empty at first"),
        ];
        let million_keys = |places: &Places, name| places.million_keys(name, "1m_keys by another build");
        let new_keys = |places: &Places, name| places.new_keys(name, "new_keys by another build");
        cases.extend(self.rebuilt("1m_keys_other", million_keys));
        cases.extend(self.rebuilt("new_keys_other", new_keys));
        Group {
            name: "keys",
            about: "Tollgate's two layers and three headers, 1 worker",
            cases,
            latency: None,
        }
    }

    fn policies(&self) -> Group {
        let many = |name, about, number: usize| {
            self.tollgate(name, about, policies::of_many_paths(number))
                .asking(&format!("/v1/service-{number}/x"), "Bearer 0000000000000001")
        };
        let mut cases = vec![
            Case::none(),
            many("1_policy", "one policy, for a path", 1),
            many("10_policies", "ten, the request meets the last", 10),
            many("100_policies", "a hundred, the request meets the last", 100),
        ];
        let one_policy = |places: &Places, name| {
            let policy = places.tollgate(name, "1_policy by another build", policies::of_many_paths(1));
            policy.asking("/v1/service-1/x", "Bearer 0000000000000001")
        };
        cases.extend(self.rebuilt("1_policy_other", one_policy));
        Group {
            name: "policies",
            about: "policies for a path each, three headers, 1 worker",
            cases,
            latency: None,
        }
    }

    /// What it costs that Envoy shows the module each body, and what it costs to read one.
    fn bodies(&self) -> Group {
        let mut cases = vec![
            Case::none(),
            self.two_layers("two_layers_body", "two layers, which read no body"),
            self.tollgate("held", "a policy with a hold, which reads no body", policies::tokens(false)),
            self.tollgate("tokens", "the same, which reads the tokens", policies::tokens(true)),
        ];
        let two_layers = |places: &Places, name| places.two_layers(name, "two layers by another build");
        cases.extend(self.rebuilt("two_layers_body_other", two_layers));
        cases.iter_mut().for_each(|case| case.body = policies::answer());
        Group { name: "bodies", about: "answers of 2 KB, one hot key, 1 worker", cases, latency: None }
    }

    fn workers(&self) -> Group {
        let cases = vec![
            Case::none(),
            Case::new("none_2", "no filter, 2 workers", vec![]).workers(2),
            self.filter("floor", "floor_one_worker", "the floor filter, 1 worker"),
            self.filter("floor", "floor_two_workers", "the floor filter, 2 workers").workers(2),
            self.two_layers("one_worker", "two layers, 1 worker"),
            self.two_layers("two_workers", "two layers, 2 workers").workers(2),
        ];
        Group {
            name: "workers",
            about: "Tollgate's two layers and three headers, one hot key",
            cases,
            latency: None,
        }
    }

    fn memory(&self) -> Group {
        let load = Load { addresses: true, ..Load::of(Keys::Even(1_000_000)) };
        let full = |case: Case| case.under(load.clone()).workers(2).after(FILL);
        let mut cases =
            vec![full(Case::none()), full(self.two_layers("full_table", "two layers, the table full"))];
        let full_table = |places: &Places, name| places.two_layers(name, "full_table by another build");
        cases.extend(self.rebuilt("full_table_other", full_table).map(full));
        Group { name: "memory", about: "a million keys and addresses, 2 workers", cases, latency: None }
    }
    fn fleet(&self) -> Group {
        let new_keys = |case: Case| case.under(Load::of(Keys::New));
        let global = |name, about| Case::new(name, about, vec![filters::ratelimit()]).asking_at(Kind::Rls);
        let mut cases = vec![
            Case::none(),
            self.tollgate("proxy_scope", "Tollgate: scope proxy, one hot key", policies::one_layer()),
            self.of_fleet("leased", "Tollgate: scope fleet on Redis, one hot key", Kind::FleetOnRedis),
            new_keys(self.tollgate(
                "proxy_scope_new_keys",
                "scope proxy, each key new",
                policies::one_layer(),
            )),
            self.asked("asked_memory"),
            new_keys(global("global_memory", "Envoy's global limit in memory, each key new")),
            global("global_hot", "the same, one hot key"),
            new_keys(self.of_fleet("asked_redis", "scope fleet on Redis, each key new", Kind::FleetOnRedis)),
        ];
        let leased =
            |places: &Places, name| places.of_fleet(name, "leased by another build", Kind::FleetOnRedis);
        cases.extend(self.rebuilt("leased_other", leased));
        cases.extend(self.rebuilt("asked_memory_other", Places::asked));
        cases.iter_mut().for_each(|case| case.is_routed = true);
        Group {
            name: "fleet",
            about: "one layer and three headers, 1 worker",
            cases,
            latency: Some(OpenLoop::Paced),
        }
    }

    fn of_fleet(&self, name: &'static str, about: &'static str, kind: Kind) -> Case {
        self.tollgate(name, about, policies::one_layer_of_fleet()).asking_at(kind)
    }

    /// Each key is new, so nothing is in hand and the service is asked about each request.
    fn asked(&self, name: &'static str) -> Case {
        let about = "scope fleet in memory, each key new";
        self.of_fleet(name, about, Kind::FleetInMemory).under(Load::of(Keys::New))
    }
}
