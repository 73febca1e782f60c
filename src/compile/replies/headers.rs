//! Compiles the sets of limit headers.

use super::super::policies::limit_references;
use super::header_fields::header_fields;
use super::header_names::{SentHeaders, is_reserved};
use crate::config::{Fields, Reader, all};
use crate::language::{configuration, forms, headers, names};
use crate::reply::{
    Describes, HeaderForm, HeaderRules, HeaderValue, LimitChoice, PRESETS, Preset, ResetFormat,
    ResetOnRejection,
};
use crate::rules::Policy;

/// The preset that keeps limits secret, if these headers are it.
pub(super) fn secret_preset(reader: &Reader<'_>) -> Option<&'static Preset> {
    let word = sets(reader).iter().find_map(|set| set.peek(headers::PRESET.name))?;
    let preset = PRESETS.0.iter().find(|preset| word.is_word(preset.word));
    preset.map(|preset| preset.means).filter(|preset| preset.is_secret())
}

/// One set, or a list of them.
fn sets<'a>(reader: &Reader<'a>) -> Vec<Reader<'a>> {
    if reader.is_list() { reader.entries() } else { vec![reader.clone()] }
}

/// Reads all sets of limit headers, and adds what they send.
#[inline(never)]
pub(super) fn header_sets(
    reader: &Reader<'_>,
    policies: Option<&[Policy]>,
    sent: &mut SentHeaders,
) -> Option<Vec<HeaderRules>> {
    let allowed = configuration::HEADERS.kind.allowed;
    if !reader.is_list() && !reader.is_object() {
        return reader.error(allowed);
    }
    let written = sets(reader);
    if !(1..=headers::MAX_SETS).contains(&written.len()) {
        return reader.error_found(&[&written.len().to_string(), " sets"].concat(), allowed);
    }
    let entry = |index| reader.is_list().then_some(index);
    let sets = all(written.iter().enumerate().map(|(index, set)| {
        let rules = header_rules(set, (index, entry(index)), policies, sent)?;
        if rules.is_secret() && written.len() > 1 {
            return set.field(headers::PRESET.name).error_found("secret with other sets", "secret alone");
        }
        Some(rules)
    }))?;
    Some(sets)
}

/// Reads one set, by its position and the entry that it is.
#[inline(never)]
fn header_rules(
    reader: &Reader<'_>,
    (index, entry): (usize, Option<usize>),
    policies: Option<&[Policy]>,
    sent: &mut SentHeaders,
) -> Option<HeaderRules> {
    let fields = reader.fields(&headers::OBJECT)?;
    let preset = fields.get_optional(&headers::PRESET);
    let (show, reset) = (fields.get(&headers::SHOW), fields.get(&headers::RESET));
    let on_rejection = fields.get(&headers::RESET_ON_429);
    let format = fields.get_optional(&headers::FORMAT);
    let from = fields.get_optional(&headers::FROM);
    let upstream = fields.get(&headers::UPSTREAM);
    let preset = preset?;
    let own = fields.present(&headers::FIELDS);
    if preset.is_none() && own.is_none() {
        return None;
    }
    // Invalid policies have no limits to refer to, and errors of their own.
    let describes = policies.and_then(|policies| describes(&fields, preset, policies));
    let form = match (preset, own) {
        (None, Some(own)) => {
            let each = describes
                .as_ref()
                .map(|describes| check_reset_on_rejection(&fields, on_rejection, describes));
            let form = header_fields(own, index, describes.as_ref().zip(policies), sent);
            form.filter(|_| each.is_none_or(|each| each.is_some()))
        }
        (Some(preset), _) => {
            let headers = named_headers(&fields, preset, index, sent);
            headers.map(|headers| HeaderForm::Preset { preset, headers })
        }
        (None, None) => None,
    };
    Some(HeaderRules {
        entry,
        form: form?,
        show: show?,
        describes: describes?,
        reset: reset?,
        on_rejection: on_rejection?,
        format: format?.unwrap_or(preset.map_or(ResetFormat::DEFAULT, |preset| preset.format)),
        upstream: upstream?,
        from: from?.unwrap_or_default(),
    })
}

