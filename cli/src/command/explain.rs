//! `tollgate explain`: what would happen to a request?

use crate::applicability::Applicability;
use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, counted};
use crate::command::styles::{ERROR, HEADING, SUCCESS};
use crate::describe::{scope, share};
use crate::explain::{Answers, ExplainedResponse, Explanation, PolicyExplanation, Scenario, explain};
use crate::policy_file::PolicyFile;
use clap::Args;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::config::Value;
use tollgate::http::{CertificateField, SampleRequest};
use tollgate::reply::is_limit_header;
use tollgate::rules::source::CERTIFICATE_FIELDS;
use tollgate::time::{MILLISECOND, Micros, SECOND};

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
    /// The name of the route in Envoy's configuration that the request takes
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// Dynamic metadata of an earlier filter, as filter/key=value or filter/key/key=value; may be repeated,
    /// and the same path with several values is a list
    #[arg(long, value_name = "PATH=VALUE", value_parser = metadata)]
    metadata: Vec<(String, String)>,
    /// Metadata of Envoy's route, written like --metadata; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = metadata)]
    route_metadata: Vec<(String, String)>,
    /// A field of the client's certificate: subject, uri_san, dns_san or fingerprint; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = certificate)]
    certificate: Vec<(CertificateField, String)>,
    /// Send the request N times, and explain the last one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    times: u32,
    /// The time from one request to the next, such as 100ms, 1s or 5m; at most 31d
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = spacing)]
    every: Micros,
    /// Send all requests before the upstream answers any; otherwise each is answered before the next is sent
    #[arg(long, conflicts_with = "every")]
    at_once: bool,
    /// The status of the upstream's response, or none if it does not answer; of several, the first is for the
    /// first request and so on, and the last one repeats
    #[arg(long, value_name = "CODE", value_delimiter = ',', default_value = "200", value_parser = status)]
    status: Vec<UpstreamStatus>,
    /// A header of the upstream's responses; may be repeated
    #[arg(long = "response-header", value_name = "NAME: VALUE", value_parser = header)]
    response_headers: Vec<(String, String)>,
    /// Show the response to each request, up to 1000, not only to the last
    #[arg(long)]
    each: bool,
    /// The time of the first request, as RFC 3339; by default now
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
  tollgate explain login.yaml 'POST /login' --times 7 --status 401,401,200,401 --each
  tollgate explain costs.yaml / --times 20 --every 100ms --response-header 'x-cost: 7'
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

fn certificate(text: &str) -> Result<(CertificateField, String), String> {
    const SUCH_AS: &str = "a field and its value, such as uri_san=spiffe://cluster.local/ns/shop/sa/web";
    let (word, value) = text.split_once('=').ok_or(SUCH_AS)?;
    let field = CERTIFICATE_FIELDS.0.iter().find(|field| field.word == word).ok_or(SUCH_AS)?;
    Ok((field.means, value.into()))
}

fn timestamp(text: &str) -> Result<Micros, String> {
    const SUCH_AS: &str = "a timestamp after 1970, such as 2026-10-31T23:59:59+01:00";
    let timestamp: jiff::Timestamp = text.parse().map_err(|_| SUCH_AS)?;
    u64::try_from(timestamp.as_microsecond()).map_err(|_| SUCH_AS.into())
}

/// A status of the upstream's response; `None`: it does not answer.
#[derive(Clone, Copy)]
struct UpstreamStatus(Option<u16>);

fn status(text: &str) -> Result<UpstreamStatus, String> {
    let known = |status: &u16| (100..=599).contains(status);
    match text {
        "none" => Ok(UpstreamStatus(None)),
        _ => match text.parse().ok().filter(known) {
            Some(status) => Ok(UpstreamStatus(Some(status))),
            None => Err("a status from 100 to 599, or none".into()),
        },
    }
}

