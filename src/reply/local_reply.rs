//! What a rejected request is answered, in the words that its policy has for it.

use super::decimal::Decimal;
use super::message::Message;
use super::template::{Rendered, Template, Variable, VariableSource, push_hex};
use super::{DescribedLimit, Header, HeaderValue, LimitDescription, ReplyRules};
use crate::decision::Decision;
use crate::http::Request;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

/// The rejections of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// 400 to 599.
    pub status: u32,
    /// What is sent.
    pub body: Arc<Body>,
    /// What `{message}` stands for, unless the limit has its own.
    pub message: Arc<Message>,
    /// What `{code}` stands for.
    pub code: String,
    /// Further headers, by their lower-case names.
    pub headers: Arc<Vec<(String, Template)>>,
}

impl Rejection {
    /// Whether this variable is in what is said, or in the message there.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.body.template.mentions(variable)
            || self.headers.iter().any(|(_, template)| template.mentions(variable))
            || self.message.mentions(variable)
    }
}

/// A body and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// A media type.
    pub content_type: String,
    /// The text.
    pub template: Template,
}

/// A whole answer in the place of the upstream's.
#[derive(Debug, PartialEq)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u32,
    /// Without `content-length`, which Envoy adds.
    pub headers: Vec<Header<'a>>,
    /// For a HEAD request Envoy leaves it out.
    pub body: Cow<'a, str>,
    /// For access logs: which policy rejected.
    pub details: &'a str,
}

impl<'a> Reply<'a> {
    /// With limit headers sent along, which costs less than to set them one by one when the reply comes by. They take the
    /// place of others of their names.
    pub fn with_limit_headers(mut self, limits: Vec<Header<'a>>) -> Reply<'a> {
        self.headers.retain(|(name, _)| !limits.iter().any(|(limit, _)| limit == name));
        self.headers.extend(limits);
        self
    }
}

impl ReplyRules {
    /// The reply to a rejected request; none to one that may pass. The request is asked only for what the reply needs.
    /// `new_id` draws an id at random for one that came without.
    #[inline(never)]
    pub fn reply<'a>(
        &'a self,
        decision: &Decision,
        request: &impl Request,
        new_id: fn() -> [u8; 16],
    ) -> Option<Reply<'a>> {
        let rejection = RejectedRequest::new(self, decision, request, new_id)?;
        let Rejection { status, body, headers: further, .. } = rejection.rejection;
        let Body { content_type, template } = &**body;
        let body = template.render(&rejection);
        let mut headers: Vec<Header<'a>> = Vec::with_capacity(6 + further.len());
        headers.push(("content-type", content_type.as_str().into()));
        // Once the body has needed the message its language is known.
        headers.extend(rejection.language().map(|tag| ("content-language", tag.into())));
        headers.push(("cache-control", "no-store".into()));
        headers.extend(further.iter().map(|(name, value)| (name.as_str(), value.render(&rejection).into())));
        if self.retry_after.shown {
            headers.push(("retry-after", Decimal::new(rejection.wait).into()));
            headers.extend(rejection.grpc_pushback().map(|wait| ("grpc-retry-pushback-ms", wait)));
        }
        Some(Reply { status: *status, headers, body, details: rejection.details })
    }
}

