//! What several sources and proofs are written as.

use crate::config::{Reader, all};
use crate::http::MetadataPath;

/// A text of 1 to 256 characters. A zero byte would end it for the host.
pub(super) fn text(reader: &Reader<'_>) -> Option<String> {
    const TEXT: &str = "text of 1 to 256 characters";
    let text = reader.text(TEXT)?;
    let valid = (1..=256).contains(&text.chars().count()) && !text.contains('\0');
    if valid { Some(text.to_string()) } else { reader.error(TEXT) }
}

/// Where an earlier filter leaves a value.
pub(super) fn metadata_path(reader: &Reader<'_>) -> Option<MetadataPath> {
    const METADATA: &str = "a list: the name of an earlier filter, then the keys of its metadata";
    let entries = reader.list(METADATA)?;
    let segments = all(entries.iter().map(text));
    if entries.len() < 2 {
        return reader.error(METADATA);
    }
    let segments = segments?;
    Some(MetadataPath::new(segments.iter().map(String::as_str)))
}
