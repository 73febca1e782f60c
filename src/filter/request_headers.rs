//! A request's headers, read in one call of the host.

use std::cell::OnceCell;

/// Shows the name and the value of each line of a request's headers.
type ShowEach<'e> = &'e dyn Fn(&mut dyn FnMut(&[u8], &[u8]));

/// The headers of these names, once one of them has been asked for.
pub(super) struct RequestHeaders<'a> {
    /// In lower case; empty if headers are asked for one by one.
    names: &'a [String],
    /// In the same order. `None`: the host does not show its headers.
    found: OnceCell<Option<Vec<Lines>>>,
}

/// The lines of one header.
#[derive(Clone, Default)]
struct Lines {
    /// All of them, joined with commas. `None`: there is none.
    all: Option<Vec<u8>>,
    /// How long the first one is.
    first: usize,
}

impl Lines {
    fn add(&mut self, value: &[u8]) {
        match &mut self.all {
            None => *self = Lines { all: Some(value.to_vec()), first: value.len() },
            Some(all) => {
                all.push(b',');
                all.extend_from_slice(value);
            }
        }
    }
}

impl<'a> RequestHeaders<'a> {
    /// Reads nothing yet.
    #[inline]
    pub fn new(names: &'a [String]) -> RequestHeaders<'a> {
        RequestHeaders { names, found: OnceCell::new() }
    }

    /// The first line of a header, by its lower-case name. The outer `None`: it has to be asked for by itself.
    #[inline]
    pub fn first(&self, name: &str, each: ShowEach<'_>) -> Option<Option<Vec<u8>>> {
        if self.names.is_empty() {
            return None;
        }
        let lines = self.find(name, each)?;
        Some(lines.all.as_ref().and_then(|all| all.get(..lines.first)).map(<[u8]>::to_vec))
    }

    /// All lines of a header, joined with commas, in the same way.
    #[inline]
    pub fn lines(&self, name: &str, each: ShowEach<'_>) -> Option<Option<Vec<u8>>> {
        if self.names.is_empty() {
            return None;
        }
        self.find(name, each).map(|lines| lines.all.clone())
    }

    #[inline(never)]
    fn find(&self, name: &str, each: ShowEach<'_>) -> Option<&Lines> {
        let place = self.names.iter().position(|own| own == name)?;
        self.found.get_or_init(|| self.read(each)).as_ref()?.get(place)
    }

    #[inline(never)]
    fn read(&self, each: ShowEach<'_>) -> Option<Vec<Lines>> {
        let (mut found, mut any) = (vec![Lines::default(); self.names.len()], false);
        each(&mut |name, value| {
            any = true;
            let own = self.names.iter().zip(&mut found).find(|(own, _)| own.as_bytes() == name);
            if let Some((_, lines)) = own {
                lines.add(value);
            }
        });
        any.then_some(found)
    }
}
