//! What all stages have learned of a shop that is true beyond one visit: what a restart need not cost. Of nobody is anything in it.

use super::engine::Engine;
use crate::fusion::Learned;
use crate::shelf::PlateNoise;
use crate::tracking::{LearnedDoors, SeenDoors};

/// What was learned, stage by stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knowledge {
    /// What units weigh, how near wrists are, how far the clocks are apart.
    pub fusion: Learned,
    /// How much plates tremble at rest.
    pub noise: Vec<PlateNoise>,
    /// What was seen of doors.
    pub doors: SeenDoors,
}

impl Engine {
    /// What was learned so far. Doors are what is known of them; of the rest only what was learned by this engine is in it, and not what
    /// it was told with [`Engine::recall`].
    pub fn learned(&self) -> Knowledge {
        let (shelf, stitcher, fusion) = self.learners();
        Knowledge { fusion: fusion.learned(), noise: shelf.noise(), doors: stitcher.seen_doors() }
    }

    /// The doors that were learned so far, of those who came and went.
    pub fn learned_doors(&self) -> LearnedDoors {
        self.learners().1.learned_doors()
    }

    /// Begins with what was learned before: priors that what happens from now on outweighs. It is for an engine that has taken nothing
    /// yet; one that goes on from a checkpoint knows all of it already.
    pub fn recall(&mut self, known: &Knowledge) {
        let (shelf, stitcher, fusion) = self.learners_mut();
        fusion.recall(&known.fusion);
        shelf.recall_noise(&known.noise);
        stitcher.recall_doors(&known.doors);
    }
}
