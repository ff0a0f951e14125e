//! Weight plates: samples of every plate of a gondola from what lies on it and what shakes it.
//! The noise has the figures of the real shop: a white floor, resonances of each shelf between 4 and 25 Hz that
//! footfalls excite (strongest high up), a part that the whole shelf shares, slow drift, repeated samples, a quantum.

use crate::geometry::{Floor, Point};
use crate::shop::{Shelf, Shop};
use crate::sim::moment::body::Footfall;
use crate::sim::roll::Roll;
use crate::sim::stage::play::Play;
use crate::sim::stock::Stock;

/// Samples a second.
pub(in crate::sim) const SAMPLE_HERTZ: f64 = 60.0;
/// What one count of the converter weighs, grams.
const QUANTUM_GRAMS: f64 = 0.241;
/// Share of samples that repeat the one before: the plates are asked faster than they answer.
const REPEATED: f64 = 0.12;
/// Distance over which a footfall loses two thirds of its force on firm and on soft ground, metres.
const FOOTFALL_METRES: (f64, f64) = (0.9, 1.7);

/// Samples of a shelf, one row a plate.
pub(in crate::sim) struct Readings {
    /// Index of the shelf in the shop.
    pub(in crate::sim) shelf: usize,
    /// `rows[plate][sample]`, grams.
    pub(in crate::sim) rows: Vec<Vec<f32>>,
}

/// How a shelf shakes.
struct Springs {
    /// Frequencies of the shelf's resonances, hertz, and how fast each dies, 1/s.
    modes: [(f64, f64); 2],
    /// Grams of standing shake.
    idle: f64,
    /// Grams that a footfall beside it gives.
    step: f64,
    /// Share of the shake that all plates have in common.
    common: f64,
}

/// Renders one gondola from second 0 on.
pub(in crate::sim) fn render(
    shop: &Shop,
    stock: &Stock,
    play: &Play,
    falls: &[Footfall],
    gondola: u16,
    samples: usize,
    seed: u64,
) -> Vec<Readings> {
    let mut roll = Roll::new(seed, &format!("plates/{gondola}"));
    // Some gondolas stand on soft ground: the first one of the real shop swings five times as much as the others.
    let soft = roll.chance(0.3);
    let lively = if soft { roll.around(3.2, 0.35) } else { roll.around(0.8, 0.4) };
    let carries = if soft { FOOTFALL_METRES.1 } else { FOOTFALL_METRES.0 };
    let mut readings = Vec::new();
    for (index, shelf) in shop.shelves().iter().enumerate().filter(|(_, shelf)| shelf.id.gondola == gondola) {
        let springs = springs_of(&mut roll, shelf, lively);
        let mut weights = weights(shelf, index, stock, play, samples);
        crosstalk(&mut roll, &mut weights);
        let kicks = kicks(shelf, falls, samples, carries);
        let common = shake(&mut roll, &springs.modes, springs.idle, springs.step, &kicks);
        let rows = weights.into_iter().map(|mut row| {
            disturb(&mut roll, &mut row, &springs, &kicks, &common);
            sample(&mut roll, &row)
        });
        readings.push(Readings { shelf: index, rows: rows.collect() });
    }
    readings
}

fn springs_of(roll: &mut Roll, shelf: &Shelf, lively: f64) -> Springs {
    let height = shelf.placement.origin.z;
    let climb = 0.55 + 0.85 * (height / 1.3).powi(2);
    let centre = roll.uniform(16.0, 25.0) - 8.5 * (height / 1.5) * roll.uniform(0.0, 1.2);
    Springs {
        modes: [
            (centre.clamp(5.5, 26.0), roll.around(4.0, 0.8)),
            ((centre * roll.uniform(0.6, 1.7)).clamp(4.5, 27.0), roll.around(6.0, 0.6)),
        ],
        idle: 0.6 * lively.powf(0.7) * climb * roll.around(1.0, 0.3),
        step: 6.5 * lively * climb * climb * roll.around(1.0, 0.3),
        common: roll.uniform(0.25, 0.75),
    }
}

/// What lies and presses on every plate, without noise: `[plate][sample]`.
fn weights(shelf: &Shelf, index: usize, stock: &Stock, play: &Play, samples: usize) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; samples]; shelf.plates.len()];
    for rest in stock.units.iter().filter_map(|unit| unit.rest.as_ref().map(|rest| (rest, unit.grams))) {
        for (plate, share) in rest.0.shares.iter().filter(|_| rest.0.shelf == index) {
            rows[*plate].iter_mut().for_each(|sample| *sample += rest.1 * share);
        }
    }
    for load in play.loads.iter().filter(|load| load.shelf == index) {
        let first = ((load.curve.start() * SAMPLE_HERTZ).max(0.0) as usize).min(samples);
        let settled = ((load.curve.settled() * SAMPLE_HERTZ).max(0.0) as usize + 1).clamp(first, samples);
        let mut change: Vec<f64> = (first..settled).map(|tick| load.curve.at(tick as f64 / SAMPLE_HERTZ)).collect();
        change.resize(samples - first, load.curve.last());
        for (plate, share) in &load.shares {
            for (sample, grams) in rows[*plate][first..].iter_mut().zip(&change) {
                *sample += grams * share;
            }
        }
    }
    rows
}

