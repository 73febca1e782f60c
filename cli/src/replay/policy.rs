//! The policy that is replayed: the one of the file, changed where the log knows something by another name.
//!
//! A key that the log has in a field of its own, or only as a pseudonym, becomes a header that only the replay
//! knows. So the engine reads it like any other.

use super::format::{Extra, MAX_EXTRAS, Mapping, Parser, Slot, Text};
use super::request::Layout;
use tollgate::config::Value;
use tollgate::language::{configuration, cost_header, limit, policy};
use tollgate::rules::modifiers;

/// What stands before the names of these headers.
const OWN_HEADER: &str = "x-tollgate-replay-";

/// The fields of a key that stay when its source is replaced.
const KEPT: [&str; 3] = [modifiers::PREFIX.name, modifiers::VALID.name, modifiers::SAME_AS.name];

/// The source of a key that is a request header. A match asks for headers by the other name.
const HEADER: &str = "header";
const HEADERS: &str = "headers";

/// What a log can say of a key with each source. A test holds the names against those of the language.
const SOURCES: &[(&str, InLog)] = &[
    (HEADER, InLog::Header),
    ("query", InLog::Query),
    ("cookie", InLog::Never),
    ("metadata", InLog::Never),
    ("route_metadata", InLog::Never),
    ("certificate", InLog::Never),
    ("consumer", InLog::Never),
    ("client_ip", InLog::Always),
    ("host", InLog::Always),
    ("path", InLog::Always),
    ("request", InLog::Always),
    ("constant", InLog::Always),
    // Its keys are looked at one by one.
    ("first_of", InLog::Always),
];

/// Whether a log has the values of a key.
#[derive(Clone, Copy)]
enum InLog {
    /// As far as the log has what every log may have.
    Always,
    /// If it has this header.
    Header,
    /// If it has queries.
    Query,
    /// No log has them.
    Never,
}

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

impl Fields {
    /// The fields that were given for keys and headers.
    pub fn given_extras(&self) -> Vec<Extra> {
        let all = self.keys.iter().chain(&self.headers).chain(&self.response_headers);
        all.map(|(_, extra)| *extra).collect()
    }

    /// The name in the log of a field that was given.
    pub fn name_of(&self, extra: Extra) -> Option<&str> {
        let slot = Slot::Text(Text::Extra(extra));
        self.mapping.fields.iter().find(|(own, _)| *own == slot).map(|(_, name)| name.as_str())
    }
}

/// The name of a header that only the replay knows.
fn own_header(kind: &str, name: &str) -> String {
    format!("{OWN_HEADER}{kind}-{}", name.to_ascii_lowercase())
}

/// Headers that a log has without being asked for them.
const OTHERWISE_KNOWN: [&str; 4] = ["host", "user-agent", "referer", "x-forwarded-for"];

/// The request headers and the response headers that a policy names.
fn names_of_headers(value: &Value, asked: &mut Vec<String>, reported: &mut Vec<String>) {
    const REPORTS: [&str; 2] = [policy::COST_HEADER.name, policy::STOCK_HEADER.name];
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
                    (HEADER, Value::Text(header)) => add(asked, header),
                    (HEADERS, Value::Object(headers)) => {
                        headers.iter().for_each(|(header, _)| add(asked, header));
                    }
                    (name, Value::Text(header)) if REPORTS.contains(&name) => add(reported, header),
                    (name, object) if REPORTS.contains(&name) => {
                        let name = object.get(cost_header::NAME.name).and_then(Value::text);
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
    let mut fields = vec![
        (HEADER.to_string(), Value::from(header)),
        (modifiers::WHOLE.name.to_string(), Value::Bool(true)),
    ];
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
    if let Some(Value::List(policies)) = field_mut(policy, configuration::POLICIES.name) {
        for one in policies {
            let Some(name) = one.get(policy::NAME.name).and_then(Value::text).map(str::to_string) else {
                continue;
            };
            let lacks = one.get(policy::KEY.name).is_some_and(|key| lacks(key, &lacking));
            if let Some(key) = field_mut(one, policy::KEY.name).filter(|_| lacks) {
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
    let Some(Value::Object(keys)) = policy.get(configuration::KEYS.name) else { return Vec::new() };
    let has_header = |name: &str| {
        let name = name.to_ascii_lowercase();
        layout.headers.iter().any(|(header, _)| *header == name) || OTHERWISE_KNOWN.contains(&name.as_str())
    };
    let lacks = |key: &Value| {
        let source = SOURCES.iter().find(|(field, _)| key.get(field).is_some());
        match source.map(|(_, in_log)| in_log) {
            Some(InLog::Header) => !key.get(HEADER).and_then(Value::text).is_some_and(has_header),
            Some(InLog::Query) => !has_query,
            Some(InLog::Never) => true,
            Some(InLog::Always) | None => false,
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
    match field_mut(policy, configuration::KEYS.name)? {
        Value::Object(keys) => Some(keys),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    }
}

fn field_mut<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    let Value::Object(fields) = value else { return None };
    fields.iter_mut().rev().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// The name of a limit that has none, because it is the only one.
const ONLY: &str = "limit";

/// The names in a list of policies or limits, for messages.
fn names(list: &[Value]) -> String {
    let names = list.iter().map(|one| one.get(limit::NAME.name).and_then(Value::text).unwrap_or(ONLY));
    format!("; it has {}", names.collect::<Vec<_>>().join(", "))
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
        let policies = match field_mut(policy, configuration::POLICIES.name) {
            Some(Value::List(policies)) => policies,
            Some(_) | None => return Err("the policy file has no policies".into()),
        };
        let named =
            |value: &Value, name: &str| value.get(limit::NAME.name).and_then(Value::text) == Some(name);
        let names = names(policies);
        let one = policies.iter_mut().find(|policy| named(policy, &self.policy));
        let one = one.ok_or_else(|| unknown("policy", &self.policy) + &names)?;
        let Some(Value::List(limits)) = field_mut(one, policy::LIMITS.name) else {
            return Err(unknown("limits in policy", &self.policy));
        };
        let names = self::names(limits);
        let is_only = limits.len() == 1;
        let wanted = |limit: &&mut Value| match &self.limit {
            Some(name) => {
                named(limit, name) || is_only && name == ONLY && limit.get(limit::NAME.name).is_none()
            }
            None => is_only,
        };
        let limit = limits.iter_mut().find(wanted).ok_or_else(|| match &self.limit {
            Some(name) => unknown("limit", &format!("{}/{name}", self.policy)) + &names,
            None => format!("policy {} has several limits: name one, as {}/LIMIT", self.policy, self.policy),
        })?;
        let quota = field_mut(limit, limit::QUOTA.name).ok_or_else(|| unknown("quota in", &self.text()))?;
        match (&self.tier, quota) {
            (None, Value::Object(_)) => {
                Err(format!("{} has a quota for each tier: name one, as {}/TIER", self.text(), self.text()))
            }
            (None, quota) => Ok(quota),
            (Some(tier), quota) => field_mut(quota, tier).ok_or_else(|| unknown("quota of tier", tier)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate::language::request_match;
    use tollgate::rules::KeySource;

    #[test]
    fn it_is_known_of_each_source_of_keys_whether_a_log_has_it() {
        let mut known: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        let mut names = KeySource::NAMES.to_vec();
        known.sort_unstable();
        names.sort_unstable();
        assert_eq!(known, names);
        assert!(request_match::OBJECT.names.contains(&HEADERS));
    }
}
