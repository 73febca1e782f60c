//! A Redis of its own, on a free port, which ends with the test.

use super::{Folder, eventually, free_address};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct RedisServer {
    process: Child,
    pub port: u16,
    _folder: Folder,
    arguments: Vec<String>,
}

impl RedisServer {
    pub fn start() -> RedisServer {
        RedisServer::with(&[])
    }

    /// With settings like `--appendonly yes`.
    pub fn with(settings: &[&str]) -> RedisServer {
        let (port, folder) = (free_address().port(), Folder::new());
        let own = ["--bind", "127.0.0.1", "--save", "", "--dir", folder.path().to_str().unwrap()];
        let mut arguments: Vec<String> =
            own.into_iter().chain(settings.iter().copied()).map(Into::into).collect();
        if !settings.contains(&"--tls-port") {
            arguments.extend(["--port".into(), port.to_string()]);
        } else if let Some(at) = arguments.iter().position(|argument| argument == "--tls-port") {
            arguments[at + 1] = port.to_string();
        }
        let process = spawn(&arguments);
        let server = RedisServer { process, port, _folder: folder, arguments };
        server.wait();
        server
    }

    /// A Sentinel with this configuration.
    pub fn sentinel(config: &str) -> RedisServer {
        let (port, folder) = (free_address().port(), Folder::new());
        let text = format!("port {port}\nbind 127.0.0.1\ndir {}\n{config}", folder.path().display());
        let file = folder.file("sentinel.conf", &text);
        let arguments = vec![file.to_str().unwrap().to_string(), "--sentinel".into()];
        let server = RedisServer { process: spawn(&arguments), port, _folder: folder, arguments };
        server.wait();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string()]).args(arguments).output();
        String::from_utf8_lossy(&output.expect("redis-cli: install it").stdout).trim_end().to_string()
    }

    /// The keys of records.
    pub fn records(&self) -> Vec<String> {
        let keys = self.cli(&["--scan"]);
        keys.lines().filter(|key| !key.contains('#')).map(Into::into).collect()
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.process = spawn(&self.arguments);
        self.wait();
    }

    pub fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    fn wait(&self) {
        eventually("redis-server starts", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        eventually("redis-server has loaded", Duration::from_secs(10), || {
            !self.cli(&["PING"]).contains("LOADING")
        });
    }
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

fn spawn(arguments: &[String]) -> Child {
    let started = Command::new("redis-server").args(arguments).stdout(Stdio::null()).spawn();
    started.expect("redis-server can't be started: install it (Debian: redis-server); these tests need it")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
