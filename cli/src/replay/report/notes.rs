//! What a log cannot say, and what was assumed instead: one line each, with the share of lines concerned.

use super::super::condition::percent;
use super::super::log::Read;
use super::super::queue::Reorder;
use super::super::{Runs, tally::MAX_CALLERS};
use super::policy_name;
use super::text::thousands;
use tollgate::rules::Scope;

/// One thing to know about the result.
pub struct Note {
    /// How many lines or requests it is about.
    pub lines: u64,
    /// Of how many. 0: it is about the whole.
    pub of: u64,
    /// What it is.
    pub text: String,
}

impl Note {
    fn new(lines: u64, of: u64, text: impl Into<String>) -> Note {
        Note { lines, of, text: text.into() }
    }

    /// The note as a line.
    pub fn line(&self) -> String {
        match self.of {
            0 => self.text.clone(),
            of => format!("{} ({}) {}", thousands(self.lines), percent(self.lines, of), self.text),
        }
    }
}

/// Everything to know about a result.
pub fn notes(read: &Read, runs: &Runs, reorder: Reorder) -> Vec<Note> {
    let mut notes = Vec::new();
    let requests = read.requests;
    for (why, (count, first)) in &read.unreadable {
        notes.push(Note::new(
            *count,
            read.lines,
            format!("lines were left out: {}; the first is {first}", why.words()),
        ));
    }
    for (place, why) in &read.broken {
        notes.push(Note::new(0, 0, format!("{place} and what follows cannot be read: {why}")));
    }
    let mut note = |count: u64, text: String| {
        if count > 0 {
            notes.push(Note::new(count, requests, text));
        }
    };
    note(
        read.whole_seconds,
        "requests have times in whole seconds: bursts look sharper than they were".into(),
    );
    let awaits = runs.main.rules().awaits_responses();
    let without = if awaits { read.without_duration } else { 0 };
    note(without, "requests have no duration: each is taken to end as soon as it comes".into());
    let held = reorder.time / tollgate::time::SECOND;
    note(
        runs.late,
        format!("requests came more than {held} s before lines ahead of theirs: decided late, see --reorder"),
    );
    note(
        read.refused,
        "requests were rejected when the log was written: their callers may have held back after that".into(),
    );
    note(runs.main.assumed, "of those are admitted here: the upstream is taken to answer 200".into());
    note(
        read.too_many_requests,
        "requests have the status 429, and the log does not say whose it is: it is taken for the upstream's"
            .into(),
    );
    for (what, count) in runs.main.missing.borrow().all() {
        note(count, format!("requests lack what the policies ask for: the log has no {what}"));
    }
    note(
        runs.main.without_body,
        "responses have a cost in their body, which no log has: the cost without it counts".into(),
    );
    note(
        runs.main.tally.rejected,
        "requests are rejected here: nobody knows when their callers would have come back".into(),
    );
    notes.extend(of_policies(runs, requests));
    notes.extend(of_table(runs, requests));
    notes
}

fn of_policies(runs: &Runs, requests: u64) -> Vec<Note> {
    let (rules, tally) = (runs.main.rules(), &runs.main.tally);
    let mut notes = Vec::new();
    for (index, policy) in rules.policies.iter().enumerate() {
        let name = policy_name(rules, index);
        let judged = tally.policies.get(index).map_or(0, |policy| policy.judged);
        if judged == 0 && requests > 0 {
            notes.push(Note::new(0, 0, format!("policy {name} judged no request at all")));
        }
        if !policy.enforced.is_all() {
            let text = format!(
                "policy {name} is enforced for {} % of the callers: for others here than in Envoy, which draws them by chance",
                policy.enforced.0
            );
            notes.push(Note::new(0, 0, text));
        }
        if policy.scope != Scope::default() {
            notes.push(Note::new(
                0,
                0,
                format!("policy {name} counts for a fleet: the log is taken for all of it"),
            ));
        }
    }
    notes
}

fn of_table(runs: &Runs, requests: u64) -> Vec<Note> {
    let (run, tally) = (&runs.main, &runs.main.tally);
    let all = [
        (
            run.stats.overflow,
            "decisions found the table full, as Envoy would have: newcomers shared a record (table.pages)",
        ),
        (
            run.stats.evictions,
            "records left the table early, as in Envoy: it is small for so many callers (table.pages)",
        ),
        (run.cut_short, "requests ended early, because too many were in flight at once"),
    ];
    let mut notes: Vec<Note> = all
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| Note::new(count, requests, text))
        .collect();
    if tally.unlisted > 0 {
        let text = format!(
            "decisions are about callers beyond the first {}: they count everywhere but in the lists of callers",
            thousands(MAX_CALLERS as u64)
        );
        notes.push(Note::new(tally.unlisted, requests, text));
    }
    notes
}
