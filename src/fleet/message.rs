//! The messages between a worker and the service, and their encoding. `docs/fleet-protocol.md` has the format.
//!
//! # Numbers
//! A worker numbers its entries from 1, and each grant or correction has the number of the entry that asked for
//! it. An entry lists the numbers that are still open, so the record can tell a message that is late from one
//! that is new, and those that are lost, so that their units go back. What an entry does not name stays as it is:
//! the engine may have forgotten that it was reported, or the worker that it was granted.

use super::limit;
use super::wire::{Content, Fields, Malformed, Writer};
use crate::identity::Identity;
use crate::limiter::{Forgiven, Limit, LimitId, Verdict};
use crate::time::Micros;

/// The version of the messages. It changes when an older reader would misread them; a reader skips new fields.
pub const VERSION: u64 = 1;

/// What one worker sends at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchange {
    /// The worker, by a random number that it draws at its start.
    pub holder: u64,
    /// One for each record.
    pub entries: Vec<Entry>,
}

/// What one worker says about one record, and asks of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The name of the policy.
    pub policy: String,
    /// The caller, hashed with the fleet's seed.
    pub caller: Identity,
    /// The policy's limits, and last its penalty, if it has one.
    pub limits: Vec<Limit>,
    /// This entry's number, higher than all of this worker's before.
    pub number: u64,
    /// The numbers of other entries whose grants this worker may still use, or whose answers it still awaits.
    pub open: Vec<u64>,
    /// The numbers of entries whose answers never came. What they were granted goes back.
    pub lost: Vec<u64>,
    /// Grants that this worker is done with.
    pub reports: Vec<Report>,
    /// Corrections of requests that were counted before.
    pub corrections: Vec<Correction>,
    /// This worker's units in flight, all of them.
    pub in_flight: u32,
    /// Units to be granted.
    pub ask: Option<Ask>,
    /// What an operator forgives this caller.
    pub forgive: Vec<Forgiven>,
}

/// How a grant was used. What was not used goes back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The number of the entry that asked for it.
    pub grant: u64,
    /// How long before the grant's end, and how many units. Both sides know that end, so the engine counts them at
    /// an instant that the worker knows, whenever the report comes.
    pub used: Vec<(Micros, u32)>,
    /// How long ago the grant has ended; 0 if it has not.
    pub ended: Micros,
    /// How long until the grant ends; 0 if it has.
    pub ends_in: Micros,
}

/// What a response has changed about an earlier request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Correction {
    /// The number of the entry that carried it first.
    pub number: u64,
    /// When the engine has counted units that go back, on its own clock ([`EntryAnswer::at`]), and how many.
    pub back: Option<(Micros, u32)>,
    /// How long ago units were spent that are not counted yet, and how many.
    pub more: Option<(Micros, u32)>,
    /// Units of a reported stock that are no longer in flight.
    pub settled: u32,
    /// The reported number of units of a stock, and how long ago the reporting request was admitted.
    pub stock: Option<(Micros, u64)>,
    /// How long ago another request has returned units, and how many. Those that were counted last go back.
    pub returned: Option<(Micros, u32)>,
}

/// Units that a worker asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ask {
    /// Fewer are a rejection.
    pub at_least: u32,
    /// The units of all requests that wait.
    pub at_most: u32,
    /// Further units that are expected to be of use.
    pub ahead: u32,
    /// How long the grant may be used at most.
    pub term: Micros,
    /// The same for a grant without units ahead: how long the requests wait.
    pub wait: Micros,
    /// Whether nothing is to be granted: the worker only asks whether `at_least` units would be.
    pub only_judge: bool,
}

/// The service's answer to an exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Changes when the engine has lost its data.
    pub epoch: u64,
    /// The number of workers that the fleet has had in the last minute, to share a quota in an outage.
    pub workers: u32,
    /// One for each entry, in order.
    pub entries: Vec<EntryAnswer>,
}

