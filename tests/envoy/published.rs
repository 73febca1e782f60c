//! The files for published APIs: what each documents is what a client of this Envoy sees. N requests pass and
//! the next one is rejected as documented, with the documented headers, byte for byte.
//!
//! Quotas are the documented ones. Where a test replaces a number, it says so.

mod answers;
mod bodies;
mod pattern;

mod airtable;
mod amazon_sp_api;
mod anthropic;
mod binance;
mod cloudflare;
mod discord;
mod docker_hub;
mod github;
mod hubspot;
mod jira;
mod microsoft_graph;
mod okta;
mod openai;
mod pipedrive;
mod salesforce;
mod shopify_graphql;
mod shopify_rest;
mod slack;
mod stripe;
mod visma;
mod xero;
mod youtube;
mod zendesk;

use crate::harness::Setup;
use answers::{Api, admits, exactly, overruns, rejects};

/// The name of the metadata that the files expect.
const AUTHENTICATED: &str = "envoy.filters.http.ext_authz";

/// The instant at which every Envoy of these tests starts, as its wall clock says: 2026-05-19T00:00:00Z.
const START: u64 = 1_779_148_800;

/// A published file, behind a filter that authenticates: what a request says in `x-meta-KEY` is its metadata.
///
/// With one worker: of a quota from 1,000 on, a worker may reject a few units early that another one has leased.
fn published(name: &str) -> Setup {
    let setup = Setup::file(&format!("published/{name}.yaml")).workers(1);
    setup.metadata_from_headers_as(AUTHENTICATED).at(START)
}
