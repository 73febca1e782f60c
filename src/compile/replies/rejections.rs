//! Compiles rejections: the common one, and for each policy its own, which takes every field that it leaves
//! out from the common one.

use super::header_names::{RESERVED, SentHeaders, is_reserved};
use super::message::message;
use super::template::TemplateScope;
use crate::config::{Fields, Reader, all};
use crate::language::{configuration, forms, limit, policy, rejection};
use crate::reply::{
    Body, ENVOY_RATELIMITED, Message, Preset, Rejection, Template, TextKind, Variable, is_limit_header,
};
use std::sync::Arc;

const PLAIN: &str = "text/plain; charset=utf-8";

/// The rejection of one policy.
pub(super) struct CompiledRejection {
    pub rejection: Rejection,
    /// The messages that its limits have of their own, in their order.
    pub messages: Vec<Option<Message>>,
}

impl CompiledRejection {
    fn mentions(&self, variable: Variable) -> bool {
        self.rejection.mentions(variable)
            || self.messages.iter().flatten().any(|message| message.mentions(variable))
    }
}

/// The fields of one `reject` object.
#[derive(Default)]
struct RejectionFields<'a> {
    status: Option<u32>,
    is_problem: Option<bool>,
    body: Option<&'a str>,
    content_type: Option<String>,
    message: Option<Arc<Message>>,
    code: Option<String>,
    headers: Option<Arc<Vec<(String, Template)>>>,
    envoy_ratelimited: Option<bool>,
}

/// Reads all rejections: the common one, and one for each policy.
#[inline(never)]
pub(super) fn rejections(
    root: &Fields<'_>,
    secret: Option<&'static Preset>,
) -> Option<(Rejection, Vec<CompiledRejection>)> {
    let compiler = RejectionCompiler {
        scope: TemplateScope::new(secret),
        common_at: root.present(&configuration::REJECT).unwrap_or(root.at()).clone(),
    };
    let fields = root.get_optional_with(&configuration::REJECT, |reject| compiler.read(reject));
    let fields = fields.map(Option::unwrap_or_default);
    let no_fields = RejectionFields::default();
    let common = fields.as_ref().unwrap_or(&no_fields);
    let body = compiler.body(&compiler.common_at, common, &no_fields);
    let rejection = compiler.rejection(common, &no_fields, body);
    let policies = root.present(&configuration::POLICIES).map(Reader::entries).unwrap_or_default();
    let own = policies.iter().map(|policy| compiler.policy(policy, common, rejection.as_ref()));
    let own: Vec<_> = own.collect();
    let rejection = rejection?;
    common.check_used(&compiler.common_at, &|variable| {
        rejection.mentions(variable) || own.iter().flatten().any(|own| own.mentions(variable))
    })?;
    fields.as_ref()?;
    Some((rejection, all(own)?))
}

struct RejectionCompiler<'a> {
    scope: TemplateScope,
    /// Where the common rejection is written.
    common_at: Reader<'a>,
}

