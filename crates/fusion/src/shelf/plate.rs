//! One plate: from block averages to quiet runs to the levels of an event.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::noise::Noise;
use crate::base::{Grams, PlateId, ShopTime, Span, TimeRange};
use crate::facts::{Level, Staircase};

/// Blocks that the resting level lags behind, so that the beginning of a change is not averaged into it.
const REST_LAG_BLOCKS: usize = 6;
/// Blocks that a neighbour of an event is measured over: half a second.
const RECENT_BLOCKS: usize = 8;
/// A neighbour's change of fewer standard deviations than this is noise.
const NEIGHBOUR_SIGMAS_MIN: f64 = 2.5;
/// Share of a block in the resting level, once it is known: a time constant of about 3 s, for drift.
const REST_GAIN: f64 = 0.022;
/// Share of a block in the noise estimates: a time constant of about 0.5 s, since footsteps come and go.
const NOISE_GAIN: f64 = 0.13;
/// Share of a block in the noise of a plate at rest: a time constant of about 7 s.
const QUIET_GAIN: f64 = 0.01;
/// A level is quiet whose blocks vary by so many times that noise, and so many grams besides.
const QUIET_VARIANCES_MAX: f64 = 9.0;
const QUIET_GRAMS: f64 = 1.5;
/// Floor of the standard deviation of any level, grams: the sensor's quantum is 0.24 g.
const LEVEL_SIGMA_MIN: f64 = 0.35;
/// Smallest change of level that counts, grams.
const CHANGE_MIN: f64 = 4.0;
/// Smallest change of level that counts, in standard deviations of it.
const CHANGE_SIGMAS_MIN: f64 = 4.0;
/// Levels kept of one event; past it the shortest inner one goes.
const LEVELS_MAX: usize = 14;

/// Samples that differ by less than this are the same, grams: a tenth of the sensor's quantum. Readings in kilograms are.
const SAME_GRAMS: f32 = 0.024;
/// A plate whose samples have been the same for so long is stuck, or reads in another unit.
const STUCK_MIN: Span = Span::from_millis(5_000);
/// Samples that are the same for so long are not trembling.
const SAME_MIN: Span = Span::from_millis(500);
/// So many blocks with different samples are a plate that lives; fewer may be one take from a plate that hardly moves.
const TREMBLING_BLOCKS: u32 = 40;

/// Consecutive blocks that agree.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Run {
    start: ShopTime,
    end: ShopTime,
    sum: f64,
    /// Sum of squares around the first block, and that block: how much they tremble.
    squares: f64,
    off: f64,
    first: f64,
    blocks: u32,
}

/// The state of one plate.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PlateTrace {
    pub(super) id: PlateId,
    block_sum: f64,
    block_squares: f64,
    block_samples: u32,
    /// The average of the last block, without what the whole shelf felt; `None` while the sensor is silent.
    last_block: Option<f64>,
    silent_blocks: u32,
    /// Since when the sensor is silent, and since when it says the same.
    silent_since: ShopTime,
    same_since: ShopTime,
    last_sample: f32,
    /// Whether a sample of this block differs from the one before.
    varied: bool,
    /// Blocks in which samples differed since they were the same for a while, and when the last of them ended.
    varied_blocks: u32,
    varied_end: ShopTime,
    /// Whether it ever trembled, or moved by what matters.
    lived: bool,
    /// The last blocks, newest last; for what a plate at rest reads.
    recent: VecDeque<f64>,
    /// Blocks not yet averaged into the resting level, oldest first.
    fresh: Vec<f64>,
    rest: Option<f64>,
    rest_blocks: u32,
    rest_end: ShopTime,
    /// Variance of samples within a block, and of differences between neighbouring blocks (halved).
    sample_variance: f64,
    block_variance: f64,
    /// The same while nothing happens, over a longer time.
    quiet_variance: f64,
    /// The same over a day.
    #[serde(default)]
    noise: Noise,
    run: Option<Run>,
    levels: Vec<Run>,
    active: bool,
}

impl Run {
    fn new(value: f64, span: TimeRange) -> Self {
        Run { start: span.start, end: span.end, sum: value, squares: 0.0, off: 0.0, first: value, blocks: 1 }
    }

