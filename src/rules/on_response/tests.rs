use super::*;
use crate::testing::FakeResponse;
use wasm_bindgen_test::wasm_bindgen_test;

fn at(seconds: u64) -> Now {
    Now { mono: seconds, wall: seconds }
}

fn held(cost: u32) -> Charged {
    Charged { cost, at: Some(at(1)), holds: [0; 5] }
}

fn x_cost(without: UnknownCost) -> Option<CostHeader> {
    Some(CostHeader {
        header: ReportHeader { name: "x-cost".into(), remove: false },
        place: Place::Headers,
        without,
    })
}

fn effect(rules: &OnResponse, response: &FakeResponse, charged: Charged) -> (Correction, u32) {
    let effect = rules.on_response(response, charged, at(1), at(2));
    (effect.correction, effect.units)
}

const NOTHING: Correction = Correction {
    back: None,
    kept: 0,
    holds: [0; 5],
    more: None,
    returned: None,
    settled: 0,
    stock: None,
    restart: false,
    proves: false,
    overflowed: false,
};

fn more(units: u32) -> Correction {
    Correction { more: Some((at(2), units)), ..NOTHING }
}

fn back(units: u32) -> Correction {
    Correction { back: Some((at(1), units)), ..NOTHING }
}

/// A part of the 5 units that are held.
fn part(units: u32) -> Correction {
    Correction { kept: 5 - units, ..back(units) }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_response_says_what_its_request_has_really_cost() {
    let rules = OnResponse { cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
    let answered =
        |value: &'static [u8]| effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", value), held(5));
    assert_eq!(answered(b"7"), (more(2), 7));
    assert_eq!(answered(b" 5 "), (NOTHING, 5));
    assert_eq!(answered(b"0"), (back(5), 0));
    assert_eq!(answered(b"149999000"), (more(149_998_995), 149_999_000));
    assert_eq!(answered(b"4294967295"), (more(u32::MAX - 5), u32::MAX));
    assert_eq!(answered(b"4294967296"), (more(u32::MAX - 5), u32::MAX));
    assert_eq!(answered(b"99999999999999999999"), (more(u32::MAX - 5), u32::MAX));
    for nothing in [&b""[..], b"-1", b"1.5", b"0x7", b"\xFF", b"seven"] {
        assert_eq!(answered(nothing), (NOTHING, 5));
    }
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(200), held(5)), (NOTHING, 5));
    let uncounted = Charged { at: None, ..held(5) };
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", b"7"), uncounted), (NOTHING, 5));
}

#[wasm_bindgen_test(unsupported = test)]
fn what_a_response_without_a_readable_cost_costs_is_a_rule_and_it_is_reported() {
    let none = FakeResponse::of_upstream(200);
    let many = none.clone().with("x-cost", "12.5");
    for (without, units, correction) in [
        (UnknownCost::Keep, 5, NOTHING),
        (UnknownCost::Refund, 0, back(5)),
        (UnknownCost::Costs(3), 3, part(2)),
        (UnknownCost::Costs(u32::MAX), u32::MAX, more(u32::MAX - 5)),
    ] {
        let rules = OnResponse { cost: x_cost(without), ..OnResponse::default() };
        for (response, why) in [(&none, NoNumber::Missing), (&many, NoNumber::Unreadable)] {
            let unread = Unread { cost: Some(why), ..Unread::default() };
            let expected = Effect { correction, units, unread, awaits_body: false };
            assert_eq!(rules.on_response(response, held(5), at(1), at(2)), expected);
        }
    }
    let counts = OnResponse {
        cost: x_cost(UnknownCost::Refund),
        count: Some(StatusSet::successes()),
        ..OnResponse::default()
    };
    assert_eq!(effect(&counts, &none, held(5)), (back(5), 0));
    // A response that counts nothing has no cost to report.
    let failed = counts.on_response(&FakeResponse::of_upstream(500), held(5), at(1), at(2));
    assert_eq!(failed.unread, Unread::default());
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_counted_by_its_response_is_counted_when_that_comes_and_else_given_back() {
    let count = Some(StatusSet::successes());
    let rules = OnResponse { count, cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
    let moved = |units| Correction { back: back(1).back, ..more(units) };
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", b"7"), held(1)), (moved(7), 7));
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(200), held(1)), (moved(1), 1));
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(404).with("x-cost", b"7"), held(1)), (back(1), 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_refund_is_of_all_that_was_charged() {
    let refund = Some(StatusSet::successes().inverted());
    let rules = OnResponse { refund, cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(500).with("x-cost", b"7"), held(5)), (back(5), 0));
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"7"), held(5)), (more(2), 7));
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_no_answer_is_no_good_answer_unless_the_policy_says_so() {
    let refund = Some(StatusSet::successes().inverted());
    let rules = |unanswered| OnResponse { refund: refund.clone(), unanswered, ..OnResponse::default() };
    for (unanswered, expected) in [
        (UnknownCost::Keep, NOTHING),
        (UnknownCost::Refund, back(5)),
        (UnknownCost::Costs(2), part(3)),
        (UnknownCost::Costs(5), NOTHING),
        (UnknownCost::Costs(9), more(4)),
    ] {
        assert_eq!(rules(unanswered).on_missing_response(held(5), at(2)), expected, "{unanswered:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stock_is_what_a_response_says_it_is() {
    let refund = Some(StatusSet::successes().inverted());
    let rules = OnResponse {
        refund,
        stock: x_cost(UnknownCost::Keep).map(|cost| cost.header),
        ..OnResponse::default()
    };
    let said =
        |stock: Option<u64>| Correction { stock: stock.map(|units| (units, at(1))), settled: 1, ..NOTHING };
    assert_eq!(
        effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"7"), held(1)).0,
        said(Some(7))
    );
    assert_eq!(
        effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"many"), held(1)).0,
        said(None)
    );
    let back = Correction { back: back(1).back, ..said(Some(3)) };
    assert_eq!(effect(&rules, &FakeResponse::of_upstream(409).with("x-cost", b"3"), held(1)).0, back);
}
