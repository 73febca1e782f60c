//! A stock is what the upstream says it is: after answers that nobody waited for it can be put right.

use std::slice;

use crate::harness::{Call, HELD, InFlight, Request, Served, Setup, eventually, new_key};

const QUOTA: usize = 10;

const POLICY: &str = "
keys: { company: { header: x-company } }
policies:
  - name: endpoints
    key: company
    match: [{ method: POST }]
    limits: [{ algorithm: stock, quota: 10 }]
    refund_unless: [201]
    stock_header: x-endpoints
    returns: [{ method: DELETE }]
";

fn served() -> Served {
    Setup::yaml(POLICY).start_served()
}

/// A request of one company, to be answered with this status.
fn ask(served: &Served, company: &str, method: &str, status: u16) -> Request {
    let request = served.gateway.request(method, "/endpoints").header("x-company", company);
    request.header("content-length", "0").answered(status)
}

/// How many of twice the quota does the company create?
fn created(served: &Served, company: &str) -> usize {
    let create = ask(served, company, "POST", 201);
    served.arrivals(|| {
        for _ in 0..2 * QUOTA {
            create.send();
        }
    })
}

/// The number that the answer tells.
fn telling(request: Request, number: &str) -> u16 {
    request.answered_with("x-endpoints", number).send().status
}

#[test]
fn an_answer_can_say_how_many_exist() {
    let served = served();
    for (number, room) in [("7", 3), ("10", 0), ("0", 10), ("12", 0), ("4294967295", 0), ("9", 1)] {
        let company = new_key();
        assert_eq!(telling(ask(&served, &company, "POST", 201), number), 201);
        assert_eq!(created(&served, &company), room, "after {number}");
    }
}

#[test]
fn what_is_no_number_changes_no_stock() {
    let served = served();
    for nonsense in ["", "-1", "+1", "1.5", "many", "1,2", "0x1"] {
        let company = new_key();
        assert_eq!(telling(ask(&served, &company, "POST", 201), nonsense), 201);
        assert_eq!(created(&served, &company), QUOTA - 1, "after {nonsense:?}");
    }
}

#[test]
fn a_client_can_not_say_how_many_exist() {
    let served = served();
    let company = new_key();
    let create = ask(&served, &company, "POST", 201).header("x-endpoints", "0");
    assert_eq!(create.send().status, 201);
    assert_eq!(created(&served, &company), QUOTA - 1);
}

#[test]
fn deletions_that_nobody_waited_for_are_put_right_by_the_number_in_any_later_answer() {
    let served = served();
    let company = new_key();
    assert_eq!(created(&served, &company), QUOTA);
    let delete = ask(&served, &company, "DELETE", 204);
    for _ in 0..5 {
        assert_eq!(served.hung_up(slice::from_ref(&delete)), 1);
    }
    // Whether anything was deleted is not known.
    assert_eq!(created(&served, &company), 0);
    assert_eq!(telling(ask(&served, &company, "DELETE", 404), "5"), 404);
    assert_eq!(created(&served, &company), 5);
}

#[test]
fn creations_that_nobody_waited_for_may_still_be_made_so_a_number_comes_on_top_of_them() {
    let served = served();
    let company = new_key();
    let create = ask(&served, &company, "POST", 201);
    let reached: usize = (0..4).map(|_| served.hung_up(slice::from_ref(&create))).sum();
    assert_eq!(reached, 4);
    // None of them was made, but for ten minutes each still could be.
    assert_eq!(telling(create, "1"), 201);
    assert_eq!(created(&served, &company), QUOTA - 4 - 1);
}

#[test]
fn what_others_have_in_flight_comes_on_top_of_the_number() {
    let served = served();
    let company = new_key();
    let flights = [(); 2].map(|()| in_flight(&served, &company));
    assert_eq!(telling(ask(&served, &company, "POST", 201), "7"), 201);
    assert_eq!(created(&served, &company), 1);
    for (client, call) in flights {
        call.answer(201);
        assert_eq!(client.response().status, 201);
    }
    assert_eq!(created(&served, &company), 0);
}

/// A creation that waits at the upstream.
fn in_flight(served: &Served, company: &str) -> (InFlight, Call) {
    let create = served.gateway.request("POST", HELD).header("x-company", company);
    let client = create.header("content-length", "0").begin();
    (client, eventually("the creation at the upstream", || served.upstream.next_call()))
}
