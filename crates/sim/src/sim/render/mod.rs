//! The renderer: pictures of a shop and of whoever is in it.
//! Takes a shop, where bodies and goods are at instants, how people look and how the shop is lit; gives pictures and
//! which pixels show whom. It never moves anything, reads no clock and no file: the same scene gives the same bytes.

mod anatomy;
mod artwork;
mod bones;
mod carrier;
mod cloth;
mod dress;
mod face;
mod furniture;
mod hand;
mod head;
mod labels;
mod lens;
mod letters;
mod light;
mod look;
mod materials;
mod mesh;
mod package;
mod portrait;
mod raster;
mod room;
mod sensor;
mod shot;
mod studio;
mod style;
mod texture;

#[cfg(test)]
mod tests;

pub(super) use head::mouth;
pub(super) use look::Look;
pub(super) use portrait::{VIEWS, portraits};
pub(super) use shot::Shot;
pub(super) use studio::{Backdrop, Studio};
pub(super) use style::Style;
