//! Values that a type must accept, and values that it must reject.

use super::super::words;
use serde_json::{Value as Json, json};
use tollgate::config::{Kind, Text};
use tollgate::language::forms;

/// One value to try.
pub(super) struct Probe {
    pub value: Json,
    /// The path within the value where the error would be.
    pub at: String,
    /// Whether it must be accepted.
    pub accepted: bool,
    /// Whether the schema can reject it.
    pub in_schema: bool,
    /// What the error must list as allowed, if that is known exactly.
    pub allowed: Option<String>,
}

fn probe(value: Json, accepted: bool) -> Probe {
    Probe { value, at: String::new(), accepted, in_schema: true, allowed: None }
}

/// Values at the edges of a type.
pub(super) fn probes(kind: &Kind) -> Vec<Probe> {
    match kind {
        Kind::Flag => vec![probe(json!(true), true), probe(json!(false), true), probe(json!("yes"), false)],
        Kind::Number(range) => {
            let below = range.min.checked_sub(1).map(|below| probe(json!(below), false));
            let edges = [(range.min, true), (range.max, true), (range.max + 1, false)];
            let edges = edges.into_iter().map(|(number, accepted)| probe(json!(number), accepted));
            let others = [probe(json!("some"), false), probe(json!(1.5), false)];
            below.into_iter().chain(edges).chain(others).collect()
        }
        Kind::Thousandths(range) => {
            let accepted = [json!(range.min), json!(range.max), json!(0.001), json!(0.29), json!(1.001)];
            let rejected = [json!(range.min - 1), json!(range.max + 1), json!("some")];
            let four_places = Probe { in_schema: false, ..probe(json!(0.0001), false) };
            let accepted = accepted.into_iter().map(|value| probe(value, true));
            accepted
                .chain(rejected.into_iter().map(|value| probe(value, false)))
                .chain([four_places])
                .collect()
        }
        Kind::Words(_) => {
            let words: Vec<&str> = words(kind).into_iter().map(|(word, _)| word).collect();
            let list = words.join(", ");
            let wrong = Probe { allowed: Some(list), ..probe(json!("no such word"), false) };
            words.iter().map(|word| probe(json!(word), true)).chain([wrong]).collect()
        }
        Kind::Text(text) => text_probes(text),
        Kind::Statuses => {
            let accepted = [
                json!([100, 599]),
                json!(["1xx", "2xx", "3xx", "4xx", "5xx"]),
                json!(["grpc:ok", "grpc:16"]),
            ];
            let rejected = [json!([99]), json!([600]), json!(["6xx"]), json!(["grpc:17"])];
            let rejected =
                rejected.into_iter().map(|value| Probe { at: "[0]".into(), ..probe(value, false) });
            let lists = [probe(json!([]), false), probe(json!(401), false)];
            accepted.into_iter().map(|value| probe(value, true)).chain(rejected).chain(lists).collect()
        }
        Kind::Object(_) => vec![probe(json!("a text"), false)],
        Kind::List(of) => in_list(of).chain([probe(json!([]), false), probe(json!(7), false)]).collect(),
        Kind::AnyList(of) => in_list(of).chain([probe(json!([]), true), probe(json!(7), false)]).collect(),
        Kind::OneOrList(of) => in_list(of).chain(probes(of)).chain([probe(json!([]), false)]).collect(),
        Kind::Map { names, values } => in_map(names, values),
        Kind::Either(kinds) => either(kinds),
    }
}

fn text_probes(text: &Text) -> Vec<Probe> {
    if text.name.get() == forms::DURATION.text.name.get() {
        let durations =
            [("1s", true), ("366d", true), ("0s", false), ("60", false), ("1.5m", false), ("1w", false)];
        let durations = durations.into_iter().map(|(duration, accepted)| probe(json!(duration), accepted));
        let too_long = Probe { in_schema: false, ..probe(json!("367d"), false) };
        return durations.chain([too_long]).collect();
    }
    if text.pattern.get().is_some() {
        vec![probe(json!("\u{7}"), false)]
    } else {
        vec![probe(json!(7), false)]
    }
}

fn in_list(of: &Kind) -> impl Iterator<Item = Probe> {
    probes(of).into_iter().map(|one| Probe { value: json!([one.value]), at: format!("[0]{}", one.at), ..one })
}

fn in_map(names: &Text, values: &Kind) -> Vec<Probe> {
    let name = match names.name.get() {
        name if name == forms::KEY_NAME.name.get() => "k",
        name if name == forms::TIER.name.get() => "free",
        name if name == forms::LIMIT.name.get() => "p/limit",
        name if name == forms::LANGUAGE.text.name.get() => "es",
        name if name == forms::HEADER.text.name.get() => "x-other",
        _ => "n",
    };
    let at = if name == "p/limit" { "[\"p/limit\"]".to_string() } else { format!(".{name}") };
    let inside =
        |one: Probe| Probe { value: json!({ name: one.value }), at: format!("{at}{}", one.at), ..one };
    probes(values).into_iter().map(inside).collect()
}

/// What one type accepts, all do together. What one rejects another may accept, unless it is a number.
fn either(kinds: &[Kind]) -> Vec<Probe> {
    let of = |kind: &Kind| {
        let number = matches!(kind, Kind::Number(_));
        probes(kind).into_iter().filter(move |probe| probe.accepted || number && probe.value.is_number())
    };
    kinds.iter().flat_map(of).collect()
}
