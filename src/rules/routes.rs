//! Which policies a path can meet, found without asking each of them.

use crate::http::spelling::without_suffix;
use crate::http::{PathTemplate, Request, RequestCache, Spellings};

/// A tree of the segments that policies' paths begin with. The policies at a node, and at those on the way to it, can be
/// met by paths that lead there; whether they are is for [`crate::http::RequestMatch`] to say.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// So many policies there are.
    policies: usize,
    root: Node,
    /// Which spellings of a path are the same.
    spellings: Spellings,
}

/// More segments of a path than this do not tell policies apart here.
const DEPTH: usize = 8;

#[derive(Clone, Debug, Default)]
struct Node {
    /// Indexes of policies whose path has no further segment, or a parameter next.
    policies: Vec<usize>,
    /// By segment, as a server reads it, in order.
    next: Vec<(Vec<u8>, Node)>,
}

impl Routes {
    /// For this many policies whose paths are all read in these spellings. [`Routes::add`] adds each path of each policy.
    pub fn new(policies: usize, spellings: Spellings) -> Routes {
        Routes { policies, root: Node::default(), spellings }
    }

    /// Adds a path that a policy, by index, can be met by; `None` is any path. Policies are added in order.
    pub fn add(&mut self, index: usize, path: Option<&PathTemplate>) {
        self.root.add(index, &mut path.into_iter().flat_map(PathTemplate::beginning).take(DEPTH));
    }

    /// The indexes of the policies that a request can meet, in order. The path is asked for only if one depends on it.
    #[inline]
    pub fn candidates<R: Request>(&self, asked: &RequestCache<'_, R>) -> Candidates {
        let mut found = Candidates::of(self.policies);
        found.add(&self.root.policies);
        if !self.root.next.is_empty() {
            self.walk(asked.path(), &mut found);
            if let Some(path) = asked.read_path(self.spellings.parameters) {
                self.walk(path, &mut found);
            }
        }
        found
    }

    /// Which spellings of a path are the same.
    pub fn spellings(&self) -> Spellings {
        self.spellings
    }

    #[inline(never)]
    fn walk(&self, path: &[u8], found: &mut Candidates) {
        let Spellings { suffix, case, .. } = self.spellings;
        let mut node = &self.root;
        for segment in path.strip_prefix(b"/").unwrap_or_default().split(|byte| *byte == b'/') {
            let bare = if suffix { without_suffix(segment) } else { segment };
            if bare.len() < segment.len()
                && let Some(next) = node.next(bare, case)
            {
                found.add(&next.policies);
            }
            let Some(next) = node.next(segment, case) else { break };
            node = next;
            found.add(&node.policies);
        }
    }
}

impl Node {
    /// What is behind a segment, or behind the one that it is in lower case.
    #[inline(never)]
    fn next(&self, segment: &[u8], any_case: bool) -> Option<&Node> {
        let read = |byte: &u8| if any_case { byte.to_ascii_lowercase() } else { *byte };
        let order = |(known, _): &(Vec<u8>, Node)| known.iter().copied().cmp(segment.iter().map(read));
        let at = self.next.binary_search_by(order).ok()?;
        self.next.get(at).map(|(_, node)| node)
    }

    fn add(&mut self, policy: usize, beginning: &mut dyn Iterator<Item = &[u8]>) {
        let Some(segment) = beginning.next() else { return self.policies.push(policy) };
        let at = match self.next.binary_search_by(|(known, _)| known.as_slice().cmp(segment)) {
            Ok(at) => at,
            Err(at) => {
                self.next.insert(at, (segment.into(), Node::default()));
                at
            }
        };
        if let Some((_, next)) = self.next.get_mut(at) {
            next.add(policy, beginning);
        }
    }
}

/// Indexes of policies, in order, each once.
pub struct Candidates {
    /// A bit for each policy: for the first 64, then for the others.
    word: u64,
    others: Vec<u64>,
    at: usize,
}

