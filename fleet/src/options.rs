//! The command line, and what becomes of it. Everything is checked before the service starts: an error is one line
//! that says where, what was found, and what is allowed.

use crate::engine::{Engine, Memory, Mode, Redis, RedisOptions};
use crate::server::{Limits, Setup};
use crate::tls::ServerFiles;
use crate::token::Token;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

/// `0.1.0 (1a2b3c4) language 1`
static BUILD: LazyLock<String> = LazyLock::new(|| {
    tollgate::language::build_name(env!("CARGO_PKG_VERSION"), env!("TOLLGATE_BUILD_COMMIT"))
});

/// Limits that several Tollgate proxies share.
#[derive(Parser)]
#[command(name = "tollgate-fleet", version = BUILD.as_str(), subcommand_required = true)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve proxies. This is what happens without a subcommand.
    Serve(Box<ServeOptions>),
    /// Print what the engine has about one caller.
    Show(Box<ShowOptions>),
}

/// How to serve.
#[derive(Args)]
pub struct ServeOptions {
    /// Where proxies send their messages.
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDRESS:PORT", value_parser = address)]
    pub listen: SocketAddr,
    /// Where /livez, /readyz and /metrics are.
    #[arg(long, default_value = "127.0.0.1:7071", value_name = "ADDRESS:PORT", value_parser = address)]
    pub operator_listen: SocketAddr,
    #[command(flatten)]
    engine: EngineOptions,
    /// Do not check at the start that the engine never drops values.
    #[arg(long)]
    pub no_eviction_check: bool,
    /// How many values `--engine memory` keeps at most.
    #[arg(long, default_value_t = 100_000, value_name = "COUNT", value_parser = count(1, 100_000_000))]
    memory_values: u64,
    /// A file with the token that proxies must show. It is read again when it changes.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the certificate of the proxies' port. It is read again when it changes.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// A file with its key.
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// A file with the certificates of those who may sign proxies' certificates. Proxies then need one.
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    client_ca_file: Option<PathBuf>,
    /// How many connections of proxies may be open.
    #[arg(long, default_value_t = 1_024, value_name = "COUNT", value_parser = count(1, 100_000))]
    max_connections: u64,
    /// How long a connection may be without a request, in seconds.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = count(1, 86_400))]
    idle_timeout: u64,
    /// How long the service goes on after the signal to stop, already not ready, in milliseconds.
    #[arg(long, default_value_t = 1_000, value_name = "MS", value_parser = count(0, 60_000))]
    pub drain_time: u64,
}

/// Where records are kept.
#[derive(Args)]
pub struct EngineOptions {
    /// The name of the fleet, as in `fleet.name` of the policies.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = name)]
    pub fleet: String,
    /// Where records are kept: `memory`, or `redis://…`, `rediss://…` (TLS). Several with --cluster or --sentinel.
    #[arg(long, required = true, value_name = "URL", env = "TOLLGATE_FLEET_ENGINE", hide_env_values = true)]
    #[arg(value_delimiter = ',')]
    engine: Vec<String>,
    /// The engine is a Cluster.
    #[arg(long, conflicts_with = "sentinel")]
    cluster: bool,
    /// The URLs are those of Sentinels, and this is their name of the primary.
    #[arg(long, value_name = "NAME")]
    sentinel: Option<String>,
    /// What keys of the engine begin with.
    #[arg(long, default_value = "tollgate", value_name = "PREFIX", value_parser = prefix)]
    key_prefix: String,
    /// The ACL user, instead of the URL's. With --sentinel, the primary's.
    #[arg(long, value_name = "NAME")]
    engine_user: Option<String>,
    /// A file with the password, instead of the URL's. With --sentinel, the primary's.
    #[arg(long, value_name = "FILE")]
    engine_password_file: Option<PathBuf>,
    /// A file with the certificates of those who may sign the engine's, instead of the system's.
    #[arg(long, value_name = "FILE")]
    engine_ca_file: Option<PathBuf>,
    /// A file with the certificate that the engine wants.
    #[arg(long, value_name = "FILE")]
    engine_cert_file: Option<PathBuf>,
    /// A file with its key.
    #[arg(long, value_name = "FILE")]
    engine_key_file: Option<PathBuf>,
    /// How long a connection to the engine may take, in milliseconds.
    #[arg(long, default_value_t = 500, value_name = "MS", value_parser = count(1, 10_000))]
    engine_connect_timeout: u64,
    /// How long the engine may take to answer, in milliseconds.
    #[arg(long, default_value_t = 100, value_name = "MS", value_parser = count(1, 1_000))]
    engine_timeout: u64,
    /// How many replicas must have a write before it is answered.
    #[arg(long, default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=100))]
    replicas: u32,
}

/// Whose record to show.
#[derive(Args)]
pub struct ShowOptions {
    #[command(flatten)]
    engine: EngineOptions,
    /// The name of the policy.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub policy: String,
    /// The caller's hash, as at the end of the key.
    #[arg(long, value_name = "HASH", value_parser = hash, required_unless_present = "key_value")]
    pub caller: Option<u128>,
    /// A value of the policy's key, in the order of the policy: the key's name (its `same_as` if it has one), and the
    /// value that the caller sends.
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value, conflicts_with = "caller")]
    pub key_value: Vec<(String, String)>,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
        Options::try_parse_from(with_command(arguments)).map_err(|error| {
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                error.exit();
            }
            one_line(&error.to_string())
        })
    }
}

