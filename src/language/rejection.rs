//! The reply to a rejected request.

use super::{forms, limit};
use crate::config::{Composite, Field, Flag, Form, Kind, Literal, Number, Object, Word, Words, object};

/// The HTTP status.
pub const STATUS: Field<Number<u32>> = Field::default(
    "status",
    Number::new(200, 599, ""),
    Literal::Number(429),
    "the HTTP status; not 204, 205 and 304, whose responses have no body",
);

/// Statuses whose responses have no body.
pub const WITHOUT_BODY: [u32; 3] = [204, 205, 304];

/// How the body is made: whether as a problem document.
pub const FORMAT: Field<&Words<bool>> = Field::default(
    "format",
    &Words(&[
        Word::new("template", false, "`body`, with its variables filled in"),
        Word::new(
            "problem",
            true,
            "`application/problem+json` of RFC 9457, with `message`, `code` and the limits that reject; not with `body` and `content_type`",
        ),
    ]),
    Literal::Text("template"),
    "how the body is made",
);

/// The body.
pub const BODY: Field<Composite> = Field::optional(
    "body",
    Composite::new(Kind::Text(&forms::TEMPLATE), forms::TEMPLATE.allowed),
    "`{message}` and a line feed",
    "the body; in JSON, filled-in texts are escaped. A gRPC client gets the message alone, as its `grpc-message`",
);

/// The type of the body.
pub const CONTENT_TYPE: Field<&Form<String>> = Field::optional(
    "content_type",
    &forms::MEDIA_TYPE,
    "`application/json` if the body is a JSON object or list, else `text/plain; charset=utf-8`",
    "the content type of the body",
);

/// The message: a text, or one for each language.
pub const MESSAGE: Field<Composite> = Field::default(
    "message",
    limit::MESSAGE.kind,
    Literal::Text(DEFAULT_MESSAGE),
    "the `{message}`: one text, or one for each language, chosen by `accept-language`. With several languages, `default` names \
     the one for all other callers: `{ es: \"…\", en: \"…\", default: en }`",
);

/// The message if there is no other.
pub const DEFAULT_MESSAGE: &str = "Too many requests";

/// The code if there is no other. A problem document then has none.
pub const DEFAULT_CODE: &str = "rate_limit_exceeded";

/// The code.
pub const CODE: Field<&Form<String>> = Field::optional(
    "code",
    &forms::ANY_TEXT,
    "`rate_limit_exceeded`",
    "the `{code}`. It is an error if no template uses it; the same holds for `message`",
);

/// Additional headers.
pub const HEADERS: Field<Composite> = Field::optional(
    "headers",
    Composite::new(
        Kind::Map { names: &forms::HEADER.text, values: &Kind::Text(&forms::TEMPLATE) },
        "an object with a text for each header",
    ),
    "none",
    "additional headers; those that HTTP, Envoy or Tollgate sets itself are not allowed, and no limit header that `headers` sends",
);

/// Whether Envoy's own header is sent.
pub const ENVOY_RATELIMITED: Field<Flag> = Field::optional(
    "envoy_ratelimited",
    Flag,
    "`false`",
    "sends `x-envoy-ratelimited: true`, as Envoy's own limiters do, so that an Envoy before this one does not retry",
);

/// The object.
pub const OBJECT: Object = object!("rejection" at "reject, policies[].reject":
    "The reply to a rejected request. If several limits reject the request, the one with the longest wait decides which policy \
     is named and which message is sent. Fields that a policy leaves out are taken from the common `reject`.";
    STATUS, FORMAT, BODY, CONTENT_TYPE, MESSAGE, CODE, HEADERS, ENVOY_RATELIMITED);
