//! The forms that texts may have.

use super::Text;

const fn text(what: &'static str, pattern: &'static str) -> Text {
    Text { what, pattern: Some(pattern) }
}

const fn any(what: &'static str) -> Text {
    Text { what, pattern: None }
}

pub(super) const NAME: Text =
    text("a name of letters, digits, `_` and `-`, at most 64", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const KEY_NAME: Text = text("the name of a key", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const TIER: Text = text("the name of a tier", "^[A-Za-z0-9_-]{1,64}$");
pub(super) const LIMIT: Text =
    text("`policy/limit`, or `policy` if it has one limit", "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64})?$");
pub(super) const HEADER: Text =
    text("a header's name, in any case, at most 256", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");
pub(super) const SCHEME: Text =
    text("an authentication scheme such as `Bearer`, in any case", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$");
pub(super) const LENGTH: Text =
    text("a length of time such as `60s`, `10m`, `1h` or `7d`, from `1s` to `366d`", "^0*[1-9][0-9]*[smhd]$");
pub(super) const INSTANT: Text = text(
    "an instant such as `2026-05-19T00:00:00-06:00` (RFC 3339, with its offset)",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]",
);
pub(super) const METHOD: Text = text("a method in capitals, such as `POST`", "^[A-Z-]+$");
pub(super) const PATH: Text = text(
    "a path such as `/v1/invoices/{id}`",
    r#"^(/(\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*))*/(\*\*|\*|\{[A-Za-z0-9_]+\}|[!"$-)+-.0->@-z|~]*)$"#,
);
pub(super) const HOST: Text = text("a host such as `api.example.com` or `*.example.com`", "^[^/]+$");
pub(super) const MEDIA_TYPE: Text = text("a media type such as `application/json`", "^[ -~]*/[ -~]*$");
pub(super) const ZONE: Text = text("an IANA time zone such as `Europe/Madrid`", "^[A-Za-z]");
pub(super) const PARAMETER: Text = text("the name of a `{parameter}` in a match's path", "^[A-Za-z0-9_]+$");
pub(super) const LANGUAGE: Text = text("a language such as `es` or `en-GB`", "^[A-Za-z0-9-]+$");
pub(super) const SECRET: Text = any("a key, or what `tollgate hash` prints for it");
pub(super) const TEMPLATE: Text = any("a text with variables such as `{retry_after}`");
pub(super) const TEXT: Text = any("a text");
