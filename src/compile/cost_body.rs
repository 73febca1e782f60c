//! Compiles how the cost of a request is read from the body of its response.

use super::unknown_cost::unknown_cost;
use crate::body::Pointer;
use crate::config::{Fields, Reader, all};
use crate::language::{cost_body, cost_header, cost_term, cost_weights, forms};
use crate::rules::{CostBody, CostTerm, TokenKind, Weight};

/// So many places, or numbers of a sum, are enough.
const MAX: usize = 8;

/// Reads a `cost_body`.
#[inline(never)]
pub(super) fn read(reader: &Reader<'_>) -> Option<Box<CostBody>> {
    let fields = reader.fields(&cost_body::OBJECT)?;
    let preset = fields.get_optional(&cost_body::FORMAT);
    let one = fields.get_optional_with(&cost_body::JSON, pointers);
    let sum = fields.get_optional_with(&cost_body::SUM, sum);
    let weights = fields.object_or_empty(&cost_body::WEIGHTS, &cost_weights::OBJECT);
    let weights = weights.and_then(|weights| Weights::read(&weights));
    let without = fields.get_with(&cost_body::WITHOUT, cost_header::WITHOUT_WORDS, |reader| {
        unknown_cost(reader, cost_header::WITHOUT_WORDS)
    });
    let (preset, one, sum, weights) = (preset?, one?, sum?, weights?);
    let terms = match (preset, one, sum) {
        (Some(preset), _, _) => preset.terms(|kind| weights.of(kind)),
        (None, Some(one), _) => vec![CostTerm::new(one, Weight::ONE)],
        (None, None, sum) => sum?,
    };
    Some(Box::new(CostBody { terms, preset, without: without? }))
}

/// What tokens of each kind cost.
struct Weights {
    input: Weight,
    cached: Option<Weight>,
    output: Weight,
}

impl Weights {
    fn read(fields: &Fields<'_>) -> Option<Weights> {
        let input = fields.get(&cost_weights::INPUT);
        let cached = fields.get_optional(&cost_weights::CACHED);
        let output = fields.get(&cost_weights::OUTPUT);
        Some(Weights { input: Weight(input?), cached: cached?.map(Weight), output: Weight(output?) })
    }

    fn of(&self, kind: TokenKind) -> Weight {
        match kind {
            TokenKind::Input => self.input,
            TokenKind::Cached => self.cached.unwrap_or(self.input),
            TokenKind::Output => self.output,
        }
    }
}

fn sum(list: &Reader<'_>) -> Option<Vec<CostTerm>> {
    let entries = list.non_empty_list(cost_body::SUM.kind.allowed)?;
    let terms = all(entries.iter().map(term));
    if entries.len() > MAX { list.error(cost_body::SUM.kind.allowed) } else { terms }
}

fn term(entry: &Reader<'_>) -> Option<CostTerm> {
    let fields = entry.fields(&cost_term::OBJECT)?;
    let at = fields.needed(&cost_term::JSON).and_then(pointers);
    let weight = fields.get(&cost_term::WEIGHT);
    Some(CostTerm::new(at?, Weight(weight?)))
}

/// A pointer, or a list of them.
#[inline(never)]
fn pointers(reader: &Reader<'_>) -> Option<Vec<Pointer>> {
    if reader.is_text() {
        return Some(vec![reader.read(&forms::POINTER)?]);
    }
    let entries = reader.non_empty_list(cost_term::JSON.kind.allowed)?;
    let pointers = all(entries.iter().map(|entry| entry.read(&forms::POINTER)));
    if entries.len() > MAX { reader.error(cost_term::JSON.kind.allowed) } else { pointers }
}
