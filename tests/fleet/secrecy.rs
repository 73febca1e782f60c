//! What tells callers apart stays in the Envoys: keys are nowhere else.

use crate::harness::eventually;
use crate::stage::{FLEET, plan};

const SECRET: &str = "sk_live_4242-nobody-may-see-this";

#[test]
fn api_keys_are_neither_in_redis_nor_in_logs_nor_in_metrics() {
    let policy = format!(
        "keys: {{ api_key: {{ header: authorization, scheme: Bearer }}, other: {{ query: key }} }}
policies:
  - {{ name: api, key: api_key, scope: fleet, limits: [{{ quota: 4, window: 1h }}], block_for: 1h }}
  - {{ name: other, key: other, scope: fleet, limits: [{{ quota: 4, window: month }}] }}
{FLEET}access_log: true
"
    );
    let stage = plan(policy).start();
    for n in 0..12 {
        stage.get(n % 2, &format!("/?key={SECRET}")).key(SECRET).send();
    }
    stage.kill_service();
    for n in 0..12 {
        stage.get(n % 2, &format!("/?key={SECRET}")).key(SECRET).send();
    }
    stage.start_service();
    eventually("records", || (stage.redis.keys().len() >= 3).then_some(()));
    let found = stage.redis.values("");
    assert!(found.iter().any(|(key, _)| key.contains(":api:")), "{found:?}");
    let (_, metrics) = stage.service.operator().page("/metrics");
    let stats: String = (0..2).map(|i| stage.on(i, |gateway| gateway.admin().page("/stats"))).collect();
    let texts = [format!("{found:?}"), metrics, stats, stage.service.log(), stage.envoy_logs()];
    for text in texts {
        for part in [SECRET, "sk_live_4242", "nobody-may-see-this"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
}

/// Nor can what a service hears be turned into keys: the callers' names are hashes with the fleet's secret.
#[test]
fn the_fleets_secret_is_in_no_file_and_no_log_of_an_envoy() {
    let stage = crate::stage::start(crate::stage::by_path(&[("api", "quota: 4, window: 1h", "")]));
    let seeds = stage.redis.values("#seed");
    let [(_, seed)] = seeds.as_slice() else { panic!("one seed: {seeds:?}") };
    let (seed, _) = seed.split_once(' ').expect("a seed and an epoch");
    assert_eq!(seed.len(), 32);
    let stats: String = (0..2).map(|i| stage.on(i, |gateway| gateway.admin().page("/config_dump"))).collect();
    for text in [stats, stage.envoy_logs(), stage.service.log()] {
        assert!(!text.contains(seed));
    }
}
