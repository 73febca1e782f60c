//! An access log as traffic: its requests, at their times, with the statuses and durations of their responses.

use crate::traffic::{Arrival, MAX_REQUESTS, NO_ANSWER, Traffic};
use std::collections::HashMap;
use std::io::Cursor;
use std::net::IpAddr;
use tollgate::http::SampleRequest;
use tollgate::time::{Micros, SECOND};
use tollgate_cli::replay::format::{FORMATS, Mapping, Text};
use tollgate_cli::replay::lines::Lines;
use tollgate_cli::replay::log::{Log, Read};
use tollgate_cli::replay::record::Record;

/// The maximum number of bytes of all requests that differ.
const MAX_BYTES: usize = 64 << 20;
/// The maximum length of the traffic.
const MAX_LENGTH: Micros = 31 * 86_400 * SECOND;

/// The texts of a line that are taken over, and the headers that they become. The client's address is none.
const TEXTS: [(Text, &str); 5] = [
    (Text::Host, ":authority"),
    (Text::UserAgent, "user-agent"),
    (Text::Referer, "referer"),
    (Text::Forwarded, "x-forwarded-for"),
    (Text::Route, ""),
];

/// Reads a log of any known format, unpacked: the traffic, and what it was, in words.
///
/// # Errors
/// No line of it is a request.
pub fn read(bytes: Vec<u8>) -> Result<(Traffic, String), String> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let unknown =
        || format!("found no line of a known format; allowed: {}, plain, in gzip or in zstd", known());
    let lines = Lines::plain(Box::new(Cursor::new(bytes)));
    let mut log = Log::of("log", lines, &Mapping::default()).map_err(|_| unknown())?;
    let format = log.formats().next().map_or("", |(_, format)| format.name);
    let mut requests = Requests::default();
    let mut found: Vec<(Micros, Arrival)> = Vec::new();
    let mut record = Record::default();
    let mut note = String::new();
    loop {
        if found.len() >= MAX_REQUESTS {
            note = format!("; what follows {MAX_REQUESTS} requests is left out");
            break;
        }
        if requests.bytes > MAX_BYTES {
            note = format!("; what follows {MAX_BYTES} bytes of different requests is left out");
            break;
        }
        if !log.next(&mut record) {
            break;
        }
        let request = requests.number(&record);
        found.push((record.start, arrival(&record, request)));
    }
    // In the order of time, and of the log where that is equal.
    found.sort_by_key(|(start, _)| *start);
    let (Some((first, _)), Some((last, _))) = (found.first().copied(), found.last().copied()) else {
        return Err(unknown());
    };
    let length = last.saturating_sub(first).saturating_add(SECOND).min(MAX_LENGTH);
    let late = |(start, arrival): (Micros, Arrival)| Arrival { at: start.saturating_sub(first), ..arrival };
    let arrivals: Vec<Arrival> = found.into_iter().map(late).filter(|one| one.at < length).collect();
    if length == MAX_LENGTH {
        note.push_str("; what follows 31 days is left out");
    }
    let words = words(format, arrivals.len(), requests.all.len(), &log.read) + &note;
    let total: u64 = arrivals.iter().map(|arrival| u64::from(arrival.took)).sum();
    let took = total / (arrivals.len().max(1) as u64);
    let traffic =
        Traffic { start: first, length, requests: requests.all, arrivals, headers: Vec::new(), took };
    Ok((traffic, words))
}

/// The different requests.
#[derive(Default)]
struct Requests {
    all: Vec<SampleRequest>,
    numbers: HashMap<Vec<u8>, u32>,
    bytes: usize,
}

