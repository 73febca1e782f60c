//! The reply to a rejected request, with the status, body and headers that its policy configures.

use super::decimal::decimal;
use super::limit_headers::RejectionWait;
use super::message::Message;
use super::template::{Template, VariableSource, push_hex};
use super::variable::{Rendered, Values, Variable};
use super::{DescribedLimit, Header, LimitDescription, ReplyRules};
use crate::decision::{Decision, PolicyDecision};
use crate::http::Request;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

/// How one policy rejects requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The HTTP status, 200 to 599, of responses that have a body.
    pub status: u32,
    /// The body and its media type.
    pub body: Arc<Body>,
    /// The value of `{message}`, unless the limit has its own.
    pub message: Arc<Message>,
    /// The value of `{code}`.
    pub code: String,
    /// Additional headers, by their lower-case names.
    pub headers: Arc<Vec<(String, Template)>>,
    /// Whether [`ENVOY_RATELIMITED`] is sent.
    pub envoy_ratelimited: bool,
}

/// The header by which Envoy's own limiters mark their rejections.
pub const ENVOY_RATELIMITED: &str = "x-envoy-ratelimited";

impl Rejection {
    /// Whether the body, a header or the message uses this variable.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.body.template.mentions(variable)
            || self.headers.iter().any(|(_, template)| template.mentions(variable))
            || self.message.mentions(variable)
    }
}

/// A body and its media type.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The value of `content-type`.
    pub content_type: String,
    /// The body's text.
    pub template: Template,
}

/// The response that Envoy sends in the upstream's place (a "local reply").
#[derive(Debug, PartialEq)]
pub struct Reply<'a> {
    /// The HTTP status, 200 to 599.
    pub status: u32,
    /// All headers but `content-length`, which Envoy adds.
    pub headers: Vec<Header<'a>>,
    /// The body. Envoy leaves it out of a response to HEAD.
    pub body: Cow<'a, str>,
    /// Envoy's response code details, which name the policy that rejects.
    pub details: &'a str,
    /// Whether no limit rejects it: nobody can tell. gRPC callers get UNAVAILABLE.
    pub unavailable: bool,
}

impl<'a> Reply<'a> {
    /// Adds limit headers, which replace headers of the same name. Sending them with the reply costs less
    /// than setting each when the reply passes the filter as a response.
    pub fn with_limit_headers(mut self, limits: Vec<Header<'a>>) -> Reply<'a> {
        self.headers.retain(|(name, _)| !limits.iter().any(|(limit, _)| limit == name));
        self.headers.extend(limits);
        self
    }
}

impl ReplyRules {
    /// The reply to a rejected request. `None`: the request is admitted. Only what the reply needs is read
    /// from the request. `new_id` returns 16 random bytes; it is called if the reply needs a request id and
    /// the request has none.
    pub fn reply<'a>(
        &'a self,
        decision: &Decision,
        request: &impl Request,
        new_id: fn() -> [u8; 16],
    ) -> Option<Reply<'a>> {
        if decision.unavailable() {
            return Some(unavailable(is_grpc(request)));
        }
        let rejection = RejectedRequest::new(self, decision, request, new_id)?;
        let Rejection { status, body, headers: further, envoy_ratelimited, .. } = rejection.rejection;
        let Body { content_type, template } = &**body;
        let is_grpc = is_grpc(request);
        let mut headers: Vec<Header<'a>> = Vec::with_capacity(7 + further.len());
        // Envoy makes the body the `grpc-message` of a gRPC client, which shows it to people.
        let body = if is_grpc {
            rejection.message().to_string().into()
        } else {
            headers.push(("content-type", content_type.as_str().into()));
            template.render(&rejection)
        };
        // The language is known only if the body has used the message.
        headers.extend(rejection.language().map(|tag| ("content-language", tag.into())));
        headers.push(("cache-control", "no-store".into()));
        headers.extend(further.iter().map(|(name, value)| (name.as_str(), value.render(&rejection))));
        if *envoy_ratelimited {
            headers.push((ENVOY_RATELIMITED, "true".into()));
        }
        if self.retry_after.shown {
            headers.push(("retry-after", decimal(rejection.wait)));
            headers.extend(is_grpc.then(|| ("grpc-retry-pushback-ms", rejection.grpc_pushback())));
        }
        Some(Reply { status: *status, headers, body, details: rejection.details, unavailable: false })
    }
}

/// The reply while the fleet's service does not answer. It is no rejection by a limit, so it does not look like
/// one.
fn unavailable(is_grpc: bool) -> Reply<'static> {
    const MESSAGE: &str = "Service Unavailable";
    const BODY: &str = r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#;
    let headers =
        [("content-type", "application/problem+json"), ("cache-control", "no-store"), ("retry-after", "1")];
    Reply {
        status: 503,
        headers: headers.map(|(name, value)| (name, value.into())).to_vec(),
        body: if is_grpc { MESSAGE } else { BODY }.into(),
        details: "tollgate_fleet_unavailable",
        unavailable: true,
    }
}

