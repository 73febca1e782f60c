//! One table of what was measured apart: times by divan, instructions by valgrind, allocations here.

use super::{COUNTED, cases, counted};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// One case's line. All numbers are of one decision.
struct Line {
    name: &'static str,
    nanoseconds: f64,
    fastest_nanoseconds: f64,
    allocations: f64,
    instructions: Option<f64>,
}

/// Prints the table, and writes it as JSON. `times` is what divan has printed; `instructions` has a line for
/// each case, its name and its instructions after a tab, or is empty.
pub fn report(times: &Path, instructions: &Path, json: &Path) {
    let times = read(times);
    let instructions = read(instructions);
    let line = |case: &'static cases::Case| {
        let (fastest_nanoseconds, nanoseconds) =
            times_of(case.name, &times).unwrap_or_else(|| panic!("no time of {}", case.name));
        let allocations = counted(&mut *case.prepare()) as f64 / f64::from(COUNTED);
        let instructions = instructions_of(case.name, &instructions);
        Line { name: case.name, nanoseconds, fastest_nanoseconds, allocations, instructions }
    };
    let lines: Vec<Line> = cases::all().map(line).collect();
    print(&lines);
    let value = json!({ "cases": lines.iter().map(Line::as_json).collect::<Vec<_>>() });
    fs::write(json, format!("{value:#}\n")).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fastest and the median of divan's line: `├─ name  1.2 ns │ 3.4 µs │ 1.3 ns │ …` are fastest, slowest
/// and median.
fn times_of(name: &str, times: &str) -> Option<(f64, f64)> {
    times.lines().find_map(|line| {
        let line = line.trim_start_matches([' ', '├', '╰', '─', '│']).strip_prefix(name)?;
        // Another case's name may begin like this one's.
        let mut columns = line.strip_prefix(' ')?.split('│').map(nanoseconds);
        Some((columns.next()??, columns.nth(1)??))
    })
}

fn nanoseconds(time: &str) -> Option<f64> {
    let (number, unit) = time.trim().split_once(' ')?;
    let factor = match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

fn instructions_of(name: &str, instructions: &str) -> Option<f64> {
    let mut lines = instructions.lines().filter_map(|line| line.split_once('\t'));
    let (_, count) = lines.find(|(of, _)| *of == name)?;
    Some(count.parse::<f64>().ok()? / f64::from(COUNTED))
}

fn print(lines: &[Line]) {
    let longest = lines.iter().map(|line| line.name.len()).max().unwrap_or_default();
    println!(
        "{:longest$}  {:>9}  {:>9}  {:>11}  {:>12}",
        "per decision", "ns", "ns, best", "allocations", "instructions"
    );
    for line in lines {
        let (name, median, fastest) = (line.name, line.nanoseconds, line.fastest_nanoseconds);
        let instructions = line.instructions.map_or("-".into(), |count| format!("{count:.0}"));
        let allocations = line.allocations;
        println!("{name:longest$}  {median:>9.1}  {fastest:>9.1}  {allocations:>11.2}  {instructions:>12}");
    }
}

impl Line {
    fn as_json(&self) -> Value {
        json!({
            "name": self.name,
            "nanoseconds": self.nanoseconds,
            "fastest_nanoseconds": self.fastest_nanoseconds,
            "allocations": self.allocations,
            "instructions": self.instructions,
        })
    }
}