/// Where each limit has its own headers, each shows its own reset.
fn check_reset_on_rejection(
    fields: &Fields<'_>,
    on_rejection: Option<ResetOnRejection>,
    describes: &Describes,
) -> Option<()> {
    let field = fields.present(&headers::RESET_ON_429);
    match (field, on_rejection) {
        (Some(field), Some(ResetOnRejection::AfterWait))
            if *describes == Describes::Chosen(LimitChoice::All) =>
        {
            field.error_found("reset_on_429 after_wait with describes all", "own")
        }
        (Some(_) | None, _) => Some(()),
    }
}

/// The headers of the preset. Those in the object `names` have other names, or are sent in addition.
fn named_headers(
    fields: &Fields<'_>,
    preset: &Preset,
    set: usize,
    sent: &mut SentHeaders,
) -> Option<Vec<(HeaderValue, String)>> {
    let mut headers: Vec<_> =
        preset.headers.iter().map(|(value, name)| (*value, (*name).to_string())).collect();
    let written = fields.present(&headers::NAMES);
    if let Some(written) = written {
        let names = written.fields(&names::OBJECT)?;
        let read = |(field, value)| Some((value, names.get_optional_with(field, own_name)?));
        for (value, name) in all(HeaderValue::NAMED.iter().map(|(field, value)| read((field, *value))))? {
            let Some(name) = name else { continue };
            match headers.iter_mut().find(|(own, _)| *own == value) {
                Some((_, own)) => *own = name,
                None => headers.push((value, name)),
            }
        }
        let twin =
            |(i, (_, name)): (usize, &(_, String))| headers.iter().take(i).any(|(_, other)| other == name);
        if headers.iter().enumerate().any(twin) {
            return written.error_found("one name for two headers", "a different name for each header");
        }
    }
    for (position, (_, name)) in headers.iter().enumerate() {
        if !sent.add(name, (set, position), false) {
            let at = written.cloned().unwrap_or_else(|| fields.about(&headers::PRESET));
            let found = ["the header ", name, ", which another set sends"].concat();
            return at.error_found(&found, "a different name for each header");
        }
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

/// Reads `describes`: which limits the headers describe.
fn describes(fields: &Fields<'_>, preset: Option<&Preset>, policies: &[Policy]) -> Option<Describes> {
    let choices = |is_all: bool| {
        let choices =
            LimitChoice::WORDS.0.iter().filter(move |choice| (choice.means == LimitChoice::All) == is_all);
        choices.map(|choice| (choice.word, Described::Chosen(choice.means)))
    };
    let references = limit_references(policies.iter());
    let mut words: Vec<_> = choices(false).collect();
    let before = words.len();
    words.extend(references.iter().map(|(name, indexes)| (name.as_str(), Described::Limit(*indexes))));
    // Only these are listed as missing: the short names are the same limits again.
    let in_full: usize = policies.iter().map(|policy| policy.limit_names.len()).sum();
    let (full, _) = words.split_at_checked(before + in_full)?;
    let Some(written) = fields.present(&headers::DESCRIBES) else {
        let limits: Vec<_> = full.iter().filter_map(|(_, described)| described.limit()).collect();
        return Preset::describes_by_default(preset, &limits).or_else(|| {
            let names: Vec<_> = full.iter().map(|(name, _)| *name).collect();
            fields.at().error_missing(headers::DESCRIBES.name, &names.join(", "))
        });
    };
    if written.is_list() {
        return described_list(written, &words, before);
    }
    // After the limits: one may have this name.
    words.extend(choices(true).filter(|_| preset.is_none_or(Preset::lists_limits)));
    Some(match written.word(&words)? {
        Described::Limit(indexes) => Describes::Named(vec![indexes]),
        Described::Chosen(choice) => Describes::Chosen(choice),
    })
}

/// A list of limits, of which the first may be the one that rejects. In `words`, `before` of them are no limits.
fn described_list(written: &Reader<'_>, words: &[(&str, Described)], before: usize) -> Option<Describes> {
    let (choices, limits) = words.split_at_checked(before)?;
    let entries = written.non_empty_list(headers::DESCRIBES.kind.allowed)?;
    let violated = choices.iter().find(|(word, _)| entries.first().is_some_and(|first| first.is_word(word)));
    let is_violated = matches!(violated, Some((_, Described::Chosen(LimitChoice::Violated))));
    let described = all(entries.iter().skip(usize::from(is_violated)).map(|entry| entry.word(limits)))?;
    let named = described.into_iter().filter_map(Described::limit).collect();
    Some(if is_violated { Describes::ViolatedElse(named) } else { Describes::Named(named) })
}
