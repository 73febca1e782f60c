//! Keys whose metadata cannot tell callers apart, such as an object. They count as absent, which an operator
//! has to know.

/// How often that was so, and for which keys for the first time.
#[derive(Debug, Default, PartialEq)]
pub struct Unreadable {
    /// The number of requests, once for each of their keys.
    pub count: u64,
    /// The keys, by index, that were never reported before.
    pub new: Vec<usize>,
    /// Those that were.
    reported: Vec<usize>,
}

impl Unreadable {
    /// Notes a request's keys, by index.
    pub(super) fn note(&mut self, keys: &[usize]) {
        self.count += keys.len() as u64;
        let known = |key: &usize| self.new.contains(key) || self.reported.contains(key);
        let new: Vec<usize> = keys.iter().copied().filter(|key| !known(key)).collect();
        self.new.extend(new);
    }

    /// What is to be reported.
    pub(super) fn take(&mut self) -> Unreadable {
        self.reported.extend(&self.new);
        Unreadable {
            count: std::mem::take(&mut self.count),
            new: std::mem::take(&mut self.new),
            reported: Vec::new(),
        }
    }
}
