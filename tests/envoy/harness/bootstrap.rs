//! What a gateway is to be like, and the Envoy file that says so: always the repository's own template,
//! filled in.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tollgate_cli::command::{self, outcome::Status};

use super::envoy::Options;
use super::files::Files;
use super::gateway::{Gateway, Rejection};
use super::kept;
use super::metadata;
use super::places::{in_repository, module};
use super::template::{
    FILTER_ANCHOR, HOST_ANCHOR, LATER_FILTER_ANCHOR, MANAGER_ANCHOR, PLUGIN_ANCHOR, TEMPLATE, VM_ANCHOR,
    VM_ID, around_listener, as_resource, each_line, the_cluster, with_options, without_http2,
};

/// What lines of the access log begin with.
pub(super) const SEEN: &str = "seen: ";

/// A gateway to be: two workers, the template's demo upstream, a listener that stays as it is.
#[derive(Clone)]
pub struct Setup {
    policy: Policy,
    workers: usize,
    upstream: Option<SocketAddr>,
    manager: Vec<String>,
    filters: Vec<String>,
    later_filters: Vec<String>,
    vm: Vec<String>,
    plugin: Vec<String>,
    route: Vec<String>,
    host: Vec<String>,
    module_log_level: &'static str,
    alone: bool,
    pub(super) live: bool,
    drains_at_once: bool,
    pub(super) wall_clock: Option<u64>,
    /// The whole file, in place of the template.
    whole: Option<String>,
}

#[derive(Clone)]
enum Policy {
    /// YAML in the Envoy file, a `google.protobuf.Struct`.
    Yaml(String),
    /// JSON text in a `google.protobuf.StringValue`.
    Json(String),
}

impl Setup {
    /// With a policy written as YAML.
    pub fn yaml(policy: impl Into<String>) -> Self {
        Self::new(Policy::Yaml(policy.into()))
    }

    /// With a policy written as JSON text.
    pub fn json(policy: impl Into<String>) -> Self {
        Self::new(Policy::Json(policy.into()))
    }

