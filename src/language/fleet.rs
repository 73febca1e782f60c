//! The service that several proxies share their counts through.

use super::forms;
use crate::config::{Field, Form, Literal, Object, object};
use crate::time::Micros;

/// The cluster of the service.
pub const CLUSTER: Field<&Form<String>> =
    Field::required("cluster", &forms::CLUSTER, "the Envoy cluster of `tollgate-fleet`");

/// The name of the fleet.
pub const NAME: Field<&Form<String>> = Field::default(
    "name",
    &forms::NAME,
    Literal::Text("default"),
    "the name of the fleet, as in the service's option `--fleet`. Proxies with the same name and service share their counts",
);

/// How long a request waits for the service.
pub const TIMEOUT: Field<&Form<Micros>> = Field::default(
    "timeout",
    &forms::MILLISECONDS,
    Literal::Text("50ms"),
    "how long a request waits for the service. After that, the `on_outage` of its policy decides",
);

/// The object.
pub const OBJECT: Object = object!("fleet" at "fleet":
    "Where the counts of policies with `scope: fleet` are kept, so that several proxies share them and a restart does not lose \
     them. [Fleet](fleet.md) explains the service, the bound and outages.";
    CLUSTER, NAME, TIMEOUT);
