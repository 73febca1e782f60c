//! Names: those that the operator gives to policies, keys and limits, and those of headers.

use super::Reader;

/// What a name of the operator's own may be.
pub const NAME: &str = "a name of at most 64 letters, digits, _ and -";

/// `name` itself, if an operator may give it to something.
pub fn name_of(reader: &Reader<'_>, name: &str) -> Option<String> {
    if is_name(name) { Some(name.to_string()) } else { reader.error_name(name, NAME) }
}

/// Whether an operator may give this name to something.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A text that can stand where HTTP wants a token, such as a header's name, in the case it is written in.
/// `what` says in an error what it is for.
pub fn token(reader: &Reader<'_>, what: &str) -> Option<String> {
    let allowed = || [what, " (letters, digits and !#$%&'*+-.^_`|~)"].concat();
    let text = if reader.is_text() { reader.text(what)? } else { return reader.error(&allowed()) };
    if is_token(text) { Some(text.to_string()) } else { reader.error(&allowed()) }
}

/// Whether this is a token (RFC 9110, 5.6.2) of at most 256 bytes.
pub fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
