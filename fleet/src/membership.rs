//! What all workers of a fleet have in common: the secret that callers are hashed with. It is kept in the engine,
//! never in a proxy's files, together with the **epoch**: when it was put there. If the engine loses its data, the
//! secret is put there again, with another epoch.

use crate::engine::{Engine, Found, Swap, Swapped, Unavailable};
use crate::metrics::Metrics;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use tokio::sync::Mutex;
use tollgate::time::{Micros, SECOND};

/// A fleet's secret and epoch, as far as this service knows.
pub struct Membership {
    key: String,
    known: RwLock<Option<Joined>>,
    /// Held while looking, so that one loss is noticed once.
    looking: Mutex<()>,
}

/// What a worker gets when it joins: `SEED EPOCH`.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// 16 bytes as hexadecimal digits.
    pub seed: String,
    /// In microseconds since 1970.
    pub epoch: u64,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seed, self.epoch)
    }
}

impl Membership {
    /// Nothing is known of a fleet before the first look. `prefix` is what its keys begin with.
    pub fn new(prefix: &str) -> Membership {
        Membership { key: format!("{prefix}#seed"), known: RwLock::default(), looking: Mutex::default() }
    }

    /// The secret and the epoch.
    ///
    /// # Errors
    /// If the engine does not answer and this service has never read them.
    pub async fn get(&self, engine: &Engine, metrics: &Metrics) -> Result<Joined, Unavailable> {
        match self.known() {
            Some(known) => Ok(known),
            None => self.refresh(engine, metrics).await,
        }
    }

    /// Looks into the engine. If nothing is there, puts the known secret there, or draws one.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn refresh(&self, engine: &Engine, metrics: &Metrics) -> Result<Joined, Unavailable> {
        let _looking = self.looking.lock().await;
        let known = self.known();
        let joined = match self.look(engine).await? {
            Look::There(there) => there,
            Look::Nothing(now) => self.put(engine, known.as_ref(), now).await?,
        };
        if known.is_some_and(|known| known.epoch != joined.epoch) {
            metrics.emptied.add(1);
            tracing::error!(epoch = joined.epoch, "the engine has lost its data: all counts begin anew");
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(joined.clone());
        Ok(joined)
    }

    /// The secret and the epoch, if the engine has them.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn read(&self, engine: &Engine) -> Result<Option<Joined>, Unavailable> {
        match self.look(engine).await? {
            Look::There(there) => Ok(Some(there)),
            Look::Nothing(_) => Ok(None),
        }
    }

    fn known(&self) -> Option<Joined> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look(&self, engine: &Engine) -> Result<Look, Unavailable> {
        let read = engine.read(std::slice::from_ref(&self.key)).await?;
        let read = read.into_iter().next().unwrap_or_default();
        match read.found {
            Found::Nothing => Ok(Look::Nothing(read.now)),
            Found::Text(_) | Found::Foreign => there(&read.found).map(Look::There),
        }
    }

    /// Puts a secret there, unless somebody was faster: then theirs counts.
    async fn put(&self, engine: &Engine, known: Option<&Joined>, now: Micros) -> Result<Joined, Unavailable> {
        const FOREVER: Micros = 100 * 366 * 86_400 * SECOND;
        let new = Joined { seed: known.map_or_else(draw, |known| Ok(known.seed.clone()))?, epoch: now };
        let expires = now.saturating_add(FOREVER);
        let swap = Swap { key: self.key.clone(), old: None, new: new.to_string(), expires };
        match engine.swap(&[swap]).await?.into_iter().next() {
            Some(Swapped::Done) => Ok(new),
            Some(Swapped::Changed(read)) => there(&read.found),
            Some(Swapped::Full) | None => Err(Unavailable("no room for the fleet's seed".into())),
        }
    }
}

enum Look {
    There(Joined),
    /// Nothing is there, at this instant.
    Nothing(Micros),
}

/// It is never overwritten: with another seed, all counts would begin anew.
fn there(found: &Found) -> Result<Joined, Unavailable> {
    let joined = match found {
        Found::Text(text) => parse(text),
        Found::Nothing | Found::Foreign => None,
    };
    joined.ok_or_else(|| Unavailable("the value of the key #seed was written by someone else".into()))
}

fn draw() -> Result<String, Unavailable> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Unavailable(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn parse(text: &str) -> Option<Joined> {
    let (seed, epoch) = text.split_once(' ')?;
    let sound = seed.len() == 32 && seed.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Joined { seed: seed.to_owned(), epoch: epoch.parse().ok()? }).filter(|_| sound)
}
