//! The seam between the core and the host: what the core reads from a request and from its response.

use super::certificate::CertificateField;
use super::metadata::{MetadataPath, MetadataValue};

/// The header that carries a client's credentials (RFC 9110, 11.6.2).
pub const AUTHORIZATION: &str = "authorization";

/// A request as the host knows it. Each method may cost a host call, so call them only for what the policies
/// need.
pub trait Request {
    /// The value of a header, by its lower-case name. If the header is repeated: the first value, or all of
    /// them joined with commas.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
    /// The values of all lines of a header, by its lower-case name, joined with commas.
    fn lines(&self, name: &str) -> Option<Vec<u8>> {
        self.header(name)
    }
    /// The values of all lines of the cookie header, joined with semicolons.
    fn cookies(&self) -> Option<Vec<u8>> {
        self.header("cookie")
    }
    /// The client's trusted address as Envoy writes it: `ip:port`, or `[ip]:port` for IPv6.
    fn source_address(&self) -> Option<Vec<u8>>;
    /// A value that an earlier filter has left in the request's dynamic metadata, or one of the metadata of
    /// Envoy's route. `None`: there is none, or it is `null`.
    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue>;
    /// The name of Envoy's route for the request. `None`: there is no route, or it has no name.
    fn route_name(&self) -> Option<Vec<u8>> {
        None
    }
    /// A field of the certificate that the client has shown. `None`: it has shown none, or the field is empty.
    fn certificate(&self, _field: CertificateField) -> Option<Vec<u8>> {
        None
    }
    /// Whether [`Request::metadata`] is a value that makes a credential valid.
    fn affirms(&self, path: &MetadataPath) -> bool {
        self.metadata(path).is_some_and(|value| value.is_affirmative())
    }
}

/// The head of a response as the host knows it.
pub trait Response {
    /// The status, 100 to 599; 0 if it is missing or not a number.
    fn status(&self) -> u16;
    /// Whether the upstream sent the response, rather than Envoy in its place. May cost a host call.
    fn is_upstreams(&self) -> bool {
        true
    }
    /// Whether Envoy had already chosen an upstream for the request. May cost a host call.
    fn has_an_upstream(&self) -> bool {
        false
    }
    /// The status with which another Tollgate of the same filter chain rejected the request. `None`: none
    /// has. May cost a host call.
    fn rejection(&self) -> Option<u16> {
        None
    }
    /// The value of a header, by its lower-case name.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
    /// The value of a trailer, by its lower-case name, once the trailers have come.
    fn trailer(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }
    /// The gRPC status, if that decides and is known.
    fn grpc_status(&self) -> Option<u16> {
        None
    }
    /// Whether it broke off before its trailers. To leave before the end must not be cheaper than to stay.
    fn is_broken(&self) -> bool {
        false
    }
}

/// The status of a response that settles what became of the request. If the upstream times out, its connection breaks,
/// or the client aborts the request, Envoy answers in the upstream's place, and nobody knows what the request
/// has done there: that is no answer. If another filter answers before Envoy has chosen an upstream, for
/// example with a 401, that is an answer.
fn status_of_answer(response: &impl Response) -> Option<u16> {
    const REQUEST_TIMEOUT: u16 = 408;
    let status = response.status();
    let is_answer = match status {
        REQUEST_TIMEOUT | 500.. => response.is_upstreams(),
        400.. => response.is_upstreams() || !response.has_an_upstream(),
        // Envoy reports its own errors to gRPC callers in this header. It is nearly always absent, which is
        // cheap to ask.
        200 => response.header("grpc-status").is_none() || response.is_upstreams(),
        _ => true,
    };
    is_answer.then_some(status)
}

/// The status with which a response settles what became of the request; `None` if it does not. The rejection
/// of another Tollgate does, whatever its status, because the upstream never sees the request.
pub fn answered_status(response: &impl Response) -> Option<u16> {
    status_of_answer(response).or_else(|| response.rejection())
}

/// A response whose status has been read.
pub struct Answer<'a, R> {
    /// The response itself.
    pub response: &'a R,
    /// Its status, as [`answered_status`] found it.
    pub status: u16,
    /// Its gRPC status, if sets of statuses name some.
    pub grpc: Option<u16>,
}

impl<R: Response> Response for Answer<'_, R> {
    fn status(&self) -> u16 {
        self.status
    }

    fn is_upstreams(&self) -> bool {
        self.response.is_upstreams()
    }

    fn has_an_upstream(&self) -> bool {
        self.response.has_an_upstream()
    }

    fn rejection(&self) -> Option<u16> {
        self.response.rejection()
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.response.header(name)
    }

    fn trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.response.trailer(name)
    }

    fn grpc_status(&self) -> Option<u16> {
        self.grpc
    }
}

/// Whether a response says that the upstream accepted the caller: 2xx or 304, and a gRPC status of 0 if that
/// decides.
pub fn is_good(response: &impl Response) -> bool {
    const NOT_MODIFIED: u16 = 304;
    let ok = response.grpc_status().is_none_or(|status| status == 0);
    ok && (200..300).contains(&response.status()) || response.status() == NOT_MODIFIED
}
