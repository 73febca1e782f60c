//! `tollgate bootstrap`: a whole Envoy around a policy.

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome};
use crate::document::Syntax;
use crate::policy_file::PolicyFile;
use clap::Args;

/// The same file that the end-to-end tests run.
const TEMPLATE: &str = include_str!("../../../envoy/bootstrap.yaml");

/// Print a whole Envoy file around a policy
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Bootstrap {
    /// The policy, in YAML, or in JSON if the name ends so; - for standard input
    file: String,
    /// Where Envoy listens, on 127.0.0.1
    #[arg(long, default_value_t = 10000)]
    port: u16,
    /// Where Envoy's admin interface listens, on 127.0.0.1
    #[arg(long, default_value_t = 9901)]
    admin_port: u16,
    /// The module, as Envoy finds it
    #[arg(long, value_name = "PATH", default_value = "target/tollgate.wasm")]
    wasm: String,
    /// What Envoy stands in front of; without it, a demo upstream in the same Envoy
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<Upstream>,
    /// Filters with the same id share their counts
    #[arg(long, value_name = "ID", default_value = "tollgate", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    vm_id: String,
}

const EXAMPLES: &str = "\
Examples:
  tollgate bootstrap policy.yaml > envoy.yaml
  tollgate bootstrap policy.yaml --upstream localhost:3000 --wasm /etc/envoy/tollgate.wasm > envoy.yaml
  envoy --mode validate --config-path envoy.yaml

Exit status: 0 if the file is printed, 1 if the policy has errors, 2 if it can't be read.";

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
        let sound = match bracketed {
            Some(host) => !host.is_empty() && host.chars().all(address),
            None => !host.is_empty() && host.chars().all(plain),
        };
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or(SUCH_AS)?;
        if !sound {
            return Err(SUCH_AS.into());
        }
        Ok(Upstream { host: bracketed.unwrap_or(host).into(), port })
    }
}

impl Bootstrap {
    pub fn run(self) -> Result<Outcome, Failure> {
        let input = Input::read(&self.file)?;
        if self.port != 0 && self.port == self.admin_port {
            return Err(Failure::new(format!("--port and --admin-port are both {}", self.port)));
        }
        let file = match PolicyFile::read(&input.name, &input.text) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::rejected(input.complaint(&[error]))),
        };
        for policy in &file.policies {
            if policy.filter.is_some() {
                return Err(Failure::new(format!("{} is an Envoy file already", input.name)));
            }
            if let Err(errors) = policy.compile() {
                return Ok(Outcome::rejected(input.complaint(&file.locate_errors(policy, &errors))));
            }
        }
        Ok(Outcome::good(self.filled(&input)))
    }

    fn filled(&self, input: &Input) -> String {
        let (left_out, cluster) = match self.upstream {
            Some(_) => ("demo", "external"),
            None => ("external", "demo"),
        };
        let host = self.upstream.as_ref().map_or("", |upstream| &upstream.host);
        let port = self.upstream.as_ref().map_or(0, |upstream| upstream.port);
        let words = [
            ("@PORT@", self.port.to_string()),
            ("@ADMIN_PORT@", self.admin_port.to_string()),
            ("@WASM@", escaped(&self.wasm)),
            ("@VM_ID@", escaped(&self.vm_id)),
            ("@CLUSTER@", cluster.into()),
            ("@UPSTREAM_ADDRESS@", host.into()),
            ("@UPSTREAM_PORT@", port.to_string()),
        ];
        let json = Syntax::of(&input.name, &input.text) == Syntax::Json;
        let mut text =
            format!("# Envoy with Tollgate, made by `tollgate bootstrap` of {}.\n", one_line(&self.file));
        for line in template_without(left_out) {
            if line.trim() == "@POLICY@" {
                let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
                policy_lines(&input.text, json).for_each(|line| text += &indented(indent, &line));
            } else if json && line.contains("google.protobuf.Struct") {
                text += &(line.replace("google.protobuf.Struct", "google.protobuf.StringValue") + "\n");
            } else {
                let filled =
                    words.iter().fold(line.to_string(), |line, (word, with)| line.replace(word, with));
                text += &(filled + "\n");
            }
        }
        text.trim_end().to_string() + "\n"
    }
}

/// The template's lines without its first comment, the marks, and what is between those of `section`.
fn template_without(section: &str) -> impl Iterator<Item = &'static str> {
    let (begin, end) = (format!("# {section}: begin"), format!("# {section}: end"));
    let is_mark = |line: &str| {
        ["demo", "external"].iter().any(|name| {
            line.strip_prefix("# ")
                .and_then(|line| line.strip_prefix(name))
                .is_some_and(|rest| rest.starts_with(": "))
        })
    };
    let mut out = false;
    TEMPLATE.lines().skip_while(|line| line.starts_with('#')).filter(move |line| {
        let line = line.trim();
        out = (out || line == begin) && line != end;
        !out && !is_mark(line)
    })
}

/// The policy as it stands in the Envoy file: YAML as it is written, since comments are part of it; JSON as one text.
fn policy_lines(text: &str, json: bool) -> Box<dyn Iterator<Item = String> + '_> {
    if json {
        return Box::new(std::iter::once(format!("\"{}\"", escaped(text.trim()))));
    }
    // A document inside a document has no start and no end of its own.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines = text.lines().filter(|line| !line.starts_with('%'));
    let lines = lines.take_while(|line| !line.starts_with("..."));
    Box::new(lines.map(|line| line.strip_prefix("---").unwrap_or(line).to_string()))
}

fn indented(indent: &str, line: &str) -> String {
    if line.is_empty() { "\n".into() } else { format!("{indent}{line}\n") }
}

/// As it stands between the quotes of YAML or JSON.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_string()
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
