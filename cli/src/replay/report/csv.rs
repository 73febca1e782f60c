//! The report as comma-separated values: quotas with `--sweep`, else one row for each caller.

use super::text::instant;
use super::{Report, limit_name, listed, policy_name, tier_name};
use std::cmp::Reverse;

impl Report<'_> {
    /// One table.
    pub fn to_csv(&self) -> String {
        if self.sweep.is_empty() { self.callers_as_csv() } else { self.sweep_as_csv() }
    }

    fn sweep_as_csv(&self) -> String {
        let mut text = "limit,quota,requests,rejected,rejected_by_limit\n".to_string();
        for point in &self.sweep {
            let numbers = [point.quota.into(), point.requests, point.rejected, point.by_limit];
            let numbers = numbers.map(|number| number.to_string()).join(",");
            text += &format!("{},{numbers}\n", cell(&point.target.text()));
        }
        text
    }

    fn callers_as_csv(&self) -> String {
        let (rules, tally) = (self.runs.main.rules(), &self.runs.main.tally);
        let mut text =
            "policy,caller,tier,requests,rejected,newly_rejected,fullest_percent,fullest_limit,fullest_at,first_rejected\n"
                .to_string();
        for (policy, caller) in listed(tally, |caller| Some((caller.rejected, caller.requests, Reverse(()))))
        {
            let cells = [
                cell(policy_name(rules, policy)),
                cell(&caller.label),
                cell(tier_name(rules, caller.tier)),
                caller.requests.to_string(),
                caller.rejected.to_string(),
                caller.newly.to_string(),
                format!("{}.{}", caller.fullest / 10, caller.fullest % 10),
                cell(limit_name(rules, policy, caller.fullest_limit)),
                instant(caller.fullest_at),
                caller.first_rejected.map_or(String::new(), instant),
            ];
            text += &(cells.join(",") + "\n");
        }
        text
    }
}

/// A cell. What clients send must not become a formula in a spreadsheet.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_string() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_cannot_write_a_formula_or_another_cell() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("192.0.2.7"), "192.0.2.7");
    }
}
