//! What every test stands on: a `Setup` becomes a running `Gateway`, which `Request`s are sent to.

mod admin;
mod bootstrap;
mod caller;
mod clock;
mod connection;
mod crowd;
mod envoy;
mod files;
mod gateway;
mod in_flight;
mod kept;
mod live;
mod metadata;
mod places;
mod policy;
#[path = "../support/ports.rs"]
mod ports;
mod process;
mod request;
mod response;
mod served;
mod template;
mod upstream;
mod wait;
mod wall_clock;

pub use bootstrap::Setup;
pub use caller::{new_ip, new_key};
pub use clock::{Period, end_of, unix_time};
pub use connection::Connection;
pub use crowd::Crowd;
pub use files::Files;
pub use gateway::{Gateway, Rejection, Shared};
pub use in_flight::InFlight;
pub use live::Update;
pub use metadata::METADATA;
pub use places::{envoy, found, in_repository, module};
pub use policy::{per_address, per_algorithm, per_key, per_key_limit};
pub use ports::free_address;
pub use process::Process;
pub use request::Request;
pub use response::Response;
pub use served::Served;
pub use upstream::{Call, HELD, NUMBER, Upstream};
pub use wait::{assert_more_pass, eventually, within};
