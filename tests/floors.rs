//! The library's modules are floors: a module imports only from floors below its own, and no two files of one
//! folder import each other. And what a registry lists is named only in its own file: everything else asks the
//! registry. Test code is free to do either.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The top-level modules, from the ground up.
const FLOORS: &[&[&str]] = &[
    &["varint"],
    &["wire"],
    &["time", "http", "identity"],
    &["identity_map"],
    &["config"],
    &["limiter"],
    &["fleet"],
    &["table"],
    &["rules"],
    &["decision"],
    &["engine", "reply"],
    &["language"],
    &["compile"],
    &["filter"],
];

/// A module's path, such as `["engine", "caller"]`.
type Module = Vec<String>;

#[test]
fn every_module_imports_only_from_floors_below_its_own() {
    let floor = |module: &str| {
        let floor = FLOORS.iter().position(|floor| floor.contains(&module));
        floor.unwrap_or_else(|| panic!("{module} is on no floor: add it to FLOORS"))
    };
    let sources = Sources::of("src/lib.rs");
    let mut errors = BTreeSet::new();
    for (module, other) in sources.imports() {
        if module[0] != other[0] && floor(&other[0]) >= floor(&module[0]) {
            errors.insert(format!("{} imports {}", module.join("::"), other.join("::")));
        }
    }
    assert!(errors.is_empty(), "{errors:#?}");
    let known: BTreeSet<&str> = FLOORS.iter().flat_map(|floor| floor.iter().copied()).collect();
    let there: BTreeSet<&str> = sources.files.keys().map(|module| module[0].as_str()).collect();
    assert_eq!(known, there, "FLOORS lists the modules that there are");
}

#[test]
fn no_two_files_of_a_folder_import_each_other() {
    let sources = Sources::of("src/lib.rs");
    let mut siblings = BTreeSet::new();
    for (module, other) in sources.imports() {
        let depth = module.iter().zip(&other).take_while(|(one, other)| one == other).count();
        if depth > 0 && depth < module.len() && depth < other.len() {
            siblings.insert((module[..=depth].to_vec(), other[..=depth].to_vec()));
        }
    }
    let rings = siblings
        .iter()
        .filter(|(one, other)| one < other && siblings.contains(&(other.clone(), one.clone())));
    let rings: Vec<String> =
        rings.map(|(one, other)| [one.join("::"), other.join("::")].join(" and ")).collect();
    assert!(rings.is_empty(), "{rings:#?}");
}

/// The packages of the workspace, by their roots.
const PACKAGES: [&str; 5] =
    ["src/lib.rs", "cli/src/lib.rs", "cli/src/main.rs", "fleet/src/lib.rs", "fleet/src/main.rs"];

#[test]
fn only_an_algorithms_own_file_names_it() {
    assert_only_own_files_name_it("limiter", "ask a method of Algorithm");
}

/// What the registry in the root of a top-level module lists is named only there and in its own file.
fn assert_only_own_files_name_it(floor: &str, instead: &str) {
    let registry = entries(&fs::read_to_string(root().join("src").join(floor).with_extension("rs")).unwrap());
    assert!(!registry.is_empty(), "the registry of {floor} has lines such as `file::Name,`");
    let mut errors = Vec::new();
    for package in PACKAGES {
        for (module, text) in Sources::of(package).files {
            let on_floor = package == "src/lib.rs" && module[0] == floor;
            let is_own = |file: &str| on_floor && module.get(1).is_none_or(|own| own == file);
            let is_named = |name: &str| words(&text).any(|word| word == name);
            let foreign = registry.iter().filter(|(file, name)| !is_own(file) && is_named(name));
            errors.extend(foreign.map(|(_, name)| format!("{name} in {package}, {}", module.join("::"))));
        }
    }
    assert!(errors.is_empty(), "{instead}: {errors:#?}");
}

/// The lines `file::Name,` of a registry.
fn entries(source: &str) -> Vec<(String, String)> {
    let entry = |line: &str| {
        let (file, name) = line.trim().strip_suffix(',')?.split_once("::")?;
        let is_type = name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
        is_type.then(|| (file.to_string(), name.to_string()))
    };
    source.lines().filter_map(entry).collect()
}

/// The words of the code, without those in texts.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().flat_map(|line| line.split('"').step_by(2));
    code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The production code of all modules of a package, without comments.
struct Sources {
    files: BTreeMap<Module, String>,
}

impl Sources {
    fn of(package: &str) -> Sources {
        let mut sources = Sources { files: BTreeMap::new() };
        let package = root().join(package);
        let (src, name) = (package.parent().unwrap(), package.file_stem().unwrap());
        let root = production(&fs::read_to_string(&package).unwrap());
        for name in modules(&root) {
            sources.add(src, vec![name]);
        }
        if name != "lib" {
            sources.files.insert(vec![name.to_string_lossy().into()], root);
        }
        sources
    }

