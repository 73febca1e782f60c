//! The JSON that Kong's logging plugins write, with the headers of the request and its response.

use super::json::{HeaderPlaces, JsonPlan};
use super::line::{Slot, Text};
use super::time::Unit;
use super::{Format, Parser};

pub const FORMAT: Format = Format::json("kong", "Kong's file-log, http-log and others, as JSON", |mapping| {
    let headers = HeaderPlaces { request: "request.headers.", response: "response.headers." };
    Ok(Parser::Json(JsonPlan::new("latencies", FIELDS, Some(headers), mapping)))
});

const FIELDS: &[(Slot, &str)] = &[
    (Slot::Start, "started_at"),
    (Slot::Duration(Unit::Millis), "latencies.request"),
    (Slot::Text(Text::Client), "client_ip"),
    (Slot::Text(Text::Method), "request.method"),
    (Slot::Text(Text::Path), "request.uri"),
    (Slot::Text(Text::Host), "request.headers.host"),
    (Slot::Status, "response.status"),
    (Slot::BytesIn, "request.size"),
    (Slot::BytesOut, "response.size"),
    (Slot::Header(Text::UserAgent), "request.headers.user-agent"),
    (Slot::Header(Text::Referer), "request.headers.referer"),
];
