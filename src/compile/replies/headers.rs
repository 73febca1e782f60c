//! Compiles the limit headers, and which names headers may have.

use super::super::name::is_token;
use super::super::policies::limit_references;
use crate::config::{Fields, Reader, all};
use crate::reply::{
    Describes, HeaderRules, HeaderValue, PRESETS, Preset, Reset, ResetFormat, ResetOnRejection, Show,
    UpstreamHeaders,
};
use crate::rules::Policy;

const TOKEN: &str = "a header name (letters, digits and !#$%&'*+-.^_`|~)";
const LIMIT_REFERENCE: &str = "a limit, as policy/limit, or just policy if it has only one limit";

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

/// A header's name, in lower case.
pub(super) fn header_name(at: &Reader<'_>, name: &str) -> Option<String> {
    if is_token(name) { Some(name.to_ascii_lowercase()) } else { at.error_name(name, TOKEN) }
}

/// Reads the object `headers`.
#[inline(never)]
pub(super) fn header_rules(reader: &Reader<'_>, policies: Option<&[Policy]>) -> Option<HeaderRules> {
    let fields = reader.object(&[
        "preset",
        "show",
        "describes",
        "reset",
        "reset_on_429",
        "format",
        "upstream",
        "names",
    ])?;
    let presets: Vec<(&str, &'static Preset)> = PRESETS.iter().map(|preset| (preset.word, preset)).collect();
    let words: Vec<&str> = PRESETS.iter().map(|preset| preset.word).collect();
    let preset = fields.required("preset", &words.join(", ")).and_then(|word| word.word(&presets));
    let show = fields.read_or("show", Show::Always, |word| word.word(Show::WORDS));
    let reset = fields.read_or("reset", Reset::default(), |word| word.word(Reset::WORDS));
    let on_rejection = fields
        .read_or("reset_on_429", ResetOnRejection::default(), |word| word.word(ResetOnRejection::WORDS));
    let format = fields.read("format", |word| word.word(ResetFormat::WORDS));
    let upstream =
        fields.read_or("upstream", UpstreamHeaders::Replace, |word| word.word(UpstreamHeaders::WORDS));
    let preset = preset?;
    let in_place = reject_fields_of_others(&fields, preset);
    let headers = named_headers(&fields, preset);
    // Invalid policies have no limits to refer to, and errors of their own.
    let describes = policies.and_then(|policies| describes(&fields, preset, policies));
    in_place?;
    Some(HeaderRules {
        preset,
        headers: headers?,
        show: show?,
        describes: describes?,
        reset: reset?,
        on_rejection: on_rejection?,
        format: format?.unwrap_or(preset.format),
        upstream: upstream?,
    })
}

/// A field that does not apply to the preset would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, preset: &Preset) -> Option<()> {
    let mut valid = Some(());
    let mut reject = |at: &Reader<'_>, allowed: &str| {
        let found = [at.name(), " with preset ", preset.word].concat();
        valid = at.error_found(&found, allowed);
    };
    for at in preset.without.iter().filter_map(|field| fields.optional(field)) {
        let others = PRESETS.iter().filter(|other| other.has_field(at.name()));
        let others: Vec<&str> = others.map(|other| other.word).collect();
        reject(at, &["only with preset ", &either(&others)].concat());
    }
    for (field, only) in preset.only {
        if let Some(at) = fields.optional(field).filter(|at| !at.is_word(only)) {
            reject(at, only);
        }
    }
    valid
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => [&first.join(", "), " or ", last].concat(),
        words => words.concat(),
    }
}

/// The headers of the preset. Those in the object `names` have other names, or are sent in addition.
fn named_headers(fields: &Fields<'_>, preset: &Preset) -> Option<Vec<(HeaderValue, String)>> {
    let mut headers: Vec<_> =
        preset.headers.iter().map(|(value, name)| (*value, (*name).to_string())).collect();
    let Some(written) = fields.optional("names").filter(|_| preset.has_field("names")) else {
        return Some(headers);
    };
    let known: Vec<&str> = HeaderValue::NAMED.iter().map(|(field, _)| *field).collect();
    let names = written.object(&known)?;
    let read = HeaderValue::NAMED.iter().map(|(field, value)| Some((*value, names.read(field, own_name)?)));
    for (value, name) in all(read)? {
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
    let name = header_name(at, at.text(TOKEN)?)?;
    if is_reserved(&name) { at.error("a name that no other response header has") } else { Some(name) }
}

/// What `describes` may name: a rule, or a limit by the indexes of policy and limit.
#[derive(Clone, Copy)]
enum Described {
    Violated,
    MostConstrained,
    Limit((usize, usize)),
}

impl Described {
    fn limit(self) -> Option<(usize, usize)> {
        match self {
            Described::Limit(indexes) => Some(indexes),
            Described::Violated | Described::MostConstrained => None,
        }
    }
}

/// Reads `describes`: which limit the headers describe.
fn describes(fields: &Fields<'_>, preset: &Preset, policies: &[Policy]) -> Option<Describes> {
    let either = [("violated", Described::Violated), ("most_constrained", Described::MostConstrained)];
    let references = limit_references(policies.iter());
    let mut words = either.to_vec();
    words.extend(references.iter().map(|(name, indexes)| (name.as_str(), Described::Limit(*indexes))));
    // Only these are listed as missing: the short names are the same limits again.
    let in_full: usize = policies.iter().map(|policy| policy.limit_names.len()).sum();
    let (full, _) = words.split_at_checked(either.len() + in_full)?;
    let Some(written) = fields.optional("describes") else {
        let limits: Vec<_> = full.iter().filter_map(|(_, described)| described.limit()).collect();
        return preset.describes_by_default(&limits).or_else(|| {
            let names: Vec<_> = full.iter().map(|(name, _)| *name).collect();
            fields.required("describes", &names.join(", ")).and(None)
        });
    };
    if !written.is_list() {
        return Some(match written.word(&words)? {
            Described::Limit(indexes) => Describes::Named(vec![indexes]),
            Described::Violated => Describes::Violated,
            Described::MostConstrained => Describes::MostConstrained,
        });
    }
    let (_, words) = words.split_at_checked(either.len())?;
    let entries = written.non_empty_list(LIMIT_REFERENCE)?;
    let described = all(entries.iter().map(|entry| entry.word(words)))?;
    Some(Describes::Named(described.into_iter().filter_map(Described::limit).collect()))
}
