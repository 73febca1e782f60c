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
    /// Any text, possibly from a client.
    Text(&'a str),
    /// Text that is JSON already.
    Json(&'a str),
}

/// What values are computed from: one rejected request.
pub(super) trait Rejected {
    /// The value of `retry-after`, in seconds.
    fn wait(&self) -> u64;
    /// The limit that the reply names. `None`: the policy has no limit with a name.
    fn limit(&self) -> Option<DescribedLimit<'_, '_>>;
    /// The reset of that limit, in seconds since the UNIX epoch.
    fn reset(&self) -> u64;
    /// The name of the policy that rejects.
    fn policy(&self) -> &str;
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
            pub(super) fn value(self, reply: &impl Rejected) -> Rendered<'_> {
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
        field: None,
        needs: None,
    }
}

const fn number(word: &'static str, about: &'static str) -> Properties {
    Properties { kind: Kind::Number, ..text(word, about) }
}

/// A number that reveals a limit.
const fn of_limit(word: &'static str, about: &'static str) -> Properties {
    Properties { reveals_limits: true, ..number(word, about) }
}

variables! {
    /// The value of `retry-after`, in seconds.
    RetryAfter: number("retry_after", "the wait in seconds, as in the header `retry-after`"),
        |reply| Rendered::Number(reply.wait());

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
         `headers.reset_on_429` is `own`",
    ), |reply| Rendered::Number(reply.reset());

    /// The length of the limit's window in seconds; 0 for a limit without one.
    Window: of_limit("window", "the window in seconds: 31 days for a month, 0 if there is none"),
        |reply| Rendered::Number(reply.limit().and_then(|limit| limit.description.window).unwrap_or_default());

    /// The name of the policy that rejects.
    Policy: text("policy", "the name of the policy that rejects"), |reply| Rendered::Text(reply.policy());

    /// The name of the limit that rejects.
    LimitName: text("limit_name", "the name of the limit that rejects"),
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
        ..text("consumer", "the name of the consumer; empty if none is known")
    }, |reply| Rendered::Text(reply.consumer());

    /// The name of the caller's tier; empty if there are no tiers.
    Tier: Properties { needs: Some("tiers"), ..text("tier", "the caller's tier; empty if there are none") },
        |reply| Rendered::Text(reply.tier());

    /// The names of all limits that reject, as a JSON list. Only `format: problem` uses it.
    Violated: Properties {
        kind: Kind::Json,
        place: Place::Problems,
        ..text("violated_policies", "the names of all limits that reject")
    }, |reply| Rendered::Json(reply.violated());
}
