//! Compiles the limit headers, and which names headers may have.

use super::super::policies::limit_references;
use crate::config::{Fields, Reader, all};
use crate::language::{forms, headers, names};
use crate::reply::{Describes, HeaderRules, HeaderValue, LimitChoice, Preset};
use crate::rules::Policy;

/// Headers of a reply that the filter, Envoy or HTTP itself sets.
pub(super) const RESERVED: [&str; 16] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "proxy-connection",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a configuration must not send a header of this lower-case name.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("grpc-")
}

/// Reads the object `headers`.
#[inline(never)]
pub(super) fn header_rules(reader: &Reader<'_>, policies: Option<&[Policy]>) -> Option<HeaderRules> {
    let fields = reader.fields(&headers::OBJECT)?;
    let preset = fields.get(&headers::PRESET);
    let (show, reset) = (fields.get(&headers::SHOW), fields.get(&headers::RESET));
    let on_rejection = fields.get(&headers::RESET_ON_429);
    let format = fields.get_optional(&headers::FORMAT);
    let upstream = fields.get(&headers::UPSTREAM);
    let preset = preset?;
    let names = named_headers(&fields, preset);
    // Invalid policies have no limits to refer to, and errors of their own.
    let describes = policies.and_then(|policies| describes(&fields, preset, policies));
    Some(HeaderRules {
        preset,
        headers: names?,
        show: show?,
        describes: describes?,
        reset: reset?,
        on_rejection: on_rejection?,
        format: format?.unwrap_or(preset.format),
        upstream: upstream?,
    })
}

/// The headers of the preset. Those in the object `names` have other names, or are sent in addition.
fn named_headers(fields: &Fields<'_>, preset: &Preset) -> Option<Vec<(HeaderValue, String)>> {
    let mut headers: Vec<_> =
        preset.headers.iter().map(|(value, name)| (*value, (*name).to_string())).collect();
    let Some(written) = fields.present(&headers::NAMES) else { return Some(headers) };
    let names = written.fields(&names::OBJECT)?;
    let read = |(field, value)| Some((value, names.get_optional_with(field, own_name)?));
    for (value, name) in all(HeaderValue::NAMED.iter().map(|(field, value)| read((field, *value))))? {
        let Some(name) = name else { continue };
        match headers.iter_mut().find(|(own, _)| *own == value) {
            Some((_, own)) => *own = name,
            None => headers.push((value, name)),
        }
    }
    let twin = |(i, (_, name)): (usize, &(_, String))| headers.iter().take(i).any(|(_, other)| other == name);
    if headers.iter().enumerate().any(twin) {
        return written.error_found("one name for two headers", "a different name for each header");
    }
    Some(headers)
}

fn own_name(at: &Reader<'_>) -> Option<String> {
    let name = at.read(&forms::HEADER)?;
    if is_reserved(&name) { at.error("a name that no other response header has") } else { Some(name) }
}

/// What `describes` may name: a choice, or a limit by the indexes of policy and limit.
#[derive(Clone, Copy)]
enum Described {
    Chosen(LimitChoice),
    Limit((usize, usize)),
}

impl Described {
    fn limit(self) -> Option<(usize, usize)> {
        match self {
            Described::Limit(indexes) => Some(indexes),
            Described::Chosen(_) => None,
        }
    }
}

/// Reads `describes`: which limit the headers describe.
fn describes(fields: &Fields<'_>, preset: &Preset, policies: &[Policy]) -> Option<Describes> {
    let choices = LimitChoice::WORDS.0.iter().map(|choice| (choice.word, Described::Chosen(choice.means)));
    let references = limit_references(policies.iter());
    let mut words: Vec<_> = choices.collect();
    let before = words.len();
    words.extend(references.iter().map(|(name, indexes)| (name.as_str(), Described::Limit(*indexes))));
    // Only these are listed as missing: the short names are the same limits again.
    let in_full: usize = policies.iter().map(|policy| policy.limit_names.len()).sum();
    let (full, _) = words.split_at_checked(before + in_full)?;
    let Some(written) = fields.present(&headers::DESCRIBES) else {
        let limits: Vec<_> = full.iter().filter_map(|(_, described)| described.limit()).collect();
        return preset.describes_by_default(&limits).or_else(|| {
            let names: Vec<_> = full.iter().map(|(name, _)| *name).collect();
            fields.at().error_missing(headers::DESCRIBES.name, &names.join(", "))
        });
    };
    if !written.is_list() {
        return Some(match written.word(&words)? {
            Described::Limit(indexes) => Describes::Named(vec![indexes]),
            Described::Chosen(choice) => Describes::Chosen(choice),
        });
    }
    let (_, words) = words.split_at_checked(before)?;
    let entries = written.non_empty_list(headers::DESCRIBES.kind.allowed)?;
    let described = all(entries.iter().map(|entry| entry.word(words)))?;
    Some(Describes::Named(described.into_iter().filter_map(Described::limit).collect()))
}
