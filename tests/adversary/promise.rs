//! What a policy promises, as its file says it: which of the requests that reached the upstream count, and
//! how much.
//!
//! Read from the document itself and not from the compiled policy: an oracle should not believe whom it
//! judges.

use super::upstream::Answer;
use tollgate::config::Value;
use tollgate::time::Now;

/// One policy's promise about what counts.
#[derive(Clone, Debug)]
pub struct Promise {
    pub name: String,
    /// Whether it counts addresses, which nobody can make up, and each request with its admission.
    pub of_addresses: bool,
    /// Only answers with these statuses count.
    counts: Option<Statuses>,
    /// Answers with these statuses don't.
    refunds: Option<Statuses>,
    /// Answers with these statuses reject a key that the policy may count by. What is counted in the name of
    /// such a key is given back, whoever else pays for the request.
    rejects_key: Option<Statuses>,
    /// Whether an answer says what its request has cost.
    by_header: bool,
    unanswered: Unanswered,
}

/// What a request costs in the end of which no answer of the upstream is known.
#[derive(Clone, Copy, Debug)]
enum Unanswered {
    Keep,
    Refund,
    Costs(u64),
}

#[derive(Clone, Debug)]
struct Statuses {
    first_and_last: Vec<(u16, u16)>,
    inverted: bool,
}

/// The life of one admitted request, as a bystander sees it who sees all.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    pub admitted: Now,
    /// What the upstream has done.
    pub handled: Handled,
    /// When the filter heard the upstream's answer.
    pub heard: Option<Now>,
    /// Whether its stream has ended.
    pub ended: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Handled {
    /// Nothing yet: it may still do it.
    NotYet,
    /// It will never know of the request.
    Never,
    /// It has, with this answer.
    With(Answer),
}

/// Units and since when they count.
pub type Counted = (Now, u64);

impl Promise {
    /// Those of all policies of a document.
    pub fn all(document: &Value) -> Vec<Promise> {
        let Some(Value::List(policies)) = document.get("policies") else { return Vec::new() };
        policies.iter().map(|policy| Promise::of(policy, document)).collect()
    }

    fn of(policy: &Value, document: &Value) -> Promise {
        let counts_all = policy.get("count").and_then(Value::text) == Some("all");
        let keeps =
            counts_all || ["count_on", "stock_header"].iter().any(|field| policy.get(field).is_some());
        let key = policy.get("key").and_then(Value::text);
        let answers_matter = ["count_on", "refund_on", "refund_unless", "cost_header"]
            .iter()
            .any(|field| policy.get(field).is_some());
        let unless = || policy.get("refund_unless").map(|list| Statuses::read(list, true));
        Promise {
            name: policy.get("name").and_then(Value::text).unwrap_or_default().into(),
            of_addresses: matches!(key, Some("ip" | "client_ip")) && !answers_matter,
            counts: policy.get("count_on").map(|list| Statuses::read(list, false)),
            refunds: policy.get("refund_on").map(|list| Statuses::read(list, false)).or_else(unless),
            rejects_key: policy.get("key").filter(|_| !keeps).and_then(|key| rejects(document, key)),
            by_header: policy.get("cost_header").is_some(),
            unanswered: match policy.get("unanswered") {
                Some(Value::Number(units)) => Unanswered::Costs(*units as u64),
                Some(Value::Text(word)) if word == "refund" => Unanswered::Refund,
                _ => Unanswered::Keep,
            },
        }
    }

    /// What truly counts of a request that was admitted at a cost of `hold` units: what is counted with its
    /// admission, and what with its answer.
    pub fn counted(&self, hold: u64, life: &Life) -> [Counted; 2] {
        let at_admission = |units| [(life.admitted, units), (life.admitted, 0)];
        match (life.handled, life.heard) {
            (Handled::Never, _) => at_admission(0),
            (Handled::NotYet, _) => at_admission(if life.ended { self.unheard(hold) } else { hold }),
            (Handled::With(answer), _) if !self.is_counted(answer.status) => at_admission(0),
            (Handled::With(answer), Some(_)) if self.rejects_key(answer.status) => at_admission(0),
            // What it has really cost is not known yet, or never will be.
            (Handled::With(_), None) => at_admission(if life.ended { self.unheard(hold) } else { hold }),
            (Handled::With(answer), Some(heard)) => {
                let real = if self.by_header { u64::from(answer.cost) } else { hold };
                match self.counts {
                    Some(_) => [(heard, real), (heard, 0)],
                    None => [(life.admitted, real.min(hold)), (heard, real.saturating_sub(hold))],
                }
            }
        }
    }

    fn rejects_key(&self, status: u16) -> bool {
        self.rejects_key.as_ref().is_some_and(|set| set.has(status))
    }

    fn unheard(&self, hold: u64) -> u64 {
        match self.unanswered {
            Unanswered::Keep => hold,
            Unanswered::Refund => 0,
            Unanswered::Costs(units) => units,
        }
    }

    fn is_counted(&self, status: u16) -> bool {
        let counts = self.counts.as_ref().is_none_or(|set| set.has(status));
        counts && !self.refunds.as_ref().is_some_and(|set| set.has(status))
    }
}

/// The statuses that reject a value of this key, of one of its alternatives, or of one key of a list.
fn rejects(document: &Value, key: &Value) -> Option<Statuses> {
    if let Value::List(keys) = key {
        return keys.iter().find_map(|key| rejects(document, key));
    }
    let key = document.get("keys")?.get(key.text()?)?;
    let unless = key.get("valid").and_then(|valid| valid.get("unless"));
    unless.map(|list| Statuses::read(list, false)).or_else(|| rejects(document, key.get("first_of")?))
}

impl Statuses {
    fn read(list: &Value, inverted: bool) -> Statuses {
        let Value::List(list) = list else { return Statuses { first_and_last: Vec::new(), inverted } };
        Statuses { first_and_last: list.iter().filter_map(range).collect(), inverted }
    }

    fn has(&self, status: u16) -> bool {
        self.first_and_last.iter().any(|(first, last)| (*first..=*last).contains(&status)) != self.inverted
    }
}

/// A status, or a class of them such as `5xx`.
fn range(entry: &Value) -> Option<(u16, u16)> {
    let class = |word: &str| word.strip_suffix("xx")?.parse::<u16>().ok();
    let first = match entry {
        Value::Number(status) => return Some((*status as u16, *status as u16)),
        entry => class(entry.text()?)? * 100,
    };
    Some((first, first + 99))
}
