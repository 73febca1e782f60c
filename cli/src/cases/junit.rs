//! Results as JUnit XML, which CI systems show.

use std::fmt::Write;

/// A file with cases.
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases; or why there are none: it, or its policy, cannot be read or has errors.
    pub cases: Result<Vec<SuiteCase>, String>,
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
    let sum = |number: fn(&Suite) -> usize| suites.iter().map(number).sum::<usize>();
    let (tests, failures, errors) = (sum(Suite::tests), sum(Suite::failures), sum(Suite::errors));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tollgate\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    for suite in suites {
        suite.write(&mut text);
    }
    text + "</testsuites>\n"
}

impl Suite {
    /// A file without results is one test.
    fn tests(&self) -> usize {
        self.cases.as_ref().map_or(1, Vec::len)
    }

    fn errors(&self) -> usize {
        usize::from(self.cases.is_err())
    }

    fn failures(&self) -> usize {
        self.cases.iter().flatten().filter(|case| case.failure.is_some()).count()
    }

    fn write(&self, text: &mut String) {
        let (name, tests, failures) = (escaped(&self.name), self.tests(), self.failures());
        let errors = self.errors();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\">"
        );
        if let Err(why) = &self.cases {
            let (first, all) = (escaped(why.lines().next().unwrap_or_default()), escaped(why));
            let start = format!("    <testcase classname=\"{name}\" name=\"{name}\" file=\"{name}\"");
            let _ =
                writeln!(text, "{start}>\n      <error message=\"{first}\">{all}</error>\n    </testcase>");
        }
        for case in self.cases.iter().flatten() {
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
