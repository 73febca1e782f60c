//! Values that are lists: of a claim, or of a text that a separator divides.

/// Stands before each element. No text that is UTF-8 contains this byte, so an element from a filter's JSON
/// or from a policy never does.
const MARK: u8 = 0xFF;

/// The texts of a list, each of them not empty, in their order. They lie in one allocation, because a hostile
/// client may send tens of thousands of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elements {
    /// Each after a mark.
    marked: Vec<u8>,
    /// Whether the list also has elements that have no text.
    incomplete: bool,
}

impl Elements {
    /// Adds an element; an empty one does not count. A byte in it that could be taken for a mark becomes
    /// another one, which no text that is compared with it contains either.
    pub fn push(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.marked.push(MARK);
            self.marked.extend(text.iter().map(|byte| if *byte == MARK { MARK - 1 } else { *byte }));
        }
    }

    /// Notes an element that has no text, such as an object.
    pub fn push_without_text(&mut self) {
        self.incomplete = true;
    }

    /// The elements of a text that this separator divides, without whitespace around them.
    pub fn of(text: &[u8], separator: &str) -> Elements {
        let mut elements = Elements::default();
        for part in Parts::of(text, separator) {
            elements.push(part);
        }
        elements
    }

    /// The list of what `of` makes of each element.
    pub fn map(&self, of: impl Fn(&[u8]) -> &[u8]) -> Elements {
        let mut elements = Elements { marked: Vec::with_capacity(self.marked.len()), ..*self };
        self.iter().for_each(|text| elements.push(of(text)));
        elements
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.marked.is_empty() && !self.incomplete
    }

    /// The elements that have a text.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.marked.split(|byte| *byte == MARK).skip(1)
    }

    /// One text for the whole list, the same whatever the order of its elements and however often each is in
    /// it: a single one stands for itself; several are sorted, and then begin with a byte that no text begins
    /// with. `None`: an element has no text, or there are more different ones than a list that tells callers
    /// apart has, so that sorting them would cost too much.
    pub fn reading(&self) -> Option<Vec<u8>> {
        const MAX_ELEMENTS: usize = 64;
        let mut sorted: Vec<&[u8]> = Vec::new();
        for text in self.iter() {
            // The standard library's sort would add 10 KB to the module.
            match sorted.binary_search(&text) {
                Ok(_) => {}
                Err(_) if sorted.len() == MAX_ELEMENTS => return None,
                Err(place) => sorted.insert(place, text),
            }
        }
        match sorted.as_slice() {
            _ if self.incomplete => None,
            [] => None,
            [one] => Some(one.to_vec()),
            several => {
                let mut list = Elements::default();
                several.iter().for_each(|text| list.push(text));
                Some(list.marked)
            }
        }
    }
}

/// The element at `index` of a text that this separator divides, without whitespace around it: 0 is the
/// first, -1 the last. Empty ones do not count, so a client cannot move the others by adding separators.
pub fn element<'a>(text: &'a [u8], separator: &'a str, index: i32) -> Option<&'a [u8]> {
    let parts = Parts::of(text, separator);
    let from_start = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => parts.clone().count().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    parts.into_iter().nth(from_start)
}

/// What a separator divides a text into, without whitespace around it and without what is empty.
#[derive(Clone)]
struct Parts<'a> {
    /// `None`: the last part was the text's end.
    rest: Option<&'a [u8]>,
    separator: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8], separator: &'a str) -> Parts<'a> {
        Parts { rest: Some(text), separator: separator.as_bytes() }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        while let Some(text) = self.rest {
            let end = match self.separator {
                [] => None,
                [byte] => text.iter().position(|other| other == byte),
                several => text.windows(several.len()).position(|window| window == several),
            };
            self.rest = end.and_then(|end| text.get(end + self.separator.len()..));
            let part = end.and_then(|end| text.get(..end)).unwrap_or(text).trim_ascii();
            if !part.is_empty() {
                return Some(part);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn list(texts: &[&str]) -> Elements {
        let mut elements = Elements::default();
        texts.iter().for_each(|text| elements.push(text.as_bytes()));
        elements
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_list_reads_the_same_whatever_its_order_and_a_single_element_stands_for_itself() {
        assert_eq!(list(&["b", "a"]).reading(), list(&["a", "b", "a"]).reading());
        assert_ne!(list(&["ab"]).reading(), list(&["a", "b"]).reading());
        assert_ne!(list(&["a", "b"]).reading(), list(&["a", "c"]).reading());
        assert_eq!(list(&["a", ""]).reading(), Some(b"a".to_vec()));
        assert_eq!(list(&["a", "a"]).reading(), Some(b"a".to_vec()));
        assert_eq!(list(&[]).reading(), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn no_text_is_mistaken_for_a_list_and_no_element_for_two() {
        let several = list(&["a", "b"]).reading().unwrap();
        assert!(std::str::from_utf8(&several).is_err());
        let mut forged = Elements::default();
        forged.push(b"x\xFFadmin");
        assert!(forged.iter().all(|element| element != b"admin"));
        assert_eq!(forged.iter().count(), 1);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_list_that_cannot_tell_callers_apart_is_no_value() {
        let mut with_object = list(&["a"]);
        with_object.push_without_text();
        assert_eq!((with_object.reading(), with_object.iter().count()), (None, 1));
        let many: Vec<String> = (0..65).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(list(&many).reading(), None);
        assert!(list(&many[..64]).reading().is_some());
        assert!(list(&many).iter().any(|element| element == b"64"), "its elements can be asked for");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn an_element_is_counted_from_either_end_and_empty_ones_do_not_count() {
        for (text, index, found) in [
            ("a, b ,c", 0, Some("a")),
            ("a, b ,c", 1, Some("b")),
            ("a, b ,c", -1, Some("c")),
            ("a, b ,c", -3, Some("a")),
            (",, ,a,,b,", 1, Some("b")),
            (",, ,a,,b,", -2, Some("a")),
            ("a", 1, None),
            ("a", -2, None),
            (" , ,", 0, None),
            ("", -1, None),
            ("a", i32::MIN, None),
        ] {
            assert_eq!(element(text.as_bytes(), ",", index), found.map(str::as_bytes), "{text} {index}");
        }
        assert_eq!(element(b"By=a;Hash=b", ";Hash=", -1), Some(&b"b"[..]));
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), separator in ".{0,3}", index in any::<i32>()) {
            let _ = element(&bytes, &separator, index);
            let elements = Elements::of(&bytes, &separator);
            prop_assert!(elements.iter().all(|element| !element.is_empty()));
            prop_assert_eq!(elements.is_empty(), elements.iter().next().is_none());
        }
    }
}
