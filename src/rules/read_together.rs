//! Which request headers the filter reads in one call of the host, instead of one by one.
//!
//! One call for all headers costs as much as two calls for one (BENCHMARKS.md), so it is made where a request
//! probably has three that are read. What a request has, a client decides, so this is decided once, by the
//! policies. It changes what a request costs, and nothing else.

use super::{Key, Policy, PolicySet, RequestMatch};

/// From so many headers on they are read together.
const MIN_HEADERS: usize = 3;

/// With more names than this it would cost too much to look for each of a request's headers among them.
const MAX_NAMES: usize = 16;

/// Names of headers, each once.
#[derive(Clone, Default)]
struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    fn add(&mut self, name: &'a str) {
        // Cookies are read in a way of their own. And Envoy gives `:authority` to who asks for `host`.
        if !matches!(name, "cookie" | "host") && !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// Adds the headers that a match reads and that every request has.
    fn add_certain(&mut self, rule: &'a RequestMatch) {
        rule.headers(&mut |name| {
            if name.starts_with(':') {
                self.add(name);
            }
        });
    }
}

impl PolicySet {
    /// The headers, in lower case, that are read in one call for each request. Empty if that does not pay.
    #[inline(never)] // once for each configuration
    pub fn read_together(&self) -> Vec<String> {
        let all = self.all_read();
        if !self.reads_enough() || all.0.len() > MAX_NAMES {
            return Vec::new();
        }
        all.0.into_iter().map(String::from).collect()
    }

    /// All headers that a decision may read.
    fn all_read(&self) -> Names<'_> {
        let mut all = Names::default();
        let mut add = |rule| RequestMatch::headers(rule, &mut |name| all.add(name));
        self.exempt.iter().for_each(&mut add);
        for policy in &self.policies {
            policy.judged().for_each(&mut add);
            policy.except.iter().for_each(&mut add);
            policy.response.return_matches().for_each(&mut add);
        }
        self.callers.keys.iter().filter_map(|key| key.source.reads()).for_each(|name| all.add(name));
        if self.exempt_preflight {
            all.add("access-control-request-method");
        }
        all
    }

    /// Whether nearly every request has enough headers that are read for it: by the policies for all paths, or by
    /// each policy for some, of which most requests fit one.
    fn reads_enough(&self) -> bool {
        let mut always = Names::default();
        self.exempt.iter().for_each(|rule| always.add_certain(rule));
        let is_for_some =
            |policy: &Policy| !policy.matches.is_empty() && policy.judged().all(|rule| rule.path().is_some());
        let mut any = false;
        for policy in &self.policies {
            match is_for_some(policy) {
                true => any = true,
                false => self.add_read_by(policy, &mut always),
            }
        }
        if !any {
            return always.0.len() >= MIN_HEADERS;
        }
        always.add(":path");
        self.policies.iter().filter(|policy| is_for_some(policy)).all(|policy| {
            let mut names = always.clone();
            self.add_read_by(policy, &mut names);
            names.0.len() >= MIN_HEADERS
        })
    }

    /// Adds the headers that a policy reads of each request that it applies to.
    fn add_read_by<'a>(&'a self, policy: &'a Policy, names: &mut Names<'a>) {
        policy.judged().take(1).for_each(|rule| names.add_certain(rule));
        for index in &policy.key {
            let first = Key::origins(&self.callers.keys, index).first();
            let key = first.and_then(|index| self.callers.keys.get(*index));
            key.and_then(|key| key.source.reads()).into_iter().for_each(|name| names.add(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::compile;
    use crate::config;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn read_together(keys: &str, policies: &str) -> Vec<String> {
        let policy =
            format!(r#"{{"exempt_preflight": false, "keys": {{{keys}}}, "policies": [{policies}]}}"#);
        let mut names = compile(&config::parse(policy.as_bytes()).unwrap()).unwrap().rules.read_together();
        names.sort_unstable();
        names
    }

    const KEYS: &str = r#""a": {"header": "x-a"}, "b": {"header": "x-b"}, "c": {"header": "X-C"},
        "ip": {"client_ip": {}}, "host": {"header": "host"}, "session": {"cookie": "s"}, "h": {"host": {}},
        "first": {"first_of": ["a", "b", "ip"]}"#;

    fn by(key: &str, more: &str) -> Vec<String> {
        let policy =
            format!(r#"{{"name": "p", "key": {key}, {more} "limits": [{{"quota": 1, "window": "60s"}}]}}"#);
        read_together(KEYS, &policy)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn headers_are_read_together_where_each_request_probably_has_three() {
        let nothing: [&str; 0] = [];
        let path = r#""match": [{"path": "/v1/**"}],"#;
        let both = r#""match": [{"path": "/v1/**", "method": "GET"}],"#;
        assert_eq!(by(r#"["a", "b", "c"]"#, ""), [":authority", "x-a", "x-b", "x-c"]);
        for (key, more) in [
            (r#"["a", "b"]"#, ""),
            (r#""a""#, path),
            (r#""ip""#, both),
            (r#""first""#, path),
            (r#"["a", "host", "session"]"#, ""),
        ] {
            assert_eq!(by(key, more), nothing, "{key} {more}");
        }
        for (key, more) in [
            (r#""a""#, both),
            (r#"["a", "b"]"#, path),
            (r#"["a", "b", "h"]"#, ""),
            (r#"["first", "c"]"#, path),
        ] {
            assert_ne!(by(key, more), nothing, "{key} {more}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_policy_that_reads_less_keeps_requests_for_other_paths_from_paying_for_it() {
        let policy = |name: &str, key: &str, matches: &str| {
            format!(
                r#"{{"name": "{name}", "key": {key}, "match": [{matches}], "limits": [{{"quota": 1, "window": "60s"}}]}}"#
            )
        };
        let of = |policies: &[String]| read_together(KEYS, &policies.join(","));
        let much = policy("much", r#"["a", "b"]"#, r#"{"path": "/much"}"#);
        let little = policy("little", r#""a""#, r#"{"path": "/little"}"#);
        let all = policy("all", r#"["a", "b", "c"]"#, "{}");
        assert!(!of(std::slice::from_ref(&much)).is_empty());
        assert!(of(&[much.clone(), little.clone()]).is_empty());
        assert!(!of(&[much, little, all]).is_empty());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn many_names_are_asked_for_one_by_one() {
        let keys: Vec<String> = (0..17).map(|n| format!(r#""k{n}": {{"header": "x-{n}"}}"#)).collect();
        let policy = r#"{"name": "p", "key": ["k0", "k1", "k2"], "limits": [{"quota": 1, "window": "60s"}]}"#;
        assert_eq!(read_together(&keys[..16].join(","), policy).len(), 16);
        assert!(read_together(&keys.join(","), policy).is_empty());
    }
}
