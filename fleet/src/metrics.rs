//! What the service counts, in Prometheus' text format.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tollgate::fleet::message::{Entry, EntryAnswer};

/// A counter, or a gauge.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes from it what was added before.
    pub fn take(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// How long something took.
#[derive(Default)]
pub struct Histogram {
    buckets: [Counter; BOUNDS.len()],
    count: Counter,
    micros: Counter,
}

impl Histogram {
    /// Adds one duration.
    pub fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().zip(&self.buckets).find(|(bound, _)| micros <= **bound);
        bucket.into_iter().for_each(|(_, bucket)| bucket.add(1));
        self.count.add(1);
        self.micros.add(micros);
    }
}

/// Everything that is counted.
#[derive(Default)]
pub struct Metrics {
    /// Messages that were answered.
    pub exchanges: Counter,
    /// Entries of these.
    pub entries: Counter,
    /// Units that were granted.
    pub granted: Counter,
    /// Asks that were rejected.
    pub rejected: Counter,
    /// Messages that were not answered because the engine did not.
    pub unavailable: Counter,
    /// Messages that could not be read.
    pub malformed: Counter,
    /// Requests without a valid token.
    pub unauthorized: Counter,
    /// Connections that ended before or in their TLS handshake.
    pub handshakes: Counter,
    /// Connections that were closed because there were too many.
    pub refused: Counter,
    /// Connections that were closed because they were idle or too slow.
    pub idle: Counter,
    /// Messages that were not worked on because there were too many.
    pub busy: Counter,
    /// Swaps that someone else was ahead of.
    pub conflicts: Counter,
    /// Entries that were given up after too many of these.
    pub exhausted: Counter,
    /// Entries whose value the service did not write.
    pub foreign: Counter,
    /// Entries whose record would have become too long.
    pub oversized: Counter,
    /// Entries for which the engine had no room.
    pub full: Counter,
    /// Times that the engine has lost its data.
    pub emptied: Counter,
    /// Connections that are open.
    pub connections: Counter,
    /// Messages that are worked on.
    pub open: Counter,
    /// Whether the engine has answered last time.
    pub engine_up: Counter,
    /// How long messages took.
    pub duration: Histogram,
}

impl Metrics {
    /// Counts an applied entry.
    pub fn count(&self, entry: &Entry, answer: &EntryAnswer) {
        self.entries.add(1);
        self.granted.add(answer.granted.into());
        self.rejected.add(u64::from(entry.ask.is_some() && answer.granted == 0));
    }

    /// Everything as text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, help, counter) in self.counters() {
            write_one(&mut text, &format!("{name}_total"), help, "counter", counter.get());
        }
        for (name, help, gauge) in self.gauges() {
            write_one(&mut text, name, help, "gauge", gauge.get());
        }
        self.write_duration(&mut text);
        text
    }

    fn counters(&self) -> [(&'static str, &'static str, &Counter); 17] {
        [
            ("exchanges", "Messages of proxies that were answered.", &self.exchanges),
            ("entries", "Entries of messages that were applied to a record.", &self.entries),
            ("granted_units", "Units that were granted to proxies.", &self.granted),
            ("rejected_asks", "Asks for units that were rejected.", &self.rejected),
            (
                "engine_unavailable",
                "Messages that failed because the engine did not answer.",
                &self.unavailable,
            ),
            ("malformed", "Messages that could not be read or exceeded a limit.", &self.malformed),
            ("unauthorized", "Requests without a valid token.", &self.unauthorized),
            ("handshake_errors", "Connections whose TLS handshake failed.", &self.handshakes),
            (
                "refused_connections",
                "Connections that were closed because too many were open.",
                &self.refused,
            ),
            ("idle_connections_closed", "Connections that were closed as idle or too slow.", &self.idle),
            ("busy", "Messages that were refused because too many were open.", &self.busy),
            ("conflicts", "Writes that another service was ahead of.", &self.conflicts),
            ("exhausted_entries", "Entries that were given up after eight such writes.", &self.exhausted),
            ("foreign_values", "Entries not applied because their value is not a record.", &self.foreign),
            (
                "oversized_records",
                "Entries not applied because their record would be too long.",
                &self.oversized,
            ),
            ("engine_full", "Entries not applied because the engine has no room.", &self.full),
            ("engine_emptied", "Times that the engine has lost its data.", &self.emptied),
        ]
    }

    fn gauges(&self) -> [(&'static str, &'static str, &Counter); 3] {
        [
            ("connections", "Connections of proxies that are open.", &self.connections),
            ("open_exchanges", "Messages that are being worked on.", &self.open),
            ("engine_up", "1 if the engine answered the last time, otherwise 0.", &self.engine_up),
        ]
    }

    fn write_duration(&self, text: &mut String) {
        const NAME: &str = "tollgate_fleet_exchange_duration_seconds";
        let help = "From a message's last byte to its answer.";
        let _ = writeln!(text, "# HELP {NAME} {help}\n# TYPE {NAME} histogram");
        let mut count = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.duration.buckets) {
            count += bucket.get();
            let _ = writeln!(text, "{NAME}_bucket{{le=\"{}\"}} {count}", seconds(*bound));
        }
        // Read after the buckets, so that it is not less than they are.
        let (all, micros) = (self.duration.count.get(), self.duration.micros.get());
        let _ = writeln!(text, "{NAME}_bucket{{le=\"+Inf\"}} {all}");
        let _ = writeln!(text, "{NAME}_sum {}\n{NAME}_count {all}", seconds(micros));
    }
}

fn write_one(text: &mut String, name: &str, help: &str, kind: &str, value: impl Display) {
    let name = format!("tollgate_fleet_{name}");
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        let times = [90, 100, 101, 2_000_000].map(Duration::from_micros);
        times.into_iter().for_each(|time| metrics.duration.add(time));
        let text = metrics.render();
        for line in ["_bucket{le=\"0.0001\"} 2", "_bucket{le=\"1\"} 3", "_bucket{le=\"+Inf\"} 4", "_count 4"]
        {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn every_metric_has_a_help_and_a_type() {
        let text = Metrics::default().render();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split([' ', '{']).next().unwrap();
            let name =
                ["_bucket", "_sum", "_count"].iter().fold(name, |name, end| name.trim_end_matches(end));
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
            assert!(text.contains(&format!("# TYPE {name} ")), "{name} has no type");
        }
    }
}
