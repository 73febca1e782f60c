//! What every test stands on: a `Setup` becomes a running `Gateway`, which `Request`s are sent to.

mod admin;
mod bootstrap;
mod caller;
mod connection;
mod files;
mod gateway;
mod live;
mod policy;
mod process;
mod request;
mod response;
mod upstream;
mod wait;

pub use bootstrap::{Setup, in_repository};
pub use caller::{new_ip, new_key};
pub use gateway::{Gateway, Refusal, Shared};
pub use live::Update;
pub use policy::{per_address, per_key};
pub use request::Request;
pub use response::Response;
pub use upstream::Upstream;
pub use wait::eventually;
