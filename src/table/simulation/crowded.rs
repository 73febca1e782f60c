//! One page for all callers: it keeps its size, and who is not dropped from it keeps his cap.

use super::random::Random;
use super::scenario::{PAGE_BYTES, Scenario};
use super::truth::Since;
use super::{Run, each};
use crate::table::page::Page;

fn crowd(random: &mut Random) -> Scenario {
    let callers = random.pick(&[2, 6, 12, 60]);
    let scenario = Scenario::small(random);
    Scenario { pages: 1, callers, acts: scenario.acts * 2, ..scenario }
}

#[test]
fn a_crowded_page_keeps_its_size_and_counts_no_unit_too_few() {
    let stats = each(0xE000..0xE0A0, crowd, |mut run: Run| {
        run.settle();
        for page in run.stage.world().pages() {
            assert!(page.len() <= usize::from(PAGE_BYTES) && Page::open(&page).is_ok(), "{run}");
        }
        // What is dropped, or counted for all who overflow, is no longer the caller's own.
        if run.stats.evictions == 0 && run.stats.overflow == 0 {
            run.assert_cap(Since::Known, |limit| run.excess(limit));
            run.assert_no_less();
        }
        run.stats
    });
    assert!(stats.evictions > 100 && stats.overflow > 100, "{stats:?}");
}
