//! Suggestions for an unknown zone name.
//!
//! The edit distance used for other words does not work here: `Madrid` is many edits from `Europe/Madrid`,
//! and `Europe/Kolkata` from `Asia/Kolkata`. Cities are compared first, by the pairs of letters they share;
//! the whole name only ranks names whose cities are equally similar.

/// How many names are suggested.
const MAX_SUGGESTIONS: usize = 3;

/// Less similar cities are not suggested. In thousandths, see [`likeness`].
const MIN_LIKENESS: usize = 500;

/// In bytes. Nothing is suggested for a longer word: names have at most 32 letters.
const MAX_NAME_LEN: usize = 64;

/// The names whose city is most similar to that of `word`, the most similar name first. Empty if no city is
/// similar.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if word.len() > MAX_NAME_LEN {
        return Vec::new();
    }
    let mut least = MIN_LIKENESS;
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

/// Inserts in order of likeness. A library sort would add 9 KB to the module, as much as all the names.
fn insert<'a>(best: &mut Vec<(usize, &'a str)>, (likeness, name): (usize, &'a str)) {
    let place = best.partition_point(|(better, _)| *better >= likeness);
    best.insert(place, (likeness, name));
    best.truncate(MAX_SUGGESTIONS);
}

fn city(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Dice's coefficient of the letter pairs of two texts, in thousandths: 0 to 1,000.
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

/// Each letter with the one before it, with a marker at each end. Case is ignored, and `_`, `-` and space are
/// equal.
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
    fn a_typo_is_answered_with_the_intended_zone() {
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
    fn a_dissimilar_name_gets_no_suggestion() {
        for word in ["", "/", "banana", "Europe/", "Europe/Xanadu", "日本", &"Madrid".repeat(1_000)] {
            assert_eq!(nearest(word, Zone::names()), [""; 0], "{word}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn at_most_three_names_are_suggested() {
        assert_eq!(
            nearest("Louisville", Zone::names()),
            ["America/Louisville", "America/Kentucky/Louisville"]
        );
        let same = ["A/Rome", "B/Rome", "Europe/Rome", "C/Rome"];
        assert_eq!(nearest("Europa/Rome", same.into_iter()), ["Europe/Rome", "A/Rome", "B/Rome"]);
    }
}
