//! What is written and nobody asks for.

use super::super::PolicySet;
use super::Doubt;

/// A key that no policy counts by.
pub(super) fn doubt_key(set: &PolicySet, key: usize, path: &str, doubts: &mut Vec<Doubt>) {
    if !set.policies.iter().any(|policy| policy.key.contains(&key)) {
        doubts.push(Doubt::new(path, "no policy uses this key"));
    }
}
