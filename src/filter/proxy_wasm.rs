//! Envoy as a proxy-wasm host: the SDK's contexts in front of the filter.
//!
//! The SDK has the contexts, the dispatcher and the types. The calls are in [`abi`], because the SDK's
//! wrappers panic on every status that they do not expect, and an operator can make Envoy answer any call
//! with such a status (`capability_restriction_config`).

mod abi;
mod header_map;

use super::host::{Attribute, Host};
use super::membership::Members;
use super::{Flow, TollgateRoot, TollgateStream, WorkerTables, trap};
use crate::reply::Reply;
use crate::table::{Cas, Read, Write};
use crate::time::Micros;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType, MetricType, Status};
use std::panic::{self, PanicHookInfo};
use std::time::Duration;

/// Smaller than the standard library's, and as fast (DESIGN.md). The SDK exports it to Envoy as `malloc`:
/// what a call hands over is a boxed slice of ours, which a `Vec` takes over without a copy.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    /// This VM's views of its tables.
    static TABLES: WorkerTables = WorkerTables::default();
    /// The fleets that this VM is a member of.
    static MEMBERS: Members = Members::default();
}

proxy_wasm::main! {{
    // Only the first logger of a VM is taken, and this is the only one.
    _ = log::set_logger(&EnvoyLog);
    log::set_max_level(log::LevelFilter::Info);
    panic::set_hook(Box::new(report_trap));
    proxy_wasm::set_root_context(|context| {
        let (tables, members) = (TABLES.with(WorkerTables::clone), MEMBERS.with(Members::clone));
        Box::new(TollgateRoot::new(ProxyWasm, tables, members, context))
    });
}}

/// Writes what `log::info!` and the other macros say to Envoy's log.
struct EnvoyLog;

impl log::Log for EnvoyLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        };
        abi::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Replaces the SDK's hook, whose line does not say which build it was.
fn report_trap(info: &PanicHookInfo<'_>) {
    abi::log(LogLevel::Critical, &trap::reason(info.payload_as_str(), info.location()));
}

impl Context for TollgateRoot<ProxyWasm> {
    fn on_http_call_response(&mut self, token: u32, _: usize, _: usize, _: usize) {
        self.answered(token);
    }
}

impl RootContext for TollgateRoot<ProxyWasm> {
    fn on_configure(&mut self, _: usize) -> bool {
        self.configure()
    }

    fn on_tick(&mut self) {
        self.tick();
    }

