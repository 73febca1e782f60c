//! Requests in the order in which they came. A log has them in the order in which they ended.
//!
//! A request is handed out once a line has ended [`Reorder::time`] after it came: no line behind that is
//! expected to have come before it. One that has all the same is handed out at once, and said to be late.

use super::record::Record;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tollgate::time::{Micros, SECOND};

/// How far lines may be out of order.
#[derive(Clone, Copy, Debug)]
pub struct Reorder {
    /// How long a request is held back.
    pub time: Micros,
    /// How many requests are held back at most. More than that makes the oldest one go.
    pub requests: usize,
    /// How many bytes their texts have together at most, since clients choose how long these are.
    pub bytes: usize,
}

impl Default for Reorder {
    fn default() -> Reorder {
        Reorder { time: 30 * SECOND, requests: 1 << 18, bytes: 512 << 20 }
    }
}

/// The requests that are held back.
#[derive(Default)]
pub struct Queue {
    reorder: Reorder,
    /// When each of them came, its number in the log, and its place in `records`.
    order: BinaryHeap<Reverse<(Micros, u64, usize)>>,
    records: Vec<Record>,
    free: Vec<usize>,
    /// The bytes of the requests that are held back.
    bytes: usize,
    number: u64,
    /// The latest end so far.
    latest_end: Micros,
    /// When the last request came that was handed out.
    handed_out: Micros,
    /// The number of requests that were late.
    pub late: u64,
}

impl Queue {
    /// A queue without requests.
    pub fn new(reorder: Reorder) -> Queue {
        Queue { reorder, ..Queue::default() }
    }

    /// A record to be filled and [pushed](Queue::push).
    pub fn blank(&mut self) -> (usize, &mut Record) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.records.push(Record::default());
            self.records.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "places are handed out only for records that exist")]
        (place, &mut self.records[place])
    }

    /// Adds the record at a place.
    pub fn push(&mut self, place: usize) {
        let Some(record) = self.records.get(place) else { return };
        self.number += 1;
        self.bytes += record.size();
        self.latest_end = self.latest_end.max(record.end);
        if record.start < self.handed_out {
            self.late += 1;
        }
        self.order.push(Reverse((record.start, self.number, place)));
    }

    /// The next request whose turn has come; with `all`, the next one. It has to be [put back](Queue::put_back).
    pub fn pop(&mut self, all: bool) -> Option<usize> {
        let Reverse((start, _, place)) = self.order.peek()?;
        let due = start.saturating_add(self.reorder.time) <= self.latest_end;
        let has_room = self.order.len() <= self.reorder.requests && self.bytes <= self.reorder.bytes;
        if !all && !due && has_room {
            return None;
        }
        let place = *place;
        self.handed_out = self.handed_out.max(*start);
        self.order.pop();
        self.bytes = self.bytes.saturating_sub(self.records.get(place).map_or(0, Record::size));
        Some(place)
    }

    /// The record at a place.
    pub fn record(&self, place: usize) -> Option<&Record> {
        self.records.get(place)
    }

    /// The record at this place is not needed any more.
    pub fn put_back(&mut self, place: usize) {
        if let Some(record) = self.records.get_mut(place) {
            record.shrink();
            self.free.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::format::{Line, Text};

    fn push(queue: &mut Queue, start: Micros, took: Micros) {
        let (place, record) = queue.blank();
        let mut line = Line::default();
        (line.time, line.duration) = (Some(start), Some(took));
        record.fill(&line);
        queue.push(place);
    }

    fn popped(queue: &mut Queue, all: bool) -> Vec<Micros> {
        let mut starts = Vec::new();
        while let Some(place) = queue.pop(all) {
            starts.push(queue.record(place).unwrap().start);
            queue.put_back(place);
        }
        starts
    }

    #[test]
    fn requests_come_out_in_the_order_of_their_start() {
        let mut queue = Queue::new(Reorder { time: 10, requests: 100, ..Reorder::default() });
        for (start, took) in [(5, 1), (3, 4), (6, 2), (1, 9)] {
            push(&mut queue, start, took);
        }
        assert!(popped(&mut queue, false).is_empty(), "nothing has ended at 11 or later");
        push(&mut queue, 14, 1);
        assert_eq!(popped(&mut queue, false), [1, 3, 5]);
        assert_eq!(popped(&mut queue, true), [6, 14]);
        assert_eq!(queue.late, 0);
    }

    #[test]
    fn a_request_that_took_longer_than_the_bound_is_late_and_counts() {
        let mut queue = Queue::new(Reorder { time: 10, requests: 100, ..Reorder::default() });
        push(&mut queue, 100, 0);
        push(&mut queue, 120, 0);
        assert_eq!(popped(&mut queue, false), [100]);
        push(&mut queue, 50, 71);
        assert_eq!(popped(&mut queue, false), [50]);
        assert_eq!(queue.late, 1);
    }

    #[test]
    fn no_more_than_the_bound_are_held_back_and_their_memory_is_used_again() {
        let mut queue = Queue::new(Reorder { time: 1_000_000, requests: 8, ..Reorder::default() });
        for start in 0..10_000 {
            push(&mut queue, start, 0);
            popped(&mut queue, false);
        }
        assert!(queue.records.len() <= 9, "{}", queue.records.len());
        assert_eq!(queue.late, 0);
    }

    #[test]
    fn long_texts_of_clients_do_not_make_the_requests_that_are_held_back_large() {
        let mut queue = Queue::new(Reorder { time: 1_000_000, requests: 10_000, bytes: 1 << 20 });
        let mut most = 0;
        for start in 0..1_000 {
            let (place, record) = queue.blank();
            let mut line = Line::default();
            (line.time, line.duration) = (Some(start), Some(0));
            line.set_text(Text::UserAgent, vec![b'x'; 60_000].into());
            record.fill(&line);
            queue.push(place);
            popped(&mut queue, false);
            most = most.max(queue.records.iter().map(Record::size).sum::<usize>());
        }
        assert!((1 << 19..2 << 20).contains(&most), "{most}");
        assert_eq!(queue.late, 0);
        assert!(!popped(&mut queue, true).is_empty());
        assert_eq!(queue.bytes, 0);
        assert_eq!(queue.records.iter().map(Record::size).sum::<usize>(), 0, "no record keeps such a text");
    }
}
