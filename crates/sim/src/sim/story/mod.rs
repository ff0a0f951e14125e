//! What shoppers mean to do: scenes as scripts, without times.
//! It takes what stands on the shelves and dice, and gives a script for everybody. It never moves anybody.

pub(super) mod casting;
mod mixed;
pub(super) mod scenario;
pub(super) mod script;
mod visits;
