//! A service in a thread of its own.

use super::client::{Client, Worker};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tollgate_fleet::engine::{Engine, Memory, Mode, Redis, RedisOptions};
use tollgate_fleet::server::{Limits, Port, Service, Setup};

pub struct Fleet {
    pub address: SocketAddr,
    pub operator: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Fleet {
    pub fn on(engine: Engine) -> Fleet {
        Fleet::with(Fleet::setup(engine))
    }

    /// On Redis at this URL.
    pub fn at(url: &str) -> Fleet {
        Fleet::on(Engine::Redis(Redis::new(options_of(&[url.into()], Mode::Single).settings().unwrap())))
    }

    pub fn in_memory() -> Fleet {
        Fleet::on(Engine::Memory(Memory::new(100_000)))
    }

    pub fn setup(engine: Engine) -> Setup {
        Setup {
            engine,
            key_prefix: "tollgate".into(),
            fleet: "test".into(),
            token: None,
            tls: None,
            limits: Limits::default(),
        }
    }

    pub fn with(setup: Setup) -> Fleet {
        let service = Arc::new(Service::new(setup).unwrap());
        let ((stop, stopped), (send, receive)) = (oneshot::channel(), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let bind = || tokio::net::TcpListener::bind("127.0.0.1:0");
                let (proxies, operator) = (bind().await.unwrap(), bind().await.unwrap());
                send.send((proxies.local_addr().unwrap(), operator.local_addr().unwrap())).unwrap();
                tokio::spawn(service.clone().watch());
                tokio::spawn(service.clone().serve(operator, Port::Operator, std::future::pending()));
                service.serve(proxies, Port::Proxies, async { drop(stopped.await) }).await;
            });
        });
        let (address, operator) = receive.recv().unwrap();
        Fleet { address, operator, _stop: stop }
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    pub fn worker(&self) -> Worker {
        static HOLDER: AtomicU64 = AtomicU64::new(1);
        Worker::new(HOLDER.fetch_add(1, Ordering::Relaxed), self.client())
    }

    /// The seed and the epoch.
    pub fn join(&self) -> (u16, String) {
        let (status, body) = self.client().post("/v1/test/join", &[]);
        (status, String::from_utf8(body).unwrap())
    }

    pub fn metric(&self, name: &str) -> u64 {
        let (_, body) = Client::new(self.operator).get("/metrics");
        let text = String::from_utf8(body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("tollgate_fleet_{name} ")));
        line.unwrap_or_else(|| panic!("no metric {name} in {text}")).parse().unwrap()
    }

    pub fn readiness(&self) -> u16 {
        Client::new(self.operator).get("/readyz").0
    }
}

pub fn options_of(urls: &[String], mode: Mode) -> RedisOptions {
    // Long enough for a busy machine.
    RedisOptions { urls: urls.to_vec(), mode, timeout: Duration::from_millis(300), ..RedisOptions::default() }
}
