//! The filter: it carries values between the proxy and the engine, and decides nothing itself.
//!
//! A [`TollgateRoot`] is one configuration in one worker, a [`TollgateStream`] one request. Both reach the
//! proxy only through the trait [`Host`](host::Host), so they also compile natively and are tested there with
//! a fake host. The one real host is `proxy_wasm`, the only file that calls Envoy.

mod alarm;
#[cfg(test)]
mod fake_host;
mod fleet;
mod host;
mod membership;
mod metrics;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod proxy_wasm;
mod request;
mod request_headers;
mod root;
mod shared_table;
mod stream;
mod survey;
#[cfg(test)]
mod tests;
mod trap;
mod waiting;
mod waiting_request;
mod worker;

use request::Flow;
use root::TollgateRoot;
use stream::TollgateStream;
use worker::WorkerTables;
