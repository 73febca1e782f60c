//! `tollgate forgive`: the entry of a policy that gives a caller a fresh start.

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome};
use crate::policy_file::PolicyFile;
use clap::{ArgGroup, Args};
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::compile::{Configuration, compile};
use tollgate::config::{ConfigErrors, Value};
use tollgate::language::{configuration, forgive};
use tollgate::limiter::Limit;
use tollgate::rules::{Digest, Key, Policy, modifiers};
use tollgate::time::{Micros, SECOND, parse_instant, push_instant};

/// Print the entry of a policy that gives a caller a fresh start: its counts begin at zero, and a block ends
#[derive(Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("caller").required(true))]
pub struct Forgive {
    /// A policy, or an Envoy configuration with Tollgate filters; - for standard input
    file: String,
    /// The key by which the caller is known
    #[arg(long, value_name = "NAME")]
    key: String,
    /// Read the caller's value of the key from standard input, so that it is in no shell history: the whole value,
    /// without its authentication scheme
    #[arg(long, group = "caller")]
    value_stdin: bool,
    /// The SHA-256 of the value, as `tollgate hash` prints it
    #[arg(long, value_name = "HEX", group = "caller")]
    sha256: Option<String>,
    /// The value, if it is no secret, such as an address
    #[arg(long, value_name = "VALUE", group = "caller")]
    value: Option<String>,
    /// Only the counts of this policy
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Only the counts of this limit of the policy
    #[arg(long, value_name = "NAME", requires = "policy")]
    limit: Option<String>,
    /// What was counted before this instant does not count: RFC 3339, or now
    #[arg(long, value_name = "INSTANT", default_value = "now", value_parser = instant)]
    before: Micros,
}

const EXAMPLES: &str = "\
Add the entry to the list `forgive` of the policy, and load the policy. A value that may be a secret is printed
as its digest. Each entry takes effect once, so you may load the policy again and again. Remove the entry when
`tollgate check` says that it no longer has an effect.

Examples:
  tollgate forgive policy.yaml --key api_key --value-stdin < key.txt
  tollgate forgive policy.yaml --key client_ip --value 192.0.2.7 --policy login
  tollgate forgive policy.yaml --key api_key --sha256 \"$DIGEST\" --policy api --limit month --before 2026-11-29T10:00:00Z

Exit status: 0 if the entry is printed, 1 if the policy has errors, 2 if the entry would be an error.";

fn instant(text: &str) -> Result<Micros, String> {
    if text == "now" {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        return Ok(now.as_secs().saturating_mul(SECOND));
    }
    parse_instant(text)
        .ok_or_else(|| "write now, or RFC 3339 in whole seconds such as 2026-11-29T10:00:00Z".into())
}

