//! The module that was built: what it exports to Envoy, what it imports, and that its build is reproducible.
//! Envoy calls each callback that is exported, and it loads no module that imports a call which it does not
//! have.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Each callback costs every request a call, so there are only those that the filter uses. The rest is the
/// SDK's and the linker's.
const EXPORTS: [&str; 15] = [
    "_initialize",
    "malloc",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_response_body",
    "proxy_on_response_headers",
    "proxy_on_response_trailers",
    "proxy_on_tick",
    "__data_end",
    "__heap_base",
];

/// What the filter calls.
const CALLS: [&str; 20] = [
    "env.proxy_continue_stream",
    "env.proxy_define_metric",
    "env.proxy_get_buffer_bytes",
    "env.proxy_get_header_map_pairs",
    "env.proxy_get_header_map_value",
    "env.proxy_get_property",
    "env.proxy_get_shared_data",
    "env.proxy_increment_metric",
    "env.proxy_http_call",
    "env.proxy_log",
    // The gauges: how full the table is, and which configuration is live. A counter cannot fall.
    "env.proxy_record_metric",
    "env.proxy_remove_header_map_value",
    "env.proxy_replace_header_map_value",
    "env.proxy_send_local_response",
    "env.proxy_set_effective_context",
    "env.proxy_set_property",
    "env.proxy_set_shared_data",
    "env.proxy_set_tick_period_milliseconds",
    "wasi_snapshot_preview1.clock_time_get",
    "wasi_snapshot_preview1.random_get",
];

/// What the SDK's contexts could call: methods of its traits that nobody calls here, but that a trait object
/// keeps. All of them belong to ABI 0.2.1.
const NEVER_CALLED: [&str; 17] = [
    "env.proxy_add_header_map_value",
    "env.proxy_call_foreign_function",
    "env.proxy_close_stream",
    "env.proxy_dequeue_shared_queue",
    "env.proxy_done",
    "env.proxy_enqueue_shared_queue",
    "env.proxy_get_current_time_nanoseconds",
    "env.proxy_get_status",
    "env.proxy_grpc_call",
    "env.proxy_grpc_cancel",
    "env.proxy_grpc_close",
    "env.proxy_grpc_send",
    "env.proxy_grpc_stream",
    "env.proxy_register_shared_queue",
    "env.proxy_resolve_shared_queue",
    "env.proxy_set_buffer_bytes",
    "env.proxy_set_header_map_pairs",
];

#[test]
fn the_module_exports_only_what_it_uses() {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ExportSection(exports) = payload.unwrap() {
            let exports = exports.into_iter().map(Result::unwrap);
            found.extend(exports.map(|export| {
                assert!(matches!(
                    export.kind,
                    ExternalKind::Func | ExternalKind::Memory | ExternalKind::Global
                ));
                export.name.to_owned()
            }));
        }
    }
    assert_eq!(found, listed(&[&EXPORTS]));
}

#[test]
fn the_module_imports_only_calls_that_envoy_has() {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ImportSection(imports) = payload.unwrap() {
            found.extend(imports.into_imports().map(Result::unwrap).map(|import| {
                assert!(matches!(import.ty, TypeRef::Func(_)));
                format!("{}.{}", import.module, import.name)
            }));
        }
    }
    assert_eq!(found, listed(&[&CALLS, &NEVER_CALLED]));
}

#[test]
fn another_folder_builds_the_same_module() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/build-elsewhere");
    // Cargo's settings for this test must not reach the build.
    let cargos = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_"));
    let cargos = cargos.filter(|name| name != "CARGO_HOME");
    let mut build = Command::new(script);
    for name in cargos {
        build.env_remove(name);
    }
    let output = build.output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{failed}");
}

fn listed(lists: &[&[&str]]) -> BTreeSet<String> {
    lists.iter().flat_map(|list| list.iter().map(|name| (*name).to_owned())).collect()
}

fn module() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tollgate.wasm");
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; tools/build-wasm makes it", path.display()))
}
