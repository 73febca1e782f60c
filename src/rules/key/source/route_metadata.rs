//! Metadata of Envoy's route as a key.

use super::metadata::{read, show_value};
use super::{Beside, Source, SourceKind, Whose, field};
use crate::config::{Composite, Field, Reader};
use crate::http::{MetadataPath, Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE, SEPARATOR};
use crate::rules::key::texts::{METADATA, metadata_path};
use crate::rules::key::{Key, KeyValue};

/// Metadata that Envoy's configuration gives the route of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteMetadata(pub MetadataPath);

impl RouteMetadata {
    pub(super) const FIELD: Field<Composite> = field(
        "route_metadata",
        METADATA,
        "metadata of Envoy's route: the filter's name, then one or more names down to the value, which is read like `metadata`",
    );
}

impl Source for RouteMetadata {
    const KIND: SourceKind = SourceKind {
        takes: &[SEPARATOR.name, AFTER.name, BEFORE.name],
        vouched: true,
        whose: Whose::Targets,
        can_be_asked: true,
        has_flags: true,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        metadata_path(field, true).map(RouteMetadata)
    }

    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        read(request.uncached().metadata(&self.0)?)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("metadata {} of Envoy's route", self.0)
    }

    fn show(&self, value: &[u8]) -> String {
        show_value(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::http::{MetadataPath, MetadataValue};
    use crate::testing::{FakeRequest, Fixture};
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn metadata_of_the_route_is_not_metadata_of_the_request() {
        let mut fixture = Fixture::new(
            r#"{"keys": {"service": {"route_metadata": ["tollgate", "service"]}},
            "policies": [{"name": "p", "key": "service", "limits": [{"quota": 3, "window": "1m"}]}]}"#,
        );
        let with = |path: MetadataPath, value: &str| FakeRequest::default().with_metadata(path, value);
        let of_route = || MetadataPath::of_route(["tollgate", "service"]);
        for (service, passed) in [("billing", 3), ("search", 3), ("billing", 0)] {
            assert_eq!(fixture.passed(5, |_| with(of_route(), service)), passed, "{service}");
        }
        // Nor can an earlier filter pass for the route.
        let of_request = MetadataPath::new(["tollgate", "service"]);
        assert_eq!(fixture.passed(5, |_| with(of_request.clone(), "billing")), 5);
        let number = FakeRequest::default().with_value(of_route(), MetadataValue::Number(7.0));
        assert_eq!(fixture.passed(5, |_| number.clone()), 3);
        assert_eq!(fixture.passed(1, |_| with(of_route(), "7")), 0, "a number is its digits");
    }
}