    fn push(&mut self, value: f64, end: ShopTime) {
        let off = value - self.first;
        self.end = end;
        self.sum += value;
        self.off += off;
        self.squares += off * off;
        self.blocks += 1;
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.blocks)
    }

    /// Variance of its blocks, square grams; zero for one block.
    fn variance(&self) -> f64 {
        let n = f64::from(self.blocks);
        if self.blocks < 2 { 0.0 } else { ((self.squares - self.off * self.off / n) / (n - 1.0)).max(0.0) }
    }

    fn absorb(&mut self, other: &Run) {
        let (n, shift) = (f64::from(other.blocks), other.first - self.first);
        self.end = other.end;
        self.sum += other.sum;
        self.squares += other.squares + 2.0 * shift * other.off + n * shift * shift;
        self.off += other.off + n * shift;
        self.blocks += other.blocks;
    }

    fn shift(&mut self, by: f64) {
        self.sum -= by * f64::from(self.blocks);
        self.first -= by;
    }
}

impl PlateTrace {
    pub(super) fn new(id: PlateId) -> Self {
        PlateTrace {
            id,
            block_sum: 0.0,
            block_squares: 0.0,
            block_samples: 0,
            last_block: None,
            silent_blocks: 0,
            silent_since: ShopTime::MIN,
            same_since: ShopTime::MAX,
            last_sample: 0.0,
            varied: true,
            varied_blocks: 0,
            varied_end: ShopTime::MIN,
            lived: false,
            recent: VecDeque::with_capacity(RECENT_BLOCKS + 1),
            fresh: Vec::with_capacity(REST_LAG_BLOCKS + 1),
            rest: None,
            rest_blocks: 0,
            rest_end: ShopTime::MIN,
            sample_variance: 1.0,
            block_variance: 0.5,
            quiet_variance: 0.5,
            noise: Noise::default(),
            run: None,
            levels: Vec::new(),
            active: false,
        }
    }

    pub(super) fn sample(&mut self, grams: f32) {
        if grams.is_finite() {
            self.varied |= SAME_GRAMS <= (grams - self.last_sample).abs();
            self.last_sample = grams;
            let grams = f64::from(grams);
            // Differences from the resting level keep the squares small enough to subtract.
            let grams = grams - self.rest.unwrap_or(0.0);
            self.block_sum += grams;
            self.block_squares += grams * grams;
            self.block_samples += 1;
        }
    }

    /// Ends the block: its average above the resting level, if the sensor spoke for at least half of it.
    pub(super) fn end_block(&mut self, samples: u32) -> Option<f64> {
        let (sum, squares, count) = (self.block_sum, self.block_squares, self.block_samples);
        (self.block_sum, self.block_squares, self.block_samples) = (0.0, 0.0, 0);
        if count * 2 < samples.max(1) {
            return None;
        }
        let n = f64::from(count);
        let mean = sum / n;
        if self.rest.is_none() {
            // The very first block: take it for the resting level.
            self.rest = Some(mean);
            return Some(0.0);
        }
        if 1 < count {
            let variance = ((squares - sum * mean) / (n - 1.0)).max(0.0);
            self.sample_variance += NOISE_GAIN * (variance.min(9.0 * self.sample_variance) - self.sample_variance);
            self.sample_variance = self.sample_variance.max(0.05);
        }
        Some(mean)
    }

    /// Notices whether the samples of a block differ. A jump between two values that are otherwise the same is none.
    fn tremble(&mut self, span: TimeRange) {
        if self.same_since == ShopTime::MAX {
            self.same_since = span.end;
        }
        if std::mem::take(&mut self.varied) {
            self.varied_blocks = self.varied_blocks.saturating_add(1);
            self.varied_end = span.end;
        } else if self.varied_end + SAME_MIN < span.end {
            self.varied_blocks = 0;
        }
        self.lived |= self.active || TREMBLING_BLOCKS <= self.varied_blocks;
        if TREMBLING_BLOCKS <= self.varied_blocks {
            self.same_since = self.varied_end;
        }
    }

    /// Takes the block's average above the resting level, without what the whole shelf felt.
    pub(super) fn block(&mut self, value: Option<f64>, span: TimeRange, frozen: bool) {
        self.tremble(span);
        let Some(value) = value else {
            if self.silent_blocks == 0 {
                self.silent_since = span.start;
            }
            self.silent_blocks = self.silent_blocks.saturating_add(1);
            self.end_run();
            self.last_block = None;
            self.recent.clear();
            return;
        };
        self.recent.push_back(value);
        if RECENT_BLOCKS < self.recent.len() {
            self.recent.pop_front();
        }
        self.silent_blocks = 0;
        if let Some(last) = self.last_block {
            let squared = (value - last) * (value - last) / 2.0;
            self.block_variance += NOISE_GAIN * (squared.min(9.0 * self.block_variance) - self.block_variance);
            self.block_variance = self.block_variance.max(0.06);
            if !self.active && !frozen {
                let squared = squared.min(9.0 * self.quiet_variance);
                self.quiet_variance = (self.quiet_variance + QUIET_GAIN * (squared - self.quiet_variance)).max(0.06);
                self.noise.learn(self.quiet_variance);
            }
        }
        self.last_block = Some(value);
        self.extend_run(value, span);
        if !self.active {
            self.watch(value, span, frozen);
        }
    }

