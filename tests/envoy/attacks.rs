//! Attacks that once worked, each judged by what reached the upstream, which is what a limit is there to
//! protect.
//!
//! Those on what a worker remembers (`late_charges`), on requests without an answer (`hang_ups`,
//! `broken_requests`, `stocks`), on what is in flight (`failed_logins`), on full pages (`full_page`,
//! `overflow`), on honest newcomers (`made_up_keys`), and what a process that stands still believes
//! (`stalls`).
//!
//! None makes a worker's VM trap: nothing that a client or a configuration can send does.

mod broken_requests;
mod capabilities;
mod failed_logins;
mod full_page;
mod hang_ups;
mod late_charges;
mod made_up_keys;
mod overflow;
mod stalls;
mod stocks;

/// The smallest table: one page, with room for some ten callers.
const ONE_PAGE: &str = "table: { pages: 1, page_bytes: 512 }\n";
