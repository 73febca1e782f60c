//! Traefik's access log: the common log format with its own fields at the end, or JSON.

use super::combined::Combined;
use super::json::{HeaderPlaces, JsonPlan};
use super::line::{Slot, Text};
use super::time::Unit;
use super::{Format, Parser};

/// `… "referer" "agent" 12 "router" "http://10.0.0.2:80" 3ms`. The time is that of the start.
pub const CLF: Format =
    Format::new("traefik", "Traefik, as text", |mapping| Combined::traefik(mapping).map(Parser::Combined));

pub const JSON: Format = Format::json("traefik-json", "Traefik, as JSON", |mapping| {
    let headers = HeaderPlaces { request: "request_", response: "downstream_" };
    Ok(Parser::Json(JsonPlan::new("DownstreamStatus", FIELDS, Some(headers), mapping)))
});

const FIELDS: &[(Slot, &str)] = &[
    (Slot::Start, "StartUTC"),
    (Slot::Duration(Unit::Nanos), "Duration"),
    (Slot::Text(Text::Client), "ClientHost"),
    (Slot::Text(Text::Method), "RequestMethod"),
    (Slot::Text(Text::Path), "RequestPath"),
    (Slot::Text(Text::Host), "RequestHost"),
    (Slot::Status, "DownstreamStatus"),
    (Slot::BytesIn, "RequestContentSize"),
    (Slot::BytesOut, "DownstreamContentSize"),
    (Slot::Header(Text::UserAgent), "request_User-Agent"),
    (Slot::Header(Text::Referer), "request_Referer"),
];
