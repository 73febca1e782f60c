//! The operator's view: answers about callers and the table, and forgives a caller now. The filter of
//! `role: operator` has only this. It limits nobody, and no request goes on to an upstream.
//!
//! Whoever reaches it can forgive anybody, so it answers only on a UNIX socket, which has a file's owner and mode.
//! Clients cannot pretend that: the address that a connection has come to is Envoy's own, and no header or
//! `PROXY` line makes it a path.

mod json;

use super::alarm::Alarm;
use super::host::{Host, SharedData};
use super::survey;
use super::worker::Worker;
use crate::engine::Engine;
use crate::engine::operator::{CountedCaller, Counting, KnownCaller, NoCaller};
use crate::limiter::Verdict;
use crate::reply::Reply;
use crate::rules::{Policy, Quota};
use crate::table::{Charge, Transaction};
use crate::time::{Micros, Now, SECOND};
use json::Json;

/// The header that has the value of the caller's key.
const VALUE: &str = "x-tollgate-value";

/// What may be asked.
const ALLOWED: &str = "GET /caller?key=NAME, GET /table, POST /forgive?key=NAME[&policy=NAME[&limit=NAME]]; the value of the \
                       key is the header x-tollgate-value";

/// A refusal: the status, and why.
struct Refusal {
    status: u32,
    why: &'static str,
    /// The method that would be right.
    allow: Option<&'static str>,
}

/// The same without a method.
const fn refusal(status: u32, why: &'static str) -> Refusal {
    Refusal { status, why, allow: None }
}

/// Answers a request.
#[inline(never)]
pub(super) fn answer<H: Host>(worker: &mut Worker<H>, stream: H::Stream) {
    let host = worker.host;
    let answered = match is_on_unix_socket(host, stream) {
        true => route(worker, stream),
        false => {
            let words = format_args!("a request for the operator was refused");
            Alarm::NO_UNIX_SOCKET.warn(words, host, worker.clock.now::<H>().mono);
            Err(refusal(403, "the operator is answered only on a UNIX socket with an absolute path"))
        }
    };
    let mut headers = vec![("content-type", "application/json".into()), ("cache-control", "no-store".into())];
    let (status, body) = match answered {
        Ok(body) => (200, body),
        Err(Refusal { status, why, allow }) => {
            headers.extend(allow.map(|method| ("allow", method.into())));
            (status, error(why))
        }
    };
    let details = "tollgate_operator";
    host.reply(stream, &Reply { status, headers, body: body.into(), details, unavailable: false });
}

fn error(why: &str) -> String {
    let mut json = Json::default();
    json.open('{');
    json.text("error", why);
    json.text("allowed", ALLOWED);
    json.close('}');
    json.text
}

/// Whether the connection has come to a path in the file system. A socket without one has no mode. If Envoy does
/// not tell, it has not.
fn is_on_unix_socket<H: Host>(host: H, stream: H::Stream) -> bool {
    let address = host.property(stream, b"destination\0address").unwrap_or_default();
    address.first() == Some(&b'/') && host.property(stream, b"destination\0port").is_none()
}

fn route<H: Host>(worker: &Worker<H>, stream: H::Stream) -> Result<String, Refusal> {
    let header = |name| worker.host.request_header(stream, name).unwrap_or_default();
    let (method, path) = (header(":method"), header(":path"));
    let (path, query) = match path.iter().position(|byte| *byte == b'?') {
        Some(at) => path.split_at(at),
        None => (&path[..], &[][..]),
    };
    let query = query.get(1..).unwrap_or_default();
    let is = |right: &'static str| match method == right.as_bytes() {
        true => Ok(()),
        false => Err(Refusal { status: 405, why: "the method", allow: Some(right) }),
    };
    match path {
        b"/caller" => {
            is("GET")?;
            caller(worker, stream, &Query::parse(query, &["key"])?, None)
        }
        b"/table" => {
            is("GET")?;
            Query::parse(query, &[])?;
            table(worker)
        }
        b"/forgive" => {
            is("POST")?;
            let query = Query::parse(query, &["key", "policy", "limit"])?;
            let what = What { policy: query.get("policy"), limit: query.get("limit") };
            if what.limit.is_some() && what.policy.is_none() {
                return Err(refusal(400, "limit needs policy"));
            }
            caller(worker, stream, &query, Some(what))
        }
        _ => Err(refusal(404, "no such path")),
    }
}

/// The parameters of a request.
struct Query<'q>(Vec<(&'static str, &'q str)>);

