//! `tollgate bootstrap`: a complete Envoy configuration for a policy.

mod embedded;
mod template;

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome};
use crate::document::Syntax;
use crate::policy_file::PolicyFile;
use clap::Args;
use std::net::IpAddr;
use template::Part;
use tollgate::rules::FleetSettings;

/// Print a complete Envoy configuration for a policy
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Bootstrap {
    /// The policy, in YAML, or JSON if its name ends in .json; - for standard input
    file: String,
    /// The address that Envoy listens on; 0.0.0.0 or :: for all, as in a container
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    address: IpAddr,
    /// The port that Envoy listens on
    #[arg(long, default_value_t = 10000)]
    port: u16,
    /// The port of Envoy's admin interface, at 127.0.0.1
    #[arg(long, default_value_t = 9901)]
    admin_port: u16,
    /// The path of the module for Envoy
    #[arg(long, value_name = "PATH", default_value = "target/tollgate.wasm")]
    wasm: String,
    /// Your service; without it, Envoy answers itself, as a demo
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<Upstream>,
    /// Speak HTTP/2 without TLS with your service for all requests, not only for gRPC
    #[arg(long, requires = "upstream")]
    upstream_http2: bool,
    /// Where the service of the policy's `fleet` is
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7070")]
    fleet: Upstream,
    /// A file with the token that the service of the policy's `fleet` asks for; Envoy reads it
    #[arg(long, value_name = "FILE")]
    fleet_token_file: Option<String>,
    /// Write a line about each request, with its decision, to standard output
    #[arg(long)]
    access_log: bool,
    /// The tags are always there; this is for scripts that still ask for them
    #[arg(long, hide = true)]
    stats_tags: bool,
    /// The VM id; filters with the same id share their counts
    #[arg(long, value_name = "ID", default_value = "tollgate", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    vm_id: String,
}

const EXAMPLES: &str = "\
Envoy then carries HTTP/1.0, HTTP/1.1 and HTTP/2, gRPC, WebSocket, server-sent events and
`Expect: 100-continue`. Your service gets gRPC by HTTP/2 without TLS, and all else by HTTP/1.1.

Examples:
  tollgate bootstrap policy.yaml > envoy.yaml
  tollgate bootstrap policy.yaml --upstream localhost:3000 --wasm /etc/envoy/tollgate.wasm > envoy.yaml
  tollgate bootstrap policy.yaml --address 0.0.0.0 --access-log > envoy.yaml
  tollgate bootstrap policy.yaml --fleet fleet.internal:7070 --fleet-token-file /etc/envoy/token > envoy.yaml
  envoy --mode validate --config-path envoy.yaml

Exit status: 0 if the configuration is printed, 1 if the policy has errors, 2 if it cannot be read.";

#[derive(Clone)]
struct Upstream {
    host: String,
    port: u16,
}

impl std::str::FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Upstream, String> {
        const SUCH_AS: &str = "not HOST:PORT, such as localhost:3000 or [::1]:3000";
        let (host, port) = text.rsplit_once(':').ok_or(SUCH_AS)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let valid = match bracketed {
            Some(host) => !host.is_empty() && host.chars().all(address),
            None => !host.is_empty() && host.chars().all(plain),
        };
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or(SUCH_AS)?;
        if !valid {
            return Err(SUCH_AS.into());
        }
        Ok(Upstream { host: bracketed.unwrap_or(host).into(), port })
    }
}

