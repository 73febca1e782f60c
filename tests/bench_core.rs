//! The cases of `benches/core` are what they are named for: each sets itself up, and fails if its requests
//! don't end as it says. Nothing is measured here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

#[path = "../benches/core/cases.rs"]
mod cases;
#[path = "support/host.rs"]
mod host;

use std::collections::BTreeSet;

#[test]
fn each_case_decides_as_it_says() {
    for case in cases::all() {
        let mut subject = case.prepare();
        let first = subject.decide();
        assert!((0..100).all(|_| subject.decide() == first), "{} keeps deciding so", case.name);
    }
}

#[test]
fn each_case_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = cases::all().map(|case| case.name).collect();
    assert_eq!(names.len(), cases::all().count());
}
