//! Envoy as a proxy-wasm host: the SDK's contexts in front of the filter, and the only file that makes host calls.
//!
//! Most calls go through the SDK, whose wrappers panic on every status that they do not expect. Beside each that is used
//! here stands why Envoy can't answer with one. Where it can, or where the SDK lacks a call, ours is in [`abi`].

mod abi;
mod header_map;

use super::host::Host;
use super::{Flow, TollgateRoot, TollgateStream, WorkerTable, trap};
use crate::reply::Reply;
use crate::table::{Cas, Read, Write};
use crate::time::Micros;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType};
use std::panic::{self, PanicHookInfo};
use std::time::{Duration, UNIX_EPOCH};

/// Smaller than the standard library's, and as fast (DESIGN.md). The SDK exports it to Envoy as `malloc`: what a call hands
/// over is a boxed slice of ours, which a `Vec` takes over without a copy.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    /// This VM's view of the table.
    static TABLE: WorkerTable = WorkerTable::default();
}

proxy_wasm::main! {{
    // The logger that `log::info!` and the others write to. It panics if Envoy rejects a line, which it does only to a level
    // above critical and to an address outside the module's memory.
    proxy_wasm::set_log_level(LogLevel::Info);
    panic::set_hook(Box::new(report_trap));
    proxy_wasm::set_root_context(|_| Box::new(TollgateRoot::new(ProxyWasm, TABLE.with(WorkerTable::clone))));
}}

/// Replaces the SDK's hook, whose line does not say which build it was.
fn report_trap(info: &PanicHookInfo<'_>) {
    abi::log(LogLevel::Critical, &trap::reason(info.payload_as_str(), info.location()));
}

impl Context for TollgateRoot<ProxyWasm> {}

impl RootContext for TollgateRoot<ProxyWasm> {
    fn on_configure(&mut self, _: usize) -> bool {
        self.configure()
    }

    fn on_tick(&mut self) {
        self.tick();
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(self.create_stream()))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for TollgateStream<ProxyWasm> {}

/// `on_log` and `on_done` are not used, and not exported (`tools/wasm-linker`): Envoy would call them for each stream. A
/// stream's end is its drop, which `proxy_on_delete` brings about however the stream ended.
impl HttpContext for TollgateStream<ProxyWasm> {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.request(()) {
            Flow::Continue => Action::Continue,
            Flow::Answered => Action::Pause,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.response(());
        Action::Continue
    }
}

/// The host of a proxy-wasm module. It knows by itself which stream a call is about.
#[derive(Clone, Copy)]
pub(super) struct ProxyWasm;

impl Host for ProxyWasm {
    type Stream = ();

    fn monotonic_time() -> Micros {
        abi::monotonic_nanoseconds() / 1_000
    }

    /// Envoy always has the time.
    fn wall_time() -> Micros {
        let time = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
        time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros)
    }

    fn fill_random(bytes: &mut [u8]) -> bool {
        abi::fill_random(bytes)
    }

    /// While a root is configured Envoy has this buffer, and cuts off what is asked for beyond its end.
    fn configuration(self) -> Vec<u8> {
        let configuration = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
        configuration.ok().flatten().unwrap_or_default()
    }

    /// Envoy never rejects a timer to a root.
    fn tick_every(self, period: Duration) {
        _ = hostcalls::set_tick_period(period);
    }

    /// Envoy rejects only a kind of metric that it does not know.
    fn define_counter(self, name: &str) -> Option<u32> {
        hostcalls::define_metric(MetricType::Counter, name).ok()
    }

    /// The SDK expects both ways in which Envoy can reject.
    fn add_to_counter(self, id: u32, by: u64) {
        _ = hostcalls::increment_metric(id, i64::try_from(by).unwrap_or(i64::MAX));
    }

    fn read_shared(self, key: &[u8]) -> Read {
        abi::get_shared_data(key)
    }

    fn write_shared(self, key: &[u8], value: &[u8], version: Option<Cas>) -> Write {
        abi::set_shared_data(key, value, version)
    }

    fn request_header(self, (): (), name: &str) -> Option<Vec<u8>> {
        header(MapType::HttpRequestHeaders, name)
    }

    fn each_request_header(self, (): (), show: &mut dyn FnMut(&[u8], &[u8])) {
        header_map::each(&abi::header_map(MapType::HttpRequestHeaders), show);
    }

    fn property(self, (): (), path: &[u8]) -> Option<Vec<u8>> {
        abi::property(path)
    }

    fn response_header(self, (): (), name: &str) -> Option<Vec<u8>> {
        header(MapType::HttpResponseHeaders, name)
    }

    fn each_response_header(self, (): (), show: &mut dyn FnMut(&[u8])) {
        header_map::each(&abi::header_map(MapType::HttpResponseHeaders), &mut |name, _| show(name));
    }

    /// Envoy rejects only outside the response's callbacks.
    fn set_response_header(self, (): (), name: &str, value: &str) {
        _ = hostcalls::set_map_value(MapType::HttpResponseHeaders, name, Some(value));
    }

    /// Likewise. Envoy lets no header pass whose name is not ASCII.
    fn remove_response_header(self, (): (), name: &[u8]) {
        if let Ok(name) = std::str::from_utf8(name) {
            _ = hostcalls::remove_map_value(MapType::HttpResponseHeaders, name);
        }
    }

    fn set_filter_state(self, (): (), name: &str, text: &str) {
        abi::set_property(name, text);
    }

    fn reply(self, (): (), reply: &Reply<'_>) {
        abi::send_local_response(reply);
    }
}

/// Envoy has no header map outside the map's own callbacks, and only then rejects: each is asked for in its own.
#[inline(never)]
fn header(map: MapType, name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(map, name).ok().flatten()
}
