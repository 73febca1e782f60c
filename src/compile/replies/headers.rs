//! Compiles the limit headers, and which names headers may have.

use super::super::name::is_token;
use super::super::policies::limit_references;
use crate::config::{Fields, Reader, all};
use crate::reply::{
    Describes, HeaderNames, HeaderRules, Preset, Reset, ResetFormat, ResetOnRejection, Show, UpstreamHeaders,
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

/// The presets by the names that the configuration gives them.
#[derive(Clone, Copy, PartialEq)]
enum PresetName {
    XRateLimit,
    Ietf,
    Github,
    Envoy,
    Secret,
}

const PRESETS: [(&str, PresetName); 5] = [
    ("x-ratelimit", PresetName::XRateLimit),
    ("ietf", PresetName::Ietf),
    ("github", PresetName::Github),
    ("envoy", PresetName::Envoy),
    ("secret", PresetName::Secret),
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
    let presets = PRESETS.map(|(word, _)| word).join(", ");
    let name = fields.required("preset", &presets).and_then(|word| word.word(&PRESETS));
    let show = fields.read_or("show", Show::Always, |word| {
        word.word(&[("always", Show::Always), ("on_429", Show::OnRejection)])
    });
    let reset = fields.read_or("reset", Reset::default(), |word| {
        word.word(&[
            ("next_slot", Reset::NextSlot),
            ("full_reset", Reset::FullReset),
            ("window_end", Reset::WindowEnd),
        ])
    });
    let on_rejection = fields.read_or("reset_on_429", ResetOnRejection::default(), |word| {
        word.word(&[("after_wait", ResetOnRejection::AfterWait), ("own", ResetOnRejection::Own)])
    });
    let format = fields
        .read("format", |word| word.word(&[("epoch", ResetFormat::Epoch), ("delta", ResetFormat::Delta)]));
    let upstream = fields.read_or("upstream", UpstreamHeaders::Replace, |word| {
        word.word(&[("replace", UpstreamHeaders::Replace), ("keep", UpstreamHeaders::Keep)])
    });
    let name = name?;
    let in_place = reject_fields_of_others(&fields, name);
    let preset = preset(&fields, name);
    // Invalid policies have no limits to refer to, and errors of their own.
    let describes = policies.and_then(|policies| describes(&fields, name, policies));
    in_place?;
    Some(HeaderRules {
        preset: preset?,
        show: show?,
        describes: describes?,
        reset: reset?,
        on_rejection: on_rejection?,
        format: format?.unwrap_or(name.default_format()),
        upstream: upstream?,
    })
}

impl PresetName {
    fn default_format(self) -> ResetFormat {
        match self {
            PresetName::XRateLimit | PresetName::Github => ResetFormat::Epoch,
            PresetName::Ietf | PresetName::Envoy | PresetName::Secret => ResetFormat::Delta,
        }
    }
}

/// A field that does not apply to the preset would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, name: PresetName) -> Option<()> {
    let mut valid = Some(());
    let mut reject = |field: &str, allowed: &str| {
        if let Some(at) = fields.optional(field) {
            valid = at.error_found(&[field, " with this preset"].concat(), allowed);
        }
    };
    match name {
        PresetName::XRateLimit | PresetName::Github => {}
        PresetName::Envoy => reject("names", "only with preset x-ratelimit or github"),
        PresetName::Ietf => {
            reject("names", "only with preset x-ratelimit or github");
            if fields.optional("format").is_some_and(|format| !format.is_word("delta")) {
                reject("format", "delta");
            }
            if fields.optional("reset_on_429").is_some_and(|written| !written.is_word("own")) {
                reject("reset_on_429", "own");
            }
        }
        PresetName::Secret => {
            for field in ["show", "describes", "reset", "reset_on_429", "format", "names"] {
                reject(field, "only upstream with preset secret");
            }
        }
    }
    valid
}

fn preset(fields: &Fields<'_>, name: PresetName) -> Option<Preset> {
    Some(match name {
        PresetName::XRateLimit => Preset::Fields(named_headers(fields, HeaderNames::x_ratelimit())?),
        PresetName::Github => Preset::Fields(named_headers(fields, HeaderNames::github())?),
        PresetName::Envoy => Preset::Envoy,
        PresetName::Ietf => Preset::Ietf,
        PresetName::Secret => Preset::Secret,
    })
}

/// The names of the preset, replaced by those in the object `names`.
fn named_headers(fields: &Fields<'_>, defaults: HeaderNames) -> Option<HeaderNames> {
    let Some(written) = fields.optional("names") else { return Some(defaults) };
    let names = written.object(&["limit", "remaining", "reset", "used", "resource"])?;
    let name = |field: &str| names.read(field, own_name);
    let [limit, remaining, reset, used, resource] =
        ["limit", "remaining", "reset", "used", "resource"].map(name);
    let names = HeaderNames {
        limit: limit?.unwrap_or(defaults.limit),
        remaining: remaining?.unwrap_or(defaults.remaining),
        reset: reset?.unwrap_or(defaults.reset),
        used: used?.or(defaults.used),
        resource: resource?.or(defaults.resource),
    };
    let twin = |(i, name): (usize, &str)| names.all().take(i).any(|other| other == name);
    if names.all().enumerate().any(twin) {
        return written.error_found("one name for two headers", "a different name for each header");
    }
    Some(names)
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
fn describes(fields: &Fields<'_>, name: PresetName, policies: &[Policy]) -> Option<Describes> {
    let either = [("violated", Described::Violated), ("most_constrained", Described::MostConstrained)];
    let references = limit_references(policies.iter());
    let mut words = either.to_vec();
    words.extend(references.iter().map(|(name, indexes)| (name.as_str(), Described::Limit(*indexes))));
    // Only these are listed as missing: the short names are the same limits again.
    let in_full: usize = policies.iter().map(|policy| policy.limit_names.len()).sum();
    let (full, _) = words.split_at_checked(either.len() + in_full)?;
    let Some(written) = fields.optional("describes") else {
        return match (name, full) {
            (PresetName::Ietf, _) => Some(Describes::All),
            (PresetName::Envoy | PresetName::Secret, _) => Some(Describes::MostConstrained),
            (PresetName::XRateLimit | PresetName::Github, [_, _, (_, Described::Limit(only))]) => {
                Some(Describes::Named(vec![*only]))
            }
            (PresetName::XRateLimit | PresetName::Github, _) => {
                let names: Vec<_> = full.iter().map(|(name, _)| *name).collect();
                fields.required("describes", &names.join(", ")).and(None)
            }
        };
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
