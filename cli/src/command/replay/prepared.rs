//! Policies and logs, made ready for each other.

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome};
use crate::policy_file::PolicyFile;
use crate::replay::format::Extra;
use crate::replay::log::Log;
use crate::replay::policy::{Fields, Given, Target, with_given_keys, with_pseudonyms};
use crate::replay::request::Layout;
use crate::replay::run::Run;
use tollgate::compile::compile;
use tollgate::config::Value;

/// A policy that was read, and what it is called in messages.
pub struct Loaded {
    /// Its file.
    pub input: Input,
    /// Its tree of values.
    pub value: Value,
}

/// The policy of a file; as an outcome, its errors.
pub fn load(path: &str) -> Result<Result<Loaded, Outcome>, Failure> {
    let input = Input::read(path)?;
    let file = match PolicyFile::read(&input.name, &input.text) {
        Ok(file) => file,
        Err(error) => return Ok(Err(Outcome::invalid(input.error_report(&[error])))),
    };
    let [policy] = file.policies.as_slice() else {
        return Err(Failure::new(format!(
            "{} has several Tollgate filters: replay one at a time",
            input.name
        )));
    };
    match (policy.compile(), &policy.value) {
        (Ok(_), Ok(value)) => Ok(Ok(Loaded { value: value.clone(), input })),
        (Err(errors), _) => {
            Ok(Err(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors)))))
        }
        (Ok(_), Err(error)) => Err(Failure::new(error.to_string())),
    }
}

/// The logs, and how they are read.
pub struct Opened {
    layout: Layout,
    /// The fields that are read.
    pub fields: Fields,
    has_query: bool,
    has_pseudonyms: bool,
}

/// What the logs that were opened can say.
pub fn opened(log: &Log, fields: Fields) -> Opened {
    let mut layout = Layout::default();
    for one in log.parsers().map(|parser| fields.layout(parser)) {
        add_new(&mut layout.headers, one.headers);
        add_new(&mut layout.response_headers, one.response_headers);
    }
    let has_query = !log.formats().any(|(_, format)| format.without_query);
    Opened { layout, fields, has_query, has_pseudonyms: log.has_pseudonyms }
}

/// Adds the headers that are not known yet.
fn add_new(known: &mut Vec<(String, Extra)>, headers: Vec<(String, Extra)>) {
    for (name, extra) in headers {
        if !known.iter().any(|(own, _)| *own == name) {
            known.push((name, extra));
        }
    }
}

/// A policy, changed for the log.
pub struct Prepared {
    name: String,
    /// Its tree of values.
    pub value: Value,
    layout: Layout,
}

/// Changes a policy for the logs.
pub fn prepared(loaded: Loaded, given: &Given, opened: &Opened) -> Result<Prepared, Failure> {
    let Loaded { input, mut value } = loaded;
    let unknown = with_given_keys(&mut value, given);
    if let Some(key) = unknown.first() {
        return Err(Failure::new(format!("{} has no key {key}, which --key names", input.name)));
    }
    let mut layout = opened.layout.clone();
    if opened.has_pseudonyms {
        layout.pseudonyms = with_pseudonyms(&mut value, &layout, opened.has_query);
    }
    Ok(Prepared { name: input.name, value, layout })
}

impl Prepared {
    /// A run of a policy like this one.
    pub fn run(&self, value: &Value, max_callers: usize) -> Result<Run, Failure> {
        let configuration = compile(value).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::new(format!("{} cannot be replayed like this: {}", self.name, errors.join("; ")))
        })?;
        Ok(Run::new(&configuration, self.layout.clone(), max_callers))
    }

    /// The policy with another quota. Its callers are not told apart.
    pub fn with_quota(&self, target: &Target, quota: u32) -> Result<Run, Failure> {
        self.run(&target.with_quota(&self.value, quota).map_err(Failure::new)?, 0)
    }
}
