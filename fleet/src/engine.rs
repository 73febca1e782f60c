//! The engine keeps one value for each record, and swaps it if it is still what was read.

mod memory;
mod redis;

pub use self::memory::Memory;
pub use self::redis::{Mode, Redis, RedisOptions, Settings};

use std::fmt;
use tollgate::time::Micros;

/// Why the engine did nothing. It names no key and no password.
#[derive(Clone, Debug)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is under a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Found {
    /// No value.
    #[default]
    Nothing,
    /// A text.
    Text(String),
    /// A value of another type, or bytes that are not UTF-8. The service has not written it.
    Foreign,
}

/// What is under a key at an instant of the clock of the engine that keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// In microseconds since 1970.
    pub now: Micros,
    /// The value.
    pub found: Found,
}

/// A write that happens only if the value has not changed.
#[derive(Clone, Debug)]
pub struct Swap {
    /// Of the value.
    pub key: String,
    /// The value that was read. `None`: there was none.
    pub old: Option<String>,
    /// The new value.
    pub new: String,
    /// When the engine may drop it.
    pub expires: Micros,
}

/// What became of a swap.
#[derive(Clone, Debug, PartialEq)]
pub enum Swapped {
    /// The new value is there.
    Done,
    /// The value was another one. It is told here, so the next attempt need not read it.
    Changed(Reading),
    /// There is no room for another value.
    Full,
}

/// Where records are kept.
pub enum Engine {
    /// In this process, for development.
    Memory(Memory),
    /// In Redis or Valkey.
    Redis(Redis),
}

impl Engine {
    /// Reads values, one for each key.
    ///
    /// # Errors
    /// If the engine does not answer in time.
    pub async fn read(&self, keys: &[String]) -> Result<Vec<Reading>, Unavailable> {
        match self {
            Engine::Memory(memory) => Ok(memory.read(keys)),
            Engine::Redis(redis) => redis.read(keys).await,
        }
    }

    /// Swaps values. The keys are distinct.
    ///
    /// # Errors
    /// If the engine does not answer in time. Some of the swaps may have happened.
    pub async fn swap(&self, swaps: &[Swap]) -> Result<Vec<Swapped>, Unavailable> {
        match self {
            Engine::Memory(memory) => Ok(memory.swap(swaps)),
            Engine::Redis(redis) => redis.swap(swaps).await,
        }
    }

    /// What may make the engine drop values before they expire. `None`: nothing.
    pub async fn doubt(&self) -> Option<String> {
        match self {
            Engine::Memory(_) => Some("counts are kept in memory and end with this process".into()),
            Engine::Redis(redis) => redis.eviction_doubt().await,
        }
    }
}
