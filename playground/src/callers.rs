//! Whom the watched policy counts, so that the page can show one of them.
//!
//! The page names a caller by the number of a request of the traffic: in made traffic that is the number of who
//! sends it, whatever the policy.

use crate::timeline::{OfCaller, Timeline};
use crate::traffic::Traffic;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use tollgate::http::Request as _;
use tollgate::identity::Identity;

/// The maximum number of callers in a list.
pub const MAX_LISTED: usize = 100;
/// The maximum number of a caller's addresses that are told apart.
const MAX_ADDRESSES: usize = 100;

/// A caller of the watched policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The number of the first of its requests in [`Traffic::requests`].
    pub request: u32,
    /// Where its requests come from: `10.0.0.1`, or `10.0.0.1 and 4 more`.
    pub name: String,
    /// The number of its admitted requests.
    pub admitted: u32,
    /// The number of its rejected requests.
    pub rejected: u32,
    /// Its quota in the watched limit.
    pub quota: u32,
}

/// The callers of the watched policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Callers {
    /// Those that are rejected most, then those that send most: at most [`MAX_LISTED`], and the chosen one.
    pub listed: Vec<Caller>,
    /// How many there are.
    pub number: usize,
    /// Where the chosen one is in the list.
    pub chosen: Option<usize>,
}

/// The callers, of which one may be chosen.
pub fn callers(timeline: &Timeline, traffic: &Traffic, chosen: Option<Identity>) -> Callers {
    let mut found: HashMap<Identity, Counted> = HashMap::new();
    for (arrival, fate) in traffic.arrivals.iter().zip(&timeline.fates) {
        let Some(watched) = fate.watched else { continue };
        let first = || Counted::new(arrival.request, &watched);
        found.entry(watched.caller).or_insert_with(first).count(arrival.request, fate.rejected);
    }
    let number = found.len();
    let mut all: Vec<(Identity, Counted)> = found.into_iter().collect();
    all.sort_unstable_by_key(|(_, one)| (Reverse(one.rejected), Reverse(one.admitted), one.request));
    let is_chosen = |one: &(Identity, Counted)| Some(one.0) == chosen;
    let beyond = all.iter().skip(MAX_LISTED).position(is_chosen);
    let last = beyond.map(|at| all.swap_remove(MAX_LISTED + at));
    all.truncate(MAX_LISTED);
    all.extend(last);
    let listed = all.iter().map(|(_, one)| one.named(traffic)).collect();
    Callers { listed, number, chosen: all.iter().position(is_chosen) }
}

/// The caller that the watched policy counts a request of the traffic for. `None`: the policy does not apply to
/// it.
pub fn caller_of(timeline: &Timeline, traffic: &Traffic, request: u32) -> Option<Identity> {
    let all = traffic.arrivals.iter().zip(&timeline.fates);
    all.filter(|(arrival, _)| arrival.request == request).find_map(|(_, fate)| fate.caller())
}

/// A caller whose requests are being counted.
struct Counted {
    request: u32,
    /// The numbers of its requests, of which each stands for an address.
    requests: BTreeSet<u32>,
    admitted: u32,
    rejected: u32,
    quota: u32,
}

impl Counted {
    fn new(request: u32, watched: &OfCaller) -> Counted {
        Counted { request, requests: BTreeSet::new(), admitted: 0, rejected: 0, quota: watched.quota }
    }

    fn count(&mut self, request: u32, rejected: bool) {
        if self.requests.len() < MAX_ADDRESSES {
            self.requests.insert(request);
        }
        let kind = if rejected { &mut self.rejected } else { &mut self.admitted };
        *kind += 1;
    }

    fn named(&self, traffic: &Traffic) -> Caller {
        let addresses: BTreeSet<String> = self.requests.iter().map(|one| address(traffic, *one)).collect();
        let first = address(traffic, self.request);
        let name = match addresses.len() {
            0 | 1 => first,
            MAX_ADDRESSES.. => format!("{first} and many more"),
            several => format!("{first} and {} more", several - 1),
        };
        let Counted { request, admitted, rejected, quota, .. } = *self;
        Caller { request, name, admitted, rejected, quota }
    }
}

