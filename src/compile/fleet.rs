//! Compiles which policies hold for a whole fleet.

use super::name::{NAME, name_of};
use crate::config::{Fields, Reader};
use crate::fleet::{MAX_LIMITS, OnOutage};
use crate::rules::{FleetSettings, Scope};
use crate::time::{MILLISECOND, Micros};

const CLUSTER: &str = "the name of the Envoy cluster of tollgate-fleet, 1 to 256 characters";
const TIMEOUT: &str = "milliseconds such as 50ms, from 1ms to 1000ms, or 1s";

/// Reads `fleet`.
pub(super) fn settings(fleet: &Reader<'_>) -> Option<FleetSettings> {
    let fields = fleet.object(&["cluster", "name", "timeout"])?;
    let cluster = fields.required("cluster", CLUSTER).and_then(|cluster| {
        let text = cluster.text(CLUSTER)?;
        if (1..=256).contains(&text.chars().count()) {
            Some(text.to_string())
        } else {
            cluster.error(CLUSTER)
        }
    });
    let name = fields.read("name", |name| name_of(name, name.text(NAME)?));
    let timeout = fields.read_or("timeout", 50 * MILLISECOND, timeout);
    Some(FleetSettings {
        cluster: cluster?,
        name: name?.unwrap_or_else(|| "default".into()),
        timeout: timeout?,
    })
}

/// A request waits this long, so it is bounded.
fn timeout(reader: &Reader<'_>) -> Option<Micros> {
    let text = reader.text(TIMEOUT)?;
    let digits = text.strip_suffix("ms").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let length: Option<u64> =
        if text == "1s" { Some(1_000) } else { digits.and_then(|text| text.parse().ok()) };
    let length = length.filter(|length| (1..=1_000).contains(length));
    length.map(|length| length * MILLISECOND).or_else(|| reader.error(TIMEOUT))
}

/// Reads how far a policy's counts reach. `fleet` says whether the configuration names a fleet.
pub(super) fn scope(fields: &Fields<'_>, fleet: bool) -> Option<Scope> {
    let scope = fields.read_or("scope", false, |word| {
        let scope = word.word(&[("proxy", false), ("fleet", true)])?;
        match scope && !fleet {
            true => word.error_found(
                "scope: fleet in a configuration without fleet",
                "only with the field fleet of the configuration, such as fleet: { cluster: tollgate-fleet }",
            ),
            false => Some(scope),
        }
    });
    let on_outage = fields.read("on_outage", |word| word.word(&OnOutage::WORDS));
    match (scope?, on_outage?) {
        (true, on_outage) => {
            check_limits(fields);
            Some(Scope::Fleet(on_outage.unwrap_or_default()))
        }
        (false, None) => Some(Scope::Proxy),
        (false, Some(_)) => fields
            .at()
            .field("on_outage")
            .error_found("on_outage with scope: proxy", "only with scope: fleet"),
    }
}

/// The service would reject every message about a policy with more, as if it were down.
fn check_limits(fields: &Fields<'_>) {
    let limits = fields.optional("limits").map_or(0, |list| list.entries().len());
    if limits + usize::from(fields.optional("block_for").is_some()) > MAX_LIMITS {
        let limits = fields.at().field("limits");
        limits
            .error_found::<()>("too many limits with scope: fleet", "at most 16, with block_for at most 15");
    }
}
