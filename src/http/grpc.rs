//! gRPC statuses: how a call ended, in the header or the trailer `grpc-status`.

use super::request::Response;
use super::whole_number;

/// In sets of statuses, a gRPC status is this many above its number, and so above those of HTTP.
pub const GRPC: u16 = 1_000;

/// The names of the statuses, each with its number.
pub const GRPC_STATUSES: [(&str, u16); 17] = [
    ("grpc:ok", 0),
    ("grpc:cancelled", 1),
    ("grpc:unknown", UNKNOWN),
    ("grpc:invalid_argument", 3),
    ("grpc:deadline_exceeded", 4),
    ("grpc:not_found", 5),
    ("grpc:already_exists", 6),
    ("grpc:permission_denied", 7),
    ("grpc:resource_exhausted", 8),
    ("grpc:failed_precondition", 9),
    ("grpc:aborted", 10),
    ("grpc:out_of_range", 11),
    ("grpc:unimplemented", 12),
    ("grpc:internal", 13),
    ("grpc:unavailable", 14),
    ("grpc:data_loss", 15),
    ("grpc:unauthenticated", 16),
];

/// The status of a call that ends without one that is known.
const UNKNOWN: u16 = 2;

/// What a response's head says about its gRPC status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GrpcStatus {
    /// It is no gRPC response, or it failed by its HTTP status.
    None,
    /// It is this one: the response has no trailers.
    Known(u16),
    /// Its trailers will say.
    InTrailers,
}

impl GrpcStatus {
    /// By a response's head.
    pub fn of(response: &impl Response) -> GrpcStatus {
        if response.status() != 200 || !response.header("content-type").is_some_and(|kind| is_grpc(&kind)) {
            return GrpcStatus::None;
        }
        match response.header("grpc-status") {
            Some(status) => GrpcStatus::Known(grpc_status(Some(&status))),
            None => GrpcStatus::InTrailers,
        }
    }

    /// The status, if it is known.
    pub fn known(self) -> Option<u16> {
        match self {
            GrpcStatus::Known(status) => Some(status),
            GrpcStatus::None | GrpcStatus::InTrailers => None,
        }
    }
}

/// The status that a value states. As gRPC clients do, takes others for unknown.
pub fn grpc_status(value: Option<&[u8]>) -> u16 {
    let number = value.and_then(whole_number).and_then(|number| u16::try_from(number).ok());
    number.filter(|number| usize::from(*number) < GRPC_STATUSES.len()).unwrap_or(UNKNOWN)
}

/// Whether a content type is that of gRPC: not that of gRPC-Web, whose trailers are in the body.
fn is_grpc(kind: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    match kind.split_at_checked(GRPC.len()) {
        Some((kind, rest)) => {
            kind.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn grpc_is_known_by_its_content_type() {
        for kind in ["application/grpc", "application/grpc+proto", "Application/GRPC; charset=utf-8"] {
            assert!(is_grpc(kind.as_bytes()), "{kind}");
        }
        for kind in ["", "application/grp", "application/grpc-web", "application/grpcx", "text/plain"] {
            assert!(!is_grpc(kind.as_bytes()), "{kind}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_status_that_is_none_is_unknown() {
        for (value, status) in [("0", 0), ("16", 16), (" 5 ", 5), ("17", 2), ("-1", 2), ("99999999999999", 2)]
        {
            assert_eq!(grpc_status(Some(value.as_bytes())), status, "{value}");
        }
        assert_eq!(grpc_status(None), 2);
        assert!(GRPC_STATUSES.iter().enumerate().all(|(place, (_, number))| place == usize::from(*number)));
    }
}