    /// With a policy that ships, as it is: the name of a file in `envoy/policies`.
    pub fn file(name: &str) -> Self {
        let path = in_repository("envoy/policies").join(name);
        let text = fs::read_to_string(&path);
        Self::yaml(text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// With what `tollgate bootstrap` prints for a policy with these further options.
    pub fn printed(policy: &str, options: &[&str]) -> Self {
        let files = Files::new();
        let (file, module) = (files.file("policy.yaml"), module());
        fs::write(&file, policy).expect("a policy file");
        let ports = if options.contains(&"--port") { &[][..] } else { &["--port", "0"] };
        let fixed =
            ["tollgate", "bootstrap", &file.display().to_string(), "--wasm", &module.display().to_string()];
        let arguments = [&fixed[..], &["--admin-port", "0"], ports, options].concat();
        let outcome = command::run(arguments).expect("valid arguments");
        assert_eq!(outcome.status, Status::Success, "{}", outcome.stderr);
        Self::whole(outcome.stdout)
    }

    /// With this Envoy file, whose listener is called like the template's.
    pub fn whole(file: impl Into<String>) -> Self {
        Self { whole: Some(file.into()), ..Self::yaml("") }
    }

    fn new(policy: Policy) -> Self {
        Self {
            policy,
            workers: kept::OPTIONS.workers,
            upstream: None,
            manager: Vec::new(),
            filters: Vec::new(),
            later_filters: Vec::new(),
            vm: Vec::new(),
            plugin: Vec::new(),
            route: Vec::new(),
            host: Vec::new(),
            module_log_level: kept::OPTIONS.module_log_level,
            alone: false,
            live: false,
            drains_at_once: false,
            wall_clock: None,
            whole: None,
        }
    }

    /// With `to` in the place of each `from` in the policy, or in the whole file, which must have it.
    pub fn replacing(mut self, from: &str, to: &str) -> Self {
        let (Policy::Yaml(policy) | Policy::Json(policy)) = &mut self.policy;
        let text = self.whole.as_mut().unwrap_or(policy);
        assert!(text.contains(from), "the policy has no {from:?}:\n{text}");
        *text = text.replace(from, to);
        self
    }

    /// With a cluster of the whole file that has no endpoints.
    pub fn without_endpoints(self, cluster: &str) -> Self {
        let assigned = self.assignment_of(cluster);
        self.replacing(&assigned, &format!("load_assignment: {{ cluster_name: {cluster} }}\n"))
    }

    /// With another port of the only endpoint of a cluster of the whole file.
    pub fn endpoint(self, cluster: &str, port: u16) -> Self {
        let assigned = self.assignment_of(cluster);
        let (before, rest) = assigned.split_once("port_value: ").expect("a port");
        let after = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let other = format!("{before}port_value: {port}{after}");
        self.replacing(&assigned, &other)
    }

    /// What assigns endpoints to a cluster of the whole file.
    fn assignment_of(&self, cluster: &str) -> String {
        let file = self.envoy_file();
        let named = |begin: &(usize, &str)| {
            let mut lines = file[begin.0..].lines().skip(1);
            lines.next().is_some_and(|line| {
                line.contains(&format!("cluster_name: {cluster}"))
                    || line.contains(&format!("cluster_name: \"{cluster}\""))
            })
        };
        let (begin, _) = file.match_indices("load_assignment:").find(named).expect("the cluster's endpoints");
        let line = file[..begin].rfind('\n').map_or(0, |end| end + 1);
        let indent = begin - line;
        let deeper = |line: &&str| line.len() - line.trim_start().len() > indent;
        let inside: usize = file[begin..].lines().skip(1).take_while(deeper).map(|line| line.len() + 1).sum();
        let first = file[begin..].find('\n').map_or(0, |end| end + 1);
        file[begin..begin + first + inside].to_owned()
    }

    /// With so many workers.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// In front of this upstream.
    pub fn upstream(mut self, address: SocketAddr) -> Self {
        self.upstream = Some(address);
        self
    }

    /// With a further option of the plugin, e.g. `fail_open: true`.
    pub fn plugin(mut self, option: &str) -> Self {
        self.plugin.push(option.to_owned());
        self
    }

    /// With a further option of the HTTP connection manager, e.g. `xff_num_trusted_hops: 1`.
    pub fn manager(mut self, option: &str) -> Self {
        self.manager.push(option.to_owned());
        self
    }

    /// With an access log in Envoy's own log; [`Gateway::seen`] reads it.
    pub fn access_log(self) -> Self {
        let typed =
            "\"@type\": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog";
        let format = format!("\"{SEEN}%RESPONSE_CODE% %FILTER_STATE(wasm.tollgate:PLAIN)%\\n\"");
        let format = format!("log_format: {{ text_format_source: {{ inline_string: {format} }} }}");
        let log = format!("name: envoy.access_loggers.stderr, typed_config: {{ {typed}, {format} }}");
        self.manager(&format!("access_log: [{{ {log} }}]"))
    }

    /// With a further HTTP filter before the module, after those already named: an item of Envoy's list of
    /// them.
    pub fn filter(mut self, yaml: impl Into<String>) -> Self {
        self.filters.push(yaml.into());
        self
    }

    /// With a further HTTP filter between the module and the router.
    pub fn later_filter(mut self, yaml: impl Into<String>) -> Self {
        self.later_filters.push(yaml.into());
        self
    }

    /// With a filter before the module that stands for one that authenticates: what a request says in headers
    /// `x-meta-KEY: VALUE` it leaves as the text `KEY` of the dynamic metadata [`metadata::METADATA`].
    pub fn metadata_from_headers(self) -> Self {
        self.metadata_from_headers_as(metadata::METADATA)
    }

    /// The same, as dynamic metadata of another name.
    pub fn metadata_from_headers_as(self, name: &str) -> Self {
        self.filter(metadata::filter(name))
    }

    /// With a further option of the route to the upstream, e.g. `timeout: 1s`.
    pub fn route(mut self, option: &str) -> Self {
        self.route.push(option.to_owned());
        self
    }

    /// With a further option of the virtual host.
    pub fn host(mut self, option: &str) -> Self {
        self.host.push(option.to_owned());
        self
    }

    /// With another VM than the same gateway has without this, under the same id, so that counts are shared.
    pub(super) fn another_vm(mut self) -> Self {
        let text = "\"@type\": type.googleapis.com/google.protobuf.StringValue, value: another";
        self.vm.push(format!("configuration: {{ {text} }}"));
        self
    }

    /// With every call between Envoy and the module in the log.
    pub fn module_calls_logged(mut self) -> Self {
        self.module_log_level = "trace";
        self
    }

    /// With a listener that can be updated while Envoy runs.
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// With a listener whose old filters go as soon as an update has replaced them, not ten minutes later.
    pub fn draining_at_once(mut self) -> Self {
        self.drains_at_once = true;
        self
    }

    /// With a wall clock of its own, which begins at this instant, in seconds since 1970.
    pub fn at(mut self, unix_time: u64) -> Self {
        self.wall_clock = Some(unix_time);
        self
    }

    /// With an Envoy that no other test has had before: for whoever asks for its statistics or its memory.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    pub(super) fn needs_an_envoy_alone(&self) -> bool {
        self.alone
            || self.live
            || self.drains_at_once
            || self.wall_clock.is_some()
            || self.whole.is_some()
            || self.workers != kept::OPTIONS.workers
            || self.module_log_level != kept::OPTIONS.module_log_level
    }

    pub(super) fn options(&self) -> Options {
        Options {
            workers: self.workers,
            module_log_level: self.module_log_level,
            drains_at_once: self.drains_at_once,
        }
    }

    /// The same gateway with another policy.
    pub(super) fn with_policy(mut self, policy: &str) -> Self {
        self.policy = Policy::Yaml(policy.to_owned());
        self
    }

    /// Starts it; panics with Envoy's log if it does not come to serve.
    pub fn start(self) -> Gateway {
        Gateway::start(self)
    }

    /// Starts it in the expectation that Envoy refuses to start.
    pub fn start_rejected(self) -> Rejection {
        Gateway::start_rejected(&self)
    }

    /// The whole Envoy file; the listener apart, in `listeners`, if it is to be live.
    pub(super) fn bootstrap(&self, listeners: &Path) -> String {
        let file = self.envoy_file();
        if !self.live {
            return file;
        }
        let (before, _, after) = around_listener(&file);
        let path = listeners.display();
        format!(
            "node: {{ id: gateway, cluster: gateway }}
dynamic_resources:
  lds_config: {{ path_config_source: {{ path: \"{path}\" }} }}
{before}
{after}"
        )
    }

    /// The listener alone, as a file of Envoy's listener discovery.
    pub(super) fn listeners(&self) -> String {
        let file = self.envoy_file();
        let (_, listener, _) = around_listener(&file);
        as_resource(listener, "listener.v3.Listener")
    }

    /// The cluster of the upstream alone, as a file of Envoy's cluster discovery; `None` before the demo upstream.
    pub(super) fn clusters(&self) -> Option<String> {
        self.upstream?;
        let file = self.envoy_file();
        Some(as_resource(the_cluster(&file), "cluster.v3.Cluster"))
    }

    fn envoy_file(&self) -> String {
        self.whole.clone().unwrap_or_else(|| self.filled_template())
    }

    fn filled_template(&self) -> String {
        let (cluster, upstream) = match self.upstream {
            Some(address) => ("external", address),
            None => ("demo", SocketAddr::from(([127, 0, 0, 1], 1))),
        };
        // The cluster is one of the route's options between braces.
        let route = [&[cluster.to_owned()], self.route.as_slice()].concat().join(", ");
        let text = fs::read_to_string(in_repository(TEMPLATE)).expect("the bootstrap template");
        let text = without_http2(&text)
            .replace("@ADDRESS@", "127.0.0.1")
            .replace("@PORT@", "0")
            .replace("@ADMIN_PORT@", "0")
            .replace("@VM_ID@", VM_ID)
            .replace("@WASM@", &module().display().to_string())
            .replace("@CLUSTER@", &route)
            .replace("@UPSTREAM_ADDRESS@", &upstream.ip().to_string())
            .replace("@UPSTREAM_PORT@", &upstream.port().to_string());
        let text = with_options(&text, MANAGER_ANCHOR, &self.manager);
        let text = with_options(&text, VM_ANCHOR, &self.vm);
        let text = with_options(&text, HOST_ANCHOR, &self.host);
        let text = with_options(&text, PLUGIN_ANCHOR, &self.plugin);
        let text = with_options(&text, FILTER_ANCHOR, &self.filters);
        self.with_configuration(&with_options(&text, LATER_FILTER_ANCHOR, &self.later_filters))
    }

    fn with_configuration(&self, text: &str) -> String {
        let (text, policy) = match &self.policy {
            Policy::Yaml(yaml) => (text.to_owned(), yaml.clone()),
            Policy::Json(json) => (
                text.replace("google.protobuf.Struct", "google.protobuf.StringValue"),
                // A JSON string is a YAML string too.
                serde_json::Value::from(json.as_str()).to_string(),
            ),
        };
        each_line(&text, |line, indent| match line.trim() {
            "@POLICY@" => policy.lines().map(|line| format!("{indent}{line}")).collect(),
            _ => vec![line.to_owned()],
        })
    }
}
