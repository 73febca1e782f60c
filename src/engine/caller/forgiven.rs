//! Which of a caller's identities an operator forgives, and what. Few configurations forgive anybody, so nothing here
//! is on the way of other requests.

use crate::identity::Identity;
use crate::limiter::Forgiven;
use crate::rules::Forgive;
use std::cell::RefCell;
use std::sync::Arc;

/// An identity, and the entries for it.
pub type ForgivenCaller = (Identity, Arc<[Forgiven]>);

/// The identities of one request that have been asked for and are forgiven something.
#[derive(Default)]
pub(super) struct ForgivenIdentities(RefCell<Vec<ForgivenCaller>>);

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
        let mut all = None;
        values.for_each(|(key, value)| add_entries(&mut all, forgive.find(key, value.as_ref())));
        self.0.borrow_mut().extend(all.map(|entries| (identity, entries)));
    }

    /// Takes what has been noted.
    pub fn take(&self) -> Vec<ForgivenCaller> {
        self.0.take()
    }
}

/// Adds the entries for one of a caller's values.
fn add_entries(all: &mut Option<Arc<[Forgiven]>>, more: Option<&Arc<[Forgiven]>>) {
    let Some(more) = more else { return };
    *all = Some(match all.take() {
        None => more.clone(),
        Some(all) => all.iter().chain(more.iter()).copied().collect(),
    });
}
