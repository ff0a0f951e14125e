//! How a database is opened.

use crate::base::Span;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a transaction waits for another process before it fails as busy.
    pub wait_span_max: Span,
    /// Whether a database is made where there is none.
    pub create: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { wait_span_max: Span::from_millis(5_000), create: true }
    }
}
