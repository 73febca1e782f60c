//! The minute slides, exactly: FA-5, FA-6. Here it is two seconds long.

use std::thread;
use std::time::Instant;

use super::*;

const QUOTA: usize = 5;
const WINDOW: Duration = Duration::from_secs(2);
const FLOOD: Duration = Duration::from_secs(7);

/// Times are kept by the millisecond, rounded up.
const ROUNDING: Duration = Duration::from_millis(2);

/// When a request was sent and when its answer was there. It was decided between the two, on the same clock.
struct Decided {
    sent: Instant,
    came: Instant,
    admitted: bool,
}

/// One caller's requests through several connections, so that all workers see it.
fn flood(gateway: &Gateway) -> Vec<Decided> {
    let request = list(gateway, &new_key());
    let mut connections: Vec<_> = (0..6).map(|_| request.connect()).collect();
    let begin = Instant::now();
    let mut decided = Vec::new();
    while begin.elapsed() < FLOOD {
        for connection in &mut connections {
            let sent = Instant::now();
            let status = connection.exchange(&request).status;
            assert!([200, 429].contains(&status), "{status}");
            decided.push(Decided { sent, came: Instant::now(), admitted: status == 200 });
            thread::sleep(Duration::from_millis(3));
        }
    }
    decided
}

#[test]
fn fa_5_fa_6_at_any_instant_the_accepted_requests_of_the_window_count_and_no_others() {
    let setup = file().replacing("window: 60s", "window: 2s").replacing("free: 10,", "free: 5,");
    let decided = flood(&setup.start());
    let admitted: Vec<_> = decided.iter().filter(|one| one.admitted).collect();

    // Never more than the quota in a window, wherever it begins.
    for pair in admitted.windows(QUOTA + 1) {
        let apart = pair[QUOTA].came - pair[0].sent;
        assert!(apart >= WINDOW, "{} in {apart:?}", QUOTA + 1);
    }
    // Never a rejection without the quota's worth of accepted requests in the window behind it.
    for rejected in decided.iter().filter(|one| !one.admitted) {
        let earlier = admitted.iter().filter(|one| one.sent < rejected.sent);
        let in_window = earlier.filter(|one| one.came + WINDOW + ROUNDING > rejected.sent).count();
        assert!(in_window >= QUOTA, "rejected after {in_window}");
    }
    // So rejections, of which there were many, have not counted.
    assert!(admitted.len() > QUOTA && decided.len() > 3 * admitted.len(), "{} passed", admitted.len());
}
