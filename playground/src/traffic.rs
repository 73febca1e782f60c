//! Made traffic: which caller sends a request when. The same description gives the same requests everywhere.

use crate::input::{Fields, Problem};
use std::net::{IpAddr, Ipv4Addr};
use tollgate::config::Value;
use tollgate::http::SampleRequest;
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// The maximum number of requests.
pub const MAX_REQUESTS: usize = 1_000_000;
/// The maximum number of callers.
pub const MAX_CALLERS: u32 = 10_000;
/// The maximum length of the traffic.
const MAX_SECONDS: f64 = 31.0 * 86_400.0;
/// The maximum number of places of drawn traffic.
const MAX_DRAWN: usize = 10_000;
/// What stands for the number of the caller in a header of a request.
const CALLER: &str = "{caller}";

/// Requests, and how they are answered.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// When it begins, since the UNIX epoch.
    pub start: Micros,
    /// How long it lasts.
    pub length: Micros,
    /// What each caller sends.
    pub requests: Vec<SampleRequest>,
    /// In the order of time.
    pub arrivals: Vec<Arrival>,
    /// The headers of each response, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The time from a request to its response, of most requests.
    pub took: Micros,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// When it arrives, since the start.
    pub at: Micros,
    /// The number of the request in [`Traffic::requests`].
    pub request: u32,
    /// The time until its response comes, in microseconds.
    pub took: u32,
    /// The status of its response, or [`NO_ANSWER`].
    pub status: u16,
}

/// Stands for the status of a response that never comes.
pub const NO_ANSWER: u16 = 0;

/// How requests are spread over time.
enum Shape {
    /// Evenly.
    Steady { rate: f64 },
    /// All of a burst at once.
    Bursts { size: u32, every: Micros },
    /// As many as `size` just before each end of a window of the clock, and as many just after it.
    Edges { size: u32, window: Micros },
    /// At random, where the first callers send most.
    Crowd { rate: f64 },
    /// As many in each place of equal length.
    Drawn { counts: Vec<u32> },
}

impl Traffic {
    /// Reads a description of traffic: an object in JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Traffic, Problem> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| Problem::new("", &error.to_string()))?;
        let fields = Fields::new(&value)?;
        let seconds = fields.number("seconds", 180.0, 1.0, MAX_SECONDS)?;
        let length = micros(seconds);
        let callers = fields.whole("callers", 1, 1, MAX_CALLERS)?;
        let shape = Shape::read(&fields)?;
        let took = micros(fields.number("took_ms", 20.0, 0.0, 600_000.0)? / 1_000.0);
        let status = u16::try_from(fields.whole("status", 200, 100, 599)?).unwrap_or(200);
        let mut arrivals = shape.arrivals(length, callers)?;
        for arrival in &mut arrivals {
            (arrival.took, arrival.status) = (u32::try_from(took).unwrap_or(u32::MAX), status);
        }
        Ok(Traffic {
            start: micros(fields.number("start", 1_767_225_600.0, 0.0, 4_000_000_000.0)?),
            length,
            requests: requests(&fields, callers)?,
            arrivals,
            headers: fields.headers("response_headers")?,
            took,
        })
    }
}

impl Shape {
    fn read(fields: &Fields<'_>) -> Result<Shape, Problem> {
        let rate = || fields.number("rate", 1.0, 0.001, 100_000.0);
        let size = || fields.whole("size", 50, 1, 100_000);
        let seconds = |name| fields.number(name, 60.0, 0.01, MAX_SECONDS).map(micros);
        Ok(match fields.text("shape", "steady")? {
            "steady" => Shape::Steady { rate: rate()? },
            "bursts" => Shape::Bursts { size: size()?, every: seconds("every")? },
            "edges" => Shape::Edges { size: size()?, window: seconds("window")? },
            "crowd" => Shape::Crowd { rate: rate()? },
            "drawn" => Shape::Drawn { counts: fields.counts("counts", MAX_DRAWN)? },
            other => return Err(Problem::new("shape", &format!("found {other}; allowed: {SHAPES}"))),
        })
    }

