//! The language as a page of Markdown: one table for each object.

use super::saying::VARIABLES;
use super::texts::ALL;
use super::{Field, Kind, Need, Object, Range, Word, objects};

const HEAD: &str = r#"<!-- Made by `tollgate reference`; a test keeps it so. What it says is written in src/language/. -->

# The policy language

A policy file names **keys**, ways to tell callers apart, and has **policies**: which requests, whose, and how many. All else is optional.

```yaml
keys:
  api_key: { header: authorization, scheme: Bearer }
policies:
  - name: api
    key: api_key
    limits: [{ quota: 300, window: 60s }]
```

[How do I …](how-do-i.md) has whole files for common wishes, [`kitchen-sink.yaml`](../envoy/policies/kitchen-sink.yaml) has every field once.

- Each table below is an object: its fields, what they may be, and what is so without them. `null` is the same as leaving a field out.
- A field that there is not, or that would be without effect where it stands, is a error. All errors are told at once, each with its place, what
  was found and what is allowed: `tollgate check FILE` tells them with their lines, and says in words what a sound file does.
- [`envoy/tollgate.schema.json`](../envoy/tollgate.schema.json) teaches the language to an editor. The file's first line names it:
  `# yaml-language-server: $schema=…/tollgate.schema.json`

## Words that need quotes

A policy is YAML or JSON. YAML is read as Envoy reads it, also by `tollgate`, and Envoy takes some values for something else than a text:

| written without quotes | is |
|---|---|
| `yes`, `no`, `on`, `off`, `y`, `n`, `true`, `false`, also as `No` or `NO` | true or false: a tier, a key or a code of such a name needs quotes wherever it is a value |
| `null`, `~`, nothing at all | as if the field were not there |
| `42`, `-1`, `0x10`, and `010`, which is 8 | a number |
| `5.0`, `1e3`, `1_000` | a text, and so no quota |
| a text that begins with `*`, `{`, `[`, `&`, `!`, `>`, `%`, `@` or a quote, or has `: ` or ` #` in it | a error, or cut short: `"*.example.com"` |
| within `{ … }` or `[ … ]` also a text with `,`, `{`, `}`, `[` or `]` | a error: `{ path: "/v1/invoices/{id}" }` |

The name of a field is what is written: `quota: { no: 10, on: 300 }` is for the tiers `no` and `on`, whose list is `names: ["no", "on"]`.
Of a name that is there twice Envoy takes the last, and `tollgate check` tells.

## Values

What the tables call by these names:

| | |
|---|---|
"#;

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    for form in ALL {
        page += &format!("| {} | {} |\n", form.name, cell(form.what));
    }
    page += &format!("| statuses | {STATUSES} |\n");
    for object in objects() {
        page += &section(object);
    }
    page += &variables();
    page
}

const STATUSES: &str =
    "a list of 1 or more: statuses such as `401`, from 100 to 599, and classes of them such as `5xx`";

fn variables() -> String {
    let mut section = String::from(
        "\n## Variables\n\n`{word}` in a template. Any other brace is what it is, so JSON needs no escapes of its own; a word that there is not is \
         a error.\n\n\
         - In JSON, what a variable in quotes stands for is escaped. Without quotes only the numbers may stand. A body that would not be JSON is \
         a error.\n\
         - In a header only visible ASCII characters and blanks are sent, all others are left out.\n\n\
         | variable | stands for | is |\n|---|---|---|\n",
    );
    for variable in VARIABLES {
        let kind = if variable.number { "a number" } else { "a text" };
        section += &format!("| `{{{}}}` | {} | {kind} |\n", variable.name, cell(variable.about));
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
        Need::Required => "**required**".to_string(),
        Need::Default(json) => format!("`{}`", json.trim_matches('"')),
        Need::Else(otherwise) => otherwise.to_string(),
    };
    let meaning = format!("{}{}", field.about, words(&field.kind));
    let cells = [format!("`{}`", field.name), kind(&field.kind), otherwise, meaning];
    format!("| {} |\n", cells.map(|text| cell(&text)).join(" | "))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn heading(name: &str) -> String {
    match name {
        "configuration" => "The configuration".into(),
        "retry_after" | "headers" | "table" | "tiers" | "names" | "valid" | "client_ip" | "paths" => {
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
        Kind::Words(words) => {
            words.iter().map(|word| format!("`{}`", word.word)).collect::<Vec<_>>().join(", ")
        }
        Kind::Text(text) => text.name.into(),
        Kind::Statuses => "statuses".into(),
        Kind::Object(name) => format!("[{}](#{})", heading(name).to_lowercase(), anchor(name)),
        Kind::List(of) => format!("list of 1 or more: {}", self::kind(of)),
        Kind::AnyList(of) => format!("list: {}", self::kind(of)),
        Kind::OneOrList(of) => format!("{}; or a list of 1 or more", self::kind(of)),
        Kind::Map { names, values } => format!("object: {} → {}", names.name, self::kind(values)),
        Kind::Either(kinds) => kinds.iter().map(self::kind).collect::<Vec<_>>().join("; or "),
    }
}

fn number(range: &Range) -> String {
    format!("{} to {} {}", range.min, range.max, range.unit).trim_end().into()
}

/// What each of the words means, a line each.
fn words(kind: &Kind) -> String {
    let line = |word: &Word| format!("<br>`{}`: {}", word.word, word.about);
    match kind {
        Kind::Words(words) => words.iter().map(line).collect(),
        Kind::Either(kinds) => kinds.iter().map(self::words).collect(),
        Kind::Flag
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Statuses
        | Kind::Object(_)
        | Kind::List(_)
        | Kind::AnyList(_)
        | Kind::OneOrList(_)
        | Kind::Map { .. } => String::new(),
    }
}
