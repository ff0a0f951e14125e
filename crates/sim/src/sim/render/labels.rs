//! Whose body or which thing in a hand each pixel shows, and how deep what it shows lies: one sample in the middle of every pixel, nothing shaded.

use glam::Vec2;

use super::raster::{Corner, Setup};

/// Nobody: the owner of pixels that show none of what is told apart.
pub(super) const NOBODY: u16 = u16::MAX;

/// Owner and depth by pixel. The samples lie in the middle of the pixels, so that silhouettes are not shifted.
#[derive(Clone)]
pub(super) struct Labels {
    width: usize,
    height: usize,
    /// 1 / depth, per metre; 0 for nothing there.
    pub(super) nearness: Vec<f32>,
    /// Number of the body or thing, or [`NOBODY`].
    pub(super) seen: Vec<u16>,
    last: Vec<u16>,
    /// By number: pixels in the picture that the body or thing covers, hidden or not.
    pub(super) covered: Vec<usize>,
}

impl Labels {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let nobody = vec![NOBODY; width * height];
        let nearness = vec![0.0; width * height];
        Labels { width, height, nearness, seen: nobody.clone(), last: nobody, covered: Vec::new() }
    }

    /// The same depth, ready for so many bodies and things.
    pub(super) fn of_owners(&self, owners: usize) -> Self {
        Labels { covered: vec![0; owners], ..self.clone() }
    }

    /// Lays on a triangle of the body or thing of this number, or of something that is not told apart.
    pub(super) fn triangle(&mut self, corners: [&Corner; 3], owner: Option<u16>) {
        let Some(setup) = Setup::new(corners, Vec2::ZERO, self.width, self.height) else { return };
        setup.each(self.width, |place, _, nearness| {
            if let Some(owner) = owner
                && self.last[place] != owner
            {
                self.last[place] = owner;
                self.covered[usize::from(owner)] += 1;
            }
            if self.nearness[place] < nearness {
                self.nearness[place] = nearness;
                self.seen[place] = owner.unwrap_or(NOBODY);
            }
        });
    }
}
