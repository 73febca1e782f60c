//! Finds a caller by its pseudonym in the access log.
//!
//! The pseudonym is one half of a keyed hash; the other half, which no log has, says on which page the caller's record
//! is. So nothing leads from the pseudonym to the caller, but records have the same half: the pages are searched.

use super::question::{Pseudonym, Refusal, refusal};
use crate::engine::operator::{FoundCounts, FoundRecord};
use crate::identity::{Identity, same_identity};
use crate::table::{Store, Transaction};

/// So many pages are searched for one request, which no other request of the worker gets ahead of.
pub(super) const MAX_PAGES: u32 = 16_384;

/// The caller's record: in the table, or what this worker knows of the fleet's.
pub(super) fn find<S: Store>(
    asked: &Pseudonym,
    transaction: &Transaction<'_, S>,
) -> Result<FoundRecord, Refusal> {
    if let Some((identity, policy)) = transaction.search_in_fleet(asked.fingerprint) {
        let counts = FoundCounts::InFleet(policy.to_owned());
        return Ok(FoundRecord { identity, other: None, counts });
    }
    let pages = transaction.table_size().pages.get();
    let end = asked.from_page.saturating_add(MAX_PAGES).min(pages);
    let own = Identity { page: 0, fingerprint: asked.fingerprint };
    let meant = [own.fingerprint, own.provisional().fingerprint];
    let mut found = transaction.search(asked.from_page..end, &meant);
    let is_own = |(identity, _): &(Identity, _)| same_identity(identity.fingerprint, own.fingerprint);
    let at = found.iter().position(is_own).ok_or_else(|| not_found(Some(end).filter(|end| *end < pages)))?;
    let (identity, limits) = found.swap_remove(at);
    let other = found.first().map(|(other, _)| *other);
    Ok(FoundRecord { identity, other, counts: FoundCounts::Limits(limits) })
}

fn not_found(next_page: Option<u32>) -> Refusal {
    let why = match next_page {
        Some(_) => {
            "not on the pages that were searched: ask again with from_page, the next_page of this answer"
        }
        None => {
            "nobody has this pseudonym: nothing is counted for the caller now, or it counts in the fleet and this worker \
             has not met it lately"
        }
    };
    Refusal { next_page, ..refusal(404, why) }
}
