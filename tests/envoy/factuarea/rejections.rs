//! What a rejected client reads: FA-14, FA-15, FA-16.

use super::*;

const MESSAGE: &str = "Has superado el límite de peticiones. Vuelve a intentarlo en unos segundos.";

/// The first request beyond what a new key may.
fn rejection(gateway: &Gateway) -> Response {
    let request = list(gateway, &new_key()).header("x-request-id", r#""}, "mine": ""#);
    assert_eq!(request.admitted_of(FREE), FREE);
    request.send()
}

#[test]
fn fa_14_the_body_is_the_documents_to_the_byte_and_each_request_id_another() {
    let gateway = gateway();
    let rejections = [(); 3].map(|()| rejection(&gateway));
    for rejected in &rejections {
        assert_rejected(rejected, "rate_limit_exceeded", MESSAGE);
        // Characters beyond ASCII are more bytes than characters.
        assert_eq!(rejected.body.len(), rejected.text().chars().count() + 1);
        assert_eq!(rejected.value("cache-control"), "no-store");
    }
    let ids = rejections.each_ref().map(request_id);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] != ids[0], "{ids:?}");
}

#[test]
fn fa_15_fa_16_a_month_differs_in_the_message_alone_also_where_the_minute_rejects_too() {
    let gateway = file().replacing("free: 100,", "free: 10,").start();
    let month = "Has agotado tu cuota mensual. Se renueva el día 1.";
    assert_rejected(&rejection(&gateway), "rate_limit_exceeded", month);
}
