//! What several sources and proofs are written as.

use crate::config::{Composite, Kind, Reader, all, forms};
use crate::http::MetadataPath;

/// Where an earlier filter leaves a value.
pub(super) const METADATA: Composite = Composite::new(
    Kind::List(&Kind::Text(&forms::TEXT.text)),
    "a list: the name of an earlier filter, then the keys of its metadata",
);

/// Reads where an earlier filter leaves a value, or where the metadata of Envoy's route has one.
pub(super) fn metadata_path(reader: &Reader<'_>, of_route: bool) -> Option<MetadataPath> {
    let entries = reader.list(METADATA.allowed)?;
    let segments = all(entries.iter().map(|entry| entry.read(&forms::TEXT)));
    if entries.len() < 2 {
        return reader.error(METADATA.allowed);
    }
    let segments = segments?;
    let segments = segments.iter().map(String::as_str);
    Some(if of_route { MetadataPath::of_route(segments) } else { MetadataPath::new(segments) })
}
