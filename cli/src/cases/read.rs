//! Reads a test file by its declarations, and finds all errors in it.

use super::language::{
    LEFT_UNITS, MAX_REQUESTS, MAX_SPAN, Moment, NO_ANSWER, answer, body, case, expect, file, row, value,
};
use super::{Answer, Case, Expected, ExpectedBody, ExpectedHeader, ExpectedLeft, Parts, Row, TestFile};
use std::cell::{Cell, RefCell};
use tollgate::compile::Configuration;
use tollgate::config::{Composite, ConfigErrors, Field, Fields, Number, Reader, Value, all, field_path};
use tollgate::http::{Request, SampleRequest};
use tollgate::rules::source::CERTIFICATE_FIELDS;
use tollgate::time::Micros;

/// A status.
const STATUS: Number<u16> = Number::new(100, 599, "");

impl TestFile {
    /// Reads a test file about this policy.
    ///
    /// # Errors
    /// Every error, each with its path, what was found there and what is allowed.
    pub fn read(file: &Value, set: &Configuration) -> Result<TestFile, ConfigErrors> {
        let errors = RefCell::new(ConfigErrors::default());
        let reading = Reading { set, sent: Cell::new(0) };
        let read = reading.file(&Reader::root(file, &errors));
        let errors = errors.into_inner();
        match read {
            Some(file) if errors.is_empty() => Ok(file),
            Some(_) | None => Err(errors),
        }
    }
}

struct Reading<'a> {
    set: &'a Configuration,
    /// How many requests the cases send that have been read.
    sent: Cell<u64>,
}

