use super::*;
use crate::body::{BodyFormat, BodyReader};
use crate::rules::{BodySeen, OnResponse};
use crate::table::{Charged, Correction};
use crate::testing::FakeResponse;
use crate::time::Now;
use wasm_bindgen_test::wasm_bindgen_test;

/// Input, cached and output tokens weigh 1, 10 and 100.
fn weighed(preset: &str) -> CostBody {
    let weight = |kind| match kind {
        TokenKind::Input => Weight::ONE,
        TokenKind::Cached => Weight(10_000),
        TokenKind::Output => Weight(100_000),
    };
    of_preset(preset, weight)
}

fn of_preset(preset: &str, weight: impl Fn(TokenKind) -> Weight) -> CostBody {
    let preset = BODY_PRESETS.0.iter().find(|one| one.word == preset).unwrap().means;
    assert!(preset.terms(|_| Weight::ONE).iter().all(|term| !term.at.is_empty()), "pointers that are none");
    CostBody { terms: preset.terms(weight), preset: Some(preset), without: UnknownCost::Keep }
}

fn values(cost: &mut CostBody, format: BodyFormat, body: &str) -> Values {
    let mut pointers = Pointers::default();
    cost.add_to(&mut pointers);
    let mut reader = BodyReader::new(format, &pointers);
    reader.read(body.as_bytes(), &pointers);
    reader.values().clone()
}

fn units(mut cost: CostBody, format: BodyFormat, body: &str) -> Option<u32> {
    let values = values(&mut cost, format, body);
    cost.read(&values)
}

const JSON: BodyFormat = BodyFormat::Json;
const EVENTS: BodyFormat = BodyFormat::Events;

#[wasm_bindgen_test(unsupported = test)]
fn openais_cached_tokens_are_part_of_the_input() {
    for (format, body) in [
        (
            JSON,
            r#"{"id":"chatcmpl-1","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1100,
            "completion_tokens":7,"total_tokens":1107,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},
            "completion_tokens_details":{"reasoning_tokens":5}}}"#,
        ),
        (
            JSON,
            r#"{"id":"resp_1","object":"response","usage":{"input_tokens":1100,"input_tokens_details":{"cached_tokens":1024},
            "output_tokens":7,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":1107}}"#,
        ),
        (
            EVENTS,
            "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1100,\
            \"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":1024}}}\n\ndata: [DONE]\n\n",
        ),
        (
            EVENTS,
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null}}\n\n\
            event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":1100,\
            \"input_tokens_details\":{\"cached_tokens\":1024},\"output_tokens\":7}}}\n\n",
        ),
    ] {
        assert_eq!(units(weighed("openai"), format, body), Some(76 + 10_240 + 700), "{body}");
        assert_eq!(units(of_preset("openai", |_| Weight::ONE), format, body), Some(1_107), "{body}");
    }
    let embeddings = r#"{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    assert_eq!(units(weighed("openai"), JSON, embeddings), Some(8));
}

#[wasm_bindgen_test(unsupported = test)]
fn anthropics_cached_tokens_come_on_top_of_the_input() {
    for (format, body) in [
        (
            JSON,
            r#"{"type":"message","content":[{"type":"tool_use","input":{"usage":{"input_tokens":0}}}],
            "usage":{"input_tokens":20,"cache_creation_input_tokens":30,"cache_read_input_tokens":1000,"output_tokens":7}}"#,
        ),
        (
            EVENTS,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":20,\
            \"cache_creation_input_tokens\":30,\"cache_read_input_tokens\":1000,\"output_tokens\":1}}}\n\n\
            event: ping\ndata: {\"type\":\"ping\"}\n\n\
            event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":3}}\n\n\
            event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":7}}\n\n\
            event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ] {
        assert_eq!(units(weighed("anthropic"), format, body), Some(50 + 10_000 + 700), "{body}");
        assert_eq!(units(of_preset("anthropic", |_| Weight::ONE), format, body), Some(1_057), "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn geminis_thoughts_are_output_and_its_streams_are_lists_or_events() {
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"totalTokenCount":100}}"#;
    let last = r#"{"candidates":[],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":5,"thoughtsTokenCount":2,"toolUsePromptTokenCount":10,"totalTokenCount":117}}"#;
    for (format, body) in [
        (JSON, last.to_string()),
        (JSON, format!("[{first}\n,\r\n{last}\n]\n")),
        (EVENTS, format!("data: {first}\r\n\r\ndata: {last}\r\n\r\n")),
    ] {
        assert_eq!(units(weighed("gemini"), format, &body), Some(40 + 10 + 600 + 700), "{body}");
        assert_eq!(units(of_preset("gemini", |_| Weight::ONE), format, &body), Some(117), "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bedrocks_cached_tokens_come_on_top_of_the_input() {
    let body = r#"{"output":{"message":{}},"usage":{"inputTokens":20,"outputTokens":7,"totalTokens":1057,
        "cacheReadInputTokens":1000,"cacheWriteInputTokens":30}}"#;
    assert_eq!(units(weighed("bedrock"), JSON, body), Some(50 + 10_000 + 700));
}

