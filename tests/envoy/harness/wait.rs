//! Waiting for another process, with an end to the patience.

use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what a loaded machine needs: only a real failure waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause between two looks; each is twice the one before, up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to see; panics, naming `what`, when the patience ends.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// As `eventually`, where what comes later would come for another reason.
pub fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited {patience:?} in vain for {what}");
        thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Waits until so many further requests have passed, as after an update that not all workers have yet, and
/// requires that no other one passes.
#[track_caller]
pub fn assert_more_pass(count: usize, pass: impl Fn() -> bool) {
    let mut more = 0;
    eventually(&format!("{count} more requests to pass"), || {
        more += usize::from(pass());
        (more == count).then_some(())
    });
    // Enough for both workers to be asked several times.
    assert_eq!((0..40).filter(|_| pass()).count(), 0);
}