impl Reading<'_> {
    fn file(&self, root: &Reader<'_>) -> Option<TestFile> {
        let fields = root.fields(&file::OBJECT)?;
        let _ = (fields.get_optional(&file::POLICY), fields.get_optional(&file::FILTER));
        let at = fields.get(&file::AT);
        let has_start = fields.present(&file::AT).is_some();
        let entries = fields.needed(&file::CASES)?.non_empty_list(file::CASES.kind.allowed)?;
        let cases = entries.iter().enumerate().map(|(index, entry)| {
            self.case(entry, format!("{}[{index}]", file::CASES.name), at.unwrap_or_default(), has_start)
        });
        let cases = all(cases)?;
        let mut names = std::collections::HashSet::new();
        for (entry, case) in entries.iter().zip(&cases) {
            if !names.insert(case.name.as_str()) {
                entry.field(case::NAME.name).error_found::<()>(
                    &format!("a second case with the name {:?}", case.name),
                    "another name for each case",
                );
            }
        }
        Some(TestFile { cases })
    }

    fn case(&self, entry: &Reader<'_>, path: String, start: Micros, has_start: bool) -> Option<Case> {
        let fields = entry.fields(&case::OBJECT)?;
        let (name, at) = (fields.get(&case::NAME), fields.get_optional(&case::AT)?);
        let start_of_case = at.unwrap_or(start);
        let entries = fields.needed(&case::REQUESTS)?.non_empty_list(case::REQUESTS.kind.allowed)?;
        // Each begins after the one before.
        let mut before = 0;
        let mut rows = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let row =
                self.row(entry, format!("{path}.{}[{index}]", case::REQUESTS.name), start_of_case, before);
            before = row.as_ref().map_or(before, Row::end);
            rows.push(row);
        }
        let has_start = has_start || at.is_some();
        Some(Case { name: name?, path, start: start_of_case, has_start, rows: all(rows)? })
    }

    fn row(&self, entry: &Reader<'_>, path: String, start: Micros, before: Micros) -> Option<Row> {
        let fields = entry.fields(&row::OBJECT)?;
        let request = request(&fields);
        let (times, every) = (fields.get(&row::TIMES), fields.get(&row::EVERY));
        let admitted = fields.get_optional(&row::ADMITTED);
        let begin = begin(&fields, start, before);
        let answer = answer_of(&fields);
        let each = self.expected(&fields, &row::EXPECT, &path);
        let last = self.expected(&fields, &row::LAST, &path);
        let (times, every, begin) = (times?, every?, begin?);
        let sent = self.sent.get().saturating_add(times.into());
        self.sent.set(sent);
        if sent > MAX_REQUESTS.into() {
            let found = format!("request number {sent} of the file");
            return fields
                .about(&row::TIMES)
                .error_found(&found, &format!("at most {MAX_REQUESTS} requests in a file"));
        }
        let admitted = admitted?;
        if let Some(more) = admitted.filter(|admitted| *admitted > times) {
            let found = format!("{more} of {times} requests");
            return fields.about(&row::ADMITTED).error_found(&found, "at most as many as times");
        }
        let answer = answer?;
        let last_ends =
            every.saturating_mul(u64::from(times) - 1).saturating_add(begin).saturating_add(answer.after);
        if last_ends > MAX_SPAN {
            return entry.error_found(
                "a request that ends more than 3660d after the start of its case",
                "at most 3660d",
            );
        }
        let (line, request, parts) = request?;
        let (each, last) = (each?, last?);
        Some(Row { path, line, request, parts, times, every, begin, answer, each, last, admitted })
    }

    fn expected(&self, row: &Fields<'_>, field: &Field<Composite>, path: &str) -> Option<Expected> {
        let path = field_path(path, field.name);
        let Some(at) = row.present(field) else { return Some(Expected { path, ..Expected::default() }) };
        let fields = at.fields(&expect::OBJECT)?;
        let admitted = fields.get_optional(&expect::DECISION);
        let names: Vec<&str> = self.set.rules.policies.iter().map(|policy| policy.name.as_str()).collect();
        let policy = |at: &Reader<'_>| match at.is_text() {
            true => {
                let name = at.text("")?;
                let found = names.iter().position(|known| *known == name);
                found.map(|index| (index, name.to_owned())).or_else(|| at.error_among(&names))
            }
            false => at.error_among(&names),
        };
        let rejected_by = fields.get_optional_with(&expect::REJECTED_BY, policy);
        let status = fields.get_optional(&expect::STATUS);
        let headers = fields.get_optional_with(&expect::HEADERS, |at| {
            all(at.named_entries(expect::HEADERS.kind.allowed)?.iter().map(header))
        });
        let body = fields.get_optional_with(&expect::BODY, expected_body);
        let left = fields.get_optional_with(&expect::LEFT, |at| {
            all(at.named_entries(expect::LEFT.kind.allowed)?.iter().map(|entry| self.left(entry)))
        });
        let shadows = fields.get_optional_with(&expect::SHADOW_REJECTED_BY, |at| {
            let list = at.list(expect::SHADOW_REJECTED_BY.kind.allowed)?;
            all(list.iter().map(|entry| policy(entry).map(|(_, name)| name)))
        });
        let (admitted, rejected_by) = (admitted?, rejected_by?);
        if let (Some(true), Some(_)) = (admitted, &rejected_by) {
            return fields
                .about(&expect::REJECTED_BY)
                .error_found("a policy that rejects what is admitted", "only one of them");
        }
        Some(Expected {
            path,
            admitted,
            rejected_by,
            status: status?,
            headers: headers?.unwrap_or_default(),
            body: body?,
            left: left?.unwrap_or_default(),
            shadow_rejected_by: shadows?,
        })
    }

    /// What is left of a limit, which the name of this field refers to.
    fn left(&self, entry: &Reader<'_>) -> Option<ExpectedLeft> {
        let mut known = Vec::new();
        for (index, policy) in self.set.rules.policies.iter().enumerate() {
            for (limit, name) in policy.limit_names.iter().enumerate() {
                known.push((format!("{}/{name}", policy.name), index, limit));
            }
            if policy.limit_names.len() == 1 {
                known.push((policy.name.clone(), index, 0));
            }
        }
        let found = known.iter().find(|(name, ..)| name == entry.name());
        let units = entry.read(LEFT_UNITS);
        let Some((name, policy, limit)) = found else {
            let names: Vec<&str> = known.iter().map(|(name, ..)| name.as_str()).collect();
            return entry.error_word(&format!("the limit {:?}", entry.name()), entry.name(), &names);
        };
        Some(ExpectedLeft { name: name.clone(), policy: *policy, limit: *limit, units: units? })
    }
}

