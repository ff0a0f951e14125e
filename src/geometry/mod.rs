//! Named spaces and what one does in them: points, vectors, rigid placements.
//! It takes and gives lengths in metres. It never mixes two spaces.

mod assignment;
mod placement;
mod space;

pub use assignment::assign;
pub use placement::Placement;
pub use space::{Floor, Local, Point, Space, World};