impl Requests {
    /// The number of the request of this record.
    fn number(&mut self, record: &Record) -> u32 {
        let text = |text| record.text(text).unwrap_or_default();
        let mut key = Vec::new();
        for part in [Text::Method, Text::Path, Text::Client].into_iter().chain(TEXTS.map(|(text, _)| text)) {
            key.extend_from_slice(text(part));
            key.extend_from_slice(&text(part).len().to_le_bytes());
        }
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let words = |part| String::from_utf8_lossy(text(part)).into_owned();
        let mut request = SampleRequest::new(&words(Text::Method), &words(Text::Path));
        if let Some(client) = client(record) {
            request = request.from_client(client);
        }
        for (part, header) in TEXTS.into_iter().filter(|(part, _)| record.text(*part).is_some()) {
            request = match header {
                "" => request.on_route(&words(part)),
                _ => request.with_header(header, &words(part)),
            };
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        // A request is there twice, and has places of its own.
        self.bytes = self.bytes.saturating_add(key.len().saturating_mul(2)).saturating_add(256);
        self.all.push(request);
        self.numbers.insert(key, number);
        number
    }
}

/// The client's address; without one, the last that the proxies before have noted.
fn client(record: &Record) -> Option<IpAddr> {
    let forwarded = || record.text(Text::Forwarded)?.rsplit(|byte| *byte == b',').next();
    let text = record.text(Text::Client).or_else(forwarded)?;
    let text = std::str::from_utf8(text).ok()?.trim();
    let inside = |text: &str| text.strip_prefix('[')?.split_once(']')?.0.parse().ok();
    let before_port = |text: &str| text.rsplit_once(':')?.0.parse().ok();
    text.parse().ok().or_else(|| inside(text)).or_else(|| before_port(text))
}

fn arrival(record: &Record, request: u32) -> Arrival {
    const OK: u16 = 200;
    // A request that the log's own limits rejected has no answer of the upstream; the usual one stands for it.
    let status = match record.refused {
        Some(true) => OK,
        Some(false) | None if record.is_answered() => record.status,
        Some(false) | None => NO_ANSWER,
    };
    let took = record.end.saturating_sub(record.start);
    Arrival { at: 0, request, took: u32::try_from(took).unwrap_or(u32::MAX), status }
}

/// What was read, in words.
fn words(format: &str, requests: usize, different: usize, read: &Read) -> String {
    let mut text = format!("{format}: {requests} requests, {different} different");
    let unreadable = read.unreadable_lines();
    if unreadable > 0 {
        let why: Vec<String> = read
            .unreadable
            .iter()
            .map(|(why, (count, first))| format!("{count} {} (first: line {})", why.words(), line_of(first)))
            .collect();
        text.push_str(&format!("; {unreadable} lines are no request: {}", why.join(", ")));
    }
    for (place, why) in &read.broken {
        text.push_str(&format!("; it cannot be read from line {} on: {why}", line_of(place)));
    }
    if read.without_duration > 0 {
        text.push_str("; without durations, responses come at once");
    }
    text
}

fn line_of(place: &str) -> &str {
    place.rsplit(':').next().unwrap_or(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    fn combined(second: u32, client: &str, path: &str, status: u16) -> String {
        format!(
            "{client} - - [01/Jan/2026:00:00:{second:02} +0000] \"GET {path} HTTP/1.1\" {status} 5 \"-\" \"curl\"\n"
        )
    }

    #[test]
    fn requests_come_at_their_times_from_their_clients_and_equal_ones_are_kept_once() {
        let log = [(5, "10.0.0.2", "/b"), (3, "10.0.0.1", "/a"), (4, "10.0.0.1", "/a")];
        let text: String = log.iter().map(|(at, ip, path)| combined(*at, ip, path, 404)).collect();
        let (traffic, words) = read(text.into_bytes()).unwrap();
        let arrivals: Vec<_> =
            traffic.arrivals.iter().map(|one| (one.at / SECOND, one.request, one.status)).collect();
        assert_eq!(arrivals, [(0, 1, 404), (1, 1, 404), (2, 0, 404)]);
        assert_eq!((traffic.start, traffic.length), (1_767_225_603 * SECOND, 3 * SECOND));
        assert!(words.starts_with("combined: 3 requests, 2 different"), "{words}");
    }

    #[test]
    fn lines_that_are_no_request_are_counted_and_the_first_is_named() {
        let text = combined(1, "::1", "/", 200) + "garbage\n" + &combined(2, "::1", "/", 200);
        let (traffic, words) = read(text.into_bytes()).unwrap();
        assert_eq!(traffic.arrivals.len(), 2);
        assert!(words.contains("1 lines are no request: 1 not of this format (first: line 2)"), "{words}");
    }

    #[test]
    fn hostile_logs_are_errors_or_cut_off() {
        let binary: Vec<u8> =
            (0..10_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for bytes in
            [binary, vec![b'x'; 10 << 20], Vec::new(), vec![0x1F, 0x8B], vec![0x28, 0xB5, 0x2F, 0xFD, 9]]
        {
            assert!(read(bytes).is_err());
        }
        let far = combined(1, "::1", "/", 200) + &combined(2, "::1", "/", 200).replace("2026", "9999");
        assert!(read(far.into_bytes()).unwrap().0.length <= MAX_LENGTH);
    }
}