impl Row {
    /// When its last request is sent, since the start of the case.
    pub fn end(&self) -> Micros {
        self.every.saturating_mul(u64::from(self.times).saturating_sub(1)).saturating_add(self.begin)
    }
}

/// When the first request of a row is sent, since the start of the case.
fn begin(fields: &Fields<'_>, start: Micros, before: Micros) -> Option<Micros> {
    let (at, wait) = (fields.get_optional(&row::AT), fields.get_optional(&row::WAIT));
    let begin = match (at?, wait?) {
        (None, wait) => before.saturating_add(wait.unwrap_or_default()),
        (Some(Moment::After(time)), _) => time,
        (Some(Moment::At(instant)), _) => match instant.checked_sub(start) {
            Some(since) => since,
            None => {
                return fields.about(&row::AT).error_found(
                    "an instant before the start of the case",
                    "the start of the case or later",
                );
            }
        },
    };
    if begin > MAX_SPAN {
        return fields
            .about(&row::AT)
            .error_found("an instant more than 3660d after the start of its case", "at most 3660d");
    }
    Some(begin)
}

fn request(fields: &Fields<'_>) -> Option<(String, SampleRequest, Parts)> {
    let request = fields.get(&row::REQUEST);
    let client_ip = fields.get(&row::CLIENT_IP);
    let host = fields.get_optional(&row::HOST);
    let headers = pairs(fields, &row::HEADERS);
    let route = fields.get_optional(&row::ROUTE);
    let (metadata, of_route) = (pairs(fields, &row::METADATA), pairs(fields, &row::ROUTE_METADATA));
    let certificate = fields.get_optional_with(&row::CERTIFICATE, |at| {
        let words: Vec<&str> = CERTIFICATE_FIELDS.0.iter().map(|word| word.word).collect();
        all(at.named_entries(row::CERTIFICATE.kind.allowed)?.iter().map(|entry| {
            let field = CERTIFICATE_FIELDS.0.iter().find(|word| word.word == entry.name());
            let text = entry.text("text");
            match field {
                Some(field) => Some((field.means, text?.to_owned())),
                None => entry.error_word("an unknown field", entry.name(), &words),
            }
        }))
    });
    let (client_ip, host, headers, route) = (client_ip?, host?, headers?, route?);
    let (metadata, of_route, certificate) = (metadata?, of_route?, certificate?.unwrap_or_default());
    let has_context =
        route.is_some() || !metadata.is_empty() || !of_route.is_empty() || !certificate.is_empty();
    let mut request = request?.from_client(client_ip);
    let text = |request: &SampleRequest, name| {
        String::from_utf8_lossy(&request.header(name).unwrap_or_default()).into_owned()
    };
    let (method, target) = (text(&request, ":method"), text(&request, ":path"));
    if let Some(host) = &host {
        request = request.with_header(":authority", host);
    }
    request = headers.iter().fold(request, |request, (name, value)| request.with_header(name, value));
    request =
        metadata.iter().fold(request, |request, (path, value)| request.with_metadata(path.split('/'), value));
    request = of_route
        .iter()
        .fold(request, |request, (path, value)| request.with_route_metadata(path.split('/'), value));
    request =
        certificate.iter().fold(request, |request, (field, value)| request.with_certificate(*field, value));
    request = route.iter().fold(request, |request, name| request.on_route(name));
    let line = format!("{method} {target}");
    Some((line, request, Parts { method, target, client_ip, host, headers, has_context }))
}

/// Names, each with one value or several. The names of headers and trailers are lower-case then.
fn pairs(fields: &Fields<'_>, field: &Field<Composite>) -> Option<Vec<(String, String)>> {
    let is_fields = !matches!(field.name, "metadata" | "route_metadata");
    let pairs = fields.get_optional_with(field, |at| {
        let entries = at.named_entries(field.kind.allowed)?;
        let pairs = all(entries.iter().map(|entry| {
            let name = if is_fields { header_name(entry)? } else { metadata_path(entry)? };
            let values = match entry.is_list() {
                true => all(entry.non_empty_list(field.kind.allowed)?.iter().map(text_or_number))?,
                false => vec![text_or_number(entry)?],
            };
            Some(values.into_iter().map(move |value| (name.clone(), value)).collect::<Vec<_>>())
        }))?;
        Some(pairs.concat())
    });
    Some(pairs?.unwrap_or_default())
}

