//! A number of things that may exist, such as a company's webhook endpoints: FA-18.

use crate::harness::{Crowd, Gateway, Request, Setup, new_ip, new_key};

const QUOTA: usize = 5;
const COLLECTION: &str = "/v1/webhook_endpoints";

const POLICY: &str = "
keys:
  company: { header: x-company }
  client_ip: { client_ip: {} }
policies:
  - name: endpoints
    key: company
    match: [{ method: POST, path: /v1/webhook_endpoints }]
    limits: [{ algorithm: stock, quota: 5, retry_after: 90s }]
    refund_unless: [201]
    returns: [{ method: DELETE, path: \"/v1/webhook_endpoints/{id}\" }]
";

fn gateway() -> Gateway {
    Setup::yaml(POLICY).workers(4).start()
}

/// A company, asking the upstream for this answer.
fn create(gateway: &Gateway, company: &str, status: u16) -> Request {
    let request = gateway.request("POST", COLLECTION).header("x-company", company);
    request.header("content-length", "0").answered(status)
}

fn delete(gateway: &Gateway, company: &str, status: u16) -> Request {
    let request = gateway.request("DELETE", &format!("{COLLECTION}/we_7")).header("x-company", company);
    request.answered(status)
}

/// How many of `times` creations pass; each other is rejected.
fn created(gateway: &Gateway, company: &str, times: usize) -> usize {
    let request = create(gateway, company, 201);
    let mut connection = request.connect();
    (0..times)
        .filter(|_| {
            let response = connection.exchange(&request);
            assert!([201, 429].contains(&response.status), "{response:?}");
            response.status == 201
        })
        .count()
}

#[test]
fn fa_18_a_company_may_create_its_number_and_no_more() {
    let gateway = gateway();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    assert_eq!(create(&gateway, &company, 201).send().retry_after(), 90);
    assert_eq!(created(&gateway, &new_key(), 20), QUOTA);
}

#[test]
fn fa_18_a_creation_that_fails_takes_nothing() {
    let gateway = gateway();
    let company = new_key();
    for status in [200, 202, 204, 302, 400, 401, 409, 422, 500, 503] {
        assert_eq!(create(&gateway, &company, status).send().status, status);
    }
    assert_eq!(created(&gateway, &company, 20), QUOTA);
}

#[test]
fn fa_18_a_deletion_that_succeeds_gives_one_back() {
    let gateway = gateway();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    for status in [200, 202, 204] {
        assert_eq!(delete(&gateway, &company, status).send().status, status);
        assert_eq!(created(&gateway, &company, 5), 1, "after a deletion with {status}");
    }
}

#[test]
fn fa_18_a_deletion_that_fails_gives_nothing_back() {
    let gateway = gateway();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    for status in [302, 401, 404, 409, 500, 503] {
        assert_eq!(delete(&gateway, &company, status).send().status, status);
    }
    assert_eq!(created(&gateway, &company, 5), 0);
}

#[test]
fn fa_18_a_deletion_of_something_else_or_by_another_company_gives_nothing_back() {
    let gateway = gateway();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    assert_eq!(delete(&gateway, &new_key(), 204).send().status, 204);
    for path in [COLLECTION, "/v1/webhook_endpoints/we_7/test", "/v1/invoices/7"] {
        let other = gateway.request("DELETE", path).header("x-company", &company);
        assert_eq!(other.answered(204).send().status, 204, "{path}");
    }
    assert_eq!(created(&gateway, &company, 5), 0);
}

/// Each with statuses of its own.
#[test]
fn fa_18_a_request_gives_back_by_the_rule_that_it_matches() {
    let policy = POLICY
        .replace("returns: [", "returns: [{ method: POST, path: /v1/webhook_endpoints/purge, on: [404] }, ");
    let gateway = Setup::yaml(policy).start();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    let purge = gateway.request("POST", "/v1/webhook_endpoints/purge").header("x-company", &company);
    let purge = purge.header("content-length", "0");
    assert_eq!(delete(&gateway, &company, 404).send().status, 404);
    assert_eq!(purge.clone().answered(204).send().status, 204);
    assert_eq!(created(&gateway, &company, 5), 0);
    assert_eq!(purge.answered(404).send().status, 404);
    assert_eq!(created(&gateway, &company, 5), 1);
}

#[test]
fn fa_18_deletions_of_what_was_there_before_do_not_make_room_for_more_than_the_number() {
    let gateway = gateway();
    let company = new_key();
    for _ in 0..3 {
        assert_eq!(delete(&gateway, &company, 204).send().status, 204);
    }
    assert_eq!(created(&gateway, &company, 20), QUOTA);
}

#[test]
fn fa_18_creations_at_the_same_time_never_exceed_the_number() {
    let gateway = gateway();
    let company = new_key();
    assert_eq!(Crowd(8).sum_of(|| created(&gateway, &company, 40)), QUOTA);
    assert_eq!(created(&gateway, &company, 5), 0);
}

#[test]
fn fa_18_after_creating_and_deleting_by_a_crowd_the_number_is_what_it_was() {
    let gateway = gateway();
    let company = new_key();
    let rounds = || {
        let and_back = |_: &usize| {
            let made = created(&gateway, &company, 1) == 1;
            made && delete(&gateway, &company, 204).send().status == 204
        };
        (0..40).filter(and_back).count()
    };
    let made = Crowd(8).sum_of(rounds);
    assert!(made > QUOTA, "only {made} were made");
    assert_eq!(created(&gateway, &company, 20), QUOTA);
}

#[test]
fn fa_18_of_failing_creations_by_a_crowd_nothing_stays() {
    let gateway = gateway();
    let company = new_key();
    let fail = create(&gateway, &company, 500);
    let rounds = || (0..40).filter(|_| fail.send().status == 500).count();
    let failed = Crowd(8).sum_of(rounds);
    assert!(failed > QUOTA, "only {failed} passed");
    assert_eq!(created(&gateway, &company, 20), QUOTA);
}

/// It may have been made, which only the upstream knows.
#[test]
fn fa_18_a_creation_without_an_answer_takes_one() {
    let served = Setup::yaml(POLICY).start_served();
    let create = create(&served.gateway, &new_key(), 201);
    let arrived = (0..2 * QUOTA).map(|_| served.hung_up(std::slice::from_ref(&create)));
    assert_eq!(arrived.sum::<usize>(), QUOTA);
}

#[test]
fn fa_18_a_creation_that_another_policy_rejects_takes_nothing() {
    for charge in ["all_or_nothing", "sequential"] {
        let policy = format!(
            "{POLICY}
  - name: address
    key: client_ip
    match: [{{ method: POST }}]
    limits: [{{ quota: 2, window: 1h }}]
charge: {charge}
"
        );
        let gateway = Setup::yaml(policy).start();
        let company = new_key();
        assert_eq!(created(&gateway, &company, 20), 2, "{charge}");
        // Two exist, so that from elsewhere there is room for three, whatever was rejected.
        let mut more = 0;
        for _ in 0..QUOTA {
            let elsewhere = create(&gateway, &company, 201).from(new_ip());
            more += usize::from(elsewhere.send().status == 201);
        }
        assert_eq!(more, QUOTA - 2, "{charge}");
    }
}

#[test]
fn a_return_gives_the_newest_unit_of_a_sliding_window_back() {
    let sliding = POLICY
        .replace("{ algorithm: stock, quota: 5, retry_after: 90s }", "{ quota: 5, window: 1h }")
        .replace("    refund_unless: [201]\n", "");
    let gateway = Setup::yaml(sliding).workers(4).start();
    let company = new_key();
    assert_eq!(created(&gateway, &company, 20), QUOTA);
    for _ in 0..3 {
        assert_eq!(delete(&gateway, &company, 404).send().status, 404);
        assert_eq!(created(&gateway, &company, 5), 0);
        assert_eq!(delete(&gateway, &company, 204).send().status, 204);
        assert_eq!(created(&gateway, &company, 5), 1);
    }
    for _ in 0..20 {
        delete(&gateway, &company, 204).send();
    }
    assert_eq!(created(&gateway, &company, 20), QUOTA, "never more than its quota");
}