/// The address that a request comes from, without its port.
pub fn address(traffic: &Traffic, request: u32) -> String {
    let request = usize::try_from(request).ok().and_then(|number| traffic.requests.get(number));
    let address = request.and_then(|request| request.source_address()).unwrap_or_default();
    let text = String::from_utf8_lossy(&address);
    let without_port = text.rsplit_once(':').map_or("", |(address, _)| address);
    match without_port.trim_matches(['[', ']']) {
        "" => "no address".into(),
        address => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;
    use crate::policy::Policy;
    use crate::timeline::{Shown, Watched};

    fn simulated(key: &str, traffic: &str) -> (Timeline, Traffic) {
        let limits = "limits: [{ quota: 5, window: 60s }]";
        let text = format!(
            "keys: {{ ip: {{ client_ip: {{}} }}, all: {{ header: x-group }} }}\npolicies: [{{ name: one, key: {key}, {limits} }}]"
        );
        let (policy, traffic) = (Policy::read(&text).unwrap(), Traffic::read(traffic).unwrap());
        (Timeline::of(&policy.configuration, &traffic, Watched::default()), traffic)
    }

    /// 24 requests of three callers: eight each, of which five are admitted.
    const THREE: &str = r#"{ "shape": "bursts", "size": 24, "every": 60, "seconds": 60, "callers": 3, "headers": ["x-group: a"] }"#;

    #[test]
    fn each_caller_has_its_own_requests_and_its_own_trailing_window() {
        let (timeline, traffic) = simulated("ip", THREE);
        let chosen = caller_of(&timeline, &traffic, 1);
        let Callers { listed, number, chosen: at } = callers(&timeline, &traffic, chosen);
        let words: Vec<_> =
            listed.iter().map(|one| (one.name.as_str(), one.admitted, one.rejected)).collect();
        assert_eq!(words, [("10.0.0.1", 5, 3), ("10.0.0.2", 5, 3), ("10.0.0.3", 5, 3)]);
        assert_eq!((number, listed[1].quota, at), (3, 5, Some(1)));
        let (places, worst) = timeline.places(&traffic, Shown { caller: chosen, ..Shown::all(&traffic, 10) });
        let sum = |all: &[u32]| all.iter().sum::<u32>();
        assert_eq!((sum(&places.admitted), sum(&places.rejected), worst.units), (5, 3, 5));
        assert_eq!(traffic.arrivals[worst.number].request, 1);
        assert_eq!((timeline.arrival(&traffic, 0, chosen), timeline.first_rejection(chosen)), (1, Some(16)));
        assert_eq!(timeline.arrival(&traffic, traffic.length, chosen), 22);
    }

    #[test]
    fn callers_that_the_policy_counts_together_are_one() {
        let (timeline, traffic) = simulated("all", THREE);
        let Callers { listed, number, chosen } = callers(&timeline, &traffic, None);
        let found = (listed[0].name.as_str(), listed[0].rejected, number, chosen);
        assert_eq!(found, ("10.0.0.1 and 2 more", 19, 1, None));
    }

    #[test]
    fn a_request_that_the_policy_does_not_apply_to_has_no_caller() {
        let (timeline, traffic) = simulated("all", r#"{ "seconds": 5 }"#);
        assert_eq!(caller_of(&timeline, &traffic, 0), None);
        assert_eq!(callers(&timeline, &traffic, None), Callers::default());
    }

    #[test]
    fn of_many_callers_those_that_are_rejected_most_are_listed_and_the_chosen_one() {
        let crowd = r#"{ "shape": "crowd", "rate": 100, "seconds": 50, "callers": 500 }"#;
        let (timeline, traffic) = simulated("ip", crowd);
        let Callers { listed, number, chosen } = callers(&timeline, &traffic, None);
        assert!(number > MAX_LISTED && listed.len() == MAX_LISTED, "{number} callers");
        assert!(listed.is_sorted_by_key(|one| Reverse(one.rejected)) && chosen.is_none());
        let last = traffic.arrivals.iter().map(|one| one.request).max().unwrap();
        let all = callers(&timeline, &traffic, caller_of(&timeline, &traffic, last));
        assert_eq!((all.listed.len(), all.chosen), (MAX_LISTED + 1, Some(MAX_LISTED)));
        assert_eq!((all.listed[MAX_LISTED].request, &all.listed[..MAX_LISTED]), (last, &listed[..]));
    }
}
