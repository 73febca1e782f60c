//! Cases that stand beside a policy: requests at instants, how the upstream answers, and what is expected.
//!
//! A test file becomes [`TestFile`] ([`TestFile::read`], by the declarations in [`language`]), each of its cases
//! is [run](run::run) by the filter's own engine over an empty table in memory, with the clock as an argument,
//! and each difference from what is expected is a [`Difference`] with its place in the file.

pub mod compare;
pub mod junit;
pub mod language;
mod policy;
mod read;
pub mod run;

pub use compare::Difference;
pub use policy::{is_test_file, policy_name, sibling};
pub use run::{Ran, observe, run};

use language::Moment;
use tollgate::http::{Pattern, SampleRequest};
use tollgate::time::Micros;

/// A test file is at most so large, in bytes.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A test file.
#[derive(Debug)]
pub struct TestFile {
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Where it is in its file, such as `cases[0]`.
    pub path: String,
    /// When it begins, since the UNIX epoch.
    pub start: Micros,
    /// Whether the file says when.
    pub has_start: bool,
    /// What is sent.
    pub rows: Vec<Row>,
}

/// A request, or several equal ones.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it is in its file, such as `cases[0].requests[1]`.
    pub path: String,
    /// The request as it is written, for messages.
    pub line: String,
    /// The request.
    pub request: SampleRequest,
    /// What it is made of, for whoever sends it in another way.
    pub parts: Parts,
    /// How many times it is sent.
    pub times: u32,
    /// The time from one to the next.
    pub every: Micros,
    /// When the first is sent, since the start of the case.
    pub begin: Micros,
    /// How the upstream answers.
    pub answer: Answer,
    /// What is expected of each.
    pub each: Expected,
    /// What else is expected of the last.
    pub last: Expected,
    /// How many are admitted.
    pub admitted: Option<u32>,
}

/// What a request is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// The client's address.
    pub client_ip: std::net::IpAddr,
    /// Its host.
    pub host: Option<String>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Whether it has metadata, a route's name or a certificate.
    pub has_context: bool,
}

/// How the upstream answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status. `None`: it does not.
    pub status: Option<u16>,
    /// Its headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// Its trailers, with lower-case names.
    pub trailers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<String>,
    /// How long the request takes.
    pub after: Micros,
}

/// What is expected of a request.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Where it is in its file.
    pub path: String,
    /// Whether it passes.
    pub admitted: Option<bool>,
    /// The policy that rejects it, as an index and its name.
    pub rejected_by: Option<(usize, String)>,
    /// The status that the client gets.
    pub status: Option<u16>,
    /// Headers that the client gets, with lower-case names.
    pub headers: Vec<(String, ExpectedHeader)>,
    /// The body of a rejection.
    pub body: Option<ExpectedBody>,
    /// What is left of limits.
    pub left: Vec<ExpectedLeft>,
    /// The policies in shadow that would have rejected it.
    pub shadow_rejected_by: Option<Vec<String>>,
}

impl Expected {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        let Expected { path: _, admitted, rejected_by, status, headers, body, left, shadow_rejected_by } =
            self;
        admitted.is_none()
            && rejected_by.is_none()
            && status.is_none()
            && headers.is_empty()
            && body.is_none()
            && left.is_empty()
            && shadow_rejected_by.is_none()
    }
}

/// What is expected of a header.
#[derive(Clone, Debug)]
pub enum ExpectedHeader {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It has this value.
    Value(String),
    /// Its value fits this pattern.
    Matches(Pattern),
    /// It is this moment in seconds since 1970, rounded up.
    SecondsAt(Moment),
}

/// What is expected of a body.
#[derive(Clone, Debug)]
pub enum ExpectedBody {
    /// It is this text.
    Text(String),
    /// It is JSON that is equal to this.
    Json(serde_json::Value),
    /// It fits this pattern.
    Matches(Pattern),
}

/// What is expected to be left of a limit.
#[derive(Clone, Debug)]
pub struct ExpectedLeft {
    /// As it is written, such as `api/minute`.
    pub name: String,
    /// The policy, as an index.
    pub policy: usize,
    /// The limit, as an index.
    pub limit: usize,
    /// The units.
    pub units: u64,
}

#[cfg(test)]
mod tests;
