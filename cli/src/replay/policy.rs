//! The policy that is replayed: the one of the file, changed where the log knows something by another name.
//!
//! A key that the log has in a field of its own, or only as a pseudonym, becomes a header that only the replay
//! knows. So the engine reads it like any other.

use super::format::{Extra, MAX_EXTRAS, Mapping, Parser, Slot, Text};
use super::request::Layout;
use tollgate::config::Value;
use tollgate::rules::KeySource;

/// What stands before the names of these headers.
const OWN_HEADER: &str = "x-tollgate-replay-";

/// The fields of a key that stay when its source is replaced.
const KEPT: [&str; 3] = ["prefix", "valid", "same_as"];

/// Where the log has what its format does not say: pairs of a name and a field of the log.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What any field says.
    pub fields: Vec<(Slot, String)>,
    /// Keys of the policy.
    pub keys: Vec<(String, String)>,
    /// Request headers.
    pub headers: Vec<(String, String)>,
    /// Response headers.
    pub response_headers: Vec<(String, String)>,
    /// A format string of Envoy.
    pub pattern: Option<String>,
}

/// The mapping for a parser, and what its extra fields are.
pub struct Fields {
    /// For the parser.
    pub mapping: Mapping,
    keys: Vec<(String, Extra)>,
    headers: Vec<(String, Extra)>,
    response_headers: Vec<(String, Extra)>,
}

impl Fields {
    /// The fields that were given, and the headers that these policies ask for.
    ///
    /// # Errors
    /// There are too many.
    pub fn new(given: &Given, policies: &[&Value]) -> Result<Fields, String> {
        let mut fields = Fields {
            mapping: Mapping {
                fields: given.fields.clone(),
                pattern: given.pattern.clone(),
                ..Mapping::default()
            },
            keys: Vec::new(),
            headers: Vec::new(),
            response_headers: Vec::new(),
        };
        let mut extras = (0_u8..).map(Extra).take(MAX_EXTRAS);
        let too_many = || format!("more than {MAX_EXTRAS} fields");
        let lists = [(&given.keys, 0), (&given.headers, 1), (&given.response_headers, 2)];
        for (list, kind) in lists {
            for (name, field) in list {
                let extra = extras.next().ok_or_else(too_many)?;
                fields.mapping.fields.push((Slot::Text(Text::Extra(extra)), field.clone()));
                let known = [&mut fields.keys, &mut fields.headers, &mut fields.response_headers];
                if let Some(known) = known.into_iter().nth(kind) {
                    known.push((name.clone(), extra));
                }
            }
        }
        let (mut asked, mut reported) = (Vec::new(), Vec::new());
        policies.iter().for_each(|policy| names_of_headers(policy, &mut asked, &mut reported));
        let unknown = |known: &[(String, Extra)], name: &String| !known.iter().any(|(own, _)| own == name);
        for name in asked.into_iter().filter(|name| unknown(&fields.headers, name)) {
            fields.mapping.headers.extend(extras.next().map(|extra| (extra, name)));
        }
        for name in reported.into_iter().filter(|name| unknown(&fields.response_headers, name)) {
            fields.mapping.response_headers.extend(extras.next().map(|extra| (extra, name)));
        }
        Ok(fields)
    }

    /// What a parser of this mapping can say.
    pub fn layout(&self, parser: &Parser) -> Layout {
        let read = |list: &[(Extra, String)]| {
            let read = list.iter().filter(|(extra, _)| parser.reads(Slot::Text(Text::Extra(*extra))));
            read.map(|(extra, name)| (name.clone(), *extra)).collect::<Vec<_>>()
        };
        let keys = self.keys.iter().map(|(key, extra)| (own_header("key", key), *extra));
        let mut headers: Vec<_> = keys.chain(self.headers.clone()).collect();
        headers.extend(read(&self.mapping.headers));
        let mut response_headers = self.response_headers.clone();
        response_headers.extend(read(&self.mapping.response_headers));
        Layout { headers, response_headers, pseudonyms: Vec::new() }
    }
}

