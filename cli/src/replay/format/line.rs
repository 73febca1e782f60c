//! One request, as a line of a log describes it.

use super::time::{self, Unit};
use super::words::unescaped;
use std::borrow::Cow;
use tollgate::time::Micros;

/// Whether the time of a line is that of the request's start or of its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Instant {
    /// When the request came.
    #[default]
    Start,
    /// When its response was sent.
    End,
}

/// The texts that a line may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The client's address, with or without a port.
    Client,
    /// The header `x-forwarded-for`.
    Forwarded,
    /// The request's method.
    Method,
    /// Its path, with its query if the log has it.
    Path,
    /// Its host.
    Host,
    /// The header `user-agent`.
    UserAgent,
    /// The header `referer`.
    Referer,
    /// The name of Envoy's route.
    Route,
    /// Envoy's response code details.
    Details,
    /// Envoy's response flags.
    Flags,
    /// The policy that Tollgate's own line describes.
    Policy,
    /// The pseudonym of the caller in Tollgate's own line.
    Caller,
    /// The caller's tier in Tollgate's own line.
    Tier,
    /// One of the fields that the mapping names.
    Extra(Extra),
}

/// The number of a field that the mapping names, below [`MAX_EXTRAS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra(pub u8);

/// The maximum number of fields that a mapping names.
pub const MAX_EXTRAS: usize = 16;

/// The number of texts besides those of the mapping.
const FIXED: usize = 13;

/// The number of all texts.
pub const TEXTS: usize = FIXED + MAX_EXTRAS;

impl Text {
    /// Its place among all texts, below [`TEXTS`].
    pub fn index(self) -> usize {
        match self {
            Text::Client => 0,
            Text::Forwarded => 1,
            Text::Method => 2,
            Text::Path => 3,
            Text::Host => 4,
            Text::UserAgent => 5,
            Text::Referer => 6,
            Text::Route => 7,
            Text::Details => 8,
            Text::Flags => 9,
            Text::Policy => 10,
            Text::Caller => 11,
            Text::Tier => 12,
            Text::Extra(Extra(number)) => FIXED + usize::from(number),
        }
    }
}

/// What a field of a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// When the request came.
    Start,
    /// When its response was sent.
    End,
    /// How long it took, in units of this length.
    Duration(Unit),
    /// The status of the response.
    Status,
    /// The bytes of the request's body.
    BytesIn,
    /// The bytes of the response.
    BytesOut,
    /// The request line, such as `GET /v1?page=2 HTTP/1.1`.
    Request,
    /// The query, which follows the path.
    Query,
    /// The line that Tollgate writes about a decision, as text or as JSON.
    Decision,
    /// A text.
    Text(Text),
    /// A header in a log that leaves out those that a request has not: `-` is a value like any other.
    Header(Text),
}

impl Slot {
    /// The text that it is. `None`: it is something else.
    pub fn text(self) -> Option<Text> {
        match self {
            Slot::Text(text) | Slot::Header(text) => Some(text),
            Slot::Start
            | Slot::End
            | Slot::Duration(_)
            | Slot::Status
            | Slot::BytesIn
            | Slot::BytesOut
            | Slot::Request
            | Slot::Query
            | Slot::Decision => None,
        }
    }
}

/// Why a line is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unreadable {
    /// It has not the shape of the format.
    Shape,
    /// It has no time that can be read.
    Time,
    /// It has no method and path, as if the client had not sent HTTP.
    Request,
    /// A client's text in it can be read in several ways.
    Ambiguous,
    /// It is longer than any line that is read.
    TooLong,
    /// Its time is far from those of the lines around it.
    Stray,
}

impl Unreadable {
    /// Why, in words.
    pub fn words(self) -> &'static str {
        match self {
            Unreadable::Shape => "not of this format",
            Unreadable::Time => "without a time that can be read",
            Unreadable::Request => "without a method and a path",
            Unreadable::Ambiguous => "with a client's text that can be read in several ways",
            Unreadable::TooLong => "longer than 1 MiB",
            Unreadable::Stray => "with a time far from those around it",
        }
    }
}

/// One request. It borrows from its line, as far as that is not escaped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line<'a> {
    /// The time in the line, since the UNIX epoch.
    pub time: Option<Micros>,
    /// What happened then.
    pub instant: Instant,
    /// Whether the time is a whole number of seconds because the log says no more.
    pub whole_seconds: bool,
    /// How long the request took.
    pub duration: Option<Micros>,
    /// The status of the response; 0 if there was none.
    pub status: u16,
    /// The bytes of the request's body.
    pub bytes_in: Option<u64>,
    /// The bytes of the response.
    pub bytes_out: Option<u64>,
    /// Whether Tollgate's own line says that it rejected the request. `None`: there is no such line.
    pub refused: Option<bool>,
    pub(super) texts: [Option<Cow<'a, [u8]>>; TEXTS],
}

impl<'a> Line<'a> {
    /// One of its texts.
    pub fn text(&self, text: Text) -> Option<&[u8]> {
        self.texts.get(text.index())?.as_deref()
    }

    /// All its texts, in the order of [`Text::index`].
    pub fn texts(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.texts.iter().map(Option::as_deref)
    }

    /// Sets a text. `-` and nothing at all mean that there is none.
    pub fn set_text(&mut self, text: Text, value: Cow<'a, [u8]>) {
        if let Some(place) = self.texts.get_mut(text.index()).filter(|_| !matches!(&*value, b"" | b"-")) {
            *place = Some(value);
        }
    }

