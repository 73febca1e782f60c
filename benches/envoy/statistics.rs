//! Of a few samples the median and the quartiles: an outlier of a shared machine changes none of them.

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
