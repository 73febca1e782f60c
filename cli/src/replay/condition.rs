//! What makes a replay fail, such as `rejected > 0.1%`.

use std::fmt;

/// A share of a whole, in millionths of it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(pub u64);

/// The whole in the units of [`Share`].
pub const WHOLE: u64 = 1_000_000;

impl Share {
    /// Reads a percentage, such as `0.1%`.
    pub fn parse(text: &str) -> Result<Share, String> {
        const SUCH_AS: &str = "a percentage from 0% to 100% with at most four decimals, such as 0.1%";
        let number = text.trim().strip_suffix('%').ok_or(SUCH_AS)?.trim();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(SUCH_AS.into());
        }
        let parts = format!("{fraction:0<4}").parse::<u64>().map_err(|_| SUCH_AS)?;
        let share = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(10_000)?.checked_add(parts));
        share.filter(|share| *share <= WHOLE).map(Share).ok_or_else(|| SUCH_AS.into())
    }

    /// Whether `part` is more than this share of `all`.
    pub fn is_passed_by(self, part: u64, all: u64) -> bool {
        u128::from(part) * u128::from(WHOLE) > u128::from(all) * u128::from(self.0)
    }
}

/// A share in percent, with as many decimals as it needs: at least two digits that say something.
pub fn percent(part: u64, all: u64) -> String {
    let share = match all {
        0 => 0,
        all => u128::from(part) * 100_000_000 / u128::from(all),
    };
    let (whole, fraction) = (share / 1_000_000, share % 1_000_000);
    let places = match share {
        0 => return "0 %".into(),
        10_000_000.. => 1,
        100_000.. => 2,
        10_000.. => 3,
        1_000.. => 4,
        1.. => 6,
    };
    let digits = format!("{fraction:06}");
    format!("{whole}.{} %", digits.get(..places).unwrap_or_default())
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Requests that are rejected.
    Rejected,
    /// Callers that are rejected at least once.
    RejectedCallers,
    /// Requests that are rejected, and were not by the policy compared with.
    NewlyRejected,
    /// Requests that were rejected by the policy compared with, and are not any more.
    NoLongerRejected,
    /// Lines that cannot be read.
    Unreadable,
    /// Requests that come too late to be put into their order.
    Late,
    /// Requests that a policy rejects.
    Policy(String),
    /// Requests that one of its limits rejects.
    Limit(String, String),
}

/// The words of metrics.
pub const METRICS: &[(&str, Metric)] = &[
    ("rejected", Metric::Rejected),
    ("rejected_callers", Metric::RejectedCallers),
    ("newly_rejected", Metric::NewlyRejected),
    ("no_longer_rejected", Metric::NoLongerRejected),
    ("unreadable", Metric::Unreadable),
    ("late", Metric::Late),
];

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Number(u64),
    /// A share of all that could be.
    Share(Share),
}

/// A condition: more than this of that, or at least as much.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub metric: Metric,
    /// Whether the bound itself fulfils it.
    pub or_equal: bool,
    /// With what.
    pub bound: Bound,
    text: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What one looks like.
    pub fn parse(text: &str) -> Result<Condition, String> {
        const SUCH_AS: &str = "a condition such as 'rejected > 0.1%' or 'api/minute >= 100'";
        let (metric, bound) = text.split_once('>').ok_or(SUCH_AS)?;
        let (or_equal, bound) = match bound.strip_prefix('=') {
            Some(bound) => (true, bound),
            None => (false, bound),
        };
        let (metric, bound) = (metric.trim(), bound.trim());
        let known = METRICS.iter().find(|(word, _)| *word == metric).map(|(_, metric)| metric.clone());
        let metric = match (known, metric.split_once('/')) {
            (Some(metric), _) => metric,
            (None, Some(("policy", policy))) => Metric::Policy(policy.into()),
            (None, Some((policy, limit))) => Metric::Limit(policy.into(), limit.into()),
            (None, None) => {
                let words: Vec<&str> = METRICS.iter().map(|(word, _)| *word).collect();
                return Err(format!("{metric} is none of {}, policy/NAME, POLICY/LIMIT", words.join(", ")));
            }
        };
        let bound = match bound.ends_with('%') {
            true => Bound::Share(Share::parse(bound)?),
            false => Bound::Number(bound.parse().map_err(|_| SUCH_AS)?),
        };
        Ok(Condition { metric, or_equal, bound, text: text.trim().into() })
    }

    /// Whether `part` of `all` fulfils it.
    pub fn holds(&self, part: u64, all: u64) -> bool {
        match (self.bound, self.or_equal) {
            (Bound::Number(bound), false) => part > bound,
            (Bound::Number(bound), true) => part >= bound,
            (Bound::Share(share), false) => share.is_passed_by(part, all),
            (Bound::Share(share), true) => {
                u128::from(part) * u128::from(WHOLE) >= u128::from(all) * u128::from(share.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_number_or_a_share() {
        let tenth = Condition::parse("rejected > 0.1%").unwrap();
        assert_eq!((tenth.holds(1, 1_000), tenth.holds(2, 1_000), tenth.holds(0, 0)), (false, true, false));
        let limit = Condition::parse("api/minute >= 5").unwrap();
        assert_eq!(limit.metric, Metric::Limit("api".into(), "minute".into()));
        assert_eq!((limit.holds(4, 9), limit.holds(5, 9)), (false, true));
        for text in [
            "rejected",
            "rejected < 1%",
            "rejectd > 1%",
            "rejected > 1.12345%",
            "rejected > 101%",
            "rejected > x",
        ] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_small_share_keeps_the_digits_that_say_something() {
        for (part, all, text) in [
            (0, 10, "0 %"),
            (1, 10, "10.0 %"),
            (1, 3, "33.3 %"),
            (1, 1_000, "0.10 %"),
            (1, 10_000, "0.010 %"),
            (1, 100_000, "0.0010 %"),
            (7, 7, "100.0 %"),
            (1, 0, "0 %"),
            (1, 100_000_000, "0.000001 %"),
        ] {
            assert_eq!(percent(part, all), text);
        }
    }
}
