//! What goes wrong.

use crate::base::Span;

/// Something that goes wrong for a while, or is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Outage(bool),
    DiskFull(bool),
    ClockStep(Span),
    Die,
}
