//! A host in memory, for tests of the filter: it answers as Envoy would, and remembers what it was asked to
//! do.
//!
//! What it knows lies in a thread local, so each test has a host of its own; [`Fake::new`] empties it.

use super::host::{Attribute, Host};
use crate::reply::Reply;
use crate::table::{Cas, Read, Write};
use crate::time::{Micros, SECOND};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// The host. Its streams are numbers, so that a test notices if a call is about the wrong one.
#[derive(Clone, Copy)]
pub(super) struct Fake;

/// The stream of most tests. All streams have the same headers.
pub(super) const STREAM: u32 = 7;

/// The first of the streams; contexts below it are roots.
const FIRST_STREAM: u32 = STREAM;

#[derive(Default)]
pub(super) struct Knows {
    pub now: Micros,
    pub configuration: String,
    pub has_random_bytes: bool,
    pub request: Vec<(String, String)>,
    /// How often it was asked for one header of the request, or for all lines of one, and for all headers.
    pub header_reads: (usize, usize),
    /// Whether it shows all headers at once.
    pub hides_headers: bool,
    pub response: Vec<(String, String)>,
    pub trailers: Vec<(String, String)>,
    /// The piece of the response's body that has come.
    pub body: Vec<u8>,
    /// How often it was asked for a piece.
    pub body_reads: usize,
    pub address: String,
    pub route_name: Option<String>,
    /// What the host answers for paths of metadata, with zero bytes between their segments; `None` if it
    /// cannot write the value.
    pub metadata: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The paths of metadata that were asked for.
    pub metadata_reads: Vec<Vec<u8>>,
    pub shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    pub writes: u32,
    /// How often it was asked for a value of shared data.
    pub reads: usize,
    /// While it is set, no write succeeds.
    pub rejects_writes: bool,
    pub tick: Option<Duration>,
    pub counters: Vec<(String, u64)>,
    /// Level and text of each line of the log.
    pub log: Vec<(log::Level, String)>,
    pub gauges: Vec<(String, u64)>,
    pub filter_state: Vec<(String, String)>,
    /// Whether the host allows no calls.
    pub rejects_calls: bool,
    /// Whether it does not know the cluster that is called.
    pub has_no_cluster: bool,
    /// Cluster, path and body of each call.
    pub calls: Vec<(String, String, Vec<u8>)>,
    /// Status and body of the answer that comes.
    pub answer: (u16, Vec<u8>),
    /// The streams that were let go on.
    pub resumed: Vec<u32>,
    /// How often a root context was woken.
    pub woken: u32,
    /// Status, body and details of each reply.
    pub replies: Vec<(u32, String, String)>,
}

thread_local! {
    static KNOWS: RefCell<Knows> = RefCell::default();
}

/// Looks at what the host knows, or changes it.
pub(super) fn host<T>(look: impl FnOnce(&mut Knows) -> T) -> T {
    KNOWS.with_borrow_mut(look)
}

impl Fake {
    /// A host that has just started, with this configuration.
    pub fn new(configuration: &str) -> Fake {
        let configuration = configuration.into();
        // Only the first logger of a process is taken, and all are this one.
        _ = log::set_logger(&FakeLog);
        log::set_max_level(log::LevelFilter::Info);
        host(|knows| {
            *knows = Knows { now: 1_000 * SECOND, configuration, has_random_bytes: true, ..Knows::default() }
        });
        Fake
    }

    /// The same host, with the configuration of another filter from now on.
    pub fn again(configuration: &str) -> Fake {
        host(|knows| knows.configuration = configuration.into());
        Fake
    }
}

/// Keeps what is logged for the test whose thread it is.
struct FakeLog;

impl log::Log for FakeLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        host(|knows| knows.log.push((record.level(), record.args().to_string())));
    }

    fn flush(&self) {}
}

fn lines<'a>(map: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    map.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn first(map: &[(String, String)], name: &str) -> Option<Vec<u8>> {
    lines(map, name).next().map(|value| value.as_bytes().to_vec())
}

impl Host for Fake {
    type Stream = u32;

    fn monotonic_time() -> Micros {
        host(|knows| knows.now)
    }

    fn wall_time() -> Micros {
        host(|knows| knows.now + 1_700_000_000 * SECOND)
    }

    fn fill_random(bytes: &mut [u8]) -> bool {
        bytes.fill(7);
        host(|knows| knows.has_random_bytes)
    }

    fn configuration(self) -> Vec<u8> {
        host(|knows| knows.configuration.clone().into_bytes())
    }

    fn tick_every(self, period: Duration) {
        host(|knows| knows.tick = Some(period));
    }

    fn define_counter(self, name: &str) -> Option<u32> {
        host(|knows| {
            let place = knows.counters.iter().position(|(own, _)| own == name);
            let place = place.unwrap_or_else(|| {
                knows.counters.push((name.into(), 0));
                knows.counters.len() - 1
            });
            Some(place as u32)
        })
    }

    fn add_to_counter(self, id: u32, by: u64) {
        host(|knows| knows.counters[id as usize].1 += by);
    }

    fn define_gauge(self, name: &str) -> Option<u32> {
        host(|knows| {
            let place = knows.gauges.iter().position(|(own, _)| own == name);
            let place = place.unwrap_or_else(|| {
                knows.gauges.push((name.into(), 0));
                knows.gauges.len() - 1
            });
            Some(place as u32)
        })
    }

    fn set_gauge(self, id: u32, value: u64) {
        host(|knows| knows.gauges[id as usize].1 = value);
    }

    fn read_shared(self, key: &[u8]) -> Read {
        host(|knows| knows.reads += 1);
        host(|knows| match knows.shared.get(key) {
            Some((value, version)) => Read::Present(value.clone(), Cas::new(*version).unwrap()),
            None => Read::Absent,
        })
    }