    /// The requests of `callers` callers within `length`, in the order of time.
    fn arrivals(&self, length: Micros, callers: u32) -> Result<Vec<Arrival>, Problem> {
        let mut out = Vec::new();
        let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
        match self {
            Shape::Steady { rate } => even(&mut out, 0, length, number_in(*rate, length))?,
            Shape::Bursts { size, every } => {
                for at in (0..length).step_by(step(*every)) {
                    even(&mut out, at, BURST, *size)?;
                }
            }
            Shape::Edges { size, window } => {
                for edge in (0..length).step_by(step(*window)).skip(1) {
                    even(&mut out, edge.saturating_sub(2 * SECOND), SECOND, *size)?;
                    even(&mut out, edge.saturating_add(SECOND), SECOND, *size)?;
                }
            }
            Shape::Crowd { rate } => {
                for _ in 0..number_in(*rate, length) {
                    push(&mut out, chance.below(length))?;
                }
                out.sort_unstable();
            }
            Shape::Drawn { counts } => {
                let place = length / (counts.len().max(1) as u64);
                for (number, count) in (0..).zip(counts) {
                    even(&mut out, place.saturating_mul(number), place, *count)?;
                }
            }
        }
        out.retain(|arrival| arrival.at < length);
        let crowd = matches!(self, Shape::Crowd { .. });
        for (number, arrival) in (0..).zip(&mut out) {
            arrival.request = if crowd { chance.few(callers) } else { number % callers };
        }
        Ok(out)
    }
}

const SHAPES: &str = "steady, bursts, edges, crowd, drawn";
/// The time that the requests of a burst take.
const BURST: Micros = 100 * MILLISECOND;

fn step(length: Micros) -> usize {
    usize::try_from(length.max(MILLISECOND)).unwrap_or(usize::MAX)
}

fn number_in(rate: f64, length: Micros) -> u32 {
    // A cast saturates.
    (rate * length as f64 / SECOND as f64).round() as u32
}

fn micros(seconds: f64) -> Micros {
    (seconds * SECOND as f64) as Micros
}

fn even(out: &mut Vec<Arrival>, from: Micros, length: Micros, count: u32) -> Result<(), Problem> {
    for number in 0..u64::from(count) {
        push(out, from.saturating_add(length.saturating_mul(number) / u64::from(count)))?;
    }
    Ok(())
}

fn push(out: &mut Vec<Arrival>, at: Micros) -> Result<(), Problem> {
    if out.len() >= MAX_REQUESTS {
        return Err(Problem::new(
            "shape",
            &format!("found more than {MAX_REQUESTS} requests; allowed: fewer"),
        ));
    }
    out.push(Arrival { at, request: 0, took: 0, status: NO_ANSWER });
    Ok(())
}

fn requests(fields: &Fields<'_>, callers: u32) -> Result<Vec<SampleRequest>, Problem> {
    let line = fields.text("request", "GET /")?;
    let request = SampleRequest::parse(line).map_err(|allowed| Problem::new("request", &allowed))?;
    let headers = fields.headers("headers")?;
    let of = |caller: u32| {
        let named = caller.saturating_add(1).to_string();
        let client = IpAddr::V4(Ipv4Addr::from(0x0A00_0001_u32.saturating_add(caller)));
        headers.iter().fold(request.clone().from_client(client), |request, (name, value)| {
            let name = if name == "host" { ":authority" } else { name };
            request.with_header(name, &value.replace(CALLER, &named))
        })
    };
    Ok((0..callers).map(of).collect())
}

/// Numbers that look random, and are always the same (xorshift64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number below `end`, of which small ones are far more frequent.
    fn few(&mut self, end: u32) -> u32 {
        let first = self.below(u64::from(end));
        u32::try_from(self.below(first.saturating_add(1))).unwrap_or(0)
    }
}
