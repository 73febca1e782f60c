//! Cases, run.
