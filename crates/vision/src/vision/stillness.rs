//! Whether anything moved since a camera's frame was last looked at: a small picture of means of blocks, held against the one
//! of that frame, with a bound that follows from the noise of the camera itself.

use crate::base::{ShopTime, Span};
use crate::image::RgbImage;

/// Blocks along the longer side of a picture, at most; on a camera of 640 pixels they have sides of 4 pixels.
const BLOCKS_MAX: usize = 160;
/// The shortest side of a block, pixels: smaller ones see more of the noise than of what moves.
const BLOCK_PIXELS_MIN: usize = 4;
/// Steps of a level of grey in which means are counted.
const STEPS: u32 = 16;
/// Frames from which the noise is learnt before any is believed to be still.
const LEARNT_FRAMES_MIN: u32 = 8;
/// How quickly the noise follows, the share of a new frame.
const NOISE_GAIN: f64 = 1.0 / 16.0;
/// The noise is never taken for less, steps: decoders round.
const NOISE_STEPS_MIN: f64 = 4.0;
/// A camera that is noisier than this, or that flickers, is never believed to be still, steps: what moves would drown in it.
const NOISE_STEPS_MAX: f64 = 16.0;
/// A block has changed if it is off by more than this many times the noise, which is the median of all blocks. Of normal
/// noise one difference in a billion is.
const NOISE_TIMES_MAX: f64 = 9.0;

/// Means of the grey of the blocks of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thumbnail {
    size_pixels: [u32; 2],
    /// Row after row, in [`STEPS`] of a level.
    blocks: Vec<u16>,
    /// Sums of the row of blocks that is being made.
    sums: Vec<u32>,
}

/// What is remembered of one camera.
#[derive(Debug, Default)]
pub struct Stillness {
    /// Of the frame that was last looked at, and when that was.
    reference: Thumbnail,
    looked_at: Option<ShopTime>,
    /// Of the frame before.
    previous: Thumbnail,
    /// By how much half of all blocks differ from frame to frame, steps.
    noise: f64,
    /// Frames it was learnt from.
    learnt: u32,
}

impl Thumbnail {
    /// Takes the means of another picture, into the memory that is there.
    pub fn take(&mut self, picture: &RgbImage) {
        let [width, height] = [picture.width() as usize, picture.height() as usize];
        let side = width.max(height).div_ceil(BLOCKS_MAX).max(BLOCK_PIXELS_MIN);
        self.size_pixels = [picture.width(), picture.height()];
        self.blocks.clear();
        self.sums.resize(width.div_ceil(side), 0);
        for rows in picture.pixels().chunks(side * width.max(1) * 3) {
            self.sums.fill(0);
            for row in rows.chunks_exact(width * 3) {
                for (sum, pixels) in self.sums.iter_mut().zip(row.chunks(side * 3)) {
                    *sum += pixels.as_chunks::<3>().0.iter().map(grey).sum::<u32>();
                }
            }
            let lines = rows.len() / (width * 3);
            // The last block of a row may be narrower.
            let count = |column: usize| ((width - column * side).min(side) * lines) as u32;
            let means = self.sums.iter().enumerate().map(|(column, sum)| sum * STEPS / 4 / count(column));
            self.blocks.extend(means.map(|mean| mean as u16));
        }
    }

    /// The largest difference of a block, steps; `None` between pictures of different sizes.
    fn largest_difference(&self, other: &Thumbnail) -> Option<u16> {
        let pairs = self.blocks.iter().zip(&other.blocks);
        let largest = pairs.map(|(one, two)| one.abs_diff(*two)).max();
        largest.filter(|_| self.size_pixels == other.size_pixels)
    }

    /// The difference that half of the blocks do not exceed, steps.
    fn median_difference(&self, other: &Thumbnail) -> f64 {
        let mut counts = [0_usize; 16 * STEPS as usize];
        for (one, two) in self.blocks.iter().zip(&other.blocks) {
            counts[usize::from(one.abs_diff(*two)).min(counts.len() - 1)] += 1;
        }
        let mut below = 0;
        let is_half = |count: &usize| {
            below += count;
            self.blocks.len() <= 2 * below
        };
        counts.iter().position(is_half).unwrap_or(counts.len()) as f64
    }
}

/// Four times the grey of a pixel.
fn grey([red, green, blue]: &[u8; 3]) -> u32 {
    u32::from(*red) + 2 * u32::from(*green) + u32::from(*blue)
}

impl Stillness {
    /// Whether nothing moved since the frame that was last looked at, which is at most `age_max` old; if something did, this
    /// frame is to be looked at, and the next ones are held against it.
    pub fn is_still(&mut self, now: &Thumbnail, at: ShopTime, age_max: Span) -> bool {
        if now.size_pixels == self.previous.size_pixels {
            let median = now.median_difference(&self.previous);
            self.learnt = self.learnt.saturating_add(1);
            self.noise += (median - self.noise) * NOISE_GAIN.max(1.0 / f64::from(self.learnt));
        } else {
            self.learnt = 0;
        }
        self.previous.clone_from(now);
        let bound = NOISE_TIMES_MAX * self.noise.max(NOISE_STEPS_MIN);
        let is_fresh = self.looked_at.is_some_and(|looked_at| (at - looked_at).abs() < age_max);
        let difference = now.largest_difference(&self.reference);
        let is_still = LEARNT_FRAMES_MIN <= self.learnt
            && self.noise <= NOISE_STEPS_MAX
            && is_fresh
            && difference.is_some_and(|difference| f64::from(difference) <= bound);
        if !is_still {
            self.reference.clone_from(now);
            self.looked_at = Some(at);
        }
        is_still
    }
}
