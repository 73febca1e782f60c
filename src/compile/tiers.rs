//! Compiles the tiers: classes of callers with quotas of their own.

use super::address_ranges::OwnedRanges;
use super::keys::key_index;
use crate::config::{Reader, Vocabulary, all};
use crate::http::AddressMap;
use crate::language::{forms, tiers};
use crate::rules::{Key, Presence, Tiers};

/// The object `tiers`, for the parts of a configuration that refer to it.
#[derive(Clone, Copy)]
pub(super) enum DeclaredTiers<'a> {
    /// The configuration has no tiers.
    None,
    /// It has these.
    Valid(&'a Tiers),
    /// They have errors of their own, so references to them cannot be checked.
    Invalid,
}

impl<'a> DeclaredTiers<'a> {
    /// From what [`Fields::read`](crate::config::Fields::read) gave for the field `tiers`.
    pub fn of(read: Option<&'a Option<Tiers>>) -> DeclaredTiers<'a> {
        match read {
            None => DeclaredTiers::Invalid,
            Some(None) => DeclaredTiers::None,
            Some(Some(tiers)) => DeclaredTiers::Valid(tiers),
        }
    }

    /// The tiers, if there are any and they are valid.
    pub fn valid(self) -> Option<&'a Tiers> {
        match self {
            DeclaredTiers::Valid(tiers) => Some(tiers),
            DeclaredTiers::None | DeclaredTiers::Invalid => None,
        }
    }
}

/// Reads the object `tiers`.
pub(super) fn read(
    reader: &Reader<'_>,
    keys: Option<&[Key]>,
    key_names: Option<&Vocabulary<'_>>,
) -> Option<Tiers> {
    let fields = reader.fields(&tiers::OBJECT)?;
    let names = fields.needed(&tiers::NAMES).and_then(tier_names);
    let from = fields.get_optional_with(&tiers::FROM, |at| {
        let index = key_index(at, key_names)?;
        let kind = keys.and_then(|keys| keys.get(index)).map(|key| key.source.kind());
        if kind.is_some_and(|kind| kind.presence == Presence::WithMatch) {
            return at
                .error("a key that is not read from a match, since a tier must be the same on all paths");
        }
        Some(index)
    });
    let by_address =
        fields.get_optional_with(&tiers::CLIENT_IP, |object| by_address(object, names.as_deref()));
    let names = names?;
    let default =
        fields.required(tiers::DEFAULT.name, &names.join(", ")).and_then(|tier| tier_index(tier, &names));
    Some(Tiers { default: default?, from: from?, by_address: by_address?, names })
}

/// Reads the tiers of addresses. If the names of the tiers have errors of their own, any name is taken.
#[inline(never)]
fn by_address(object: &Reader<'_>, names: Option<&[String]>) -> Option<Box<AddressMap<usize>>> {
    let (mut addresses, mut valid) = (OwnedRanges::default(), Some(()));
    let entries = object.named_entries(tiers::CLIENT_IP.kind.allowed)?;
    let known = names.map(|names| Vocabulary::new(names.iter().map(String::as_str).collect()));
    for entry in &entries {
        let tier = known.as_ref().map_or(Some(0), |known| entry.name_in(known));
        let read = addresses.add(entry, tier.unwrap_or_default(), "each range for one tier only");
        valid = valid.and(tier).and(read);
    }
    if entries.is_empty() {
        return object.error(tiers::CLIENT_IP.kind.allowed);
    }
    valid.map(|()| Box::new(AddressMap::new(addresses.ranges)))
}

fn tier_names(list: &Reader<'_>) -> Option<Vec<String>> {
    let entries = list.non_empty_list(tiers::NAMES.kind.allowed)?;
    let names = all(entries.iter().map(|entry| entry.read(&forms::NAME)))?;
    let mut valid = Some(());
    for (index, entry) in entries.iter().enumerate() {
        if names.iter().take(index).any(|earlier| entry.is_word(earlier)) {
            valid = entry.error_found("a second tier of the same name", "a different name for each tier");
        }
    }
    if names.len() > 64 {
        return list.error(tiers::NAMES.kind.allowed);
    }
    valid.map(|()| names)
}

/// Reads the name of a tier, as an index of `names`.
pub(super) fn tier_index(reader: &Reader<'_>, names: &[String]) -> Option<usize> {
    let words: Vec<_> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    reader.word(&words)
}