impl Candidates {
    #[inline]
    fn of(len: usize) -> Candidates {
        Candidates { word: 0, others: vec![0; len.div_ceil(64).saturating_sub(1)], at: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let others = self.others.iter().skip(self.at).map(|word| word.count_ones());
        (self.word.count_ones() + others.sum::<u32>()) as usize
    }

    fn add(&mut self, indexes: &[usize]) {
        for index in indexes {
            let word = match index / 64 {
                0 => Some(&mut self.word),
                other => self.others.get_mut(other - 1),
            };
            if let Some(word) = word {
                *word |= 1 << (index % 64);
            }
        }
    }
}

impl Iterator for Candidates {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.word = *self.others.get(self.at)?;
            self.at += 1;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.at * 64 + bit)
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::compile;
    use crate::config::parse;
    use crate::engine::role;
    use crate::http::{MetadataPath, Request, RequestCache};
    use crate::rules::PolicySet;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    struct Get<'a>(&'a str);

    impl Request for Get<'_> {
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == ":path").then(|| self.0.into())
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            None
        }
        fn metadata(&self, _: &MetadataPath) -> Option<Vec<u8>> {
            None
        }
    }

    /// A policy for each of these lists of paths.
    fn set(policies: &[Vec<String>]) -> PolicySet {
        set_with("", policies)
    }

    /// The same with these options about paths.
    fn set_with(options: &str, policies: &[Vec<String>]) -> PolicySet {
        let policy = |(index, paths): (usize, &Vec<String>)| {
            let rules: Vec<_> = paths.iter().map(|path| format!(r#"{{"path": "{path}"}}"#)).collect();
            let rules = rules.join(",");
            let matches = if paths.is_empty() { String::new() } else { format!(r#""match": [{rules}],"#) };
            format!(
                r#"{{"name": "p{index}", "key": "all", {matches} "limits": [{{"quota": 5, "window": "1m"}}]}}"#
            )
        };
        let policies: Vec<_> = policies.iter().enumerate().map(policy).collect();
        let json = format!(
            r#"{{"keys": {{"all": {{"constant": "x"}}}}, "paths": {{{options}}}, "policies": [{}]}}"#,
            policies.join(",")
        );
        compile(&parse(json.as_bytes()).unwrap()).unwrap().rules
    }

    fn candidates(set: &PolicySet, path: &str) -> Vec<usize> {
        set.routes.candidates(&RequestCache::new(&Get(path))).collect()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn only_policies_whose_path_begins_as_the_requests_does_are_asked() {
        let paths = ["/v1/a/**", "/v1/b/{id}", "/v1/{kind}", "/v2/a", "/**"];
        let set = set(&[paths.iter().map(|path| vec![(*path).into()]).collect(), vec![vec![]]].concat());
        assert_eq!(candidates(&set, "/v1/a/7?x=/v2/a"), [0, 2, 4, 5]);
        assert_eq!(candidates(&set, "/v1/c"), [2, 4, 5]);
        assert_eq!(candidates(&set, "/v2/a"), [3, 4, 5]);
        assert_eq!(candidates(&set, ""), [4, 5]);
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_policy_that_matches_is_left_out(
            policies in prop::collection::vec(prop::collection::vec("(/([abB]|a\\.j|a;b|\\*)?){1,10}(/\\*\\*)?", 0..3), 1..80),
            path in "(/([abA]|%61|b;a|;|\\.\\.;|a\\.b)?){0,11}(\\?[ab/]*)?",
            options in "(\"(case|suffix|parameters|trailing_slash)\": \"strict\")?",
        ) {
            let set = set_with(&options, &policies);
            let get = Get(&path);
            let asked = RequestCache::new(&get);
            let found: Vec<usize> = set.routes.candidates(&asked).collect();
            prop_assert!(found.is_sorted_by(|one, next| one < next));
            for (index, policy) in set.policies.iter().enumerate() {
                prop_assert!(role(policy, &asked).is_none() || found.contains(&index), "{index}");
            }
        }
    }
}
