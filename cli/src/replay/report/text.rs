//! The report for people.

use super::super::condition::percent;
use super::{Report, fullness, limit_name, most_rejected, policy_name, rejected_callers, tier_name};
use crate::command::styles::{ERROR, FAINT, HEADING, SUCCESS, WARNING};
use crate::replay::tally::{CallerTally, Tally};
use tollgate::rules::PolicySet;
use tollgate::time::{Micros, SECOND, in_words, push_instant, seconds_up};

/// The maximum number of columns of a sparkline.
const MAX_COLUMNS: u64 = 72;

impl Report<'_> {
    /// The whole report.
    pub fn to_text(&self) -> String {
        let (rules, tally) = (self.runs.main.rules(), &self.runs.main.tally);
        let mut text = self.totals();
        text += &by_limit(rules, tally);
        text += &self.comparison();
        text += &by_fullness(rules, tally);
        let rejected: Vec<_> = most_rejected(tally).into_iter().take(self.top).collect();
        text +=
            &list_of_callers("most rejected callers", "rejected", &rejected, rules, |caller| caller.rejected);
        text += &self.quotas();
        text += &by_hour(tally);
        text += &self.notes_and_conditions();
        text
    }

    fn totals(&self) -> String {
        let mut text = String::new();
        let width = self.files.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        const MAX_FILES: usize = 10;
        for (name, format) in self.files.iter().take(MAX_FILES) {
            text += &format!("{HEADING}{name:width$}{HEADING:#}  {format}\n");
        }
        if self.files.len() > MAX_FILES {
            text += &format!("and {} more files\n", self.files.len() - MAX_FILES);
        }
        let tally = &self.runs.main.tally;
        let (requests, rejected) = (tally.requests, tally.rejected);
        if let (Some(from), Some(to)) = (self.read.from, self.read.to) {
            let (from, to) = (instant(from), instant(to));
            text += &format!("{} requests from {from} to {to}\n", thousands(requests));
        } else {
            text += "no requests\n";
        }
        let style = if rejected == 0 { SUCCESS } else { ERROR };
        text +=
            &format!("{style}{} rejected{style:#} ({})\n", thousands(rejected), percent(rejected, requests));
        if self.runs.decided > 0 {
            let same = self.runs.decided - self.runs.now_admitted - self.runs.now_refused;
            text += &format!(
                "of {} decisions in the log, {} are the same here, {} are admitted now, {} rejected now\n",
                thousands(self.runs.decided),
                thousands(same),
                thousands(self.runs.now_admitted),
                thousands(self.runs.now_refused)
            );
        }
        text
    }

    fn comparison(&self) -> String {
        let Some(against) = &self.runs.against else { return String::new() };
        let (newly, no_longer) = (self.runs.newly_rejected, self.runs.no_longer_rejected);
        let requests = self.runs.main.tally.requests;
        let mut text = format!(
            "\n{HEADING}against the other policy{HEADING:#}, which rejects {} ({})\n",
            thousands(against.tally.rejected),
            percent(against.tally.rejected, requests)
        );
        text += &format!("newly rejected      {} ({})\n", thousands(newly), percent(newly, requests));
        text += &format!("no longer rejected  {} ({})\n", thousands(no_longer), percent(no_longer, requests));
        let main = super::listed(&self.runs.main.tally, |caller| (caller.newly > 0).then_some(caller.newly));
        let main: Vec<_> = main.into_iter().take(self.top).collect();
        let rules = self.runs.main.rules();
        text += &list_of_callers("newly rejected callers", "newly", &main, rules, |caller| caller.newly);
        let other =
            super::listed(&against.tally, |caller| (caller.no_longer > 0).then_some(caller.no_longer));
        let other: Vec<_> = other.into_iter().take(self.top).collect();
        let freed = |caller: &CallerTally| caller.no_longer;
        text + &list_of_callers("callers no longer rejected", "no longer", &other, against.rules(), freed)
    }

    fn quotas(&self) -> String {
        let mut text = String::new();
        if let Some((share, smallest)) = &self.smallest {
            text += &format!(
                "\n{HEADING}smallest quota that rejects at most {}{HEADING:#}\n",
                percent(share.0, super::super::condition::WHOLE)
            );
            let rows = smallest.iter().map(|one| {
                let quota = match (one.declared, one.quota) {
                    (None, _) => "has no single quota: try --sweep".into(),
                    (Some(_), Some(quota)) => thousands(quota.into()),
                    (Some(_), None) => "none".into(),
                };
                let declared =
                    one.declared.map_or(String::new(), |quota| format!("now {}", thousands(quota.into())));
                vec![one.target.text(), quota, declared]
            });
            text += &table(None, rows.collect());
        }
        if !self.sweep.is_empty() {
            text += &format!("\n{HEADING}other quotas{HEADING:#}\n");
            let rows = self.sweep.iter().map(|point| {
                vec![
                    point.target.text(),
                    thousands(point.quota.into()),
                    format!("{} ({})", thousands(point.by_limit), percent(point.by_limit, point.requests)),
                    format!("{} ({})", thousands(point.rejected), percent(point.rejected, point.requests)),
                ]
            });
            text += &table(Some(&["limit", "quota", "rejected by it", "rejected in all"]), rows.collect());
        }
        text
    }

    fn notes_and_conditions(&self) -> String {
        let mut text = String::new();
        if !self.notes.is_empty() {
            text += &format!("\n{HEADING}to know{HEADING:#}\n");
            self.notes.iter().for_each(|note| text += &format!("{WARNING}-{WARNING:#} {}\n", note.line()));
        }
        for one in self.conditions.iter().filter(|one| one.holds) {
            text += &format!(
                "\n{ERROR}failed{ERROR:#}: {}: {} of {} ({})\n",
                one.condition,
                thousands(one.part),
                thousands(one.all),
                percent(one.part, one.all)
            );
        }
        text
    }
}

