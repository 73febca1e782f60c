//! Envoy's access log as JSON. Envoy has no names of its own for the fields; these are the usual ones, which
//! Istio uses, too. Other names come from the mapping.

use super::json::JsonPlan;
use super::line::{Slot, Text};
use super::time::Unit;
use super::{Format, Parser};

pub const FORMAT: Format = Format::json(
    "envoy-json",
    "Envoy, as JSON with the usual names of fields (start_time, response_code …)",
    |mapping| Ok(Parser::Json(JsonPlan::new("response_code", FIELDS, None, mapping))),
);

const FIELDS: &[(Slot, &str)] = &[
    (Slot::Start, "start_time"),
    (Slot::Duration(Unit::Millis), "duration"),
    (Slot::Text(Text::Method), "method"),
    (Slot::Text(Text::Path), "path"),
    (Slot::Text(Text::Host), "authority"),
    (Slot::Status, "response_code"),
    (Slot::Text(Text::Details), "response_code_details"),
    (Slot::Text(Text::Flags), "response_flags"),
    (Slot::BytesIn, "bytes_received"),
    (Slot::BytesOut, "bytes_sent"),
    (Slot::Text(Text::Client), "downstream_remote_address"),
    (Slot::Text(Text::Forwarded), "x_forwarded_for"),
    (Slot::Text(Text::UserAgent), "user_agent"),
    (Slot::Text(Text::Route), "route_name"),
    (Slot::Decision, "tollgate"),
];