    /// Not Envoy's queue: see [`abi::wake_root`].
    fn on_queue_ready(&mut self, _: u32) {
        self.send_calls();
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(self.create_stream(context)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for TollgateStream<ProxyWasm> {}

/// `on_log` and `on_done` are not used, and not exported (`tools/wasm-linker`): Envoy would call them for
/// each stream. A stream's end is its drop, which `proxy_on_delete` brings about however the stream ended.
impl HttpContext for TollgateStream<ProxyWasm> {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.request(()) {
            Flow::Continue => Action::Continue,
            Flow::Answered | Flow::Paused => Action::Pause,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, ends: bool) -> Action {
        self.response(());
        if ends {
            self.ends_without_trailers();
            self.response_ended();
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, ends: bool) -> Action {
        self.response_body((), size, ends);
        if ends {
            self.ends_without_trailers();
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.trailers(());
        self.response_ended();
        Action::Continue
    }
}

/// The host of a proxy-wasm module. It knows by itself which stream a call is about.
#[derive(Clone, Copy)]
pub(super) struct ProxyWasm;

/// Whether the host lets this module send calls. There is no cluster without a name, so none is sent.
fn can_call() -> bool {
    let sent = hostcalls::dispatch_http_call("", Vec::new(), None, Vec::new(), Duration::ZERO);
    sent != Err(Status::InternalFailure)
}

impl Host for ProxyWasm {
    type Stream = ();

    fn monotonic_time() -> Micros {
        abi::monotonic_nanoseconds() / 1_000
    }

    fn wall_time() -> Micros {
        abi::wall_nanoseconds() / 1_000
    }

    fn fill_random(bytes: &mut [u8]) -> bool {
        abi::fill_random(bytes)
    }

    fn configuration(self) -> Vec<u8> {
        abi::plugin_configuration()
    }

    fn tick_every(self, period: Duration) {
        abi::set_tick_period(period);
    }

    fn define_counter(self, name: &str) -> Option<u32> {
        abi::define_metric(MetricType::Counter, name)
    }

    fn add_to_counter(self, id: u32, by: u64) {
        abi::increment_metric(id, by);
    }

    fn define_gauge(self, name: &str) -> Option<u32> {
        abi::define_metric(MetricType::Gauge, name)
    }

    fn set_gauge(self, id: u32, value: u64) {
        abi::record_metric(id, value);
    }

    fn read_shared(self, key: &[u8]) -> Read {
        abi::get_shared_data(key)
    }

    fn write_shared(self, key: &[u8], value: &[u8], version: Option<Cas>) -> Write {
        abi::set_shared_data(key, value, version)
    }

    fn request_header(self, (): (), name: &str) -> Option<Vec<u8>> {
        abi::header(MapType::HttpRequestHeaders, name)
    }

    fn each_request_header(self, (): (), show: &mut dyn FnMut(&[u8], &[u8])) {
        header_map::each(&abi::header_map(MapType::HttpRequestHeaders), show);
    }

    fn replace_request_header(self, (): (), name: &str, value: Option<&str>) {
        match value {
            Some(value) => abi::replace_header(MapType::HttpRequestHeaders, name, value),
            None => abi::remove_header(MapType::HttpRequestHeaders, name.as_bytes()),
        }
    }

    fn attribute(self, (): (), path: &[u8]) -> Attribute {
        abi::property(path)
    }

    fn response_header(self, (): (), name: &str) -> Option<Vec<u8>> {
        abi::header(MapType::HttpResponseHeaders, name)
    }

    fn each_response_header(self, (): (), show: &mut dyn FnMut(&[u8])) {
        header_map::each(&abi::header_map(MapType::HttpResponseHeaders), &mut |name, _| show(name));
    }

    fn set_response_header(self, (): (), name: &str, value: &str) {
        abi::replace_header(MapType::HttpResponseHeaders, name, value);
    }

    fn remove_response_header(self, (): (), name: &[u8]) {
        abi::remove_header(MapType::HttpResponseHeaders, name);
    }

    fn response_trailer(self, (): (), name: &str) -> Option<Vec<u8>> {
        abi::header(MapType::HttpResponseTrailers, name)
    }

    fn remove_response_trailer(self, (): (), name: &[u8]) {
        abi::remove_header(MapType::HttpResponseTrailers, name);
    }

    fn response_body(self, (): (), start: usize, max: usize) -> Vec<u8> {
        abi::response_body(start, max)
    }

    fn set_filter_state(self, (): (), name: &str, text: &str) {
        abi::set_property(name, text);
    }

    fn can_wait(self, root: u32) -> bool {
        abi::can_wait(root) && can_call()
    }

    fn call(self, cluster: &str, path: &str, body: &[u8], timeout: Duration) -> Option<u32> {
        // The cluster says where it is, and what shows that this proxy may call it.
        let headers =
            vec![(":method", "POST"), (":path", path), (":authority", "tollgate-fleet"), (":scheme", "http")];
        hostcalls::dispatch_http_call(cluster, headers, Some(body), Vec::new(), timeout).ok()
    }

    fn call_status(self) -> u16 {
        let status = abi::header(MapType::HttpCallResponseHeaders, ":status");
        status.and_then(|digits| std::str::from_utf8(&digits).ok()?.parse().ok()).unwrap_or_default()
    }

    fn call_body(self) -> Vec<u8> {
        abi::call_body()
    }

    fn enter(self, context: u32) {
        abi::enter(context);
    }

    fn resume(self, context: u32) {
        abi::enter(context);
        abi::continue_request();
    }

    fn wake_root(self, root: u32, context: u32) {
        abi::wake_root(root);
        abi::enter(context);
    }

    fn reply(self, (): (), reply: &Reply<'_>) {
        abi::send_local_response(reply);
    }
}
