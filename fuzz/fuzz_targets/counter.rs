//! One client of one limit, through the counter's own states: what each verdict says comes true, and the
//! algorithm's cap holds over all that was admitted and not given back.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tollgate::limiter::{Algorithm, AtOnce, Coarseness, Counter, Limit, TokenBucket, Verdict};
use tollgate::time::{Micros, Now, SECOND};
use tollgate_fuzz::{WORKER, later, limit, number, pages};

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let limit = limit(u, 1, pages(1))?;
    let uptime = u64::from(number(u)?) * SECOND / 16;
    let now = Now { mono: uptime, wall: uptime + u64::from(u32::arbitrary(u)?) * SECOND };
    let mut client = Client { limit, now, state: Vec::new(), admitted: Vec::new(), last: None };
    for _ in 0..64 {
        if u.is_empty() {
            break;
        }
        client.step(u)?;
    }
    Ok(())
}

struct Client {
    limit: Limit,
    now: Now,
    state: Vec<u8>,
    /// What was admitted and not given back, oldest first.
    admitted: Vec<(Now, u32)>,
    last: Option<Verdict>,
}

impl Client {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u8::arbitrary(u)? % 10 {
            0..=3 => self.ask(1),
            4 => self.ask(number(u)?),
            5 => self.wait(u64::from(number(u)?)),
            6 => self.wait(self.limit.window / 255 * u64::from(u8::arbitrary(u)?)),
            7 => self.wait_as_told(u8::arbitrary(u)?),
            8 => self.give_back(usize::from(u8::arbitrary(u)?)),
            _ => self.coarsen(),
        }
        Ok(())
    }

    fn wait(&mut self, time: Micros) {
        self.now = later(self.now, time);
    }

    /// Up to, at or just behind an instant that the last verdict names.
    fn wait_as_told(&mut self, which: u8) {
        let Some(verdict) = self.last else { return };
        let instants = [verdict.next_slot, verdict.full_reset, self.now.mono + verdict.retry_after];
        let instant = instants[usize::from(which) % 3] + u64::from(which / 3 % 3);
        self.wait(instant.saturating_sub(1).saturating_sub(self.now.mono));
    }

    fn open_at(&self, now: Now) -> Counter<'_> {
        Counter::open(&self.limit, &self.state, now, WORKER).expect("what a counter wrote is never damaged")
    }

    fn remaining_at(&self, now: Now) -> u64 {
        self.open_at(now).judge(now, 0).remaining
    }

    /// Writes what a counter has become. What a state says, it still says when it is read again.
    fn write(&self, counter: &Counter<'_>) -> Vec<u8> {
        let mut state = Vec::new();
        let wear = counter.write(&mut state);
        let reread = Client { state, admitted: Vec::new(), ..*self };
        for cost in [0, 1, 2] {
            let (read, written) =
                (reread.open_at(self.now).judge(self.now, cost), counter.judge(self.now, cost));
            // Of nothing used nothing is kept, neither how coarse its times were.
            let same = read == written || reread.state.is_empty() && read.remaining == written.remaining;
            assert!(same, "another verdict after a write: {written:?}, then {read:?}");
        }
        if !reread.state.is_empty() && !matches!(self.limit.algorithm, Algorithm::Stock(_)) {
            let end = later(self.now, wear.expires.saturating_sub(self.now.mono));
            let all = u64::from(counter.judge(self.now, 0).quota);
            assert_eq!(reread.remaining_at(end), all, "a state that expires still says something");
        }
        reread.state
    }

    fn ask(&mut self, cost: u32) {
        let now = self.now;
        let before = self.remaining_at(now);
        let mut counter = self.open_at(now);
        let verdict = counter.judge(now, cost);
        let quota = u64::from(verdict.quota);
        assert!(verdict.remaining <= quota && before <= quota, "{verdict:?}");
        assert_eq!(verdict.admitted, verdict.retry_after == 0, "{verdict:?}");
        assert!(now.mono <= verdict.next_slot && verdict.next_slot <= verdict.full_reset, "{verdict:?}");
        let saves_up = self.limit.algorithm.saves_up();
        assert!(
            !verdict.admitted || !saves_up || verdict.remaining + u64::from(cost) <= before,
            "{verdict:?}, of {before}"
        );
        assert!(verdict.admitted || verdict.remaining == before, "{verdict:?}, of {before}");
        assert_eq!(verdict.admitted, u64::from(cost) <= before, "{verdict:?}, of {before}");
        if verdict.admitted {
            counter.charge(now, cost);
            self.state = self.write(&counter);
            assert_eq!(self.remaining_at(now), verdict.remaining, "the charge is another than was told");
            self.admitted.push((now, cost));
            self.check_cap();
        }
        self.check_promises(verdict, cost);
        self.last = Some(verdict);
    }

    /// What a verdict says of the time to come, if nothing else is asked.
    fn check_promises(&self, verdict: Verdict, cost: u32) {
        if !self.limit.has_window() {
            return;
        }
        let (now, quota) = (self.now, u64::from(verdict.quota));
        let at = |mono: Micros| later(now, mono - now.mono);
        assert_eq!(self.remaining_at(at(verdict.full_reset)), quota, "not all is back: {verdict:?}");
        if verdict.remaining < quota {
            let (slot, left) = (verdict.next_slot, verdict.remaining);
            assert!(self.remaining_at(at(slot)) > left, "nothing is back: {verdict:?}");
            assert!(slot == now.mono || self.remaining_at(at(slot - 1)) == left, "back early: {verdict:?}");
        }
        if !verdict.admitted && u64::from(cost) <= quota {
            let admits = |wait| {
                let then = later(now, wait);
                self.open_at(then).judge(then, cost).admitted
            };
            assert!(admits(verdict.retry_after), "rejected again after the wait: {verdict:?}");
            assert!(verdict.retry_after == 1 || !admits(verdict.retry_after - 1), "too long: {verdict:?}");
        }
    }

    /// What was admitted and not given back is what the algorithm promises at most.
    fn check_cap(&self) {
        let (quota, window) = (u64::from(self.limit.quota.get()), self.limit.window);
        let since = |start: Micros| {
            let young = self.admitted.iter().filter(move |(at, _)| at.mono >= start);
            young.map(|(_, units)| u64::from(*units)).sum::<u64>()
        };
        let mono = self.now.mono;
        match self.limit.algorithm {
            Algorithm::SlidingWindow(_) => {
                let used: u64 = match mono.checked_sub(window) {
                    Some(out) => since(out + 1),
                    None => since(0),
                };
                assert!(used <= quota, "{used} of {quota} in one window");
            }
            Algorithm::TokenBucket(TokenBucket { burst }) => {
                for (start, _) in &self.admitted {
                    let filled = u128::from(mono - start.mono) * u128::from(quota) / u128::from(window);
                    let used = u128::from(since(start.mono));
                    assert!(used <= u128::from(burst.get()) + filled, "{used} of {burst} and {filled}");
                }
            }
            Algorithm::AtOnce(AtOnce { burst }) => {
                let used = since((mono + 1).saturating_sub(window));
                assert!(
                    used <= u64::from(burst.get()) + quota,
                    "{used} of {burst} and {quota} in one window"
                );
            }
            Algorithm::LeakyBucket(_) => {
                let used = since((mono + 1).saturating_sub(window));
                let last = self.admitted.last().map_or(0, |(_, units)| u64::from(*units));
                assert!(used < quota + last, "{used} of {quota} in one window, the last of them {last}");
            }
            Algorithm::FixedWindow(_) | Algorithm::Calendar(_) => {
                let start = match self.limit.algorithm {
                    Algorithm::Calendar(_) => return,
                    _ => self.now.wall / window * window,
                };
                let young = self.admitted.iter().filter(|(at, _)| at.wall >= start);
                let used: u64 = young.map(|(_, units)| u64::from(*units)).sum();
                assert!(used <= quota, "{used} of {quota} between two edges");
            }
            Algorithm::Concurrency(_)
            | Algorithm::Stock(_)
            | Algorithm::SlidingCounter(_)
            | Algorithm::Penalty(_) => {}
        }
    }

    /// One that was admitted is given back: never more than it was.
    fn give_back(&mut self, which: usize) {
        if self.admitted.is_empty() {
            return;
        }
        let (at, units) = self.admitted.remove(which % self.admitted.len());
        let before = self.remaining_at(self.now);
        let mut counter = self.open_at(self.now);
        counter.refund(at, units);
        self.state = self.write(&counter);
        let after = self.remaining_at(self.now);
        let most = if self.limit.algorithm.saves_up() { before + u64::from(units) } else { u64::MAX };
        assert!(before <= after && after <= most, "{before}, {units} back, {after}");
    }

    /// Less precision never admits more.
    fn coarsen(&mut self) {
        let before = self.remaining_at(self.now);
        let mut counter = self.open_at(self.now);
        if counter.coarsen(Coarseness::Any) {
            self.state = self.write(&counter);
            assert!(self.remaining_at(self.now) <= before, "coarser, and more is left");
        }
    }
}
