//! Caddy's access log: JSON, written at the end of a request, with the headers of the request and its
//! response. It redacts `Authorization` and cookies by default.

use super::json::{HeaderPlaces, JsonPlan};
use super::line::{Slot, Text};
use super::time::Unit;
use super::{Format, Parser};

pub const FORMAT: Format = Format::json("caddy", "Caddy, as JSON", |mapping| {
    let headers = HeaderPlaces { request: "request.headers.", response: "resp_headers." };
    Ok(Parser::Json(JsonPlan::new("resp_headers", FIELDS, Some(headers), mapping)))
});

const FIELDS: &[(Slot, &str)] = &[
    (Slot::End, "ts"),
    (Slot::Duration(Unit::Seconds), "duration"),
    // Older versions have only the peer's address; where both stand, the client's comes last.
    (Slot::Text(Text::Client), "request.remote_ip"),
    (Slot::Text(Text::Client), "request.client_ip"),
    (Slot::Text(Text::Method), "request.method"),
    (Slot::Text(Text::Path), "request.uri"),
    (Slot::Text(Text::Host), "request.host"),
    (Slot::Status, "status"),
    (Slot::BytesIn, "bytes_read"),
    (Slot::BytesOut, "size"),
    (Slot::Header(Text::UserAgent), "request.headers.User-Agent"),
    (Slot::Header(Text::Referer), "request.headers.Referer"),
];