/// Lets every plate feel a little of its neighbours: a per cent of a weight, more of a jolt.
fn crosstalk(roll: &mut Roll, rows: &mut [Vec<f64>]) {
    let pure: Vec<Vec<f64>> = rows.to_vec();
    for (plate, row) in rows.iter_mut().enumerate() {
        let neighbours = [plate.checked_sub(1), Some(plate + 1)];
        for neighbour in neighbours.into_iter().flatten().filter_map(|index| pure.get(index)) {
            let (still, jolt) = (roll.bounded(0.0, 0.004), roll.bounded(0.0, 0.02));
            let origin = neighbour.first().copied().unwrap_or(0.0);
            let mut smooth = 0.0;
            for (sample, other) in row.iter_mut().zip(neighbour) {
                let change = other - origin;
                smooth += (change - smooth) * 0.05;
                *sample += still * smooth + jolt * (change - smooth);
            }
        }
    }
}

/// Force of footfalls at this shelf, by sample.
fn kicks(shelf: &Shelf, falls: &[Footfall], samples: usize, carries: f64) -> Vec<f64> {
    let mut kicks = vec![0.0; samples];
    for fall in falls {
        let force = fall.strength * (-distance_to(shelf, fall.floor) / carries).exp();
        // Heel, then toe.
        for (delay, part) in [(0.0, 1.0), (0.11, 0.5)] {
            let tick = ((fall.at + delay) * SAMPLE_HERTZ) as usize;
            if let Some(kick) = kicks.get_mut(tick) {
                *kick += force * part;
            }
        }
    }
    kicks
}

/// How far a point of the floor is from the front of a shelf, metres.
fn distance_to(shelf: &Shelf, floor: Point<Floor>) -> f64 {
    let local = shelf.placement.local_from_world(Point::new(floor.x, floor.y, 0.0));
    let width = shelf.plates.last().map_or(0.5, |plate| plate.left_metres + plate.width_metres);
    let aside = (local.x - local.x.clamp(0.0, width)).abs();
    let before = (-local.y - 0.3).max(0.0);
    (aside * aside + before * before).sqrt()
}

/// A resonance driven by a steady tremble and by kicks: two-pole filters, one a mode.
fn shake(roll: &mut Roll, modes: &[(f64, f64)], idle: f64, step: f64, kicks: &[f64]) -> Vec<f64> {
    let mut shaken = vec![0.0; kicks.len()];
    for (number, (hertz, damping)) in modes.iter().enumerate() {
        let part = if number == 0 { 0.8 } else { 0.6 };
        let radius = (-damping / SAMPLE_HERTZ).exp();
        let a1 = 2.0 * radius * (std::f64::consts::TAU * hertz / SAMPLE_HERTZ).cos();
        let a2 = -radius * radius;
        // Scales the white drive so that the output has unit variance.
        let gain = ((1.0 + a2) * ((1.0 - a2) * (1.0 - a2) - a1 * a1) / (1.0 - a2)).abs().sqrt().max(1e-4);
        let (mut y1, mut y2) = (0.0, 0.0);
        let mut energy = 0.0;
        for (kick, sample) in kicks.iter().zip(shaken.iter_mut()) {
            // A footfall is a rumble of a tenth of a second rather than a click.
            energy = energy * 0.86 + kick;
            let drive = roll.normal(0.0, gain * (idle + energy * step));
            let y = a1 * y1 + a2 * y2 + drive;
            (y1, y2) = (y, y1);
            *sample += y * part;
        }
    }
    shaken
}

/// Adds everything that is not weight.
fn disturb(roll: &mut Roll, row: &mut [f64], springs: &Springs, kicks: &[f64], common: &[f64]) {
    let liveliness = roll.around(0.9, 0.6);
    let own = (1.0 - springs.common * springs.common).sqrt();
    let modes = springs.modes.map(|(hertz, damping)| (hertz * roll.around(1.0, 0.05), damping * roll.around(1.0, 0.2)));
    let shaken = shake(roll, &modes, springs.idle * own, springs.step * own, kicks);
    let drifts = roll.chance(0.1);
    let drift = if drifts { roll.uniform(0.4, 1.4) } else { roll.uniform(0.05, 0.3) };
    let slow = if drifts { 8.0 } else { 3.0 } * SAMPLE_HERTZ;
    let white = roll.uniform(0.18, 0.4);
    let offset = if roll.chance(0.7) { roll.uniform(-300.0, 2500.0) } else { roll.uniform(-5600.0, 9500.0) };
    // Bottoms settle a little under each step and stay so for a while; the floor gives way under a standing weight.
    let (settle, give) = (springs.step * roll.uniform(0.005, 0.04), springs.step * roll.normal(0.0, 0.02));
    let (mut wander, mut settled, mut bent) = (roll.normal(0.0, drift), 0.0, 0.0);
    for ((sample, shaken), (common, kick)) in row.iter_mut().zip(shaken).zip(common.iter().zip(kicks)) {
        wander += -wander / slow + roll.normal(0.0, drift * (2.0 / slow).sqrt());
        settled += -settled / (12.0 * SAMPLE_HERTZ) + kick * roll.normal(0.0, settle);
        bent += (kick * 8.0 - bent) * 0.04;
        let shake = (shaken + common * springs.common) * liveliness;
        *sample += offset + wander + settled + bent * give + shake + roll.normal(0.0, white);
    }
}

/// What the converter makes of it.
fn sample(roll: &mut Roll, row: &[f64]) -> Vec<f32> {
    let mut last = None;
    let convert = |grams: &f64| {
        let fresh = (grams / QUANTUM_GRAMS).round() * QUANTUM_GRAMS;
        let value = last.filter(|_| roll.chance(REPEATED)).unwrap_or(fresh);
        last = Some(value);
        value as f32
    };
    row.iter().map(convert).collect()
}
