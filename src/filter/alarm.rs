//! Warnings in Envoy's log: all workers together write one a minute, so that nobody who can cause one can
//! fill the log.

use super::host::Host;
use crate::table::{Read, Write};
use crate::time::{Micros, SECOND};

const EVERY: Micros = 60 * SECOND;

/// Whether a minute has passed since any worker warned last. The caller that gets `true` is the one to warn.
pub(super) fn is_due(host: impl Host, now: Micros) -> bool {
    const KEY: &[u8] = b"tollgate:warned";
    let version = match host.read_shared(KEY) {
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
    host.write_shared(KEY, &now.to_le_bytes(), version) == Write::Stored
}
