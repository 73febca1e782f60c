//! Connections: how many there may be, how long they may be silent, and how they end.

use super::{Raised, Reply, Service};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

/// The most bytes of a request's headers.
const MAX_HEADER: u32 = 16 * 1_024;

/// The most messages at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 256;

/// How long the service waits after it failed to accept a connection, such as when there are no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long open messages have when the service stops or an idle connection ends.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The most connections of whoever runs the service.
const MAX_OPERATORS: usize = 64;

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections of proxies at once. More are closed.
    pub connections: usize,
    /// How long a connection may take to its first valid request.
    pub header_time: Duration,
    /// How long a message's body may take.
    pub body_time: Duration,
    /// How long a connection may be without a request.
    pub idle_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1_024,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(600),
        }
    }
}

/// Whom a port is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Port {
    /// Proxies, with their token or certificate.
    Proxies,
    /// Whoever runs the service: health and metrics.
    Operator,
}

/// When a connection was last of use.
pub(super) struct Activity {
    since: Instant,
    limits: Limits,
    /// In milliseconds after `since`. 0: not yet.
    last: AtomicU64,
    open: AtomicU32,
}

impl Activity {
    fn new(limits: Limits) -> Activity {
        Activity { since: Instant::now(), limits, last: AtomicU64::new(0), open: AtomicU32::new(0) }
    }

    /// A valid request has come, or its answer goes.
    pub fn note(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now.max(1), Ordering::Relaxed);
    }

    /// When the connection has to end.
    fn deadline(&self) -> Instant {
        match self.last.load(Ordering::Relaxed) {
            _ if self.open.load(Ordering::Relaxed) > 0 => Instant::now() + self.limits.header_time,
            0 => self.since + self.limits.header_time,
            last => self.since + Duration::from_millis(last) + self.limits.idle_time,
        }
    }
}

impl Service {
    /// Serves one port until `stop`, and then for as long as messages are open, up to some seconds.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, port: Port, stop: impl Future<Output = ()>) {
        let max = if port == Port::Proxies { self.limits.connections } else { MAX_OPERATORS };
        let slots = Arc::new(Semaphore::new(max));
        let (stopping, stopped) = watch::channel(false);
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.accepted(stream, port, &slots, &stopped),
                    Err(error) => {
                        if let Some(suppressed) = self.warnings.accept.pass() {
                            tracing::warn!(%error, suppressed, "a connection can't be accepted");
                        }
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = &mut stop => break,
            }
        }
        drop(listener);
        stopping.send_replace(true);
        let all = u32::try_from(max).unwrap_or(u32::MAX);
        let _ = timeout(STOP_TIME, slots.acquire_many(all)).await;
    }

    fn accepted(
        self: &Arc<Self>,
        stream: TcpStream,
        port: Port,
        slots: &Arc<Semaphore>,
        stopped: &watch::Receiver<bool>,
    ) {
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            self.metrics.refused.add(1);
            return;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(self.clone().connection(stream, port, slot, stopped.clone()));
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        port: Port,
        _slot: OwnedSemaphorePermit,
        stopped: watch::Receiver<bool>,
    ) {
        if port == Port::Operator {
            return self.http(stream, port, stopped).await;
        }
        let _open = Raised::new(&self.metrics.connections);
        let Some(tls) = &self.tls else { return self.clone().http(stream, port, stopped).await };
        match timeout(self.limits.header_time, TlsAcceptor::from(tls.config()).accept(stream)).await {
            Ok(Ok(stream)) => self.clone().http(stream, port, stopped).await,
            Ok(Err(_)) | Err(_) => self.metrics.handshakes.add(1),
        }
    }

    async fn http<S>(self: Arc<Self>, stream: S, port: Port, mut stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new(self.limits));
        let (service, shared) = (self.clone(), activity.clone());
        let handler = service_fn(move |request| {
            let (service, activity) = (service.clone(), shared.clone());
            async move { Ok::<_, Infallible>(service.handle(request, port, &activity).await) }
        });
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), handler));
        loop {
            let deadline = activity.deadline();
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = sleep_until(deadline) => {
                    if activity.deadline() <= Instant::now() {
                        self.metrics.idle.add(1);
                        break;
                    }
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(STOP_TIME, connection).await;
    }

    async fn handle(&self, request: Request<Incoming>, port: Port, activity: &Activity) -> Reply {
        if port == Port::Operator {
            activity.note();
            return self.operator(request.uri().path()).await;
        }
        let _open = Open::new(activity);
        self.answer(request, activity).await
    }
}

/// A request that is worked on.
struct Open<'a>(&'a Activity);

impl<'a> Open<'a> {
    fn new(activity: &'a Activity) -> Open<'a> {
        activity.open.fetch_add(1, Ordering::Relaxed);
        Open(activity)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        if self.0.last.load(Ordering::Relaxed) > 0 {
            self.0.note();
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let buffer = usize::try_from(MAX_HEADER).unwrap_or(usize::MAX);
    // hyper's own timeout of headers would end idle connections, too. Here, `Activity` ends those that are too slow.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(buffer);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