impl Bootstrap {
    pub fn run(self) -> Result<Outcome, Failure> {
        let mut input = Input::read(&self.file)?;
        if self.port != 0 && self.port == self.admin_port {
            return Err(Failure::new(format!("--port and --admin-port are both {}", self.port)));
        }
        let file = match PolicyFile::read(&input.name, &input.text) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::invalid(input.error_report(&[error]))),
        };
        let mut fleet = None;
        for policy in &file.policies {
            if policy.is_embedded() {
                return Err(Failure::new(format!("{} is an Envoy configuration already", input.name)));
            }
            let compiled = policy.compile();
            fleet = compiled.as_ref().ok().and_then(|set| set.rules.fleet.clone());
            match compiled {
                Ok(set) if self.access_log && set.replies.access_log.is_none() => {
                    input.text = embedded::with_access_log(&input.name, &input.text).ok_or_else(|| {
                        Failure::new(format!("--access-log needs access_log: true in {}", input.name))
                    })?;
                }
                Ok(_) => {}
                Err(errors) => {
                    return Ok(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors))));
                }
            }
        }
        if self.fleet_token_file.is_some() && fleet.is_none() {
            return Err(Failure::new(format!("--fleet-token-file needs fleet in {}", input.name)));
        }
        Ok(Outcome::success(self.filled(&input, fleet.as_ref())))
    }

    fn filled(&self, input: &Input, fleet: Option<&FleetSettings>) -> String {
        let (left_out, cluster): (&[&str], &str) = match (&self.upstream, self.upstream_http2) {
            (None, _) => (&["http1", "http2", "grpc"], "demo"),
            (Some(_), false) => (&["demo"], "external"),
            (Some(_), true) => (&["demo", "http1", "grpc"], "external_http2"),
        };
        let words = self.words(cluster);
        let json = Syntax::of(&input.name, &input.text) == Syntax::Json;
        let mut text = format!(
            "# Envoy with Tollgate, generated by `tollgate bootstrap` from {}.\n",
            one_line(&self.file)
        );
        for line in template::without(left_out) {
            let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
            if line == "  clusters:" && self.fleet_token_file.is_some() {
                text += &self.fleet_part(Part::Secrets, fleet, "  ");
                text += "\n";
            }
            if line.trim() == "@POLICY@" {
                let policy = embedded::policy_lines(&input.text, json);
                policy.for_each(|line| text += &embedded::indented(indent, &line));
            } else if json && line.contains("google.protobuf.Struct") {
                text += &(line.replace("google.protobuf.Struct", "google.protobuf.StringValue") + "\n");
            } else {
                let filled =
                    words.iter().fold(line.to_string(), |line, (word, with)| line.replace(word, with));
                text += &(filled + "\n");
            }
            let more = template::after(line, self.access_log).lines();
            more.for_each(|line| text += &embedded::indented(indent, line));
            match line.trim() {
                "stat_prefix: gateway" => text += &self.fleet_part(Part::Listener, fleet, indent),
                "clusters:" => text += &self.fleet_part(Part::Cluster, fleet, "    "),
                _ => {}
            }
        }
        text.trim_end().to_string() + "\n"
    }

    /// A part of what the fleet needs; nothing without a fleet.
    fn fleet_part(&self, part: Part, fleet: Option<&FleetSettings>, indent: &str) -> String {
        let Some(fleet) = fleet else { return String::new() };
        let token = self.fleet_token_file.as_deref();
        let words = [
            ("@FLEET_CLUSTER@", embedded::escaped(&fleet.cluster)),
            ("@FLEET_ADDRESS@", self.fleet.host.clone()),
            ("@FLEET_PORT@", self.fleet.port.to_string()),
            ("@FLEET_TOKEN_FILE@", embedded::escaped(token.unwrap_or_default())),
        ];
        let lines = template::fleet_part(part, token.is_some());
        let filled = lines
            .map(|line| words.iter().fold(line.to_string(), |line, (word, with)| line.replace(word, with)));
        filled.map(|line| embedded::indented(indent, &line)).collect()
    }

    /// The words of the template, and what stands in their place.
    fn words(&self, cluster: &str) -> [(&'static str, String); 8] {
        let host = self.upstream.as_ref().map_or("", |upstream| &upstream.host);
        let port = self.upstream.as_ref().map_or(0, |upstream| upstream.port);
        [
            ("@ADDRESS@", listen_address(self.address)),
            ("@PORT@", self.port.to_string()),
            ("@ADMIN_PORT@", self.admin_port.to_string()),
            ("@WASM@", embedded::escaped(&self.wasm)),
            ("@VM_ID@", embedded::escaped(&self.vm_id)),
            ("@CLUSTER@", cluster.into()),
            ("@UPSTREAM_ADDRESS@", host.into()),
            ("@UPSTREAM_PORT@", port.to_string()),
        ]
    }
}

/// The address as Envoy takes it between braces. On `::` it accepts IPv4, too, only if it is asked to.
fn listen_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) if address.is_unspecified() => format!("\"{address}\", ipv4_compat: true"),
        IpAddr::V6(address) => format!("\"{address}\""),
    }
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
