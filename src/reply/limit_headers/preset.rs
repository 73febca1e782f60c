//! The presets: forms of limit headers that clients know. Each is one value and one line of [`PRESETS`].

use super::header_value::HeaderValue;
use super::reset_format::ResetFormat;
use super::{Describes, HeaderForm, HeaderRules, LimitChoice};
use crate::config::{Effect, Effects, Phrase, Word, WordList, Words};

/// All presets, in the order of the reference.
pub const PRESETS: &Words<&Preset> = &Words(&[
    Preset::word(&X_RATELIMIT),
    Preset::word(&IETF),
    Preset::word(&GITHUB),
    Preset::word(&OKTA),
    Preset::word(&ENVOY),
    Preset::word(&SECRET),
]);

/// A form of limit headers that clients know.
#[derive(Debug)]
pub struct Preset {
    /// Its word in a policy.
    pub word: &'static str,
    about: Phrase,
    /// Its headers, in the order in which they are sent: what each shows, and its lower-case name. If there
    /// are none, limits are secret (FP-8).
    pub headers: &'static [(HeaderValue, &'static str)],
    /// The prefix of the names of such limit headers, see [`is_limit_header`].
    family: &'static str,
    /// Which limits the headers describe, unless the policy says it. `None`: the only limit; if there are
    /// several, the policy must say it.
    describes: Option<LimitChoice>,
    /// How the reset is written, unless the policy says it.
    pub format: ResetFormat,
    /// The fields of `headers` that would have no effect.
    without: &'static [&'static str],
    /// The fields of `headers` that can only be one word, with it.
    only: &'static [(&'static str, &'static str)],
    /// Clients that read its reset as an instant, if it is one.
    pub readers: Phrase,
}

