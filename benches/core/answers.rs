//! What is said about a decision that has been made. Nothing is decided here, so the table has nothing to
//! count.

use super::policies::{BILLIUM, Gate, call};
use super::{Case, Says, Subject};
use std::hint::black_box;
use tollgate::decision::Decision;
use tollgate::time::SECOND;

pub const CASES: &[Case] = &[
    Case {
        name: "headers: three of x-ratelimit",
        says: Says::Admitted,
        set_up: || headers("{ preset: x-ratelimit, describes: ip, reset: next_slot }", 3),
    },
    Case { name: "headers: two of ietf", says: Says::Admitted, set_up: || headers("{ preset: ietf }", 2) },
    Case { name: "reply: billium's", says: Says::Admitted, set_up: rejection },
];

/// A decision, and what is done with it.
struct DescribedLimit<F> {
    gate: Gate,
    decision: Decision,
    say: F,
}

impl<F: Fn(&Gate, &Decision) -> bool> Subject for DescribedLimit<F> {
    fn decide(&mut self) -> bool {
        (self.say)(&self.gate, black_box(&self.decision))
    }
}

/// Says the limit headers of Billium's policy, with this preset. There are so many.
fn headers(preset: &str, many: usize) -> Box<dyn Subject> {
    let policy = format!("{BILLIUM}\nheaders: {preset}\n");
    let mut gate = Gate::new(&policy, call("/").key("0123456789abcdef"), SECOND);
    let decision = gate.next();
    let say =
        move |gate: &Gate, decision: &Decision| black_box(gate.replies.limit_headers(decision)).len() == many;
    Box::new(DescribedLimit { gate, decision, say })
}

fn rejection() -> Box<dyn Subject> {
    let mut gate = Gate::new(BILLIUM, call("/").key("0123456789abcdef"), 1);
    (0..50).for_each(|_| assert!(!gate.next().rejected()));
    let decision = gate.next();
    let say = |gate: &Gate, decision: &Decision| {
        let reply = gate.replies.reply(decision, &gate.call, || [0xAB; 16]);
        black_box(reply).is_some_and(|reply| reply.status == 429)
    };
    Box::new(DescribedLimit { gate, decision, say })
}
