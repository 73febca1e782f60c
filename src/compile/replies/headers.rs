//! Compiles which limit headers there are, and what headers may be called.

use super::super::all;
use super::super::keys::is_token;
use super::super::policies::limit_references;
use crate::config::{Fields, Reader};
use crate::reply::{Describes, HeaderNames, HeaderRules, Preset, Reset, ResetFormat, Show, UpstreamHeaders};
use crate::rules::Policy;

const TOKEN: &str = "a header name (letters, digits and !#$%&'*+-.^_`|~)";
const LIMITREF: &str = "a limit, as policy/limit, or as policy if that has one limit";
/// What the filter, Envoy or HTTP itself says in a reply.
pub(super) const OWNED: [&str; 16] = [
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
enum Kind {
    XRateLimit,
    Ietf,
    Github,
    Envoy,
    Secret,
}

const KINDS: [(&str, Kind); 5] = [
    ("x-ratelimit", Kind::XRateLimit),
    ("ietf", Kind::Ietf),
    ("github", Kind::Github),
    ("envoy", Kind::Envoy),
    ("secret", Kind::Secret),
];

/// Whether a header of this lower-case name is not for the configuration to send.
pub(super) fn is_owned(name: &str) -> bool {
    OWNED.contains(&name) || name.starts_with("grpc-")
}

/// A header's name, in lower case.
pub(super) fn header_name(at: &Reader<'_>, name: &str) -> Option<String> {
    if is_token(name) { Some(name.to_ascii_lowercase()) } else { at.error_name(name, TOKEN) }
}

/// Which limit headers there are.
#[inline(never)]
pub(super) fn header_rules(reader: &Reader<'_>, policies: Option<&[Policy]>) -> Option<HeaderRules> {
    let fields = reader.object(&["preset", "show", "describes", "reset", "format", "upstream", "names"])?;
    let words = KINDS.map(|(word, _)| word).join(", ");
    let kind = fields.required("preset", &words).and_then(|word| word.word(&KINDS));
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
    let format = fields
        .read("format", |word| word.word(&[("epoch", ResetFormat::Epoch), ("delta", ResetFormat::Delta)]));
    let upstream = fields.read_or("upstream", UpstreamHeaders::Replace, |word| {
        word.word(&[("replace", UpstreamHeaders::Replace), ("keep", UpstreamHeaders::Keep)])
    });
    let kind = kind?;
    let in_place = reject_fields_of_others(&fields, kind);
    let preset = preset(&fields, kind);
    // Invalid policies have no names to choose from, and their own errors are told.
    let describes = policies.and_then(|policies| describes(&fields, kind, policies));
    in_place?;
    Some(HeaderRules {
        preset: preset?,
        show: show?,
        describes: describes?,
        reset: reset?,
        format: format?.unwrap_or(kind.usual_format()),
        upstream: upstream?,
    })
}

impl Kind {
    fn usual_format(self) -> ResetFormat {
        match self {
            Kind::XRateLimit | Kind::Github => ResetFormat::Epoch,
            Kind::Ietf | Kind::Envoy | Kind::Secret => ResetFormat::Delta,
        }
    }
}

/// A field that the preset does not know would be silently without effect.
fn reject_fields_of_others(fields: &Fields<'_>, kind: Kind) -> Option<()> {
    let mut sound = Some(());
    let mut reject = |name: &str, allowed: &str| {
        if let Some(field) = fields.optional(name) {
            sound = field.error_found(&[name, " beside this preset"].concat(), allowed);
        }
    };
    match kind {
        Kind::XRateLimit | Kind::Github => {}
        Kind::Envoy => reject("names", "only with preset x-ratelimit or github"),
        Kind::Ietf => {
            reject("names", "only with preset x-ratelimit or github");
            if fields.optional("format").is_some_and(|format| !format.is_word("delta")) {
                reject("format", "delta");
            }
        }
        Kind::Secret => {
            for name in ["show", "describes", "reset", "format", "names"] {
                reject(name, "only upstream beside preset secret");
            }
        }
    }
    sound
}

fn preset(fields: &Fields<'_>, kind: Kind) -> Option<Preset> {
    Some(match kind {
        Kind::XRateLimit => Preset::Fields(named_headers(fields, HeaderNames::x_ratelimit())?),
        Kind::Github => Preset::Fields(named_headers(fields, HeaderNames::github())?),
        Kind::Envoy => Preset::Envoy,
        Kind::Ietf => Preset::Ietf,
        Kind::Secret => Preset::Secret,
    })
}

/// The usual names, with those in their place that are written.
fn named_headers(fields: &Fields<'_>, usual: HeaderNames) -> Option<HeaderNames> {
    let Some(written) = fields.optional("names") else { return Some(usual) };
    let names = written.object(&["limit", "remaining", "reset", "used", "resource"])?;
    let name = |field: &str| names.read(field, own_name);
    let [limit, remaining, reset, used, resource] =
        ["limit", "remaining", "reset", "used", "resource"].map(name);
    let names = HeaderNames {
        limit: limit?.unwrap_or(usual.limit),
        remaining: remaining?.unwrap_or(usual.remaining),
        reset: reset?.unwrap_or(usual.reset),
        used: used?.or(usual.used),
        resource: resource?.or(usual.resource),
    };
    let twin = |(i, name): (usize, &str)| names.all().take(i).any(|other| other == name);
    if names.all().enumerate().any(twin) {
        return written.error_found("one name for two headers", "a name of its own for each");
    }
    Some(names)
}

#[inline(never)]
fn own_name(at: &Reader<'_>) -> Option<String> {
    let name = header_name(at, at.text(TOKEN)?)?;
    if is_owned(&name) { at.error("a name that nothing else has in a response") } else { Some(name) }
}

/// What headers may speak about, by its name.
#[derive(Clone, Copy)]
enum Choice {
    Violated,
    MostConstrained,
    Limit((usize, usize)),
}

impl Choice {
    fn place(self) -> Option<(usize, usize)> {
        match self {
            Choice::Limit(place) => Some(place),
            Choice::Violated | Choice::MostConstrained => None,
        }
    }
}

/// What the headers speak about.
#[inline(never)]
fn describes(fields: &Fields<'_>, kind: Kind, policies: &[Policy]) -> Option<Describes> {
    let either = [("violated", Choice::Violated), ("most_constrained", Choice::MostConstrained)];
    let references = limit_references(policies.iter());
    let mut words = either.to_vec();
    words.extend(references.iter().map(|(name, place)| (name.as_str(), Choice::Limit(*place))));
    // Only these are told: their short names are the same limits again.
    let in_full: usize = policies.iter().map(|policy| policy.limit_names.len()).sum();
    let (full, _) = words.split_at_checked(either.len() + in_full)?;
    let Some(written) = fields.optional("describes") else {
        return match (kind, full) {
            (Kind::Ietf, _) => Some(Describes::All),
            (Kind::Envoy | Kind::Secret, _) => Some(Describes::MostConstrained),
            (Kind::XRateLimit | Kind::Github, [_, _, (_, Choice::Limit(only))]) => {
                Some(Describes::Named(vec![*only]))
            }
            (Kind::XRateLimit | Kind::Github, _) => {
                let names: Vec<_> = full.iter().map(|(name, _)| *name).collect();
                fields.required("describes", &names.join(", ")).and(None)
            }
        };
    };
    if !written.is_list() {
        return Some(match written.word(&words)? {
            Choice::Limit(place) => Describes::Named(vec![place]),
            Choice::Violated => Describes::Violated,
            Choice::MostConstrained => Describes::MostConstrained,
        });
    }
    let (_, words) = words.split_at_checked(either.len())?;
    let entries = written.list_of_some(LIMITREF)?;
    let places = all(entries.iter().map(|entry| entry.word(words)))?;
    Some(Describes::Named(places.into_iter().filter_map(Choice::place).collect()))
}