impl<'q> Query<'q> {
    /// Nothing is decoded: no name has a character that would need it.
    fn parse(query: &'q [u8], allowed: &[&'static str]) -> Result<Query<'q>, Refusal> {
        const WRONG: Refusal = refusal(400, "a parameter that is not allowed, is there twice or is empty");
        let mut found: Vec<(&'static str, &str)> = Vec::new();
        for pair in query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) =
                std::str::from_utf8(pair).ok().and_then(|pair| pair.split_once('=')).ok_or(WRONG)?;
            let name = allowed.iter().find(|own| **own == name).ok_or(WRONG)?;
            if value.is_empty() || found.iter().any(|(own, _)| own == name) {
                return Err(WRONG);
            }
            found.push((name, value));
        }
        Ok(Query(found))
    }

    fn get(&self, name: &str) -> Option<&'q str> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

/// Which limits are to be forgiven.
#[derive(Clone, Copy)]
struct What<'q> {
    policy: Option<&'q str>,
    limit: Option<&'q str>,
}

/// Shows a caller, and forgives it first if there is something to forgive.
fn caller<H: Host>(
    worker: &Worker<H>,
    stream: H::Stream,
    query: &Query<'_>,
    forgive: Option<What<'_>>,
) -> Result<String, Refusal> {
    let name = query.get("key").ok_or(refusal(400, "the parameter key is missing"))?;
    let value = value(worker.host, stream)?;
    let act = |engine: &Engine, transaction: &mut Transaction<'_, SharedData<H>>| {
        let caller = engine.caller_by(name, &value).map_err(no_caller)?;
        let mut answer = Answer { engine, transaction, json: Json::default() };
        answer.caller(name, &caller, forgive)?;
        Ok(answer.json.text)
    };
    worker.transact(act).unwrap_or(Err(UNAVAILABLE))
}

const UNAVAILABLE: Refusal = refusal(503, "the table cannot be read or written; ask again");

/// The value of the caller's key. It is nowhere shown.
fn value<H: Host>(host: H, stream: H::Stream) -> Result<Vec<u8>, Refusal> {
    let first = host.request_header(stream, VALUE);
    let first = first.ok_or(refusal(400, "the header x-tollgate-value is missing"))?;
    let lines = host.property(stream, b"request\0headers\0x-tollgate-value");
    match lines.is_none_or(|lines| lines == first) {
        true => Ok(first),
        false => Err(refusal(400, "the header x-tollgate-value is there twice")),
    }
}

fn no_caller(why: NoCaller) -> Refusal {
    match why {
        NoCaller::UnknownKey => refusal(404, "the policy file has no such key"),
        NoCaller::HasAlternatives => refusal(400, "a key with first_of; name one of its alternatives"),
        NoCaller::Empty => refusal(400, "the header x-tollgate-value is empty"),
        NoCaller::NoAddress => refusal(400, "the header x-tollgate-value has no IP address"),
    }
}

/// An answer about a caller that is being written.
struct Answer<'a, 't, H: Host> {
    engine: &'a Engine,
    transaction: &'a mut Transaction<'t, SharedData<H>>,
    json: Json,
}

impl<H: Host> Answer<'_, '_, H> {
    fn caller(
        &mut self,
        name: &str,
        caller: &KnownCaller<'_>,
        forgive: Option<What<'_>>,
    ) -> Result<(), Refusal> {
        let policies = caller.policies(&self.transaction.seeds().table);
        self.json.open('{');
        self.json.text("key", name);
        self.json.text_or_null("consumer", caller.consumer());
        self.json.text_or_null("tier", caller.tier());
        let mut forgiven: Vec<&str> = Vec::new();
        self.json.name("policies");
        self.json.open('[');
        for (policy, counting) in &policies {
            let Counting::Alone(counted) = counting else { continue };
            if self.transaction.is_outdated(&counted.charge) {
                continue;
            }
            let found = match forgive.filter(|what| what.policy.is_none_or(|name| name == policy.name)) {
                Some(what) => self.forgive(policy, counted, what)?,
                None => None,
            };
            if found.is_some() {
                forgiven.push(&policy.name);
            }
            self.policy(policy, counted, forgive.map(|_| found.unwrap_or_default()))?;
        }
        self.json.close(']');
        self.left_out(&policies);
        self.json.close('}');
        if forgive.is_some() {
            if forgiven.is_empty() {
                return Err(refusal(
                    409,
                    "nothing can be forgiven: no such policy or limit counts by this key alone, in this proxy \
                     and with a window",
                ));
            }
            log::info!("an operator has forgiven a caller by the key {name}: {}", forgiven.join(", "));
        }
        Ok(())
    }

