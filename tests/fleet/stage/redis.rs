//! A Redis of its own, which keeps what it has in a file, and what a test asks it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::harness::{Files, Process, eventually, found, free_address};

pub struct Redis {
    running: Mutex<Option<(Process, SocketAddr)>>,
    files: Files,
}

/// An answer of Redis.
#[derive(Debug, PartialEq)]
pub enum Value {
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<Value>),
    Error(String),
}

impl Redis {
    pub fn start() -> Self {
        let redis = Self { running: Mutex::default(), files: Files::new() };
        redis.restart();
        redis
    }

    /// Starts it again with what it had, on another port.
    pub fn restart(&self) {
        *self.lock() = Some(self.launch());
    }

    /// As with `kill -9`.
    pub fn kill(&self) {
        drop(self.lock().take());
    }

    /// What it had is gone when it is started again.
    pub fn lose(&self) {
        let _ = std::fs::remove_dir_all(self.files.file("appendonlydir"));
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        self.lock().as_ref().expect("a Redis that runs").0.signal(name);
    }

    pub fn address(&self) -> SocketAddr {
        self.lock().as_ref().expect("a Redis that runs").1
    }

    /// The answer to a command.
    pub fn ask(&self, command: &[&str]) -> Value {
        ask(self.address(), command).expect("an answer of Redis")
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        let Value::List(keys) = self.ask(&["KEYS", "*"]) else { panic!("a list of keys") };
        keys.into_iter().map(Value::text).collect()
    }

    /// The values of all keys that have this in their names, by key.
    pub fn values(&self, part: &str) -> Vec<(String, String)> {
        let keys = self.keys().into_iter().filter(|key| key.contains(part));
        let value = |key: String| {
            let Value::Text(text) = self.ask(&["GET", &key]) else { return None };
            Some((key, text))
        };
        keys.filter_map(value).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Process, SocketAddr)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> (Process, SocketAddr) {
        let address = free_address();
        let folder = self.files.file("").display().to_string();
        let options = format!(
            "--port {} --bind 127.0.0.1 --dir {folder} --save  --appendonly yes --appendfsync everysec \
             --maxmemory-policy noeviction --enable-debug-command yes",
            address.port()
        );
        let options: Vec<_> = options.split(' ').map(str::to_owned).collect();
        let program = found("REDIS", "/usr/bin/redis-server");
        let mut process = Process::start(&program, &options, Vec::new(), &self.files.log_file());
        eventually("Redis to answer", || {
            let ended = process.ended();
            assert!(ended.is_none(), "Redis ended by itself: {ended:?}");
            matches!(ask(address, &["PING"]), Ok(Value::Text(_))).then_some(())
        });
        (process, address)
    }
}

impl Value {
    pub fn text(self) -> String {
        let Self::Text(text) = self else { panic!("{self:?} is no text") };
        text
    }
}

fn ask(address: SocketAddr, command: &[&str]) -> io::Result<Value> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_read_timeout(Some(Duration::from_secs(10)))?;
    let words = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let text = format!("*{}\r\n{}", command.len(), words.collect::<String>());
    stream.get_mut().write_all(text.as_bytes())?;
    read(&mut stream)
}

fn read(from: &mut impl BufRead) -> io::Result<Value> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let (kind, rest) = line.trim_end().split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    let number = || rest.parse::<i64>().map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
    match kind {
        "+" => Ok(Value::Text(rest.to_owned())),
        "-" => Ok(Value::Error(rest.to_owned())),
        ":" => Ok(Value::Number(number()?)),
        "*" => (0..number()?).map(|_| read(from)).collect::<io::Result<_>>().map(Value::List),
        "$" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Value::Nothing) };
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            Ok(Value::Text(String::from_utf8_lossy(&bytes[..length]).into_owned()))
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
