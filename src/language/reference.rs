//! The language as a page of Markdown: one table for each object.

use super::saying::VARIABLES;
use super::{Field, Kind, Need, Object, Range, Word, objects};

const HEAD: &str = "\
<!-- Made by `tollgate reference`; a test keeps it so. What it says is written in src/language/. -->

# The policy language

A policy file is YAML or JSON. `tollgate check FILE` tells whether it is sound, and what it does;
[`envoy/tollgate.schema.json`](../envoy/tollgate.schema.json) teaches it to an editor, with this as the file's first line:

```yaml
# yaml-language-server: $schema=https://…/tollgate.schema.json
```

In an Envoy file its YAML is read by Envoy's rules: `yes`, `no`, `on`, `off`, `y` and `n` are flags, `010` is 8, and `5.0`
is a text. Put names like these in quotes.
";

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    for object in objects() {
        page += &section(object);
    }
    page += &variables();
    page
}

fn variables() -> String {
    let mut section = String::from(
        "\n## Variables\n\nIn `body`, `message` and the `headers` of a rejection. In JSON the numbers may stand outside \
         of a text; within one, whatever they stand for is escaped. Any other braces are what they are.\n\n\
         | variable | stands for |\n|---|---|\n",
    );
    for variable in VARIABLES {
        let number = if variable.number { "a number: " } else { "" };
        section += &format!("| `{{{}}}` | {number}{} |\n", variable.name, variable.about);
    }
    section
}

fn section(object: &Object) -> String {
    let at = match object.at {
        "" => "The whole file".to_string(),
        at => at.split(", ").map(|at| format!("`{at}`")).collect::<Vec<_>>().join(", "),
    };
    let mut section = format!("\n## {}\n\n{at}. {}\n\n", heading(object.name), object.about);
    if !object.one_of.is_empty() {
        let names: Vec<_> = object.one_of.iter().map(|name| format!("`{name}`")).collect();
        section += &format!("Exactly one of {}.\n\n", names.join(", "));
    }
    section += "| field | what it may be | without it | meaning |\n|---|---|---|---|\n";
    for field in object.fields {
        section += &row(field);
    }
    section
}

fn row(field: &Field) -> String {
    let otherwise = match field.need {
        Need::Required => "it is required".to_string(),
        Need::Default("\"\"") => String::new(),
        Need::Default(json) => format!("`{}`", json.trim_matches('"')),
        Need::Else(otherwise) => otherwise.to_string(),
    };
    let (kind, about) = (kind(&field.kind), field.about);
    let cells = [format!("`{}`", field.name), kind, otherwise, about.to_string()];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn heading(name: &str) -> String {
    match name {
        "configuration" => "The configuration".into(),
        "retry_after" | "headers" | "table" | "tiers" | "names" | "valid" | "client_ip" => {
            format!("`{name}`")
        }
        "exception" => "An exception".into(),
        name => format!("A {name}"),
    }
}

/// The mark that a heading is linked by.
fn anchor(name: &str) -> String {
    heading(name).to_lowercase().replace('`', "").replace(' ', "-")
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Flag => "`true` or `false`".into(),
        Kind::Number(range) => number(range),
        Kind::Words(words) => in_words(words),
        Kind::Text(text) => text.what.into(),
        Kind::Statuses => "a list of statuses such as `401`, or classes of them such as `5xx`".into(),
        Kind::Object(name) => format!("[{}](#{})", heading(name).to_lowercase(), anchor(name)),
        Kind::List(of) => format!("a list of at least one: {}", self::kind(of)),
        Kind::AnyList(of) => format!("a list: {}", self::kind(of)),
        Kind::OneOrList(of) => format!("{}, or a list of them", self::kind(of)),
        Kind::Map { names, values } => format!("an object: {} → {}", names.what, self::kind(values)),
        Kind::Either(kinds) => kinds.iter().map(self::kind).collect::<Vec<_>>().join("; or "),
    }
}

fn number(range: &Range) -> String {
    let unit = if range.unit.is_empty() { String::new() } else { format!(" ({})", range.unit) };
    format!("{} to {}{unit}", range.min, range.max)
}

fn in_words(words: &[Word]) -> String {
    words.iter().map(|word| format!("`{}`: {}", word.word, word.about)).collect::<Vec<_>>().join("<br>")
}
