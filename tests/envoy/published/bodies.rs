//! An upstream whose answers have a body of the test's choice.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// The request header that has the body of its answer, in JSON.
pub const ANSWER: &str = "x-answer";

/// Starts one, which serves until the tests end.
pub fn answering_bodies() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Serves one connection until the peer leaves. Requests have no body.
fn serve(mut stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let head = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty());
        let head: Vec<String> = head.collect();
        head.first()?;
        let header = |line: &String| line.strip_prefix(ANSWER)?.strip_prefix(": ").map(str::to_owned);
        let body = head.iter().find_map(header).unwrap_or_default();
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        // In one piece, or else the second waits for the first to be acknowledged.
        stream.write_all((head + &body).as_bytes()).ok()?;
    }
}
