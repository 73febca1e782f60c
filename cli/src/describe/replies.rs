//! Replies in words.

use tollgate::compile::Configuration;
use tollgate::reply::{
    Describes, HeaderRules, LimitChoice, Rejection, Reset, ResetFormat, Show, UpstreamHeaders,
};

pub(super) fn describe_rejections(set: &Configuration) -> String {
    let replies = &set.replies;
    let wait = &replies.retry_after;
    let retry_after = match (wait.shown, wait.jitter) {
        (false, _) => " without retry-after".into(),
        (true, 0) => format!(" with retry-after of {} to {} s", wait.min, wait.max),
        (true, jitter) => {
            format!(" with retry-after of {} to {} s, up to {jitter} s more at random", wait.min, wait.max)
        }
    };
    let Rejection { status, body, .. } = &replies.rejection;
    let own: Vec<&str> = set
        .rules
        .policies
        .iter()
        .zip(&replies.policies)
        .filter(|(_, own)| own.rejection != replies.rejection)
        .map(|(policy, _)| policy.name.as_str())
        .collect();
    let own = if own.is_empty() { String::new() } else { format!("; different for {}", own.join(", ")) };
    format!("{status}{retry_after}, {}: {}{own}", body.content_type, body.template.as_written().trim_end())
}

pub(super) fn describe_headers(set: &Configuration) -> String {
    let Some(rules) = &set.replies.headers else { return "none".into() };
    let upstream = match (rules.upstream, rules.preset.is_secret()) {
        (UpstreamHeaders::Replace, false) => "the upstream's are replaced",
        (UpstreamHeaders::Replace, true) => "the upstream's are removed",
        (UpstreamHeaders::Keep, _) => "the upstream's own are kept",
    };
    if rules.preset.is_secret() {
        return format!("none, and no numbers in replies; {upstream}");
    }
    let names = rules.header_names().collect::<Vec<_>>().join(", ");
    let shown = match rules.show {
        Show::Always => "",
        Show::OnRejection => ", only on rejections",
    };
    let limits = described_limits(set, &rules.describes);
    format!("{names} ({}; {}) of {limits}{shown}; {upstream}", rules.preset.word, reset(rules))
}

fn described_limits(set: &Configuration, describes: &Describes) -> String {
    let reference = |(policy, limit): &(usize, usize)| {
        let limits = &set.replies.policies.get(*policy)?.limits;
        Some(limits.get(*limit)?.reference.clone())
    };
    match describes {
        Describes::Named(limits) => limits.iter().filter_map(reference).collect::<Vec<_>>().join(", else "),
        Describes::Chosen(choice) => {
            LimitChoice::WORDS.of(choice).map_or("all limits that apply", |word| word.about.get()).into()
        }
    }
}

fn reset(rules: &HeaderRules) -> String {
    let own = if rules.on_rejection.is_after_wait() { "" } else { ", on rejections too" };
    let instant = Reset::WORDS.of(&rules.reset).map_or("", |word| word.about.get());
    let unit = ResetFormat::WORDS.of(&rules.format).map_or("", |word| word.about.get());
    format!("reset {instant}{own}, in {unit}")
}