/// The values of a reply's variables, for one rejected request.
struct RejectedRequest<'a, 'd, R> {
    rules: &'a ReplyRules,
    decision: &'d Decision,
    request: &'d R,
    new_id: fn() -> [u8; 16],
    /// What its policy decided.
    rejecting: &'d PolicyDecision,
    policy: &'a str,
    rejection: &'a Rejection,
    details: &'a str,
    /// The limit that the reply names. `None`: the policy has no limit with a name.
    limit: Option<DescribedLimit<'a, 'd>>,
    /// The value of `retry-after`, in seconds.
    wait: u64,
    /// The message's language and its text.
    message: OnceCell<(&'a str, Cow<'a, str>)>,
    request_id: OnceCell<String>,
    violated: OnceCell<String>,
}

impl<'a, 'd, R: Request> RejectedRequest<'a, 'd, R> {
    fn new(
        rules: &'a ReplyRules,
        decision: &'d Decision,
        request: &'d R,
        new_id: fn() -> [u8; 16],
    ) -> Option<Self> {
        let rejecting = decision.rejecting()?;
        let own = rules.policies.get(rejecting.policy);
        Some(RejectedRequest {
            rules,
            decision,
            request,
            new_id,
            rejecting,
            policy: own.map_or("", |own| &own.name),
            rejection: own.map_or(&rules.rejection, |own| &own.rejection),
            details: own.map_or("", |own| &own.details),
            limit: super::rejecting(&super::described(rules, std::slice::from_ref(rejecting))),
            wait: rules.retry_after.seconds(decision),
            message: OnceCell::new(),
            request_id: OnceCell::new(),
            violated: OnceCell::new(),
        })
    }

    fn description(&self) -> Option<&'a LimitDescription> {
        self.limit.map(|limit| limit.description)
    }

    /// The message in the caller's language, after the tag of that language.
    fn chosen_message(&self) -> &(&'a str, Cow<'a, str>) {
        self.message.get_or_init(|| {
            let own = self.description().and_then(|description| description.message.as_ref());
            let chosen =
                own.unwrap_or(&self.rejection.message).choose(|| self.request.header("accept-language"));
            chosen.map_or_else(Default::default, |(tag, text)| (tag, text.render(self)))
        })
    }

    /// The message's language, if the reply has used the message and there are several languages.
    fn language(&self) -> Option<&'a str> {
        self.message.get().map(|(tag, _)| *tag).filter(|tag| !tag.is_empty())
    }

    /// The wait for a gRPC client in milliseconds. The client reads 32 bits and would retry at once on overflow;
    /// `-1` tells it not to retry.
    fn grpc_pushback(&self) -> Cow<'static, str> {
        let wait = self.wait.saturating_mul(1_000);
        if i32::try_from(wait).is_ok() { decimal(wait) } else { "-1".into() }
    }
}

/// Whether a gRPC client sends the request.
fn is_grpc(request: &impl Request) -> bool {
    let content_type = request.header("content-type");
    let rest =
        content_type.as_deref().and_then(|content_type| content_type.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

impl<R: Request> VariableSource for RejectedRequest<'_, '_, R> {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        variable.value(self)
    }
}

impl<R: Request> Values for RejectedRequest<'_, '_, R> {
    fn wait(&self) -> u64 {
        self.wait
    }

    fn limit(&self) -> Option<DescribedLimit<'_, '_>> {
        self.limit
    }

    fn reset(&self) -> Rendered<'_> {
        let headers = self.rules.headers.first();
        let (reset, on_rejection) =
            headers.map(|rules| (rules.reset, rules.on_rejection)).unwrap_or_default();
        let wait = RejectionWait::of(self.rules, self.decision).filter(|_| on_rejection.is_after_wait());
        let reset = self.limit.map(|limit| reset.time(limit, self.decision, wait).epoch_seconds());
        Rendered::Number(reset.unwrap_or_default())
    }

    fn cost(&self) -> u32 {
        self.rejecting.cost
    }

    fn policy(&self) -> &str {
        self.policy
    }

    fn request_id(&self) -> &str {
        self.request_id.get_or_init(|| {
            sane_id(self.request.header("x-request-id")).unwrap_or_else(|| hex((self.new_id)()))
        })
    }

    fn message(&self) -> &str {
        &self.chosen_message().1
    }

    fn code(&self) -> &str {
        &self.rejection.code
    }

    fn consumer(&self) -> &str {
        self.rules.consumer_name(self.decision)
    }

    fn tier(&self) -> &str {
        self.rules.tier_name(self.decision)
    }

    /// No name has a character that JSON escapes.
    fn violated(&self) -> &str {
        self.violated.get_or_init(|| {
            let mut list = String::from("[");
            let all = super::described(self.rules, self.decision.policies());
            for limit in all.iter().filter(|limit| !limit.verdict.admitted) {
                let comma = if list.len() > 1 { "," } else { "" };
                list.extend([comma, "\"", &limit.description.reference, "\""]);
            }
            list.push(']');
            list
        })
    }
}

/// The request's id, if it is usable: 1 to 128 visible ASCII characters.
fn sane_id(id: Option<Vec<u8>>) -> Option<String> {
    const MAX_LEN: usize = 128;
    let id = String::from_utf8(id?).ok()?;
    let sane = (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sane.then_some(id)
}

fn hex(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| push_hex(&mut text, *byte));
    text
}
