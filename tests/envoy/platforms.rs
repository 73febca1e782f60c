//! The files of `deploy/` on a real Envoy, each in the shape that its platform gives it.
//!
//! No platform runs here. What each one makes of its objects was read in its code, and stands in the file of its
//! tests: how it names the filter, which `vm_id` it sets, how the policy reaches the module.

mod consul;
mod ecds;
mod envoy_gateway;
mod istio;
mod shape;
