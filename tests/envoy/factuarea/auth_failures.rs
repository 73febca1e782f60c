//! Failed authentication: FA-17. What holds for any policy of that kind is tested without this file.

use super::*;

const FAILURES: usize = 10;

#[test]
fn fa_17_after_ten_failures_an_address_is_rejected_with_a_code_of_their_own() {
    let gateway = gateway();
    let ip = new_ip();
    assert_eq!(failures_before_rejection(&gateway, ip), FAILURES);
    for key in [new_key(), new_key()] {
        let rejected = list(&gateway, &key).from(ip).send();
        let wait = rejected.retry_after();
        assert!((500..=600 + SLOT).contains(&wait), "{wait} s");
        let message =
            format!("Demasiados intentos de autenticación fallidos. Vuelve a intentarlo en {wait} segundos.");
        assert_rejected(&rejected, "too_many_auth_failures", &message);
        // The key's own budget is whole.
        assert_eq!(list(&gateway, &key).admitted_of(FREE + 2), FREE);
    }
}

#[test]
fn fa_17_failures_cost_a_key_nothing_whoever_shows_it() {
    let gateway = telling_the_month().start();
    let key = new_key();
    for _ in 0..3 {
        let attack = list(&gateway, &key).from(new_ip()).answered(401);
        for number in 0..FAILURES + 5 {
            let response = attack.send();
            assert_eq!(response.status, if number < FAILURES { 401 } else { 429 });
            assert_eq!(remaining(&response), 100, "of the key's month");
        }
    }
    let first = list(&gateway, &key).send();
    assert_eq!((first.status, limit(&first), remaining(&first)), (200, 100, 99));
    assert_eq!(list(&gateway, &key).admitted_of(FREE), FREE - 1);
}

#[test]
fn fa_17_other_answers_are_no_failures() {
    let gateway = gateway();
    let ip = new_ip();
    for status in [200, 400, 403, 404, 500] {
        for _ in 0..FAILURES {
            assert_eq!(list(&gateway, &new_key()).from(ip).answered(status).send().status, status);
        }
    }
    assert_eq!(failures_before_rejection(&gateway, ip), FAILURES);
}
