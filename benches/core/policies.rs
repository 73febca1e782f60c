//! `Engine::decide` for whole policy files, for the kind of request that each is mostly for.

#[path = "../plenty.rs"]
mod plenty;

use super::house::Fixture;
use super::{Case, Says, Subject};
use plenty::{value_of, with_plenty};
use std::mem::ManuallyDrop;
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::{MetadataPath, MetadataValue, Request, Response};
use tollgate::reply::ReplyRules;
use tollgate::table::TableStats;
use tollgate::time::{MILLISECOND, Micros, SECOND};
use tollgate_cli::policy_file::PolicyFile;

pub const BILLIUM: &str = include_str!("../../envoy/policies/billium.yaml");
const FACTUAREA: &str = include_str!("../../envoy/policies/factuarea.yaml");
const FACTURAPI: &str = include_str!("../../envoy/policies/facturapi.yaml");
const PARSEO: &str = include_str!("../../envoy/policies/parseo.yaml");
const SAFEPAYS: &str = include_str!("../../envoy/policies/safepays.yaml");

pub const CASES: &[Case] = &[
    Case {
        name: "billium: address and key",
        says: Says::Admitted,
        set_up: || paced(100, BILLIUM, &[0, 1], call("/").key("0123456789abcdef"), 1_500 * MILLISECOND),
    },
    Case {
        name: "billium: address and key, leased",
        says: Says::Leased,
        set_up: || paced(2_000, &plenty_of(BILLIUM), &[0, 1], call("/").key("0123456789abcdef"), 100),
    },
    Case {
        name: "billium: address and key, rejected",
        says: Says::Rejected,
        set_up: || paced(50, BILLIUM, &[0, 1], call("/").key("0123456789abcdef"), 1),
    },
    Case {
        name: "factuarea: failures, minute and month",
        says: Says::Admitted,
        set_up: || paced(50, FACTUAREA, &[0, 1], call("/v1/invoices").key("fact_large"), 6 * SECOND),
    },
    Case {
        name: "facturapi: class and concurrency, with its end",
        says: Says::Admitted,
        set_up: || {
            paced(400, FACTURAPI, &[1, 5], call("/v2/invoices/1").key("sk_live_acme"), 200 * MILLISECOND)
        },
    },
    Case {
        name: "facturapi: class and concurrency, with its end, leased",
        says: Says::Leased,
        set_up: || {
            let call = call("/v2/invoices/1").key("sk_live_acme");
            paced(2_000, &plenty_of(FACTURAPI), &[1, 5], call, 100)
        },
    },
    Case {
        name: "safepays: minute and hour",
        says: Says::Admitted,
        set_up: || paced(1_000, SAFEPAYS, &[0], call("/api/v2/payments").key("sp_one"), 10 * SECOND),
    },
    Case {
        name: "safepays: minute and hour, leased",
        says: Says::Leased,
        set_up: || paced(20_000, SAFEPAYS, &[0], call("/api/v2/payments").key("sp_busy"), 75 * MILLISECOND),
    },
    Case {
        name: "parseo: by key",
        says: Says::Admitted,
        set_up: || {
            paced(600, PARSEO, &[0], call("/external/v1/documents").key("parseo_shop"), 125 * MILLISECOND)
        },
    },
    Case {
        name: "parseo: by key, leased",
        says: Says::Leased,
        set_up: || {
            paced(3_000, PARSEO, &[0], call("/external/v1/documents").key("parseo_bank"), 25 * MILLISECOND)
        },
    },
    Case {
        name: "parseo: by address, with a made-up key",
        says: Says::Admitted,
        set_up: || paced(50, PARSEO, &[1], call("/external/v1/documents").key("made up"), 4 * SECOND),
    },
    Case { name: "1 policy", says: Says::Admitted, set_up: || policies(1, None) },
    Case { name: "10 policies", says: Says::Admitted, set_up: || policies(10, None) },
    Case { name: "100 policies", says: Says::Admitted, set_up: || policies(100, None) },
    Case {
        name: "100 policies, of which 1 applies",
        says: Says::Admitted,
        set_up: || policies(100, Some(50)),
    },
];

/// The policy with quotas that reject nothing. JSON is YAML, too.
fn plenty_of(policy: &str) -> String {
    with_plenty(value_of(policy)).to_string()
}

