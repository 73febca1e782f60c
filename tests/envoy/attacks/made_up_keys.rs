//! Made-up keys shut no honest newcomer out: on the policy files that ship, with a table so small that a test
//! can fill it.

use std::net::Ipv4Addr;

use crate::harness::{Request, Served, Setup, new_ip, new_key};

const NEWCOMERS: usize = 60;

/// Requests that a made-up key is shown with, so that a free customer's minute is half used up.
const EACH: usize = 5;

/// Clients that hang up at once.
const AT_ONCE: usize = 50;

/// A file that ships, with room for some 350 callers.
fn served(file: &str) -> Served {
    Setup::file(file).replacing("\npolicies:", "\ntable: { pages: 16 }\npolicies:").start_served()
}

/// A request with a key, from an address.
fn ask(served: &Served, path: &str, from: Ipv4Addr, key: &str) -> Request {
    served.gateway.get(path).from(from).key(key)
}

/// So many clients that show made-up keys and hang up, each from such an address. How many reached the
/// upstream?
fn hang_ups(served: &Served, path: &str, from: impl Fn() -> Ipv4Addr, count: usize) -> usize {
    let one = |key: &str| (0..EACH).map(|_| ask(served, path, from(), key)).collect::<Vec<_>>();
    let clients = || (0..AT_ONCE / EACH).flat_map(|_| one(&new_key())).collect::<Vec<_>>();
    (0..count / AT_ONCE).map(|_| served.hung_up(&clients())).sum()
}

/// So many made-up keys that the upstream rejects, from one address. How many reached the upstream?
fn rejected(served: &Served, path: &str, from: Ipv4Addr, count: usize) -> usize {
    let keys = (0..count / EACH).map(|_| ask(served, path, from, &new_key()).answered(401));
    let mut requests = keys.flat_map(|request| vec![request; EACH]);
    let mut connection = served.gateway.get(path).from(from).connect();
    served.arrivals(|| requests.by_ref().for_each(|request| drop(connection.exchange(&request))))
}

/// How many of some new customers, each from an address of its own and with a key that the upstream takes,
/// are served.
fn newcomers_served(served: &Served, path: &str) -> usize {
    let newcomer = |_: &usize| ask(served, path, new_ip(), &new_key()).send().status == 200;
    (0..NEWCOMERS).filter(newcomer).count()
}

fn assert_newcomers_served(served: &Served, path: &str, attack: &str) {
    let through = newcomers_served(served, path);
    assert_eq!(through, NEWCOMERS, "new customers served after {attack}");
}

#[test]
fn one_address_with_made_up_keys_shuts_no_new_customer_out_of_factuareas_file() {
    let served = served("factuarea.yaml");
    let path = "/v1/invoices";
    let attacker = new_ip();
    let left = hang_ups(&served, path, || attacker, 5_000);
    let heard = rejected(&served, path, attacker, 5_000);
    let attack = format!("{left} of 5,000 hang-ups and {heard} of 5,000 rejected keys at the upstream");
    assert_newcomers_served(&served, path, &attack);
}

#[test]
fn made_up_keys_from_an_address_each_shut_no_new_customer_out_of_factuareas_file() {
    let served = served("factuarea.yaml");
    let path = "/v1/invoices";
    let left = hang_ups(&served, path, new_ip, 5_000);
    assert_newcomers_served(&served, path, &format!("{left} of 5,000 hang-ups at the upstream"));
}

#[test]
fn one_address_with_made_up_keys_shuts_no_new_customer_out_of_the_other_files() {
    for (file, path) in [
        ("billium.yaml", "/invoices"),
        ("parseo.yaml", "/external/v1/invoices"),
        ("safepays.yaml", "/api/v2/payments"),
        ("facturapi.yaml", "/v2/invoices"),
    ] {
        let served = served(file);
        let attacker = new_ip();
        let left = hang_ups(&served, path, || attacker, 1_000);
        let heard = rejected(&served, path, attacker, 2_000);
        assert_newcomers_served(&served, path, &format!("{left} hang-ups and {heard} rejected keys: {file}"));
    }
}

/// One request fills a quota of one.
#[test]
fn tiny_quotas_that_made_up_keys_fill_shut_no_newcomer_out() {
    let policy = "
keys: { caller: { header: authorization, scheme: Bearer } }
policies: [{ name: mails, key: caller, limits: [{ quota: 1, window: 1h }] }]
table: { pages: 16 }
";
    let served = Setup::yaml(policy).start_served();
    let path = "/send";
    let made_up = || (0..AT_ONCE).map(|_| ask(&served, path, new_ip(), &new_key())).collect::<Vec<_>>();
    let left: usize = (0..20).map(|_| served.hung_up(&made_up())).sum();
    assert_newcomers_served(&served, path, &format!("{left} of 1,000 hang-ups at the upstream"));
}
