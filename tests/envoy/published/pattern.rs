//! What a header or body is expected to be: its bytes, with a few signs where only the time decides.
//!
//! | sign | stands for |
//! |---|---|
//! | `<60>` | whole seconds, at most 60, less the seconds that the test has taken |
//! | `<@60>` | an instant in seconds since 1970, 60 s from now |
//! | `<@60.>` | the same with up to three decimals |
//! | `<60.>` | seconds until then with up to three decimals |
//! | `<z60>` | the same instant as RFC 3339 in UTC |
//! | `<go>` | a duration as Go writes it |
//! | `<id>` | an id: letters, digits and dashes |

use regex_lite::{Captures, Regex};

use super::START;

/// When answers were given: from `now` on, in seconds since 1970, for so many seconds at most.
#[derive(Clone, Copy)]
pub struct Span {
    pub now: u64,
    pub took: u64,
}

/// Panics unless `text` is what is expected of an answer of that time.
pub fn assert_fits(expected: &str, text: &str, span: Span) {
    let sign = Regex::new(r"<(@|z)?(\d+)(\.)?>|<(go|id)>").unwrap();
    let mut form = String::from("^");
    let mut signs = Vec::new();
    let mut end = 0;
    for found in sign.captures_iter(expected) {
        let whole = found.get(0).unwrap();
        form.push_str(&regex_lite::escape(&expected[end..whole.start()]));
        form.push_str(form_of(&found));
        signs.push(whole.as_str());
        end = whole.end();
    }
    form.push_str(&regex_lite::escape(&expected[end..]));
    form.push('$');
    let fits = Regex::new(&form).unwrap();
    let read = fits.captures(text).unwrap_or_else(|| panic!("{text:?} is not {expected:?}"));
    for (sign, value) in signs.iter().zip(read.iter().skip(1)) {
        assert_value(sign, value.unwrap().as_str(), span);
    }
}

fn form_of(sign: &Captures) -> &'static str {
    match (sign.get(4).map(|kind| kind.as_str()), sign.get(1).map(|kind| kind.as_str()), sign.get(3)) {
        (Some("go"), ..) => r"((?:\d+h)?(?:\d+m)?\d+(?:s|ms))",
        (Some(_), ..) => r"([A-Za-z0-9-]+)",
        (None, Some("z"), _) => r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)",
        (None, _, Some(_)) => r"(\d+(?:\.\d{1,3})?)",
        (None, ..) => r"(\d+)",
    }
}

fn assert_value(sign: &str, value: &str, span: Span) {
    let number: String = sign.chars().filter(char::is_ascii_digit).collect();
    let Ok(number) = number.parse::<u64>() else { return };
    let Span { now, took } = span;
    let whole = value.split('.').next().unwrap();
    let (seconds, from, to) = if sign.starts_with("<z") {
        (seconds_of(value), now + number, now + number + took)
    } else if sign.starts_with("<@") {
        (whole.parse().unwrap(), now + number, now + number + took)
    } else {
        (whole.parse().unwrap(), number.saturating_sub(took), number)
    };
    // A second for rounding up, and for a clock that a worker has read a second ago.
    assert!((from.saturating_sub(1)..=to + 1).contains(&seconds), "{value} is not {sign}");
}

/// Seconds since 1970 of a time in May or June 2026.
fn seconds_of(time: &str) -> u64 {
    let number = |from: usize, to: usize| time[from..to].parse::<u64>().unwrap();
    let june = number(5, 7) - 5;
    let day = june * 31 + number(8, 10) - 19; // of `START`, the 19th of May
    START + day * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19)
}