/// The headers that became known by several APIs, with one value each.
const X_RATELIMIT: Preset = Preset {
    word: "x-ratelimit",
    about: Phrase::new("`x-ratelimit-limit`, `-remaining`, `-reset`"),
    headers: &[
        (HeaderValue::Limit, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
    ],
    family: "ratelimit",
    describes: None,
    format: ResetFormat::Epoch,
    without: &[],
    only: &[],
    readers: Phrase::new("Octokit"),
};

/// The fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-11).
const IETF: Preset = Preset {
    word: "ietf",
    about: Phrase::new("`ratelimit` and `ratelimit-policy`"),
    headers: &[(HeaderValue::IetfPolicies, "ratelimit-policy"), (HeaderValue::IetfStates, "ratelimit")],
    describes: Some(LimitChoice::All),
    format: ResetFormat::Delta,
    without: &["names"],
    only: &[("format", "delta"), ("reset_on_429", "own")],
    ..X_RATELIMIT
};

/// As GitHub sends them.
const GITHUB: Preset = Preset {
    word: "github",
    about: Phrase::new("`x-ratelimit-limit`, `-remaining`, `-used`, `-reset`, `-resource`"),
    headers: &[
        (HeaderValue::Limit, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
        (HeaderValue::Used, "x-ratelimit-used"),
        (HeaderValue::Resource, "x-ratelimit-resource"),
    ],
    ..X_RATELIMIT
};

/// As Okta sends them.
const OKTA: Preset = Preset {
    word: "okta",
    about: Phrase::new("`x-rate-limit-limit`, `-remaining`, `-reset`"),
    headers: &[
        (HeaderValue::Limit, "x-rate-limit-limit"),
        (HeaderValue::Remaining, "x-rate-limit-remaining"),
        (HeaderValue::Reset, "x-rate-limit-reset"),
    ],
    readers: Phrase::new("the SDKs of Okta"),
    ..X_RATELIMIT
};

/// As Envoy's own limiters send them (draft-polli-ratelimit-headers-02 and -03).
const ENVOY: Preset = Preset {
    word: "envoy",
    about: Phrase::new("`x-ratelimit-limit`, `-remaining`, `-reset` as Envoy's own filter writes them"),
    headers: &[
        (HeaderValue::EnvoyLimits, "x-ratelimit-limit"),
        (HeaderValue::Remaining, "x-ratelimit-remaining"),
        (HeaderValue::Reset, "x-ratelimit-reset"),
    ],
    describes: Some(LimitChoice::MostConstrained),
    format: ResetFormat::Delta,
    without: &["names"],
    ..X_RATELIMIT
};

/// No headers, because limits are secret (FP-8).
const SECRET: Preset = Preset {
    word: "secret",
    about: Phrase::new("none, and the upstream's are removed"),
    headers: &[],
    describes: Some(LimitChoice::MostConstrained),
    format: ResetFormat::Delta,
    without: &["show", "describes", "reset", "reset_on_429", "format", "from", "names"],
    ..X_RATELIMIT
};

impl Preset {
    const fn word(preset: &'static Preset) -> Word<&'static Preset> {
        Word { word: preset.word, means: preset, about: preset.about }
    }

    /// Whether limits are secret.
    pub fn is_secret(&self) -> bool {
        self.headers.is_empty()
    }

    /// Whether its headers list limits. Otherwise they describe a single one.
    pub fn lists_limits(&self) -> bool {
        self.headers.iter().any(|(value, _)| value.is_list())
    }

    /// The limits that headers describe if the policy does not say it. `all` are all limits. `None`: the policy
    /// must say it. Headers without a preset describe the only limit, too.
    pub fn describes_by_default(preset: Option<&Preset>, all: &[(usize, usize)]) -> Option<Describes> {
        match (preset.and_then(|preset| preset.describes), all) {
            (Some(choice), _) => Some(Describes::Chosen(choice)),
            (None, [only]) => Some(Describes::Named(vec![*only])),
            (None, _) => None,
        }
    }

    /// The header that is the reset and nothing else, if it is an instant by definition.
    fn instant_header(&self) -> Option<&'static str> {
        let (_, name) = self.headers.iter().find(|(value, _)| value.is_reset())?;
        (!self.format.counts_from_now()).then_some(name)
    }
}

/// Presets with the same word are the same.
impl PartialEq for Preset {
    fn eq(&self, other: &Preset) -> bool {
        self.word == other.word
    }
}

/// Which fields of `headers` have an effect with each preset.
pub struct PresetFields;

impl Effects for PresetFields {
    fn words(&self) -> &'static dyn WordList {
        PRESETS
    }

    fn effect(&self, word: &str, field: &str) -> Effect {
        let Some(preset) = preset(word) else { return Effect::Any };
        match preset.only.iter().find(|(name, _)| *name == field) {
            Some((_, only)) => Effect::Only(only),
            None if preset.without.contains(&field) => Effect::None,
            None => Effect::Any,
        }
    }

    #[cfg(feature = "docs")]
    fn otherwise(&self, word: &str, field: &str) -> Option<String> {
        let preset = preset(word)?;
        match (self.effect(word, field), field) {
            (Effect::Only(only), _) => Some(format!("`{only}`")),
            (Effect::Any, "describes") => preset.describes.map(|choice| choice.in_words().into()),
            (Effect::Any, "format") => Some(format!("`{}`", preset.format.word())),
            (Effect::Any | Effect::None, _) => None,
        }
    }
}

fn preset(word: &str) -> Option<&'static Preset> {
    PRESETS.0.iter().find(|preset| preset.word == word).map(|preset| preset.means)
}

impl HeaderRules {
    /// The reset's header and a preset, if clients that know the preset would take this header for an instant,
    /// although it is the time from now. Whoever chooses a preset whose reset is no instant by definition has
    /// clients that know it.
    pub fn mistaken_for(&self) -> Option<(&str, &'static Preset)> {
        if !self.format.counts_from_now() {
            return None;
        }
        let header = match &self.form {
            HeaderForm::Preset { preset, headers } => {
                preset.instant_header()?;
                headers.iter().find(|(value, _)| value.is_reset())?.1.as_str()
            }
            HeaderForm::Fields(fields) => fields.iter().find(|field| field.is_reset())?.written(),
        };
        let mut presets = PRESETS.0.iter().map(|preset| preset.means);
        presets.find(|preset| preset.instant_header() == Some(header)).map(|preset| (header, preset))
    }
}

/// Whether a header with this lower-case name is a limit header. APIs send limits under many names, such as
/// `x-rate-limit-reset` and `ratelimit-limit-minute`, so each name counts that begins as those of a preset do,
/// apart from `x-` in front and from hyphens.
pub fn is_limit_header(name: &[u8]) -> bool {
    PRESETS.0.iter().any(|preset| is_of_family(name, preset.means.family))
}

fn is_of_family(name: &[u8], family: &str) -> bool {
    let name = name.strip_prefix(b"x-").unwrap_or(name);
    let letters = name.iter().filter(|byte| **byte != b'-');
    letters.take(family.len()).eq(family.as_bytes())
}
