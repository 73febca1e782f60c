//! An upstream whose answer a test chooses, and which counts what reaches it.

mod arrival;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arrival::Arrival;
pub use arrival::NUMBER;
pub(super) use arrival::{DELAY, RESET};

/// The end of the paths whose answers an upstream holds back until it is told them.
pub const HELD: &str = "/held";

pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    calls: Mutex<Receiver<Call>>,
    doorman: Option<JoinHandle<()>>,
}

/// A request for [`HELD`] that waits for its answer. Dropped, its connection is closed without one.
pub struct Call(Sender<u16>);

struct Shared {
    headers: String,
    requests: AtomicUsize,
    /// How many of them for each target.
    targets: Mutex<HashMap<String, usize>>,
    /// When each request came that has a [`NUMBER`].
    arrivals: Mutex<HashMap<u64, Instant>>,
    closing: AtomicBool,
    calls: Sender<Call>,
}

impl Upstream {
    /// Answers every request, whose body must be empty, with 200, these headers and `ok`, or as the request
    /// asks for, as with the demo upstream; those for paths that end with [`HELD`] when it is told to.
    pub fn answering(headers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
        let address = listener.local_addr().expect("the upstream's address");
        let (sender, calls) = mpsc::channel();
        let shared = Arc::new(Shared {
            headers: headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect(),
            requests: AtomicUsize::new(0),
            targets: Mutex::default(),
            arrivals: Mutex::default(),
            closing: AtomicBool::new(false),
            calls: sender,
        });
        let inside = Arc::clone(&shared);
        let doorman = Some(thread::spawn(move || accept(&listener, &inside)));
        Self { address, shared, calls: Mutex::new(calls), doorman }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many requests for this path and query came so far.
    pub fn requests_for(&self, target: &str) -> usize {
        let targets = self.shared.targets.lock().expect("no thread has panicked");
        targets.get(target).copied().unwrap_or_default()
    }

    /// When the request with this [`NUMBER`] came, if it did.
    pub fn arrival(&self, number: u64) -> Option<Instant> {
        self.shared.arrivals.lock().expect("no thread has panicked").get(&number).copied()
    }

    /// The next request for [`HELD`], if one has come.
    pub fn next_call(&self) -> Option<Call> {
        self.calls.lock().expect("one test at a time").try_recv().ok()
    }
}

impl Call {
    pub fn answer(self, status: u16) {
        // The caller may have left.
        let _ = self.0.send(status);
    }

    /// Closes the connection instead of answering.
    pub fn reset(self) {
        drop(self);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // The doorman waits in `accept`; one last caller lets it look up.
        drop(TcpStream::connect(self.address));
        if let Some(doorman) = self.doorman.take() {
            let _ = doorman.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || serve(stream, &shared));
    }
}

/// Serves one connection until the peer leaves, or a test says to.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let Ok(reader) = stream.try_clone() else {
        return;
    };
    let mut lines = Vec::new();
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        if line != b"\r" {
            lines.push(line);
            continue;
        }
        let arrival = Arrival::of(&std::mem::take(&mut lines));
        shared.count(&arrival);
        let Some(status) = shared.status_for(&arrival, &stream) else {
            return;
        };
        if stream.write_all(shared.answer(&arrival, status).as_bytes()).is_err() {
            return;
        }
    }
}

impl Shared {
    fn count(&self, arrival: &Arrival) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut targets = self.targets.lock().expect("no thread has panicked");
        *targets.entry(arrival.target.clone()).or_default() += 1;
        if let Some(number) = arrival.number(NUMBER) {
            self.arrivals.lock().expect("no thread has panicked").insert(number, Instant::now());
        }
    }

    /// Waits, if the request is to be held or its answer to take long. `None`: it is to have no answer.
    fn status_for(&self, arrival: &Arrival, peer: &TcpStream) -> Option<u16> {
        if arrival.target.ends_with(HELD) {
            let (sender, status) = mpsc::channel();
            self.calls.send(Call(sender)).ok()?;
            return status.recv().ok();
        }
        let stays = arrival.number(arrival::DELAY).is_none_or(|millis| stays_for(peer, millis));
        let answers = stays && arrival.values(arrival::RESET).next().is_none();
        answers.then(|| arrival.number(arrival::STATUS).unwrap_or(200))
    }

    fn answer(&self, arrival: &Arrival, status: u16) -> String {
        let headers = self.headers.clone() + &arrival.answer_headers();
        let (length, body) = match (status, arrival.method.as_str()) {
            (204 | 304, _) => ("", ""),
            (_, "HEAD") => ("content-length: 2\r\n", ""),
            _ => ("content-length: 2\r\n", "ok"),
        };
        format!("HTTP/1.1 {status} -\r\n{headers}{length}\r\n{body}")
    }
}

/// Waits so many milliseconds. `false`: meanwhile the peer has left.
fn stays_for(peer: &TcpStream, millis: u64) -> bool {
    let wait = |timeout| peer.set_read_timeout(timeout).expect("a socket whose patience can be set");
    wait(Some(Duration::from_millis(millis)));
    let seen = peer.peek(&mut [0]);
    wait(None);
    seen.is_err_and(|error| [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()))
}
