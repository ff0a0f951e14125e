//! Shelves that speak Sparkplug B (version 3.0), for which aisle is a host application. It takes their messages and gives facts
//! of plates under the source `sparkplug/<node>/<device>`; it asks nodes to begin anew where it missed something. It never sends
//! them a command of another kind.

mod host;
mod node;
mod payload;
mod rows;
mod state;
mod taker;

#[cfg(test)]
mod tests;

pub(super) use host::Host;
pub(super) use state::StateManners;
pub(super) use taker::Taker;
