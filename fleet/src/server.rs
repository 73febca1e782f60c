//! The service's port: HTTP/1.1 and HTTP/2 for the proxies, and another port for whoever runs it.

mod check;
mod connection;

pub use connection::{Limits, Port};

use crate::engine::{Engine, Unavailable};
use crate::exchange::Fleet;
use crate::membership::Membership;
use crate::metrics::Metrics;
use crate::throttle::Throttle;
use crate::tls::ServerFiles;
use crate::token::Token;
use crate::workers::Workers;
use connection::Activity;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use rustls::ServerConfig;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The longest message. One of 64 entries with eight limits each has some 20 KB.
const MAX_BODY: usize = 256 * 1_024;

/// The most messages that are worked on at once, bodies included.
const MAX_OPEN: usize = 512;

/// How long a message waits for others.
const QUEUE_TIME: Duration = Duration::from_millis(100);

/// How often the service looks whether the engine has lost its data, and whether its own files have changed.
const WATCH_TIME: Duration = Duration::from_millis(500);

/// What a service is made of.
pub struct Setup {
    /// Where records are kept.
    pub engine: Engine,
    /// What keys of the engine begin with.
    pub key_prefix: String,
    /// The name of the fleet.
    pub fleet: String,
    /// What every message must show. `None`: nothing.
    pub token: Option<Token>,
    /// `None`: the proxies' port has no TLS.
    pub tls: Option<ServerFiles>,
    /// Of connections.
    pub limits: Limits,
}

/// What all connections share.
pub struct Service {
    /// What is counted.
    pub metrics: Metrics,
    engine: Engine,
    fleet: String,
    prefix: String,
    token: Option<Token>,
    tls: Option<Tls>,
    limits: Limits,
    membership: Membership,
    workers: Workers,
    open: Semaphore,
    stopping: AtomicBool,
    warnings: Warnings,
}

struct Tls {
    files: ServerFiles,
    loaded: RwLock<Loaded>,
}

/// What the files had when they were read.
struct Loaded {
    changed: Vec<Option<SystemTime>>,
    config: Arc<ServerConfig>,
}

impl Tls {
    fn new(files: ServerFiles) -> Result<Tls, String> {
        let (changed, config) = (files.changed(), files.load()?);
        Ok(Tls { files, loaded: RwLock::new(Loaded { changed, config }) })
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// Reads the files again if they have changed. Says so, or why the old certificate stays.
    fn refresh(&self) -> Option<Result<(), String>> {
        let now = self.files.changed();
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if now == loaded.changed {
            return None;
        }
        loaded.changed = now;
        Some(self.files.load().map(|config| loaded.config = config))
    }
}

#[derive(Default)]
struct Warnings {
    engine: Throttle,
    foreign: Throttle,
    accept: Throttle,
}

type Reply = Response<Full<Bytes>>;

impl Service {
    /// A service without connections.
    ///
    /// # Errors
    /// If the files for TLS can't be used.
    pub fn new(setup: Setup) -> Result<Service, String> {
        let Setup { engine, key_prefix, fleet, token, tls, limits } = setup;
        let prefix = format!("{key_prefix}:{fleet}");
        Ok(Service {
            metrics: Metrics::default(),
            membership: Membership::new(&prefix),
            workers: Workers::new(&prefix),
            engine,
            fleet,
            prefix,
            token,
            tls: tls.map(Tls::new).transpose()?,
            limits,
            open: Semaphore::new(MAX_OPEN),
            stopping: AtomicBool::new(false),
            warnings: Warnings::default(),
        })
    }

    /// From now on it is not ready, so nobody sends new proxies here.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Logs once what may make the engine forget, as soon as it answers.
    pub async fn check_engine(self: Arc<Self>) {
        while self.engine.read(&[]).await.is_err() {
            sleep(WATCH_TIME).await;
        }
        if let Some(doubt) = self.engine.doubt().await {
            tracing::warn!(doubt, "the engine may forget counts");
        }
    }

