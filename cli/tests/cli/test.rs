//! `tollgate test`, and the test files of the repository.

use super::*;

/// The systems whose promises are cases.
const SYSTEMS: [&str; 5] = ["billium", "factuarea", "facturapi", "parseo", "safepays"];

/// A policy of fifty a minute, and cases beside it: the path of the test file.
fn cases(name: &str, cases: &str) -> String {
    file(&format!("{name}.yaml"), &policy(""));
    file(&format!("{name}.test.yaml"), cases).display().to_string()
}

/// A file with one request.
fn one(name: &str, request: &str) -> String {
    cases(name, &format!("cases:\n  - name: one\n    requests:\n      - {{ {request} }}\n"))
}

#[test]
fn the_five_systems_do_what_their_cases_say() {
    for system in SYSTEMS {
        let path = format!("envoy/policies/{system}.test.yaml");
        let printed = tollgate(&["test", &path]).success();
        let (_, cases) = printed.split_once(": ").unwrap();
        let number: u32 = cases.split(' ').next().unwrap().parse().unwrap();
        assert!(number >= 8, "{printed}");
        assert!(cases.contains("cases, passed; "), "{printed}");
        let policy = format!("envoy/policies/{system}.yaml");
        assert_eq!(tollgate(&["test", &policy]).success(), printed, "the policy names its test file");
    }
}

/// A case that passes with any policy would prove nothing.
#[test]
fn the_cases_of_the_five_systems_fail_if_their_numbers_change() {
    for (system, from, to) in [
        ("billium", "quota: 50", "quota: 51"),
        ("factuarea", "free: 10,", "free: 11,"),
        ("facturapi", "quota: 20, retry_after", "quota: 21, retry_after"),
        ("parseo", "quota: 20,", "quota: 19,"),
        ("safepays", "quota: 10000,", "quota: 9999,"),
    ] {
        let read = |end: &str| {
            let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy/policies"));
            fs::read_to_string(folder.join(format!("{system}{end}"))).unwrap()
        };
        let (policy, tests) = (read(".yaml"), read(".test.yaml"));
        assert!(policy.contains(from), "{system}");
        file(&format!("{system}.yaml"), &policy.replace(from, to));
        let path = file(&format!("{system}.test.yaml"), &tests);
        let ran = tollgate(&["test", path.to_str().unwrap()]);
        assert_eq!(ran.status, 1, "{system}: {}", ran.stdout);
        assert!(ran.stdout.contains(" failed; "), "{}", ran.stdout);
    }
}