fn sum(terms: &[(&[&str], u32)]) -> CostBody {
    let term = |(at, weight): &(&[&str], u32)| {
        CostTerm::new(at.iter().map(|text| Pointer::parse(text).unwrap()).collect(), Weight(*weight))
    };
    CostBody { terms: terms.iter().map(term).collect(), preset: None, without: UnknownCost::Keep }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_is_rounded_up_once_and_ends_at_the_largest() {
    for (body, weights, expected) in [
        (r#"{"a":1,"b":1}"#, [100, 100], Some(1)),
        (r#"{"a":3,"b":4}"#, [100, 100], Some(1)),
        (r#"{"a":5,"b":5}"#, [100, 100], Some(1)),
        (r#"{"a":5,"b":6}"#, [100, 100], Some(2)),
        (r#"{"a":5}"#, [1_000, 1_000], Some(5)),
        (r#"{"b":7}"#, [1_000, 0], Some(0)),
        (r#"{"a":0,"b":0}"#, [1_000, 1_000], Some(0)),
        (r#"{"a":0.00014}"#, [1_000_000_000, 1_000], Some(140)),
        (r#"{"a":0.0000000001}"#, [1_000, 1_000], Some(1)),
        (r#"{"a":1e30,"b":1e30}"#, [1_000_000_000, 1_000_000_000], Some(u32::MAX)),
        (r#"{"a":4294967295}"#, [1_000, 1_000], Some(u32::MAX)),
        (r#"{"a":1e30,"b":1}"#, [0, 1_000], Some(1)),
        (r#"{"a":"5","b":-1}"#, [1_000, 1_000], None),
        ("{}", [1_000, 1_000], None),
    ] {
        let [a, b] = weights;
        assert_eq!(units(sum(&[(&["/a"], a), (&["/b"], b)]), JSON, body), expected, "{body}");
    }
    assert_eq!(units(sum(&[(&["/a", "/b"], 1_000)]), JSON, r#"{"b":9,"a":8}"#), Some(9));
}

#[wasm_bindgen_test(unsupported = test)]
fn who_leaves_before_the_end_pays_no_less_than_it_holds() {
    for (without, body, whole, part) in [
        (UnknownCost::Keep, "{}", (5, Some(NoCost::Absent)), 5),
        (UnknownCost::Refund, "{}", (0, Some(NoCost::Absent)), 5),
        (UnknownCost::Costs(3), "{}", (3, Some(NoCost::Absent)), 5),
        (UnknownCost::Costs(9), "{}", (9, Some(NoCost::Absent)), 9),
        (UnknownCost::Costs(9), r#"{"a":2"#, (9, Some(NoCost::Absent)), 9),
        (UnknownCost::Costs(9), r#"{"a":2,"#, (2, None), 5),
        (UnknownCost::Keep, r#"{"a":8,"#, (8, None), 8),
    ] {
        let mut cost = CostBody { without, ..sum(&[(&["/a"], 1_000)]) };
        let values = values(&mut cost, JSON, body);
        assert_eq!(cost.units(Ok(&values), 5), whole, "{without:?} {body}");
        assert_eq!(cost.units_of_part(&values, 5), (part, Some(NoCost::Aborted)), "{without:?} {body}");
    }
    let unread = CostBody { without: UnknownCost::Costs(9), ..sum(&[(&["/a"], 1_000)]) };
    let why = Unreadable::Encoded;
    assert_eq!(unread.units(Err(why), 5), (9, Some(NoCost::Unreadable(why))));
}

fn at(seconds: u64) -> Now {
    Now { mono: seconds, wall: seconds }
}

/// What the status decides it decides at once, and nothing is settled twice.
#[wasm_bindgen_test(unsupported = test)]
fn a_response_that_leaves_the_request_counted_is_settled_at_the_end_of_its_body() {
    let body = Some(Box::new(sum(&[(&["/a"], 1_000)])));
    let statuses = |status: u16| crate::http::StatusSet::of(vec![status..=status]);
    let charged = Charged { cost: 5, at: Some(at(1)), holds: [0; 5] };
    for (rules, status, awaits) in [
        (OnResponse { body: body.clone(), ..OnResponse::default() }, 200, true),
        (OnResponse { body: body.clone(), refund: Some(statuses(503)), ..OnResponse::default() }, 200, true),
        (OnResponse { body: body.clone(), refund: Some(statuses(503)), ..OnResponse::default() }, 503, false),
        (OnResponse { body: body.clone(), count: Some(statuses(200)), ..OnResponse::default() }, 200, true),
        (OnResponse { body: body.clone(), count: Some(statuses(200)), ..OnResponse::default() }, 404, false),
        (OnResponse::default(), 200, false),
    ] {
        let effect = rules.on_response(&FakeResponse::of_upstream(status), charged, at(1), at(2));
        assert_eq!(effect.awaits_body, awaits, "{status} {rules:?}");
        let gives_back = rules.body.is_some() && !awaits;
        let expected = if gives_back { charged.give_back() } else { Correction::default() };
        assert_eq!(effect.correction, expected, "{status} {rules:?}");
        if awaits {
            let mut cost = sum(&[(&["/a"], 1_000)]);
            let values = values(&mut cost, JSON, r#"{"a":8}"#);
            let rules = OnResponse { body: Some(Box::new(cost)), ..rules };
            let effect = rules.on_body(BodySeen::Whole(&values), charged, at(9));
            let counted = rules.count.is_some();
            let expected = if counted { charged.count_at(at(9), 8) } else { charged.settle(8, at(9)) };
            assert_eq!((effect.correction, effect.units, effect.awaits_body), (expected, 8, false));
        }
    }
    // Nothing was counted, so nothing waits for its end.
    let rules = OnResponse { body, ..OnResponse::default() };
    let uncounted = Charged { at: None, ..charged };
    assert!(!rules.on_response(&FakeResponse::of_upstream(200), uncounted, at(1), at(2)).awaits_body);
}
