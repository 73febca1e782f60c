//! How the service stops.

use crate::support::{Behaviour, Client, Process, RedisServer, Wire};
use std::time::Duration;
use tollgate::fleet::message::Exchange;

#[test]
fn on_either_signal_it_is_first_not_ready_then_ends_well() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&["--engine", "memory", "--fleet", "test", "--drain-time", "500"]);
        let mut client = Client::new(process.address);
        assert_eq!(client.post("/v1/test/join", &[]).0, 200);
        assert_eq!(Client::new(process.operator).get("/readyz").0, 200);
        process.signal(signal);
        crate::support::eventually("not ready", Duration::from_secs(1), || {
            Client::new(process.operator).get("/readyz").0 == 503
        });
        assert_eq!(Client::new(process.operator).get("/livez").0, 200);
        assert_eq!(Client::new(process.address).post("/v1/test/join", &[]).0, 200, "still serves");
        assert!(process.ended().success());
    }
}

#[test]
fn a_message_that_is_worked_on_is_answered_before_it_stops() {
    let redis = RedisServer::start();
    let wire = Wire::to(redis.port);
    let arguments =
        ["--fleet", "test", "--drain-time", "0", "--engine-timeout", "1000", "--engine", &wire.url()];
    let mut process = Process::start(&arguments);
    let mut client = Client::new(process.address);
    assert_eq!(client.post("/v1/test/join", &[]).0, 200);
    wire.set(Behaviour::Stalls);
    let exchange = crate::support::exchange_of(1);
    let answer = std::thread::spawn(move || client.post("/v1/test/exchange", &Exchange::encode(&exchange)));
    std::thread::sleep(Duration::from_millis(200));
    process.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    wire.set(Behaviour::Passes);
    assert_eq!(answer.join().unwrap().0, 200);
    assert!(process.ended().success());
}
