//! `tollgate explain`: what would become of a request?

use crate::applicability::Applicability;
use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, counted};
use crate::command::styles::{ERROR, GOOD, HEADING};
use crate::explain::{Answer, Explanation, Part, SampleRequest, explain};
use crate::policy_file::PolicyFile;
use clap::Args;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::config::Value;
use tollgate::time::{Micros, SECOND};

/// Explain what would become of a request: which policies apply and why, and what is answered
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// A policy, or an Envoy file with Tollgate filters in it; - for standard input
    file: String,
    /// A method and a path
    #[arg(value_parser = SampleRequest::new)]
    request: SampleRequest,
    /// A header of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The client's address, as Envoy knows it
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    client_ip: IpAddr,
    /// The host that the request is for
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// What an earlier filter has left in its metadata, as filter/key=value or filter/key/key=value; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = metadata)]
    metadata: Vec<(String, String)>,
    /// Send it so often, all at once, and explain the last one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    times: u32,
    /// When, as RFC 3339; else now
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Micros>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Of keys only the first four characters are shown, and their length.

Examples:
  tollgate explain policy.yaml 'GET /v1/invoices/7?x=1'
  tollgate explain policy.yaml 'POST /v1/invoices' -H 'authorization: Bearer sk_test' --times 51
  tollgate explain policy.yaml / --metadata envoy.filters.http.jwt_authn/payload/plan=pro
  tollgate explain policy.yaml / --client-ip 2001:db8::7 --at 2026-10-31T23:59:59+01:00 --json

Exit status: 0 if it is explained, 1 if the policy has errors, 2 if it can't be read.";

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header such as 'authorization: Bearer sk_test'")?;
    Ok((name.trim().into(), value.trim().into()))
}

fn metadata(text: &str) -> Result<(String, String), String> {
    const SUCH_AS: &str = "a path and a value, such as envoy.filters.http.jwt_authn/payload/sub=user-7";
    let (path, value) = text.split_once('=').filter(|(path, _)| path.contains('/')).ok_or(SUCH_AS)?;
    Ok((path.into(), value.into()))
}

fn instant(text: &str) -> Result<Micros, String> {
    const SUCH_AS: &str = "an instant after 1970, such as 2026-10-31T23:59:59+01:00";
    let instant: jiff::Timestamp = text.parse().map_err(|_| SUCH_AS)?;
    u64::try_from(instant.as_microsecond()).map_err(|_| SUCH_AS.into())
}

impl Explain {
    pub fn run(self) -> Result<Outcome, Failure> {
        let input = Input::read(&self.file)?;
        let file = match PolicyFile::read(&input.name, &input.text) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::rejected(input.complaint(&[error]))),
        };
        let mut explanations = Vec::new();
        for policy in &file.policies {
            match policy.compile() {
                Ok(set) => explanations.push(explain(&set, &self.called(), self.times, self.now()?)),
                Err(errors) => {
                    return Ok(Outcome::rejected(input.complaint(&file.locate_errors(policy, &errors))));
                }
            }
        }
        Ok(Outcome::good(if self.json {
            Value::List(explanations.iter().map(Explanation::to_value).collect()).to_json() + "\n"
        } else {
            explanations.iter().map(in_words).collect::<Vec<_>>().join("\n")
        }))
    }

    fn called(&self) -> SampleRequest {
        let host = self.host.iter().map(|host| (":authority", host.as_str()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = self.request.clone().from(self.client_ip);
        let metadata = self.metadata.iter();
        let request =
            metadata.fold(request, |request, (path, value)| request.metadata(path.split('/'), value));
        host.chain(headers).fold(request, |request, (name, value)| request.header(name, value))
    }

    fn now(&self) -> Result<Micros, Failure> {
        let since = || SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().checked_mul(SECOND);
        self.at.or_else(since).ok_or_else(|| Failure::new("the clock is before 1970; give the time by --at"))
    }
}

fn in_words(explanation: &Explanation) -> String {
    let mut text = String::new();
    if explanation.times > 1 {
        let (times, passed) = (explanation.times, explanation.passed);
        let first = explanation
            .first_rejected
            .map_or(String::new(), |first| format!(", number {first} is the first rejected"));
        text += &format!("of {times} requests {passed} pass{first}; this is the last\n\n");
    }
    let width = explanation.policies.iter().map(|part| part.name.len()).max().unwrap_or_default();
    for part in &explanation.policies {
        text += &format!("{HEADING}{:width$}{HEADING:#}  {}\n", part.name, standing(part));
        for verdict in part.verdicts() {
            text += &format!("{:width$}  {verdict}\n", "");
        }
    }
    text + "\n" + &answer(&explanation.answer)
}

fn standing(part: &Part) -> String {
    match &part.standing {
        Applicability::Counts(who) => format!("applies, counted for {}", who.join(" and ")),
        Applicability::Shadows(who) => format!("applies in shadow, counted for {}", who.join(" and ")),
        Applicability::Returns(who) => format!("may get a unit back, for {}", who.join(" and ")),
        Applicability::Not(reason) => format!("does not apply: {reason}"),
    }
}

fn answer(answer: &Answer) -> String {
    let lines = |headers: &[(String, String)]| {
        headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect::<String>()
    };
    match answer {
        Answer::Passes(headers) if headers.is_empty() => format!("{GOOD}passes{GOOD:#}\n"),
        Answer::Passes(headers) => {
            let headers_of = counted(headers.len(), "header");
            format!("{GOOD}passes{GOOD:#}, and its response gets {headers_of}\n{}", lines(headers))
        }
        Answer::Rejected { status, headers, body } => {
            let body = body.lines().map(|line| format!("  {line}\n")).collect::<String>();
            format!("{ERROR}rejected{ERROR:#} with {status}\n{}\n{body}", lines(headers))
        }
    }
}
