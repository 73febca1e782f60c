//! A request while it waits for its turn: what its line says, in memory of its own that is used again.

use super::format::{Instant, Line, Text};
use tollgate::time::{Micros, SECOND};

/// One request of a log.
#[derive(Debug, Default)]
pub struct Record {
    /// When it came, since the UNIX epoch.
    pub start: Micros,
    /// When its response was sent.
    pub end: Micros,
    /// Whether the log says how long it took.
    pub has_duration: bool,
    /// Whether the log's times are whole seconds.
    pub whole_seconds: bool,
    /// The status of its response; 0 if there was none.
    pub status: u16,
    /// The bytes of the request's body.
    pub bytes_in: Option<u64>,
    /// The bytes of the response.
    pub bytes_out: Option<u64>,
    /// See [`Line::refused`].
    pub refused: Option<bool>,
    /// All texts, one after the other.
    bytes: Vec<u8>,
    /// The number of each text that there is, with the place where it ends.
    ends: Vec<(u8, u32)>,
}

impl Record {
    /// Takes over what a line says.
    pub fn fill(&mut self, line: &Line<'_>) {
        let (time, took) = (line.time.unwrap_or_default(), line.duration.unwrap_or_default());
        // A time in whole seconds is cut off: on average it was half a second later.
        let cut_off = line.whole_seconds && line.duration.is_some();
        let time = if cut_off { time.saturating_add(SECOND / 2) } else { time };
        (self.start, self.end) = match line.instant {
            Instant::Start => (time, time.saturating_add(took)),
            Instant::End => (time.saturating_sub(took), time),
        };
        self.has_duration = line.duration.is_some();
        self.whole_seconds = line.whole_seconds;
        (self.status, self.refused) = (line.status, line.refused);
        (self.bytes_in, self.bytes_out) = (line.bytes_in, line.bytes_out);
        self.bytes.clear();
        self.ends.clear();
        for (number, text) in (0_u8..).zip(line.texts()) {
            if let Some(text) = text {
                self.bytes.extend_from_slice(text);
                self.ends.push((number, u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)));
            }
        }
    }

    /// Frees what an unusually long line has taken.
    pub fn shrink(&mut self) {
        const USUAL: usize = 4096;
        if self.bytes.capacity() > USUAL {
            self.bytes = Vec::new();
        }
    }

    /// One of its texts.
    pub fn text(&self, text: Text) -> Option<&[u8]> {
        let wanted = text.index();
        let mut start: u32 = 0;
        for (number, end) in &self.ends {
            if usize::from(*number) == wanted {
                return self.bytes.get(usize::try_from(start).ok()?..usize::try_from(*end).ok()?);
            }
            start = *end;
        }
        None
    }

    /// Whether the client has got a response that says what became of the request. 499 is nginx's word for a
    /// client that has left, and 460 that of the AWS load balancer.
    pub fn is_answered(&self) -> bool {
        !matches!(self.status, 0 | 460 | 499)
    }

    /// Whether the upstream sent the response, as far as the log says.
    pub fn is_upstreams(&self) -> bool {
        if let Some(details) = self.text(Text::Details) {
            return details == b"via_upstream";
        }
        const LOCAL: [&[u8]; 14] = [
            b"UF", b"UH", b"UO", b"UT", b"UC", b"UR", b"LR", b"LH", b"NR", b"RL", b"UAEX", b"DC", b"NC",
            b"DPE",
        ];
        let flags = self.text(Text::Flags).unwrap_or_default();
        !flags.split(|byte| *byte == b',').any(|flag| LOCAL.contains(&flag))
    }
}