/// The name of a header that only the replay knows.
fn own_header(kind: &str, name: &str) -> String {
    format!("{OWN_HEADER}{kind}-{}", name.to_ascii_lowercase())
}

/// The request headers and the response headers that a policy names.
fn names_of_headers(value: &Value, asked: &mut Vec<String>, reported: &mut Vec<String>) {
    const OTHERWISE_KNOWN: [&str; 4] = ["host", "user-agent", "referer", "x-forwarded-for"];
    let add = |list: &mut Vec<String>, name: &str| {
        let name = name.to_ascii_lowercase();
        if !list.contains(&name) && !OTHERWISE_KNOWN.contains(&name.as_str()) {
            list.push(name);
        }
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("header", Value::Text(header)) => add(asked, header),
                    ("headers", Value::Object(headers)) => {
                        headers.iter().for_each(|(header, _)| add(asked, header));
                    }
                    ("cost_header" | "stock_header", Value::Text(header)) => add(reported, header),
                    ("cost_header" | "stock_header", object) => {
                        let name = object.get("name").or_else(|| object.get("header")).and_then(Value::text);
                        name.iter().for_each(|header| add(reported, header));
                    }
                    (_, _) => names_of_headers(value, asked, reported),
                }
            }
        }
        Value::List(list) => list.iter().for_each(|value| names_of_headers(value, asked, reported)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

/// The policy with the keys that were given. Those that are not in it are returned.
pub fn with_given_keys(policy: &mut Value, given: &Given) -> Vec<String> {
    let mut unknown = Vec::new();
    for (key, _) in &given.keys {
        match keys_of(policy).and_then(|keys| keys.iter_mut().find(|(name, _)| name == key)) {
            Some((_, source)) => *source = header_key(source, &own_header("key", key)),
            None => unknown.push(key.clone()),
        }
    }
    unknown
}

/// A key that reads this header instead.
fn header_key(key: &Value, header: &str) -> Value {
    let mut fields =
        vec![("header".to_string(), Value::from(header)), ("whole".to_string(), Value::Bool(true))];
    if let Value::Object(old) = key {
        fields.extend(old.iter().filter(|(name, _)| KEPT.contains(&name.as_str())).cloned());
    }
    Value::Object(fields)
}

/// The policy with the pseudonym of the log as the caller, in each of its policies with a key that the log does
/// not have. Also these policies, with the header that stands for the pseudonym.
pub fn with_pseudonyms(policy: &mut Value, layout: &Layout, has_query: bool) -> Vec<(String, String)> {
    let lacking = lacking(policy, layout, has_query);
    let mut pseudonyms = Vec::new();
    if let Some(Value::List(policies)) = field_mut(policy, "policies") {
        for one in policies {
            let Some(name) = one.get("name").and_then(Value::text).map(str::to_string) else { continue };
            let lacks = one.get("key").is_some_and(|key| lacks(key, &lacking));
            if let Some(key) = field_mut(one, "key").filter(|_| lacks) {
                let header = own_header("caller", &name);
                *key = Value::from(header.as_str());
                pseudonyms.push((header, name));
            }
        }
    }
    let keys =
        pseudonyms.iter().map(|(header, _)| (header.clone(), header_key(&Value::Object(Vec::new()), header)));
    let keys: Vec<_> = keys.collect();
    if let Some(known) = keys_of(policy) {
        known.extend(keys);
    }
    pseudonyms
}

/// The keys that no request of the log can have.
fn lacking(policy: &Value, layout: &Layout, has_query: bool) -> Vec<String> {
    let Some(Value::Object(keys)) = policy.get("keys") else { return Vec::new() };
    let has_header = |name: &str| {
        let name = name.to_ascii_lowercase();
        layout.headers.iter().any(|(header, _)| *header == name)
            || matches!(name.as_str(), "host" | "user-agent" | "referer" | "x-forwarded-for")
    };
    let lacks = |key: &Value| {
        let field = KeySource::NAMES.iter().find(|field| key.get(field).is_some());
        match field.copied() {
            Some("header") => !key.get("header").and_then(Value::text).is_some_and(has_header),
            Some("query") => !has_query,
            Some("cookie" | "metadata" | "route_metadata" | "certificate" | "consumer") => true,
            Some("first_of") | Some(_) | None => false,
        }
    };
    keys.iter().filter(|(_, key)| lacks(key)).map(|(name, _)| name.clone()).collect()
}

fn lacks(key: &Value, lacking: &[String]) -> bool {
    match key {
        Value::Text(name) => lacking.contains(name),
        Value::List(names) => names.iter().any(|name| lacks(name, lacking)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn keys_of(policy: &mut Value) -> Option<&mut Vec<(String, Value)>> {
    match field_mut(policy, "keys")? {
        Value::Object(keys) => Some(keys),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    }
}

fn field_mut<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    let Value::Object(fields) = value else { return None };
    fields.iter_mut().rev().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// The quota of a limit, which a replay varies.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The name of the policy.
    pub policy: String,
    /// The name of the limit; that of the only one, if none is given.
    pub limit: Option<String>,
    /// The tier, if each has a quota of its own.
    pub tier: Option<String>,
}

impl Target {
    /// Reads `policy`, `policy/limit` or `policy/limit/tier`.
    pub fn parse(text: &str) -> Target {
        let mut parts = text.splitn(3, '/').map(str::to_string);
        let policy = parts.next().unwrap_or_default();
        Target { policy, limit: parts.next(), tier: parts.next() }
    }

    /// As it was written.
    pub fn text(&self) -> String {
        let parts = [Some(&self.policy), self.limit.as_ref(), self.tier.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/")
    }

    /// The policy with another quota.
    ///
    /// # Errors
    /// It has no such limit.
    pub fn with_quota(&self, policy: &Value, quota: u32) -> Result<Value, String> {
        let mut changed = policy.clone();
        *self.quota(&mut changed)? = Value::Number(f64::from(quota));
        Ok(changed)
    }

    /// The quota as it stands in the policy, if it is a number.
    pub fn declared(&self, policy: &Value) -> Option<u32> {
        let mut policy = policy.clone();
        match self.quota(&mut policy) {
            Ok(Value::Number(_)) => {}
            Ok(_) | Err(_) => return None,
        }
        self.quota(&mut policy).ok()?.to_json().trim().parse().ok()
    }

    fn quota<'v>(&self, policy: &'v mut Value) -> Result<&'v mut Value, String> {
        let unknown = |what: &str, name: &str| format!("the policy file has no {what} {name}");
        let policies = match field_mut(policy, "policies") {
            Some(Value::List(policies)) => policies,
            Some(_) | None => return Err("the policy file has no policies".into()),
        };
        let named = |value: &Value, name: &str| value.get("name").and_then(Value::text) == Some(name);
        let one = policies.iter_mut().find(|policy| named(policy, &self.policy));
        let one = one.ok_or_else(|| unknown("policy", &self.policy))?;
        let Some(Value::List(limits)) = field_mut(one, "limits") else {
            return Err(unknown("limits in policy", &self.policy));
        };
        let is_only = limits.len() == 1;
        let wanted = |limit: &&mut Value| match &self.limit {
            Some(name) => named(limit, name) || is_only && name == "limit" && limit.get("name").is_none(),
            None => is_only,
        };
        let limit = limits.iter_mut().find(wanted).ok_or_else(|| match &self.limit {
            Some(name) => unknown("limit", &format!("{}/{name}", self.policy)),
            None => format!("policy {} has several limits: name one, as {}/LIMIT", self.policy, self.policy),
        })?;
        let quota = field_mut(limit, "quota").ok_or_else(|| unknown("quota in", &self.text()))?;
        match (&self.tier, quota) {
            (None, Value::Object(_)) => {
                Err(format!("{} has a quota for each tier: name one, as {}/TIER", self.text(), self.text()))
            }
            (None, quota) => Ok(quota),
            (Some(tier), quota) => field_mut(quota, tier).ok_or_else(|| unknown("quota of tier", tier)),
        }
    }
}
