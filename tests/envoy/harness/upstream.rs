//! An upstream whose answer a test chooses, and which counts what reaches it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

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
    closing: AtomicBool,
    calls: Sender<Call>,
}

impl Upstream {
    /// Answers every request, whose body must be empty, with 200, these headers and `ok`; those for paths that end with [`HELD`]
    /// when it is told to.
    pub fn answering(headers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
        let address = listener.local_addr().expect("the upstream's address");
        let (sender, calls) = mpsc::channel();
        let shared = Arc::new(Shared {
            headers: headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect(),
            requests: AtomicUsize::new(0),
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
    let mut first_line = None;
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        if line != b"\r" {
            first_line.get_or_insert(line);
            continue;
        }
        shared.requests.fetch_add(1, Ordering::SeqCst);
        let request = String::from_utf8_lossy(&first_line.take().unwrap_or_default()).into_owned();
        let Some(status) = shared.status_for(&request) else {
            return;
        };
        let body = if request.starts_with("HEAD ") { "" } else { "ok" };
        let headers = &shared.headers;
        let answer = format!("HTTP/1.1 {status} -\r\n{headers}content-length: 2\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

impl Shared {
    /// Waits, if the request is to be held. `None`: it is to have no answer.
    fn status_for(&self, request: &str) -> Option<u16> {
        if !request.split(' ').nth(1).is_some_and(|path| path.ends_with(HELD)) {
            return Some(200);
        }
        let (sender, status) = mpsc::channel();
        self.calls.send(Call(sender)).ok()?;
        status.recv().ok()
    }
}