    /// Sets a text that is exactly what was sent. Nothing at all means that there is none.
    fn set_header(&mut self, text: Text, value: Cow<'a, [u8]>) {
        if let Some(place) = self.texts.get_mut(text.index()).filter(|_| !value.is_empty()) {
            *place = Some(value);
        }
    }

    /// Takes over a field, as it is written in text formats.
    ///
    /// # Errors
    /// The line cannot be a request.
    pub fn set(&mut self, slot: Slot, value: Cow<'a, [u8]>) -> Result<(), Unreadable> {
        match slot {
            Slot::Start => self.set_time(&value, Instant::Start)?,
            Slot::End => self.set_time(&value, Instant::End)?,
            Slot::Duration(unit) => self.duration = time::length(&value, unit).or(self.duration),
            Slot::Status => self.status = status(&value).ok_or(Unreadable::Shape)?,
            Slot::BytesIn => self.bytes_in = number(&value).or(self.bytes_in),
            Slot::BytesOut => self.bytes_out = number(&value).or(self.bytes_out),
            Slot::Request => return self.set_request(value),
            Slot::Query => self.add_query(&value),
            Slot::Decision => self.set_decision(value),
            Slot::Text(text) => self.set_text(text, value),
            Slot::Header(text) => self.set_header(text, value),
        }
        Ok(())
    }

    fn set_time(&mut self, value: &[u8], instant: Instant) -> Result<(), Unreadable> {
        // A start says more than an end.
        if self.time.is_some() && instant == Instant::End && self.instant == Instant::Start {
            return Ok(());
        }
        let (time, whole) = time::parse(value).ok_or(Unreadable::Time)?;
        (self.time, self.whole_seconds, self.instant) = (Some(time), whole, instant);
        Ok(())
    }

    /// The words of a request line. A path may have blanks in it, a method and a version have none.
    fn set_request(&mut self, value: Cow<'a, [u8]>) -> Result<(), Unreadable> {
        let value = unescaped(value);
        let first = memchr::memchr(b' ', &value).ok_or(Unreadable::Request)?;
        let last = memchr::memrchr(b' ', &value).filter(|last| *last > first).ok_or(Unreadable::Request)?;
        let (method, path) = match value {
            Cow::Borrowed(value) => (
                Cow::Borrowed(value.get(..first).unwrap_or_default()),
                Cow::Borrowed(value.get(first + 1..last).unwrap_or_default()),
            ),
            Cow::Owned(value) => (
                Cow::Owned(value.get(..first).unwrap_or_default().to_vec()),
                Cow::Owned(value.get(first + 1..last).unwrap_or_default().to_vec()),
            ),
        };
        self.set_text(Text::Method, method);
        self.set_text(Text::Path, path);
        Ok(())
    }

    fn add_query(&mut self, query: &[u8]) {
        let Some(Some(path)) = self.texts.get_mut(Text::Path.index()) else { return };
        if !matches!(query, b"" | b"-") {
            let path = path.to_mut();
            path.push(b'?');
            path.extend_from_slice(query.strip_prefix(b"?").unwrap_or(query));
        }
    }

    /// Reads Tollgate's own line: `decision=refused policy=ip …`, or the same as a JSON object.
    fn set_decision(&mut self, value: Cow<'a, [u8]>) {
        if value.first() == Some(&b'{') {
            return self.set_json_decision(&value);
        }
        for word in value.split(|byte| *byte == b' ') {
            let Some(equals) = memchr::memchr(b'=', word) else { continue };
            let (name, value) = word.split_at(equals);
            self.set_decided(name, value.get(1..).unwrap_or_default());
        }
    }

    fn set_json_decision(&mut self, value: &[u8]) {
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(value) else { return };
        for (name, value) in &fields {
            if let serde_json::Value::String(text) = value {
                self.set_decided(name.as_bytes(), text.as_bytes());
            }
        }
    }

    fn set_decided(&mut self, name: &[u8], value: &[u8]) {
        let text = match name {
            b"decision" => return self.refused = Some(value == b"refused"),
            b"policy" => Text::Policy,
            b"caller" => Text::Caller,
            b"tier" => Text::Tier,
            _ => return,
        };
        self.set_text(text, Cow::Owned(value.to_vec()));
    }

    /// Checks that the line has what every request has. A path that is a whole URL is divided.
    ///
    /// # Errors
    /// What it lacks.
    pub fn complete(&mut self) -> Result<(), Unreadable> {
        if self.time.is_none() {
            return Err(Unreadable::Time);
        }
        self.divide_url();
        let method = self.text(Text::Method).unwrap_or_default();
        let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'!' | b'.');
        if self.text(Text::Path).is_none() || method.is_empty() || !method.iter().all(is_token) {
            return Err(Unreadable::Request);
        }
        Ok(())
    }

    fn divide_url(&mut self) {
        let Some(Some(path)) = self.texts.get(Text::Path.index()) else { return };
        if path.first() == Some(&b'/') {
            return;
        }
        let Some(start) = memchr::memmem::find(path, b"://").map(|at| at + 3) else { return };
        let rest = path.get(start..).unwrap_or_default();
        let end = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let path = if path.first() == Some(&b'/') { path.to_vec() } else { [b"/", path].concat() };
        let host = host.to_vec();
        self.set_text(Text::Path, Cow::Owned(path));
        self.set_text(Text::Host, Cow::Owned(host));
    }
}

/// A status: three digits. None at all is 0.
fn status(text: &[u8]) -> Option<u16> {
    match text {
        b"-" | b"" | b"0" | b"000" => Some(0),
        [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Some(digit(hundreds) * 100 + digit(tens) * 10 + digit(ones))
        }
        _ => None,
    }
}

/// A whole number. A fraction is cut off.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.split(|byte| *byte == b'.').next().filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