/// The names and texts of an entry's fields.
type Entry = Vec<(&'static str, String)>;

/// What the caller is known by.
enum Known {
    Value(String),
    Digest(Digest),
}

impl Forgive {
    pub fn run(self) -> Result<Outcome, Failure> {
        if self.file == "-" && self.value_stdin {
            return Err(Failure::new("standard input can be the policy or the value, not both"));
        }
        let input = Input::read(&self.file)?;
        let file = match PolicyFile::read(&input.name, &input.text) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::invalid(input.error_report(&[error]))),
        };
        let mut sets = Vec::new();
        for policy in &file.policies {
            match (policy.compile(), &policy.value) {
                (Ok(set), Ok(value)) => sets.push((set, value)),
                (Err(errors), _) => {
                    return Ok(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors))));
                }
                (Ok(_), Err(_)) => {}
            }
        }
        let mut refused = None;
        for (set, value) in &sets {
            let Some(key) = set.rules.callers.keys.iter().find(|key| key.name == self.key) else { continue };
            let entry = self.entry(&self.known(key, scheme(value, &self.key))?);
            match compile(&with_only(value, &entry)) {
                Ok(forgiving) => return Ok(Outcome::success(self.print(&forgiving, &entry))),
                Err(errors) => refused = Some(errors),
            }
        }
        Err(refused.map_or_else(|| self.no_such_key(&sets), |errors| refusal(&errors)))
    }

    fn no_such_key(&self, sets: &[(Configuration, &Value)]) -> Failure {
        let keys = sets.iter().flat_map(|(set, _)| &set.rules.callers.keys);
        let keys: Vec<&str> = keys.map(|key| key.name.as_str()).collect();
        Failure::new(format!("--key: {} has no such key, but allowed is {}", self.file, keys.join(", ")))
    }

    fn known(&self, key: &Key, scheme: Option<&str>) -> Result<Known, Failure> {
        if let Some(digits) = &self.sha256 {
            let digest = Digest::parse(digits.strip_prefix("sha256:").unwrap_or(digits));
            return digest.map(Known::Digest).ok_or_else(|| {
                Failure::new("--sha256 wants 64 hexadecimal digits, as tollgate hash prints them")
            });
        }
        let value = match &self.value {
            Some(value) => value.clone().into_bytes(),
            None => read_value()?,
        };
        if let Some(scheme) = scheme.filter(|scheme| has_scheme(&value, scheme)) {
            return Err(Failure::new(format!(
                "the value begins with {scheme}: leave the scheme out, as the policy does"
            )));
        }
        let kind = key.source.kind();
        match String::from_utf8(value) {
            // A digest of an address would not say which network it is of.
            Ok(text) if kind.identifies_by_range || !kind.secret && self.value.is_some() => {
                Ok(Known::Value(text))
            }
            Ok(text) => {
                let value = key.value_of(&text);
                value
                    .map(|value| Known::Digest(Digest::of(&value)))
                    .ok_or_else(|| Failure::new("the key has no such value"))
            }
            Err(error) => Ok(Known::Digest(Digest::of(error.as_bytes()))),
        }
    }

    fn entry(&self, known: &Known) -> Entry {
        let (name, value) = match known {
            Known::Value(text) => (forgive::VALUE.name, text.clone()),
            Known::Digest(digest) => {
                (forgive::SHA256.name, digest.bytes().iter().map(|byte| format!("{byte:02x}")).collect())
            }
        };
        let mut before = String::new();
        push_instant(&mut before, self.before / SECOND);
        let optional = [(forgive::POLICY.name, &self.policy), (forgive::LIMIT.name, &self.limit)];
        let optional = optional.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        let fields = [(forgive::KEY.name, self.key.clone()), (name, value)].into_iter().chain(optional);
        let fields = fields.chain([(forgive::BEFORE.name, before)]);
        fields.collect()
    }

    fn print(&self, forgiving: &Configuration, entry: &Entry) -> String {
        let forgiven: Vec<_> = forgiving.rules.callers.forgive.iter().flat_map(|all| all.all()).collect();
        let is_forgiven = |limit: &Limit| forgiven.iter().any(|one| one.limit == limit.id);
        let names = |policy: &Policy| -> Vec<String> {
            let named = policy.limit_names.iter().zip(policy.limits());
            let limits = named
                .filter(|(_, limit)| is_forgiven(limit))
                .map(|(name, _)| format!("{}/{name}", policy.name));
            let blocks =
                policy.limits().iter().filter(|limit| limit.algorithm.blocks() && is_forgiven(limit));
            limits.chain(blocks.map(|_| format!("the block of {}", policy.name))).collect()
        };
        let names: Vec<String> = forgiving.rules.policies.iter().flat_map(names).collect();
        format!("# forgives: {}\n- {}\n", names.join(", "), in_one_line(entry))
    }
}

/// The authentication scheme before a key's value in the policy.
fn scheme<'v>(policy: &'v Value, key: &str) -> Option<&'v str> {
    policy.get(configuration::KEYS.name)?.get(key)?.get(modifiers::SCHEME.name).and_then(Value::text)
}

/// Whether a value begins with a scheme, as whoever copies a whole header has it.
fn has_scheme(value: &[u8], scheme: &str) -> bool {
    let found = value.split_at_checked(scheme.len());
    found.is_some_and(|(found, rest)| found.eq_ignore_ascii_case(scheme.as_bytes()) && rest.starts_with(b" "))
}

/// The value on standard input, without the line feed at its end.
fn read_value() -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    let read = std::io::stdin().read_to_end(&mut value);
    read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
    let value = value.strip_suffix(b"\n").unwrap_or(&value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    if value.is_empty() || value.contains(&b'\n') {
        return Err(Failure::new("standard input must have the value, a single line that is not empty"));
    }
    Ok(value.to_vec())
}

/// The policy with this as its only entry.
fn with_only(policy: &Value, entry: &Entry) -> Value {
    let Value::Object(fields) = policy else { return policy.clone() };
    let name = configuration::FORGIVE.name;
    let others = fields.iter().filter(|(own, _)| own != name).cloned();
    let entry = entry.iter().map(|(name, text)| ((*name).to_owned(), Value::Text(text.clone()))).collect();
    let forgive = (name.to_owned(), Value::List(vec![Value::Object(entry)]));
    Value::Object(others.chain([forgive]).collect())
}

fn refusal(errors: &ConfigErrors) -> Failure {
    let shown = errors.iter().map(|error| {
        let field = error.path().rsplit('.').next().unwrap_or_default();
        format!("--{field}: found {}, but allowed is {}", error.found(), error.allowed())
    });
    Failure::new(shown.collect::<Vec<_>>().join("\n          "))
}

/// A flow mapping in YAML. What could be anything but a name is in quotes.
fn in_one_line(entry: &Entry) -> String {
    const PLAIN: [&str; 3] = [forgive::KEY.name, forgive::POLICY.name, forgive::LIMIT.name];
    let field = |(name, text): &(&str, String)| match PLAIN.contains(name) && is_word(text) {
        true => format!("{name}: {text}"),
        false => format!("{name}: {}", Value::Text(text.clone()).to_json()),
    };
    format!("{{ {} }}", entry.iter().map(field).collect::<Vec<_>>().join(", "))
}

/// Whether YAML takes a name for a text, also without quotes.
fn is_word(text: &str) -> bool {
    const OTHERS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_other = OTHERS.contains(&text.to_ascii_lowercase().as_str());
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_other
}
