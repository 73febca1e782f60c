//! The variables of templates.

/// A variable of templates.
pub(super) struct Variable {
    pub name: &'static str,
    /// Whether it is a number, and so allowed outside quotes in JSON.
    pub number: bool,
    pub about: &'static str,
}

const fn variable(name: &'static str, number: bool, about: &'static str) -> Variable {
    Variable { name, number, about }
}

pub(super) const VARIABLES: &[Variable] = &[
    variable("retry_after", true, "the wait in seconds, as in the header `retry-after`"),
    variable("limit", true, "the quota of the limit that rejects"),
    variable("remaining", true, "the units left of that quota"),
    variable(
        "reset",
        true,
        "the reset as `headers.reset` defines it, in seconds since 1970; never before the wait is over, unless `headers.reset_on_429` is `own`",
    ),
    variable("window", true, "the window in seconds: 31 days for a month, 0 if there is none"),
    variable("policy", false, "the name of the policy that rejects"),
    variable("limit_name", false, "the name of the limit that rejects"),
    variable(
        "request_id",
        false,
        "the request's `x-request-id` if that is 1 to 128 visible ASCII characters, else 32 random hexadecimal digits",
    ),
    variable(
        "message",
        false,
        "the `message` of the limit that rejects, else of the rejection; not available in messages",
    ),
    variable("code", false, "the `code` of the rejection"),
    variable("consumer", false, "the name of the consumer; empty if none is known"),
    variable("tier", false, "the caller's tier; empty if there are none"),
];
