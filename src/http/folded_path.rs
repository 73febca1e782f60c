//! The one path that all spellings of a path stand for.

use super::spelling::without_suffix;
use super::{Request, RequestCache, Spellings};

/// The path of a request without its query, decoded and in one spelling: whatever `spellings` takes for the same
/// path becomes the same. Empty if the request has no path.
pub fn folded_path<R: Request>(request: &RequestCache<'_, R>, spellings: Spellings) -> Vec<u8> {
    let Spellings { trailing_slash, case, parameters, suffix } = spellings;
    let mut path = request.decoded_path(parameters).unwrap_or(request.path()).to_vec();
    while trailing_slash && path.len() > 1 && path.last() == Some(&b'/') {
        path.pop();
    }
    if suffix {
        let last = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let kept = path.get(last..).map_or(0, |name| without_suffix(name).len());
        path.truncate(last + kept);
    }
    if case {
        path.make_ascii_lowercase();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;
    use wasm_bindgen_test::wasm_bindgen_test;

    const ALL: Spellings = Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

    fn folded(path: &str, spellings: Spellings) -> String {
        let request = FakeRequest::to(path);
        String::from_utf8(folded_path(&RequestCache::new(&request), spellings)).unwrap()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn all_spellings_of_a_path_become_one() {
        for path in [
            "/a/login",
            "/a/login/",
            "/a/login//",
            "/A/Login",
            "/a;x/login;a=b",
            "/a/login.json",
            "/a/login.v2.JSON/",
            "/b/..;/a/login",
            "/a/%6Cogin?next=/b",
            "/a/%2e/login#x",
        ] {
            assert_eq!(folded(path, ALL), "/a/login", "{path}");
        }
        for (path, kept) in [
            ("/", "/"),
            ("//", "/"),
            ("/.well-known", "/.well-known"),
            ("/a%2Fb", "/a\0b"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(folded(path, ALL), kept, "{path}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_strict_is_kept() {
        for path in ["/a/login/", "/A/Login", "/a;x/login;a=b", "/a/login.json"] {
            assert_eq!(folded(path, Spellings::default()), path);
        }
        assert_eq!(folded("/%41", Spellings::default()), "/A", "characters are always decoded");
    }
}
