//! Compiles rejections: the common one, and field by field what each policy has in its place.

use super::super::all;
use super::headers::{OWNED, header_name, is_owned};
use super::message::message;
use super::template::TemplateScope;
use crate::config::{Fields, Reader};
use crate::reply::{Body, Message, Rejection, Template, TextKind, Variable, is_limit_header};
use std::sync::Arc;

const CONTENT_TYPE: &str = "a media type such as application/json";
const PLAIN: &str = "text/plain; charset=utf-8";
const HEADER_VALUE: &str = "a text of visible ASCII, without spaces around it";

/// What one policy says when it rejects.
pub(super) struct CompiledRejection {
    pub rejection: Rejection,
    /// Its limits' own messages, in their order.
    pub messages: Vec<Option<Message>>,
}

impl CompiledRejection {
    fn mentions(&self, variable: Variable) -> bool {
        self.rejection.mentions(variable)
            || self.messages.iter().flatten().any(|message| message.mentions(variable))
    }
}

/// A rejection as far as one place writes it.
#[derive(Default)]
struct RejectionFields<'a> {
    status: Option<u32>,
    format: Option<BodyFormat>,
    body: Option<&'a str>,
    content_type: Option<&'a str>,
    message: Option<Arc<Message>>,
    code: Option<&'a str>,
    headers: Option<Arc<Vec<(String, Template)>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum BodyFormat {
    Template,
    Problem,
}

/// Reads all rejections: the common one, and one for each policy.
#[inline(never)]
pub(super) fn rejections(root: &Fields<'_>, secret: bool) -> Option<(Rejection, Vec<CompiledRejection>)> {
    let writer = Writer {
        speech: TemplateScope::new(secret),
        secret,
        place: root.at().peek("reject").unwrap_or(root.at().clone()),
    };
    let written = root.read_or("reject", RejectionFields::default(), |reject| writer.read(reject));
    let nothing = RejectionFields::default();
    let common = written.as_ref().unwrap_or(&nothing);
    let body = writer.body(&writer.place, common, &nothing);
    let usual = writer.rejection(common, &nothing, body);
    let policies = root.optional("policies").map(Reader::entries).unwrap_or_default();
    let sayables = policies.iter().map(|policy| writer.sayable(policy, common, usual.as_ref()));
    let sayables: Vec<_> = sayables.collect();
    let usual = usual?;
    common.is_told(&writer.place, &|variable| {
        let by = |sayable: &CompiledRejection| sayable.mentions(variable);
        usual.mentions(variable) || sayables.iter().flatten().any(by)
    })?;
    written.as_ref()?;
    Some((usual, all(sayables)?))
}

struct Writer<'a> {
    speech: TemplateScope,
    secret: bool,
    /// Where what is common is written.
    place: Reader<'a>,
}

