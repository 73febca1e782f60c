//! The encoding of the service's answer.

use super::message::{Answer, EntryAnswer, VERSION};
use super::wire::{Fields, Malformed, Writer};
use crate::limiter::Verdict;

impl Answer {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(1, VERSION);
        out.number(2, self.epoch);
        self.entries.iter().for_each(|entry| out.message(3, |out| entry.encode(out)));
        out.number(4, self.workers.into());
        out.finish()
    }

    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Answer, Malformed> {
        let (mut answer, mut version) = (Answer::default(), 0);
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => version = field.content.number()?,
                2 => answer.epoch = field.content.number()?,
                3 => answer.entries.push(EntryAnswer::decode(field.content.bytes()?)?),
                4 => answer.workers = field.content.small()?,
                _ => {}
            }
        }
        if version == VERSION { Ok(answer) } else { Err(Malformed) }
    }
}

impl EntryAnswer {
    fn encode(&self, out: &mut Writer) {
        out.number(1, self.applied.into());
        self.verdicts.iter().for_each(|verdict| out.message(2, |out| encode_verdict(verdict, out)));
        out.number(3, self.granted.into());
        out.number(4, self.term);
        out.number(5, self.remember);
        out.number(6, self.at);
        out.number(7, self.end);
    }

    fn decode(bytes: &[u8]) -> Result<EntryAnswer, Malformed> {
        let mut entry = EntryAnswer::default();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => entry.applied = field.content.number()? != 0,
                2 => entry.verdicts.push(decode_verdict(field.content.bytes()?)?),
                3 => entry.granted = field.content.small()?,
                4 => entry.term = field.content.number()?,
                5 => entry.remember = field.content.number()?,
                6 => entry.at = field.content.number()?,
                7 => entry.end = field.content.number()?,
                _ => {}
            }
        }
        Ok(entry)
    }
}

fn encode_verdict(verdict: &Verdict, out: &mut Writer) {
    out.number(1, verdict.admitted.into());
    out.number(2, verdict.quota.into());
    out.number(3, verdict.remaining);
    out.number(4, verdict.next_slot);
    out.number(5, verdict.full_reset);
    out.number(6, verdict.retry_after);
}

fn decode_verdict(bytes: &[u8]) -> Result<Verdict, Malformed> {
    let mut verdict =
        Verdict { admitted: false, quota: 0, remaining: 0, next_slot: 0, full_reset: 0, retry_after: 0 };
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => verdict.admitted = field.content.number()? != 0,
            2 => verdict.quota = field.content.small()?,
            3 => verdict.remaining = field.content.number()?,
            4 => verdict.next_slot = field.content.number()?,
            5 => verdict.full_reset = field.content.number()?,
            6 => verdict.retry_after = field.content.number()?,
            _ => {}
        }
    }
    // The service judges by limits, and none of them has a quota of 0.
    if verdict.quota == 0 { Err(Malformed) } else { Ok(verdict) }
}
