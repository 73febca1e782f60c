//! What the page says, as JSON: its fields, with clear errors.

use std::fmt;
use tollgate::config::Value;

/// What is wrong with what the page says.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    field: String,
    what: String,
}

impl Problem {
    /// A problem of a field; an empty name stands for the whole.
    pub fn new(field: &str, what: &str) -> Problem {
        Problem { field: field.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.what),
            field => write!(f, "{field}: {}", self.what),
        }
    }
}

/// The fields of an object.
pub struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    /// Those of this object.
    ///
    /// # Errors
    /// It is none.
    pub fn new(value: &'a Value) -> Result<Fields<'a>, Problem> {
        match value {
            Value::Object(_) => Ok(Fields(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                Err(Problem::new("", "allowed: an object"))
            }
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| **value != Value::Null)
    }

    /// A number in a range, or what holds without it.
    ///
    /// # Errors
    /// It is no number of the range.
    pub fn number(&self, name: &str, default: f64, min: f64, max: f64) -> Result<f64, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Number(number)) if *number >= min && *number <= max => Ok(*number),
            Some(_) => Err(Problem::new(name, &format!("allowed: a number from {min} to {max}"))),
        }
    }

    /// A whole number in a range, or what holds without it.
    ///
    /// # Errors
    /// It is no whole number of the range.
    pub fn whole(&self, name: &str, default: u32, min: u32, max: u32) -> Result<u32, Problem> {
        let number = self.number(name, default.into(), min.into(), max.into())?;
        if number.fract() == 0.0 {
            return Ok(number as u32);
        }
        Err(Problem::new(name, "allowed: a whole number"))
    }

    /// A text, or what holds without it.
    ///
    /// # Errors
    /// It is no text.
    pub fn text(&self, name: &str, default: &'a str) -> Result<&'a str, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.text().ok_or_else(|| Problem::new(name, "allowed: a text")),
        }
    }

    /// The elements of a list; none without it.
    fn list(&self, name: &str) -> Result<&'a [Value], Problem> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::List(list)) => Ok(list),
            Some(_) => Err(Problem::new(name, "allowed: a list")),
        }
    }

    /// Headers such as `x-cost: 3`, with lower-case names.
    ///
    /// # Errors
    /// It is no list of such texts.
    pub fn headers(&self, name: &str) -> Result<Vec<(String, String)>, Problem> {
        let header = |value: &Value| {
            let (name, value) = value.text()?.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let wrong = || Problem::new(name, "allowed: headers such as 'authorization: Bearer key'");
        self.list(name)?.iter().map(|value| header(value).ok_or_else(wrong)).collect()
    }

    /// Whole numbers, at most `max` of them.
    ///
    /// # Errors
    /// It is no list of such numbers.
    pub fn counts(&self, name: &str, max: usize) -> Result<Vec<u32>, Problem> {
        let list = self.list(name)?;
        if list.len() > max {
            return Err(Problem::new(name, &format!("allowed: at most {max} numbers")));
        }
        let count = |value: &Value| match value {
            Value::Number(number) if *number >= 0.0 && *number <= 1e6 => Some(*number as u32),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
            Value::List(_) | Value::Object(_) => None,
        };
        let wrong = || Problem::new(name, "allowed: numbers from 0 to 1000000");
        list.iter().map(|value| count(value).ok_or_else(wrong)).collect()
    }
}
