//! What there is to be seen at an instant of a play: bodies from head to foot, and goods wherever they are.
//! It takes the play and gives figures and places at any time that is asked for. It decides nothing that happens.

mod anatomy;
pub(super) mod body;
mod feet;
mod gaze;
pub(super) mod goods;
pub(super) mod scene;
