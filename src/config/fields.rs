//! Reads the fields of an object as they are declared.

use super::declaration::{Composite, Effect, Effects, Field, Literal, Need, Object, Rule};
use super::types::{Flag, Form, FromNumber, Number, Range, Thousandths, WordList, Words};
use super::{Reader, Value, thousandths};

/// A type of the language that a value is read by.
pub trait Type {
    /// What a valid value becomes.
    type Value;

    /// Reads a value, or records the error.
    fn read(&self, reader: &Reader<'_>) -> Option<Self::Value>;

    /// What a declared default becomes. `None` only if it is not of this type.
    fn of_literal(&self, literal: Literal) -> Option<Self::Value>;
}

/// A type for which an error can say what is allowed.
pub trait Allows {
    /// What is allowed.
    fn allowed(&self) -> Allowed<'_>;
}

/// What an error says is allowed where a field is required and absent.
pub enum Allowed<'a> {
    /// This.
    Text(&'static str),
    /// A whole number.
    Range(&'a Range),
    /// A number with at most three places.
    Thousandths(&'a Range),
    /// One of these words.
    Words(&'a dyn WordList),
}

impl Allowed<'_> {
    fn text(&self) -> String {
        match self {
            Allowed::Text(text) => (*text).into(),
            Allowed::Range(range) => format!("a whole number from {} to {}", range.min, range.max),
            Allowed::Thousandths(range) => thousandths::allowed(range.max),
            Allowed::Words(words) => words.words().collect::<Vec<_>>().join(", "),
        }
    }
}

impl Type for Flag {
    type Value = bool;

    fn read(&self, reader: &Reader<'_>) -> Option<bool> {
        reader.flag()
    }

    #[inline]
    fn of_literal(&self, literal: Literal) -> Option<bool> {
        if let Literal::Flag(flag) = literal { Some(flag) } else { None }
    }
}

impl Allows for Flag {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Text("true or false")
    }
}

impl<T: FromNumber> Type for Number<T> {
    type Value = T;

    fn read(&self, reader: &Reader<'_>) -> Option<T> {
        T::from_number(reader.integer(self.range.min..=self.range.max)?)
    }

    #[inline]
    fn of_literal(&self, literal: Literal) -> Option<T> {
        if let Literal::Number(number) = literal { T::from_number(number.into()) } else { None }
    }
}

impl<T> Allows for Number<T> {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Range(&self.range)
    }
}

impl Type for Thousandths {
    type Value = u32;

    fn read(&self, reader: &Reader<'_>) -> Option<u32> {
        reader.thousandths(self.range.max)
    }

    #[inline]
    fn of_literal(&self, literal: Literal) -> Option<u32> {
        let Literal::Number(number) = literal else { return None };
        u32::try_from(number).ok()?.checked_mul(1_000)
    }
}

impl Allows for Thousandths {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Thousandths(&self.range)
    }
}

impl<T: Copy + Sync> Type for &'static Words<T> {
    type Value = T;

    fn read(&self, reader: &Reader<'_>) -> Option<T> {
        self.0.get(reader.declared_word(*self)?).map(|word| word.means)
    }

    #[inline]
    fn of_literal(&self, literal: Literal) -> Option<T> {
        let Literal::Text(text) = literal else { return None };
        self.0.iter().find(|word| word.word == text).map(|word| word.means)
    }
}

impl<T: Sync> Allows for &'static Words<T> {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Words(*self)
    }
}

impl<T> Type for &'static Form<T> {
    type Value = T;

    fn read(&self, reader: &Reader<'_>) -> Option<T> {
        let allowed = self.text.allowed;
        (self.parse)(reader.text(allowed)?).or_else(|| reader.error(allowed))
    }

    #[inline]
    fn of_literal(&self, literal: Literal) -> Option<T> {
        if let Literal::Text(text) = literal { (self.parse)(text) } else { None }
    }
}

impl<T> Allows for &'static Form<T> {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Text(self.text.allowed)
    }
}

impl Allows for Composite {
    fn allowed(&self) -> Allowed<'_> {
        Allowed::Text(self.allowed)
    }
}

impl<K: Type> Field<K> {
    /// What holds without the field. `None`: it has no default.
    #[inline]
    pub fn default_value(&self) -> Option<K::Value> {
        match self.need {
            Need::Default(literal) => self.kind.of_literal(literal),
            Need::Required | Need::Else(_) => None,
        }
    }
}

