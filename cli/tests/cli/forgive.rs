use super::*;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

const POLICY: &str = r#"
keys:
  api_key: { header: x-api-key }
  client_ip: { client_ip: {} }
policies:
  - name: api
    key: api_key
    block_for: 1h
    limits: [{ name: minute, quota: 5, window: 1m }, { name: open, quota: 5, algorithm: concurrency }]
  - { name: login, key: client_ip, limits: [{ quota: 5, window: 1h }] }
"#;

fn forgive(more: &[&str], input: &str) -> Ran {
    let path = file("forgive.yaml", POLICY).display().to_string();
    let before: &[&str] =
        if more.contains(&"--before") { &[] } else { &["--before", "2026-11-29T10:00:00Z"] };
    tollgate_reading(&[&["forgive", path.as_str()], before, more].concat(), input)
}

#[test]
fn an_entry_is_printed_that_the_policy_takes() {
    let printed = forgive(&["--key", "api_key", "--value-stdin"], "abc\n").success();
    let entry = format!("- {{ key: api_key, sha256: \"{ABC}\", before: \"2026-11-29T10:00:00Z\" }}\n");
    assert_eq!(printed, format!("# forgives: api/minute, the block of api\n{entry}"));
    let with = file("forgive-with.yaml", &format!("{POLICY}forgive:\n  {entry}"));
    let checked = tollgate(&["check", &with.display().to_string()]);
    assert_eq!(checked.status, 0, "{}{}", checked.stdout, checked.stderr);
    let digest = format!("sha256:{ABC}");
    assert_eq!(forgive(&["--key", "api_key", "--sha256", &digest], "").success(), printed);
    let address = forgive(&["--key", "client_ip", "--value", "192.0.2.7", "--policy", "login"], "").success();
    let entry = "- { key: client_ip, value: \"192.0.2.7\", policy: login, before: \"2026-11-29T10:00:00Z\" }";
    assert_eq!(address, format!("# forgives: login/limit\n{entry}\n"));
}

#[test]
fn what_would_be_an_error_is_told_by_option() {
    for (arguments, why) in [
        (&["--key", "nobody", "--value", "a"][..], "no such key; it has: api_key, client_ip"),
        (
            &["--key", "api_key", "--value-stdin", "--policy", "login"],
            "--policy: found \"login\", but allowed is api",
        ),
        (
            &["--key", "api_key", "--value-stdin", "--policy", "api", "--limit", "open"],
            "--limit: found \"open\"",
        ),
        (&["--key", "client_ip", "--sha256", ABC], "--sha256: found the digest of an address"),
        (&["--key", "client_ip", "--value", "s3cret"], "--value: found no IP address"),
        (&["--key", "api_key", "--sha256", "s3cret"], "64 hexadecimal digits"),
    ] {
        let ran = forgive(arguments, "s3cret");
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    let ran = forgive(&["--key", "api_key", "--value-stdin"], "");
    assert!(ran.status == 2 && ran.stderr.contains("a single line"), "{}", ran.stderr);
}

/// A header may be a credential, whatever it is called.
#[test]
fn no_value_that_may_be_a_secret_is_shown() {
    let printed = forgive(&["--key", "api_key", "--value", "abc"], "").success();
    assert!(printed.contains(ABC) && !printed.contains("\"abc\""), "{printed}");
    let ran = forgive(&["--key", "api_key", "--before", "s3cret", "--value-stdin"], "abc");
    assert!(ran.status == 2 && !ran.stderr.contains("s3cret"), "{}", ran.stderr);
}
