//! TLS on both sides of the service.

use crate::support::{Certificates, Fleet, RedisServer, caller, claim_of, limit, options_of};
use std::path::Path;
use tollgate::time::SECOND;
use tollgate_fleet::engine::{Engine, Memory, Mode, Redis, RedisOptions};
use tollgate_fleet::server::Setup;
use tollgate_fleet::tls::ServerFiles;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn redis(certificates: &Certificates, wants_client: &str) -> RedisServer {
    let (cert, key) = &certificates.server;
    RedisServer::with(&[
        "--tls-port",
        "0",
        "--port",
        "0",
        "--tls-cert-file",
        text(cert),
        "--tls-key-file",
        text(key),
        "--tls-ca-cert-file",
        text(&certificates.ca),
        "--tls-auth-clients",
        wants_client,
    ])
}

fn fleet(redis: &RedisServer, options: &RedisOptions) -> Fleet {
    let urls = vec![format!("rediss://localhost:{}", redis.port)];
    let options = RedisOptions { urls, ..options.clone() };
    Fleet::on(Engine::Redis(Redis::new(options.settings().unwrap())))
}

#[test]
fn redis_with_tls_is_trusted_by_its_authority() {
    let certificates = Certificates::new();
    let redis = redis(&certificates, "no");
    let options = RedisOptions { ca_file: Some(certificates.ca.clone()), ..options_of(&[], Mode::Single) };
    let trusting = fleet(&redis, &options);
    let limits = [limit(3, 60 * SECOND)];
    assert_eq!(trusting.worker().admitted(&claim_of(caller(1), &limits), 5), 3);
    let other = Certificates::new();
    let options = RedisOptions { ca_file: Some(other.ca.clone()), ..options };
    assert_eq!(fleet(&redis, &options).readiness(), 503);
}

#[test]
fn redis_that_wants_a_certificate_gets_it() {
    let certificates = Certificates::new();
    let redis = redis(&certificates, "yes");
    let without = RedisOptions { ca_file: Some(certificates.ca.clone()), ..options_of(&[], Mode::Single) };
    assert_eq!(fleet(&redis, &without).readiness(), 503);
    let (cert, key) = certificates.client.clone();
    let with = RedisOptions { cert_file: Some(cert), key_file: Some(key), ..without };
    let (status, body) = crate::support::Client::new(fleet(&redis, &with).operator).get("/readyz");
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
}

fn with_tls(certificates: &Certificates, client_ca: bool) -> Fleet {
    let (cert, key) = certificates.server.clone();
    let files = ServerFiles { cert, key, client_ca: client_ca.then(|| certificates.ca.clone()) };
    Fleet::with(Setup { tls: Some(files), ..Fleet::setup(Engine::Memory(Memory::new(1_000))) })
}

#[test]
fn a_proxy_reaches_the_port_over_tls() {
    let certificates = Certificates::new();
    let fleet = with_tls(&certificates, false);
    assert_eq!(certificates.connect(fleet.address, None).post("/v1/test/join", &[]).0, 200);
    assert!(fleet.client().send("POST", "/v1/test/join", &[]).is_err(), "without TLS");
}

#[test]
fn a_stranger_without_a_certificate_or_with_another_authoritys_gets_nothing() {
    let certificates = Certificates::new();
    let fleet = with_tls(&certificates, true);
    let own = Some(&certificates.client);
    assert_eq!(certificates.connect(fleet.address, own).post("/v1/test/join", &[]).0, 200);
    let other = Certificates::new();
    for stranger in [None, Some(&other.client)] {
        assert!(certificates.connect(fleet.address, stranger).send("POST", "/v1/test/join", &[]).is_err());
    }
    assert_eq!(fleet.metric("handshake_errors_total"), 2);
}

#[test]
fn a_certificate_that_was_replaced_is_used_without_a_restart() {
    let certificates = Certificates::new();
    let fleet = with_tls(&certificates, false);
    let next = Certificates::new();
    std::fs::copy(&next.server.0, &certificates.server.0).unwrap();
    std::fs::copy(&next.server.1, &certificates.server.1).unwrap();
    crate::support::eventually("the new certificate", std::time::Duration::from_secs(5), || {
        next.connect(fleet.address, None).send("POST", "/v1/test/join", &[]).is_ok()
    });
}