fn by_limit(rules: &PolicySet, tally: &Tally) -> String {
    let mut rows = Vec::new();
    for (policy, counts) in tally.policies.iter().enumerate() {
        let callers = rejected_callers(tally, policy);
        for (limit, counts_of_limit) in counts.limits.iter().enumerate() {
            if limit_name(rules, policy, limit) == "(block)" && counts_of_limit.rejected == 0 {
                continue;
            }
            let rejected = counts_of_limit.rejected;
            let shadow = if counts.shadow > 0 { " in shadow" } else { "" };
            rows.push(vec![
                format!("{}/{}", policy_name(rules, policy), limit_name(rules, policy, limit)),
                thousands(counts_of_limit.judged),
                format!("{} ({}){shadow}", thousands(rejected), percent(rejected, counts_of_limit.judged)),
                thousands(if rejected > 0 { callers } else { 0 }),
                match counts_of_limit.longest_wait {
                    0 => "-".into(),
                    wait => in_words(seconds_up(wait).saturating_mul(SECOND)),
                },
                format!("{} %", counts_of_limit.fullest / 10),
            ]);
        }
    }
    let heading = ["limit", "judged", "rejected", "callers", "longest wait", "fullest"];
    format!("\n{}", table(Some(&heading), rows))
}

fn by_fullness(rules: &PolicySet, tally: &Tally) -> String {
    let rows = fullness(tally);
    if rows.is_empty() {
        return String::new();
    }
    let tiers = rules.callers.tiers.is_some();
    let mut heading =
        vec!["callers of", "callers", "<25 %", "<50 %", "<75 %", "<90 %", "<=100 %", "rejected"];
    if tiers {
        heading.insert(1, "tier");
    }
    let rows = rows.iter().map(|row| {
        let mut cells = vec![policy_name(rules, row.policy).to_string()];
        if tiers {
            cells.push(tier_name(rules, row.tier).to_string());
        }
        cells.push(thousands(row.callers));
        cells.extend(row.columns.iter().map(|number| thousands(*number)));
        cells
    });
    let title = format!("\n{HEADING}callers by their fullest moment{HEADING:#}\n");
    title + &table(Some(&heading), rows.collect())
}

fn list_of_callers(
    title: &str,
    column: &str,
    callers: &[(usize, &CallerTally)],
    rules: &PolicySet,
    number: impl Fn(&CallerTally) -> u64,
) -> String {
    if callers.is_empty() {
        return String::new();
    }
    let rows = callers.iter().map(|(policy, caller)| {
        let tier = tier_name(rules, caller.tier);
        let tier = if tier.is_empty() { String::new() } else { format!(" ({tier})") };
        vec![
            format!("{}{tier}", caller.label),
            policy_name(rules, *policy).to_string(),
            thousands(caller.requests),
            thousands(number(caller)),
            caller.first_rejected.map_or(String::new(), instant),
        ]
    });
    let heading = ["caller", "policy", "requests", column, "first"];
    format!("\n{HEADING}{title}{HEADING:#}\n") + &table(Some(&heading), rows.collect())
}

/// Requests and rejections by the hour, or by as many hours as make a line.
fn by_hour(tally: &Tally) -> String {
    let (Some((first, _)), Some((last, _))) = (tally.hours.first_key_value(), tally.hours.last_key_value())
    else {
        return String::new();
    };
    let width = (last - first) / MAX_COLUMNS + 1;
    let columns = (last - first) / width + 1;
    let (mut requests, mut rejected) = (Vec::new(), Vec::new());
    for column in 0..columns {
        let from = first + column * width;
        let hours = tally.hours.range(from..from + width);
        let (all, bad) = hours.fold((0, 0), |(all, bad), (_, (more, worse))| (all + more, bad + worse));
        requests.push(all);
        rejected.push(bad);
    }
    const HOUR: Micros = 3_600 * SECOND;
    let each = if width == 1 { "an hour".to_string() } else { format!("{width} hours") };
    format!(
        "\n{HEADING}by time{HEADING:#}, {each} a column, from {}\nrequests  {}  at most {}\nrejected  {}  at most {}\n",
        instant(first * HOUR),
        sparkline(&requests),
        thousands(requests.iter().copied().max().unwrap_or_default()),
        sparkline(&rejected),
        thousands(rejected.iter().copied().max().unwrap_or_default()),
    )
}

fn sparkline(numbers: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = numbers.iter().copied().max().unwrap_or_default().max(1);
    let bar = |number: &u64| match number {
        0 => ' ',
        number => {
            let height = u128::from(*number) * 8 / u128::from(most);
            let place = usize::try_from(height.saturating_sub(1)).unwrap_or_default();
            BARS.get(place).copied().unwrap_or('█')
        }
    };
    numbers.iter().map(bar).collect()
}

/// Rows of cells; the first column is text, the others are numbers.
fn table(heading: Option<&[&str]>, rows: Vec<Vec<String>>) -> String {
    let heading: Vec<String> = heading.unwrap_or_default().iter().map(ToString::to_string).collect();
    let all = || rows.iter().chain([&heading]);
    let columns = all().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string() + "\n"
    };
    let mut text = String::new();
    if !heading.is_empty() {
        text += &format!("{FAINT}{}{FAINT:#}\n", line(&heading).trim_end());
    }
    rows.iter().for_each(|row| text += &line(row));
    text
}

/// An instant in whole seconds.
pub(super) fn instant(at: Micros) -> String {
    let mut text = String::new();
    push_instant(&mut text, at / SECOND);
    text
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
