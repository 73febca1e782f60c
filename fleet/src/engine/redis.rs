//! Values in Redis or Valkey: a single server, a replica set behind Sentinel, or a Cluster.
//!
//! An exchange takes two pipelines: one reads the clock and the values, one swaps them. Whoever was overtaken gets the
//! new value and the clock in the swap's answer, so each further attempt takes one.

mod answer;
mod link;
mod settings;

pub use settings::{Mode, RedisOptions, Settings};

use super::{Reading, Swap, Swapped, Unavailable};
use answer::{Outcome, nonsense};
use futures_util::future::try_join_all;
use link::Link;
use redis::aio::ConnectionLike as _;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::{Pipeline, Script, Value, cmd};
use std::sync::Arc;
use tokio::time::timeout;

/// Redis or Valkey, over one multiplexed connection to each server.
pub struct Redis {
    settings: Arc<Settings>,
    link: Link,
    script: Script,
}

/// Sets a value if it is still the one that was read. An absent value is the empty text, which no record is.
/// Returns nothing if it was set, otherwise the clock and the value.
const SWAP: &str = "local v=redis.call('GET',KEYS[1]) if (v or '')==ARGV[1] then \
                    redis.call('SET',KEYS[1],ARGV[2],'PXAT',ARGV[3]) return nil end \
                    local t=redis.call('TIME') return {t[1],t[2],v}";

/// How the script is named in a pipeline.
#[derive(Clone, Copy)]
enum Call {
    /// By its hash.
    Hash,
    /// In full, for a server that does not know it yet.
    Source,
}

impl Redis {
    /// Nothing is sent before the first read.
    pub fn new(settings: Settings) -> Redis {
        let settings = Arc::new(settings);
        Redis { link: Link::new(settings.clone()), settings, script: Script::new(SWAP) }
    }

    /// Reads values and the clock in one pipeline.
    ///
    /// # Errors
    /// If Redis does not answer in time, or with nonsense.
    pub async fn read(&self, keys: &[String]) -> Result<Vec<Reading>, Unavailable> {
        if !self.settings.is_cluster() {
            return self.read_from_one(keys).await;
        }
        // Each key's own server has the clock that counts.
        let each = keys.iter().map(|key| self.read_from_one(std::slice::from_ref(key)));
        Ok(try_join_all(each).await?.into_iter().flatten().collect())
    }

    /// Swaps values in one pipeline.
    ///
    /// # Errors
    /// If Redis does not answer in time, or with nonsense.
    pub async fn swap(&self, swaps: &[Swap]) -> Result<Vec<Swapped>, Unavailable> {
        if !self.settings.is_cluster() {
            return self.swap_in_one(swaps).await;
        }
        let each = swaps.iter().map(|one| self.swap_in_one(std::slice::from_ref(one)));
        Ok(try_join_all(each).await?.into_iter().flatten().collect())
    }

