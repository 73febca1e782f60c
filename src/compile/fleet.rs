//! Compiles which policies hold for a whole fleet.

use crate::config::{Fields, Reader};
use crate::fleet::MAX_LIMITS;
use crate::language::{fleet, policy};
use crate::rules::{FleetSettings, Scope};

/// Reads `fleet`.
pub(super) fn settings(reader: &Reader<'_>) -> Option<FleetSettings> {
    let fields = reader.fields(&fleet::OBJECT)?;
    let cluster = fields.get(&fleet::CLUSTER);
    let (name, timeout) = (fields.get(&fleet::NAME), fields.get(&fleet::TIMEOUT));
    Some(FleetSettings { cluster: cluster?, name: name?, timeout: timeout? })
}

/// Reads how far a policy's counts reach. `fleet` says whether the configuration names a fleet.
pub(super) fn scope(fields: &Fields<'_>, fleet: bool) -> Option<Scope> {
    let (scope, on_outage) = (fields.get(&policy::SCOPE), fields.get(&policy::ON_OUTAGE));
    let (scope, on_outage) = (scope?, on_outage?);
    if scope && !fleet {
        return fields.about(&policy::SCOPE).error_found(
            "scope: fleet in a configuration without fleet",
            "only with the field fleet of the configuration, such as fleet: { cluster: tollgate-fleet }",
        );
    }
    if scope {
        check_limits(fields);
        check_restarts(fields);
        return Some(Scope::Fleet(on_outage));
    }
    match fields.present(&policy::ON_OUTAGE) {
        Some(at) => at.error_found("on_outage with scope: proxy", "only with scope: fleet"),
        None => Some(Scope::Proxy),
    }
}

/// Units that proxies have in hand are reported later, and can't be told from those before a restart.
fn check_restarts(fields: &Fields<'_>) {
    const ALLOWED: &str = "only with scope: proxy";
    if let Some(at) = fields.present(&policy::RESET_ON) {
        at.error_found::<()>("reset_on with scope: fleet", ALLOWED);
    }
    if let Some(at) = fields.present(&policy::AFTER_BLOCK).filter(|at| at.is_word("restart")) {
        at.error_found::<()>("after_block: restart with scope: fleet", ALLOWED);
    }
}

/// The service would reject every message about a policy with more, as if it were down.
fn check_limits(fields: &Fields<'_>) {
    let limits = fields.present(&policy::LIMITS).map_or(0, |list| list.entries().len());
    if limits + usize::from(fields.present(&policy::BLOCK_FOR).is_some()) > MAX_LIMITS {
        let limits = fields.about(&policy::LIMITS);
        limits
            .error_found::<()>("too many limits with scope: fleet", "at most 16, with block_for at most 15");
    }
}
