//! What the unit tests share: a fake request, a fake response, and an engine with everything around it.

use crate::compile::{Configuration, compile};
use crate::config::parse;
use crate::decision::Decision;
use crate::engine::Engine;
use crate::http::{MetadataPath, MetadataValue, Request, Response};
use crate::identity::Seed;
use crate::limiter::concurrency::WorkerId;
use crate::reply::{Reply, ReplyRules};
use crate::table::Table;
use crate::table::memory::MemoryStore;
use crate::time::{Now, SECOND};
use std::cell::Cell;

/// A request with these parts and no others.
#[derive(Clone, Default)]
pub(crate) struct FakeRequest {
    /// Lower-case names and values.
    headers: Vec<(String, Vec<u8>)>,
    metadata: Vec<(MetadataPath, MetadataValue)>,
    /// The client's address, as Envoy writes it.
    pub(crate) address: Option<String>,
    /// How often metadata was read.
    pub metadata_reads: Cell<u32>,
}

impl FakeRequest {
    /// A request from this IP address.
    pub fn from(ip: &str) -> FakeRequest {
        FakeRequest::from_address(&format!("{ip}:4711"))
    }

    /// A request from this address, written like this; from none if it is empty.
    pub fn from_address(address: &str) -> FakeRequest {
        let address = (!address.is_empty()).then(|| address.into());
        FakeRequest { address, ..FakeRequest::default() }
    }

    /// A request for this path.
    pub fn to(path: &str) -> FakeRequest {
        FakeRequest::default().with(":path", path)
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> FakeRequest {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Replaces a header.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers.retain(|(own, _)| own != name);
        self.headers.push((name.into(), value.as_ref().to_vec()));
    }

    pub fn with_metadata(self, path: MetadataPath, value: &str) -> FakeRequest {
        self.with_value(path, MetadataValue::Text(value.into()))
    }

    pub fn with_value(mut self, path: MetadataPath, value: MetadataValue) -> FakeRequest {
        self.metadata.push((path, value));
        self
    }

    /// The same request with an API key.
    pub fn key(self, key: &str) -> FakeRequest {
        self.with("authorization", format!("Bearer {key}"))
    }
}

impl Request for FakeRequest {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }

    fn lines(&self, name: &str) -> Option<Vec<u8>> {
        let lines = self.headers.iter().filter(|(header, _)| *header == name);
        let lines: Vec<&[u8]> = lines.map(|(_, value)| value.as_slice()).collect();
        (!lines.is_empty()).then(|| lines.join(&b','))
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        self.address.clone().map(String::into_bytes)
    }

    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue> {
        self.metadata_reads.update(|reads| reads + 1);
        self.metadata.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    }
}

/// A response with these parts and no others.
#[derive(Clone)]
pub(crate) struct FakeResponse {
    status: u16,
    header: Option<(&'static str, Vec<u8>)>,
    is_upstreams: bool,
    has_an_upstream: bool,
    rejection: Option<u16>,
}

impl FakeResponse {
    /// A response of the upstream.
    pub fn of_upstream(status: u16) -> FakeResponse {
        FakeResponse { status, header: None, is_upstreams: true, has_an_upstream: true, rejection: None }
    }

    /// A response that Envoy or another filter makes before Envoy has chosen an upstream.
    pub fn before_upstream(status: u16) -> FakeResponse {
        FakeResponse { is_upstreams: false, has_an_upstream: false, ..FakeResponse::of_upstream(status) }
    }

    /// A response that Envoy makes in the place of the upstream that it has chosen.
    pub fn instead_of_upstream(status: u16) -> FakeResponse {
        FakeResponse { is_upstreams: false, ..FakeResponse::of_upstream(status) }
    }

    /// The rejection of another Tollgate, which a gRPC caller sees as a 200.
    pub fn rejected_with(rejection: u16, seen_as: u16) -> FakeResponse {
        let response = FakeResponse::before_upstream(seen_as).with("grpc-status", "8");
        FakeResponse { rejection: Some(rejection), ..response }
    }

    /// The rejection of another Tollgate, as an HTTP caller sees it.
    pub fn rejected_as(status: u16) -> FakeResponse {
        FakeResponse { rejection: Some(status), ..FakeResponse::before_upstream(status) }
    }

    pub fn with(self, name: &'static str, value: impl AsRef<[u8]>) -> FakeResponse {
        FakeResponse { header: Some((name, value.as_ref().to_vec())), ..self }
    }
}

impl Response for FakeResponse {
    fn status(&self) -> u16 {
        self.status
    }

    fn is_upstreams(&self) -> bool {
        self.is_upstreams
    }

    fn has_an_upstream(&self) -> bool {
        self.has_an_upstream
    }

    fn rejection(&self) -> Option<u16> {
        self.rejection
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.header.as_ref().filter(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }
}

/// The configuration that a JSON document compiles to.
pub(crate) fn compiled(json: &str) -> Configuration {
    compile(&parse(json.as_bytes()).unwrap()).unwrap()
}

/// An engine, its replies, its table, its store and its clock.
pub(crate) struct Fixture {
    pub engine: Engine,
    pub replies: ReplyRules,
    pub table: Table,
    pub store: MemoryStore,
    pub now: Now,
}

impl Fixture {
    pub fn new(json: &str) -> Fixture {
        let Configuration { rules, replies } = compiled(json);
        Fixture {
            table: Table::new(Seed::new([7; Seed::LEN]), rules.table_size, WorkerId(1)),
            engine: Engine::new(rules),
            replies,
            store: MemoryStore::default(),
            now: Now { mono: 500 * SECOND, wall: 1_747_314_000 * SECOND },
        }
    }

    pub fn decide(&mut self, request: &FakeRequest) -> Decision {
        self.engine.decide(request, &mut self.table.begin(&self.store, self.now))
    }

    /// How many of these requests are admitted.
    pub fn passed(&mut self, requests: u32, request: impl Fn(u32) -> FakeRequest) -> usize {
        (0..requests).filter(|i| !self.decide(&request(*i)).rejected()).count()
    }

    /// As the filter does, tells the engine of a response only if it awaits one.
    pub fn on_response(&mut self, decision: &mut Decision, response: &FakeResponse) {
        if self.engine.awaits_response(decision) {
            self.engine.on_response(decision, response, &mut self.table.begin(&self.store, self.now));
        }
    }

    /// As the filter does, tells the engine of a stream's end only if it awaits one.
    pub fn on_stream_end(&mut self, decision: &mut Decision) {
        if self.engine.awaits_stream_end(decision) {
            self.engine.on_stream_end(decision, &mut self.table.begin(&self.store, self.now));
        }
    }

    /// Serves a request from its decision to its stream's end. Returns whether it was admitted.
    pub fn served(&mut self, request: &FakeRequest, status: u16) -> bool {
        let mut decision = self.decide(request);
        let passed = !decision.rejected();
        if passed {
            self.on_response(&mut decision, &FakeResponse::of_upstream(status));
        }
        self.on_stream_end(&mut decision);
        passed
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now.mono += seconds * SECOND;
        self.now.wall += seconds * SECOND;
    }

    pub fn reply<'a>(&'a self, decision: &Decision, request: &FakeRequest) -> Reply<'a> {
        self.replies.reply(decision, request, || [0xAB; 16]).unwrap()
    }

    /// The limit headers of the next request, as `name: value`.
    pub fn headers(&mut self, request: &FakeRequest) -> Vec<String> {
        let decision = self.decide(request);
        let headers = self.replies.limit_headers(&decision);
        headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }
}
