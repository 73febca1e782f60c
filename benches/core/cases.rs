//! The cases: each one kind of decision, over and over, and what it must say to be that kind.

mod algorithms;
mod answers;
mod house;
mod load;
mod policies;

use tollgate::table::TableStats;

/// Decisions that a case is held to before anything is measured.
const TRIED: u32 = 200;

/// One kind of decision.
pub struct Case {
    /// What is decided, in a few words. It stands in tables and in `target/bench-core.json`.
    pub name: &'static str,
    says: Says,
    set_up: fn() -> Box<dyn Subject>,
}

/// What is measured: something that decides, each time on its next request.
pub trait Subject {
    /// One decision. Answers whether it was to pass.
    fn decide(&mut self) -> bool;

    /// What the table has counted since the last call.
    fn stats(&mut self) -> TableStats {
        TableStats::default()
    }
}

/// What becomes of a case's requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    /// All pass, counted in the shared table.
    Admitted,
    /// All pass, most of them from a lease.
    Leased,
    /// All pass, and each drops another's record.
    Evicting,
    /// All pass, counted in the record that a full page's newcomers share.
    Overflowing,
    /// None passes.
    Rejected,
}

/// In the order of the table that is printed.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [algorithms::CASES, load::CASES, policies::CASES, answers::CASES].into_iter().flatten()
}

impl Case {
    /// Sets it up until it is steady.
    ///
    /// # Panics
    /// If it does not do what it is named for.
    pub fn prepare(&self) -> Box<dyn Subject> {
        let mut subject = (self.set_up)();
        subject.stats();
        let passed = (0..TRIED).filter(|_| subject.decide()).count();
        let stats = subject.stats();
        let tried = u64::from(TRIED);
        let aside = TableStats { evictions: 0, overflow: 0, leased: 0, ..stats };
        let does = match self.says {
            Says::Leased => stats.leased >= tried * 3 / 4,
            Says::Evicting => stats.evictions >= tried && stats.overflow == 0,
            Says::Overflowing => stats.overflow == tried,
            Says::Admitted | Says::Rejected => stats == TableStats::default(),
        };
        let expected = if self.says == Says::Rejected { 0 } else { TRIED as usize };
        assert!(
            does && passed == expected && aside == TableStats::default(),
            "{}: {:?}, but of {TRIED} requests {passed} passed, {stats:?}",
            self.name,
            self.says
        );
        subject
    }
}
