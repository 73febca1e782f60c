use super::*;
use crate::testing::FakeRequest;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test(unsupported = test)]
fn templates_match_whole_paths_segment_by_segment() {
    let cases: [(&str, &[&str], &[&str]); 14] = [
        ("/v1/invoices", &["/v1/invoices"], &["/v1/invoices/", "/v1/invoices/7", "/v1", "v1/invoices", ""]),
        (
            "/v1/invoices/{id}/send",
            &["/v1/invoices/7/send"],
            &["/v1/invoices//send", "/v1/invoices/7/8/send"],
        ),
        ("/v1/*/send", &["/v1/x/send"], &["/v1/send", "/v1//send"]),
        ("/api/v2/**", &["/api/v2", "/api/v2/", "/api/v2/a/b"], &["/api/v22", "/api"]),
        ("/", &["/"], &["/a", ""]),
        ("/v*/users", &["/v1/users", "/v/users", "/v1.2/users"], &["/x1/users", "/v1/x/users", "/users"]),
        (
            "/files/*.pdf",
            &["/files/a.pdf", "/files/.pdf"],
            &["/files/a.pdf/", "/files/a.pdfx", "/files/a/b.pdf"],
        ),
        ("/files/a*-*b/**", &["/files/a-b", "/files/a1-2b/c"], &["/files/ab", "/files", "/files/a-/b"]),
        ("/**/*.php", &["/a.php", "/.php", "/x/y/a.php"], &["/a.php/x", "/a.phpx", "/", "", "/a.php/"]),
        ("/**/*.php/**", &["/a.php", "/x/a.php", "/x/a.php/y/z", "/a.php/"], &["/a.phpx/b", "/"]),
        ("/**/login", &["/login", "/x/login"], &["/login/x", "/xlogin"]),
        ("/v1/*/**/export", &["/v1/a/export", "/v1/a/b/export"], &["/v1/export", "/v2/a/export", "/v1/a"]),
        ("/v1/**/*", &["/v1/a", "/v1/a/b"], &["/v1", "/v1/", "/v1/a/"]),
        ("/v1/**/a*/**", &["/v1/a", "/v1/b/ab/c"], &["/v1", "/a", "/v1/b/c"]),
    ];
    for (template, matching, others) in cases {
        let compiled = PathTemplate::parse(template).unwrap();
        assert_eq!(compiled.to_string(), template);
        for path in matching {
            assert!(compiled.matches(path.as_bytes()), "{template} should match {path}");
        }
        for path in others {
            assert!(!compiled.matches(path.as_bytes()), "{template} should not match {path}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_no_template_is_rejected() {
    for text in [
        "",
        "v1",
        "/a**",
        "/***",
        "/a**b/c",
        "/a\\*",
        "/{",
        "/{}",
        "/{a-b}",
        "/**/",
        "/**/{id}",
        "/**/**",
        "/**/a/b",
        "/**/a/**/b",
        "/**/a/**/**",
        "/{id}*",
        "/a?b=c",
        "/a/{id}x",
        "/facturación",
        "/a b",
        "/{a}/{a}",
    ] {
        assert_eq!(PathTemplate::parse(text), None, "{text}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_parameter_is_the_segment_it_stands_for() {
    let template = PathTemplate::parse("/v1/{kind}/*/{id}/**").unwrap();
    assert_eq!(template.parameters().collect::<Vec<_>>(), ["kind", "id"]);
    assert_eq!(template.index_of("kind"), Some(1));
    assert_eq!(template.index_of("id"), Some(3));
    assert_eq!(template.index_of("v1"), None);
}

const ALL: Spellings = Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

fn set_spellings(template: &str, spellings: Spellings, purpose: Purpose) -> PathTemplate {
    let mut template = PathTemplate::parse(template).unwrap();
    template.set_spellings(spellings, purpose);
    template
}

#[wasm_bindgen_test(unsupported = test)]
fn a8_what_protects_matches_every_spelling_and_what_frees_only_one_that_can_be_no_other() {
    let paths = [
        "/a/login/",
        "/A/Login",
        "/a;x/login;a=b",
        "/a/login.json",
        "/b/..;/a/login",
        "/a/%6cogin",
        "/a/login/;",
    ];
    let strict = Spellings::default();
    let met =
        |template: &PathTemplate, path| template.matches_request(&RequestCache::new(&FakeRequest::to(path)));
    for path in paths {
        assert!(met(&set_spellings("/a/login", ALL, Purpose::Limits), path), "{path}");
        assert!(met(&set_spellings("/a/**", ALL, Purpose::Limits), path), "{path}");
        assert!(!met(&set_spellings("/a/login", ALL, Purpose::Exempts), path), "{path}");
    }
    for path in ["/a/login/", "/A/Login", "/a;x/login;a=b", "/a/login.json"] {
        assert!(!met(&set_spellings("/a/login", strict, Purpose::Limits), path), "{path}");
    }
    // A server that takes nothing from a path for parameters reads it as it is written.
    assert!(met(&set_spellings("/b/{x}/a/login", ALL, Purpose::Limits), "/b/..;/a/login"));
    // Freed is a path only if it is so in both readings.
    let health = set_spellings("/health/**", ALL, Purpose::Exempts);
    assert!(met(&health, "/health/a;b/c") && met(&health, "/health"));
    assert!(!met(&health, "/health/..;/a/login") && !met(&health, "/health;/x"));
    for (template, path) in [
        ("/login/", "/login"),
        ("/login/", "/login//"),
        ("/", "/"),
        ("/", "/;x"),
        ("/caf%C3%A9", "/caf%c3%a9"),
    ] {
        assert!(met(&set_spellings(template, ALL, Purpose::Limits), path), "{template} {path}");
    }
    for (template, path) in [
        ("/login", "/"),
        ("/", "/login"),
        ("/a/*", "/a/"),
        ("/a/*/c", "/a/c"),
        ("/login", "/login/x"),
        ("/login", "/.login"),
    ] {
        assert!(!met(&set_spellings(template, ALL, Purpose::Limits), path), "{template} {path}");
    }
}
#[wasm_bindgen_test(unsupported = test)]
fn a_pattern_of_a_path_covers_every_spelling_and_frees_only_what_is_certain() {
    let met = |template: &str, spellings, purpose, path: &str| {
        let template = set_spellings(template, spellings, purpose);
        template.matches_request(&RequestCache::new(&FakeRequest::to(path)))
    };
    let strict = Spellings::default();
    for (template, path) in [
        ("/files/*.pdf", "/files/A.PDF"),
        ("/files/*.pdf", "/files/a.pdf/"),
        ("/files/*.pdf", "/files/a.pdf;x=1"),
        ("/files/*.pdf", "/files;x/a%2Epdf"),
        ("/files/*.pdf", "/files/a.pdf.json"),
        ("/files/*.pdf", "/files/a.b.pdf."),
        ("/files/*.pdf", "/x/..;/files/a.pdf"),
        ("/files/*.pdf", "/files/b%2Fa.pdf"),
        ("/v*/users", "/V1/Users"),
        ("/**/*.php", "/x/a.PHP/"),
        ("/**/*.php", "/x/a.php;b/"),
        ("/**/*.php", "/x/%61.%70hp"),
        ("/**/*.php/**", "/x/a.PHP;b/c"),
        ("/**/login", "/x/LOGIN.json"),
        ("/a%41*", "/aab"),
    ] {
        assert!(met(template, ALL, Purpose::Limits, path), "{template} {path}");
        assert!(!met(template, ALL, Purpose::Exempts, path), "{template} {path}");
    }
    for (template, path) in [
        ("/files/*.pdf", "/files/a.PDF"),
        ("/files/*.pdf", "/files/a.pdf/"),
        ("/files/*.pdf", "/files/a.pdf.json"),
        ("/**/*.php", "/x/a.php/"),
    ] {
        assert!(!met(template, strict, Purpose::Limits, path), "{template} {path}");
    }
    for (template, path) in
        [("/files/*.pdf", "/files/a.pdfx"), ("/v*", "/xv1"), ("/**/*.php", "/a.phpx"), ("/v*/x", "/v1/x/y")]
    {
        assert!(!met(template, ALL, Purpose::Limits, path), "{template} {path}");
    }
    // A server that takes an encoded slash for a slash reads another path.
    for path in ["/static/..%2Fadmin.css", "/static/a%2fb.css", "/static/..;/a.css", "/static/a.css;x"] {
        assert!(!met("/static/*.css", ALL, Purpose::Exempts, path), "{path}");
        assert!(!met("/static/**/*.css", ALL, Purpose::Exempts, path), "{path}");
    }
    for path in ["/static/a.css", "/static/%61.css"] {
        assert!(met("/static/*.css", ALL, Purpose::Exempts, path), "{path}");
        assert!(met("/static/**/*.css", ALL, Purpose::Exempts, path), "{path}");
    }
}

/// A path of 60 KB, as long as Envoy lets through, is read in time that grows with its length alone.
#[wasm_bindgen_test(unsupported = test)]
fn no_path_makes_a_pattern_slow() {
    let template = set_spellings("/**/*aaaaaaaaaaaaaaab*c/**", ALL, Purpose::Limits);
    for path in ["/a".repeat(30_000), format!("/{}", "a".repeat(60_000)), "/a.".repeat(20_000)] {
        assert!(!template.matches_decoded(path.as_bytes()));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_template_covers_another_if_it_matches_all_that_the_other_does() {
    let template = |text| PathTemplate::parse(text).unwrap();
    for (one, other) in [
        ("/v*/users", "/v1/users"),
        ("/v*", "/v1*"),
        ("/*", "/v*"),
        ("/**", "/**/*.php"),
        ("/**/*.php", "/a.php"),
        ("/**/*.php", "/x/*/a*.php"),
        ("/**/*.php", "/x/**/*.php"),
        ("/**/*.php/**", "/**/*.php"),
        ("/**/*.php/**", "/x/a.php/b"),
        ("/**/*.php/**", "/x/a.php/**"),
        ("/**/*.php/**", "/a.php/**/x"),
        ("/v1/**", "/v1/**/x/**"),
    ] {
        assert!(template(one).covers(&template(other)), "{one} {other}");
        assert!(template(one).covers(&template(one)), "{one}");
        assert!(!template(other).covers(&template(one)), "{other} {one}");
    }
    for (one, other) in [
        ("/v*", "/{id}"),
        ("/v*", "/v%31"),
        ("/**/*.php", "/**"),
        ("/**/*.php", "/a.php/**"),
        ("/**/*.php", "/a.php/b"),
        ("/x/**/*.php", "/a.php"),
        ("/x/**/*.php", "/x"),
        ("/**/a*", "/**/*a"),
    ] {
        assert!(!template(one).covers(&template(other)), "{one} {other}");
    }
}