    /// Adds a module and those below it. Only those that are declared in production code are found.
    fn add(&mut self, src: &Path, module: Module) {
        let file = src.join(module.join("/")).with_extension("rs");
        let text = production(&fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}")));
        for name in modules(&text) {
            self.add(src, [module.clone(), vec![name]].concat());
        }
        self.files.insert(module, text);
    }

    /// Pairs of a module and another one that it imports from.
    fn imports(&self) -> Vec<(Module, Module)> {
        let mut imports = Vec::new();
        for (module, text) in &self.files {
            for path in paths(text) {
                let Some(path) = absolute(module, &path) else { continue };
                let other = self.owner(&path);
                if !other.is_empty() && other != *module {
                    imports.push((module.clone(), other));
                }
            }
        }
        imports
    }

    /// The module that defines what this path names, which another module may export under this path.
    fn owner(&self, path: &[String]) -> Module {
        let depth = (0..=path.len()).rev().find(|depth| self.files.contains_key(&path[..*depth]));
        let Some(depth) = depth else { return Vec::new() };
        let module = path[..depth].to_vec();
        let Some(name) = path.get(depth) else { return module };
        for exported in paths(&self.files[&module]) {
            let local = !["crate", "super", "self"].contains(&exported[0].as_str());
            if local && exported.len() > 1 && exported.last() == Some(name) {
                let child = [module.clone(), vec![exported[0].clone()]].concat();
                if self.files.contains_key(&child) {
                    return child;
                }
            }
        }
        module
    }
}

/// A source without comments and without what is compiled for tests alone.
fn production(source: &str) -> String {
    let mut text = String::new();
    let mut lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        let is_test = ["#[cfg(test)]", "#[cfg(all(test,"].iter().any(|cfg| line.trim().starts_with(cfg));
        if !is_test {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        // The item ends with its first line, or where that line's indentation comes back with a closing
        // brace.
        let indentation = line.len() - line.trim_start().len();
        let first = lines.by_ref().find(|line| !line.trim_start().starts_with('#')).unwrap_or_default();
        if !first.ends_with(';') && !first.ends_with('}') {
            let end = format!("{}}}", " ".repeat(indentation));
            lines.by_ref().find(|line| line.starts_with(&end));
        }
    }
    text
}

/// The modules that a source declares in files of their own.
fn modules(text: &str) -> Vec<String> {
    let declared = |line: &str| {
        let line = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub ");
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_string)
    };
    text.lines().filter_map(declared).collect()
}

/// All paths in a source: those of `use` declarations, with groups expanded, and those in the code.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = String::new();
    for statement in text.split_inclusive(';') {
        let begin = statement.rfind("\nuse ").or_else(|| statement.rfind("\npub use "));
        let begin = begin
            .or_else(|| (statement.starts_with("use ") || statement.starts_with("pub use ")).then_some(0));
        match begin.map(|begin| statement.split_at(begin)) {
            Some((before, declaration)) => {
                rest.push_str(before);
                let tree = declaration.trim().trim_start_matches("pub ").trim_start_matches("use ");
                expand(&[], tree.trim_end_matches(';'), &mut paths);
            }
            None => rest.push_str(statement),
        }
    }
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = rest.split(|c: char| !is_path(c));
    let in_code = words.filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    paths.extend(in_code.map(|path| path.split("::").map(str::to_string).collect()));
    paths
}

/// Expands `a::{b, c::{d, e}}` into its paths. A renamed import counts by its original name.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim().split(" as ").next().unwrap_or_default();
    if let Some((path, group)) = tree.split_once('{') {
        let path: Vec<String> =
            path.split("::").filter(|part| !part.is_empty()).map(|part| part.trim().into()).collect();
        let prefix = [prefix, &path].concat();
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&prefix, &group[begin..at], paths);
                    begin = at + 1;
                }
                _ => {}
            }
        }
        expand(&prefix, &group[begin..], paths);
    } else if !tree.is_empty() {
        paths.push(prefix.iter().cloned().chain(tree.split("::").map(|part| part.trim().into())).collect());
    }
}

/// A path from the crate's root. `None`: it leads outside the crate, or is local to the module.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    match path.first()?.as_str() {
        "crate" => return Some(path[1..].to_vec()),
        "super" | "self" => {}
        _ => return None,
    }
    let supers = path.iter().take_while(|part| *part == "super").count();
    base.truncate(module.len().checked_sub(supers)?);
    let rest = path.iter().skip_while(|part| *part == "super" || *part == "self");
    Some(base.into_iter().chain(rest.cloned()).collect())
}