fn header_name(entry: &Reader<'_>) -> Option<String> {
    entry.read_name(&super::language::FIELD_NAME)
}

fn metadata_path(entry: &Reader<'_>) -> Option<String> {
    entry.read_name(&super::language::METADATA_PATH)
}

fn text_or_number(entry: &Reader<'_>) -> Option<String> {
    const ALLOWED: &str = "a text, in quotes if it could be a flag, or a whole number";
    match entry.is_text() {
        true => entry.text(ALLOWED).map(String::from),
        false => entry.whole().map(|number| number.to_string()).or_else(|| entry.error(ALLOWED)),
    }
}

fn answer_of(row: &Fields<'_>) -> Option<Answer> {
    let at_once = |status| Answer { status, headers: Vec::new(), trailers: Vec::new(), body: None, after: 0 };
    let Some(at) = row.present(&row::ANSWER) else { return Some(at_once(Some(200))) };
    if !at.is_object() {
        return status_or_none(at, row::ANSWER.kind.allowed).map(at_once);
    }
    let fields = at.fields(&answer::OBJECT)?;
    let status =
        fields.get_optional_with(&answer::STATUS, |at| status_or_none(at, answer::STATUS.kind.allowed));
    let (headers, trailers) = (pairs(&fields, &answer::HEADERS), pairs(&fields, &answer::TRAILERS));
    let (body, after) = (fields.get_optional(&answer::BODY), fields.get(&answer::AFTER));
    let status = status?.unwrap_or(Some(200));
    let (mut headers, trailers, body) = (headers?, trailers?, body?);
    if status.is_none() && (!headers.is_empty() || !trailers.is_empty() || body.is_some()) {
        return at
            .error_found("headers, trailers or a body without an answer", "only after, if status is none");
    }
    if body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".into(), "application/json".into()));
    }
    Some(Answer { status, headers, trailers, body, after: after? })
}

/// A status, or the word for no answer.
fn status_or_none(at: &Reader<'_>, allowed: &str) -> Option<Option<u16>> {
    match at.is_text() {
        true if at.is_word(NO_ANSWER.0.first()?.word) => Some(None),
        true => at.error(allowed),
        false => at.read(STATUS).map(Some),
    }
}

fn header(entry: &Reader<'_>) -> Option<(String, ExpectedHeader)> {
    let name = header_name(entry);
    let expected = if entry.is_flag() {
        entry.flag().map(|there| if there { ExpectedHeader::Present } else { ExpectedHeader::Absent })
    } else if entry.is_object() {
        let fields = entry.fields(&value::OBJECT)?;
        let (matches, moment) =
            (fields.get_optional(&value::MATCHES), fields.get_optional(&value::SECONDS_AT));
        match (matches?, moment?) {
            (Some(pattern), _) => Some(ExpectedHeader::Matches(pattern)),
            (None, Some(moment)) => Some(ExpectedHeader::SecondsAt(moment)),
            (None, None) => None,
        }
    } else {
        const ALLOWED: &str = "true (it is there), false (it is not), a whole number, a text, or an object with matches or seconds_at";
        match entry.is_text() {
            true => entry.text(ALLOWED).map(|text| ExpectedHeader::Value(text.into())),
            false => entry
                .whole()
                .map(|number| ExpectedHeader::Value(number.to_string()))
                .or_else(|| entry.error(ALLOWED)),
        }
    };
    Some((name?, expected?))
}

fn expected_body(at: &Reader<'_>) -> Option<ExpectedBody> {
    if !at.is_object() {
        return at.text(expect::BODY.kind.allowed).map(|text| ExpectedBody::Text(text.into()));
    }
    let fields = at.fields(&body::OBJECT)?;
    let (json, matches) = (fields.get_optional(&body::JSON), fields.get_optional(&body::MATCHES));
    match (json?, matches?) {
        (Some(json), _) => Some(ExpectedBody::Json(json)),
        (None, Some(pattern)) => Some(ExpectedBody::Matches(pattern)),
        (None, None) => None,
    }
}
