//! A policy as it stands in the editor: its problems in their lines, what it does in words, and its variants.

use std::fmt::Write as _;
use tollgate::compile::{Configuration, compile};
use tollgate::config::Value;
use tollgate::language::{configuration, limit, policy};
use tollgate::limiter::Algorithm;
use tollgate_cli::describe::summary;
use tollgate_cli::explain::enforced;
use tollgate_cli::policy_file::PolicyFile;

/// The longest text that is read. The page stays quick, whatever is pasted into it.
pub const MAX_TEXT: usize = 256 * 1024;

/// An error or a warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// From 1; `None` if it is not known.
    pub line: Option<usize>,
    /// Whether it is an error. Otherwise it is a warning.
    pub is_error: bool,
    /// What it says.
    pub text: String,
}

/// A policy that was read.
pub struct Policy {
    value: Value,
    /// As the share of callers meets it that it is enforced for.
    pub configuration: Configuration,
    /// Its warnings.
    pub warnings: Vec<Finding>,
}

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// All its errors.
    pub fn read(text: &str) -> Result<Policy, Vec<Finding>> {
        let error = |line, text: String| Finding { line, is_error: true, text };
        if text.len() > MAX_TEXT {
            let found = format!("found {} bytes; allowed: at most {MAX_TEXT}", text.len());
            return Err(vec![error(None, found)]);
        }
        let file = PolicyFile::read("policy.yaml", text)
            .map_err(|located| vec![error(located.line, located.item.to_string())])?;
        let Some(source) = file.policies.first() else {
            return Err(vec![error(None, "found no policy".into())]);
        };
        let configuration = source.compile().map_err(|errors| {
            let located = file.locate_errors(source, &errors);
            located.into_iter().map(|one| error(one.line, one.item.to_string())).collect::<Vec<_>>()
        })?;
        // There is no clock here. Entries of `forgive` that are over are none before all time.
        let warnings = file.warnings(source, &configuration, 0).into_iter();
        let warnings =
            warnings.map(|one| Finding { line: one.line, is_error: false, text: one.item.to_string() });
        let warnings = warnings.collect();
        let value = source.value.clone().unwrap_or(Value::Null);
        Ok(Policy { value, configuration: enforced(&configuration), warnings })
    }

    /// What it does, in words.
    pub fn words(&self) -> String {
        let summary = summary(&self.configuration);
        let mut text = String::new();
        for policy in &summary.policies {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{}: {}", policy.name, policy.applies);
            for line in policy.limits.iter().chain(&policy.notes) {
                let _ = writeln!(text, "  {line}");
            }
        }
        for (topic, words) in &summary.general {
            let _ = writeln!(text, "{topic}: {words}");
        }
        text
    }

    /// The names of its limits, as `policy` or `policy/limit`.
    pub fn limits(&self) -> Vec<(usize, usize, String)> {
        let of_policy = |(number, policy): (usize, &tollgate::rules::Policy)| {
            let names = &policy.limit_names;
            let several = names.len() > 1;
            let name = |(limit, own): (usize, &String)| {
                let name = if several { format!("{}/{own}", policy.name) } else { policy.name.clone() };
                (number, limit, name)
            };
            names.iter().enumerate().map(name).collect::<Vec<_>>()
        };
        self.configuration.rules.policies.iter().enumerate().flat_map(of_policy).collect()
    }

    /// The same policy with each algorithm that its limit could have, by the algorithm's word.
    pub fn variants(&self, policy: usize, limit: usize) -> Vec<(&'static str, Configuration)> {
        let variant = |word: &'static str| {
            let mut value = self.value.clone();
            let fields = field(&mut value, configuration::POLICIES.name, policy)
                .and_then(|one| field(one, policy::LIMITS.name, limit))?;
            let Value::Object(fields) = fields else { return None };
            fields.retain(|(name, _)| KEPT.contains(&name.as_str()));
            fields.push((limit::ALGORITHM.name.into(), Value::from(word)));
            Some((word, enforced(&compile(&value).ok()?)))
        };
        Algorithm::WORDS.0.iter().filter_map(|word| variant(word.word)).collect()
    }
}

/// The fields of a limit that every algorithm has.
const KEPT: [&str; 5] =
    [limit::NAME.name, limit::QUOTA.name, limit::WINDOW.name, limit::MESSAGE.name, limit::QUOTA_FROM.name];

fn field<'a>(value: &'a mut Value, list: &str, number: usize) -> Option<&'a mut Value> {
    let Value::Object(fields) = value else { return None };
    let (_, list) = fields.iter_mut().find(|(name, _)| name == list)?;
    let Value::List(list) = list else { return None };
    list.get_mut(number)
}
