//! A request's headers are the same to the filter, whether it reads them one by one or in one call of Envoy's.

use crate::harness::{Gateway, Request, Setup, new_key};

/// One of a kind for each caller, by a key.
fn policy(key: &str, together: bool) -> String {
    policies(&[(key, "")], together)
}

/// The same by each of these keys, for the paths that a match says.
fn policies(keys: &[(&str, &str)], together: bool) -> String {
    // With three headers of each request they are read in one call: this policy has no effect but that.
    let (more_keys, more) = match together {
        true => (
            "  m: { request: method }\n  p: { request: path }\n",
            "  - { name: other, key: [m, p], limits: [{ quota: 1000000, window: 1h }] }\n",
        ),
        false => ("", ""),
    };
    let number = || keys.iter().enumerate();
    let named: String = number().map(|(n, (key, _))| format!("  k{n}: {key}\n")).collect();
    let policy = |(n, (_, matches)): (usize, &(&str, &str))| {
        format!("  - {{ name: key-{n}, key: k{n}, {matches}limits: [{{ quota: 1, window: 1h }}] }}\n")
    };
    let policies: String = number().map(policy).collect();
    format!("keys:\n{named}{more_keys}policies:\n{policies}{more}")
}

/// The statuses of requests whose header lines are these, one after the other.
fn statuses(gateway: &Gateway, path: &str, requests: &[Vec<(&str, Vec<u8>)>]) -> Vec<u16> {
    let send = |lines: &Vec<(&str, Vec<u8>)>| {
        let add = |request: Request, (name, value): &(&str, Vec<u8>)| match *name {
            "host" => request.host(std::str::from_utf8(value).expect("a host")),
            name => request.header(name, value),
        };
        lines.iter().fold(gateway.get(path), add).send().status
    };
    requests.iter().map(send).collect()
}

#[test]
fn x_6_lines_of_any_bytes_are_the_same_caller_however_they_are_read() {
    let base = new_key();
    let value = |suffix: &[u8]| [base.as_bytes(), suffix].concat();
    let [a, b, odd, comma] = [&b"a"[..], b"b", b"\xff\xfe\x80", b"a,b"].map(value);
    let of = |name: &'static str| {
        let one = |value: &Vec<u8>| vec![(name, value.clone())];
        let two = |first: &Vec<u8>, second: &Vec<u8>| vec![(name, first.clone()), (name, second.clone())];
        vec![
            one(&a),
            one(&b),
            one(&a),
            two(&a, &b),
            two(&b, &a),
            two(&odd, &a),
            one(&odd),
            one(&comma),
            two(&a, &a),
            vec![(name, Vec::new())],
            vec![(name, Vec::new())],
            two(&Vec::new(), &value(b"c")),
            one(&value(b"c")),
            vec![],
            one(&[b" ".as_slice(), &value(b"d"), b" \t"].concat()),
            one(&value(b"d")),
        ]
    };
    // `authorization`, `user-agent` and `x-forwarded-for` are of the headers that Envoy knows, and joins itself.
    const NAMES: [&str; 4] = ["x-key", "authorization", "user-agent", "x-forwarded-for"];
    const READINGS: [&str; 5] =
        ["", ", repeated: reject", ", repeated: last", ", whole: true", ", separator: \",\", index: 1"];
    let all = NAMES.into_iter().flat_map(|name| READINGS.map(|reading| (name, reading)));
    let key = |(n, (name, reading)): (usize, (&str, &str))| {
        (format!("{{ header: {name}{reading} }}"), format!("match: [{{ path: /{n} }}], "))
    };
    let keys: Vec<_> = all.clone().enumerate().map(key).collect();
    let keys: Vec<_> = keys.iter().map(|(key, matches)| (key.as_str(), matches.as_str())).collect();
    let gateways = [false, true].map(|together| Setup::yaml(policies(&keys, together)).start());
    for (n, (name, reading)) in all.enumerate() {
        let [single, together] = [0, 1].map(|which| statuses(&gateways[which], &format!("/{n}"), &of(name)));
        assert_eq!(single, together, "{name}{reading}");
        assert!(single.contains(&429) && single.contains(&200), "{name}{reading}: {single:?}");
    }
}

/// Envoy gives `:authority` to who asks for `host`, and its map of headers has no `host`.
#[test]
fn the_host_as_a_header_is_a_caller_however_it_is_read() {
    for together in [false, true] {
        let gateway = Setup::yaml(policy("{ header: host }", together)).start();
        let to = |host: &str| vec![("host", host.as_bytes().to_vec())];
        let statuses = statuses(&gateway, "/", &[to("a.example"), to("b.example"), to("a.example")]);
        assert_eq!(statuses, [200, 200, 429], "{together}");
    }
}

/// The most that a client can send by default: 60 KB in 100 headers.
#[test]
fn x_6_headers_of_60_kb_are_read_in_one_call() {
    let gateway = Setup::yaml(policy("{ header: x-key }", true)).start();
    let padding = "v".repeat(650);
    let add = |request: Request, number: u32| request.header(&format!("x-padding-{number}"), &padding);
    let ask = |key: &str| (0..88).fold(gateway.get("/"), add).header("x-key", key).send().status;
    assert_eq!([ask("a"), ask("b"), ask("a")], [200, 200, 429]);
}