impl<'a> Reader<'a> {
    /// The fields of this object. An unknown or repeated field is an error, and so are fields that exclude each
    /// other; the others are still read.
    pub fn fields(&self, object: &Object) -> Option<Fields<'a>> {
        let fields = self.object(object.names)?;
        object
            .rules
            .iter()
            .filter(|rule| !fields.is_consequence(object, rule))
            .for_each(|rule| fields.check(rule, object));
        Some(fields)
    }

    /// The fields of an object whose fields must all be `known`. An unknown or repeated field is an error,
    /// but the known ones are still read.
    #[inline(never)]
    pub fn object(&self, known: &[&str]) -> Option<Fields<'a>> {
        let allowed = match known {
            [] => "{}, an object without fields".into(),
            known => ["an object with ", &known.join(", ")].concat(),
        };
        let fields = self.named_entries(&allowed)?;
        for field in fields.iter().filter(|field| !known.contains(&field.name())) {
            match known {
                [] => field.error_found::<()>("an unknown field", "no field"),
                known => field.error_word("an unknown field", field.name(), known),
            };
        }
        Some(Fields { at: self.clone(), fields })
    }
}

impl Reader<'_> {
    /// Reads this value as one of a declared type.
    pub fn read<K: Type>(&self, kind: K) -> Option<K::Value> {
        kind.read(self)
    }

    /// Reads the name of this field, which the operator chooses, as a text of this form.
    pub fn read_name<T>(&self, form: &Form<T>) -> Option<T> {
        (form.parse)(self.name()).or_else(|| self.error_name(self.name(), form.text.allowed))
    }
}

/// The fields of one object.
pub struct Fields<'a> {
    at: Reader<'a>,
    fields: Vec<Reader<'a>>,
}