fn spacing(text: &str) -> Result<Micros, String> {
    const SUCH_AS: &str = "a whole number and its unit, such as 100ms, 1s, 5m or 1h; at most 31d";
    const UNITS: [(&str, Micros); 5] = [
        ("ms", MILLISECOND),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3_600 * SECOND),
        ("d", 86_400 * SECOND),
    ];
    let of_unit = |(unit, length): &(&str, Micros)| {
        let number: Micros = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*length).filter(|time| *time <= 31 * 86_400 * SECOND)
    };
    UNITS.iter().find_map(of_unit).ok_or_else(|| SUCH_AS.into())
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
                Ok(set) => explanations.push(explain(&set, &self.request(), &self.scenario()?)),
                Err(errors) => {
                    return Ok(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors))));
                }
            }
        }
        Ok(Outcome::success(if self.json {
            let values = explanations.iter().map(|explanation| explanation.to_value(self.each));
            Value::List(values.collect()).to_json() + "\n"
        } else {
            explanations.iter().map(|one| to_text(one, self.each)).collect::<Vec<_>>().join("\n")
        }))
    }

    fn request(&self) -> SampleRequest {
        let host = self.host.iter().map(|host| (":authority", host.as_str()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = self.request.clone().from_client(self.client_ip);
        let request = self
            .metadata
            .iter()
            .fold(request, |request, (path, value)| request.with_metadata(path.split('/'), value));
        let request = self.route.iter().fold(request, |request, name| request.on_route(name));
        let request = self
            .route_metadata
            .iter()
            .fold(request, |request, (path, value)| request.with_route_metadata(path.split('/'), value));
        let request = self
            .certificate
            .iter()
            .fold(request, |request, (field, value)| request.with_certificate(*field, value));
        host.chain(headers).fold(request, |request, (name, value)| request.with_header(name, value))
    }

    fn scenario(&self) -> Result<Scenario, Failure> {
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        let answers = Answers {
            statuses: self.status.iter().map(|status| status.0).collect(),
            headers: self.response_headers.iter().map(lower).collect(),
        };
        let times = NonZeroU32::new(self.times).unwrap_or(NonZeroU32::MIN);
        let (every, at_once) = (self.every, self.at_once);
        Ok(Scenario { times, wall: self.now()?, every, at_once, answers })
    }

    fn now(&self) -> Result<Micros, Failure> {
        let since = || SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().checked_mul(SECOND);
        self.at.or_else(since).ok_or_else(|| Failure::new("the clock is before 1970; set the time with --at"))
    }
}

fn to_text(explanation: &Explanation, each: bool) -> String {
    let mut text = String::new();
    if each {
        let responses = (1..).zip(&explanation.responses);
        responses.for_each(|(number, one)| text += &format!("{number:>4}  {}\n", in_a_line(one)));
        text += "\n";
    }
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
        if policy.blocked {
            text += &format!("{:width$}  {BLOCKED}\n", "");
        }
        if !policy.enforced.is_all() && !policy.limits.is_empty() {
            text += &format!("{:width$}  {}; this shows one of the former\n", "", share(policy.enforced));
        }
        if let Some(scope) = scope(policy.scope).filter(|_| !policy.limits.is_empty()) {
            text += &format!("{:width$}  {scope}\n", "");
        }
    }
    text + "\n" + &response(&explanation.response)
}

const BLOCKED: &str = "blocked: until the block is over, the policy rejects every request of this caller";

fn applicability(policy: &PolicyExplanation) -> String {
    match &policy.applicability {
        Applicability::Counts(who) => format!("applies, counted for {}", who.join(" and ")),
        Applicability::Shadows(who) => format!("applies in shadow, counted for {}", who.join(" and ")),
        Applicability::Returns(who) => format!("may return a unit, counted for {}", who.join(" and ")),
        Applicability::Unlimited(who) => {
            format!("has no limits for {}, and counts nothing", who.join(" and "))
        }
        Applicability::Excludes(who) => {
            format!("rejects every request of {}, and counts none", who.join(" and "))
        }
        Applicability::Not(reason) => format!("does not apply: {reason}"),
    }
}

/// The status, and the headers about limits.
fn in_a_line(response: &ExplainedResponse) -> String {
    let (status, headers) = match response {
        ExplainedResponse::Upstream { status, headers } => (u32::from(*status), headers),
        ExplainedResponse::Rejection { status, headers, .. } => (*status, headers),
        ExplainedResponse::Unanswered => return "no answer".into(),
    };
    let about_limits = |name: &str| name == "retry-after" || is_limit_header(name.as_bytes());
    let shown = headers.iter().filter(|(name, _)| about_limits(name));
    shown.fold(status.to_string(), |line, (name, value)| format!("{line}  {name}: {value}"))
}

fn response(response: &ExplainedResponse) -> String {
    let lines = |headers: &[(String, String)]| {
        headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect::<String>()
    };
    match response {
        ExplainedResponse::Unanswered => {
            format!("{SUCCESS}passes{SUCCESS:#}, and the upstream does not answer\n")
        }
        ExplainedResponse::Upstream { headers, .. } if headers.is_empty() => {
            format!("{SUCCESS}passes{SUCCESS:#}\n")
        }
        ExplainedResponse::Upstream { headers, .. } => {
            let number = counted(headers.len(), "header");
            format!("{SUCCESS}passes{SUCCESS:#}, and its response gets {number}\n{}", lines(headers))
        }
        ExplainedResponse::Rejection { status, headers, body } => {
            let body = body.lines().map(|line| format!("  {line}\n")).collect::<String>();
            format!("{ERROR}rejected{ERROR:#} with {status}\n{}\n{body}", lines(headers))
        }
    }
}
