//! Any text as a record of the engine, and any message applied to it: whatever the service writes, it can read
//! again, and it is the same record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::fleet::message::Exchange;
use tollgate_fleet::apply::apply;
use tollgate_fleet::record::Record;

fuzz_target!(|input: (&str, &[u8], u64)| {
    let (text, message, now) = input;
    let Ok(mut record) = Record::from_text(text) else { return };
    assert_eq!(Record::from_text(&record.to_text()).as_ref(), Ok(&record));
    let exchange = Exchange::decode(message).unwrap_or_default();
    for entry in &exchange.entries {
        apply(&mut record, exchange.holder, entry, now % (1 << 52));
        assert_eq!(Record::from_text(&record.to_text()).as_ref(), Ok(&record));
    }
});
