//! One exchange: reads the records, applies the entries, and swaps the records, until all swaps succeed.

use crate::apply::apply;
use crate::engine::{Engine, Found, Reading, Swap, Swapped, Unavailable};
use crate::metrics::Metrics;
use crate::record::Record;
use crate::throttle::Throttle;
use std::collections::HashSet;
use tollgate::fleet::message::{Answer, Entry, EntryAnswer, Exchange};
use tollgate::identity::Identity;

/// A record is swapped up to this many times if other services swap it in between.
const MAX_TRIES: u32 = 8;

/// The longest record, in bytes. One of a month with 300 slots and 400 workers has some 40 KB.
const MAX_RECORD: usize = 256 * 1_024;

/// Exchanges with one fleet.
pub struct Fleet<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What each key begins with, such as `tollgate:prod`.
    pub prefix: &'a str,
    /// The number of workers that the fleet has.
    pub workers: u32,
    /// What is counted.
    pub metrics: &'a Metrics,
    /// Warnings of values that someone else wrote.
    pub foreign: &'a Throttle,
}

/// An entry, its place in the message, and its record's key.
type Keyed<'e> = (usize, &'e Entry, String);

/// An entry that is not applied yet, and its record as last read.
struct Pending<'e> {
    index: usize,
    entry: &'e Entry,
    key: String,
    read: Reading,
}

/// An entry whose swap is on its way.
struct Tried<'e> {
    index: usize,
    entry: &'e Entry,
    answer: EntryAnswer,
}

impl Fleet<'_> {
    /// Applies an exchange. Entries whose record can't be written say so.
    ///
    /// # Errors
    /// If the engine did not answer. Some entries may have been applied; the worker repeats all of them.
    pub async fn exchange(&self, exchange: &Exchange, epoch: u64) -> Result<Answer, Unavailable> {
        let mut answers = vec![EntryAnswer::default(); exchange.entries.len()];
        let mut rest: Vec<Keyed<'_>> = exchange
            .entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (index, entry, key(self.prefix, &entry.policy, entry.caller)))
            .collect();
        if rest.is_empty() {
            // A worker asks whether the engine answers again.
            self.engine.read(&[]).await?;
        }
        while !rest.is_empty() {
            let round;
            (round, rest) = distinct(rest);
            self.round(exchange.holder, round, &mut answers).await?;
        }
        Ok(Answer { epoch, workers: self.workers, entries: answers })
    }

    /// Applies entries of distinct records.
    async fn round(
        &self,
        holder: u64,
        entries: Vec<Keyed<'_>>,
        answers: &mut [EntryAnswer],
    ) -> Result<(), Unavailable> {
        let keys: Vec<String> = entries.iter().map(|(_, _, key)| key.clone()).collect();
        let reads = self.engine.read(&keys).await?;
        let mut open: Vec<Pending<'_>> = entries
            .into_iter()
            .zip(reads)
            .map(|((index, entry, key), read)| Pending { index, entry, key, read })
            .collect();
        for _ in 0..MAX_TRIES {
            open = self.attempt(holder, open, answers).await?;
            if open.is_empty() {
                return Ok(());
            }
        }
        self.metrics.exhausted.add(open.len() as u64);
        Ok(())
    }

    /// Attempts some entries. Returns those whose record was swapped by someone else.
    async fn attempt<'e>(
        &self,
        holder: u64,
        open: Vec<Pending<'e>>,
        answers: &mut [EntryAnswer],
    ) -> Result<Vec<Pending<'e>>, Unavailable> {
        let applied = open.into_iter().filter_map(|one| self.apply(holder, one));
        let (swaps, tried): (Vec<Swap>, Vec<Tried<'e>>) = applied.unzip();
        if swaps.is_empty() {
            return Ok(Vec::new());
        }
        let swapped = self.engine.swap(&swaps).await?;
        let mut overtaken = Vec::new();
        for ((one, swap), swapped) in tried.into_iter().zip(swaps).zip(swapped) {
            let Tried { index, entry, answer } = one;
            match swapped {
                Swapped::Done => {
                    self.metrics.count(entry, &answer);
                    answers.get_mut(index).into_iter().for_each(|slot| *slot = answer.clone());
                }
                Swapped::Changed(read) => overtaken.push(Pending { index, entry, key: swap.key, read }),
                Swapped::Full => self.metrics.full.add(1),
            }
        }
        self.metrics.conflicts.add(overtaken.len() as u64);
        Ok(overtaken)
    }

    /// Applies an entry to its record. `None`: it can't be.
    fn apply<'e>(&self, holder: u64, one: Pending<'e>) -> Option<(Swap, Tried<'e>)> {
        let Pending { index, entry, key, read } = one;
        let (mut record, old) = match read.found {
            Found::Nothing => (Record::default(), None),
            Found::Text(text) => match Record::from_text(&text) {
                Ok(record) => (record, Some(text)),
                Err(_) => return self.not_a_record(entry),
            },
            Found::Foreign => return self.not_a_record(entry),
        };
        let answer = apply(&mut record, holder, entry, read.now);
        let new = record.to_text();
        if new.len() > MAX_RECORD {
            self.metrics.oversized.add(1);
            return None;
        }
        let swap = Swap { key, old, new, expires: record.expires() };
        Some((swap, Tried { index, entry, answer }))
    }

    /// Someone else has written the value, or a later version of this service. It is not overwritten: counts would
    /// begin anew without anybody noticing. The policy's `on_outage` decides until an operator has removed it.
    fn not_a_record<T>(&self, entry: &Entry) -> Option<T> {
        self.metrics.foreign.add(1);
        if let Some(suppressed) = self.foreign.pass() {
            let policy = &entry.policy;
            tracing::warn!(policy, suppressed, "a value is not a record: its entries are not applied");
        }
        None
    }
}

/// The key of a record.
pub fn key(prefix: &str, policy: &str, caller: Identity) -> String {
    let caller = u128::from(caller.page) << 64 | u128::from(caller.fingerprint);
    format!("{prefix}:{policy}:{caller:032x}")
}

/// Entries of distinct records, and the rest: two entries for one record must not read the same value.
fn distinct(all: Vec<Keyed<'_>>) -> (Vec<Keyed<'_>>, Vec<Keyed<'_>>) {
    let mut keys = HashSet::with_capacity(all.len());
    let is_first: Vec<bool> = all.iter().map(|(_, _, key)| keys.insert(key.clone())).collect();
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().zip(is_first).partition(|(_, is_first)| *is_first);
    let entries = |list: Vec<(_, bool)>| list.into_iter().map(|(entry, _)| entry).collect();
    (entries(first), entries(rest))
}
