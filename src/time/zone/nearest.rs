//! Which zone someone meant who wrote a name that is none.
//!
//! Not the edit distance that serves for other words: `Madrid` for `Europe/Madrid` or `Europe/Kolkata` for
//! `Asia/Kolkata` are many edits away. Cities are compared first, by the pairs of letters that they share, and
//! the region only decides between cities.

/// How many are worth reading.
const MOST: usize = 3;

/// The share of common pairs, in thousandths, from which on two cities are alike.
const ALIKE: usize = 500;

/// A longer word is no slip of a name, which has at most 32 letters.
const LONGEST: usize = 64;

/// The names of the city most like `word`'s, those of the likeliest region first; none if no city is alike.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if word.len() > LONGEST {
        return Vec::new();
    }
    let mut least = ALIKE;
    let mut best: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let cities = likeness(city(word), city(name));
        if cities > least {
            (least, best) = (cities, Vec::new());
        }
        if cities == least {
            insert(&mut best, (likeness(word, name), name));
        }
    }
    best.into_iter().map(|(_, name)| name).collect()
}

/// Keeps the list in order. A library sort at the end would weigh 9 KB, as much as all names together.
fn insert<'a>(best: &mut Vec<(usize, &'a str)>, (likeness, name): (usize, &'a str)) {
    let place = best.partition_point(|(better, _)| *better >= likeness);
    best.insert(place, (likeness, name));
    best.truncate(MOST);
}

fn city(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Dice's coefficient of the two sets of pairs, in thousandths.
fn likeness(a: &str, b: &str) -> usize {
    let (a, mut b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    let mut shared = 0;
    for pair in a {
        if let Some(i) = b.iter().position(|other| *other == pair) {
            b.swap_remove(i);
            shared += 1;
        }
    }
    2_000 * shared / all.max(1)
}

/// Each letter with the one before it, from before the first to after the last. Case and which sign divides
/// two words make no difference.
fn pairs(text: &str) -> Vec<(char, char)> {
    let plain = |c: char| if c == '_' || c == '-' { ' ' } else { c.to_ascii_lowercase() };
    let mut before = '^';
    let letters = text.chars().map(plain).chain(['$']);
    letters.map(|letter| (std::mem::replace(&mut before, letter), letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Zone;
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_slip_is_answered_with_the_zone_that_was_meant() {
        for (word, meant) in [
            ("Europe/Madird", "Europe/Madrid"),
            ("europe/madrid", "Europe/Madrid"),
            ("Madrid", "Europe/Madrid"),
            ("Europa/Madrid", "Europe/Madrid"),
            ("Europe/Madrid ", "Europe/Madrid"),
            ("America/NewYork", "America/New_York"),
            ("New York", "America/New_York"),
            ("Europe/Kolkata", "Asia/Kolkata"),
            ("Argentina/Buenos-Aires", "America/Argentina/Buenos_Aires"),
            ("Pacific/Kirimati", "Pacific/Kiritimati"),
            ("UTC+1", "UTC"),
        ] {
            assert_eq!(nearest(word, Zone::names())[0], meant, "{word}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_stranger_is_answered_with_none() {
        for word in ["", "/", "banana", "Europe/", "Europe/Xanadu", "日本", &"Madrid".repeat(1_000)] {
            assert_eq!(nearest(word, Zone::names()), [""; 0], "{word}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn no_more_names_are_given_than_one_reads() {
        assert_eq!(
            nearest("Louisville", Zone::names()),
            ["America/Louisville", "America/Kentucky/Louisville"]
        );
        let same = ["A/Rome", "B/Rome", "Europe/Rome", "C/Rome"];
        assert_eq!(nearest("Europa/Rome", same.into_iter()), ["Europe/Rome", "A/Rome", "B/Rome"]);
    }
}
