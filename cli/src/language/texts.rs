//! The forms that texts may have.

use super::Text;

const fn text(name: &'static str, what: &'static str, pattern: &'static str) -> Text {
    Text { name, what, pattern: Some(pattern) }
}

const fn any(name: &'static str, what: &'static str) -> Text {
    Text { name, what, pattern: None }
}

pub(super) const NAME: Text =
    text("name", "letters, digits, `_` and `-`, at most 64", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const KEY_NAME: Text = text("key name", "a name under `keys`", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const TIER: Text = text("tier", "one of `tiers.names`", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const LIMIT: Text = text(
    "limit reference",
    "`policy/limit`, or `policy` alone if it has one limit",
    "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64})?$",
);
pub(super) const LENGTH: Text = text(
    "length of time",
    "a whole number and its unit, `s`, `m`, `h` or `d`: `60s`, `10m`, `1h`, `7d`; from `1s` to `366d`",
    "^0*[1-9][0-9]*[smhd]$",
);
pub(super) const INSTANT: Text = text(
    "instant",
    "RFC 3339 in whole seconds, with its offset, from 1970 on: `2026-05-19T00:00:00-06:00`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]",
);
pub(super) const ZONE: Text =
    text("time zone", "a name of the IANA's list, such as `Europe/Madrid`", "^[A-Za-z]");
pub(super) const METHOD: Text = text("method", "in capitals, such as `POST`", "^[A-Z-]+$");
pub(super) const HOST: Text = text(
    "host",
    "`api.example.com`, or `*.example.com` for all below it; without a port, in any case",
    r"^(\*\.)?[A-Za-z0-9._-]+$|^\[[0-9A-Fa-f:.]+\]$",
);
pub(super) const PATH: Text = text(
    "path",
    "begins with `/`; `{word}` and `*` stand for one segment that is not empty, `**` at the end for any rest: `/v1/invoices/{id}/**`",
    r#"^(/(\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*))*/(\*\*|\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*)$"#,
);
pub(super) const PARAMETER: Text = text("parameter", "the word of a `{word}` in a path", "^[A-Za-z0-9_]+$");
pub(super) const HEADER: Text =
    text("header name", "in any case, at most 256 characters", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");
pub(super) const SCHEME: Text =
    text("scheme", "of authentication, such as `Bearer`, in any case", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");
pub(super) const MEDIA_TYPE: Text = text("media type", "such as `application/json`", "^[ -~]*/[ -~]*$");
pub(super) const LANGUAGE: Text = text("language", "such as `es` or `es-MX`", "^[A-Za-z0-9-]+$");
pub(super) const TEMPLATE: Text =
    any("template", "a text, in which each of the [variables](#variables) is filled in: `{retry_after}`");
pub(super) const SECRET: Text =
    any("credential", "what `tollgate hash` prints for it, `sha256:` and 64 digits; or the value itself");
pub(super) const TEXT: Text = any("text", "1 to 256 characters");
pub(super) const ANY_TEXT: Text = any("any text", "also a longer one, and an empty one");
pub(super) const COOKIE: Text =
    text("cookie name", "as it is written, at most 256 characters", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");

/// All of them, in the order in which the reference explains them.
pub(super) const ALL: &[&Text] = &[
    &NAME,
    &KEY_NAME,
    &TIER,
    &LIMIT,
    &LENGTH,
    &INSTANT,
    &ZONE,
    &METHOD,
    &HOST,
    &PATH,
    &PARAMETER,
    &HEADER,
    &COOKIE,
    &SCHEME,
    &MEDIA_TYPE,
    &LANGUAGE,
    &TEMPLATE,
    &SECRET,
    &TEXT,
    &ANY_TEXT,
];
