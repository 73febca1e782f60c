//! Warnings in Envoy's log: of all workers together one a minute, so that whoever can cause one can't fill the log.

use super::host::{read, write};
use crate::table::{Read, Write};
use crate::time::{Micros, SECOND};

const EVERY: Micros = 60 * SECOND;

/// Whether a minute has passed since any worker warned last. Whoever is told so warns.
pub(super) fn is_due(now: Micros) -> bool {
    const KEY: &[u8] = b"tollgate:warned";
    let version = match read(KEY) {
        Read::Absent => None,
        Read::Present(bytes, version) => {
            let last = bytes.try_into().map_or(0, u64::from_le_bytes);
            if last <= now && now - last < EVERY {
                return false;
            }
            Some(version)
        }
        Read::Unavailable => return false,
    };
    write(KEY, &now.to_le_bytes(), version) == Write::Stored
}
