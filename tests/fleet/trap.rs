//! A module that traps when a response comes. The shipped one has no such bug, so one is put into a copy.

use std::fs;

use wasmparser::{ExternalKind, FunctionBody, Parser, Payload, TypeRef};

use crate::harness::{Files, module};

/// The instruction `unreachable`.
const UNREACHABLE: u8 = 0;

/// The path of a copy of the module, whose `proxy_on_response_headers` traps.
pub fn module_that_traps(files: &Files) -> String {
    let mut bytes = fs::read(module()).expect("the module");
    let instructions = instructions(&bytes, "proxy_on_response_headers");
    bytes[instructions].fill(UNREACHABLE);
    let path = files.file("trap.wasm");
    fs::write(&path, bytes).expect("a module that traps");
    path.display().to_string()
}

/// Where an exported function's instructions are, without the `end` of the function.
fn instructions(bytes: &[u8], export: &str) -> std::ops::Range<usize> {
    let (mut imported, mut wanted, mut bodies) = (0, None, Vec::new());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.expect("a module");
        if let Payload::ImportSection(section) = payload {
            let imports = section.into_imports().map(|import| import.expect("an import"));
            imported = imports.filter(|import| matches!(import.ty, TypeRef::Func(_))).count();
        } else if let Payload::ExportSection(section) = payload {
            let exports = section.into_iter().map(|export| export.expect("an export"));
            let mut functions = exports.filter(|one| one.kind == ExternalKind::Func && one.name == export);
            wanted = functions.next().map(|one| one.index as usize);
        } else if let Payload::CodeSectionEntry(body) = payload {
            bodies.push(body);
        }
    }
    let body: &FunctionBody<'_> = &bodies[wanted.expect("the export") - imported];
    let operators = body.get_operators_reader().expect("a function");
    operators.original_position()..body.range().end - 1
}
