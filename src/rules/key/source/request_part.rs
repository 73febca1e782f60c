//! What a request asks for as a key: its path, the template or the match that it fits, its method, Envoy's route.
//!
//! All of it is what the request is for, and not who sends it. Only a path can be made up: a policy has finitely
//! many templates and matches, Envoy finitely many routes, and methods that few servers know are one.

use super::{Beside, Facts, MatchPart, Presence, Source, SourceKind, Whose, field};
use crate::config::{Field, Reader, Word, Words};
use crate::http::{Request, RequestCache, Spellings, folded_path};
use crate::rules::key::modifiers::{AFTER, BEFORE};
use crate::rules::key::{Key, KeyValue};
use std::borrow::Cow;

/// A part of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPart {
    word: PartWord,
    /// Which spellings of a path are the same path.
    spellings: Spellings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartWord {
    Path,
    Template,
    Method,
    Match,
    Route,
}

const WORDS: &Words<PartWord> = &Words(&[
    Word::new(
        "path",
        PartWord::Path,
        "the path without the query, decoded, the same in each spelling that [`paths`](#paths) ignores. A client can make \
         paths up, and each is a new caller",
    ),
    Word::new(
        "template",
        PartWord::Template,
        "the `path` of the match that fits, as it is written there; every `match` of the policy must have one",
    ),
    Word::new("method", PartWord::Method, "the method; all that are not in RFC 9110 or 5789 count as one"),
    Word::new(
        "match",
        PartWord::Match,
        "the `name` of the match that fits; every `match` of the policy must have one. Matches of one name are one caller",
    ),
    Word::new("route", PartWord::Route, "the `name` of Envoy's route; absent if it has none"),
]);

/// The methods of RFC 9110 and RFC 5789. A client could make up others, each of them a new caller.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// What stands for all other methods.
const OTHER: &[u8] = b"other";

impl RequestPart {
    pub(super) const FIELD: Field<&'static Words<PartWord>> =
        field("request", WORDS, "what the request asks for, and not who sends it");

    /// What a value is that some match says.
    const OF_MATCH: SourceKind =
        SourceKind { presence: Presence::WithMatch, vouched: true, takes: &[], ..RequestPart::KIND };
}

impl Source for RequestPart {
    const KIND: SourceKind = SourceKind {
        takes: &[AFTER.name, BEFORE.name],
        whose: Whose::Targets,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn kind(&self) -> &'static SourceKind {
        const PATH: SourceKind = SourceKind {
            client_supplied: true,
            presence: Presence::Always,
            decoded: true,
            ..RequestPart::KIND
        };
        const METHOD: SourceKind =
            SourceKind { presence: Presence::Always, vouched: true, takes: &[], ..RequestPart::KIND };
        const ROUTE: SourceKind = SourceKind { vouched: true, takes: &[], ..RequestPart::KIND };
        match self.word {
            PartWord::Path => &PATH,
            PartWord::Template | PartWord::Match => &RequestPart::OF_MATCH,
            PartWord::Method => &METHOD,
            PartWord::Route => &ROUTE,
        }
    }

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        let word = field.read(Self::FIELD.kind)?;
        Some(RequestPart { word, spellings: Spellings::default() })
    }

    fn set_spellings(&mut self, spellings: Spellings) {
        self.spellings = spellings;
    }

    /// Requests without a path or a method share one value, so that none escapes without it.
    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        let value = match self.word {
            PartWord::Path => Cow::Owned(folded_path(request, self.spellings)),
            PartWord::Method => Cow::Borrowed(method(request.method())),
            PartWord::Route => Cow::Borrowed(request.route_name()?),
            PartWord::Template | PartWord::Match => return None,
        };
        Some(KeyValue::One(value))
    }

    fn value<'c>(&'c self, _key: &Key, facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        match self.word {
            PartWord::Template => Some(Cow::Owned(facts.template()?.to_string().into_bytes())),
            PartWord::Match => Some(Cow::Owned(facts.match_name()?.as_bytes().to_vec())),
            PartWord::Path | PartWord::Method | PartWord::Route => facts.presented().map(Cow::Borrowed),
        }
    }

    fn folds_case(&self, _key: &Key) -> bool {
        self.word == PartWord::Path && self.spellings.case
    }

    fn match_part(&self) -> Option<MatchPart<'_>> {
        match self.word {
            PartWord::Template => Some(MatchPart::Path),
            PartWord::Match => Some(MatchPart::Name),
            PartWord::Path | PartWord::Method | PartWord::Route => None,
        }
    }

    fn reads(&self) -> Option<&str> {
        match self.word {
            PartWord::Path | PartWord::Template => Some(":path"),
            PartWord::Method => Some(":method"),
            PartWord::Match | PartWord::Route => None,
        }
    }

    fn describe(&self, _keys: &[Key]) -> String {
        match self.word {
            PartWord::Path => "the request's path",
            PartWord::Template => "the template that the path fits",
            PartWord::Method => "the request's method",
            PartWord::Match => "the match that the request fits",
            PartWord::Route => "Envoy's route",
        }
        .into()
    }
}

