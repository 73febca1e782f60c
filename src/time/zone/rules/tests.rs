use super::super::civil::day;
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

const HOUR: i64 = 3_600;

/// 2030-06-02T00:00:00Z.
const MIDNIGHT: i64 = 1_906_588_800;

/// When 2030-06-02 begins in a zone at UTC whose offset changes at `at` to `offset`.
fn start_after(at: i64, offset: i64) -> i64 {
    let change = |at, offset| (u32::try_from(at).unwrap(), i32::try_from(offset).unwrap());
    let changes = vec![change(0, 0), change(at, offset), change(at + 30 * 24 * HOUR, 0)].leak();
    ZoneRules::new("UTC0", changes).start_of(day(2030, 6, 2))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_day_begins_when_clocks_first_show_its_midnight() {
    assert_eq!(start_after(MIDNIGHT - 9 * HOUR, HOUR), MIDNIGHT - HOUR);
    assert_eq!(start_after(MIDNIGHT + 9 * HOUR, HOUR), MIDNIGHT);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_skipped_midnight_begins_the_day_at_the_skip() {
    assert_eq!(start_after(MIDNIGHT, HOUR), MIDNIGHT, "from 00:00 to 01:00");
    assert_eq!(start_after(MIDNIGHT - HOUR / 2, HOUR), MIDNIGHT - HOUR / 2, "from 23:30 to 00:30");
    assert_eq!(start_after(MIDNIGHT - HOUR, HOUR), MIDNIGHT - HOUR, "from 23:00 to 00:00");
    assert_eq!(start_after(MIDNIGHT, 24 * HOUR), MIDNIGHT, "from 00:00 to 00:00 a day later, as Apia did");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_repeated_midnight_begins_the_day_the_first_time() {
    assert_eq!(start_after(MIDNIGHT + HOUR, -HOUR), MIDNIGHT, "from 01:00 to 00:00, as in Havana");
    assert_eq!(start_after(MIDNIGHT + 60, -HOUR), MIDNIGHT, "from 00:01 to 23:01, as once at St John's");
    assert_eq!(start_after(MIDNIGHT, -HOUR), MIDNIGHT + HOUR, "from 24:00 to 23:00: it never was 00:00");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_rule_holds_from_the_last_change_on_and_the_first_offset_before_the_first() {
    static RULES: ZoneRules = ZoneRules::new("XXX-2", &[(1_000, 3_600), (1_100, 7_200)]);
    let offset = |at| RULES.offset_at(at);
    for (at, expected) in [(-5, 3_600), (999, 3_600), (1_000, 3_600), (1_099, 3_600), (1_100, 7_200)] {
        assert_eq!(offset(at), expected, "{at}");
    }
}
