//! Named spaces and what one does in them: points, vectors, rigid placements, calibrated cameras.
//! It takes and gives lengths in metres, in pictures in pixels. It never mixes two spaces.

mod affine;
mod assignment;
mod camera;
mod pixels;
mod placement;
mod space;

#[cfg(test)]
mod tests;

pub use affine::Affine;
pub use assignment::{Pair, assign, assign_pairs, assign_pairs_within};
pub use camera::{Camera, CameraPose, Lens, View};
pub use pixels::{Pixel, PixelBox};
pub use placement::Placement;
pub use space::{Floor, Local, Point, Space, World};
