//! Values that someone else wrote, and servers that are no Redis.

use crate::support::{Fleet, RedisServer, Worker, caller, claim_of, eventually, limit};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;
use tollgate::time::SECOND;

const KEY: &str = "tollgate:test:api:00000000000000010000000000000001";

#[test]
fn a_value_that_is_not_a_record_stays_and_stops_only_its_own_caller() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(3, 60 * SECOND)];
    let puts: [&[&str]; 5] = [
        &["RPUSH", KEY, "a"],
        &["SET", KEY, "garbage"],
        &["SET", KEY, "v2 1764403200123456; from the future"],
        &["SET", KEY, ""],
        &["HSET", KEY, "a", "b"],
    ];
    for (number, put) in puts.iter().enumerate() {
        redis.cli(&["DEL", KEY]);
        redis.cli(put);
        let before = redis.cli(&["DUMP", KEY]);
        assert!(!fleet.worker().is_served(&claim_of(caller(1), &limits)), "{put:?}");
        assert!(fleet.worker().is_served(&claim_of(caller(100 + number as u64), &limits)), "{put:?}");
        assert_eq!(redis.cli(&["DUMP", KEY]), before, "{put:?}");
        assert_eq!(fleet.metric("foreign_values_total"), number as u64 + 1);
    }
    redis.cli(&["DEL", KEY]);
    assert!(fleet.worker().is_served(&claim_of(caller(1), &limits)));
    assert_eq!(fleet.metric("engine_unavailable_total"), 0);
}

#[test]
fn a_value_that_is_not_utf_8_stays() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    redis.cli(&["EVAL", "return redis.call('SET',KEYS[1],'\\255\\254')", "1", KEY]);
    let limits = [limit(3, 60 * SECOND)];
    assert!(!fleet.worker().is_served(&claim_of(caller(1), &limits)));
    assert_eq!(redis.cli(&["STRLEN", KEY]), "2");
}

#[test]
fn a_seed_that_someone_else_wrote_is_never_replaced() {
    let redis = RedisServer::start();
    redis.cli(&["SET", "tollgate:test#seed", "mine"]);
    let fleet = Fleet::at(&redis.url());
    assert_eq!((fleet.join().0, fleet.readiness()), (503, 503));
    assert_eq!(redis.cli(&["GET", "tollgate:test#seed"]), "mine");
}

/// A server that answers everything with the same bytes.
fn parrot(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 4_096];
                while stream.read(&mut bytes).is_ok_and(|length| length > 0) {
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("redis://127.0.0.1:{port}")
}

#[test]
fn a_server_that_answers_nonsense_is_unavailable() {
    let answers: [&[u8]; 12] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xFF\xFE\x00\x01garbage\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n",
        b":1\r\n:1\r\n:1\r\n",
        b"*2\r\n$1\r\nx\r\n$1\r\ny\r\n*0\r\n",
        b"*2\r\n$20\r\n99999999999999999999\r\n$1\r\n0\r\n$-1\r\n",
        b"$-1\r\n$-1\r\n$-1\r\n",
        b"*-1\r\n*-1\r\n*-1\r\n",
        b"*1000000000\r\n",
        b"$2000000000\r\nabc",
        b"-\r\n-\r\n-ERR\r\n",
        b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ];
    let limits = [limit(3, 60 * SECOND)];
    for answer in answers {
        let fleet = Fleet::at(&parrot(answer));
        let what = String::from_utf8_lossy(answer);
        assert!(!fleet.worker().is_served(&claim_of(caller(1), &limits)), "{what}");
        assert_eq!(fleet.readiness(), 503, "{what}");
        assert!(fleet.metric("engine_unavailable_total") > 0, "{what}");
    }
}

#[test]
fn a_script_that_redis_has_forgotten_is_sent_again() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(9, 60 * SECOND)];
    let mut worker: Worker = fleet.worker();
    assert_eq!(worker.admitted(&claim_of(caller(1), &limits), 2), 2);
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(worker.admitted(&claim_of(caller(1), &limits), 10), 7);
}

#[test]
fn a_redis_without_room_is_unavailable_until_it_has_some() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(3, 60 * SECOND)];
    fleet.join();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(!fleet.worker().is_served(&claim_of(caller(1), &limits)));
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    eventually("served", Duration::from_secs(1), || fleet.worker().is_served(&claim_of(caller(1), &limits)));
}

#[test]
fn a_foreign_value_is_logged_without_its_key_and_not_each_time() {
    let redis = RedisServer::start();
    redis.cli(&["SET", KEY, "a-secret-of-someone-else"]);
    let arguments = ["--fleet", "test", "--drain-time", "0", "--engine", &redis.url()];
    let mut process = crate::support::Process::start(&arguments);
    let limits = [limit(3, 60 * SECOND)];
    for holder in 0..20 {
        let mut worker = Worker::new(holder, crate::support::Client::new(process.address));
        assert!(!worker.is_served(&claim_of(caller(1), &limits)));
    }
    process.signal("TERM");
    let log = process.until("stopped");
    assert_eq!(log.matches("a value is not a record").count(), 1, "{log}");
    assert!(!log.contains("00000001") && !log.contains("a-secret"), "{log}");
    for line in log.lines() {
        assert!(line.starts_with("{\"timestamp\":") && line.ends_with('}'), "{line}");
    }
}
