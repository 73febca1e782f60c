//! How the workers of one process come to share a table: the first one creates it, the others join.

use super::host::{Host, random};
use crate::identity::Seed;
use crate::table::{MAX_CAS_ATTEMPTS, Read, Write};
use std::num::NonZeroU32;

/// Why this configuration can't share the table that is there.
pub(super) struct TableMismatch {
    pub found: String,
    pub allowed: String,
}

/// Joins the table of this process, or creates it. Its number of pages and its seed are the same for all who
/// share the map, for as long as the process lives.
pub(super) fn create_or_join<H: Host>(host: H, pages: NonZeroU32) -> Result<Seed, TableMismatch> {
    const KEY: &[u8] = b"tollgate:table";
    const VERSION: u8 = 1;
    for _ in 0..MAX_CAS_ATTEMPTS {
        let found = match host.read_shared(KEY) {
            Read::Present(bytes, _) => bytes,
            Read::Absent => {
                let Some(seed) = random::<H, { Seed::LEN }>() else { break };
                let header = [&[VERSION], &pages.get().to_le_bytes()[..], &seed].concat();
                if host.write_shared(KEY, &header, None) == Write::Stored {
                    return Ok(Seed::new(seed));
                }
                continue;
            }
            Read::Unavailable => break,
        };
        return match found.split_first_chunk::<5>() {
            Some(([VERSION, size @ ..], seed)) if *size == pages.get().to_le_bytes() => {
                seed.try_into().map(Seed::new).map_err(|_| not_ours())
            }
            Some(([VERSION, size @ ..], _)) => Err(TableMismatch {
                found: pages.to_string(),
                allowed: format!("{}, as the running table has", u32::from_le_bytes(*size)),
            }),
            Some(_) | None => Err(not_ours()),
        };
    }
    Err(TableMismatch {
        found: "a host that gives no shared data or no random bytes".into(),
        allowed: "Envoy 1.40 or a host with the same calls".into(),
    })
}

fn not_ours() -> TableMismatch {
    TableMismatch {
        found: "shared data under tollgate:table that this version has not written".into(),
        allowed: "a vm_id of its own".into(),
    }
}