/// The answer to one entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryAnswer {
    /// Whether the record was written. If not, nothing of the entry has happened.
    pub applied: bool,
    /// One for each limit, without the penalty. Their instants are lengths from now.
    pub verdicts: Vec<Verdict>,
    /// The granted units: none, or at least those that were asked for at least.
    pub granted: u32,
    /// How long the grant may be used, from the instant at which the entry was sent.
    pub term: Micros,
    /// How long a rejection may be remembered.
    pub remember: Micros,
    /// The engine's clock when the entry was applied. It only names instants to the engine.
    pub at: Micros,
    /// When the grant ends, on the engine's clock.
    pub end: Micros,
}

/// The numbers of fields. They are never reused.
mod field {
    pub const VERSION: u64 = 1;
    pub const HOLDER: u64 = 2;
    pub const ENTRY: u64 = 3;

    pub const POLICY: u64 = 1;
    pub const CALLER: u64 = 2;
    pub const LIMIT: u64 = 3;
    pub const NUMBER: u64 = 4;
    pub const OPEN: u64 = 5;
    pub const REPORT: u64 = 6;
    pub const CORRECTION: u64 = 7;
    pub const IN_FLIGHT: u64 = 8;
    pub const ASK: u64 = 9;
    pub const LOST: u64 = 10;
    pub const FORGIVE: u64 = 11;
}

impl Exchange {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(field::VERSION, VERSION);
        out.number(field::HOLDER, self.holder);
        self.entries.iter().for_each(|entry| out.message(field::ENTRY, |out| entry.encode(out)));
        out.finish()
    }

    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Exchange, Malformed> {
        let (mut exchange, mut version) = (Exchange::default(), 0);
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                field::VERSION => version = field.content.number()?,
                field::HOLDER => exchange.holder = field.content.number()?,
                field::ENTRY => exchange.entries.push(Entry::decode(field.content.bytes()?)?),
                _ => {}
            }
        }
        if version == VERSION { Ok(exchange) } else { Err(Malformed) }
    }
}

impl Entry {
    fn encode(&self, out: &mut Writer) {
        out.bytes(field::POLICY, self.policy.as_bytes());
        out.bytes(field::CALLER, &caller_bytes(self.caller));
        self.limits.iter().for_each(|limit| out.message(field::LIMIT, |out| limit::encode(limit, out)));
        out.number(field::NUMBER, self.number);
        self.open.iter().for_each(|number| out.number(field::OPEN, *number));
        self.lost.iter().for_each(|number| out.number(field::LOST, *number));
        for report in &self.reports {
            out.message(field::REPORT, |out| report.encode(out));
        }
        for correction in &self.corrections {
            out.message(field::CORRECTION, |out| correction.encode(out));
        }
        out.number(field::IN_FLIGHT, self.in_flight.into());
        if let Some(ask) = &self.ask {
            out.message(field::ASK, |out| ask.encode(out));
        }
        self.forgive.iter().for_each(|forgiven| encode_forgiven(out, forgiven));
    }

    fn decode(bytes: &[u8]) -> Result<Entry, Malformed> {
        let mut entry = Entry::default();
        for field in Fields::of(bytes) {
            let field = field?;
            let content = &field.content;
            match field.number {
                field::POLICY => entry.policy = text(content)?,
                field::CALLER => entry.caller = caller(content.bytes()?)?,
                field::LIMIT => entry.limits.push(limit::decode(content.bytes()?)?),
                field::NUMBER => entry.number = content.number()?,
                field::OPEN => entry.open.push(content.number()?),
                field::LOST => entry.lost.push(content.number()?),
                field::REPORT => entry.reports.push(Report::decode(content.bytes()?)?),
                field::CORRECTION => entry.corrections.push(Correction::decode(content.bytes()?)?),
                field::IN_FLIGHT => entry.in_flight = content.small()?,
                field::ASK => entry.ask = Some(Ask::decode(content.bytes()?)?),
                field::FORGIVE => entry.forgive.push(decode_forgiven(content.bytes()?)?),
                _ => {}
            }
        }
        Ok(entry)
    }
}

fn caller_bytes(caller: Identity) -> [u8; 16] {
    let number = u128::from(caller.page) << 64 | u128::from(caller.fingerprint);
    number.to_be_bytes()
}

fn caller(bytes: &[u8]) -> Result<Identity, Malformed> {
    let number = u128::from_be_bytes(bytes.try_into().map_err(|_| Malformed)?);
    Ok(Identity { page: (number >> 64) as u64, fingerprint: number as u64 })
}

