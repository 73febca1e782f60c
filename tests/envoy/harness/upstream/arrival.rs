//! A request as it came to the upstream, and the answer that it asks for.

/// How long the answer is to take, in milliseconds.
pub const DELAY: &str = "x-upstream-delay";
/// There is to be no answer: the upstream closes the connection.
pub const RESET: &str = "x-upstream-reset";
/// The request's number: [`super::Upstream::arrivals`] says when it came.
pub const NUMBER: &str = "x-number";
/// As of the demo upstream.
pub const STATUS: &str = "x-demo-status";
/// As of the demo upstream.
pub const HEADER: &str = "x-demo-header";

pub struct Arrival {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Arrival {
    /// Of the lines before the empty one.
    pub fn of(lines: &[Vec<u8>]) -> Self {
        let mut lines = lines.iter().map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
        let first = lines.next().unwrap_or_default();
        let mut words = first.split(' ').map(str::to_owned);
        let header = |line: String| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self {
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
            headers: lines.filter_map(header).collect(),
        }
    }

    /// The values of a header, by a name in lower case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header, if it is a whole number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.values(name).next().and_then(|value| value.parse().ok())
    }

    /// The header lines that it asks for.
    pub fn answer_headers(&self) -> String {
        let asked = self.values(HEADER).filter_map(|header| header.split_once('='));
        asked.map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    }
}
