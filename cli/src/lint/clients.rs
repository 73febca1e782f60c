//! Replies that well-known clients answer by retrying at once, or whose wait they do not read.

use super::{Warning, header_path};
use tollgate::compile::Configuration;
use tollgate::reply::{HeaderForm, MAX_TIMER_SECONDS};

/// The statuses with which clients honour `retry-after`, and that a rejection may have.
const HONOURED: [u32; 3] = [413, 429, 503];

/// Statuses from this one on say that a request has failed.
const MIN_ERROR: u32 = 400;

pub(super) fn warn_clients(set: &Configuration, warnings: &mut Vec<Warning>) {
    let replies = &set.replies;
    for rules in &replies.headers {
        let Some((header, preset)) = rules.mistaken_for() else { continue };
        let other = match rules.form {
            HeaderForm::Preset { .. } => "another name for the reset in headers.names",
            HeaderForm::Fields(_) => "another name for the reset",
        };
        warnings.push(Warning::new(
            header_path(rules, "format"),
            format!(
                "clients that read {header} as seconds since 1970, such as {}, take seconds from now for a time long ago and retry at once; use epoch, or {other}",
                preset.readers.get()
            ),
        ));
    }
    let retry_after = &replies.retry_after;
    if !retry_after.shown {
        warnings.push(Warning::new(
            "retry_after.show",
            "without retry-after, many clients retry at once, discord.js among them, or after a time of their own",
        ));
    } else if retry_after.max > MAX_TIMER_SECONDS {
        warnings.push(Warning::new(
            "retry_after.max",
            format!("a wait above {MAX_TIMER_SECONDS} s overflows the timers of JavaScript, and clients such as got and axios-retry then retry at once"),
        ));
    }
    warn_statuses(set, warnings);
}

/// One warning for each status, where it is first found.
fn warn_statuses(set: &Configuration, warnings: &mut Vec<Warning>) {
    let common = ("reject.status".to_string(), &set.replies.rejection);
    let policies = set.replies.policies.iter().enumerate();
    let own = policies.map(|(i, policy)| (format!("policies[{i}].reject.status"), &policy.rejection));
    let mut done = Vec::new();
    for (path, rejection) in std::iter::once(common).chain(own) {
        let status = rejection.status;
        // Clients that read JSON find the error there, as those of GraphQL do.
        if status < MIN_ERROR && rejection.body.content_type.contains("json") {
            continue;
        }
        if !HONOURED.contains(&status) && !done.contains(&status) {
            done.push(status);
            if status < MIN_ERROR {
                let message = format!(
                    "clients take {status} for a success; answer with an error, or with a body of JSON that their clients read, as those of GraphQL do"
                );
                warnings.push(Warning::new(path, message));
                continue;
            }
            warnings.push(Warning::new(
                path,
                format!("most clients wait for retry-after only with 429 or 503, and take {status} for an error that a later attempt does not mend"),
            ));
        }
    }
}
