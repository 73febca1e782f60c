//! The forms of texts.

use super::Text;

const fn text(name: &'static str, what: &'static str, pattern: &'static str) -> Text {
    Text { name, what, pattern: Some(pattern) }
}

const fn any(name: &'static str, what: &'static str) -> Text {
    Text { name, what, pattern: None }
}

pub(super) const NAME: Text =
    text("name", "at most 64 letters, digits, `_` and `-`", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const KEY_NAME: Text = text("key name", "the name of a key under `keys`", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const TIER: Text = text("tier", "one of `tiers.names`", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const LIMIT: Text = text(
    "limit reference",
    "`policy/limit`, or just `policy` if it has only one limit",
    "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64})?$",
);
pub(super) const DURATION: Text = text(
    "duration",
    "a whole number and its unit, `s`, `m`, `h` or `d`: `60s`, `10m`, `1h`, `7d`; from `1s` to `366d`",
    "^0*[1-9][0-9]*[smhd]$",
);
pub(super) const MILLISECONDS: Text = text(
    "milliseconds",
    "a whole number of milliseconds such as `50ms`, from `1ms` to `1000ms`, or `1s`",
    "^(0*[1-9][0-9]{0,2}|0*1000)ms$|^1s$",
);
pub(super) const TIMESTAMP: Text = text(
    "timestamp",
    "RFC 3339 in whole seconds with a UTC offset, from 1970 on: `2026-05-19T00:00:00-06:00`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]",
);
pub(super) const ZONE: Text = text("time zone", "an IANA time zone such as `Europe/Madrid`", "^[A-Za-z]");
pub(super) const METHOD: Text = text("method", "upper-case, such as `POST`", "^[A-Z-]+$");
pub(super) const HOST: Text = text(
    "host",
    "`api.example.com`, `*.example.com` for all its subdomains, or a pattern such as `api-*` or `*-test.example.com`; without a port; case does not matter",
    r"^\*?[A-Za-z0-9._-]+\*?$|^\[[0-9A-Fa-f:.]+\]$",
);
pub(super) const PATH: Text = text(
    "path",
    "starts with `/`; `{word}` and `*` stand for one whole segment that is not empty, `**` at the end for any rest, also none: `/v1/invoices/{id}/**`",
    r#"^(/(\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*))*/(\*\*|\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*)$"#,
);
pub(super) const PARAMETER: Text = text("parameter", "the word in `{word}` of a path", "^[A-Za-z0-9_]+$");
pub(super) const HEADER: Text = text(
    "header name",
    "at most 256 characters; case does not matter",
    "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$",
);
pub(super) const SCHEME: Text = text(
    "scheme",
    "an authentication scheme such as `Bearer`; case does not matter",
    "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$",
);
pub(super) const SEPARATOR: Text = any("separator", "1 to 16 characters");
pub(super) const MEDIA_TYPE: Text = text("media type", "such as `application/json`", "^[ -~]*/[ -~]*$");
pub(super) const LANGUAGE: Text = text("language", "such as `es` or `es-MX`", "^[A-Za-z0-9-]+$");
pub(super) const TEMPLATE: Text =
    any("template", "a text whose [variables](#variables), such as `{retry_after}`, are filled in");
pub(super) const SECRET: Text = any(
    "credential",
    "the output of `tollgate hash`, `sha256:` and 64 hexadecimal digits; or the value itself",
);
pub(super) const TEXT: Text = any("text", "1 to 256 characters");
pub(super) const ANY_TEXT: Text = any("any text", "of any length, also empty");
pub(super) const PATTERN: Text = text(
    "pattern",
    "a text, in which `*` stands for any text at the start, at the end or both: `sk_live_*`, `*-test`, `*bot*`; `*` alone is any text \
     but the empty one, `\\*` an asterisk and `\\\\` a backslash",
    r"^\*?(\\[\s\S]|[^*\\])*\\?\*?$",
);
pub(super) const COOKIE: Text =
    text("cookie name", "at most 256 characters; case matters", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");

/// All forms, in the order of the reference.
pub(super) const ALL: &[&Text] = &[
    &NAME,
    &KEY_NAME,
    &TIER,
    &LIMIT,
    &DURATION,
    &MILLISECONDS,
    &TIMESTAMP,
    &ZONE,
    &METHOD,
    &HOST,
    &PATH,
    &PARAMETER,
    &HEADER,
    &COOKIE,
    &SCHEME,
    &SEPARATOR,
    &MEDIA_TYPE,
    &LANGUAGE,
    &TEMPLATE,
    &SECRET,
    &TEXT,
    &ANY_TEXT,
    &PATTERN,
];
