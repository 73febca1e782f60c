//! Which fields of a log say what, beyond those that its format says itself.

use super::line::{Extra, Slot, Text};
use super::time::Unit;

/// What a field of the log can be named as, by `--field`.
pub const SLOTS: &[(&str, Slot)] = &[
    ("start", Slot::Start),
    ("end", Slot::End),
    ("duration_s", Slot::Duration(Unit::Seconds)),
    ("duration_ms", Slot::Duration(Unit::Millis)),
    ("duration_us", Slot::Duration(Unit::Micros)),
    ("duration_ns", Slot::Duration(Unit::Nanos)),
    ("client", Slot::Text(Text::Client)),
    ("method", Slot::Text(Text::Method)),
    ("path", Slot::Text(Text::Path)),
    ("query", Slot::Query),
    ("request", Slot::Request),
    ("host", Slot::Text(Text::Host)),
    ("status", Slot::Status),
    ("bytes_in", Slot::BytesIn),
    ("bytes_out", Slot::BytesOut),
    ("user_agent", Slot::Text(Text::UserAgent)),
    ("referer", Slot::Text(Text::Referer)),
    ("forwarded", Slot::Text(Text::Forwarded)),
    ("route", Slot::Text(Text::Route)),
    ("details", Slot::Text(Text::Details)),
    ("flags", Slot::Text(Text::Flags)),
    ("tollgate", Slot::Decision),
    ("policy", Slot::Text(Text::Policy)),
    ("caller", Slot::Text(Text::Caller)),
    ("tier", Slot::Text(Text::Tier)),
];

/// The fields that are read besides those of the format.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// What a field says, and its name in the log.
    pub fields: Vec<(Slot, String)>,
    /// Request headers that the policies ask for, for formats that may have them all.
    pub headers: Vec<(Extra, String)>,
    /// The same of response headers.
    pub response_headers: Vec<(Extra, String)>,
    /// A format string of Envoy.
    pub pattern: Option<String>,
}

impl Mapping {
    /// What is said by the field with this name.
    pub fn slot_of(&self, name: &str) -> Option<Slot> {
        self.fields.iter().find(|(_, field)| field == name).map(|(slot, _)| *slot)
    }
}
