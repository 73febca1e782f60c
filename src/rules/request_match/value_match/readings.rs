//! What a request has under a name, as one server or another may read it.

use super::ValueMatch;
use crate::http::credential::{self, Location};
use crate::http::{AUTHORIZATION, Purpose, Request, RequestCache};

/// What a request has under a name.
pub(super) struct Readings {
    /// Whether at least one server finds a value.
    pub any: bool,
    /// Whether all servers find one.
    pub sure: bool,
    /// Whether all servers find one that is not empty.
    pub filled: bool,
    /// Whether a value fits that at least one server finds. If the match exempts requests, whether all that
    /// any server finds do.
    pub fits: bool,
}

impl Readings {
    /// Whether all servers find a value, and if they do, whether one fits.
    pub fn of_all_servers(fits: Option<bool>) -> Readings {
        let any = fits.is_some();
        Readings { any, sure: any, filled: any, fits: fits.unwrap_or(false) }
    }

    /// What a request has in a header, by its lower-case name.
    ///
    /// `header` answers with the first line of most repeated headers, and upstreams may read another one.
    /// Only where that can matter are all lines asked for, joined with commas.
    pub fn of_header<R: Request>(
        test: &ValueMatch,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> Readings {
        let value = request.header(name);
        let fits = |value: &[u8]| {
            test.reads_values() && {
                let whole_fits = test.fits(value.trim_ascii(), purpose);
                let part_fits = |part: &[u8]| test.fits(part, purpose);
                match purpose {
                    Purpose::Limits => {
                        whole_fits
                            || parts(value).any(part_fits)
                            || name != AUTHORIZATION
                                && all_lines(request, name).is_some_and(|all| parts(&all).any(part_fits))
                    }
                    Purpose::Exempts if !whole_fits => false,
                    // Envoy has joined its lines.
                    Purpose::Exempts if name == AUTHORIZATION => parts(value).all(part_fits),
                    Purpose::Exempts => {
                        let all = all_lines(request, name);
                        all.is_none_or(|all| all == *value || parts(&all).all(part_fits))
                    }
                }
            }
        };
        Readings::of_all_servers(value.map(|value| fits(&value)))
    }

    /// What a text has in query parameters or cookies.
    pub fn of(test: &ValueMatch, location: Location<'_>, text: &[u8], purpose: Purpose) -> Readings {
        let (mut one_fits, mut all_fit) = (false, true);
        let mut found = Readings { any: false, sure: false, filled: false, fits: false };
        credential::each_reading(location, text, &mut |value, is_sure| {
            found.any = true;
            found.sure |= is_sure;
            found.filled |= is_sure && !value.is_empty();
            if test.reads_values() {
                let fits = test.fits(value, purpose);
                one_fits |= fits;
                all_fit &= fits;
            }
        });
        found.fits = match purpose {
            Purpose::Limits => one_fits,
            Purpose::Exempts => all_fit,
        };
        found
    }
}

fn all_lines<R: Request>(request: &RequestCache<'_, R>, name: &str) -> Option<Vec<u8>> {
    request.uncached().lines(name)
}

/// The parts of a header's value, or of its lines, between commas.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}
