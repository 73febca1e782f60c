//! What only documentation and descriptions need of a declaration. The module is built without both.

use std::fmt;
#[cfg(not(feature = "docs"))]
use std::marker::PhantomData;

/// Something that only documentation needs. It has no size unless the feature `docs` is on, and the module is
/// built without: there, documentation costs nothing.
#[derive(Clone, Copy)]
pub struct Doc<T = &'static str> {
    #[cfg(feature = "docs")]
    value: T,
    #[cfg(not(feature = "docs"))]
    value: PhantomData<T>,
}

impl<T: Copy> Doc<T> {
    /// Documentation. A build without the feature `docs` drops it.
    #[cfg(feature = "docs")]
    pub const fn new(value: T) -> Doc<T> {
        Doc { value }
    }

    /// Documentation. A build without the feature `docs` drops it.
    #[cfg(not(feature = "docs"))]
    pub const fn new(_: T) -> Doc<T> {
        Doc { value: PhantomData }
    }

    /// What was documented.
    #[cfg(feature = "docs")]
    pub const fn get(self) -> T {
        self.value
    }
}

/// Like [`Doc`], where policies are described in words. It has no size unless the feature `words` is on, which the
/// module is built without, too.
#[derive(Clone, Copy)]
pub struct Phrase {
    #[cfg(feature = "words")]
    text: &'static str,
}

impl Phrase {
    /// Words for a description. A build without the feature `words` drops them.
    #[cfg(feature = "words")]
    pub const fn new(text: &'static str) -> Phrase {
        Phrase { text }
    }

    /// Words for a description. A build without the feature `words` drops them.
    #[cfg(not(feature = "words"))]
    pub const fn new(_: &'static str) -> Phrase {
        Phrase {}
    }

    /// The words.
    #[cfg(feature = "words")]
    pub const fn get(self) -> &'static str {
        self.text
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase")
    }
}

impl<T> fmt::Debug for Doc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doc")
    }
}
