//! Any bytes as a configuration: nothing panics, every error is one line, both forms mean the same, and a
//! policy that compiles decides requests within its own table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::compile::{Configuration, compile};
use tollgate::config::{Value, parse, parse_json};
use tollgate::engine::Engine;
use tollgate::http::{MetadataPath, MetadataValue, Request, Response};
use tollgate::identity::Seed;
use tollgate::table::memory::MemoryStore;
use tollgate::table::{Table, TableSize};
use tollgate::time::{Now, SECOND};
use tollgate_fuzz::WORKER;

fuzz_target!(|bytes: &[u8]| {
    let value = match parse(bytes) {
        Ok(value) => value,
        Err(errors) => return assert_eq!(errors.to_string().lines().count(), 1),
    };
    both_forms_are_one(&value);
    match compile(&value) {
        Ok(policies) => decide(policies),
        Err(errors) => {
            assert!(!errors.is_empty());
            assert_eq!(errors.to_string().lines().count(), errors.iter().len(), "a error of several lines");
        }
    }
});

/// As the other form the configuration is the same.
fn both_forms_are_one(value: &Value) {
    let Value::Object(fields) = value else { return };
    if !fields.is_empty() && depth(value) < 60 && !has_nan(value) {
        assert_eq!(parse(&encode_struct(fields)).as_ref(), Ok(value));
    }
}

/// Some requests of two callers, through the whole of a request's way.
fn decide(configuration: Configuration) {
    let Configuration { rules: policies, replies } = configuration;
    let TableSize { pages, page_bytes } = policies.table_size;
    let mut table = Table::new(Seed::new([7; Seed::LEN]), policies.table_size, WORKER);
    let (engine, store) = (Engine::new(policies), MemoryStore::default());
    let mut now = Now { mono: 100_000 * SECOND, wall: 1_800_000_000 * SECOND };
    for i in 0..8u64 {
        let call = Call { caller: (i % 2) as u8 };
        let mut decision = engine.decide(&call, &mut table.begin(&store, now));
        for verdict in decision.policies().iter().flat_map(|answer| &answer.outcome.verdicts) {
            assert!(verdict.remaining <= u64::from(verdict.quota), "{verdict:?}");
        }
        let rejection = replies.reply(&decision, &call, || [7; 16]);
        assert_eq!(rejection.is_some(), decision.rejected());
        if let Some(rejection) =
            rejection.iter().find(|rejection| *rejection.headers[0].1 == *"application/json")
        {
            assert!(parse_json(rejection.body.as_bytes()).is_ok(), "{rejection:?}");
        }
        let headers = replies.limit_headers(&decision);
        let headers = headers.iter().chain(rejection.iter().flat_map(|rejection| &rejection.headers));
        assert!(headers.flat_map(|(_, value)| value.bytes()).all(|byte| (b' '..=b'~').contains(&byte)));
        replies.access_line(&decision);
        now = Now { mono: now.mono + i * SECOND / 4, wall: now.wall + i * SECOND / 4 };
        if i % 3 != 0 {
            let answer = Answer { status: [201, 401, 503][i as usize % 3], number: i };
            engine.on_response(&mut decision, &answer, &mut table.begin(&store, now));
        }
        engine.on_stream_end(&mut decision, &mut table.begin(&store, now));
        table.begin(&store, now).settle();
    }
    for page in store.pages() {
        assert!(page < pages.get() && store.page(page).len() <= usize::from(page_bytes));
    }
}

struct Call {
    caller: u8,
}

/// A response that says a number in each of its headers.
struct Answer {
    status: u16,
    number: u64,
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.number.to_string().into_bytes())
    }
}

impl Request for Call {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        match name {
            ":method" => Some(b"POST".to_vec()),
            ":path" => Some(b"/v1/invoices/7?q=1&key=%41".to_vec()),
            "access-control-request-method" => None,
            _ => Some(format!("Bearer {}", self.caller).into_bytes()),
        }
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        Some(format!("192.0.2.{}:443", self.caller).into_bytes())
    }

    fn metadata(&self, _: &MetadataPath) -> Option<MetadataValue> {
        (self.caller > 0).then(|| MetadataValue::Text(b"proven".to_vec()))
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        Value::List(list) => list.iter().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    }
}

fn has_nan(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(_, value)| has_nan(value)),
        Value::List(list) => list.iter().any(has_nan),
        Value::Number(number) => number.is_nan(),
        Value::Null | Value::Bool(_) | Value::Text(_) => false,
    }
}

/// `message Struct { map<string, Value> fields = 1; }`
fn encode_struct(fields: &[(String, Value)]) -> Vec<u8> {
    let entry = |(name, value): &(String, Value)| {
        let entry = [delimited(1, name.as_bytes()), delimited(2, &encode_value(value))].concat();
        delimited(1, &entry)
    };
    fields.iter().flat_map(entry).collect()
}

fn encode_value(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => [&[2 << 3 | 1][..], &number.to_le_bytes()].concat(),
        Value::Text(text) => delimited(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(fields) => delimited(5, &encode_struct(fields)),
        Value::List(list) => delimited(
            6,
            &list.iter().flat_map(|value| delimited(1, &encode_value(value))).collect::<Vec<_>>(),
        ),
    }
}

fn delimited(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}
