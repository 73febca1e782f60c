//! The Envoy configuration around a policy, as text: which of its lines are printed, and which are added.

/// The configuration that the end-to-end tests run, too.
const TEMPLATE: &str = include_str!("../../../../envoy/bootstrap.yaml");

/// What a policy with `fleet` needs besides, in parts.
const FLEET: &str = include_str!("../../../../envoy/fleet.yaml");

/// The sections that not every configuration has.
const SECTIONS: [&str; 4] = ["demo", "http1", "http2", "grpc"];

/// The path is without its query, which may have a key in it.
const ACCESS_LOG: &str = r#"# A line about each request, which ends with Tollgate's decision.
access_log:
  - name: envoy.access_loggers.stdout
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
      log_format:
        text_format_source:
          inline_string: "%START_TIME% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(:METHOD)% %PATH(NQ)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %DURATION%ms %FILTER_STATE(wasm.tollgate:PLAIN)%\n"
"#;

/// The lines of the template without its first comment, the marks of sections, and the lines of these
/// `sections`.
pub(super) fn without(sections: &[&str]) -> impl Iterator<Item = &'static str> {
    let mut out = false;
    TEMPLATE.lines().skip_while(|line| line.starts_with('#')).filter(move |line| match mark(line) {
        Some((section, word)) => {
            out = word == "begin" && sections.contains(&section);
            false
        }
        None => !out,
    })
}

/// The section and the word of a line such as `# demo: begin`.
fn mark(line: &str) -> Option<(&str, &str)> {
    let mark = line.trim().strip_prefix("# ")?.split_once(": ");
    mark.filter(|(section, _)| SECTIONS.contains(section))
}

/// What the option adds after this line of the template, indented like it.
pub(super) fn after(line: &str, access_log: bool) -> &'static str {
    if access_log && line.trim() == "stat_prefix: gateway" { ACCESS_LOG } else { "" }
}

/// A part of what a policy with `fleet` needs, without the lines of the section `token` unless they are wanted.
pub(super) fn fleet_part(part: Part, token: bool) -> impl Iterator<Item = &'static str> {
    let name = match part {
        Part::Listener => "listener",
        Part::Secrets => "secrets",
        Part::Cluster => "cluster",
    };
    let (mut inside, mut out) = (false, false);
    FLEET.lines().filter(move |line| {
        match line.trim().strip_prefix("# ").and_then(|mark| mark.split_once(": ")) {
            Some((part, word @ ("begin" | "end"))) if part == name => inside = word == "begin",
            Some(("token", word @ ("begin" | "end"))) => out = word == "begin" && !token,
            Some(_) | None => return inside && !out,
        }
        false
    })
}

/// Where a part belongs.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// Among the fields of the connection manager.
    Listener,
    /// Before the clusters.
    Secrets,
    /// In the list of clusters.
    Cluster,
}
