//! How the weight on a plate changes while a hand takes, puts, presses, leans or slides.
//! The shape of the brisk lift is the one of the real shop's pick: a press of up to 50 g in the last tenth of a second,
//! then off within a tenth, then a ringing of a few grams.

use super::play::{Curve, Ring};
use crate::sim::roll::Roll;
use crate::sim::story::script::Lift;

/// A lift of `grams` that begins (the hand touches) at `start`: the curve, and when the weight has gone.
pub(super) fn lift(roll: &mut Roll, how: Lift, start: f64, grams: f64) -> (Curve, f64) {
    let mut curve = Curve { knots: vec![(start, 0.0)], rings: Vec::new() };
    let mut time = start;
    if roll.chance(0.5) {
        let press = roll.uniform(3.0, 60.0);
        time += roll.uniform(0.06, 0.2);
        curve.knots.push((time, press * 0.3));
        time += roll.uniform(0.04, 0.12);
        curve.knots.push((time, press));
    } else {
        time += roll.uniform(0.02, 0.15);
        curve.knots.push((time, roll.uniform(-2.0, 2.0)));
    }
    let off = match how {
        Lift::Brisk => roll.uniform(0.07, 0.3),
        Lift::Quick => roll.uniform(0.05, 0.16),
        Lift::Slow => ramp(roll, &mut curve, time, grams),
        Lift::Held => hold(roll, &mut curve, time, grams),
    };
    let end = time + off;
    if matches!(how, Lift::Brisk) && roll.chance(0.4) {
        curve.knots.push((time + off * 0.5, -grams * roll.uniform(0.3, 0.6)));
    }
    curve.knots.push((end, -grams));
    curve.rings.push(ringing(roll, end, grams));
    (curve, end)
}

/// Goes off unevenly over seconds; answers how long it took.
fn ramp(roll: &mut Roll, curve: &mut Curve, start: f64, grams: f64) -> f64 {
    let length = roll.uniform(2.0, 4.0);
    let parts = roll.whole(3, 6);
    for part in 1..parts {
        let share = part as f64 / parts as f64;
        let level = (share + roll.uniform(-0.5, 0.5) / parts as f64).clamp(0.03, 0.97);
        curve.knots.push((start + length * share, -grams * level));
    }
    wobble(roll, curve, start, start + length, grams * 0.03);
    length
}

/// Part of the weight off, held, wobbling; answers how long it took until the rest went.
fn hold(roll: &mut Roll, curve: &mut Curve, start: f64, grams: f64) -> f64 {
    let length = roll.uniform(2.0, 8.0);
    let mut time = start + roll.uniform(0.1, 0.4);
    let mut share = roll.uniform(0.15, 0.9);
    while time < start + length {
        curve.knots.push((time, -grams * share));
        time += roll.uniform(0.3, 1.4);
        share = (share + roll.normal(0.0, 0.15)).clamp(-0.1, 0.97);
        curve.knots.push((time, -grams * share));
        time += roll.uniform(0.1, 0.4);
    }
    wobble(roll, curve, start + 0.1, time, (grams * 0.05).clamp(2.0, 15.0));
    time - start + roll.uniform(0.07, 0.25)
}

/// Hands tremble at 2 to 7 Hz.
fn wobble(roll: &mut Roll, curve: &mut Curve, start: f64, end: f64, grams: f64) {
    for _ in 0..3 {
        let hertz = roll.uniform(1.5, 7.0);
        let grams = grams * roll.uniform(0.2, 0.8);
        curve.rings.push(Ring { start, end, grams, hertz, decay: f64::INFINITY });
    }
}

fn ringing(roll: &mut Roll, start: f64, grams: f64) -> Ring {
    let hertz = roll.uniform(7.0, 20.0);
    let decay = roll.uniform(0.05, 0.22);
    Ring { start, end: start + decay * 5.0, grams: grams.min(600.0) * roll.uniform(0.005, 0.05), hertz, decay }
}

/// A landing of `grams` that begins at `start`: the curve, and when it has settled.
pub(super) fn land(roll: &mut Roll, start: f64, grams: f64) -> (Curve, f64) {
    let mut curve = Curve { knots: vec![(start, 0.0)], rings: Vec::new() };
    let mut time = start;
    if roll.chance(0.35) {
        // One edge first, then let go.
        time += roll.uniform(0.05, 0.3);
        curve.knots.push((time, grams * roll.uniform(0.2, 0.7)));
    }
    time += roll.uniform(0.05, 0.2);
    curve.knots.push((time, grams * roll.uniform(1.0, 1.25) + roll.uniform(0.0, 40.0)));
    if roll.chance(0.4) {
        // Pushed to its place.
        time += roll.uniform(0.1, 0.6);
        curve.knots.push((time, grams + roll.uniform(5.0, 90.0)));
    }
    time += roll.uniform(0.05, 0.2);
    curve.knots.push((time, grams));
    curve.rings.push(ringing(roll, time, grams));
    (curve, time)
}

/// A press that goes away again, over `secs`.
pub(super) fn press(roll: &mut Roll, start: f64, grams: f64, secs: f64) -> Curve {
    let rise = (secs * 0.3).min(0.2);
    let mut curve = Curve { knots: vec![(start, 0.0), (start + rise, grams)], rings: Vec::new() };
    let mut time = start + rise;
    while time + 0.4 < start + secs - rise {
        time += roll.uniform(0.2, 0.4);
        curve.knots.push((time, grams * roll.uniform(0.7, 1.1)));
    }
    curve.knots.push((start + secs - rise / 2.0, grams * roll.uniform(0.8, 1.05)));
    curve.knots.push((start + secs + rise / 2.0, 0.0));
    wobble(roll, &mut curve, start + rise, start + secs - rise / 2.0, grams * 0.04);
    curve.rings.push(ringing(roll, start + secs + rise / 2.0, grams));
    curve
}

/// Weight going over from 0 to `grams` between two instants.
pub(super) fn shift(roll: &mut Roll, start: f64, end: f64, grams: f64) -> Curve {
    let middle = start + (end - start) * roll.uniform(0.35, 0.65);
    Curve { knots: vec![(start, 0.0), (middle, grams * roll.uniform(0.3, 0.7)), (end, grams)], rings: Vec::new() }
}
