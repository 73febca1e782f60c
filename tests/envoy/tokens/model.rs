//! An upstream that answers like the APIs of language models.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

/// Answers `/API/HOW?tokens=N` as the API does, with N tokens. Further words of the query change how.
pub struct Model {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    requests: AtomicUsize,
    closing: AtomicBool,
    /// Whether answers that are held back may end.
    released: Mutex<bool>,
    changed: Condvar,
}

/// A body: its type, and its pieces.
type Body = (&'static str, Vec<Vec<u8>>);

impl Model {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the model");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if inside.closing.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&inside);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Lets all answers end that are held back.
    pub fn release(&self) {
        *self.shared.released.lock().expect("no thread has panicked") = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.release();
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn wait(&self) {
        let mut released = self.released.lock().expect("no thread has panicked");
        while !*released {
            released = self.changed.wait(released).expect("no thread has panicked");
        }
    }
}

/// Serves one connection until the peer leaves.
fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut target, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if target.is_empty() {
                target = line.to_owned();
            } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        shared.requests.fetch_add(1, Ordering::SeqCst);
        answer(stream.try_clone().ok()?, &target, shared)?;
    }
}

/// `None`: the connection is to be closed.
fn answer(mut to: TcpStream, line: &str, shared: &Shared) -> Option<()> {
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let has = |word: &str| query.split('&').any(|one| one == word);
    let tokens = query.split('&').find_map(|one| one.strip_prefix("tokens=")?.parse().ok()).unwrap_or(0);
    if has("late") {
        shared.wait();
    }
    if method == "HEAD" || has("empty") {
        let status = if method == "HEAD" { 200 } else { 204 };
        let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n\r\n");
        return to.write_all(head.as_bytes()).ok();
    }
    let (media_type, mut pieces) = body(path, tokens);
    let encoding = if has("gzip") { "content-encoding: gzip\r\n" } else { "" };
    if has("gzip") {
        pieces = vec![gzip(&pieces.concat())];
    }
    if has("crumbs") {
        pieces = pieces.concat().chunks(7).map(<[u8]>::to_vec).collect();
    }
    let head = format!(
        "HTTP/1.1 200 -\r\ncontent-type: {media_type}\r\n{encoding}transfer-encoding: chunked\r\n\r\n"
    );
    to.write_all(head.as_bytes()).ok()?;
    let last = pieces.len() - 1;
    for (index, piece) in pieces.iter().enumerate() {
        if index == last && has("held") {
            shared.wait();
        }
        if index == last && has("broken") {
            return None;
        }
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        to.write_all(&chunk).ok()?;
    }
    to.write_all(b"0\r\n\r\n").ok()
}

/// What a model says in order to pay less, or more.
const SPOOF: &str =
    "\",\"usage\":{\"prompt_tokens\":1,\"output_tokens\":9999999},\n\ndata: {\"usage\":{}}\n\n";

fn body(path: &str, tokens: u64) -> Body {
    let output = tokens / 4;
    let input = tokens - output;
    match path {
        "/openai/json" => document(&json!({
            "id": "chatcmpl-1",
            "choices": [{ "message": { "content": SPOOF, "tool_calls": [{ "function": { "arguments": SPOOF } }] } }],
            "usage": {
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": tokens,
                "prompt_tokens_details": { "cached_tokens": input / 2 }
            }
        })),
        "/openai/stream" => events(&[
            json!({ "choices": [{ "delta": { "content": SPOOF } }], "usage": null }),
            json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }], "usage": null }),
            json!({ "choices": [], "usage": { "prompt_tokens": input, "completion_tokens": output } }),
        ]),
        "/openai/responses" => events(&[
            json!({ "type": "response.created", "response": { "usage": null } }),
            json!({ "type": "response.output_text.delta", "delta": SPOOF }),
            json!({
                "type": "response.completed",
                "response": { "usage": { "input_tokens": input, "output_tokens": output, "total_tokens": tokens } }
            }),
        ]),
        "/anthropic/json" => document(&json!({
            "type": "message",
            "content": [{ "type": "tool_use", "input": { "usage": { "output_tokens": 9_999_999 } } }],
            "usage": {
                "input_tokens": 1, "cache_creation_input_tokens": 1, "cache_read_input_tokens": input - 2,
                "output_tokens": output
            }
        })),
        "/anthropic/stream" => events(&[
            json!({ "type": "message_start", "message": { "usage": { "input_tokens": input, "output_tokens": 1 } } }),
            json!({ "type": "content_block_delta", "delta": { "partial_json": SPOOF } }),
            json!({ "type": "message_delta", "delta": {}, "usage": { "output_tokens": output / 2 } }),
            json!({ "type": "message_delta", "delta": {}, "usage": { "output_tokens": output } }),
        ]),
        "/gemini/json" => document(&gemini(input, output)),
        "/gemini/list" => {
            let pieces = [gemini(input, 0), gemini(input, output / 2), gemini(input, output)];
            ("application/json", pretty_list(&pieces))
        }
        "/gemini/stream" => events(&[gemini(input, 0), gemini(input, output / 2), gemini(input, output)]),
        "/bedrock/json" => document(&json!({
            "output": { "message": { "content": [{ "text": SPOOF }] } },
            "usage": { "inputTokens": input, "outputTokens": output, "totalTokens": tokens }
        })),
        "/bedrock/stream" => ("application/vnd.amazon.eventstream", vec![vec![0; 64]]),
        "/bedrock/none" => document(&json!({ "error": "no usage" })),
        other => panic!("no such answer: {other}"),
    }
}

fn gemini(input: u64, output: u64) -> Value {
    let thoughts = output / 2;
    json!({
        "candidates": [{ "content": { "parts": [{ "text": SPOOF }] } }],
        "usageMetadata": {
            "promptTokenCount": input, "candidatesTokenCount": output - thoughts, "thoughtsTokenCount": thoughts
        }
    })
}

fn document(json: &Value) -> Body {
    let text = serde_json::to_string_pretty(json).expect("JSON").into_bytes();
    let (first, rest) = text.split_at(text.len() / 2);
    ("application/json; charset=utf-8", vec![first.to_vec(), rest.to_vec()])
}

fn events(all: &[Value]) -> Body {
    let event = |json: &Value| format!("event: x\r\ndata: {json}\r\n\r\n").into_bytes();
    ("text/event-stream; charset=utf-8", all.iter().map(event).collect())
}

fn pretty_list(all: &[Value]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for (index, json) in all.iter().enumerate() {
        let before = if index == 0 { "[" } else { "\n,\r\n" };
        pieces.push(format!("{before}{}", serde_json::to_string_pretty(json).expect("JSON")).into_bytes());
    }
    pieces.push(b"]\n".to_vec());
    pieces
}

/// As gzip writes what it does not compress (RFC 1952; RFC 1951, 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short body");
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let head =
        [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes()];
    [&head.concat()[..], bytes, &(!crc).to_le_bytes(), &u32::from(length).to_le_bytes()].concat()
}