#[test]
fn a_difference_has_its_line_what_was_expected_and_what_was_found() {
    let path = cases(
        "difference",
        "cases:
  - name: fifty pass
    requests:
      - request: GET /
        times: 52
        admitted: 52
        expect: { status: 200 }
        last:
          headers: { retry-after: 61 }
",
    );
    let ran = tollgate(&["test", &path]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let expected = format!(
        "{path}:2: failed: fifty pass
  request 51 of 52 GET / at 2026-01-05T12:00:00Z, and 1 more of them
    status (line 7)
      - expected 200
      + found    429
  52 requests GET /, from 2026-01-05T12:00:00Z
    admitted (line 6)
      - expected 52
      + found    50
  request 52 of 52 GET / at 2026-01-05T12:00:00Z
    header retry-after (line 9)
      - expected 61
      + found    60
{path}: 1 case, 1 failed; 52 requests
"
    );
    assert_eq!(ran.stdout, expected);
}

#[test]
fn each_kind_of_expectation_can_fail() {
    for (number, (expectation, what)) in [
        ("decision: rejected", "decision"),
        ("rejected_by: ip", "rejected by"),
        ("status: 201", "status"),
        ("headers: { x-a: 1 }", "header x-a"),
        ("headers: { x-b: false }", "header x-b"),
        ("headers: { x-b: { matches: 'a*' } }", "header x-b"),
        ("headers: { x-b: { seconds_at: 1s } }", "header x-b"),
        ("body: ''", "body"),
        ("left: { ip: 50 }", "left of ip"),
        ("shadow_rejected_by: [ip]", "shadow rejected by"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = "answer: { headers: { x-b: b } }";
        let path =
            one(&format!("kind{number}"), &format!("request: /, {answer}, expect: {{ {expectation} }}"));
        let ran = tollgate(&["test", &path]);
        assert_eq!(ran.status, 1, "{expectation}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(&format!("    {what} (line ")), "{expectation}: {}", ran.stdout);
    }
}

#[test]
fn the_results_can_be_json() {
    let path = one("as_json", "request: GET /, expect: { status: 429 }");
    let ran = tollgate(&["test", "--json", &path]);
    assert_eq!(ran.status, 1);
    let report = &json(&ran.stdout)[0];
    assert_eq!(report["passed"], false);
    let difference = &report["cases"][0]["differences"][0];
    assert_eq!(difference["path"], "cases[0].requests[0].expect.status");
    assert_eq!((&difference["line"], &difference["expected"]), (&json("4"), &json("\"429\"")));
    assert_eq!(difference["actual"], "200");
}

#[test]
fn the_results_can_be_junit() {
    let path = cases(
        "as_junit",
        "cases:
  - { name: \"<a> & \\\"b\\\"\", requests: [{ request: /, expect: { status: 200 } }] }
  - { name: fails, requests: [{ request: /, expect: { status: 429 } }] }
",
    );
    let junit = Path::new(env!("CARGO_TARGET_TMPDIR")).join("results.xml").display().to_string();
    assert_eq!(tollgate(&["test", &path, "--junit", &junit]).status, 1);
    let document = fs::read_to_string(&junit).unwrap();
    assert!(document.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tollgate\" tests=\"2\" failures=\"1\""
    ));
    assert!(document.contains("name=\"&lt;a&gt; &amp; &quot;b&quot;\" file="), "{document}");
    assert!(
        document.contains("line=\"3\">\n      <failure message=\"status: expected 429, found 200\">"),
        "{document}"
    );
}

/// CI shows what the report has. A file that is left out looks like one that passed.
#[test]
fn a_file_without_results_is_an_error_in_the_junit_report() {
    let good = one("junit_good", "request: /");
    let invalid = one("junit_invalid", "request: /, tims: 5");
    let policy_invalid = one("junit_policy_invalid", "request: /");
    file("junit_policy_invalid.yaml", &policy("charge: never\n"));
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join("junit_errors.xml");
    let report = report.to_str().unwrap();
    let files = [good.as_str(), &invalid, "no/such.test.yaml", &policy_invalid];
    let ran = tollgate(&[&["test", "--junit", report][..], &files].concat());
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains("1 case, passed"), "{}", ran.stdout);
    let document = fs::read_to_string(report).unwrap();
    assert!(
        document.contains("<testsuites name=\"tollgate\" tests=\"4\" failures=\"0\" errors=\"3\">"),
        "{document}"
    );
    assert_eq!(document.matches("failures=\"0\" errors=\"1\" skipped=\"0\">").count(), 3, "{document}");
    for says in [
        format!("<error message=\"{invalid}:4: error: cases[0].requests[0].tims: found an unknown field;"),
        "<error message=\"tollgate: no/such.test.yaml cannot be read: ".into(),
        "junit_policy_invalid.yaml:6: error: charge: found &quot;never&quot;".into(),
    ] {
        assert!(document.contains(&says), "{says}\n{document}");
    }
}

/// A test file comes from a repository, and what it prints goes into a public log.
#[test]
fn nothing_of_a_file_that_is_no_policy_is_printed() {
    for (number, text) in [
        "hunter2secret",
        "token: hunter2secret\n",
        "keys: { hunter2secret: hunter2secret }\n",
        "policies: [{ hunter2secret: 1 }]\nhunter2secret: 1\n",
        "- [hunter2secret\n",
        "a: *hunter2secret\n",
        "static_resources: { hunter2secret: { typed_config: { '@type': hunter2secret } } }\n",
        "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { policies: 'keys: hunter2secret' }\n",
        "{\"hunter2secret\": }",
    ].iter().enumerate() {
        let secret = file(&format!("secret{number}.yaml"), text).display().to_string();
        let path = file(&format!("curious{number}.test.yaml"), &format!("policy: {secret}\ncases: []\n"));
        let path = path.display().to_string();
        for arguments in [&["test", &path][..], &["test", "--json", &path]] {
            let ran = tollgate(arguments);
            assert_eq!(ran.status, 1, "{text}");
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"), "{}", ran.stderr);
            assert!(ran.stderr.contains(&format!("tollgate check {secret} shows its errors")), "{}", ran.stderr);
        }
    }
}

#[test]
fn only_cases_whose_name_contains_the_filter_run() {
    let path = "envoy/policies/billium.test.yaml";
    let printed = tollgate(&["test", "-v", path, "--filter", "BI-10"]).success();
    assert_eq!(printed.matches("passed  BI-10").count(), 2, "{printed}");
    assert!(printed.contains(": 2 cases, passed"), "{printed}");
    let none = tollgate(&["test", path, "--filter", "BI-99"]);
    assert_eq!(none.status, 2);
    assert_eq!(none.stderr, "tollgate: no case has a name that contains \"BI-99\"\n");
}

#[test]
fn an_invalid_policy_is_1_and_an_invalid_test_file_is_2() {
    let path = one("invalid_policy", "request: /");
    file("invalid_policy.yaml", &policy("charge: never\n"));
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("invalid_policy.yaml:6: error: charge: found \"never\""), "{}", ran.stderr);

    let path =
        cases("invalid_cases", "cases:\n  - name: a\n    requests:\n      - { request: /, tims: 5 }\n");
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .starts_with(&format!("{path}:4: error: cases[0].requests[0].tims: found an unknown field;"))
    );
    assert!(ran.stderr.contains("did you mean times?"), "{}", ran.stderr);

    let alone = file("without_cases.yaml", &policy("")).display().to_string();
    let ran = tollgate(&["test", &alone]);
    let why = "without_cases.test.yaml does not exist\n";
    assert!(ran.status == 2 && ran.stderr.ends_with(why), "{}", ran.stderr);

    assert_eq!(tollgate(&["test", "no/such.test.yaml"]).status, 2);
    let stdin = tollgate_reading(&["test", "-"], "cases: []\n");
    assert_eq!(stdin.status, 2);
    assert!(
        stdin.stderr.contains("policy: found nothing; allowed: the file with the policy"),
        "{}",
        stdin.stderr
    );
}

#[test]
fn every_error_of_a_test_file_says_what_was_found_and_what_is_allowed() {
    for (request, error) in [
        ("request: GET", "request: found \"GET\"; allowed: a method and a path"),
        ("request: /, client_ip: localhost", "client_ip: found \"localhost\"; allowed: an address"),
        ("request: /, times: 0", "times: found 0; allowed: a whole number from 1 to 1000000"),
        ("request: /, every: 1s", "every: found every without times; allowed: only with times"),
        ("request: /, times: 2, every: 1w", "every: found \"1w\"; allowed: a time such as 250ms"),
        (
            "request: /, times: 2, admitted: 3",
            "admitted: found 3 of 2 requests; allowed: at most as many as times",
        ),
        ("request: /, at: 1s, wait: 1s", "at: found at with wait; allowed: only one of them"),
        ("request: /, at: 2026-01-01T00:00:00Z", "at: found an instant before the start of the case"),
        ("request: /, at: 2046-01-01T00:00:00Z", "at: found an instant more than 3660d after the start"),
        ("request: /, times: 1000, every: 366d", "found a request that ends more than 3660d after"),
        ("request: /, headers: { a b: c }", "headers[\"a b\"]: found \"a b\"; allowed: the name of a header"),
        ("request: /, headers: { a: true }", "headers.a: found true; allowed: a text"),
        ("request: /, metadata: { a: b }", "metadata.a: found \"a\"; allowed: a path such as"),
        (
            "request: /, certificate: { name: b }",
            "certificate.name: found an unknown field; allowed: subject",
        ),
        (
            "request: /, answer: never",
            "answer: found \"never\"; allowed: a status from 100 to 599, none, or an object",
        ),
        ("request: /, answer: 99", "answer: found 99; allowed: a whole number from 100 to 599"),
        (
            "request: /, answer: { status: none, body: x }",
            "answer: found headers, trailers or a body without an answer",
        ),
        (
            "request: /, expect: { rejected_by: p }",
            "expect.rejected_by: found \"p\"; allowed: ip; did you mean ip?",
        ),
        (
            "request: /, expect: { decision: admitted, rejected_by: ip }",
            "found a policy that rejects what is admitted",
        ),
        (
            "request: /, expect: { left: { ip/minute: 1 } }",
            "found the limit \"ip/minute\"; allowed: ip/limit, ip",
        ),
        (
            "request: /, expect: { left: { ip: -1 } }",
            "expect.left.ip: found -1; allowed: a whole number from 0",
        ),
        (
            "request: /, expect: { headers: { a: {} } }",
            "headers.a: found nothing; allowed: exactly one of matches, seconds_at",
        ),
        (
            "request: /, expect: { headers: { a: [1] } }",
            "headers.a: found a list of 1; allowed: true (it is there)",
        ),
        ("request: /, expect: { body: { json: '{' } }", "body.json: found \"{\"; allowed: JSON, as a text"),
    ] {
        let path = one("errors", request);
        let ran = tollgate(&["test", &path]);
        assert_eq!(ran.status, 2, "{request}: {}", ran.stdout);
        assert!(ran.stderr.contains(error), "{request}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("{path}:")), "{request}: {}", ran.stderr);
    }
}

#[test]
fn two_cases_of_one_name_are_an_error() {
    let path = cases(
        "twice",
        "cases:\n  - { name: a, requests: [{ request: / }] }\n  - { name: a, requests: [{ request: / }] }\n",
    );
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains(":3: error: cases[1].name: found a second case with the name \"a\""),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_that_is_too_large_too_deep_or_sends_too_much_is_refused_with_its_bound() {
    let path = cases("large", &format!("# {}\n", "x".repeat(10_000_000)));
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("a test file has at most 4194304"), "{}", ran.stderr);

    let path = cases("deep", &format!("cases: {}", "[".repeat(100_000)));
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("recursion limit exceeded at column 263"), "{}", ran.stderr);

    let path = cases("deep_block", &format!("cases:\n  {}1\n", "- ".repeat(200)));
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("values nested deeper than 100"), "{}", ran.stderr);

    let path = one("many", "request: /, times: 1000001");
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("found 1000001; allowed: a whole number from 1 to 1000000"),
        "{}",
        ran.stderr
    );

    let rows = "      - { request: /, times: 400000 }\n".repeat(3);
    let path = cases("many_rows", &format!("cases:\n  - name: a\n    requests:\n{rows}"));
    let ran = tollgate(&["test", &path]);
    assert_eq!(ran.status, 2);
    let error = "requests[2].times: found request number 1200000 of the file; allowed: at most 1000000 requests in a file";
    assert!(ran.stderr.contains(error), "{}", ran.stderr);
}

