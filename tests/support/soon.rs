//! Bounds of time on a machine that does other things, too.

use std::time::Duration;

/// Does something until it takes less than `limit`, at most three times: what else the machine does is not to decide.
#[track_caller]
pub fn soon(limit: Duration, mut act: impl FnMut() -> Duration) {
    let mut took = Vec::new();
    while took.len() < 3 {
        let time = act();
        if time < limit {
            return;
        }
        took.push(time);
    }
    panic!("not within {limit:?}: {took:?}");
}