/// Without a subcommand, it is `serve`.
fn with_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = Options::command();
    let is_command = |first: &OsString| {
        let first = first.to_string_lossy();
        let own = ["help", "--help", "-h", "--version", "-V"];
        own.contains(&&*first) || command.get_subcommands().any(|one| one.get_name() == first)
    };
    if !arguments.get(1).is_some_and(is_command) {
        arguments.insert(arguments.len().min(1), "serve".into());
    }
    arguments
}

/// The first paragraph of clap's error.
fn one_line(error: &str) -> String {
    let first = error.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

impl ServeOptions {
    /// Reads the files and checks the settings.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn setup(&self) -> Result<Setup, String> {
        let (cert, key) = (self.cert_file.clone(), self.key_file.clone());
        let files = cert.zip(key).map(|(cert, key)| ServerFiles {
            cert,
            key,
            client_ca: self.client_ca_file.clone(),
        });
        files.as_ref().map(ServerFiles::load).transpose()?;
        Ok(Setup {
            engine: self.engine.engine(self.memory_values)?,
            key_prefix: self.engine.key_prefix.clone(),
            fleet: self.engine.fleet.clone(),
            token: self.token_file.clone().map(Token::load).transpose()?,
            tls: files,
            limits: Limits {
                connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
                idle_time: Duration::from_secs(self.idle_timeout),
                ..Limits::default()
            },
        })
    }

    /// Whether proxies show who they are.
    pub fn is_open(&self) -> bool {
        self.token_file.is_none() && self.client_ca_file.is_none()
    }
}

impl ShowOptions {
    /// The engine, and what the fleet's keys begin with.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn engine(&self) -> Result<(Engine, String), String> {
        if self.engine.is_memory() {
            return Err(
                "--engine: found memory, which only the service itself can read; allowed is redis://".into(),
            );
        }
        Ok((self.engine.engine(0)?, format!("{}:{}", self.engine.key_prefix, self.engine.fleet)))
    }
}

impl EngineOptions {
    fn is_memory(&self) -> bool {
        self.engine.iter().any(|url| url == "memory")
    }

    fn engine(&self, memory_values: u64) -> Result<Engine, String> {
        if self.is_memory() {
            self.check_memory()?;
            return Ok(Engine::Memory(Memory::new(usize::try_from(memory_values).unwrap_or(usize::MAX))));
        }
        let mode = match &self.sentinel {
            Some(name) => Mode::Sentinel(name.clone()),
            None if self.cluster => Mode::Cluster,
            None => Mode::Single,
        };
        let options = RedisOptions {
            urls: self.engine.clone(),
            mode,
            user: self.engine_user.clone(),
            password_file: self.engine_password_file.clone(),
            ca_file: self.engine_ca_file.clone(),
            cert_file: self.engine_cert_file.clone(),
            key_file: self.engine_key_file.clone(),
            connect_timeout: Duration::from_millis(self.engine_connect_timeout),
            timeout: Duration::from_millis(self.engine_timeout),
            replicas: self.replicas,
        };
        Ok(Engine::Redis(Redis::new(options.settings()?)))
    }

    /// What would have no effect is an error.
    fn check_memory(&self) -> Result<(), String> {
        let useless = [
            ("--cluster", self.cluster),
            ("--sentinel", self.sentinel.is_some()),
            ("--replicas", self.replicas > 0),
            ("--engine-user", self.engine_user.is_some()),
            ("--engine-password-file", self.engine_password_file.is_some()),
            ("--engine-ca-file", self.engine_ca_file.is_some()),
            ("--engine-cert-file", self.engine_cert_file.is_some()),
            ("--engine-key-file", self.engine_key_file.is_some()),
            ("--engine: memory and another URL", self.engine.len() > 1),
        ];
        match useless.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                Err(format!("{option}: found with --engine memory; it is allowed with redis://"))
            }
            None => Ok(()),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "allowed is an IP address and a port, such as 127.0.0.1:7070".into())
}

fn name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let sound = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    if sound { Ok(text.into()) } else { Err("allowed are at most 64 letters, digits, _ and -".into()) }
}

/// Braces would put all keys on one server of a Cluster.
fn prefix(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:./".contains(&byte);
    let sound = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    if sound { Ok(text.into()) } else { Err("allowed are at most 64 letters, digits and _ - : . /".into()) }
}

fn hash(text: &str) -> Result<u128, String> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    number.ok_or_else(|| "allowed are 32 hexadecimal digits, as at the end of the key".into())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_string(), value.to_string()));
    pair.filter(|(name, _)| !name.is_empty()).ok_or_else(|| "allowed is NAME=VALUE".into())
}

/// A number with bounds. clap names them in its error.
fn count(min: u64, max: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(min..=max)
}
