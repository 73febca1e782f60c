//! The repository's own Envoy file as a template: its marks, and how options are put beside them.

pub(super) const TEMPLATE: &str = "envoy/bootstrap.yaml";
const LISTENER_BEGIN: &str = "# gateway listener: begin";
const LISTENER_END: &str = "# gateway listener: end";
/// The line of the HTTP connection manager that further options of it are put beside.
pub(super) const MANAGER_ANCHOR: &str = "use_remote_address: true";
/// The line of the virtual host that further options of it are put beside.
pub(super) const HOST_ANCHOR: &str = "domains: [\"*\"]";
/// The line before the module's own HTTP filter.
pub(super) const FILTER_ANCHOR: &str = "# Tollgate: begin";
/// The line after it.
pub(super) const LATER_FILTER_ANCHOR: &str = "# Tollgate: end";
/// The line of the plugin that further options of it are put beside.
pub(super) const PLUGIN_ANCHOR: &str = "failure_policy: FAIL_RELOAD";
/// The line of the module's VM that further options of it are put beside.
pub(super) const VM_ANCHOR: &str = "vm_id: \"tollgate\"";
pub(super) const VM_ID: &str = "tollgate";

/// Without the part for upstreams that speak HTTP/2, which the tests' upstreams do not.
pub(super) fn without_http2(text: &str) -> String {
    ["grpc", "http2"].iter().fold(text.to_owned(), |text, section| {
        let (before, rest) = text.split_once(&format!("# {section}: begin")).expect("a section");
        let (_, after) = rest.split_once(&format!("# {section}: end")).expect("its end");
        format!("{before}{after}")
    })
}

/// The text before the listener, the listener, and the text after it.
pub(super) fn around_listener(file: &str) -> (&str, &str, &str) {
    let (before, rest) = file.split_once(LISTENER_BEGIN).expect(LISTENER_BEGIN);
    let (listener, after) = rest.split_once(LISTENER_END).expect(LISTENER_END);
    (before, listener, after)
}

/// The cluster of an upstream that speaks HTTP/1.
pub(super) fn the_cluster(file: &str) -> &str {
    let (_, rest) = file.split_once("# http1: begin").expect("the cluster's section");
    rest.split_once("# http1: end").expect("its end").0
}

/// The only item of a list as a file of Envoy's discovery.
pub(super) fn as_resource(item: &str, kind: &str) -> String {
    let (indent, first) = item.lines().find_map(|line| line.split_once("- ")).expect("an item of a list");
    let typed = format!("\"@type\": type.googleapis.com/envoy.config.{kind}");
    let item = item.replacen(first, &format!("{typed}\n{indent}  {first}"), 1);
    format!("resources:\n{item}\n")
}

/// Puts options on lines of their own after the line `anchor`, indented as that is.
pub(super) fn with_options(text: &str, anchor: &str, options: &[String]) -> String {
    assert!(text.contains(anchor), "{TEMPLATE}: {anchor}");
    each_line(text, |line, indent| {
        let mut lines = vec![line.to_owned()];
        if line.trim() == anchor {
            let options = options.iter().flat_map(|option| option.lines());
            lines.extend(options.map(|line| format!("{indent}{line}")));
        }
        lines
    })
}

pub(super) fn each_line(text: &str, change: impl Fn(&str, &str) -> Vec<String>) -> String {
    let lines = text.lines().flat_map(|line| {
        let indent = line.len() - line.trim_start().len();
        change(line, &line[..indent])
    });
    lines.collect::<Vec<_>>().join("\n")
}
