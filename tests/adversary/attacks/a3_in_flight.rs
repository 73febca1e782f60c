//! A3: what is in flight counts already.

use super::*;
use crate::call::Call;
use crate::upstream::Deed;
use tollgate::time::MILLISECOND;

const LOGINS: &str =
    r#"{"name": "logins", "key": "ip", "count_on": [401], "limits": [{"quota": 5, "window": "10m"}]}"#;

fn login(status: u16) -> Visit {
    Visit::new(Call::post("/login"), Deed::Answers(status))
}

#[test]
fn a3_of_failed_logins_in_parallel_as_many_pass_as_one_after_the_other() {
    let mut world = roomy(&policies(LOGINS));
    let admitted = ask(&mut world, 800, &login(401), Fate::served(100 * MILLISECOND), 0);
    assert_eq!(admitted, 5, "of 800 at once");
}

#[test]
fn a3_failed_logins_whose_client_leaves_count() {
    let mut world = roomy(&policies(LOGINS));
    let left = Fate::left(10 * MILLISECOND, 50 * MILLISECOND);
    assert_eq!(ask(&mut world, 200, &login(401), left, 60 * MILLISECOND), 5, "of 200 that hung up");
}

#[test]
fn a3_good_logins_count_nothing_once_they_are_answered() {
    let mut world = roomy(&policies(LOGINS));
    let served = Fate::served(10 * MILLISECOND);
    assert_eq!(ask(&mut world, 200, &login(200), served, 20 * MILLISECOND), 200);
    assert_eq!(ask(&mut world, 200, &login(401), served, 20 * MILLISECOND), 5);
}
