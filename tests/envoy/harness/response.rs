//! A response as it came over the wire: headers in order and repeated ones apart, since both are promises.

use std::io::{self, BufRead, ErrorKind, Read};

use serde_json::Value;

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Every value of the header, one a line sent.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(named, _)| named == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that must be there exactly once.
    pub fn value(&self, name: &str) -> &str {
        let values = self.values(name);
        assert_eq!(values.len(), 1, "{name} once, in {self:?}");
        values[0]
    }

    /// Panics if the response has such a header.
    pub fn lacks(&self, name: &str) {
        assert!(self.values(name).is_empty(), "no {name}, in {self:?}");
    }

    /// The value of a header that must be there exactly once, as a whole number.
    pub fn number(&self, name: &str) -> u64 {
        let text = self.value(name);
        text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, no whole number"))
    }

    /// The body, which must be text in UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    /// The seconds of `retry-after`: one line, digits only (no date, no fraction), at least 1.
    pub fn retry_after(&self) -> u64 {
        let text = self.value("retry-after");
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "retry-after is {text:?}, not whole seconds");
        let seconds = text.parse().expect("whole seconds");
        assert!(seconds >= 1, "retry-after is {seconds}");
        seconds
    }

    /// The names of all headers that speak about rate limits, `retry-after` apart.
    pub fn limit_headers(&self) -> Vec<&str> {
        self.headers
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| name.contains("ratelimit") || name.contains("rate-limit"))
            .collect()
    }

    /// Whether the peer hangs up after this response.
    pub fn closes(&self) -> bool {
        self.values("connection").contains(&"close")
    }

    /// Reads one response to a request with `method`, interim ones left out.
    pub fn read(from: &mut impl BufRead, method: &str) -> io::Result<Self> {
        loop {
            let status = read_status(from)?;
            let headers = read_headers(from)?;
            if status >= 200 {
                let mut response = Self { status, headers, body: Vec::new() };
                response.read_body(from, method)?;
                return Ok(response);
            }
        }
    }

    fn read_body(&mut self, from: &mut impl BufRead, method: &str) -> io::Result<()> {
        if method == "HEAD" || self.status == 204 || self.status == 304 {
            return Ok(());
        }
        if self.values("transfer-encoding") == ["chunked"] {
            return read_chunks(from, &mut self.body);
        }
        match self.values("content-length").first() {
            Some(length) => {
                let length = length.parse().map_err(|_| garbled(length))?;
                self.body = vec![0; length];
                from.read_exact(&mut self.body)
            }
            None => from.read_to_end(&mut self.body).map(drop),
        }
    }
}

fn read_status(from: &mut impl BufRead) -> io::Result<u16> {
    let line = read_line(from)?;
    let code =
        line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    code.ok_or_else(|| garbled(&line))
}

fn read_headers(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| garbled(&line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(from)?;
        let size = u64::from_str_radix(&line, 16).map_err(|_| garbled(&line))?;
        from.by_ref().take(size).read_to_end(body)?;
        read_line(from)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn garbled(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("no HTTP: {text:?}"))
}
