//! Tokens, of which HTTP makes names.

/// Whether this is a token (RFC 9110, 5.6.2) of at most 256 bytes.
pub fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
