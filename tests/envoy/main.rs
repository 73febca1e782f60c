//! The filter as its users meet it: a real Envoy with the built module in front of an upstream, asked by real
//! clients.
//!
//! Each test is a sentence that starts with the id of the promise it proves. `harness` starts Envoy and
//! speaks HTTP; every other module is one promise or one family of them. Run it with `make e2e`, which
//! fetches Envoy and builds the module first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step of the harness that goes wrong is the failure of the test that took it, and says so where it happens"
)]

mod algorithms;
mod attacks;
mod auth_failures;
mod bans;
mod billium;
mod browser;
mod callers;
mod cases;
mod concurrency;
mod conditions;
mod configuration;
mod consumers;
mod contention;
mod costs;
mod counting;
mod escapes;
mod exactness;
mod explained;
mod factuarea;
mod facturapi;
mod flood;
mod forgive;
#[allow(dead_code, unused_imports, reason = "the tests of a fleet use the rest")]
mod harness;
mod header_reads;
mod header_sets;
mod hostile;
mod hostile_callers;
mod keys;
mod kitchen_sink;
mod live_consumers;
mod live_update;
mod matching;
mod observation;
mod parseo;
mod penalty;
mod platforms;
mod policy_files;
mod presets;
mod protocols;
mod published;
mod quotas;
mod rejections;
mod replay;
mod replies;
mod restarts;
mod safepays;
mod secrecy;
mod seen;
mod selection;
mod shadow;
mod stage;
mod stated_numbers;
mod stock;
mod tokens;
mod trailers;
mod two_filters;
mod two_levels;
mod upstream_headers;
mod values;
mod waiting;
mod wall_clock;
mod when;
