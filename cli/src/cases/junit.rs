//! Results as JUnit XML, which CI systems show.

use std::fmt::Write;

/// A file with cases.
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<SuiteCase>,
}

/// A case.
pub struct SuiteCase {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: Option<usize>,
    /// What failed: a line, and all of it. `None`: it passed.
    pub failure: Option<(String, String)>,
}

/// The document.
pub fn document(suites: &[Suite]) -> String {
    let tests = suites.iter().map(|suite| suite.cases.len()).sum::<usize>();
    let failures = suites.iter().map(Suite::failures).sum::<usize>();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tollgate\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"0\">\n"
    );
    for suite in suites {
        suite.write(&mut text);
    }
    text + "</testsuites>\n"
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }

    fn write(&self, text: &mut String) {
        let (name, tests, failures) = (escaped(&self.name), self.cases.len(), self.failures());
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"
        );
        for case in &self.cases {
            let line = case.line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
            let start = format!(
                "    <testcase classname=\"{name}\" name=\"{}\" file=\"{name}\"{line}",
                escaped(&case.name)
            );
            let _ = match &case.failure {
                None => writeln!(text, "{start}/>"),
                Some((message, all)) => writeln!(
                    text,
                    "{start}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                    escaped(message),
                    escaped(all)
                ),
            };
        }
        text.push_str("  </testsuite>\n");
    }
}

/// Text for XML 1.0, which cannot hold most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