    /// How far apart blocks of one run may be, grams.
    fn tolerance(&self) -> f64 {
        (0.6 * self.sample_variance.sqrt() + 1.5 * self.block_variance.sqrt()).clamp(1.2, 12.0)
    }

    fn sigma(&self, blocks: u32) -> f64 {
        (2.0 * self.block_variance / f64::from(blocks.max(1)) + LEVEL_SIGMA_MIN * LEVEL_SIGMA_MIN).sqrt()
    }

    /// Standard deviation of the level of a run: by how much its own blocks tremble, and at least as much as the plate does at rest.
    fn sigma_of(&self, run: &Run) -> f64 {
        let variance = run.variance().max(self.quiet_variance.min(self.block_variance));
        (2.0 * variance / f64::from(run.blocks.max(1)) + LEVEL_SIGMA_MIN * LEVEL_SIGMA_MIN).sqrt()
    }

    /// Whether two runs are at the same level, as far as can be told.
    fn is_same_level(&self, a: &Run, b: &Run) -> bool {
        let least = (CHANGE_SIGMAS_MIN * self.sigma_of(a).hypot(self.sigma_of(b))).max(CHANGE_MIN);
        (a.mean() - b.mean()).abs() < least
    }

    /// Whether a run is as quiet as the plate is when nobody touches it. A hand that lies on it trembles.
    fn is_quiet(&self, run: &Run) -> bool {
        run.variance() <= QUIET_VARIANCES_MAX * self.quiet_variance + QUIET_GRAMS * QUIET_GRAMS
    }

    /// The smallest difference between levels of so many blocks that counts.
    fn threshold(&self, blocks: u32, other_blocks: u32) -> f64 {
        (CHANGE_SIGMAS_MIN * self.sigma(blocks).hypot(self.sigma(other_blocks))).max(CHANGE_MIN)
    }

    fn extend_run(&mut self, value: f64, span: TimeRange) {
        let tolerance = self.tolerance();
        if let Some(run) = self.run.as_mut().filter(|run| (value - run.mean()).abs() <= tolerance) {
            run.push(value, span.end);
        } else {
            self.end_run();
            self.run = Some(Run::new(value, span));
        }
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        if !self.active || run.blocks < 2 {
            return;
        }
        let same = self.levels.last().is_some_and(|last| 1 < last.blocks && self.is_same_level(last, &run));
        match self.levels.last_mut().filter(|_| same) {
            Some(last) => last.absorb(&run),
            None => self.levels.push(run),
        }
        if LEVELS_MAX < self.levels.len() {
            let inner = 1..self.levels.len() - 1;
            if let Some(shortest) = inner.min_by_key(|&index| self.levels[index].blocks) {
                self.levels.remove(shortest);
            }
        }
    }

    /// At rest: follows drift, and notices when the plate has come to another level.
    fn watch(&mut self, value: f64, span: TimeRange, frozen: bool) {
        let near = value.abs() <= self.tolerance().max(CHANGE_MIN / 2.0);
        if near {
            self.rest_end = span.end;
        }
        let moved = self.run.filter(|run| 2 <= run.blocks && self.threshold(run.blocks, 20) < run.mean().abs());
        if moved.is_some() {
            self.active = true;
            self.fresh.clear();
            return;
        }
        if frozen {
            self.fresh.clear();
            return;
        }
        self.fresh.push(value);
        if REST_LAG_BLOCKS < self.fresh.len() {
            let oldest = self.fresh.remove(0);
            self.rest_blocks = self.rest_blocks.saturating_add(1);
            let gain = REST_GAIN.max(1.0 / f64::from(self.rest_blocks));
            self.shift_rest(gain * oldest.clamp(-8.0, 8.0));
        }
    }