    /// Why Redis may drop values before they expire.
    pub async fn eviction_doubt(&self) -> Option<String> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("CONFIG").arg("GET").arg("maxmemory-policy");
        let policy = match self.send(pipeline, None).await {
            Ok(answers) => answers.into_iter().next().and_then(answer::policy),
            Err(error) => return Some(format!("maxmemory-policy can't be read: {error}")),
        };
        match policy.as_deref() {
            Some("noeviction") => None,
            Some(other) => {
                Some(format!("maxmemory-policy is {other}: counts may be dropped; set noeviction"))
            }
            None => Some("maxmemory-policy can't be read; it should be noeviction".into()),
        }
    }

    async fn read_from_one(&self, keys: &[String]) -> Result<Vec<Reading>, Unavailable> {
        let mut pipeline = Pipeline::with_capacity(keys.len() + 1);
        pipeline.add_command(cmd("TIME"));
        for key in keys {
            pipeline.cmd("GET").arg(key);
        }
        let mut answers = self.send(pipeline, keys.first()).await?.into_iter();
        let now = match answers.next() {
            Some(Value::ServerError(error)) => return Err(answer::refused(&error)),
            Some(time) => answer::time(&time).ok_or_else(|| nonsense("TIME"))?,
            None => return Err(nonsense("TIME")),
        };
        let found = answers.map(answer::found).collect::<Result<Vec<_>, _>>()?;
        if found.len() != keys.len() {
            return Err(nonsense("GET"));
        }
        Ok(found.into_iter().map(|found| Reading { now, found }).collect())
    }

    async fn swap_in_one(&self, swaps: &[Swap]) -> Result<Vec<Swapped>, Unavailable> {
        let all: Vec<&Swap> = swaps.iter().collect();
        let mut outcomes = self.run(&all, Call::Hash).await?;
        let is_unknown = |outcome: &Outcome| matches!(outcome, Outcome::NoScript);
        if outcomes.iter().any(is_unknown) {
            let again: Vec<usize> =
                (0..swaps.len()).filter(|i| outcomes.get(*i).is_some_and(is_unknown)).collect();
            let some: Vec<&Swap> = again.iter().filter_map(|i| swaps.get(*i)).collect();
            for (i, outcome) in again.into_iter().zip(self.run(&some, Call::Source).await?) {
                outcomes.get_mut(i).into_iter().for_each(|slot| *slot = outcome.clone());
            }
        }
        let swapped = outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Swapped(swapped) => Ok(swapped),
            Outcome::NoScript => Err(nonsense("EVAL")),
        });
        swapped.collect()
    }

    async fn run(&self, swaps: &[&Swap], call: Call) -> Result<Vec<Outcome>, Unavailable> {
        let mut pipeline = Pipeline::with_capacity(swaps.len() + 1);
        for one in swaps {
            match call {
                Call::Hash => pipeline.cmd("EVALSHA").arg(self.script.get_hash()),
                Call::Source => pipeline.cmd("EVAL").arg(SWAP),
            };
            let old = one.old.as_deref().unwrap_or_default();
            pipeline.arg(1).arg(&one.key).arg(old).arg(&one.new).arg(one.expires.div_ceil(1_000));
        }
        if self.settings.replicas > 0 {
            // Half of the time, so that the answer comes in time.
            let wait = u64::try_from(self.settings.timeout.as_millis() / 2).unwrap_or(u64::MAX).max(1);
            pipeline.cmd("WAIT").arg(self.settings.replicas).arg(wait);
        }
        let mut answers = self.send(pipeline, swaps.first().map(|one| &one.key)).await?;
        self.check_replicas(swaps.len(), &mut answers)?;
        let outcomes = answers.into_iter().map(answer::outcome).collect::<Result<Vec<_>, _>>()?;
        if outcomes.len() == swaps.len() { Ok(outcomes) } else { Err(nonsense("EVALSHA")) }
    }

    /// Takes WAIT's answer off the end.
    fn check_replicas(&self, swaps: usize, answers: &mut Vec<Value>) -> Result<(), Unavailable> {
        if self.settings.replicas == 0 {
            return Ok(());
        }
        match answers.drain(swaps.min(answers.len())..).next() {
            Some(Value::Int(have)) if have >= i64::from(self.settings.replicas) => Ok(()),
            Some(Value::Int(have)) => {
                let wanted = self.settings.replicas;
                Err(Unavailable(format!("only {have} of {wanted} replicas have the write")))
            }
            Some(Value::ServerError(error)) => Err(answer::refused(&error)),
            Some(_) | None => Err(nonsense("WAIT")),
        }
    }

    /// Sends a pipeline, in a Cluster to the server that has `key`.
    async fn send(&self, pipeline: Pipeline, key: Option<&String>) -> Result<Vec<Value>, Unavailable> {
        let limit = self.settings.timeout;
        let Ok(got) = timeout(limit, self.link.get()).await else {
            return Err(Unavailable("no connection in time".into()));
        };
        let (connection, generation) = got?;
        let why = match timeout(limit, connection.send(pipeline, key)).await {
            Ok(Ok(answers)) => {
                answers
                    .iter()
                    .filter_map(answer::moved_away)
                    .for_each(|why| self.link.broken(generation, &why));
                return Ok(answers);
            }
            Ok(Err(error)) => answer::failed(&error),
            Err(_) => format!("no answer within {} ms", limit.as_millis()),
        };
        self.link.broken(generation, &why);
        Err(Unavailable(why))
    }
}

impl link::Connection {
    async fn send(self, pipeline: Pipeline, key: Option<&String>) -> redis::RedisResult<Vec<Value>> {
        let count = pipeline.len();
        match self {
            link::Connection::Single(mut one) => one.req_packed_commands(&pipeline, 0, count).await,
            link::Connection::Cluster(one) => route(one, pipeline, key).await,
        }
    }
}

async fn route(
    mut cluster: ClusterConnection,
    pipeline: Pipeline,
    key: Option<&String>,
) -> redis::RedisResult<Vec<Value>> {
    let to = key.map_or(SingleNodeRoutingInfo::RandomPrimary, |key| {
        SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
    });
    let count = pipeline.len();
    cluster.route_pipeline(pipeline, 0, count, to).await
}
