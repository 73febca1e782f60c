//! A limit.

use super::{forms, quota_from};
use crate::config::{
    Composite, Effect, Effects, Field, Form, Kind, Literal, Number, Object, Rule, Word, WordList, Words,
    object,
};
use crate::limiter::{Algorithm, Field as Of};
use crate::rules::Quota;
use crate::time::{Micros, Period};
use std::num::NonZeroU32;

/// Its name.
pub const NAME: Field<&Form<String>> = Field::default(
    "name",
    &forms::NAME,
    Literal::Text("limit"),
    "a different name for each limit of a policy. Counts are stored under it: a new name starts from zero",
);

/// How units are counted.
pub const ALGORITHM: Field<&Words<Algorithm>> = Field::optional(
    "algorithm",
    Algorithm::WORDS,
    "`calendar` if the window is a period, else `sliding_window`",
    "how units are counted",
);

/// The maximum number of units: one quota, or one for each tier.
pub const QUOTA: Field<Composite> = Field::required(
    "quota",
    Composite::new(
        Kind::Either(&[
            forms::QUOTA.erased(),
            Kind::Words(QUOTAS),
            Kind::Map { names: &forms::TIER, values: &ONE_QUOTA },
        ]),
        "a whole number from 0 to 4294967295, or unlimited",
    ),
    "the maximum number of units: one for all callers, or one for each tier. 0: it rejects every request, at once and without a \
     `retry-after`; such a request counts nowhere, and starts no block",
);

/// A quota that the request states.
pub const QUOTA_FROM: Field<Composite> = Field::optional(
    "quota_from",
    Composite::new(Kind::Object(&quota_from::OBJECT), "an object with key, min, max"),
    "the quota is `quota`",
    "a quota that the request states in the value of a key, such as a claim of the caller's token; not with `scope: fleet`",
);

/// One quota, as one of several.
pub const ONE_QUOTA: Kind = Kind::Either(&[forms::QUOTA.erased(), Kind::Words(QUOTAS)]);

/// The words that [`QUOTA`] can be in place of a number.
pub const QUOTAS: &Words<Quota> = &Words(&[Word::new(
    "unlimited",
    Quota::Unlimited,
    "it never rejects these callers, does not count them, and no header describes it to them",
)]);

/// The time that the quota is for: a duration, or a period.
pub const WINDOW: Field<Composite> = Field::optional(
    "window",
    Composite::new(
        Kind::Either(&[Kind::Text(&forms::DURATION.text), Kind::Words(PERIODS)]),
        forms::DURATION.text.allowed,
    ),
    "it is required, except with `concurrency` and `stock`, which have none",
    "the time that the quota is for: with `calendar` a period, with the others a duration",
);

/// The periods that [`WINDOW`] can be.
pub const PERIODS: &Words<Period> = &Words(&[
    Word::new("day", Period::Day, "from 00:00 to 00:00"),
    Word::new("week", Period::Week, "from Monday to Sunday"),
    Word::new("month", Period::Month, "from the first day to the last"),
]);

/// The zone of the periods.
pub const TIME_ZONE: Field<Composite> = Field::default(
    "time_zone",
    Composite::new(Kind::Text(&forms::ZONE), forms::ZONE.allowed),
    Literal::Text("UTC"),
    "the time zone of the periods",
);

/// A bucket's capacity.
pub const BURST: Field<Number<NonZeroU32>> = Field::optional(
    "burst",
    Number::new(forms::UNITS.range.min, forms::UNITS.range.max, "units"),
    "the quota",
    "the maximum number of units at once",
);

/// How a bucket is refilled.
pub const REFILL: Field<&Words<bool>> = Field::default(
    "refill",
    &Words(&[
        Word::new("evenly", false, "unit by unit, each after window / quota"),
        Word::new(
            "at_once",
            true,
            "by the whole quota, a window after the first use of a full bucket and after each further window, up to `burst`",
        ),
    ]),
    Literal::Text("evenly"),
    "how a bucket is refilled",
);

/// The wait that a rejection announces.
pub const RETRY_AFTER: Field<&Form<Micros>> = Field::optional(
    "retry_after",
    &forms::DURATION,
    "`1s`, and `60s` for `stock`",
    "the wait that a rejection announces, since the real one cannot be known",
);

/// How long a request is in flight before it counts.
pub const AFTER: Field<&Form<Micros>> = Field::optional(
    "after",
    &forms::DURATION,
    "each request counts from its beginning to its end",
    "only requests that have lasted for longer count, and none is admitted while `quota` of them are in flight. Shorter ones are \
     not limited, so set another limit beside it; not with `scope: fleet`",
);

/// The message of its rejections: a text, or one for each language.
pub const MESSAGE: Field<Composite> = Field::optional(
    "message",
    Composite::new(
        Kind::Either(&[
            Kind::Text(&forms::TEMPLATE),
            Kind::Map { names: &forms::LANGUAGE.text, values: &Kind::Text(&forms::TEMPLATE) },
        ]),
        "text, or an object of texts by language such as es, with default",
    ),
    "the message of the policy",
    "the `{message}` of rejections by this limit, in place of `reject.message` and in the same form",
);

/// Which of the fields above a limit has depends on its algorithm.
pub struct ByAlgorithm;

impl Effects for ByAlgorithm {
    fn words(&self) -> &'static dyn WordList {
        Algorithm::WORDS
    }

    fn effect(&self, word: &str, field: &str) -> Effect {
        let of = [
            (WINDOW.name, Of::Window),
            (TIME_ZONE.name, Of::TimeZone),
            (BURST.name, Of::Burst),
            (REFILL.name, Of::Refill),
            (RETRY_AFTER.name, Of::RetryAfter),
            (AFTER.name, Of::After),
        ];
        let field = of.iter().find(|(name, _)| *name == field).map(|(_, field)| *field);
        let algorithm = Algorithm::WORDS.0.iter().find(|known| known.word == word);
        match (field, algorithm) {
            (Some(field), Some(algorithm)) if !algorithm.means.has_field(field) => Effect::None,
            (_, _) => Effect::Any,
        }
    }

    #[cfg(feature = "docs")]
    fn otherwise(&self, _word: &str, _field: &str) -> Option<String> {
        None
    }
}

/// The object.
pub const OBJECT: Object = object!("limit" at "policies[].limits[]": "At most `quota` units per `window`.";
NAME, ALGORITHM, QUOTA, QUOTA_FROM, WINDOW, TIME_ZONE, BURST, REFILL, RETRY_AFTER, AFTER, MESSAGE;
rules [Rule::ByWord(ALGORITHM.name, &ByAlgorithm)]);