/// So many policies, each with a key and so a record of its own. All of them apply, or by its path only one.
fn policies(count: usize, one: Option<usize>) -> Box<dyn Subject> {
    let keys: String = (0..count).map(|n| format!("  key_{n}: {{ header: x-api-key }}\n")).collect();
    let policy = |n: usize| {
        let path = if one.is_none() { "/**".into() } else { format!("/{n}") };
        let limits = "[{ quota: 20, window: 60s }]";
        format!("  - {{ name: policy_{n}, key: key_{n}, match: [{{ path: {path} }}], limits: {limits} }}\n")
    };
    let policies: String = (0..count).map(policy).collect();
    let path = format!("/{}", one.unwrap_or_default());
    let call = Call { headers: vec![(":path", path.into_bytes()), ("x-api-key", b"secret".to_vec())] };
    let by: Vec<usize> = one.map_or((0..count).collect(), |one| vec![one]);
    paced(30, &format!("keys:\n{keys}policies:\n{policies}"), &by, call, 4 * SECOND)
}

/// What is asked, always the same.
pub struct Call {
    headers: Vec<(&'static str, Vec<u8>)>,
}

pub fn call(path: &str) -> Call {
    let headers = [(":method", "GET"), (":path", path), (":authority", "api.example.com"), ("accept", "*/*")];
    Call { headers: headers.map(|(name, value)| (name, value.as_bytes().to_vec())).to_vec() }
}

impl Call {
    pub fn key(mut self, key: &str) -> Call {
        self.headers.push(("authorization", format!("Bearer {key}").into_bytes()));
        self
    }
}

impl Request for Call {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        Some(b"192.0.2.1:4711".to_vec())
    }

    fn metadata(&self, _: &MetadataPath) -> Option<MetadataValue> {
        None
    }
}

/// A fixture with an engine, and the call that it is asked with.
pub struct Gate {
    pub engine: Engine,
    pub replies: ReplyRules,
    pub fixture: Fixture,
    pub call: Call,
    pace: Micros,
}

impl Gate {
    pub fn new(policy: &str, call: Call, pace: Micros) -> Gate {
        let set = compiled(policy);
        let fixture = Fixture::new(set.rules.table_size);
        Gate { engine: Engine::new(set.rules), replies: set.replies, fixture, call, pace }
    }

    pub fn next(&mut self) -> Decision {
        self.fixture.wait(self.pace);
        let Fixture { table, store, now } = &mut self.fixture;
        self.engine.decide(&self.call, &mut table.begin(store, *now))
    }
}

fn compiled(policy: &str) -> Configuration {
    // It has a map with a random seed. To free that would leave another heap in each run, and other
    // instructions.
    let file = ManuallyDrop::new(PolicyFile::read("policy.yaml", policy).unwrap());
    let errors = |errors| panic!("{errors:?}");
    file.policies.first().unwrap().compile().unwrap_or_else(errors)
}

/// The upstream's answer to each request that waits for one.
struct Good;

impl Response for Good {
    fn status(&self) -> u16 {
        200
    }

    fn header(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// The same request each time that so much time has passed. The policies with the indexes `by` are to judge
/// it.
fn paced(warm_up: u32, policy: &str, by: &[usize], call: Call, pace: Micros) -> Box<dyn Subject> {
    let mut gate = Paced { gate: Gate::new(policy, call, pace), by: by.to_vec() };
    for _ in 0..warm_up {
        gate.decide();
    }
    Box::new(gate)
}

struct Paced {
    gate: Gate,
    by: Vec<usize>,
}

impl Subject for Paced {
    fn decide(&mut self) -> bool {
        let mut decision = self.gate.next();
        if self.gate.engine.awaits_response(&decision) {
            let Fixture { table, store, now } = &mut self.gate.fixture;
            self.gate.engine.on_response(&mut decision, &Good, &mut table.begin(store, *now));
        }
        if self.gate.engine.awaits_stream_end(&decision) {
            let Fixture { table, store, now } = &mut self.gate.fixture;
            self.gate.engine.on_stream_end(&mut decision, &mut table.begin(store, *now));
        }
        // One that applies to nobody would pass as well.
        let judged = decision.policies().iter().map(|answer| answer.policy).eq(self.by.iter().copied());
        assert!(judged, "judged by {:?}", decision.policies());
        !decision.rejected()
    }

    fn stats(&mut self) -> TableStats {
        self.gate.fixture.table.take_stats()
    }
}
