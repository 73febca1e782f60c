//! A service at work on a message, as `exchange.rs` does it, but step by step: other services, deaths and the
//! engine's failures come in between.

use crate::engine::Engine;
use crate::proxy::PREFIX;
use tollgate::fleet::message::{Answer, EntryAnswer, Exchange};
use tollgate::time::Micros;
use tollgate_fleet::apply::apply;
use tollgate_fleet::engine::{Found, Reading, Swap, Swapped};
use tollgate_fleet::exchange::key;
use tollgate_fleet::record::Record;

const MAX_TRIES: u32 = 8;

/// The entries of an exchange, with what was read last. Their records are distinct.
pub struct Service {
    pub message: usize,
    exchange: Exchange,
    reads: Vec<Reading>,
    swaps: Vec<(usize, Swap, EntryAnswer)>,
    answers: Vec<EntryAnswer>,
    tries: u32,
}

impl Service {
    pub fn new(message: usize, exchange: Exchange) -> Service {
        let answers = vec![EntryAnswer::default(); exchange.entries.len()];
        Service { message, exchange, reads: Vec::new(), swaps: Vec::new(), answers, tries: 0 }
    }

    /// Reads all records.
    pub fn read(&mut self, engine: &Engine, time: Micros) {
        let entries = self.exchange.entries.iter();
        self.reads = entries.map(|one| engine.read(&key(PREFIX, &one.policy, one.caller), time)).collect();
        self.swaps = (0..self.reads.len()).map(|index| self.applied(index)).collect();
    }

    fn applied(&self, index: usize) -> (usize, Swap, EntryAnswer) {
        let (entry, read) = (&self.exchange.entries[index], &self.reads[index]);
        let (mut record, old) = match &read.found {
            Found::Text(text) => (Record::from_text(text).unwrap(), Some(text.clone())),
            Found::Nothing | Found::Foreign => (Record::default(), None),
        };
        let answer = apply(&mut record, self.exchange.holder, entry, read.now);
        let new = record.to_text();
        assert_eq!(Record::from_text(&new).as_ref(), Ok(&record));
        let key = key(PREFIX, &entry.policy, entry.caller);
        (index, Swap { key, old, new, expires: record.expires() }, answer)
    }

    /// Swaps the records. Returns the units that were granted, and whether all is done.
    pub fn swap(&mut self, engine: &mut Engine, time: Micros) -> (u64, bool) {
        let mut granted = 0;
        for (index, swap, answer) in std::mem::take(&mut self.swaps) {
            match engine.swap(&swap, time) {
                Swapped::Done => {
                    granted += u64::from(answer.granted);
                    self.answers[index] = answer;
                }
                Swapped::Changed(read) => {
                    self.reads[index] = read;
                    self.swaps.push(self.applied(index));
                }
                Swapped::Full => {}
            }
        }
        self.tries += 1;
        (granted, self.swaps.is_empty() || self.tries == MAX_TRIES)
    }

    pub fn longest(&self) -> usize {
        self.swaps.iter().map(|(_, swap, _)| swap.new.len()).max().unwrap_or(0)
    }

    pub fn answer(&mut self, epoch: u64, workers: u32) -> Vec<u8> {
        Answer { epoch, workers, entries: std::mem::take(&mut self.answers) }.encode()
    }
}
