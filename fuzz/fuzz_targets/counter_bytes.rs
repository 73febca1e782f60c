//! Any bytes as any algorithm's state, and then anything done to it: nothing panics, and never is more left
//! than the quota.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tollgate::limiter::{Coarseness, Counter};
use tollgate::time::Now;
use tollgate_fuzz::{WORKER, instant, limit, number, pages};

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured<'_>) -> Result<()> {
    let limit = limit(&mut u, 1, pages(1))?;
    let mut now = instant(&mut u)?;
    let ops = usize::from(u8::arbitrary(&mut u)? % 16);
    let mut ops: Vec<Op> = (0..ops).map(|_| op(&mut u)).collect::<Result<_>>()?;
    let mut state = u.take_rest().to_vec();
    loop {
        let Some(mut counter) = Counter::open(&limit, &state, now, WORKER) else { return Ok(()) };
        for cost in [0, 1, u32::MAX] {
            let verdict = counter.judge(now, cost);
            assert!(verdict.remaining <= u64::from(verdict.quota), "{verdict:?}");
            assert_eq!(verdict.admitted, verdict.retry_after == 0, "{verdict:?}");
        }
        match ops.pop() {
            Some(Op::Charge(at, units)) => counter.charge(at, units),
            Some(Op::Refund(at, units)) => counter.refund(at, units),
            Some(Op::Hold(units)) => {
                counter.set_in_flight(units);
            }
            Some(Op::Coarsen(so_far)) => {
                counter.coarsen(so_far);
            }
            Some(Op::Go(instant)) => now = instant,
            None => return Ok(()),
        }
        let mut out = Vec::new();
        counter.write(&mut out);
        state = out;
    }
}

enum Op {
    Charge(Now, u32),
    Refund(Now, u32),
    Hold(u32),
    Coarsen(Coarseness),
    Go(Now),
}

fn op(u: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match u8::arbitrary(u)? % 6 {
        0 => Op::Charge(instant(u)?, number(u)?),
        1 => Op::Refund(instant(u)?, number(u)?),
        2 => Op::Hold(number(u)?),
        3 => Op::Coarsen(Coarseness::Slight),
        4 => Op::Coarsen(Coarseness::Any),
        _ => Op::Go(instant(u)?),
    })
}