#[test]
fn no_name_of_a_case_and_no_header_writes_control_characters_to_the_terminal() {
    let path = cases(
        "control",
        "cases:\n  - name: \"a\\e[31mb\"\n    requests: [{ request: \"/\\e[31m\", expect: { headers: { x-a: \"a\\e[31mb\" } } }]\n",
    );
    let junit = Path::new(env!("CARGO_TARGET_TMPDIR")).join("control.xml").display().to_string();
    let ran = tollgate(&["test", &path, "--junit", &junit]);
    assert_eq!(ran.status, 1);
    for text in [ran.stdout, fs::read_to_string(&junit).unwrap()] {
        assert!(text.contains("a\u{FFFD}[31mb") && !text.contains('\u{1B}'), "{text:?}");
    }
}

#[test]
fn check_leaves_test_files_to_test() {
    let test = "envoy/policies/billium.test.yaml";
    assert_eq!(tollgate(&["check", "--quiet", BILLIUM, test]).success(), "");
    let alone = tollgate(&["check", test]);
    assert_eq!(alone.status, 2);
    assert!(alone.stderr.contains("run tollgate test"), "{}", alone.stderr);
}

/// The page names each field of the language of test files.
#[test]
fn each_field_of_test_files_is_documented() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/test.md")).unwrap();
    let objects = tollgate_cli::language::objects_in(&tollgate_cli::cases::language::file::OBJECT);
    assert!(objects.len() >= 6);
    let code = page.split('`').skip(1).step_by(2);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = code.flat_map(|code| code.split(|c| !is_word(c))).collect();
    for field in objects.iter().flat_map(|object| object.fields.get()) {
        assert!(words.contains(&field.name), "{}", field.name);
    }
}
