//! An index of the policies by path, so that a request is matched only against policies that its path can
//! match.

use crate::http::spelling::without_suffix;
use crate::http::{PathTemplate, Request, RequestCache, Spellings};

/// A tree of the literal segments that the policies' path templates begin with. A path can match the policies
/// of all nodes on its way down the tree; whether it does is decided by each policy's
/// [`RequestMatch`](super::RequestMatch).
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The number of policies.
    policies: usize,
    root: Node,
    /// The spellings in which paths match.
    spellings: Spellings,
}

/// The index uses at most this many segments of a path.
const MAX_DEPTH: usize = 8;

#[derive(Clone, Debug, Default)]
struct Node {
    /// The policies, by index, that have no further literal segment.
    policies: Vec<usize>,
    /// The nodes below, by segment as a server reads it, in ascending order.
    children: Vec<(Vec<u8>, Node)>,
}

impl Routes {
    /// An empty index for this many policies, whose paths match in these spellings. [`Routes::add`] fills it.
    pub fn new(policies: usize, spellings: Spellings) -> Routes {
        Routes { policies, root: Node::default(), spellings }
    }

    /// Adds a path that a policy, by index, matches; `None` stands for any path.
    pub fn add(&mut self, index: usize, path: Option<&PathTemplate>) {
        self.root.add(index, &mut path.into_iter().flat_map(PathTemplate::beginning).take(MAX_DEPTH));
    }

    /// The policies, by index, that a request can match, in order. The path is read only if some policy
    /// depends on it.
    #[inline]
    pub fn candidates<R: Request>(&self, request: &RequestCache<'_, R>) -> Candidates {
        let mut found = Candidates::none_of(self.policies);
        found.add(&self.root.policies);
        if !self.root.children.is_empty() {
            self.walk(request.path(), &mut found);
            if let Some(path) = request.decoded_path(self.spellings.parameters) {
                self.walk(path, &mut found);
            }
        }
        found
    }

    /// The spellings in which paths match.
    pub fn spellings(&self) -> Spellings {
        self.spellings
    }

    fn walk(&self, path: &[u8], found: &mut Candidates) {
        let Spellings { suffix, case, .. } = self.spellings;
        let mut node = &self.root;
        for segment in path.strip_prefix(b"/").unwrap_or_default().split(|byte| *byte == b'/') {
            let bare = if suffix { without_suffix(segment) } else { segment };
            if bare.len() < segment.len()
                && let Some(child) = node.child(bare, case)
            {
                found.add(&child.policies);
            }
            let Some(child) = node.child(segment, case) else { break };
            node = child;
            found.add(&node.policies);
        }
    }
}

impl Node {
    /// The node below for this segment; with `any_case`, for the segment in lower case.
    fn child(&self, segment: &[u8], any_case: bool) -> Option<&Node> {
        let read = |byte: &u8| if any_case { byte.to_ascii_lowercase() } else { *byte };
        let order = |(known, _): &(Vec<u8>, Node)| known.iter().copied().cmp(segment.iter().map(read));
        let at = self.children.binary_search_by(order).ok()?;
        self.children.get(at).map(|(_, node)| node)
    }

    fn add(&mut self, policy: usize, beginning: &mut dyn Iterator<Item = &[u8]>) {
        let Some(segment) = beginning.next() else { return self.policies.push(policy) };
        let at = match self.children.binary_search_by(|(known, _)| known.as_slice().cmp(segment)) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (segment.into(), Node::default()));
                at
            }
        };
        if let Some((_, child)) = self.children.get_mut(at) {
            child.add(policy, beginning);
        }
    }
}

/// A set of policies' indexes, iterated in ascending order.
pub struct Candidates {
    /// One bit for each of the 64 policies from `64 * at` on.
    word: u64,
    /// The bits of all policies but the first 64.
    others: Vec<u64>,
    at: usize,
}

impl Candidates {
    #[inline]
    fn none_of(policies: usize) -> Candidates {
        Candidates { word: 0, others: vec![0; policies.div_ceil(64).saturating_sub(1)], at: 0 }
    }

    /// The number of candidates left.
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
    use crate::engine::caller::{Caller, ConsumerCache};
    use crate::engine::role;
    use crate::http::RequestCache;
    use crate::identity::{Seed, Seeds};
    use crate::rules::PolicySet;
    use crate::testing::{FakeRequest, compiled};
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// A policy set with one policy for each of these lists of paths.
    fn set(policies: &[Vec<String>]) -> PolicySet {
        set_with("", policies)
    }

    /// The same with these options for `paths`.
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
        compiled(&json).rules
    }

    fn candidates(set: &PolicySet, path: &str) -> Vec<usize> {
        set.routes.candidates(&RequestCache::new(&FakeRequest::to(path))).collect()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn only_policies_whose_path_begins_as_the_requests_does_are_asked() {
        let paths =
            ["/v1/a/**", "/v1/b/{id}", "/v1/{kind}", "/v2/a", "/**", "/v1/a*", "/v2/**/a", "/**/*.php"];
        let set = set(&[paths.iter().map(|path| vec![(*path).into()]).collect(), vec![vec![]]].concat());
        assert_eq!(candidates(&set, "/v1/a/7?x=/v2/a"), [0, 2, 4, 5, 7, 8]);
        assert_eq!(candidates(&set, "/v1/c"), [2, 4, 5, 7, 8]);
        assert_eq!(candidates(&set, "/v2/a"), [3, 4, 6, 7, 8]);
        assert_eq!(candidates(&set, ""), [4, 7, 8]);
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_policy_that_matches_is_left_out(
            policies in prop::collection::vec(prop::collection::vec("(/([abB]|a\\.j|a;b|\\*|a\\*|\\*b)?){1,10}(/\\*\\*(/(a|\\*b)(/\\*\\*)?)?)?", 0..3), 1..80),
            path in "(/([abA]|%61|b;a|;|\\.\\.;|a\\.b)?){0,11}(\\?[ab/]*)?",
            options in "(\"(case|suffix|parameters|trailing_slash)\": \"strict\")?",
        ) {
            let set = set_with(&options, &policies);
            let get = FakeRequest::to(&path);
            let request = RequestCache::new(&get);
            let found: Vec<usize> = set.routes.candidates(&request).collect();
            prop_assert!(found.is_sorted_by(|one, next| one < next));
            let seeds = Seeds { table: Seed::new([0; Seed::LEN]), fleet: None };
            let cache = ConsumerCache::default();
            let caller = Caller::new(&request, &set.callers, &cache, &seeds, &[]);
            for (index, policy) in set.policies.iter().enumerate() {
                prop_assert!(role(policy, &caller).is_none() || found.contains(&index), "{index}");
            }
        }
    }
}
