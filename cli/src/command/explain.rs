//! `tollgate explain`: what would happen to a request?

use crate::applicability::Applicability;
use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, counted};
use crate::command::styles::{ERROR, HEADING, SUCCESS};
use crate::explain::{ExplainedResponse, Explanation, PolicyExplanation, explain};
use crate::policy_file::PolicyFile;
use clap::Args;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::config::Value;
use tollgate::http::SampleRequest;
use tollgate::time::{Micros, SECOND};

/// Explain what would happen to a request: which policies apply and why, and what the response is
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// A policy, or an Envoy configuration with Tollgate filters; - for standard input
    file: String,
    /// The method and the path of the request; GET if there is only a path
    #[arg(value_parser = SampleRequest::parse)]
    request: SampleRequest,
    /// A header of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The client's address, as Envoy determines it
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    client_ip: IpAddr,
    /// The host of the request
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Dynamic metadata of an earlier filter, as filter/key=value or filter/key/key=value; may be repeated, and the same path with several values is a list
    #[arg(long, value_name = "PATH=VALUE", value_parser = metadata)]
    metadata: Vec<(String, String)>,
    /// Send the request N times at once, and explain the last one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    times: u32,
    /// The time of the request, as RFC 3339; by default now
    #[arg(long, value_name = "TIMESTAMP", value_parser = timestamp)]
    at: Option<Micros>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Only the first four characters of keys are shown, and their length.

Examples:
  tollgate explain policy.yaml 'GET /v1/invoices/7?x=1'
  tollgate explain policy.yaml 'POST /v1/invoices' -H 'authorization: Bearer sk_test' --times 51
  tollgate explain policy.yaml / --metadata envoy.filters.http.jwt_authn/payload/plan=pro
  tollgate explain policy.yaml / --client-ip 2001:db8::7 --at 2026-10-31T23:59:59+01:00 --json

Exit status: 0 if the request is explained, 1 if the policy has errors, 2 if it cannot be read.";

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header such as 'authorization: Bearer sk_test'")?;
    Ok((name.trim().into(), value.trim().into()))
}

fn metadata(text: &str) -> Result<(String, String), String> {
    const SUCH_AS: &str = "a path and a value, such as envoy.filters.http.jwt_authn/payload/sub=user-7";
    let (path, value) = text.split_once('=').filter(|(path, _)| path.contains('/')).ok_or(SUCH_AS)?;
    Ok((path.into(), value.into()))
}

fn timestamp(text: &str) -> Result<Micros, String> {
    const SUCH_AS: &str = "a timestamp after 1970, such as 2026-10-31T23:59:59+01:00";
    let timestamp: jiff::Timestamp = text.parse().map_err(|_| SUCH_AS)?;
    u64::try_from(timestamp.as_microsecond()).map_err(|_| SUCH_AS.into())
}

impl Explain {
    pub fn run(self) -> Result<Outcome, Failure> {
        let input = Input::read(&self.file)?;
        let file = match PolicyFile::read(&input.name, &input.text) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::invalid(input.error_report(&[error]))),
        };
        let mut explanations = Vec::new();
        for policy in &file.policies {
            match policy.compile() {
                Ok(set) => explanations.push(explain(&set, &self.request(), self.times, self.now()?)),
                Err(errors) => {
                    return Ok(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors))));
                }
            }
        }
        Ok(Outcome::success(if self.json {
            Value::List(explanations.iter().map(Explanation::to_value).collect()).to_json() + "\n"
        } else {
            explanations.iter().map(to_text).collect::<Vec<_>>().join("\n")
        }))
    }

    fn request(&self) -> SampleRequest {
        let host = self.host.iter().map(|host| (":authority", host.as_str()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = self.request.clone().from_client(self.client_ip);
        let metadata = self.metadata.iter();
        let request =
            metadata.fold(request, |request, (path, value)| request.with_metadata(path.split('/'), value));
        host.chain(headers).fold(request, |request, (name, value)| request.with_header(name, value))
    }

    fn now(&self) -> Result<Micros, Failure> {
        let since = || SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().checked_mul(SECOND);
        self.at.or_else(since).ok_or_else(|| Failure::new("the clock is before 1970; set the time with --at"))
    }
}

fn to_text(explanation: &Explanation) -> String {
    let mut text = String::new();
    if explanation.times > 1 {
        let (times, passed) = (explanation.times, explanation.passed);
        let first = explanation
            .first_rejected
            .map_or(String::new(), |first| format!("; number {first} is the first to be rejected"));
        text += &format!("{passed} of {times} requests pass{first}. The last one:\n\n");
    }
    let width = explanation.policies.iter().map(|policy| policy.name.len()).max().unwrap_or_default();
    for policy in &explanation.policies {
        text += &format!("{HEADING}{:width$}{HEADING:#}  {}\n", policy.name, applicability(policy));
        for verdict in policy.verdicts() {
            text += &format!("{:width$}  {verdict}\n", "");
        }
    }
    text + "\n" + &response(&explanation.response)
}

fn applicability(policy: &PolicyExplanation) -> String {
    match &policy.applicability {
        Applicability::Counts(who) => format!("applies, counted for {}", who.join(" and ")),
        Applicability::Shadows(who) => format!("applies in shadow, counted for {}", who.join(" and ")),
        Applicability::Returns(who) => format!("may return a unit, counted for {}", who.join(" and ")),
        Applicability::Not(reason) => format!("does not apply: {reason}"),
    }
}

fn response(response: &ExplainedResponse) -> String {
    let lines = |headers: &[(String, String)]| {
        headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect::<String>()
    };
    match response {
        ExplainedResponse::Upstream(headers) if headers.is_empty() => format!("{SUCCESS}passes{SUCCESS:#}\n"),
        ExplainedResponse::Upstream(headers) => {
            let number = counted(headers.len(), "header");
            format!("{SUCCESS}passes{SUCCESS:#}, and its response gets {number}\n{}", lines(headers))
        }
        ExplainedResponse::Rejection { status, headers, body } => {
            let body = body.lines().map(|line| format!("  {line}\n")).collect::<String>();
            format!("{ERROR}rejected{ERROR:#} with {status}\n{}\n{body}", lines(headers))
        }
    }
}
