//! What an open shop tells those who run it, besides its API: how long each part of a visit took, as a trace, and to the
//! service manager that it lives. It takes what the shop did, and gives spans and notices. It decides nothing, and nobody
//! waits for it: where nobody listens, what was to be said is counted and dropped.

mod exporter;
mod service;
mod visits;

pub use exporter::{Exporter, Span};
pub use service::Service;
pub use visits::{Outcome, Trace, Visits};