    /// Moves the resting level, and everything that is measured from it.
    fn shift_rest(&mut self, by: f64) {
        if let Some(rest) = &mut self.rest {
            *rest += by;
        }
        for value in self.fresh.iter_mut().chain(&mut self.recent).chain(self.last_block.as_mut()) {
            *value -= by;
        }
        if let Some(run) = &mut self.run {
            run.shift(by);
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// Whether its sensor speaks.
    pub(super) fn is_alive(&self) -> bool {
        self.rest.is_some() && self.silent_blocks < 15
    }

    /// Whether it was ever heard.
    pub(super) fn has_spoken(&self) -> bool {
        self.rest.is_some()
    }

    /// Since when its sensor is silent, if it is.
    pub(super) fn silent_since(&self) -> Option<ShopTime> {
        (!self.is_alive()).then_some(self.silent_since)
    }

    /// Since when its sensor says the same, if for too long.
    pub(super) fn stuck_since(&self, now: ShopTime) -> Option<ShopTime> {
        (STUCK_MIN <= now - self.same_since).then_some(self.same_since)
    }

    /// Whether it ever trembled as sensors do, or moved by what matters.
    pub(super) fn has_lived(&self) -> bool {
        self.lived
    }

    /// Whether its sensor says the same for too long.
    pub(super) fn is_stuck(&self, now: ShopTime) -> bool {
        self.stuck_since(now).is_some()
    }

    /// How much it trembles over a day.
    pub(super) fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Begins with what was known of that before, square grams.
    pub(super) fn recall_noise(&mut self, variance: f64) {
        self.quiet_variance = variance;
    }

    pub(super) fn resting(&self) -> Option<f64> {
        self.rest.filter(|_| self.is_alive())
    }

    /// The end of the quiet before the event.
    pub(super) fn rest_end(&self) -> ShopTime {
        self.rest_end
    }

    /// Whether a plate at rest is on its way to somewhere: what it reads now is no level.
    pub(super) fn is_moving(&self) -> bool {
        let far = (4.0 * self.sigma(2)).max(3.0 * CHANGE_MIN);
        !self.active && self.is_alive() && self.last_block.is_some_and(|value| far < value.abs())
    }

    /// Since when the plate has been at its present level; `None` while it moves.
    pub(super) fn settled_since(&self, now: ShopTime, slack: Span) -> Option<ShopTime> {
        if !self.is_alive() {
            return Some(ShopTime::MIN);
        }
        let open = self.run.filter(|run| 2 <= run.blocks);
        if open.as_ref().is_some_and(|run| !self.is_quiet(run)) {
            return None;
        }
        match (open, self.levels.last()) {
            (Some(run), Some(level)) => Some(if self.is_same_level(level, &run) { level.start } else { run.start }),
            (Some(run), None) => Some(run.start),
            (None, Some(level)) if now - level.end <= slack => Some(level.start),
            (None, _) => None,
        }
    }

    /// The levels of the event that is over; the plate rests at the last of them from now on.
    pub(super) fn close(&mut self, now: ShopTime) -> Option<Staircase> {
        if !self.is_alive() && !self.active {
            return None;
        }
        let open_run = self.run;
        self.end_run();
        let rest_sigma = self.sigma(20);
        let before = TimeRange { start: self.rest_end - Span::from_millis(1_000), end: self.rest_end };
        let mut levels = vec![Level { quiet: before, grams: Grams::ZERO, sigma: Grams::new(rest_sigma) }];
        let mut after = 0.0;
        if self.active {
            for run in &self.levels {
                let quiet = TimeRange { start: run.start.max(before.end), end: run.end.max(before.end) };
                let sigma = Grams::new(self.sigma_of(run));
                levels.push(Level { quiet, grams: Grams::new(run.mean()), sigma });
                after = run.mean();
            }
        } else {
            let blocks = u32::try_from(self.recent.len()).ok().filter(|blocks| 2 <= *blocks)?;
            let mean = self.recent.iter().sum::<f64>() / f64::from(blocks);
            let sigma = self.sigma(blocks);
            let quiet = TimeRange { start: before.end.max(now - Span::from_millis(500)), end: now.max(before.end) };
            levels.push(Level { quiet, grams: Grams::new(mean), sigma: Grams::new(sigma) });
            // What may be noise moves no level: the next event would see it the other way round.
            if NEIGHBOUR_SIGMAS_MIN * sigma.hypot(rest_sigma) < mean.abs() {
                after = mean;
            }
        }
        self.levels.clear();
        self.active = false;
        self.fresh.clear();
        self.run = open_run;
        self.rest_blocks = self.rest_blocks.min(30);
        self.rest_end = now;
        self.shift_rest(after);
        (2 <= levels.len()).then_some(Staircase { plate: self.id, levels })
    }
}
