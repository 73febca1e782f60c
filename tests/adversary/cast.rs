//! Who plays in a history: what is asked for where a policy listens, and by whom.

use super::call::Call;
use super::random::Random;
use super::upstream::Deed;
use super::world::Visit;

/// Something to ask for. `{}` in its path stands for a number.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub method: &'static str,
    pub path: &'static str,
    pub deed: Deed,
}

/// How its callers are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// By a key that the upstream checks.
    ByKey,
    /// By a key, a cookie, or a claim that was verified.
    ByAny,
}

/// All of a policy's requests.
#[derive(Clone, Debug)]
pub struct Cast {
    pub targets: &'static [Target],
    /// Keys that a consumer of the policy is known by.
    pub consumers: &'static [&'static str],
    pub known: Known,
}

const fn at(method: &'static str, path: &'static str, deed: Deed) -> Target {
    Target { method, path, deed }
}

impl Cast {
    /// That of a file that is shipped.
    pub fn of(file: &str) -> Cast {
        let (targets, consumers): (&'static [Target], &'static [&'static str]) = match file {
            "factuarea" => (FACTUAREA, &["fact_dashboard", "fact_export", "fact_large"]),
            "facturapi" => (FACTURAPI, &["sk_test_acme", "sk_live_acme", "sk_live_bulk", "sk_live_ana"]),
            "kitchen-sink" => (KITCHEN_SINK, &["test"]),
            "parseo" => (PARSEO, &["parseo_shop", "parseo_bank"]),
            "safepays" => (SAFEPAYS, &["sp_busy"]),
            _ => (BILLIUM, &[]),
        };
        let known = if matches!(file, "facturapi" | "kitchen-sink") { Known::ByAny } else { Known::ByKey };
        Cast { targets, consumers, known }
    }

    /// That of a random policy.
    pub fn of_random() -> Cast {
        Cast { targets: RANDOM, consumers: &["known"], known: Known::ByAny }
    }

    /// What most callers ask for.
    pub fn usual_target(&self) -> Target {
        let is_usual = |target: &&Target| target.method == "GET" && matches!(target.deed, Deed::Answers(200));
        *self.targets.iter().find(is_usual).unwrap_or(&self.targets[0])
    }

    pub fn target(&self, random: &mut Random) -> Target {
        random.pick(self.targets)
    }

    /// Somebody whose credentials the upstream believes, by a number; from an address of its own.
    pub fn regular(&self, random: &mut Random, number: u64) -> Visit {
        let visit = self.target(random).visit(random);
        let call = visit.call.from(number);
        let call = match (self.known, number % 4) {
            (Known::ByAny, 1) => call.organization(format!("org-{number}")),
            (Known::ByAny, 2) => call.session(format!("session-{number}")),
            (_, 3) if !self.consumers.is_empty() => call.key(random.pick(self.consumers)),
            _ => call.key(format!("key-of-number-{number}")),
        };
        Visit { call, ..visit }
    }

    /// Somebody with a key that was made up.
    pub fn impostor(&self, random: &mut Random, number: u64) -> Visit {
        let visit = self.target(random).visit(random);
        let call = visit.call.key(format!("{number}-made-up-key"));
        let call = if self.known == Known::ByAny { call.session(format!("{number}-made-up")) } else { call };
        Visit { call, deed: Deed::Answers(401), ..visit }
    }
}

impl Target {
    pub fn visit(&self, random: &mut Random) -> Visit {
        let path = self.path.replace("{}", &random.below(3).to_string());
        // Now and then as much as no quota has, or as a response can report.
        let cost = match random.below(400) {
            0 => u32::MAX,
            1 => 149_999_000,
            2..5 => 1_000,
            usual => usual as u32 % 20,
        };
        Visit { cost, ..Visit::new(Call::new(self.method, &path), self.deed) }
    }
}

const BILLIUM: &[Target] = &[at("GET", "/{}", Deed::Answers(200))];
const PARSEO: &[Target] = &[at("GET", "/external/v1/{}", Deed::Answers(200))];
const SAFEPAYS: &[Target] = &[at("GET", "/api/v2/{}", Deed::Answers(200))];

const FACTUAREA: &[Target] = &[
    at("GET", "/v1/invoices", Deed::Answers(200)),
    at("GET", "/v1/invoices", Deed::Answers(401)),
    at("POST", "/v1/webhook_endpoints", Deed::Creates),
    at("POST", "/v1/webhook_endpoints", Deed::Creates),
    at("POST", "/v1/webhook_endpoints", Deed::Answers(422)),
    at("DELETE", "/v1/webhook_endpoints/{}", Deed::Deletes),
    at("POST", "/v1/invoices/{}/send", Deed::Answers(200)),
    at("GET", "/v1/invoices/{}/pdf", Deed::Answers(200)),
];

const FACTURAPI: &[Target] = &[
    at("POST", "/v2/invoices/{}/stamp", Deed::Answers(200)),
    at("POST", "/v2/exports", Deed::Answers(202)),
    at("GET", "/v2/invoices/{}/pdf", Deed::Answers(200)),
    at("GET", "/v2/invoices", Deed::Answers(401)),
    at("POST", "/v2/invoices", Deed::Answers(201)),
    at("DELETE", "/v2/invoices/{}", Deed::Answers(500)),
];

const KITCHEN_SINK: &[Target] = &[
    at("POST", "/v1/invoices/{}/send", Deed::Answers(200)),
    at("GET", "/v1/invoices", Deed::Answers(500)),
    at("GET", "/v1/invoices", Deed::Answers(200)),
    at("POST", "/login", Deed::Answers(401)),
    at("POST", "/login", Deed::Answers(200)),
    at("POST", "/v1/webhooks", Deed::Creates),
    at("DELETE", "/v1/webhooks/{}", Deed::Deletes),
];

/// What [`super::random_policy`] has policies for.
const RANDOM: &[Target] = &[
    at("GET", "/a/{}", Deed::Answers(200)),
    at("GET", "/a/{}", Deed::Answers(500)),
    at("POST", "/login", Deed::Answers(401)),
    at("POST", "/login", Deed::Answers(200)),
    at("POST", "/things", Deed::Creates),
    at("POST", "/things", Deed::Creates),
    at("POST", "/things", Deed::Answers(422)),
    at("DELETE", "/things/{}", Deed::Deletes),
];
