//! The quotas of single endpoints, with a message each: FA-18 to FA-21, and FA-22.

use super::*;
use crate::harness::Crowd;

const CODE: &str = "rate_limit_exceeded";
const TOO_MANY_ENDPOINTS: &str = "Tu empresa ya tiene el máximo de endpoints de webhook.";
const ENDPOINTS: &str = "/v1/webhook_endpoints";

fn create(gateway: &Gateway, key: &str, status: u16) -> Request {
    ask(gateway, "POST", ENDPOINTS).key(key).answered(status)
}

/// How many of `times` creations pass.
fn created(gateway: &Gateway, key: &str, times: usize) -> usize {
    (0..times).filter(|_| create(gateway, key, 201).send().status == 201).count()
}

fn delete(gateway: &Gateway, key: &str, status: u16) {
    let request = ask(gateway, "DELETE", &format!("{ENDPOINTS}/we_7")).key(key);
    assert_eq!(request.answered(status).send().status, status);
}

#[test]
fn fa_18_all_keys_of_a_company_share_its_number_of_webhook_endpoints() {
    let gateway = file().start();
    assert_eq!(created(&gateway, DASHBOARD, 3), 3);
    assert_eq!(created(&gateway, EXPORT, 5), 2);
    assert_eq!(created(&gateway, DASHBOARD, 3), 0);
    assert_eq!(created(&gateway, LARGE, 7), 5);
    assert_eq!(created(&gateway, &new_key(), 7), 5);
}

#[test]
fn fa_18_what_failed_takes_nothing_and_what_is_deleted_makes_room() {
    let gateway = file().start();
    for status in [400, 409, 422, 500] {
        assert_eq!(create(&gateway, EXPORT, status).send().status, status);
    }
    assert_eq!(created(&gateway, DASHBOARD, 7), 5);
    delete(&gateway, EXPORT, 404);
    assert_eq!(created(&gateway, DASHBOARD, 1), 0);
    delete(&gateway, EXPORT, 204);
    assert_eq!(created(&gateway, DASHBOARD, 3), 1);
}

#[test]
fn fa_18_creations_at_the_same_time_do_not_exceed_the_number() {
    let gateway = file().start();
    assert_eq!(Crowd(5).sum_of(|| created(&gateway, LARGE, 10)), 5);
}

#[test]
fn fa_18_fa_21_fa_22_a_rejected_creation_says_so_and_spends_nothing_else() {
    let gateway = file().start();
    assert_eq!(created(&gateway, DASHBOARD, 5), 5);
    for _ in 0..3 {
        let rejected = create(&gateway, DASHBOARD, 201).send();
        assert_rejected(&rejected, CODE, TOO_MANY_ENDPOINTS);
        assert_eq!((remaining(&rejected), rejected.retry_after()), (295, 60));
    }
}

fn send(gateway: &Gateway, key: &str, invoice: &str) -> Response {
    ask(gateway, "POST", &format!("/v1/invoices/{invoice}/send")).key(key).send()
}

#[test]
fn fa_19_an_invoice_is_sent_once_whichever_key_of_its_company_asks_and_however_it_is_spelled() {
    let gateway = file().start();
    assert_eq!(send(&gateway, DASHBOARD, "F-7").status, 200);
    for (key, invoice) in [(DASHBOARD, "F-7"), (EXPORT, "F-7"), (DASHBOARD, "F%2D7"), (EXPORT, "%46-%37")] {
        assert_eq!(send(&gateway, key, invoice).status, 429, "{key} {invoice}");
    }
    assert_eq!(send(&gateway, EXPORT, "F-8").status, 200);
    assert_eq!(send(&gateway, LARGE, "F-7").status, 200, "another company's invoice");
    assert_eq!(list(&gateway, DASHBOARD).send().status, 200);
}

#[test]
fn fa_19_fa_21_fa_22_a_rejection_to_send_again_tells_the_wait_and_spends_nothing_else() {
    let gateway = file().start();
    assert_eq!(send(&gateway, DASHBOARD, "7").status, 200);
    for _ in 0..3 {
        let rejected = send(&gateway, DASHBOARD, "7");
        let wait = rejected.retry_after();
        assert!((500..=600 + SLOT).contains(&wait), "{wait} s");
        let message = format!("Esta factura ya se ha enviado hace poco. Espera {wait} segundos.");
        assert_rejected(&rejected, CODE, &message);
        assert_eq!(remaining(&rejected), 299);
    }
}

#[test]
fn fa_22_what_the_minute_rejects_to_send_may_be_sent_later() {
    let gateway = file().replacing("window: 60s", "window: 4s").start();
    let key = new_key();
    assert_eq!(list(&gateway, &key).admitted_of(FREE), FREE);
    let rejected = send(&gateway, &key, "7");
    assert_eq!(rejected.status, 429);
    std::thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(send(&gateway, &key, "7").status, 200);
    assert_eq!(send(&gateway, &key, "7").status, 429);
}

#[test]
fn fa_20_fa_21_fa_22_twenty_downloads_a_minute_and_key_of_any_invoices() {
    let gateway = file().start();
    let pdf = |key, invoice| ask(&gateway, "GET", &format!("/v1/invoices/{invoice}/pdf")).key(key);
    for key in [DASHBOARD, EXPORT] {
        let admitted = (0..25).filter(|invoice| pdf(key, *invoice).send().status == 200).count();
        assert_eq!(admitted, 20, "{key}");
    }
    let rejected = pdf(DASHBOARD, 99).send();
    let wait = rejected.retry_after();
    assert!(wait <= 60 + SLOT, "{wait} s");
    let message = format!("Demasiados PDF por minuto. Vuelve a intentarlo en {wait} segundos.");
    assert_rejected(&rejected, CODE, &message);
    assert_eq!(remaining(&rejected), 280);
    // Whatever else may be asked for passes.
    assert_eq!(ask(&gateway, "GET", "/v1/invoices/7").key(DASHBOARD).send().status, 200);
}
