//! Of a few samples the median and the quartiles: an outlier of a shared machine changes none of them. And of
//! a quotient of medians how far it is to be believed.

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub median: f64,
    /// A quarter of the samples is below.
    pub low: f64,
    /// A quarter of the samples is above.
    pub high: f64,
}

impl Summary {
    /// `None`: there are no samples.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = last as f64 * part;
            let (below, above) = (sorted[place as usize], sorted[(place.ceil()) as usize]);
            below + (above - below) * place.fract()
        };
        Some(Summary { median: at(0.5), low: at(0.25), high: at(0.75) })
    }

    pub fn json(self) -> Value {
        let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
        json!({ "median": rounded(self.median), "low": rounded(self.low), "high": rounded(self.high) })
    }
}

/// The quotient of two medians, and between what nine of ten such quotients are that might have been found:
/// of generations, and of rounds in them, drawn at random from those that were (a bootstrap of two levels). A
/// round's two samples stay together, since they have met the same moment of the machine.
///
/// `None`: there are no samples.
pub fn quotient(ones: &[f64], others: &[f64], generations: usize) -> Option<Summary> {
    const DRAWS: usize = 2_000;
    let rounds = ones.len().min(others.len()).checked_div(generations).filter(|rounds| *rounds > 0)?;
    let median = |samples: &[f64]| Summary::of(samples.iter().copied()).map(|summary| summary.median);
    let found = median(ones)? / median(others)?;
    let mut random = Random(1);
    let mut draw = || {
        let mut pairs: (Vec<f64>, Vec<f64>) = Default::default();
        for _ in 0..generations {
            let generation = random.below(generations);
            for _ in 0..rounds {
                let place = generation * rounds + random.below(rounds);
                pairs.extend([(ones[place], others[place])]);
            }
        }
        Some(median(&pairs.0)? / median(&pairs.1)?)
    };
    let mut drawn: Vec<f64> = (0..DRAWS).filter_map(|_| draw()).collect();
    drawn.sort_unstable_by(f64::total_cmp);
    Some(Summary { median: found, low: drawn[DRAWS / 20], high: drawn[DRAWS - DRAWS / 20 - 1] })
}

/// Marsaglia's xorshift: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }
}
