//! A raw API key leaves no trace in what operators read: X-10.

use crate::harness::{Gateway, Setup};

/// Two keys that stand out, with their first 16 characters.
const KEYS: [(&str, &str); 2] =
    [("sk_live_Zq7Vw3XnHushHushHush", "sk_live_Zq7Vw3Xn"), ("pk_test_Yr8Ux4WmPstPstPst", "pk_test_Yr8Ux4Wm")];

#[test]
fn x_10_a_key_is_in_no_log_line_no_metric_and_no_dump() {
    let gateway = gateway_that_logs_everything();
    for (key, _) in KEYS {
        assert_eq!(gateway.get("/").key(key).admitted_of(30), 20);
    }
    let log = gateway.log();
    // That the log would have shown it: it has every call of the module.
    assert!(log.contains("proxy_on_request_headers"), "no trace of the module's calls");
    for (place, text) in [
        ("the log", log),
        ("/stats", gateway.admin().page("/stats")),
        ("/stats/prometheus", gateway.admin().page("/stats/prometheus")),
        ("/config_dump", gateway.admin().page("/config_dump")),
    ] {
        for (key, prefix) in KEYS {
            assert!(!text.contains(key), "a key is in {place}");
            assert!(!text.contains(prefix), "a key's beginning is in {place}");
        }
    }
}

#[test]
fn x_10_a_refusal_does_not_repeat_the_key() {
    let gateway = gateway_that_logs_everything();
    for (key, prefix) in KEYS {
        let request = gateway.get("/").key(key);
        assert_eq!(request.admitted_of(20), 20);
        let refused = request.send();
        assert_eq!(refused.status, 429);
        assert!(!format!("{:?}", refused.headers).contains(prefix));
        assert!(!String::from_utf8_lossy(&refused.body).contains(prefix));
    }
}

fn gateway_that_logs_everything() -> Gateway {
    let policy = "keys:
  api_key: { header: authorization, scheme: Bearer, prefix: 16 }
policies:
  - name: key
    key: api_key
    limits: [{ quota: 20, window: 1h }]
";
    Setup::yaml(policy).module_calls_logged().start()
}
