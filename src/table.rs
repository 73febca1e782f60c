//! The shared table: a fixed number of pages in the host's shared data, and the only code that changes
//! counts.
//!
//! How a charge flows. Methods only call methods in files below theirs.
//!
//! ```text
//! Table::begin(store, now)   worker.rs, transaction.rs
//!   │
//!   ├─ charge                request.rs     all charges of a request: all or nothing, or in order
//!   ├─ correct, refund, …    correction.rs  what responses, the ends of streams and ticks change
//!   ▼
//! one charge                 commit.rs      attempt and write, up to MAX_CAS_ATTEMPTS times,
//!   │                                       or else a decision by this worker alone
//!   ▼
//! one attempt                attempt.rs     read the page, post what this worker owes, judge
//!   ├─ forgive.rs                           counts that begin at zero, since an operator forgives them
//!   ├─ lease.rs                             units taken ahead, served from the worker's memory
//!   ├─ fallback.rs                          the worker's own token buckets and its debts
//!   ├─ in_flight.rs                         the worker's units in flight
//!   ├─ penalty.rs                           blocks after an excess
//!   ▼
//! the new page               rewrite.rs     make room for the record
//!   │                        page.rs        the bytes of a page
//!   ▼
//! compare-and-swap           store.rs       the seam to the host
//! ```
//!
//! One record per identity has the states of all its limits, so a policy costs one read and one write.
//!
//! Imports only go to the left: page, store, charge, size, stats < forgive < stall, lease, in_flight < fallback,
//! penalty, rewrite < worker < transaction < fill, attempt < commit < correction, request < fleet < operator.

mod attempt;
mod charge;
mod charged;
mod commit;
mod correction;
mod fallback;
mod fill;
mod fleet;
mod forgive;
mod in_flight;
mod lease;
mod operator;
mod page;
pub mod penalty;
mod request;
mod rewrite;
mod size;
mod stall;
mod stats;
mod store;
mod transaction;
mod worker;

pub use charge::{Charge, ChargeMode, Correction, Count, Holds, OnContention, Outcome, Verdicts, admitted};
pub use charged::Charged;
pub use commit::MAX_CAS_ATTEMPTS;
pub use fill::Fill;
pub use operator::{FleetView, RecordView};
pub use page::{HOST_SUFFIX, PAGE_HEADER, RECORD_HEADER, RESERVE, STATE_HEADER};
pub use size::TableSize;
pub use stats::TableStats;
pub use store::{Cas, PageId, Read, Store, Write};
pub use transaction::Transaction;
pub use worker::Table;

pub use store::memory;

/// The bytes of pages, only for the fuzz targets.
#[cfg(fuzzing)]
#[doc(hidden)]
pub use page::{NewRecord, OVERFLOW, Page, Room, States, WELL_USED};

#[cfg(test)]
mod fake_store;

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
mod simulation;

#[cfg(test)]
mod tests;
