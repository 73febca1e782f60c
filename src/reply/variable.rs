//! The variables of templates. Each is one entry of `variables!`, at the end.

use super::DescribedLimit;
use crate::config::Doc;

/// What holds for a variable, whatever its value is.
struct Properties {
    /// Its word in a template.
    word: &'static str,
    about: Doc,
    kind: Kind,
    /// Whether it reveals a limit, which is not allowed if limits are secret (FP-8).
    reveals_limits: bool,
    place: Place,
    /// Whether the fields of limit headers may use it, too, and when.
    in_limit_headers: InLimitHeaders,
    /// The field of a rejection that it shows, if it shows one.
    field: Option<&'static str>,
    /// The field of the configuration without which it is always empty.
    needs: Option<&'static str>,
}

/// What a value is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A number, which JSON allows inside quotes and outside.
    Number,
    /// A text, which JSON allows only inside quotes.
    Text,
    /// JSON itself, which stands outside quotes.
    Json,
}

/// Whether the fields of limit headers may use a variable. A field is left out where one of its variables has no
/// value.
#[derive(Clone, Copy, PartialEq)]
enum InLimitHeaders {
    /// They may not.
    Never,
    /// It has a value on every response.
    Always,
    /// It has a value on rejections.
    OnRejections,
    /// It has a value if the described limit has a window.
    OfWindows,
}

/// Where a variable may be used.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In bodies, headers and messages.
    Anywhere,
    /// In bodies and headers. A message cannot contain itself.
    OutsideMessages,
    /// Only in the body that `format: problem` makes.
    Problems,
}

