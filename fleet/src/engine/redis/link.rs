//! The connection. One task makes it, and makes it anew after it broke, so a Redis that is down costs an attempt now
//! and then, and not one for each request.

use super::Unavailable;
use super::answer::failed;
use super::settings::{Mode, Settings};
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Client, ConnectionInfo, Value, cmd};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

/// The time between attempts: it doubles from the first to the last.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// A connection that lasted so long is made anew at once.
const STEADY_TIME: Duration = Duration::from_secs(1);

/// How often the Sentinels are asked whether the primary is still the same.
const SENTINEL_TIME: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

#[derive(Clone)]
enum State {
    Connecting,
    Up(Connection, u64),
    Down(String),
}

/// The connection as requests see it.
pub(super) struct Link {
    keeper: Arc<Keeper>,
    task: OnceLock<AbortHandle>,
}

struct Keeper {
    settings: Arc<Settings>,
    state: watch::Sender<State>,
    broken: Notify,
}

/// A connection, and where it leads to if a Sentinel has said so.
struct Made {
    connection: Connection,
    primary: Option<(String, u16)>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.get().into_iter().for_each(AbortHandle::abort);
    }
}

impl Link {
    /// Nothing is connected before the first request.
    pub fn new(settings: Arc<Settings>) -> Link {
        let state = watch::Sender::new(State::Connecting);
        let keeper = Arc::new(Keeper { settings, state, broken: Notify::new() });
        Link { keeper, task: OnceLock::new() }
    }

    /// The connection and its generation. Waits while it is made for the first time since it broke.
    pub async fn get(&self) -> Result<(Connection, u64), Unavailable> {
        self.task.get_or_init(|| tokio::spawn(self.keeper.clone().keep()).abort_handle());
        let mut state = self.keeper.state.subscribe();
        let known = state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match known.as_deref() {
            Ok(State::Up(connection, generation)) => Ok((connection.clone(), *generation)),
            Ok(State::Down(why)) => Err(Unavailable(why.clone())),
            Ok(State::Connecting) | Err(_) => Err(Unavailable("stopping".into())),
        }
    }

    /// Says that a connection is of no use any more. Says nothing about those made since.
    pub fn broken(&self, generation: u64, why: &str) {
        let is_it = |state: &State| matches!(state, State::Up(_, current) if *current == generation);
        let changed = self.keeper.state.send_if_modified(|state| {
            let is_it = is_it(state);
            if is_it {
                *state = State::Down(why.to_string());
            }
            is_it
        });
        if changed {
            self.keeper.broken.notify_one();
        }
    }
}

impl Keeper {
    async fn keep(self: Arc<Self>) {
        let mut pause = MIN_PAUSE;
        for generation in 0.. {
            match self.make().await {
                Ok(made) => {
                    let since = Instant::now();
                    self.state.send_replace(State::Up(made.connection, generation));
                    self.until_broken(made.primary).await;
                    if since.elapsed() >= STEADY_TIME {
                        pause = MIN_PAUSE;
                        self.state.send_replace(State::Connecting);
                        continue;
                    }
                }
                Err(why) => drop(self.state.send_replace(State::Down(why))),
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn make(&self) -> Result<Made, String> {
        let limit = self.settings.connect_timeout;
        match timeout(limit, self.connect()).await {
            Ok(made) => made,
            Err(_) => Err(format!("no connection within {} ms", limit.as_millis())),
        }
    }

    async fn connect(&self) -> Result<Made, String> {
        let settings = &self.settings;
        match &settings.mode {
            Mode::Single => {
                let info = settings.first()?;
                let connection = Connection::Single(connect(settings.client(info)?).await?);
                Ok(Made { connection, primary: None })
            }
            Mode::Cluster => {
                let client = settings.cluster()?;
                let cluster = client.get_async_connection().await.map_err(|error| failed(&error))?;
                Ok(Made { connection: Connection::Cluster(cluster), primary: None })
            }
            Mode::Sentinel(name) => {
                let primary = self.primary(name).await?;
                let mut one = connect(settings.client(settings.primary(&primary)?)?).await?;
                check_primary(&mut one).await?;
                Ok(Made { connection: Connection::Single(one), primary: Some(primary) })
            }
        }
    }

    /// Asks the Sentinels, one after the other, for the primary.
    async fn primary(&self, name: &str) -> Result<(String, u16), String> {
        let mut why = String::new();
        let nodes = &self.settings.nodes;
        let each =
            self.settings.connect_timeout / (u32::try_from(nodes.len()).unwrap_or(u32::MAX).max(1) + 1);
        for node in nodes {
            match timeout(each, self.ask_sentinel(node, name)).await {
                Ok(Ok(primary)) => return Ok(primary),
                Ok(Err(error)) => why = error,
                Err(_) => why = "a Sentinel does not answer".into(),
            }
        }
        Err(format!("no Sentinel knows the primary: {why}"))
    }

    async fn ask_sentinel(&self, node: &ConnectionInfo, name: &str) -> Result<(String, u16), String> {
        let mut sentinel = connect(self.settings.client(node.clone())?).await?;
        let asked = cmd("SENTINEL").arg("get-master-addr-by-name").arg(name).to_owned();
        let answer: Option<(String, u16)> =
            asked.query_async(&mut sentinel).await.map_err(|error| failed(&error))?;
        answer.ok_or_else(|| format!("they do not know {name}"))
    }

    /// Waits until the connection is of no use any more.
    async fn until_broken(&self, primary: Option<(String, u16)>) {
        let Mode::Sentinel(name) = &self.settings.mode else { return self.broken.notified().await };
        loop {
            let look = async {
                sleep(SENTINEL_TIME).await;
                self.primary(name).await.ok()
            };
            let now = tokio::select! {
                () = self.broken.notified() => return,
                now = look => now,
            };
            if now.is_some() && now != primary {
                tracing::warn!("the Sentinels name another primary");
                return;
            }
        }
    }
}

async fn connect(client: Client) -> Result<MultiplexedConnection, String> {
    // Both are limited here: a pipeline by its own time, a connection together with its Sentinels.
    let config = redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let made = client.get_multiplexed_async_connection_with_config(&config).await;
    made.map_err(|error| failed(&error))
}

/// A Sentinel may not have noticed yet. Whoever may not ask finds out with the first write.
async fn check_primary(connection: &mut MultiplexedConnection) -> Result<(), String> {
    let role = connection.req_packed_command(&cmd("ROLE")).await;
    match role {
        Ok(Value::Array(parts)) if parts.first() == Some(&Value::BulkString(b"slave".to_vec())) => {
            Err("the primary that the Sentinels name is a replica".into())
        }
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some() => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}
