//! The report as JSON.

use super::text::instant;
use super::{Report, fullness, limit_name, listed, most_rejected, policy_name, rejected_callers, tier_name};
use crate::replay::run::Run;
use crate::replay::tally::CallerTally;
use tollgate::config::Value;
use tollgate::rules::PolicySet;
use tollgate::time::{SECOND, seconds_up};

impl Report<'_> {
    /// The whole report as a tree.
    pub fn to_value(&self) -> Value {
        let runs = self.runs;
        let mut fields = vec![
            field(
                "files",
                Value::List(
                    self.files
                        .iter()
                        .map(|(name, format)| {
                            object(vec![field("name", text(name)), field("format", text(format))])
                        })
                        .collect(),
                ),
            ),
            field("from", self.read.from.map_or(Value::Null, |at| text(&instant(at)))),
            field("to", self.read.to.map_or(Value::Null, |at| text(&instant(at)))),
            field("lines", number(self.read.lines)),
            field("unreadable", number(self.read.unreadable_lines())),
            field("requests", number(runs.main.tally.requests)),
            field("rejected", number(runs.main.tally.rejected)),
            field("policies", policies(&runs.main)),
            field("fullest_moments", self.fullest_moments()),
            field("most_rejected", self.callers(&most_rejected(&runs.main.tally), runs.main.rules())),
            field("hours", hours(&runs.main)),
        ];
        if runs.decided > 0 {
            fields.push(field(
                "log_decisions",
                object(vec![
                    field("decided", number(runs.decided)),
                    field("now_admitted", number(runs.now_admitted)),
                    field("now_rejected", number(runs.now_refused)),
                ]),
            ));
        }
        if let Some(against) = &runs.against {
            let newly = listed(&runs.main.tally, |caller| (caller.newly > 0).then_some(caller.newly));
            let freed = listed(&against.tally, |caller| (caller.no_longer > 0).then_some(caller.no_longer));
            fields.push(field(
                "against",
                object(vec![
                    field("rejected", number(against.tally.rejected)),
                    field("newly_rejected", number(runs.newly_rejected)),
                    field("no_longer_rejected", number(runs.no_longer_rejected)),
                    field("newly_rejected_callers", self.callers(&newly, runs.main.rules())),
                    field("no_longer_rejected_callers", self.callers(&freed, against.rules())),
                ]),
            ));
        }
        fields.extend(self.quota_fields());
        fields.push(field(
            "notes",
            Value::List(
                self.notes
                    .iter()
                    .map(|note| {
                        object(vec![
                            field("lines", number(note.lines)),
                            field("of", number(note.of)),
                            field("text", text(&note.text)),
                        ])
                    })
                    .collect(),
            ),
        ));
        fields.push(field(
            "conditions",
            Value::List(
                self.conditions
                    .iter()
                    .map(|one| {
                        object(vec![
                            field("condition", text(&one.condition.to_string())),
                            field("part", number(one.part)),
                            field("of", number(one.all)),
                            field("failed", Value::Bool(one.holds)),
                        ])
                    })
                    .collect(),
            ),
        ));
        object(fields)
    }

    fn fullest_moments(&self) -> Value {
        const COLUMNS: [&str; 6] = [
            "below_25_percent",
            "below_50_percent",
            "below_75_percent",
            "below_90_percent",
            "up_to_100_percent",
            "rejected",
        ];
        let rules = self.runs.main.rules();
        let rows = fullness(&self.runs.main.tally).into_iter().map(|row| {
            let mut fields = vec![
                field("policy", text(policy_name(rules, row.policy))),
                field("tier", optional(tier_name(rules, row.tier))),
                field("callers", number(row.callers)),
            ];
            fields
                .extend(COLUMNS.iter().zip(row.columns).map(|(name, callers)| field(name, number(callers))));
            object(fields)
        });
        Value::List(rows.collect())
    }

    fn callers(&self, callers: &[(usize, &CallerTally)], rules: &PolicySet) -> Value {
        let caller = |(policy, caller): &(usize, &CallerTally)| {
            object(vec![
                field("caller", text(&caller.label)),
                field("policy", text(policy_name(rules, *policy))),
                field("tier", optional(tier_name(rules, caller.tier))),
                field("requests", number(caller.requests)),
                field("rejected", number(caller.rejected)),
                field("newly_rejected", number(caller.newly)),
                field("no_longer_rejected", number(caller.no_longer)),
                field("fullest_permille", number(caller.fullest)),
                field("first_rejected", caller.first_rejected.map_or(Value::Null, |at| text(&instant(at)))),
            ])
        };
        Value::List(callers.iter().take(self.top).map(caller).collect())
    }

    fn quota_fields(&self) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        if !self.sweep.is_empty() {
            fields.push(field(
                "sweep",
                Value::List(
                    self.sweep
                        .iter()
                        .map(|point| {
                            object(vec![
                                field("limit", text(&point.target.text())),
                                field("quota", number(point.quota.into())),
                                field("requests", number(point.requests)),
                                field("rejected", number(point.rejected)),
                                field("rejected_by_limit", number(point.by_limit)),
                            ])
                        })
                        .collect(),
                ),
            ));
        }
        if let Some((share, smallest)) = &self.smallest {
            fields.push(field(
                "smallest_quotas",
                Value::List(
                    smallest
                        .iter()
                        .map(|one| {
                            object(vec![
                                field("limit", text(&one.target.text())),
                                field("share_millionths", number(share.0)),
                                field(
                                    "declared",
                                    one.declared.map_or(Value::Null, |quota| number(quota.into())),
                                ),
                                field("quota", one.quota.map_or(Value::Null, |quota| number(quota.into()))),
                            ])
                        })
                        .collect(),
                ),
            ));
        }
        fields
    }
}

fn policies(run: &Run) -> Value {
    let (rules, tally) = (run.rules(), &run.tally);
    let policies = tally.policies.iter().enumerate().map(|(policy, counts)| {
        let limits = counts.limits.iter().enumerate().map(|(limit, counts)| {
            object(vec![
                field("name", text(limit_name(rules, policy, limit))),
                field("judged", number(counts.judged)),
                field("rejected", number(counts.rejected)),
                field("longest_wait_seconds", number(seconds_up(counts.longest_wait))),
                field("fullest_permille", number(counts.fullest)),
            ])
        });
        object(vec![
            field("name", text(policy_name(rules, policy))),
            field("judged", number(counts.judged)),
            field("rejected", number(counts.rejected)),
            field("rejected_in_shadow", number(counts.shadow)),
            field("rejected_callers", number(rejected_callers(tally, policy))),
            field("limits", Value::List(limits.collect())),
        ])
    });
    Value::List(policies.collect())
}

fn hours(run: &Run) -> Value {
    let hours = run.tally.hours.iter().map(|(hour, (requests, rejected))| {
        object(vec![
            field("from", text(&instant(hour * 3_600 * SECOND))),
            field("requests", number(*requests)),
            field("rejected", number(*rejected)),
        ])
    });
    Value::List(hours.collect())
}

fn object(fields: Vec<(String, Value)>) -> Value {
    Value::Object(fields)
}

fn field(name: &str, value: Value) -> (String, Value) {
    (name.into(), value)
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn optional(name: &str) -> Value {
    if name.is_empty() { Value::Null } else { text(name) }
}

/// Whole numbers are exact up to 2^53.
fn number(number: u64) -> Value {
    Value::Number(number as f64)
}
