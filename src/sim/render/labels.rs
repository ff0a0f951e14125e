//! Whose body each pixel shows, and how deep what it shows lies: one sample in the middle of every pixel, nothing shaded.

use glam::Vec2;

use super::raster::{Corner, Setup};

/// Nobody: the owner of pixels without a person.
pub(super) const NOBODY: u16 = u16::MAX;

/// Owner and depth by pixel. The samples lie in the middle of the pixels, so that silhouettes are not shifted.
#[derive(Clone)]
pub(super) struct Labels {
    width: usize,
    height: usize,
    /// 1 / depth, per metre; 0 for nothing there.
    pub(super) nearness: Vec<f32>,
    /// Index of the person, or [`NOBODY`].
    pub(super) seen: Vec<u16>,
    last: Vec<u16>,
    /// By person: pixels in the picture that the body covers, hidden or not.
    pub(super) covered: Vec<usize>,
}

impl Labels {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let nobody = vec![NOBODY; width * height];
        let nearness = vec![0.0; width * height];
        Labels { width, height, nearness, seen: nobody.clone(), last: nobody, covered: Vec::new() }
    }

    /// The same depth, ready for so many people.
    pub(super) fn of_people(&self, people: usize) -> Self {
        Labels { covered: vec![0; people], ..self.clone() }
    }

    /// Lays on a triangle of this person's body, or of a thing.
    pub(super) fn triangle(&mut self, corners: [&Corner; 3], person: Option<u16>) {
        let Some(setup) = Setup::new(corners, Vec2::ZERO, self.width, self.height) else { return };
        setup.each(self.width, |place, _, nearness| {
            if let Some(person) = person
                && self.last[place] != person
            {
                self.last[place] = person;
                self.covered[usize::from(person)] += 1;
            }
            if self.nearness[place] < nearness {
                self.nearness[place] = nearness;
                self.seen[place] = person.unwrap_or(NOBODY);
            }
        });
    }
}