/// The value of a variable in one reply.
#[derive(Clone, Copy, Debug)]
pub enum Rendered<'a> {
    /// A number, written in decimal.
    Number(u64),
    /// A number of millionths, written as a decimal without trailing zeros.
    Millionths(u64),
    /// Any text, possibly from a client.
    Text(&'a str),
    /// Text that is JSON already.
    Json(&'a str),
}

/// What values are computed from: one rejected request, or one described limit.
pub(super) trait Values {
    /// The value of `retry-after`, in seconds.
    fn wait(&self) -> u64;
    /// The limit that the reply or the header describes. `None`: the policy has no limit with a name.
    fn limit(&self) -> Option<DescribedLimit<'_, '_>>;
    /// The reset of that limit.
    fn reset(&self) -> Rendered<'_>;
    /// The name of its policy.
    fn policy(&self) -> &str;
    /// The request's cost in units.
    fn cost(&self) -> u32;
    /// The request's id.
    fn request_id(&self) -> &str;
    /// The message, in the caller's language.
    fn message(&self) -> &str;
    /// The configured code.
    fn code(&self) -> &str;
    /// The consumer's name; empty if it is not known.
    fn consumer(&self) -> &str;
    /// The name of the caller's tier; empty if there are no tiers.
    fn tier(&self) -> &str;
    /// The names of all limits that reject, as a JSON list.
    fn violated(&self) -> &str;
}

macro_rules! variables {
    ($(
        $(#[$doc:meta])*
        $Variable:ident: $properties:expr, |$reply:ident| $value:expr;
    )+) => {
        /// A variable of a template.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Variable {
            $($(#[$doc])* $Variable,)+
        }

        impl Variable {
            /// All variables, in the order of the reference.
            pub const ALL: &'static [Variable] = &[$(Variable::$Variable),+];

            fn properties(self) -> &'static Properties {
                match self { $(Variable::$Variable => const { &$properties },)+ }
            }

            /// Its value in one reply.
            pub(super) fn value(self, reply: &impl Values) -> Rendered<'_> {
                match self { $(Variable::$Variable => { let $reply = reply; $value })+ }
            }
        }
    };
}

impl Variable {
    /// The variables that templates of a policy may use. Of secret limits none is revealed, and a `message`
    /// cannot contain itself.
    pub fn usable(secret: bool, message: bool) -> impl Iterator<Item = Variable> {
        Variable::ALL.iter().copied().filter(move |variable| {
            let is_place = match variable.properties().place {
                Place::Anywhere => true,
                Place::OutsideMessages => !message,
                Place::Problems => false,
            };
            is_place && !(secret && variable.reveals_limits())
        })
    }

    /// The variables that the fields of limit headers may use.
    pub fn of_limit_headers() -> impl Iterator<Item = Variable> {
        let all = Variable::ALL.iter().copied();
        all.filter(|variable| variable.properties().in_limit_headers != InLimitHeaders::Never)
    }

    /// The variables that the name of a limit header may use: those whose values are known once it is described
    /// which limit.
    pub fn in_header_names() -> [Variable; 2] {
        [Variable::Policy, Variable::LimitName]
    }

    /// Whether it has a value only on rejections, where limit headers use it.
    pub(super) fn is_of_rejections(self) -> bool {
        self.properties().in_limit_headers == InLimitHeaders::OnRejections
    }

    /// Whether it has a value only for limits with a window, where limit headers use it.
    pub(super) fn is_of_windows(self) -> bool {
        self.properties().in_limit_headers == InLimitHeaders::OfWindows
    }

    /// Whether it is the reset.
    pub(super) fn is_reset(self) -> bool {
        self == Variable::Reset
    }

    /// The variables that show a field of a rejection.
    pub fn showing(field: &str) -> impl Iterator<Item = Variable> {
        Variable::ALL.iter().copied().filter(move |variable| variable.properties().field == Some(field))
    }

    /// Its word in a template.
    pub fn word(self) -> &'static str {
        self.properties().word
    }

    /// What its value is.
    pub fn about(self) -> Doc {
        self.properties().about
    }

    /// Whether the value is a number, which JSON allows outside quotes.
    pub fn is_number(self) -> bool {
        self.properties().kind == Kind::Number
    }

    /// Whether the value reveals a limit, which is not allowed if limits are secret (FP-8).
    pub fn reveals_limits(self) -> bool {
        self.properties().reveals_limits
    }

    /// The field of the configuration without which the value is always empty, if there is one.
    pub fn needs(self) -> Option<&'static str> {
        self.properties().needs
    }

    /// Whether JSON allows the variable `inside` quotes, or else outside.
    pub(super) fn may_stand(self, inside: bool) -> bool {
        match self.properties().kind {
            Kind::Number => true,
            Kind::Text => inside,
            Kind::Json => !inside,
        }
    }
}

const fn text(word: &'static str, about: &'static str) -> Properties {
    Properties {
        word,
        about: Doc::new(about),
        kind: Kind::Text,
        reveals_limits: false,
        place: Place::Anywhere,
        in_limit_headers: InLimitHeaders::Never,
        field: None,
        needs: None,
    }
}

const fn number(word: &'static str, about: &'static str) -> Properties {
    Properties { kind: Kind::Number, ..text(word, about) }
}

/// A number that reveals a limit.
const fn of_limit(word: &'static str, about: &'static str) -> Properties {
    Properties { reveals_limits: true, in_limit_headers: InLimitHeaders::Always, ..number(word, about) }
}

/// A number that only a limit with a window has.
const fn of_window(word: &'static str, about: &'static str) -> Properties {
    Properties { in_limit_headers: InLimitHeaders::OfWindows, ..of_limit(word, about) }
}

/// A text that limit headers may show, too.
const fn name(word: &'static str, about: &'static str) -> Properties {
    Properties { in_limit_headers: InLimitHeaders::Always, ..text(word, about) }
}

/// The window of the described limit in seconds; 0 for a limit without one.
fn window(values: &impl Values) -> u64 {
    values.limit().and_then(|limit| limit.description.window).unwrap_or_default()
}

