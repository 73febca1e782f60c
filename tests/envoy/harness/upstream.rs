//! An upstream whose answer a test chooses, and which counts what reaches it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    doorman: Option<JoinHandle<()>>,
}

struct Shared {
    answer: String,
    requests: AtomicUsize,
    closing: AtomicBool,
}

impl Upstream {
    /// Answers every request, whose body must be empty, with 200, these headers and `ok`.
    pub fn answering(headers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
        let address = listener.local_addr().expect("the upstream's address");
        let shared = Arc::new(Shared {
            answer: answer(headers),
            requests: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let inside = Arc::clone(&shared);
        let doorman = Some(thread::spawn(move || accept(&listener, &inside)));
        Self { address, shared, doorman }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
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

fn answer(headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok")
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

/// Serves one connection until the peer leaves.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let Ok(reader) = stream.try_clone() else {
        return;
    };
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        if line != b"\r" {
            continue;
        }
        shared.requests.fetch_add(1, Ordering::SeqCst);
        if stream.write_all(shared.answer.as_bytes()).is_err() {
            return;
        }
    }
}