    /// Forgives what is meant of a policy. `None`: it has nothing that can be. Else whether there was anything.
    fn forgive(
        &mut self,
        policy: &Policy,
        counted: &CountedCaller<'_>,
        what: What<'_>,
    ) -> Result<Option<bool>, Refusal> {
        let names = &policy.limit_names;
        let only = match what.limit {
            None => None,
            Some(name) => match names.iter().position(|own| own == name) {
                None => return Ok(None),
                only => only,
            },
        };
        let entries = counted.forgiven(only, self.transaction.now().wall);
        if entries.is_empty() {
            return Ok(None);
        }
        let mut any = false;
        let identity = counted.charge.identity;
        let provisional = self.engine.rules().checks_credentials().then(|| identity.provisional());
        for identity in std::iter::once(identity).chain(provisional) {
            let charge = Charge { identity, ..counted.charge };
            any |= self.transaction.forgive_now(&charge, &entries).ok_or(UNAVAILABLE)?;
        }
        Ok(Some(any))
    }

    fn policy(
        &mut self,
        policy: &Policy,
        counted: &CountedCaller<'_>,
        forgiven: Option<bool>,
    ) -> Result<(), Refusal> {
        let view = self.transaction.view(&counted.charge).ok_or(UNAVAILABLE)?;
        let (now, json) = (self.transaction.now(), &mut self.json);
        json.item();
        json.open('{');
        json.text("policy", &policy.name);
        if let Some(forgiven) = forgiven {
            json.name("forgiven");
            json.raw(if forgiven { "true" } else { "false" });
        }
        json.instant_or_null("blocked_until", view.blocked_until.map(|end| now.wall_at(end)));
        json.name("limits");
        json.open('[');
        let mut verdicts = view.limits.iter();
        for (index, name) in policy.limit_names.iter().enumerate() {
            let Some(limit) = policy.limits().get(index) else { continue };
            json.item();
            json.open('{');
            json.text("limit", name);
            json.text("algorithm", limit.algorithm.word());
            match counted.limits.quota(index) {
                None | Some(Quota::Unlimited) => json.text("quota", "unlimited"),
                Some(Quota::Nothing) => json.number("quota", 0),
                Some(Quota::Units(_)) => {
                    if let Some((verdict, forgiven)) = verdicts.next() {
                        counts(json, verdict, limit.has_window(), now);
                        json.instant_or_null("forgiven_since", Some(*forgiven).filter(|at| *at > 0));
                    }
                }
            }
            json.close('}');
        }
        json.close(']');
        json.close('}');
        Ok(())
    }

    /// The policies that count by the key, of which nothing is shown or forgiven.
    fn left_out(&mut self, policies: &[(&Policy, Counting<'_>)]) {
        let json = &mut self.json;
        json.name("left_out");
        json.open('[');
        for (policy, counting) in policies {
            let why = match counting {
                Counting::Alone(counted) if !self.transaction.is_outdated(&counted.charge) => continue,
                Counting::Alone(_) => "the policy in force has another algorithm or window",
                Counting::InFleet => "it counts in the fleet; an entry in the list forgive forgives it",
                Counting::WithOthers => {
                    "it counts by several keys together; an entry in the list forgive forgives it"
                }
            };
            json.item();
            json.open('{');
            json.text("policy", &policy.name);
            json.text("why", why);
            json.close('}');
        }
        json.close(']');
    }
}

/// What is used and left of a limit. Units come back by themselves only if it has a window.
fn counts(json: &mut Json, verdict: &Verdict, has_window: bool, now: Now) {
    let quota = u64::from(verdict.quota);
    let used = quota.saturating_sub(verdict.remaining);
    json.number("quota", quota);
    json.number("used", used);
    json.number("remaining", verdict.remaining);
    if has_window {
        let seconds = |at: Micros| at.saturating_sub(now.mono).div_ceil(SECOND);
        json.number("next_unit_in", if used == 0 { 0 } else { seconds(verdict.next_slot) });
        json.number("all_units_in", if used == 0 { 0 } else { seconds(verdict.full_reset) });
    }
}

/// How full the table is, as the workers have counted it within the last two minutes.
fn table<H: Host>(worker: &Worker<H>) -> Result<String, Refusal> {
    let size = worker.engine.rules().table_size;
    let now = worker.clock.now::<H>();
    let seen = survey::seen(worker.host, worker.store.1, size.pages.get());
    let mut json = Json::default();
    json.open('{');
    json.text_or_null("name", worker.engine.rules().table_name.as_deref());
    json.number("pages", size.pages.get().into());
    json.number("page_bytes", size.page_bytes.into());
    json.number("capacity_bytes", size.capacity());
    match seen {
        Some((fill, at)) => {
            json.number("records", fill.records);
            json.number("bytes", fill.bytes);
            json.number("counted_ago", now.mono.saturating_sub(at) / SECOND);
        }
        // Nobody has counted yet.
        None => {
            ["records", "bytes", "counted_ago"].into_iter().for_each(|name| json.text_or_null(name, None))
        }
    }
    json.close('}');
    Ok(json.text)
}
