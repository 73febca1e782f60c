//! Any text as a template and any bytes as a path: nothing panics, and they match just when a plain walk from
//! the other side says so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::http::PathTemplate;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, path) = input;
    let Some(template) = PathTemplate::parse(text) else { return };
    assert!(text.starts_with('/') && text.is_ascii());
    for path in [path, text.as_bytes()] {
        assert_eq!(
            template.matches(path),
            matches(text, path),
            "{text} and {:?}",
            path.escape_ascii().to_string()
        );
    }
});

/// The oracle: both as lists of segments, compared by their number first.
fn matches(template: &str, path: &[u8]) -> bool {
    let Some((b'/', path)) = path.split_first() else { return false };
    let mut wanted: Vec<&str> = template[1..].split('/').collect();
    let mut found: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    if wanted.last() == Some(&"**") {
        wanted.pop();
        if found.len() < wanted.len() {
            return false;
        }
        found.truncate(wanted.len());
    }
    let fits = |(wanted, found): (&&str, &&[u8])| match wanted.as_bytes() {
        b"*" | [b'{', .., b'}'] => !found.is_empty(),
        literal => literal == *found,
    };
    wanted.len() == found.len() && wanted.iter().zip(&found).all(fits)
}
