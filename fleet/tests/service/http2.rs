//! HTTP/2, which is what Envoy speaks to the service.

use crate::support::{Certificates, Fleet, exchange_of};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tollgate::fleet::message::{Answer, Exchange};
use tollgate_fleet::engine::{Engine, Memory};
use tollgate_fleet::server::Setup;
use tollgate_fleet::tls::ServerFiles;

type Sender = SendRequest<Full<Bytes>>;

async fn connected(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn post(sender: &mut Sender, exchange: &Exchange) -> (StatusCode, Bytes) {
    let body = Full::new(Bytes::from(exchange.encode()));
    let request = Request::post("http://fleet/v1/test/exchange").body(body).unwrap();
    let response = sender.send_request(request).await.unwrap();
    (response.status(), response.into_body().collect().await.unwrap().to_bytes())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn many_at_once(sender: Sender) {
    let posts = (1..=100).map(|number| {
        let mut sender = sender.clone();
        async move { post(&mut sender, &exchange_of(number)).await }
    });
    for (status, body) in futures_util::future::join_all(posts).await {
        assert_eq!(status, StatusCode::OK);
        assert!(Answer::decode(&body).unwrap().entries[0].applied);
    }
}

#[test]
fn many_messages_share_a_connection_without_tls() {
    let fleet = Fleet::in_memory();
    run(async {
        let stream = TcpStream::connect(fleet.address).await.unwrap();
        many_at_once(connected(stream).await).await;
    });
    assert_eq!(fleet.metric("exchanges_total"), 100);
}

#[test]
fn http_2_is_agreed_on_within_tls() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.server.clone();
    let files = ServerFiles { cert, key, client_ca: Some(certificates.ca.clone()) };
    let setup = Fleet::setup(Engine::Memory(Memory::new(1_000)));
    let fleet = Fleet::with(Setup { tls: Some(files), ..setup });
    run(async {
        let stream = tls(&certificates, fleet.address).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        many_at_once(connected(stream).await).await;
    });
}

async fn tls(certificates: &Certificates, address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut config = certificates.config(Some(&certificates.client));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}
