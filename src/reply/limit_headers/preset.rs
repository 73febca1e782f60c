//! The presets: forms of limit headers that clients know. Each is one value and one line of [`PRESETS`].

use super::header_value::HeaderValue;
use super::reset_format::ResetFormat;
use super::{Describes, HeaderRules};

/// All presets, in the order of the reference.
pub const PRESETS: &[Preset] = &[X_RATELIMIT, IETF, GITHUB, ENVOY, SECRET];

/// A form of limit headers that clients know.
#[derive(Debug, PartialEq)]
pub struct Preset {
    /// Its word in a policy.
    pub word: &'static str,
    /// Its headers, in the order in which they are sent: what each shows, and its lower-case name. If there
    /// are none, limits are secret (FP-8).
    pub headers: &'static [(HeaderValue, &'static str)],
    /// How names of limit headers of its kind begin, see [`is_limit_header`].
    family: &'static str,
    /// Which limits the headers describe, unless the policy says it.
    describes: DescribesByDefault,
    /// How the reset is written, unless the policy says it.
    pub format: ResetFormat,
    /// The fields of `headers` that would have no effect.
    pub without: &'static [&'static str],
    /// The fields of `headers` that may have only one value, with it.
    pub only: &'static [(&'static str, &'static str)],
    /// What is special about its form, in words that follow the headers' names; may be empty.
    pub manner: &'static str,
    /// Who reads its reset as an instant, if it is one.
    pub readers: &'static str,
}

/// Which limits headers describe if a policy does not say it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum DescribesByDefault {
    /// The only limit. If there are several, the policy must say it.
    TheOnlyOne,
    /// The limit with the least left.
    MostConstrained,
    /// All limits that apply.
    All,
}

/// The headers that became known by several APIs, with one value each.
const X_RATELIMIT: Preset = Preset {
    word: "x-ratelimit",
    headers: &[
        (HeaderValue::Limit, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
    ],
    family: "ratelimit",
    describes: DescribesByDefault::TheOnlyOne,
    format: ResetFormat::Epoch,
    without: &[],
    only: &[],
    manner: "",
    readers: "Octokit",
};

/// The fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-11).
const IETF: Preset = Preset {
    word: "ietf",
    headers: &[(HeaderValue::IetfPolicies, "ratelimit-policy"), (HeaderValue::IetfStates, "ratelimit")],
    describes: DescribesByDefault::All,
    format: ResetFormat::Delta,
    without: &["names"],
    only: &[("format", "delta"), ("reset_on_429", "own")],
    ..X_RATELIMIT
};

/// As GitHub sends them.
const GITHUB: Preset = Preset {
    word: "github",
    headers: &[
        (HeaderValue::Limit, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
        (HeaderValue::Used, "x-ratelimit-used"),
        (HeaderValue::Resource, "x-ratelimit-resource"),
    ],
    ..X_RATELIMIT
};

/// As Envoy's own limiters send them (draft-polli-ratelimit-headers-02 and -03).
const ENVOY: Preset = Preset {
    word: "envoy",
    headers: &[
        (HeaderValue::EnvoyLimits, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
    ],
    describes: DescribesByDefault::MostConstrained,
    format: ResetFormat::Delta,
    without: &["names"],
    manner: " in Envoy's form",
    ..X_RATELIMIT
};

/// No headers, because limits are secret (FP-8).
const SECRET: Preset = Preset {
    word: "secret",
    headers: &[],
    describes: DescribesByDefault::MostConstrained,
    format: ResetFormat::Delta,
    without: &["show", "describes", "reset", "reset_on_429", "format", "names"],
    ..X_RATELIMIT
};

impl Preset {
    /// Whether limits are secret.
    pub fn is_secret(&self) -> bool {
        self.headers.is_empty()
    }

    /// Whether its headers list limits. Otherwise they describe a single one.
    pub fn lists_limits(&self) -> bool {
        self.headers.iter().any(|(value, _)| value.is_list())
    }

    /// Whether a field of `headers` has an effect, at least with one of its values.
    pub fn has_field(&self, field: &str) -> bool {
        !self.without.contains(&field)
    }

    /// The limits that its headers describe if the policy does not say it. `all` are all limits. `None`: the
    /// policy must say it.
    pub fn describes_by_default(&self, all: &[(usize, usize)]) -> Option<Describes> {
        match (self.describes, all) {
            (DescribesByDefault::TheOnlyOne, [only]) => Some(Describes::Named(vec![*only])),
            (DescribesByDefault::TheOnlyOne, _) => None,
            (DescribesByDefault::MostConstrained, _) => Some(Describes::MostConstrained),
            (DescribesByDefault::All, _) => Some(Describes::All),
        }
    }

    /// The header that is the reset and nothing else, if it is an instant by definition.
    fn instant_header(&self) -> Option<&'static str> {
        let (_, name) = self.headers.iter().find(|(value, _)| value.is_reset())?;
        (!self.format.counts_from_now()).then_some(name)
    }
}

impl HeaderRules {
    /// The reset's header and a preset, if clients that know the preset would take this header for an instant,
    /// although it is the time from now. Whoever chooses a preset whose reset is no instant by definition has
    /// clients that know it.
    pub fn mistaken_for(&self) -> Option<(&str, &'static Preset)> {
        self.preset.instant_header().filter(|_| self.format.counts_from_now())?;
        let (_, header) = self.headers.iter().find(|(value, _)| value.is_reset())?;
        let preset = PRESETS.iter().find(|preset| preset.instant_header() == Some(header))?;
        Some((header, preset))
    }
}

/// Whether a header with this lower-case name is a limit header. APIs send limits under many names, such as
/// `x-rate-limit-reset` and `ratelimit-limit-minute`, so each name counts that begins as those of a preset do,
/// apart from `x-` in front and from hyphens.
pub fn is_limit_header(name: &[u8]) -> bool {
    PRESETS.iter().any(|preset| is_of_family(name, preset.family))
}

fn is_of_family(name: &[u8], family: &str) -> bool {
    let name = name.strip_prefix(b"x-").unwrap_or(name);
    let letters = name.iter().filter(|byte| **byte != b'-');
    letters.take(family.len()).eq(family.as_bytes())
}
