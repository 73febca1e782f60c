//! Describes how the cost of a request is read from the body of its response.

use super::cost::unknown_cost;
use tollgate::language::cost_header;
use tollgate::rules::{BodyPreset, CostBody, CostTerm, TokenKind, Weight};

/// `hold`: what a request holds until then.
pub(super) fn words(CostBody { terms, preset, without }: &CostBody, hold: &str) -> String {
    let costs = match preset {
        Some(preset) => tokens(preset, terms),
        None => terms.iter().map(term).collect::<Vec<_>>().join(" + "),
    };
    let without = unknown_cost(cost_header::WITHOUT_WORDS, *without);
    format!(
        "a request holds {hold} until its response's body has ended, and then costs {costs}, else {without}; if the body breaks off, no \
         less than it holds"
    )
}

fn tokens(preset: &BodyPreset, terms: &[CostTerm]) -> String {
    let mut weights: Vec<(TokenKind, Weight)> = Vec::new();
    for (kind, term) in preset.kinds().zip(terms) {
        if !weights.iter().any(|(other, _)| *other == kind) {
            weights.push((kind, term.weight));
        }
    }
    let tokens = format!("the tokens that it reports in the format {}", preset.word);
    if weights.iter().all(|(_, weight)| *weight == Weight::ONE) {
        return tokens;
    }
    let each = |(kind, weight): &(TokenKind, Weight)| {
        let kind = match kind {
            TokenKind::Input => "input",
            TokenKind::Cached => "cached",
            TokenKind::Output => "output",
        };
        format!("{kind} × {}", decimal(*weight))
    };
    format!("{tokens} ({})", weights.iter().map(each).collect::<Vec<_>>().join(", "))
}

fn term(CostTerm { at, weight, .. }: &CostTerm) -> String {
    let at: Vec<String> = at.iter().map(tollgate::body::Pointer::text).collect();
    let at = match at.as_slice() {
        [one] => one.clone(),
        several => format!("the largest of {}", several.join(", ")),
    };
    if *weight == Weight::ONE { at } else { format!("{at} × {}", decimal(*weight)) }
}

/// `0.1`, `5`.
fn decimal(Weight(thousandths): Weight) -> String {
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    format!("{whole}.{part:03}").trim_end_matches('0').trim_end_matches('.').to_string()
}
