//! The library's modules are floors: a module imports only from floors below its own, and no two files of one
//! folder import each other. Test code is free to import anything.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The top-level modules, from the ground up.
const FLOORS: &[&[&str]] = &[
    &["varint"],
    &["wire"],
    &["time", "http", "identity", "body"],
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

/// Enums whose variants only one module names, with all below it: everybody else asks for a property. So one
/// more variant is one more entry there.
const ENTRIES: &[(&str, &str)] = &[
    ("HeaderValue", "src/reply/limit_headers"),
    ("ResetFormat", "src/reply/limit_headers"),
    ("ValueMatch", "src/rules/request_match/value_match"),
    ("Variable", "src/reply/variable"),
];

#[test]
fn only_its_own_module_names_the_variants_of_a_registry() {
    let mut errors = Vec::new();
    for (place, text) in PACKAGES.iter().flat_map(|package| Sources::of(package).by_file()) {
        let others = ENTRIES.iter().filter(|(_, module)| !place.starts_with(module));
        for (registry, _) in others {
            let named = variants(&text, registry).into_iter();
            errors.extend(named.map(|variant| format!("{}: {registry}::{variant}", place.display())));
        }
    }
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The variants of an enum that a source names, such as `Epoch` in `ResetFormat::Epoch`. Constants and
/// functions are not variants.
fn variants<'a>(text: &'a str, registry: &str) -> Vec<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let path = [registry, "::"].concat();
    let after = text.match_indices(&path).filter(|(at, _)| !text[..*at].ends_with(is_word));
    let names = after.map(|(at, _)| {
        let rest = &text[at + path.len()..];
        &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
    });
    names.filter(|name| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)).collect()
}

/// Each type that a macro makes from a list, that list, and the module with it. What it lists is known only there
/// and in the file of its own.
const REGISTRIES: &[(&str, &str, &str)] = &[
    ("KeySource", "key_sources!", "src/rules/key/source"),
    ("Validity", "proofs!", "src/rules/key/validity"),
    ("Algorithm", "macro_rules! algorithms", "src/limiter"),
    ("Counter", "macro_rules! algorithms", "src/limiter"),
];

/// The packages of the workspace, by their roots.
const PACKAGES: [&str; 6] = [
    "src/lib.rs",
    "cli/src/lib.rs",
    "cli/src/main.rs",
    "fleet/src/lib.rs",
    "fleet/src/main.rs",
    "playground/src/lib.rs",
];

#[test]
fn no_other_file_names_what_is_in_a_registry() {
    let mut errors = Vec::new();
    for (name, list, registry) in REGISTRIES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(registry).with_extension("rs");
        let variants = listed(&fs::read_to_string(source).unwrap(), list);
        assert!(variants.len() > 3, "{list} lists only {variants:?}");
        for (file, text) in PACKAGES.iter().flat_map(|package| Sources::of(package).by_file()) {
            let file = Path::new(&file);
            let imports = paths(&text);
            let is_own =
                |own: &str| file == Path::new(registry) || file.starts_with(Path::new(registry).join(own));
            let is_of_module = |path: &[String]| path.iter().any(|part| Path::new(registry).ends_with(part));
            let is_imported = |variant: &String| {
                imports.iter().any(|path| path.last() == Some(variant) && is_of_module(path))
            };
            let is_named =
                |variant: &String| text.contains(&format!("{name}::{variant}")) || is_imported(variant);
            let found = variants.iter().filter(|(own, variant)| !is_own(own) && is_named(variant));
            errors.extend(found.map(|(_, variant)| format!("{}: {name}::{variant}", file.display())));
        }
    }
    assert!(errors.is_empty(), "ask for a property instead: {errors:#?}");
}

/// The lines `module::Name,` of a macro's list.
fn listed(source: &str, list: &str) -> Vec<(String, String)> {
    let Some((_, behind)) = source.rsplit_once(&format!("\n{list} {{")) else { return Vec::new() };
    let lines = behind.lines().map(str::trim).take_while(|line| *line != "}");
    let names = lines.filter_map(|line| line.strip_suffix(',')?.split_once("::"));
    names.map(|(module, name)| (module.to_string(), name.to_string())).collect()
}

/// The production code of all modules, without comments.
struct Sources {
    /// Of the package's root, from the folder of the workspace.
    folder: PathBuf,
    files: BTreeMap<Module, String>,
}

impl Sources {
    /// Those of a package with this root.
    fn of(package: &str) -> Sources {
        let mut sources =
            Sources { folder: Path::new(package).parent().unwrap().into(), files: BTreeMap::new() };
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
        let root = production(&fs::read_to_string(&package).unwrap());
        for name in modules(&root) {
            sources.add(package.parent().unwrap(), vec![name]);
        }
        sources
    }

    /// Each file without its extension, from the folder of the workspace, and its code.
    fn by_file(self) -> impl Iterator<Item = (PathBuf, String)> {
        self.files.into_iter().map(move |(module, text)| (self.folder.join(module.join("/")), text))
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