variables! {
    /// The value of `retry-after`, in seconds.
    RetryAfter: Properties {
        in_limit_headers: InLimitHeaders::OnRejections,
        ..number("retry_after", "the wait in seconds, as in the header `retry-after`")
    }, |reply| Rendered::Number(reply.wait());

    /// The quota of the limit that rejects.
    Limit: of_limit("limit", "the quota of the limit that rejects"),
        |reply| Rendered::Number(reply.limit().map_or(0, |limit| limit.verdict.quota.into()));

    /// The units left of it.
    Remaining: of_limit("remaining", "the units left of that quota"),
        |reply| Rendered::Number(reply.limit().map_or(0, |limit| limit.verdict.remaining));

    /// The instant of the reset, in seconds since the UNIX epoch.
    Reset: of_limit(
        "reset",
        "the reset as `headers.reset` defines it, in seconds since 1970; never before the wait is over, unless \
         `headers.reset_on_429` is `own`. If there are several sets of headers, the first one counts. In a limit \
         header it is written in the `format` of its set",
    ), |reply| reply.reset();

    /// The length of the limit's window in seconds; 0 for a limit without one.
    Window: of_window("window", "the window in seconds: 31 days for a month, 0 if there is none"),
        |reply| Rendered::Number(window(reply));

    /// The length of the limit's window in milliseconds; 0 for a limit without one.
    WindowMs: of_window("window_ms", "the window in milliseconds"),
        |reply| Rendered::Number(window(reply).saturating_mul(1_000));

    /// The units used of the quota.
    Used: of_limit("used", "the units used of that quota"),
        |reply| Rendered::Number(reply.limit().map_or(0, |limit| limit.used()));

    /// The share of the quota that is used.
    PercentUsed: of_limit("percent_used", "the share of the quota that is used, in whole percent, rounded down"),
        |reply| Rendered::Number(reply.limit().map_or(0, |limit| limit.percent_used()));

    /// The rate at which units come back.
    Rate: of_window(
        "rate",
        "the quota in units per second, as a decimal of at most six places such as `0.5`, rounded down; of a bucket, \
         the rate at which it is refilled; 0 if there is no window",
    ), |reply| Rendered::Millionths(reply.limit().map_or(0, |limit| limit.rate()));

    /// The request's cost.
    Cost: of_limit("cost", "the cost of the request in units, as it was held until the response"),
        |reply| Rendered::Number(reply.cost().into());

    /// The name of the policy that rejects.
    Policy: name("policy", "the name of the policy that rejects"), |reply| Rendered::Text(reply.policy());

    /// The name of the limit that rejects.
    LimitName: name("limit_name", "the name of the limit that rejects"),
        |reply| Rendered::Text(reply.limit().map_or("", |limit| &limit.description.name));

    /// The request's id.
    RequestId: text(
        "request_id",
        "the request's `x-request-id` if that is 1 to 128 visible ASCII characters, else 32 random hexadecimal digits",
    ), |reply| Rendered::Text(reply.request_id());

    /// The message, in the caller's language.
    Message: Properties {
        place: Place::OutsideMessages,
        field: Some("message"),
        ..text(
            "message",
            "the `message` of the limit that rejects, else of the rejection; not available in messages",
        )
    }, |reply| Rendered::Text(reply.message());

    /// The configured code.
    Code: Properties { field: Some("code"), ..text("code", "the `code` of the rejection") },
        |reply| Rendered::Text(reply.code());

    /// The consumer's name; empty if it is not known.
    Consumer: Properties {
        needs: Some("consumers"),
        ..name("consumer", "the name of the consumer, else the value of the key `consumer_name`; empty if neither is known")
    }, |reply| Rendered::Text(reply.consumer());

    /// The name of the caller's tier; empty if there are no tiers.
    Tier: Properties { needs: Some("tiers"), ..name("tier", "the caller's tier; empty if there are none") },
        |reply| Rendered::Text(reply.tier());

    /// The names of all limits that reject, as a JSON list. Only `format: problem` uses it.
    Violated: Properties {
        kind: Kind::Json,
        place: Place::Problems,
        ..text("violated_policies", "the names of all limits that reject")
    }, |reply| Rendered::Json(reply.violated());
}
