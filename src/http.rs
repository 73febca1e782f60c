//! HTTP requests and responses: what is read from them, and how they are matched. Nothing in here knows
//! limits.

mod address_map;
mod any_of;
mod certificate;
pub mod client_ip;
pub mod credential;
mod cut;
mod decimal;
mod elements;
mod folded_path;
mod grpc;
mod host;
mod metadata;
mod path_template;
mod pattern;
mod request;
mod request_cache;
mod sample_request;
pub mod spelling;
mod status_set;
mod whole_number;

pub use address_map::{AddressMap, AddressRange, RangeError};
pub use any_of::{AnyOf, Fits};
pub use certificate::CertificateField;
pub use cut::Cut;
pub use decimal::decimal;
pub use elements::{Elements, element};
pub use folded_path::folded_path;
pub use grpc::{GRPC, GRPC_STATUSES, GrpcStatus, grpc_status};
pub use host::Host;
pub use metadata::{MetadataPath, MetadataValue};
pub use path_template::{PathTemplate, Purpose, Spellings};
pub use pattern::Pattern;
pub use request::{AUTHORIZATION, Answer, Request, Response, answered_status, is_good};
pub use request_cache::RequestCache;
pub use sample_request::SampleRequest;
pub use status_set::StatusSet;
pub use whole_number::whole_number;