fn text(content: &Content<'_>) -> Result<String, Malformed> {
    String::from_utf8(content.bytes()?.to_vec()).map_err(|_| Malformed)
}

/// A length of time and a number of units.
fn encode_pair(out: &mut Writer, field: u64, (age, units): (Micros, u64)) {
    out.message(field, |out| {
        out.number(1, age);
        out.number(2, units);
    });
}

fn encode_forgiven(out: &mut Writer, forgiven: &Forgiven) {
    out.message(field::FORGIVE, |out| {
        out.number(1, forgiven.limit.0.into());
        out.number(2, forgiven.before);
        out.number(3, forgiven.until);
    });
}

fn decode_forgiven(bytes: &[u8]) -> Result<Forgiven, Malformed> {
    let (mut limit, mut before, mut until) = (0, 0, 0);
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => limit = field.content.small()?,
            2 => before = field.content.number()?,
            3 => until = field.content.number()?,
            _ => {}
        }
    }
    Ok(Forgiven { limit: LimitId(limit), before, until })
}

fn decode_pair(bytes: &[u8]) -> Result<(Micros, u64), Malformed> {
    let mut pair = (0, 0);
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => pair.0 = field.content.number()?,
            2 => pair.1 = field.content.number()?,
            _ => {}
        }
    }
    Ok(pair)
}

fn decode_small_pair(bytes: &[u8]) -> Result<(Micros, u32), Malformed> {
    let (age, units) = decode_pair(bytes)?;
    Ok((age, u32::try_from(units).map_err(|_| Malformed)?))
}

impl Report {
    fn encode(&self, out: &mut Writer) {
        out.number(1, self.grant);
        self.used.iter().for_each(|(before, units)| encode_pair(out, 2, (*before, (*units).into())));
        out.number(3, self.ended);
        out.number(4, self.ends_in);
    }

    fn decode(bytes: &[u8]) -> Result<Report, Malformed> {
        let mut report = Report::default();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => report.grant = field.content.number()?,
                2 => report.used.push(decode_small_pair(field.content.bytes()?)?),
                3 => report.ended = field.content.number()?,
                4 => report.ends_in = field.content.number()?,
                _ => {}
            }
        }
        Ok(report)
    }
}

impl Correction {
    fn encode(&self, out: &mut Writer) {
        out.number(1, self.number);
        self.back.iter().for_each(|(age, units)| encode_pair(out, 2, (*age, (*units).into())));
        self.more.iter().for_each(|(age, units)| encode_pair(out, 3, (*age, (*units).into())));
        out.number(4, self.settled.into());
        self.stock.iter().for_each(|pair| encode_pair(out, 5, *pair));
        self.returned.iter().for_each(|(age, units)| encode_pair(out, 6, (*age, (*units).into())));
    }

    fn decode(bytes: &[u8]) -> Result<Correction, Malformed> {
        let mut correction = Correction::default();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => correction.number = field.content.number()?,
                2 => correction.back = Some(decode_small_pair(field.content.bytes()?)?),
                3 => correction.more = Some(decode_small_pair(field.content.bytes()?)?),
                4 => correction.settled = field.content.small()?,
                5 => correction.stock = Some(decode_pair(field.content.bytes()?)?),
                6 => correction.returned = Some(decode_small_pair(field.content.bytes()?)?),
                _ => {}
            }
        }
        Ok(correction)
    }
}

impl Ask {
    fn encode(&self, out: &mut Writer) {
        out.number(1, self.at_least.into());
        out.number(2, self.at_most.into());
        out.number(4, self.term);
        out.number(5, self.ahead.into());
        out.number(6, self.wait);
        out.number(7, self.only_judge.into());
    }

    fn decode(bytes: &[u8]) -> Result<Ask, Malformed> {
        let mut ask = Ask::default();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => ask.at_least = field.content.small()?,
                2 => ask.at_most = field.content.small()?,
                4 => ask.term = field.content.number()?,
                5 => ask.ahead = field.content.small()?,
                6 => ask.wait = field.content.number()?,
                7 => ask.only_judge = field.content.number()? != 0,
                _ => {}
            }
        }
        Ok(ask)
    }
}
