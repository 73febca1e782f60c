//! Keys whose metadata cannot tell callers apart, such as an object. They count as absent, which an operator
//! has to know.

/// How often that was so, and for which keys.
#[derive(Debug, Default)]
pub(super) struct UnreadableKeys {
    /// The number of requests since the last report, once for each of their keys.
    requests: u64,
    /// The keys, by index, in the order in which they came up.
    keys: Vec<usize>,
    /// How many of them have been reported.
    reported: usize,
}

impl UnreadableKeys {
    /// Notes a request's keys, by index.
    pub fn note(&mut self, keys: &[usize]) {
        self.requests += keys.len() as u64;
        for key in keys {
            if !self.keys.contains(key) {
                self.keys.push(*key);
            }
        }
    }

    /// The number of requests since the last report, and the keys that no report has had.
    pub fn report(&mut self) -> (u64, Vec<usize>) {
        let new = self.keys.get(self.reported..).unwrap_or_default().to_vec();
        self.reported = self.keys.len();
        (std::mem::take(&mut self.requests), new)
    }
}
