//! Which of a caller's identities an operator forgives, and what. Few configurations forgive anybody, so nothing here
//! is on the way of other requests.

use crate::identity::Identity;
use crate::limiter::Forgiven;
use crate::rules::Forgive;
use std::cell::RefCell;
use std::sync::Arc;

/// An identity, and the entries for it.
pub type ForgivenCaller = (Identity, Arc<[Forgiven]>);

/// What the identities of one request are forgiven. `None`: nobody has asked yet.
#[derive(Default)]
pub(super) struct ForgivenIdentities(RefCell<Option<Box<Noted>>>);

#[derive(Default)]
struct Noted {
    /// The identities that have been asked for and are forgiven something.
    identities: Vec<ForgivenCaller>,
    /// Several policies count by one value, and each look-up takes a digest.
    values: Vec<LookedUp>,
}

/// A value that was looked up, the index of its key, and the entries for it.
struct LookedUp {
    key: usize,
    value: Box<[u8]>,
    entries: Option<Arc<[Forgiven]>>,
}

impl ForgivenIdentities {
    /// Notes an identity that is forgiven something for one of its `values`: each with the index of its key, and
    /// whole.
    #[cold]
    pub fn note<V: AsRef<[u8]>>(
        &self,
        forgive: &Forgive,
        identity: Identity,
        values: impl Iterator<Item = (usize, V)>,
    ) {
        let mut noted = self.0.borrow_mut();
        let noted = noted.get_or_insert_default();
        let mut all = None;
        values.for_each(|(key, value)| add_entries(&mut all, noted.find(forgive, key, value.as_ref())));
        noted.identities.extend(all.map(|entries| (identity, entries)));
    }

    /// Takes what has been noted.
    pub fn take(&self) -> Vec<ForgivenCaller> {
        self.0.take().map(|noted| noted.identities).unwrap_or_default()
    }
}

impl Noted {
    /// The entries for a value, which is looked up once.
    fn find(&mut self, forgive: &Forgive, key: usize, value: &[u8]) -> Option<Arc<[Forgiven]>> {
        if let Some(known) = self.values.iter().find(|known| known.key == key && *known.value == *value) {
            return known.entries.clone();
        }
        let entries = forgive.find(key, value).cloned();
        self.values.push(LookedUp { key, value: value.into(), entries: entries.clone() });
        entries
    }
}

/// Adds the entries for one of a caller's values.
fn add_entries(all: &mut Option<Arc<[Forgiven]>>, more: Option<Arc<[Forgiven]>>) {
    let Some(more) = more else { return };
    *all = Some(match all.take() {
        None => more,
        Some(all) => all.iter().chain(more.iter()).copied().collect(),
    });
}
