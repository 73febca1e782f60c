//! Who comes near a limit can be seen: FA-26.

use super::*;
use crate::harness::eventually;

#[test]
fn fa_26_requests_that_leave_a_tenth_or_less_are_counted() {
    let gateway = file().alone().start();
    // Ten of ten, of which the last two leave one and none; then rejections, which are counted as such.
    assert_eq!(list(&gateway, &new_key()).admitted_of(FREE + 5), FREE);
    // A tenth of thirty is three.
    assert_eq!(list(&gateway, EXPORT).admitted_of(27), 27);
    let metrics =
        || ["admitted", "refused", "near_limit"].map(|name| gateway.metric(&format!("policy.api.{name}")));
    eventually("the workers' report", || (metrics() == [37, 5, 3]).then_some(()));
}

#[test]
fn fa_26_an_access_log_can_name_them() {
    let setup = file().replacing("headers: {", "access_log: true\nheaders: {");
    let gateway = setup.access_log().start();
    assert_eq!(list(&gateway, EXPORT).admitted_of(27), 27);
    // The tightest of all limits that the request has met.
    let line = |left: u64, near| {
        format!("policy=api limit=minute quota=30 remaining={left} near={near} consumer=export tier=starter")
    };
    eventually("the access log", || {
        let log = gateway.log();
        (log.contains(&line(4, false)) && log.contains(&line(3, true))).then_some(())
    });
}
