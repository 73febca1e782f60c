//! Requests on their way, by when their responses come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tollgate::time::Micros;

/// Requests that have been decided and have not ended. Those that end at one instant end in the order in which they
/// were added.
pub struct InFlight<T> {
    /// When each of them ends, its number, and its place in `requests`.
    ends: BinaryHeap<Reverse<(Micros, u64, usize)>>,
    requests: Vec<Option<T>>,
    free: Vec<usize>,
    number: u64,
}

impl<T> Default for InFlight<T> {
    fn default() -> InFlight<T> {
        InFlight { ends: BinaryHeap::new(), requests: Vec::new(), free: Vec::new(), number: 0 }
    }
}

impl<T> InFlight<T> {
    /// Adds a request that ends at an instant.
    pub fn add(&mut self, end: Micros, request: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.requests.push(None);
            self.requests.len() - 1
        });
        if let Some(entry) = self.requests.get_mut(place) {
            *entry = Some(request);
        }
        self.number += 1;
        self.ends.push(Reverse((end, self.number, place)));
    }

    /// Takes the next request that ends at an instant or before it, with its end.
    pub fn take_until(&mut self, at: Micros) -> Option<(Micros, T)> {
        self.ends.peek().filter(|Reverse((end, ..))| *end <= at)?;
        self.take_next()
    }

    /// Takes the request that ends first, with its end.
    pub fn take_next(&mut self) -> Option<(Micros, T)> {
        let Reverse((end, _, place)) = self.ends.pop()?;
        self.free.push(place);
        Some((end, self.requests.get_mut(place)?.take()?))
    }

    /// The number of requests.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}