impl Writer<'_> {
    fn sayable(
        &self,
        policy: &Reader<'_>,
        common: &RejectionFields<'_>,
        usual: Option<&Rejection>,
    ) -> Option<CompiledRejection> {
        let place = policy.peek("reject").unwrap_or(policy.clone());
        let own = policy
            .peek("reject")
            .map_or_else(|| Some(RejectionFields::default()), |reject| self.read(&reject));
        let limits = policy.peek("limits").map(|limits| limits.entries()).unwrap_or_default();
        let (messages, own) = (self.limit_messages(&limits), own?);
        let body = if own.shapes_the_body(common) {
            self.body(&place, &own, common)
        } else {
            usual.map(|usual| Arc::clone(&usual.body))
        };
        let (rejection, messages) = (self.rejection(&own, common, body)?, messages?);
        let sayable = CompiledRejection { rejection, messages };
        let told = own.is_told(&place, &|variable| sayable.mentions(variable));
        let silent = !sayable.rejection.mentions(Variable::Message);
        let own_messages = limits.iter().filter_map(|limit| limit.peek("message"));
        let untold: Vec<_> = own_messages.filter(|_| silent).map(|at| untold(&at, "message")).collect();
        told.filter(|_| untold.is_empty())?;
        Some(sayable)
    }

    fn limit_messages(&self, limits: &[Reader<'_>]) -> Option<Vec<Option<Message>>> {
        let speech = self.speech.of_messages();
        all(limits.iter().map(|limit| match limit.peek("message") {
            Some(at) => message(&at, &speech).map(Some),
            None => Some(None),
        }))
    }

    #[inline(never)]
    fn read<'a>(&self, reader: &Reader<'a>) -> Option<RejectionFields<'a>> {
        let fields =
            reader.object(&["status", "format", "body", "content_type", "message", "code", "headers"])?;
        let status = fields.read("status", |n| n.whole_number(400..=599));
        let format = fields.read("format", |word| {
            word.word(&[("template", BodyFormat::Template), ("problem", BodyFormat::Problem)])
        });
        let body = fields.read("body", |body| body.text("a text"));
        let content_type = fields.read("content_type", |field| {
            let text = field.text(CONTENT_TYPE)?;
            let sound = text.contains('/') && text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
            if sound { Some(text) } else { field.error(CONTENT_TYPE) }
        });
        let speech = self.speech.of_messages();
        let message = fields.read("message", |field| message(field, &speech).map(Arc::new));
        let code = fields.read("code", |code| code.text("a text"));
        let headers = fields.read("headers", |headers| self.headers(headers).map(Arc::new));
        Some(RejectionFields {
            status: status?.and_then(|status| u32::try_from(status).ok()),
            format: format?,
            body: body?,
            content_type: content_type?,
            message: message?,
            code: code?,
            headers: headers?,
        })
    }

    fn headers(&self, reader: &Reader<'_>) -> Option<Vec<(String, Template)>> {
        let entries = reader.named_entries("an object of texts by header name")?;
        all(entries.iter().map(|entry| {
            let (name, value) = (further_name(entry), self.header_value(entry));
            Some((name?, value?))
        }))
    }

    fn header_value(&self, entry: &Reader<'_>) -> Option<Template> {
        let text = entry.text(HEADER_VALUE)?;
        let visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !visible || text.is_empty() || text.trim_ascii() != text {
            return entry.error(HEADER_VALUE);
        }
        self.speech.template(entry, text, TextKind::Header)
    }

    /// What is `own`, and in its gaps what is `common`, with this body.
    #[inline(never)]
    fn rejection(
        &self,
        own: &RejectionFields<'_>,
        common: &RejectionFields<'_>,
        body: Option<Arc<Body>>,
    ) -> Option<Rejection> {
        let message = match own.message.as_ref().or(common.message.as_ref()) {
            Some(message) => Arc::clone(message),
            None => Arc::new(Message::one(self.speech.plain("Too many requests")?)),
        };
        Some(Rejection {
            status: status(own, common),
            body: body?,
            message,
            code: own.code.or(common.code).unwrap_or("rate_limit_exceeded").into(),
            headers: own.headers.as_ref().or(common.headers.as_ref()).map(Arc::clone).unwrap_or_default(),
        })
    }

    /// The body and its type. `place` is where what is `own` is written.
    #[inline(never)]
    fn body(
        &self,
        place: &Reader<'_>,
        own: &RejectionFields<'_>,
        common: &RejectionFields<'_>,
    ) -> Option<Arc<Body>> {
        if own.format.or(common.format) == Some(BodyFormat::Problem) {
            let sound = self.reject_beside_problem(place, own);
            return self.problem(own, common).filter(|_| sound);
        }
        let (given, body) = (own.content_type.or(common.content_type), own.body.or(common.body));
        // Who put this body and this type together is to be told.
        let at = match (own.body, own.content_type) {
            (Some(_), _) => place.field("body"),
            (None, Some(_)) => place.field("content_type"),
            (None, None) => self.place.field("body"),
        };
        let (template, content_type) = match (body, given) {
            (None, Some(given)) if is_json(given) => {
                return at.error_found("JSON without a body", "body beside it");
            }
            (None, given) => (self.speech.plain("{message}\n")?, given.unwrap_or(PLAIN)),
            (Some(body), Some(given)) if is_json(given) => (self.speech.json(&at, body)?, given),
            (Some(body), Some(given)) => (self.speech.template(&at, body, TextKind::Text)?, given),
            (Some(body), None) => match self.speech.json_at_sight(body) {
                Some(template) => (template, "application/json"),
                None => (self.speech.template(&at, body, TextKind::Text)?, PLAIN),
            },
        };
        Some(Arc::new(Body { template, content_type: content_type.into() }))
    }

    fn reject_beside_problem(&self, place: &Reader<'_>, own: &RejectionFields<'_>) -> bool {
        let written = [("body", own.body), ("content_type", own.content_type)];
        for (name, _) in written.iter().filter(|(_, written)| written.is_some()) {
            let found = [name, " beside format problem"].concat();
            place.field(name).error_found::<()>(&found, "only with format template");
        }
        written.iter().all(|(_, written)| written.is_none())
    }

    /// The body of RFC 9457, of the type that draft-ietf-httpapi-ratelimit-headers-11 defines. Where limits are secret it
    /// does not name any.
    fn problem(&self, own: &RejectionFields<'_>, common: &RejectionFields<'_>) -> Option<Arc<Body>> {
        const TYPE: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
        const TITLE: &str = "Request cannot be satisfied as assigned quota has been exceeded";
        let status = status(own, common);
        let code = if own.code.or(common.code).is_some() { r#","code":"{code}""# } else { "" };
        let violated = if self.secret { "" } else { r#","violated-policies":{violated_policies}"# };
        let text = format!(
            r#"{{"type":"{TYPE}","title":"{TITLE}","status":{status},"detail":"{{message}}"{code}{violated}}}"#
        );
        let template = Template::compile(&text, TextKind::Json, Variable::OF_PROBLEMS).ok()?;
        Some(Arc::new(Body { template, content_type: "application/problem+json".into() }))
    }
}

fn status(own: &RejectionFields<'_>, common: &RejectionFields<'_>) -> u32 {
    own.status.or(common.status).unwrap_or(429)
}

/// The name of a header that the filter sends for the configuration.
fn further_name(entry: &Reader<'_>) -> Option<String> {
    let name = header_name(entry, entry.name())?;
    if is_owned(&name) || is_limit_header(name.as_bytes()) {
        let others = OWNED.join(", ");
        return entry.error_found(
            &["the header ", &name].concat(),
            &["none of ", &others, ", grpc-*; limits are told by headers"].concat(),
        );
    }
    Some(name)
}

impl RejectionFields<'_> {
    /// Whether it makes another body of what is `common`.
    fn shapes_the_body(&self, common: &RejectionFields<'_>) -> bool {
        let in_problems =
            common.format == Some(BodyFormat::Problem) && (self.status.is_some() || self.code.is_some());
        self.format.is_some() || self.body.is_some() || self.content_type.is_some() || in_problems
    }

    /// ConfigErrors for what no template tells: it would be silently without effect.
    fn is_told(&self, place: &Reader<'_>, told: &dyn Fn(Variable) -> bool) -> Option<()> {
        let mut sound = Some(());
        let written = [
            (self.message.is_some(), Variable::Message, "message"),
            (self.code.is_some(), Variable::Code, "code"),
        ];
        for (_, _, name) in written.iter().filter(|(written, variable, _)| *written && !told(*variable)) {
            sound = untold(&place.field(name), name);
        }
        sound
    }
}

fn untold(at: &Reader<'_>, word: &str) -> Option<()> {
    at.error_found("what no template tells", &["{", word, "} in reject.body or reject.headers"].concat())
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim_ascii();
    let suffix = kind.len().checked_sub("+json".len()).and_then(|at| kind.get(at..));
    kind.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
}
