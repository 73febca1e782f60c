//! Messages that are nearly right: whatever is read is applied without harm, and the record can be read again.

use crate::support::exchange_of;
use proptest::prelude::*;
use tollgate::fleet::message::{Correction, Exchange, Report};
use tollgate_fleet::apply::apply;
use tollgate_fleet::record::Record;

fn message() -> Vec<u8> {
    let mut exchange = exchange_of(1);
    let entry = &mut exchange.entries[0];
    entry.open = vec![3, 4];
    entry.reports.push(Report { grant: 2, used: vec![(1_000, 1), (5, 2)], ended: 9, ends_in: 0 });
    entry.corrections.push(Correction { number: 7, back: Some((5, 1)), ..Correction::default() });
    exchange.encode()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_message_does_to_a_record_it_can_be_read_again(
        changes in proptest::collection::vec((0usize..120, any::<u8>()), 0..4),
        cut in 0usize..400,
        now in 0u64..1 << 52,
    ) {
        let mut bytes = message();
        let length = bytes.len();
        changes.into_iter().for_each(|(at, byte)| bytes[at % length] = byte);
        bytes.truncate(cut);
        if let Ok(exchange) = Exchange::decode(&bytes) {
            let mut record = Record::default();
            for (entry, later) in exchange.entries.iter().zip(0..) {
                apply(&mut record, exchange.holder, entry, now + later);
                prop_assert_eq!(Record::from_text(&record.to_text()), Ok(record.clone()));
            }
        }
    }
}