fn method(method: &[u8]) -> &'static [u8] {
    let known = METHODS.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(method));
    known.map_or(OTHER, |known| known.as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::testing::{FakeRequest, Fixture};
    use wasm_bindgen_test::wasm_bindgen_test;

    const BY: &str = r#"{
        "keys": {"part": {"request": "WORD"}, "ip": {"client_ip": {}}, "either": {"first_of": ["part", "ip"]}},
        "policies": [{"name": "p", "key": "KEY", "match": MATCH, "limits": [{"quota": 3, "window": "1m"}]}]}"#;

    fn by(key: &str, word: &str, matches: &str) -> Fixture {
        Fixture::new(&BY.replace("KEY", key).replace("WORD", word).replace("MATCH", matches))
    }

    fn request(method: &str, path: &str) -> FakeRequest {
        FakeRequest::from("192.0.2.7").with(":method", method).with(":path", path)
    }

    fn passed<const N: usize>(fixture: &mut Fixture, requests: [FakeRequest; N]) -> usize {
        requests.into_iter().map(|request| fixture.passed(4, |_| request.clone())).sum()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_path_is_one_caller_in_each_of_its_spellings() {
        let mut fixture = by("part", "path", "[{}]");
        let spellings = ["/a/login", "/A/login/", "/a;x/lo%67in?y=1", "/a/login.json", "/b/..;/a/login"];
        assert_eq!(passed(&mut fixture, spellings.map(|path| request("GET", path))), 3);
        assert_eq!(passed(&mut fixture, ["/a/log", "/", "/a%2Flogin"].map(|path| request("GET", path))), 9);
        // A request without a path does not escape.
        assert_eq!(fixture.passed(9, |_| FakeRequest::from("192.0.2.7")), 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn made_up_methods_are_one_caller() {
        let mut fixture = by("part", "method", "[{}]");
        assert_eq!(passed(&mut fixture, ["GET", "get"].map(|method| request(method, "/"))), 3);
        assert_eq!(passed(&mut fixture, ["FOO", "BAR", "", "other"].map(|method| request(method, "/"))), 3);
        assert_eq!(passed(&mut fixture, ["POST", "PATCH"].map(|method| request(method, "/"))), 6);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_template_is_one_caller_for_all_paths_that_fit_it() {
        let matches = r#"[{"path": "/a/{id}"}, {"path": "/b/**"}, {"path": "/a/{id}/c", "method": "POST"}]"#;
        let mut fixture = by("part", "template", matches);
        assert_eq!(passed(&mut fixture, ["/a/1", "/a/2", "/A/3/"].map(|path| request("GET", path))), 3);
        assert_eq!(passed(&mut fixture, ["/b", "/b/1"].map(|path| request("GET", path))), 3);
        assert_eq!(passed(&mut fixture, ["/a/1/c", "/a/2/c"].map(|path| request("POST", path))), 3);
        assert_eq!(passed(&mut fixture, ["/d"].map(|path| request("POST", path))), 4, "no match");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_match_is_known_by_its_name_and_the_first_that_fits_counts() {
        let matches =
            r#"[{"name": "reads", "method": "GET"}, {"name": "reads", "method": "HEAD"}, {"name": "rest"}]"#;
        let mut fixture = by("part", "match", matches);
        assert_eq!(passed(&mut fixture, ["GET", "HEAD"].map(|method| request(method, "/"))), 3);
        assert_eq!(passed(&mut fixture, ["POST", "PUT"].map(|method| request(method, "/"))), 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_route_without_a_name_is_no_caller() {
        let on = |name: &str| request("GET", "/").on_route(name);
        assert_eq!(passed(&mut by("part", "route", "[{}]"), [on("a"), on("b"), on("a")]), 6);
        assert_eq!(passed(&mut by("part", "route", "[{}]"), [on(""), request("GET", "/")]), 8);
        assert_eq!(passed(&mut by("either", "route", "[{}]"), [on(""), request("GET", "/")]), 3);
    }
}
