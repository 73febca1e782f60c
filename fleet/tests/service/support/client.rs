//! A proxy's worker, without the proxy: the module's own code for units, and a small HTTP/1.1 client.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use tollgate::fleet::message::{Answer, Exchange};
use tollgate::fleet::units::{Claim, InHand, Units};
use tollgate::identity::Identity;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit, LimitId, SlidingWindow};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};

pub trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

pub struct Client {
    stream: BufReader<Box<dyn Stream>>,
    pub headers: String,
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client::over(Box::new(connect(address)))
    }

    pub fn over(stream: Box<dyn Stream>) -> Client {
        Client { stream: BufReader::new(stream), headers: String::new() }
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.send("POST", path, body).expect("an answer")
    }

    pub fn get(&mut self, path: &str) -> (u16, Vec<u8>) {
        self.send("GET", path, &[]).expect("an answer")
    }

    /// An answer, unless the connection ends before.
    pub fn send(&mut self, method: &str, path: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let length = body.len();
        let headers = &self.headers;
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: fleet\r\n{headers}content-length: {length}\r\n\r\n");
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        self.stream.get_mut().flush()?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<(u16, Vec<u8>)> {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Admitted,
    Rejected,
    /// The service had no answer, and nothing was in hand.
    Unknown,
}

/// One worker of a proxy.
pub struct Worker {
    units: Units,
    client: Client,
    start: Instant,
}

impl Worker {
    pub fn new(holder: u64, client: Client) -> Worker {
        Worker { units: Units::new(holder), client, start: Instant::now() }
    }

    pub fn request(&mut self, claim: &Claim<'_>) -> Outcome {
        for _ in 0..3 {
            match self.units.spend(claim, self.now()) {
                InHand::Admitted { .. } => return Outcome::Admitted,
                InHand::Rejected(_) => return Outcome::Rejected,
                InHand::Ask => {}
            }
            self.units.wait(claim, self.now());
            if !self.ask() {
                return Outcome::Unknown;
            }
        }
        Outcome::Unknown
    }

    /// How many of some requests are admitted. All are decided.
    pub fn admitted(&mut self, claim: &Claim<'_>, requests: u32) -> u32 {
        let outcomes =
            (0..requests).map(|_| self.request(claim)).inspect(|one| assert_ne!(*one, Outcome::Unknown));
        u32::try_from(outcomes.filter(|one| *one == Outcome::Admitted).count()).unwrap()
    }

    /// Whether the service decides a request now.
    pub fn is_served(&mut self, claim: &Claim<'_>) -> bool {
        self.request(claim) != Outcome::Unknown
    }

    fn ask(&mut self) -> bool {
        let Some((exchange, sent)) = self.units.ask(SECOND, self.now()) else { return false };
        let answer = match self.client.send("POST", "/v1/test/exchange", &exchange.encode()) {
            Ok((200, body)) => Answer::decode(&body).unwrap(),
            Ok(_) | Err(_) => {
                self.units.failed(&sent);
                return false;
            }
        };
        let is_applied = answer.entries.iter().all(|entry| entry.applied);
        self.units.answered(&sent, &answer, self.now());
        is_applied
    }

    fn now(&self) -> Now {
        let mono = 1_000 * SECOND + self.start.elapsed().as_micros() as Micros;
        Now { mono, wall: mono }
    }
}

pub fn caller(number: u64) -> Identity {
    Identity { page: 1, fingerprint: number }
}

pub fn limit(quota: u32, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    let algorithm = Algorithm::SlidingWindow(SlidingWindow { slots: Slots::that_fit(quota, window, 1_400) });
    Limit { id: LimitId(7), quota, window, algorithm }
}

pub fn claim_of(caller: Identity, limits: &[Limit]) -> Claim<'_> {
    Claim {
        caller,
        policy: "api",
        limits,
        cost: 1,
        spends: true,
        count_rejected: false,
        gives_back: false,
        forgiven: &[],
    }
}

/// A message with one entry that asks for a unit.
pub fn exchange_of(number: u64) -> Exchange {
    let mut units = Units::new(number);
    let limits = [limit(10, 60 * SECOND)];
    let mono = 1_000 * SECOND;
    let now = Now { mono, wall: mono };
    units.wait(&claim_of(caller(number), &limits), now);
    units.ask(50 * MILLISECOND, now).unwrap().0
}
