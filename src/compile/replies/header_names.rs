//! Which names headers of a configuration may have.

use crate::config::Names;

/// Headers of a reply that the filter, Envoy or HTTP itself sets.
pub(super) const RESERVED: [&str; 16] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "proxy-connection",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a configuration must not send a header of this lower-case name.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("grpc-")
}

/// The limit headers that the sets of a configuration send, each by its set and its position in it.
#[derive(Default)]
pub(super) struct SentHeaders {
    names: Names,
    senders: Vec<(usize, usize)>,
}

impl SentHeaders {
    /// Adds a header of a set. `false`: there is one of this name. With `may_repeat`, the same sender may send it
    /// more than once, each time for another limit.
    pub fn add(&mut self, name: &str, sender: (usize, usize), may_repeat: bool) -> bool {
        let first = self.names.add("", name.as_bytes());
        self.senders.push(sender);
        first.is_none_or(|first| may_repeat && self.senders.get(first) == Some(&sender))
    }

    /// Whether a set sends a header of this lower-case name.
    pub fn has(&self, name: &str) -> bool {
        self.names.find("", name.as_bytes()).is_some()
    }
}
