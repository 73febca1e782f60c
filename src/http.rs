//! HTTP requests and responses: what is read from them, and how they are matched. Nothing in here knows
//! limits.

pub mod client_ip;
pub mod credential;
mod path_template;
mod pattern;
mod request;
mod request_cache;
mod request_match;
mod sample_request;
pub mod spelling;
mod status_set;
mod value_match;

pub use path_template::{PathSegment, PathTemplate, Purpose, Spellings};
pub use pattern::Pattern;
pub use request::{AUTHORIZATION, MetadataPath, Request, Response, is_answer, is_good};
pub use request_cache::RequestCache;
pub use request_match::{Host, RequestMatch};
pub use sample_request::SampleRequest;
pub use status_set::StatusSet;
pub use value_match::ValueMatch;
