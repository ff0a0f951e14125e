//! What sensors make of a play: joints from a tracker, samples from plates, detections of cameras, and all that goes wrong.
//! It takes the play and the bodies in it, and gives readings as a shop would have them. It never touches the truth.

pub(super) mod faults;
pub(super) mod glance;
pub(super) mod plates;
pub(super) mod tracker;
