//! Any bytes as a message of the fleet's protocol, from either end: they are read or rejected, and what was read
//! has one encoding, which is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::fleet::message::{Answer, Exchange};

fuzz_target!(|bytes: &[u8]| {
    // A number 0 in a list stands for nothing and is not written, so the second reading counts.
    if let Ok(exchange) = Exchange::decode(bytes) {
        let bytes = exchange.encode();
        assert_eq!(Exchange::decode(&bytes).map(|again| again.encode()), Ok(bytes));
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(Answer::decode(&answer.encode()), Ok(answer));
    }
});