impl<'a> Fields<'a> {
    /// The object itself, for errors about it as a whole.
    pub fn at(&self) -> &Reader<'a> {
        &self.at
    }

    /// The object, for errors about a field that may be absent.
    pub fn about<K>(&self, field: &Field<K>) -> Reader<'a> {
        self.at.field(field.name)
    }

    /// A field, if it is present.
    pub fn present<K>(&self, field: &Field<K>) -> Option<&Reader<'a>> {
        self.optional(field.name)
    }

    /// A field that is required. If it is absent, that is an error.
    pub fn needed<K: Allows>(&self, field: &Field<K>) -> Option<&Reader<'a>> {
        self.optional(field.name).or_else(|| self.missing(field.name, &field.kind.allowed()))
    }

    /// The value of a field that is required or has a default. `None` if it is invalid.
    #[inline]
    pub fn get<K: Type + Allows>(&self, field: &Field<K>) -> Option<K::Value> {
        match (self.optional(field.name), field.need) {
            (Some(reader), _) => field.kind.read(reader),
            (None, Need::Default(literal)) => field.kind.of_literal(literal),
            (None, Need::Required | Need::Else(_)) => self.missing(field.name, &field.kind.allowed()),
        }
    }

    /// The value of an optional field: `Some(None)` if it is absent, `None` if it is invalid.
    #[inline]
    pub fn get_optional<K: Type>(&self, field: &Field<K>) -> Option<Option<K::Value>> {
        self.read(field.name, |reader| field.kind.read(reader))
    }

    /// The value of a field with a default, which `read` reads. Its default is one of the type `kind`. `None` if it
    /// is invalid.
    #[inline]
    pub fn get_with<C, K: Type>(
        &self,
        field: &Field<C>,
        kind: K,
        read: impl FnOnce(&Reader<'a>) -> Option<K::Value>,
    ) -> Option<K::Value> {
        match (self.optional(field.name), field.need) {
            (Some(reader), _) => read(reader),
            (None, Need::Default(literal)) => kind.of_literal(literal),
            (None, Need::Required | Need::Else(_)) => None,
        }
    }

    /// The value of an optional field, which `read` reads: `Some(None)` if it is absent, `None` if it is
    /// invalid.
    pub fn get_optional_with<K, T>(
        &self,
        field: &Field<K>,
        read: impl FnOnce(&Reader<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.read(field.name, read)
    }

    /// The fields of an optional object; without it, those of an empty one. `None` if it is no object.
    pub fn object_or_empty<K>(&self, field: &Field<K>, object: &Object) -> Option<Fields<'a>> {
        match self.present(field) {
            Some(reader) => reader.fields(object),
            None => Some(Fields { at: self.at.clone(), fields: Vec::new() }),
        }
    }

    /// Whether a rule is broken only as a consequence: a field needs one of several that exclude each other, and
    /// it is an error of its own that there is not exactly one of these.
    fn is_consequence(&self, object: &Object, rule: &Rule) -> bool {
        let Rule::OnlyWith(_, others) = rule else { return false };
        object.rules.iter().any(|rule| match rule {
            Rule::ExactlyOne(names) => {
                others.iter().any(|other| names.contains(other))
                    && names.iter().filter(|name| self.optional(name).is_some()).count() != 1
            }
            Rule::OnlyWith(..) | Rule::NotBoth(..) | Rule::ByWord(..) => false,
        })
    }

    /// Records what a rule excludes.
    #[inline(never)]
    fn check(&self, rule: &Rule, object: &Object) {
        match *rule {
            Rule::ExactlyOne(names) => {
                let present: Vec<&str> =
                    names.iter().copied().filter(|name| self.optional(name).is_some()).collect();
                let found = if present.is_empty() { "nothing".into() } else { present.join(" and ") };
                if present.len() != 1 {
                    self.at.error_found::<()>(&found, &["exactly one of ", &names.join(", ")].concat());
                }
            }
            Rule::OnlyWith(name, others) => {
                let alone = others.iter().all(|other| self.optional(other).is_none());
                let Some(field) = self.optional(name).filter(|_| alone) else { return };
                let allowed = ["only with ", &either_of(others)].concat();
                match others {
                    [other] => field.error_found::<()>(&[name, " without ", other].concat(), &allowed),
                    _ => field.error(&allowed),
                };
            }
            Rule::NotBoth(name, other) => {
                if let (Some(field), Some(_)) = (self.optional(name), self.optional(other)) {
                    field.error_found::<()>(&[name, " with ", other].concat(), "only one of them");
                }
            }
            Rule::ByWord(name, effects) => {
                let is_written = |word: &&str| self.optional(name).is_some_and(|at| at.is_word(word));
                if let Some(word) = effects.words().words().find(is_written) {
                    self.check_effects(name, word, effects, object);
                }
            }
        }
    }

    /// Records fields that have no effect with a word of the field `name`, or with its default.
    #[inline(never)]
    pub fn check_effects(&self, name: &str, word: &str, effects: &dyn Effects, object: &Object) {
        for field in self.fields.iter().filter(|field| !field.is_null()) {
            let found = || [field.name(), " with ", name, " ", word].concat();
            match effects.effect(word, field.name()) {
                Effect::Any => {}
                Effect::Only(value) if field.is_word(value) => {}
                Effect::Only(value) => {
                    field.error_found::<()>(&found(), value);
                }
                Effect::None => {
                    let words = effects.words_with(field.name(), true);
                    let fields = object.names.iter().copied();
                    let fields: Vec<&str> =
                        fields.filter(|one| effects.effect(word, one) != Effect::None).collect();
                    // The shorter list says more.
                    let allowed = if words.is_empty() || words.len() > 3 || fields.len() < 3 {
                        ["with ", name, " ", word, " only ", &either_of(&fields)].concat()
                    } else {
                        ["only with ", name, " ", &either_of(&words)].concat()
                    };
                    field.error_found::<()>(&found(), &allowed);
                }
            }
        }
    }

    #[inline]
    fn missing<T>(&self, name: &str, allowed: &Allowed<'_>) -> Option<T> {
        self.record_missing(name, allowed);
        None
    }

    #[inline(never)]
    fn record_missing(&self, name: &str, allowed: &Allowed<'_>) {
        self.at.error_missing::<()>(name, &allowed.text());
    }

    /// A field that may be absent. `null` is the same as absent.
    #[inline(never)]
    pub fn optional(&self, name: &str) -> Option<&Reader<'a>> {
        self.fields.iter().find(|field| field.name() == name && !field.is_null())
    }

    /// A field that must be present. If it is absent, that is an error, which says what is `allowed`.
    #[inline(never)]
    pub fn required(&self, name: &str, allowed: &str) -> Option<&Reader<'a>> {
        self.optional(name).or_else(|| self.at.error_missing(name, allowed))
    }

    /// Reads an optional field: `Some(None)` if it is absent, `None` if it is invalid.
    pub fn read<T>(&self, name: &str, read: impl FnOnce(&Reader<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.optional(name) {
            None => Some(None),
            Some(field) => read(field).map(Some),
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn either_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).into(),
        [names @ .., last] => [&names.join(", "), " or ", last].concat(),
    }
}

impl From<Literal> for Value {
    fn from(literal: Literal) -> Value {
        match literal {
            Literal::Flag(flag) => Value::Bool(flag),
            Literal::Number(number) => Value::Number(number.into()),
            Literal::Text(text) => Value::Text(text.into()),
        }
    }
}
