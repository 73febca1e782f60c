//! A4: in a full page newcomers are judged where they are counted.

use super::*;
use crate::call::Call;
use crate::upstream::Deed;
use tollgate::time::MILLISECOND;

/// So many addresses fill a page, whatever a record takes.
const RESIDENTS: u64 = 80;
const FRESH: std::ops::Range<u64> = 5_000..5_006;

fn failed_login(address: u64) -> Visit {
    Visit::new(Call::post("/login").from(address), Deed::Answers(401))
}

/// A page full of callers who have used more than half.
fn full_page(document: &Value, uses: u32) -> World {
    let mut world = World::new(document, 1, 1);
    for address in 0..RESIDENTS {
        ask(&mut world, uses, &failed_login(address), Fate::served(0), MILLISECOND);
    }
    world
}

#[test]
fn a4_failed_logins_of_newcomers_count_in_a_full_page() {
    let document = policies(
        r#"{"name": "logins", "key": "ip", "count_on": [401], "limits": [{"quota": 10, "window": "10m"}]}"#,
    );
    let mut world = full_page(&document, 10);
    let admitted = FRESH.map(|address| {
        ask(&mut world, 60, &failed_login(address), Fate::served(MILLISECOND), 2 * MILLISECOND)
    });
    let admitted: Vec<u32> = admitted.collect();
    assert!(admitted.iter().all(|passed| *passed <= 10), "of 60 from each fresh address passed {admitted:?}");
}

#[test]
fn a4_a_credential_that_was_rejected_is_rejected_in_a_full_page() {
    let document = policies(
        r#"{"name": "failures", "key": "ip", "match": [{"path": "/login"}], "limits": [{"quota": 10, "window": "10m"}]},
           {"name": "known", "class": "caller", "key": "session", "match": [{"path": "/a"}],
            "limits": [{"quota": 1000, "window": "60s"}]},
           {"name": "anonymous", "class": "caller", "key": "ip", "match": [{"path": "/a"}],
            "limits": [{"quota": 5, "window": "60s"}]}"#,
    );
    let mut world = full_page(&document, 10);
    let admitted = FRESH.map(|address| {
        let call = Call::get("/a").from(address).session(format!("made up {address}"));
        let visit = Visit::new(call, Deed::Answers(401));
        ask(&mut world, 60, &visit, Fate::served(MILLISECOND), 2 * MILLISECOND)
    });
    let admitted: Vec<u32> = admitted.collect();
    assert!(
        admitted.iter().all(|passed| *passed <= 6),
        "with a session that was rejected passed {admitted:?} of 60, where an address has 5"
    );
}