    fn write_shared(self, key: &[u8], value: &[u8], version: Option<Cas>) -> Write {
        host(|knows| {
            if knows.rejects_writes {
                return Write::Unavailable;
            }
            if knows.shared.get(key).is_some_and(|(_, own)| version.map(Cas::get) != Some(*own)) {
                return Write::Conflict;
            }
            knows.writes += 1;
            knows.shared.insert(key.to_vec(), (value.to_vec(), knows.writes));
            Write::Stored
        })
    }

    fn request_header(self, stream: u32, name: &str) -> Option<Vec<u8>> {
        assert!(stream >= FIRST_STREAM);
        host(|knows| {
            knows.header_reads.0 += 1;
            first(&knows.request, name)
        })
    }

    fn each_request_header(self, stream: u32, show: &mut dyn FnMut(&[u8], &[u8])) {
        assert!(stream >= FIRST_STREAM);
        let headers = host(|knows| {
            knows.header_reads.1 += 1;
            if knows.hides_headers { Vec::new() } else { knows.request.clone() }
        });
        headers.iter().for_each(|(name, value)| show(name.as_bytes(), value.as_bytes()));
    }

    fn replace_request_header(self, stream: u32, name: &str, value: Option<&str>) {
        assert!(stream >= FIRST_STREAM);
        host(|knows| {
            knows.request.retain(|(own, _)| own != name);
            knows.request.extend(value.map(|value| (name.into(), value.into())));
        });
    }

    fn attribute(self, stream: u32, path: &[u8]) -> Attribute {
        assert!(stream >= FIRST_STREAM);
        let text = std::str::from_utf8(path).unwrap();
        if text.starts_with("metadata") {
            return host(|knows| {
                knows.metadata_reads.push(path.to_vec());
                match knows.metadata.get(path) {
                    Some(Some(bytes)) => Attribute::Written(bytes.clone()),
                    Some(None) => Attribute::Unwritten,
                    None => Attribute::Absent,
                }
            });
        }
        let found = host(|knows| match text.split('\0').collect::<Vec<_>>()[..] {
            ["source", "address"] => Some(knows.address.clone().into_bytes()),
            ["xds", "route_name"] => knows.route_name.clone().map(String::into_bytes),
            ["request", "headers", name] => {
                knows.header_reads.0 += 1;
                let lines: Vec<&str> = lines(&knows.request, name).collect();
                (!lines.is_empty()).then(|| lines.join(",").into_bytes())
            }
            [name] => {
                let states = knows.filter_state.iter().rev();
                states.clone().find(|(own, _)| own == name).map(|(_, text)| text.clone().into_bytes())
            }
            _ => None,
        });
        found.map_or(Attribute::Absent, Attribute::Written)
    }

    fn response_header(self, stream: u32, name: &str) -> Option<Vec<u8>> {
        assert!(stream >= FIRST_STREAM);
        host(|knows| first(&knows.response, name))
    }

    fn each_response_header(self, stream: u32, show: &mut dyn FnMut(&[u8])) {
        assert!(stream >= FIRST_STREAM);
        let headers = host(|knows| knows.response.clone());
        headers.iter().for_each(|(name, _)| show(name.as_bytes()));
    }

    fn set_response_header(self, stream: u32, name: &str, value: &str) {
        self.remove_response_header(stream, name.as_bytes());
        host(|knows| knows.response.push((name.into(), value.into())));
    }

    fn remove_response_header(self, stream: u32, name: &[u8]) {
        assert!(stream >= FIRST_STREAM);
        host(|knows| knows.response.retain(|(own, _)| own.as_bytes() != name));
    }

    fn response_trailer(self, stream: u32, name: &str) -> Option<Vec<u8>> {
        assert!(stream >= FIRST_STREAM);
        host(|knows| first(&knows.trailers, name))
    }

    fn remove_response_trailer(self, stream: u32, name: &[u8]) {
        assert!(stream >= FIRST_STREAM);
        host(|knows| knows.trailers.retain(|(own, _)| own.as_bytes() != name));
    }

    fn response_body(self, stream: u32, start: usize, max: usize) -> Vec<u8> {
        assert!(stream >= FIRST_STREAM);
        host(|knows| {
            knows.body_reads += 1;
            knows.body.iter().skip(start).take(max).copied().collect()
        })
    }

    fn set_filter_state(self, stream: u32, name: &str, text: &str) {
        assert!(stream >= FIRST_STREAM);
        host(|knows| knows.filter_state.push((name.into(), text.into())));
    }

    fn can_wait(self, _: u32) -> bool {
        host(|knows| !knows.rejects_calls)
    }

    fn call(self, cluster: &str, path: &str, body: &[u8], _: Duration) -> Option<u32> {
        host(|knows| {
            if knows.has_no_cluster {
                return None;
            }
            knows.calls.push((cluster.into(), path.into(), body.to_vec()));
            Some(knows.calls.len() as u32)
        })
    }

    fn call_status(self) -> u16 {
        host(|knows| knows.answer.0)
    }

    fn call_body(self) -> Vec<u8> {
        host(|knows| knows.answer.1.clone())
    }

    fn enter(self, context: u32) -> u32 {
        context
    }

    fn resume(self, context: u32) {
        host(|knows| knows.resumed.push(context));
    }

    fn wake_root(self, _: u32, _: u32) {
        host(|knows| knows.woken += 1);
    }

    fn reply(self, stream: u32, reply: &Reply<'_>) {
        assert!(stream >= FIRST_STREAM);
        host(|knows| {
            knows.replies.push((reply.status, reply.body.to_string(), reply.details.into()));
            knows.response =
                reply.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        });
    }
}
