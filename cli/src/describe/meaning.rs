//! The documentation of the language as plain text.

use tollgate::config::Words;

/// What a word of the language means, in plain text.
pub(super) fn meaning<T: PartialEq>(words: &'static Words<T>, means: &T) -> String {
    plain(words.of(means).map_or("", |word| word.about.get()))
}

/// Documentation without its Markdown: without backticks, and without the addresses of links.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("](") {
        plain.push_str(before);
        rest = address.split_once(')').map_or("", |(_, rest)| rest);
    }
    (plain + rest).replace(['`', '['], "")
}
