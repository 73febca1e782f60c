//! The values that keys have for a request.

use super::{CallerCondition, Condition, Description, Key, NamedPattern, ValueMatch};
use crate::config::{Composite, Field, Kind, Reader, Vocabulary, all, forms};
use crate::http::Purpose;
use crate::rules::KeySource;

/// The keys that a match can ask for. `None`: they could not be read.
#[derive(Clone, Copy)]
pub struct KnownKeys<'a> {
    /// The keys.
    pub keys: Option<&'a [Key]>,
    /// Their names.
    pub names: Option<&'a Vocabulary<'a>>,
}

/// The keys of a request's caller, by index.
pub trait CallerKeys {
    /// Whether the request presents conflicting values for a key.
    fn is_ambiguous(&self, key: usize) -> bool;

    /// Whether one of a key's values fits. `None`: it has none.
    fn any_value(&self, key: usize, fits: impl Fn(&[u8]) -> bool) -> Option<bool>;
}

const KEYS: Field<Composite> = Field::optional(
    "keys",
    Composite::new(Kind::Map { names: &forms::KEY_NAME, values: &ValueMatch::KIND }, "an object of keys"),
    "any",
    "by the name of a key: `true` if the request must have a value of it, even one that is `false`, `false` if it must have none, or what \
     its value must be, as in `headers`; of a list, one of its elements fits, and with `not` none. Quote a value such as `\"true\"` or `\"3\"`. With `header`, `query`, \
     `cookie`, `metadata`, `consumer`, or `first_of` of such keys. If the request presents conflicting values, a `match` \
     of a policy covers it, and a rule that frees requests does not",
);

/// What must hold for keys, by index. If the request presents conflicting values for one, a match that limits
/// requests holds, and one that exempts them does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Keys(Vec<(usize, ValueMatch)>);

impl Condition for Keys {
    const FIELD: Field = KEYS.erased();

    fn read(field: &Reader<'_>, keys: KnownKeys<'_>) -> Option<Keys> {
        all(field.named_entries(KEYS.kind.allowed)?.iter().map(|entry| key(entry, keys))).map(Keys)
    }

    fn covers(&self, other: &Keys) -> bool {
        let is_covered = |(key, rule): &(usize, ValueMatch)| {
            other.0.iter().any(|(of, other)| of == key && rule.covers(other))
        };
        self.0.iter().all(is_covered)
    }

    fn describe(&self, keys: &[Key], words: &mut Description) {
        words.further.extend(self.0.iter().filter_map(|(index, rule)| {
            let key = keys.get(*index)?;
            Some(match rule.reads_values() {
                true if is_secret(keys, *index) => {
                    let with = if rule.requires_value() { "with" } else { "without" };
                    format!("{with} a certain {}", key.name)
                }
                false if rule.is_presence() && key.source.kind().has_flags => {
                    format!("with the key {} of any value, also false", key.name)
                }
                true | false => rule.describe(&format!("the key {}", key.name), " = "),
            })
        }));
    }

    fn patterns<'a>(&'a self, keys: &'a [Key]) -> Vec<NamedPattern<'a>> {
        let of_rule = |(index, rule): &'a (usize, ValueMatch)| {
            let key = keys.get(*index)?;
            let is_decoded = key.source.kind().decoded;
            let is_negated = !rule.requires_value();
            let named = move |pattern| NamedPattern {
                field: KEYS.name,
                name: &key.name,
                pattern,
                is_decoded,
                is_negated,
            };
            Some(rule.patterns().into_iter().map(named))
        };
        self.0.iter().filter_map(of_rule).flatten().collect()
    }
}

impl CallerCondition for Keys {
    fn holds<K: CallerKeys>(&self, caller: &K, purpose: Purpose) -> bool {
        self.0.iter().all(|(key, rule)| match caller.is_ambiguous(*key) {
            true => purpose == Purpose::Limits,
            false => rule.holds_for_all_servers(purpose, |fits| caller.any_value(*key, fits)),
        })
    }

    fn keys(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(key, _)| *key)
    }

    fn open_keys(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter(|(_, rule)| rule.is_open()).map(|(key, _)| *key)
    }
}

impl KnownKeys<'_> {
    /// The index of the key that `entry` names. If the keys have errors of their own, every name would be an
    /// error as a consequence.
    fn index(self, entry: &Reader<'_>) -> Option<usize> {
        let index = self.names.map_or(Some(0), |names| entry.name_in(names));
        if index.is_some_and(|index| self.keys.is_some_and(|keys| !can_be_asked(keys, index))) {
            let sources = KeySource::fields(&|kind| kind.can_be_asked);
            let allowed = ["a key with ", &sources, ", or with first_of of such keys"].concat();
            return entry.error_name(entry.name(), &allowed);
        }
        index
    }
}

#[inline(never)]
fn key(entry: &Reader<'_>, keys: KnownKeys<'_>) -> Option<(usize, ValueMatch)> {
    let (index, rule) = (keys.index(entry), ValueMatch::read(entry, true)?);
    // No key has an empty value.
    if rule.is_empty_value() { ValueMatch::error(entry) } else { Some((index?, rule)) }
}

/// Whether a match can ask for this key: some requests have a value of it and others do not, and it does not
/// depend on which match they fit.
fn can_be_asked(keys: &[Key], index: usize) -> bool {
    let can = |key: &usize| keys.get(*key).is_some_and(|key| key.source.kind().can_be_asked);
    Key::origins(keys, &index).iter().all(can)
}

/// Whether values of a key may be credentials.
fn is_secret(keys: &[Key], index: usize) -> bool {
    let is = |key: &usize| keys.get(*key).is_some_and(|key| key.source.kind().secret);
    Key::origins(keys, &index).iter().any(is)
}
