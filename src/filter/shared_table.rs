//! How the workers of one process come to share a table: the first one creates it, the others join.

use super::host::{Host, TableId, random};
use crate::identity::Seed;
use crate::table::{MAX_CAS_ATTEMPTS, Read, Write};
use std::num::NonZeroU32;

/// Why this configuration can't share the table that is there.
pub(super) struct TableMismatch {
    /// The path of the field that does not match.
    pub at: &'static str,
    pub found: String,
    pub allowed: String,
}

/// Joins the table of this process, or creates it. Its number of pages and its seed are the same for all who
/// share the map, for as long as the process lives.
pub(super) fn create_or_join<H: Host>(
    host: H,
    pages: NonZeroU32,
    name: Option<&str>,
) -> Result<Seed, TableMismatch> {
    const KEY: &[u8] = b"tollgate:table";
    const VERSION: u8 = 1;
    let key = [KEY, TableId::of(name).suffix()].concat();
    let name = name.unwrap_or_default().as_bytes();
    for _ in 0..MAX_CAS_ATTEMPTS {
        let found = match host.read_shared(&key) {
            Read::Present(bytes, _) => bytes,
            Read::Absent => {
                let Some(seed) = random::<H, { Seed::LEN }>() else { break };
                let header = [&[VERSION], &pages.get().to_le_bytes()[..], &seed, name].concat();
                if host.write_shared(&key, &header, None) == Write::Stored {
                    return Ok(Seed::new(seed));
                }
                continue;
            }
            Read::Unavailable => break,
        };
        return match found.split_first_chunk::<5>() {
            Some(([VERSION, size @ ..], rest)) if *size == pages.get().to_le_bytes() => {
                match rest.split_first_chunk() {
                    Some((seed, own)) if own == name => Ok(Seed::new(*seed)),
                    Some(_) if !name.is_empty() => Err(taken(name)),
                    Some(_) | None => Err(not_ours()),
                }
            }
            Some(([VERSION, size @ ..], _)) => Err(TableMismatch {
                at: "table.pages",
                found: pages.to_string(),
                allowed: format!(
                    "{}, as the running table has (a table of another size needs a restart, another vm_id or \
                     another table.name)",
                    u32::from_le_bytes(*size)
                ),
            }),
            Some(_) | None => Err(not_ours()),
        };
    }
    Err(TableMismatch {
        at: "table",
        found: "a host that gives no shared data or no random bytes".into(),
        allowed: "Envoy 1.40 or a host with the same calls".into(),
    })
}

fn not_ours() -> TableMismatch {
    TableMismatch {
        at: "table",
        found: "shared data under tollgate:table that this version has not written".into(),
        allowed: "a vm_id or a table.name of its own".into(),
    }
}

/// Another name has the same id.
fn taken(name: &[u8]) -> TableMismatch {
    TableMismatch {
        at: "table.name",
        found: String::from_utf8_lossy(name).into_owned(),
        allowed: "another name, because this one cannot be told from that of a running table".into(),
    }
}
