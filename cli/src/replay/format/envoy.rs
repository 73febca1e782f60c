//! Envoy's access log as text: its own default, Istio's, and the one of `tollgate bootstrap --access-log`.

use super::pattern::Pattern;
use super::{Format, Parser};

/// What `tollgate bootstrap --access-log` configures. The path has no query.
pub const TOLLGATE: Format = Format {
    without_query: true,
    ..Format::new("tollgate", "Envoy, as `tollgate bootstrap --access-log` configures it", |mapping| {
        Pattern::new(TOLLGATE_PATTERN, mapping).map(Parser::Pattern)
    })
};

/// Envoy's own default, or the format string of the mapping.
pub const DEFAULT: Format =
    Format::new("envoy", "Envoy, by its default format string or by --log-format", |mapping| {
        Pattern::new(mapping.pattern.as_deref().unwrap_or(DEFAULT_PATTERN), mapping).map(Parser::Pattern)
    });

/// What Istio configures.
pub const ISTIO: Format = Format::new("istio", "Envoy, by Istio's default format string", |mapping| {
    Pattern::new(ISTIO_PATTERN, mapping).map(Parser::Pattern)
});

const TOLLGATE_PATTERN: &str = "%START_TIME% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(:METHOD)% %PATH(NQ)% %PROTOCOL% \
%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %DURATION%ms %FILTER_STATE(wasm.tollgate:PLAIN)%";

const DEFAULT_PATTERN: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"";

const ISTIO_PATTERN: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \
\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" \
%UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% \
%REQUESTED_SERVER_NAME% %ROUTE_NAME%";
