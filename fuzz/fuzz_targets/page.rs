//! Any bytes as a page, and a record written to it: it opens just when a plain walk of the format says so,
//! and the page that is written is sound, within its capacity, and has lost nobody who must stay.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tollgate::limiter::{EvictionInfo, LimitId};
use tollgate::table::{NewRecord, OVERFLOW, Page, Room, States, WELL_USED};
use tollgate::time::SECOND;

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured<'_>) -> Result<()> {
    // An uptime of 68 years at most: `expires` has 32 bits.
    let now = u64::from(u32::arbitrary(&mut u)? >> 1) * SECOND;
    let capacity = usize::from(u16::arbitrary(&mut u)?) % 1_536;
    let (owner, share, length) = (u16::arbitrary(&mut u)?, u8::arbitrary(&mut u)?, u8::arbitrary(&mut u)?);
    let expires = now + u64::from(u16::arbitrary(&mut u)?) * SECOND / 2;
    let bytes = u.take_rest();

    let walked = walk(bytes, now);
    let Ok(page) = Page::open(bytes) else {
        assert_eq!(walked, None, "a sound page is rejected");
        return Ok(());
    };
    let walked = walked.expect("a damaged page is opened");
    let records: Vec<_> = page.records().map(|record| record.fingerprint).collect();
    assert_eq!(records, walked.iter().map(|found| found.fingerprint).collect::<Vec<_>>());
    for record in page.records() {
        States(record.states).for_each(drop);
    }

    // One of those that are there, or a newcomer.
    let owner = records.get(usize::from(owner)).copied().unwrap_or(u64::from(owner));
    let mut record = NewRecord::new(owner);
    record.add(LimitId(1), 1, EvictionInfo { expires, share }, &vec![0xAB; usize::from(length)]);
    let mut out = Vec::new();
    let alone =
        Page::default().with(&record, 65_535, Room::OfAll, now, &mut out).map_or(65_536, |_| out.len());
    let lives = |found: &&Found| !same(found.fingerprint, owner) && u64::from(found.expires) > now / SECOND;
    let others: usize = walked.iter().filter(lives).map(|found| found.length).sum();
    let excess = (alone + others).saturating_sub(capacity);
    let is_safe = |found: &Found| is_proven(found.fingerprint) && found.share >= WELL_USED;
    let stays = |found: &&Found| lives(found) && (is_safe(found) || found.fingerprint == OVERFLOW);
    let Some(dropped) = page.with(&record, capacity, Room::OfAll, now, &mut out) else {
        assert!(excess > 0, "no room, and room enough");
        return Ok(());
    };
    assert!(dropped == 0 || excess > 0, "{dropped} dropped, and there is room");
    let twins = has_twins(&records);
    let written = walk(&out, now).expect("a page that was written is damaged");
    assert!(out.len() <= capacity.max(4) || twins, "{} bytes in a page of {capacity}", out.len());
    for found in walked.iter().filter(stays) {
        let is_there = written.iter().any(|other| other.fingerprint == found.fingerprint);
        assert!(is_there || twins, "{found:?} was dropped");
    }
    let kept = written.iter().filter(|found| !same(found.fingerprint, owner)).count();
    assert!(kept + dropped as usize == walked.iter().filter(lives).count() || twins);
    let own = Page::open(&out).ok().and_then(|page| page.find(owner, now));
    assert_eq!(own.is_some(), length > 0 && expires.div_ceil(SECOND) > now / SECOND);
    Ok(())
}

/// A record as the walk finds it.
#[derive(Debug, PartialEq)]
struct Found {
    fingerprint: u64,
    expires: u32,
    /// The highest share of its living states, up to the first that is damaged. A token bucket's is left out:
    /// it decays.
    share: u8,
    length: usize,
}

const PROVEN: u64 = 1 << 63;
const TOKEN_BUCKET: u8 = 5;

fn is_proven(fingerprint: u64) -> bool {
    fingerprint & PROVEN != 0
}

/// Proven or not, it is one identity.
fn same(one: u64, other: u64) -> bool {
    (one ^ other) & !PROVEN == 0
}

/// Two records of one identity are never written, but bytes can say so.
fn has_twins(fingerprints: &[u64]) -> bool {
    let mut sorted: Vec<u64> = fingerprints.iter().map(|fingerprint| fingerprint | PROVEN).collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// The oracle: the format as `table::page` documents it. `None`: damaged.
fn walk(bytes: &[u8], now: u64) -> Option<Vec<Found>> {
    let mut found = Vec::new();
    if bytes.is_empty() {
        return Some(found);
    }
    let header = bytes.get(..4)?;
    if header.get(..2)? != b"T\x03" {
        return None;
    }
    let mut at = 4;
    let bytes = bytes.get(..at + usize::from(header[2]) + 256 * usize::from(header[3]))?;
    while at < bytes.len() {
        let header = bytes.get(at..at + 14)?;
        let length = usize::from(header[12]) + 256 * usize::from(header[13]);
        let states = bytes.get(at + 14..at + 14 + length)?;
        found.push(Found {
            fingerprint: u64::from_le_bytes(header[..8].try_into().ok()?),
            expires: u32::from_le_bytes(header[8..12].try_into().ok()?),
            share: share(states, now),
            length: 14 + length,
        });
        at += 14 + length;
    }
    Some(found)
}

fn share(states: &[u8], now: u64) -> u8 {
    let (mut at, mut share) = (0, 0);
    while let Some(header) = states.get(at..at + 10) {
        let (mut length, mut shift, mut end) = (0u128, 0, at + 10);
        let whole = loop {
            let Some(byte) = states.get(end) else { break false };
            length |= u128::from(byte & 0x7F) << shift;
            (shift, end) = (shift + 7, end + 1);
            if byte & 0x80 == 0 {
                break true;
            }
            if shift == 70 {
                break false;
            }
        };
        if !whole || length > (states.len() - end) as u128 {
            break;
        }
        let expires = u32::from_le_bytes([header[5], header[6], header[7], header[8]]);
        if header[4] != TOKEN_BUCKET && u64::from(expires) > now / SECOND {
            share = share.max(header[9]);
        }
        at = end + length as usize;
    }
    share
}