impl RejectionCompiler<'_> {
    /// The rejection of one policy.
    fn policy(
        &self,
        policy: &Reader<'_>,
        common: &RejectionFields<'_>,
        common_rejection: Option<&Rejection>,
    ) -> Option<CompiledRejection> {
        let reject = policy.peek(policy::REJECT.name);
        let own =
            reject.as_ref().map_or_else(|| Some(RejectionFields::default()), |reject| self.read(reject));
        let at = reject.unwrap_or(policy.clone());
        let limits = policy.peek(policy::LIMITS.name).map(|limits| limits.entries()).unwrap_or_default();
        let (messages, own) = (self.limit_messages(&limits), own?);
        let body = if own.changes_the_body(common) {
            self.body(&at, &own, common)
        } else {
            common_rejection.map(|rejection| Arc::clone(&rejection.body))
        };
        let (rejection, messages) = (self.rejection(&own, common, body)?, messages?);
        let compiled = CompiledRejection { rejection, messages };
        let used = own.check_used(&at, &|variable| compiled.mentions(variable));
        let message = rejection::MESSAGE.name;
        let is_shown = Variable::showing(message).any(|variable| compiled.rejection.mentions(variable));
        let unused_messages: Vec<_> = if is_shown {
            Vec::new()
        } else {
            limits.iter().filter_map(|limit| limit.peek(limit::MESSAGE.name)).collect()
        };
        for at in &unused_messages {
            unused::<()>(at, message);
        }
        used.filter(|()| unused_messages.is_empty()).map(|()| compiled)
    }

    fn limit_messages(&self, limits: &[Reader<'_>]) -> Option<Vec<Option<Message>>> {
        let scope = self.scope.of_messages();
        all(limits.iter().map(|limit| match limit.peek(limit::MESSAGE.name) {
            Some(at) => message(&at, &scope).map(Some),
            None => Some(None),
        }))
    }

    #[inline(never)]
    fn read<'a>(&self, reader: &Reader<'a>) -> Option<RejectionFields<'a>> {
        let fields = reader.fields(&rejection::OBJECT)?;
        let status = fields.get_optional_with(&rejection::STATUS, status_with_body);
        let is_problem = fields.get_optional(&rejection::FORMAT);
        let body = fields.get_optional_with(&rejection::BODY, |at| at.text(rejection::BODY.kind.allowed));
        let content_type = fields.get_optional(&rejection::CONTENT_TYPE);
        let scope = self.scope.of_messages();
        let message = fields.get_optional_with(&rejection::MESSAGE, |at| message(at, &scope).map(Arc::new));
        let code = fields.get_optional(&rejection::CODE);
        let headers = fields.get_optional_with(&rejection::HEADERS, |at| self.headers(at).map(Arc::new));
        let envoy_ratelimited = fields.get_optional(&rejection::ENVOY_RATELIMITED);
        Some(RejectionFields {
            envoy_ratelimited: envoy_ratelimited?,
            status: status?,
            is_problem: is_problem?,
            body: body?,
            content_type: content_type?,
            message: message?,
            code: code?,
            headers: headers?,
        })
    }

    fn headers(&self, reader: &Reader<'_>) -> Option<Vec<(String, Template)>> {
        let entries = reader.named_entries(rejection::HEADERS.kind.allowed)?;
        all(entries.iter().map(|entry| {
            let (name, value) = (reply_header_name(entry), self.scope.header_value(entry));
            Some((name?, value?))
        }))
    }

    /// The rejection with this body. What `own` leaves out is taken from `common`.
    fn rejection(
        &self,
        own: &RejectionFields<'_>,
        common: &RejectionFields<'_>,
        body: Option<Arc<Body>>,
    ) -> Option<Rejection> {
        let message = match own.message.as_ref().or(common.message.as_ref()) {
            Some(message) => Arc::clone(message),
            None => Arc::new(Message::one(self.scope.plain(rejection::DEFAULT_MESSAGE)?)),
        };
        let code = own.code.as_deref().or(common.code.as_deref());
        let headers = own.headers.as_ref().or(common.headers.as_ref()).map(Arc::clone).unwrap_or_default();
        let envoy_ratelimited = own.envoy_ratelimited.or(common.envoy_ratelimited).unwrap_or_default();
        Some(Rejection {
            // If the configuration writes the header itself, that one is sent.
            envoy_ratelimited: envoy_ratelimited && headers.iter().all(|(name, _)| name != ENVOY_RATELIMITED),
            status: status(own, common)?,
            body: body?,
            message,
            code: code.unwrap_or(rejection::DEFAULT_CODE).into(),
            headers,
        })
    }

    /// The body and its type. `own_at` is where `own` is written.
    fn body(
        &self,
        own_at: &Reader<'_>,
        own: &RejectionFields<'_>,
        common: &RejectionFields<'_>,
    ) -> Option<Arc<Body>> {
        if own.is_problem.or(common.is_problem).or(rejection::FORMAT.default_value())? {
            let valid = reject_fields_of_templates(own_at, own);
            return self.problem(own, common).filter(|_| valid);
        }
        let given = own.content_type.as_deref().or(common.content_type.as_deref());
        let body = own.body.or(common.body);
        // Errors belong to the field that brought this body and this type together.
        let at = match (own.body, &own.content_type) {
            (Some(_), _) => own_at.field(rejection::BODY.name),
            (None, Some(_)) => own_at.field(rejection::CONTENT_TYPE.name),
            (None, None) => self.common_at.field(rejection::BODY.name),
        };
        let (template, content_type) = match (body, given) {
            (None, Some(given)) if is_json(given) => {
                return at.error_found("a content_type of JSON without a body", "a body with it");
            }
            (None, given) => (self.scope.plain("{message}\n")?, given.unwrap_or(PLAIN)),
            (Some(body), Some(given)) if is_json(given) => (self.scope.json(&at, body)?, given),
            (Some(body), Some(given)) => (self.scope.template(&at, body, TextKind::Text)?, given),
            (Some(body), None) => match self.scope.json_if_it_is(body) {
                Some(template) => (template, "application/json"),
                None => (self.scope.template(&at, body, TextKind::Text)?, PLAIN),
            },
        };
        Some(Arc::new(Body { template, content_type: content_type.into() }))
    }

    /// The body of RFC 9457, of the type that draft-ietf-httpapi-ratelimit-headers-11 defines. It names no
    /// limits if they are secret.
    fn problem(&self, own: &RejectionFields<'_>, common: &RejectionFields<'_>) -> Option<Arc<Body>> {
        const TYPE: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
        const TITLE: &str = "Request cannot be satisfied as assigned quota has been exceeded";
        let status = status(own, common)?;
        let code = if own.code.is_some() || common.code.is_some() { r#","code":"{code}""# } else { "" };
        let violated =
            if self.scope.is_secret() { "" } else { r#","violated-policies":{violated_policies}"# };
        let text = format!(
            r#"{{"type":"{TYPE}","title":"{TITLE}","status":{status},"detail":"{{message}}"{code}{violated}}}"#
        );
        let template = Template::compile(&text, TextKind::Json, Variable::ALL).ok()?;
        Some(Arc::new(Body { template, content_type: "application/problem+json".into() }))
    }
}

/// `format: problem` defines body and content type itself.
fn reject_fields_of_templates(at: &Reader<'_>, own: &RejectionFields<'_>) -> bool {
    let fields = [
        (rejection::BODY.name, own.body.is_some()),
        (rejection::CONTENT_TYPE.name, own.content_type.is_some()),
    ];
    for (name, _) in fields.iter().filter(|(_, is_present)| *is_present) {
        let found = [name, " with format problem"].concat();
        at.field(name).error_found::<()>(&found, "only with format template");
    }
    fields.iter().all(|(_, is_present)| !is_present)
}

/// A status whose responses have a body.
fn status_with_body(at: &Reader<'_>) -> Option<u32> {
    let status = at.read(rejection::STATUS.kind)?;
    if rejection::WITHOUT_BODY.contains(&status) {
        return at.error("a status whose responses have a body: not 204, 205 or 304");
    }
    Some(status)
}

fn status(own: &RejectionFields<'_>, common: &RejectionFields<'_>) -> Option<u32> {
    own.status.or(common.status).or(rejection::STATUS.default_value())
}

/// The name of a header that the configuration adds to replies.
fn reply_header_name(entry: &Reader<'_>) -> Option<String> {
    let name = entry.read_name(&forms::HEADER)?;
    if is_reserved(&name) {
        let reserved = RESERVED.join(", ");
        return entry.error_found(
            &["the header ", &name].concat(),
            &["any header but ", &reserved, " and grpc-*"].concat(),
        );
    }
    Some(name)
}

/// Checks that no rejection sends a limit header that a set sends, too.
#[inline(never)]
pub(super) fn check_limit_headers(root: &Fields<'_>, sent: &SentHeaders) {
    let policies = root.present(&configuration::POLICIES).map(Reader::entries).unwrap_or_default();
    let own = policies.iter().filter_map(|policy| policy.peek(policy::REJECT.name));
    for reject in root.present(&configuration::REJECT).cloned().into_iter().chain(own) {
        let Some(headers) = reject.peek(rejection::HEADERS.name).filter(Reader::is_object) else { continue };
        for entry in headers.named_entries(rejection::HEADERS.kind.allowed).unwrap_or_default() {
            let name = entry.name().to_ascii_lowercase();
            if is_limit_header(name.as_bytes()) && sent.has(&name) {
                entry.error_found::<()>(
                    &["the header ", &name, ", which headers sends"].concat(),
                    "a header that headers does not send",
                );
            }
        }
    }
}

impl RejectionFields<'_> {
    /// Whether these fields make a body other than the common one.
    fn changes_the_body(&self, common: &RejectionFields<'_>) -> bool {
        let in_problems = common.is_problem == Some(true) && (self.status.is_some() || self.code.is_some());
        self.is_problem.is_some() || self.body.is_some() || self.content_type.is_some() || in_problems
    }

    /// Checks that a template uses the message and the code: otherwise they would silently have no effect.
    fn check_used(&self, at: &Reader<'_>, is_used: &dyn Fn(Variable) -> bool) -> Option<()> {
        let mut valid = Some(());
        let fields =
            [(rejection::MESSAGE.name, self.message.is_some()), (rejection::CODE.name, self.code.is_some())];
        for (field, given) in fields {
            if given && !Variable::showing(field).any(is_used) {
                valid = unused(&at.field(field), field);
            }
        }
        valid
    }
}

/// Records that no template uses the text at `at`.
fn unused<T>(at: &Reader<'_>, variable: &str) -> Option<T> {
    at.error_found(
        "a text that no template uses",
        &["a template with {", variable, "} in reject.body or reject.headers"].concat(),
    )
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim_ascii();
    let suffix = kind.len().checked_sub("+json".len()).and_then(|at| kind.get(at..));
    kind.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
}