    /// Looks all the time whether the engine still has its data, and whether files have changed.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if let Err(error) = self.look().await {
                self.warn_of_engine(&error);
            }
            note_refresh("the token", self.token.as_ref().and_then(Token::refresh));
            note_refresh("the certificate", self.tls.as_ref().and_then(Tls::refresh));
            sleep(WATCH_TIME).await;
        }
    }

    async fn look(&self) -> Result<(), Unavailable> {
        let mut looked = self.membership.refresh(&self.engine, &self.metrics).await.map(drop);
        if looked.is_ok() {
            looked = self.workers.publish(&self.engine).await;
        }
        self.note_engine(looked.is_ok());
        looked
    }

    fn note_engine(&self, is_up: bool) {
        self.metrics.engine_up.set(is_up.into());
    }

    /// Answers whoever runs the service: whether it lives, whether it can serve, and what it counted.
    pub async fn operator(&self, path: &str) -> Reply {
        match path {
            "/livez" => reply(StatusCode::OK, "live\n"),
            "/readyz" => self.ready().await,
            "/metrics" => {
                let mut text = reply(StatusCode::OK, &self.metrics.render());
                let kind = HeaderValue::from_static("text/plain; version=0.0.4");
                text.headers_mut().insert(CONTENT_TYPE, kind);
                text
            }
            _ => reply(StatusCode::NOT_FOUND, "/livez, /readyz or /metrics\n"),
        }
    }

    async fn ready(&self) -> Reply {
        if self.stopping.load(Ordering::Relaxed) {
            return reply(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match self.look().await {
            Ok(()) => reply(StatusCode::OK, "ready\n"),
            Err(error) => reply(StatusCode::SERVICE_UNAVAILABLE, &format!("the engine: {error}\n")),
        }
    }

    async fn answer(&self, request: Request<Incoming>, activity: &Activity) -> Reply {
        if !self.is_authorized(&request) {
            self.metrics.unauthorized.add(1);
            let mut reply = reply(StatusCode::UNAUTHORIZED, "the authorization header has no valid token\n");
            if request.version() < hyper::Version::HTTP_2 {
                reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return reply;
        }
        activity.note();
        match check::call(request.uri().path(), &self.fleet) {
            Err(wrong) => reply(wrong.status(), &wrong.to_string()),
            Ok(_) if request.method() != Method::POST => {
                reply(StatusCode::METHOD_NOT_ALLOWED, "POST is allowed\n")
            }
            Ok(check::Call::Join) => self.join().await,
            Ok(check::Call::Exchange) => self.exchange(request).await,
        }
    }

    fn is_authorized(&self, request: &Request<Incoming>) -> bool {
        let Some(token) = &self.token else { return true };
        request.headers().get("authorization").is_some_and(|shown| token.is_shown(shown.as_bytes()))
    }

    async fn join(&self) -> Reply {
        match self.membership.get(&self.engine, &self.metrics).await {
            Ok(joined) => reply(StatusCode::OK, &format!("{joined}\n")),
            Err(error) => self.unavailable(&error),
        }
    }

    async fn exchange(&self, request: Request<Incoming>) -> Reply {
        let Ok(Ok(_permit)) = timeout(QUEUE_TIME, self.open.acquire()).await else {
            self.metrics.busy.add(1);
            return reply(StatusCode::SERVICE_UNAVAILABLE, "too many messages at once\n");
        };
        let _open = Raised::new(&self.metrics.open);
        let body = match timeout(self.limits.body_time, Limited::new(request.into_body(), MAX_BODY).collect())
            .await
        {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                return self.malformed(StatusCode::PAYLOAD_TOO_LARGE, "a message has at most 262144 bytes\n");
            }
            Err(_) => {
                return self.malformed(StatusCode::REQUEST_TIMEOUT, "the message did not come in time\n");
            }
        };
        let start = Instant::now();
        let exchange = match check::exchange(&body) {
            Ok(exchange) => exchange,
            Err(wrong) => return self.malformed(wrong.status(), &wrong.to_string()),
        };
        let exchanged = self.exchanged(&exchange).await;
        self.metrics.duration.add(start.elapsed());
        self.note_engine(exchanged.is_ok());
        match exchanged {
            Ok(bytes) => {
                self.metrics.exchanges.add(1);
                Response::new(Full::new(bytes.into()))
            }
            Err(error) => self.unavailable(&error),
        }
    }

    async fn exchanged(&self, exchange: &tollgate::fleet::message::Exchange) -> Result<Vec<u8>, Unavailable> {
        let joined = self.membership.get(&self.engine, &self.metrics).await?;
        let foreign = &self.warnings.foreign;
        let fleet = Fleet {
            engine: &self.engine,
            prefix: &self.prefix,
            workers: self.workers.note(exchange.holder),
            metrics: &self.metrics,
            foreign,
        };
        Ok(fleet.exchange(exchange, joined.epoch).await?.encode())
    }

    fn malformed(&self, status: StatusCode, text: &str) -> Reply {
        self.metrics.malformed.add(1);
        reply(status, text)
    }

    fn unavailable(&self, error: &Unavailable) -> Reply {
        self.metrics.unavailable.add(1);
        self.warn_of_engine(error);
        reply(StatusCode::SERVICE_UNAVAILABLE, "the engine did not answer\n")
    }

    fn warn_of_engine(&self, error: &Unavailable) {
        if let Some(suppressed) = self.warnings.engine.pass() {
            tracing::warn!(%error, suppressed, "the engine did not answer");
        }
    }
}

/// A gauge that goes down again in any case: a client may leave while its message is worked on.
struct Raised<'a>(&'a crate::metrics::Counter);

impl<'a> Raised<'a> {
    fn new(gauge: &'a crate::metrics::Counter) -> Raised<'a> {
        gauge.add(1);
        Raised(gauge)
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.take(1);
    }
}

fn note_refresh(what: &str, refreshed: Option<Result<(), String>>) {
    match refreshed {
        Some(Ok(())) => tracing::info!(what, "read again"),
        Some(Err(error)) => {
            tracing::error!(what, error, "it has changed, but can't be used: the old one stays")
        }
        None => {}
    }
}

fn reply(status: StatusCode, text: &str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *reply.status_mut() = status;
    reply
}
