//! A gateway in simulated time, with the filter's own engine, and what can be seen of it.

use std::net::{IpAddr, Ipv4Addr};
use tollgate::compile::{Configuration, compile};
use tollgate::config;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::{Response, SampleRequest};
use tollgate::identity::Seed;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::reply::ReplyRules;
use tollgate::table::Table;
use tollgate::table::memory::MemoryStore;
use tollgate::time::{Now, SECOND};

/// 2026-06-15T05:06:40Z, ten days after the start of the process.
const START: Now = Now { mono: 864_000 * SECOND, wall: 1_781_500_000 * SECOND };

/// The response of the upstream.
pub struct Answer {
    /// `None`: there is none.
    pub status: Option<u16>,
    pub cost: Option<u32>,
    pub stock: Option<u32>,
    /// Seconds until the stream ends.
    pub lasts: u64,
}

pub fn status(status: u16) -> Answer {
    Answer { status: Some(status), cost: None, stock: None, lasts: 0 }
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status.unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let value = match name {
            "x-cost" => self.cost?,
            "x-stock" => self.stock?,
            _ => return None,
        };
        Some(value.to_string().into_bytes())
    }
}

struct Stream {
    worker: usize,
    decision: Decision,
    ends: u64,
}

pub struct Gateway {
    engine: Engine,
    replies: ReplyRules,
    workers: Vec<Table>,
    store: MemoryStore,
    now: Now,
    open: Vec<Stream>,
    asked: usize,
    /// What clients and operators saw, a line for each request.
    pub trace: Vec<String>,
}

impl Gateway {
    /// The errors, if the policy is invalid.
    pub fn new(policy: &serde_json::Value) -> Result<Gateway, String> {
        let value = config::parse(policy.to_string().as_bytes()).expect("JSON");
        let Configuration { rules, replies } = compile(&value).map_err(|errors| errors.to_string())?;
        let table = |worker| Table::new(Seed::new([7; Seed::LEN]), rules.table_size, WorkerId(worker));
        let workers = (1..3).map(table).collect();
        let engine = Engine::new(rules);
        let removed = format!("removed from responses: {:?}", engine.rules().removed_headers());
        let (store, open, trace) = (MemoryStore::default(), Vec::new(), vec![removed]);
        Ok(Gateway { engine, replies, workers, store, now: START, open, asked: 0, trace })
    }

    /// One request, to each worker in turn.
    pub fn ask(&mut self, request: &SampleRequest, answer: &Answer) {
        let request = request.clone().from_client(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let worker = self.asked % self.workers.len();
        self.asked += 1;
        let mut decision =
            self.engine.decide(&request, &mut self.workers[worker].begin(&self.store, self.now));
        let mut seen = String::new();
        if let Some(reply) = self.replies.reply(&decision, &request, || [7; 16]) {
            seen = format!("{} {:?} {} {:?} ", reply.status, reply.headers, reply.details, reply.body);
        } else if answer.status.is_some() && self.engine.awaits_response(&decision) {
            let mut transaction = self.workers[worker].begin(&self.store, self.now);
            self.engine.on_response(&mut decision, answer, &mut transaction);
        }
        let shadows = decision.shadows().iter().filter(|one| one.rejected()).count();
        // This upstream always sends some of its own.
        let limits = match decision.rejected() {
            true => self.replies.limit_headers(&decision),
            false => self.replies.added_limit_headers(&decision, &|_| true),
        };
        let line = self.replies.access_line(&decision);
        let shown =
            self.replies.shadow_header.as_ref().map(|name| (name, self.replies.shadow_line(&decision)));
        self.trace.push(format!("{seen}{limits:?} {shadows} {line:?} {shown:?}"));
        let ends = if decision.rejected() { 0 } else { answer.lasts };
        self.open.push(Stream { worker, decision, ends: self.now.mono + ends * SECOND });
        self.end_streams();
    }

    fn end_streams(&mut self) {
        let now = self.now;
        let (ended, open) =
            std::mem::take(&mut self.open).into_iter().partition(|stream| stream.ends <= now.mono);
        self.open = open;
        let ended: Vec<Stream> = ended;
        for mut stream in ended {
            if self.engine.awaits_stream_end(&stream.decision) {
                let mut transaction = self.workers[stream.worker].begin(&self.store, now);
                self.engine.on_stream_end(&mut stream.decision, &mut transaction);
            }
        }
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now.mono += seconds * SECOND;
        self.now.wall += seconds * SECOND;
        self.end_streams();
        let now = self.now;
        self.workers.iter_mut().for_each(|worker| worker.begin(&self.store, now).settle());
    }

    /// Whether every write meets a conflict.
    pub fn contend(&mut self, always: bool) {
        self.store.conflicts.set(if always { u32::MAX } else { 0 });
    }
}
