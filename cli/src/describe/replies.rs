//! Replies in words.

use tollgate::compile::Configuration;
use tollgate::reply::{
    Describes, HeaderForm, HeaderRules, LimitChoice, LimitField, Rejection, Reset, ResetFormat, Show,
    UpstreamHeaders,
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
    let Rejection { status, body, envoy_ratelimited, .. } = &replies.rejection;
    let marked = if *envoy_ratelimited { " and x-envoy-ratelimited" } else { "" };
    let own: Vec<&str> = set
        .rules
        .policies
        .iter()
        .zip(&replies.policies)
        .filter(|(_, own)| own.rejection != replies.rejection)
        .map(|(policy, _)| policy.name.as_str())
        .collect();
    let own = if own.is_empty() { String::new() } else { format!("; different for {}", own.join(", ")) };
    format!(
        "{status}{retry_after}{marked}, {}: {}{own}",
        body.content_type,
        body.template.as_written().trim_end()
    )
}

/// A line for each set of limit headers.
pub(super) fn describe_headers(set: &Configuration) -> Vec<String> {
    match set.replies.headers.as_slice() {
        [] => vec!["none".into()],
        sets => sets.iter().map(|rules| describe_set(set, rules)).collect(),
    }
}

fn describe_set(set: &Configuration, rules: &HeaderRules) -> String {
    let upstream = match (rules.upstream, rules.is_secret()) {
        (UpstreamHeaders::Replace, false) => "the upstream's are replaced",
        (UpstreamHeaders::Replace, true) => "the upstream's are removed",
        (UpstreamHeaders::Keep, _) => "the upstream's own are kept",
    };
    if rules.is_secret() {
        return format!("none, and no numbers in replies; {upstream}");
    }
    let shown = match rules.show {
        Show::Always => "",
        Show::OnRejection => ", only on rejections",
        Show::OnAdmission => ", not on rejections",
    };
    let from = match rules.from {
        0 => String::new(),
        from => format!(", from {from} % of it on"),
    };
    let limits = described_limits(set, &rules.describes);
    format!("{} of {limits}{from}{shown}; {upstream}", names_and_form(rules))
}

/// The headers, and what is known of their form.
fn names_and_form(rules: &HeaderRules) -> String {
    match &rules.form {
        HeaderForm::Preset { preset, .. } => {
            format!("{} ({}; {})", rules.header_names().join(", "), preset.word, reset(rules))
        }
        HeaderForm::Fields(fields) => {
            let written = |field: &LimitField| format!("{}: {}", field.written(), field.value().as_written());
            let headers = fields.iter().map(written).collect::<Vec<_>>().join(", ");
            if fields.iter().any(LimitField::shows_reset) {
                format!("{headers} ({})", reset(rules))
            } else {
                headers
            }
        }
    }
}

fn described_limits(set: &Configuration, describes: &Describes) -> String {
    let reference = |(policy, limit): &(usize, usize)| {
        let limits = &set.replies.policies.get(*policy)?.limits;
        Some(limits.get(*limit)?.reference.clone())
    };
    let named = || describes.named().iter().filter_map(reference);
    match describes {
        Describes::Named(_) => named().collect::<Vec<_>>().join(", else "),
        Describes::ViolatedElse(_) => ["the limit that rejects".to_string()]
            .into_iter()
            .chain(named())
            .collect::<Vec<_>>()
            .join(", else "),
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