/// What there is to tell about one rejected request.
struct RejectedRequest<'a, 'd, R> {
    rules: &'a ReplyRules,
    decision: &'d Decision,
    request: &'d R,
    new_id: fn() -> [u8; 16],
    policy: &'a str,
    rejection: &'a Rejection,
    details: &'a str,
    /// The limit that is named. `None`: only one without a name has rejected, and its policy names none.
    limit: Option<DescribedLimit<'a, 'd>>,
    wait: u64,
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
        let answer = decision.violated()?;
        let own = rules.policies.get(answer.policy);
        Some(RejectedRequest {
            rules,
            decision,
            request,
            new_id,
            policy: own.map_or("", |own| &own.name),
            rejection: own.map_or(&rules.rejection, |own| &own.rejection),
            details: own.map_or("", |own| &own.details),
            limit: super::violated(&super::described_of(rules, answer)),
            wait: rules.retry_after.seconds(decision),
            message: OnceCell::new(),
            request_id: OnceCell::new(),
            violated: OnceCell::new(),
        })
    }

    fn description(&self) -> Option<&'a LimitDescription> {
        self.limit.map(|limit| limit.description)
    }

    /// The message in the caller's language, and which it is.
    fn message(&self) -> &(&'a str, Cow<'a, str>) {
        self.message.get_or_init(|| {
            let own = self.description().and_then(|description| description.message.as_ref());
            let chosen =
                own.unwrap_or(&self.rejection.message).choose(|| self.request.header("accept-language"));
            chosen.map_or_else(Default::default, |(tag, text)| (tag, text.render(self)))
        })
    }

    /// The language of the message, if it was told and there are several.
    fn language(&self) -> Option<&'a str> {
        self.message.get().map(|(tag, _)| *tag).filter(|tag| !tag.is_empty())
    }

    fn request_id(&self) -> &str {
        self.request_id.get_or_init(|| {
            sane_id(self.request.header("x-request-id")).unwrap_or_else(|| hex((self.new_id)()))
        })
    }

    /// The names of all limits that reject, as a JSON list. Names have no character that JSON would escape.
    fn violated(&self) -> &str {
        self.violated.get_or_init(|| {
            let mut list = String::from("[");
            let all = super::described(self.rules, self.decision);
            for limit in all.iter().filter(|limit| !limit.verdict.admitted) {
                let comma = if list.len() > 1 { "," } else { "" };
                list.extend([comma, "\"", &limit.description.reference, "\""]);
            }
            list.push(']');
            list
        })
    }

    fn reset(&self) -> u64 {
        let reset = self.rules.headers.as_ref().map(|rules| rules.reset).unwrap_or_default();
        let wait = Some(self.rules.retry_after.wait(self.decision));
        self.limit.map_or(0, |limit| reset.epoch(limit, self.decision, wait))
    }

    /// What a gRPC client waits, in milliseconds. It reads 32 bits: with more it would retry at once, and a negative
    /// number says not to.
    fn grpc_pushback(&self) -> Option<HeaderValue<'static>> {
        let content_type = self.request.header("content-type")?;
        let rest = content_type.strip_prefix(b"application/grpc")?;
        let wait = self.wait.saturating_mul(1_000);
        let wait = || if i32::try_from(wait).is_ok() { Decimal::new(wait).into() } else { "-1".into() };
        matches!(rest.first(), None | Some(b'+' | b';')).then(wait)
    }
}

impl<R: Request> VariableSource for RejectedRequest<'_, '_, R> {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        let verdict = self.limit.map(|limit| limit.verdict);
        match variable {
            Variable::RetryAfter => Rendered::Number(self.wait),
            Variable::Limit => Rendered::Number(verdict.map_or(0, |verdict| verdict.quota.get().into())),
            Variable::Remaining => Rendered::Number(verdict.map_or(0, |verdict| verdict.remaining)),
            Variable::Reset => Rendered::Number(self.reset()),
            Variable::Window => Rendered::Number(
                self.description().and_then(|description| description.window).unwrap_or_default(),
            ),
            Variable::Policy => Rendered::Text(self.policy),
            Variable::LimitName => {
                Rendered::Text(self.description().map_or("", |description| &description.name))
            }
            Variable::RequestId => Rendered::Text(self.request_id()),
            Variable::Message => Rendered::Text(&self.message().1),
            Variable::Code => Rendered::Text(&self.rejection.code),
            Variable::Consumer => Rendered::Text(self.rules.consumer_name(self.decision)),
            Variable::Tier => Rendered::Text(self.rules.tier_name(self.decision)),
            Variable::Violated => Rendered::Json(self.violated()),
        }
    }
}

/// The caller's or the proxy's own id, if it is one: some visible characters.
fn sane_id(id: Option<Vec<u8>>) -> Option<String> {
    const LONGEST: usize = 128;
    let id = String::from_utf8(id?).ok()?;
    let sane = (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sane.then_some(id)
}

fn hex(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| push_hex(&mut text, *byte));
    text
}
