//! What an operator asks: read from the method, the path, the parameters and the headers of a request.

use super::answer::{ErrorAnswer, to_json};
use crate::filter::host::Host;
use crate::table::PageId;
use crate::time::Micros;

/// The header that has the value of the caller's key. Those of further keys are numbered, from 2 on.
const VALUE: &str = "x-tollgate-value";

/// What may be asked.
const ALLOWED: &str = "GET /caller?key=NAME, GET /caller?caller=PSEUDONYM[&consumer=NAME][&tier=NAME][&from_page=N], GET \
                       /table, and POST /forgive with what /caller takes and [&policy=NAME[&limit=NAME]]; the value of the \
                       key is the header x-tollgate-value; of key=NAME,NAME the second value is x-tollgate-value-2, and \
                       so on";

/// A question of an operator.
pub(super) enum Question {
    /// How full the table is.
    Table,
    Caller(CallerQuestion),
}

/// What a caller has used, after it has been forgiven, if it is to be.
pub(super) struct CallerQuestion {
    pub who: Who,
    pub forgive: Option<What>,
}

/// How the caller is named.
pub(super) enum Who {
    /// By its keys' names and values. The names are as they were asked for, too.
    ByKeys { names: String, values: Vec<(String, Vec<u8>)> },
    /// By its pseudonym in the access log.
    ByPseudonym(Pseudonym),
}

/// A caller's pseudonym, and what else the access log has of it.
pub(super) struct Pseudonym {
    /// In 16 hexadecimal digits.
    pub text: String,
    pub fingerprint: u64,
    pub consumer: Option<String>,
    pub tier: Option<String>,
    /// Where the search begins.
    pub from_page: PageId,
}

/// Which limits are to be forgiven.
pub(super) struct What {
    pub policy: Option<String>,
    pub limit: Option<String>,
    /// What was counted before this instant of the wall clock.
    pub before: Micros,
}

/// A refusal: the status, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u32,
    pub why: &'static str,
    /// The method that would be right.
    pub allow: Option<&'static str>,
    /// Where a search goes on.
    pub next_page: Option<PageId>,
}

/// One without a method.
pub(super) const fn refusal(status: u32, why: &'static str) -> Refusal {
    Refusal { status, why, allow: None, next_page: None }
}

impl Refusal {
    pub fn body(&self) -> String {
        to_json(&ErrorAnswer { error: self.why, next_page: self.next_page, allowed: ALLOWED })
    }
}

impl Question {
    /// Reads a request that came at `wall`.
    pub fn read<H: Host>(host: H, stream: H::Stream, wall: Micros) -> Result<Question, Refusal> {
        let header = |name| host.request_header(stream, name).unwrap_or_default();
        let (method, path) = (header(":method"), header(":path"));
        let (path, query) = match path.iter().position(|byte| *byte == b'?') {
            Some(at) => path.split_at(at),
            None => (&path[..], &[][..]),
        };
        let query = query.get(1..).unwrap_or_default();
        let is = |right: &'static str| match method == right.as_bytes() {
            true => Ok(()),
            false => Err(Refusal { allow: Some(right), ..refusal(405, "the method") }),
        };
        match path {
            b"/caller" => {
                is("GET")?;
                let query = Query::parse(query, WHO)?;
                Ok(Question::Caller(CallerQuestion { who: Who::read(host, stream, &query)?, forgive: None }))
            }
            b"/table" => {
                is("GET")?;
                Query::parse(query, &[])?;
                Ok(Question::Table)
            }
            b"/forgive" => {
                is("POST")?;
                let query = Query::parse(query, &[WHO, WHAT].concat())?;
                let (policy, limit) = (query.owned("policy"), query.owned("limit"));
                if limit.is_some() && policy.is_none() {
                    return Err(refusal(400, "limit needs policy"));
                }
                let forgive = Some(What { policy, limit, before: wall });
                Ok(Question::Caller(CallerQuestion { who: Who::read(host, stream, &query)?, forgive }))
            }
            _ => Err(refusal(404, "no such path")),
        }
    }
}

/// The parameters that name a caller.
const WHO: &[&str] = &["key", "caller", "consumer", "tier", "from_page"];

/// The parameters that name what is to be forgiven.
const WHAT: &[&str] = &["policy", "limit"];

impl Who {
    fn read<H: Host>(host: H, stream: H::Stream, query: &Query<'_>) -> Result<Who, Refusal> {
        let only_by_pseudonym =
            ["consumer", "tier", "from_page"].iter().any(|name| query.get(name).is_some());
        match (query.get("key"), query.get("caller")) {
            (Some(names), None) if !only_by_pseudonym => {
                let values = values(host, stream, names)?;
                Ok(Who::ByKeys { names: names.to_owned(), values })
            }
            (Some(_), None) => Err(refusal(400, "consumer, tier and from_page need caller")),
            (None, Some(text)) => Pseudonym::read(text, query).map(Who::ByPseudonym),
            (Some(_), Some(_)) => Err(refusal(400, "either key or caller, not both")),
            (None, None) => Err(refusal(400, "one of the parameters key and caller is missing")),
        }
    }
}

impl Pseudonym {
    fn read(text: &str, query: &Query<'_>) -> Result<Pseudonym, Refusal> {
        let wrong =
            refusal(400, "caller is not a pseudonym as the access log has it: 16 digits of 0-9 and a-f");
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let has_form = text.len() == 16 && text.bytes().all(is_digit);
        let fingerprint = u64::from_str_radix(text, 16).ok().filter(|_| has_form).ok_or(wrong)?;
        let from_page = query.get("from_page").map_or(Ok(0), str::parse);
        let from_page = from_page.map_err(|_| refusal(400, "from_page is not the number of a page"))?;
        let (consumer, tier) = (query.owned("consumer"), query.owned("tier"));
        Ok(Pseudonym { text: text.to_owned(), fingerprint, consumer, tier, from_page })
    }
}

/// The keys of these names, with a comma between them, and the value of each, which is nowhere shown.
fn values<H: Host>(host: H, stream: H::Stream, names: &str) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    /// No policy counts by more keys.
    const MAX: usize = 8;
    let all: Vec<&str> = names.split(',').take(MAX + 1).collect();
    let is_there_twice =
        all.iter().enumerate().any(|(at, name)| all.iter().skip(at + 1).any(|other| other == name));
    if all.len() > MAX || is_there_twice {
        return Err(refusal(400, "a key is there twice, or there are more than eight"));
    }
    let value = |(at, name): (usize, &str)| Ok((name.to_owned(), value(host, stream, at)?));
    all.into_iter().enumerate().map(value).collect()
}

fn value<H: Host>(host: H, stream: H::Stream, at: usize) -> Result<Vec<u8>, Refusal> {
    let name = if at == 0 { VALUE.to_owned() } else { format!("{VALUE}-{}", at + 1) };
    let first = host.request_header(stream, &name);
    let first =
        first.ok_or(refusal(400, "the header x-tollgate-value is missing, or that of a further key"))?;
    let lines = host.property(stream, &[b"request\0headers\0", name.as_bytes()].concat());
    match lines.is_none_or(|lines| lines == first) {
        true => Ok(first),
        false => Err(refusal(400, "the header x-tollgate-value is there twice, or that of a further key")),
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

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}
