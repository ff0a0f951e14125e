//! From the staircases of a shelf event to steps: changes of neighbouring plates at one moment.

use serde::{Deserialize, Serialize};

use crate::base::{ShopTime, Span, TimeRange};
use crate::facts::{FactRef, ShelfEvent};
use crate::shop::Shelf;

/// Changes of neighbouring plates closer in time than this are one step.
const SLACK: Span = Span::from_millis(250);
/// A change may lie in a gap of the sensor; hands are looked for in the last part of it.
const SPAN_MAX: Span = Span::from_millis(12_000);
/// Places that goods are slid over at once.
const SLIDE_REACH: usize = 3;
/// A change that counts by itself: in standard deviations, and in grams.
const SIGMAS_MIN: f64 = 3.5;
const GRAMS_MIN: f64 = 3.5;

/// A plate that changed by less than this share of the largest change beside it only trembled.
const CORE_SHARE: f64 = 0.12;

/// What one plate did in a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlateStep {
    /// Which plate: its place on the shelf, from the left.
    pub(super) place: usize,
    /// From the end of the quiet before to the beginning of the quiet after.
    pub(super) span: TimeRange,
    /// Change of the level, grams.
    pub(super) grams: f64,
    /// Standard deviations of the levels before and after.
    pub(super) sigma_before: f64,
    pub(super) sigma_after: f64,
    /// Whether the change counts by itself.
    pub(super) significant: bool,
}

/// A change of neighbouring plates at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    /// Its number, rising in order of processing.
    pub(super) id: u32,
    /// Which shelf of the shop.
    pub(super) shelf: usize,
    /// The event it is part of.
    pub(super) event: FactRef,
    /// The plates, from left to right; a plate stands once.
    pub(super) plates: Vec<PlateStep>,
    /// When the plates that count moved.
    pub(super) span: TimeRange,
}

impl Step {
    /// The places of the plates that count.
    pub(super) fn significant(&self) -> impl Iterator<Item = usize> + '_ {
        self.plates.iter().filter(|plate| plate.significant).map(|plate| plate.place)
    }

    /// The places that carry the change: without what merely trembled beside it.
    pub(super) fn core(&self) -> impl Iterator<Item = usize> + '_ {
        let bar = CORE_SHARE * self.size();
        self.plates.iter().filter(move |plate| plate.significant && bar <= plate.grams.abs()).map(|plate| plate.place)
    }

    /// The largest change of a plate, grams.
    pub(super) fn size(&self) -> f64 {
        self.plates.iter().map(|plate| plate.grams.abs()).fold(0.0, f64::max)
    }

    /// The order in which steps are explained.
    pub(super) fn order(&self) -> (ShopTime, usize, usize) {
        // What is moved along the shelf leaves one place before it is at the other.
        let total: f64 = self.plates.iter().map(|plate| plate.grams).sum();
        let at = if total < 0.0 { self.span.start } else { self.span.end };
        (at, self.shelf, self.plates.first().map_or(0, |plate| plate.place))
    }
}

/// Cuts an event into its steps; ids are left at zero.
pub(super) fn cut(event: &ShelfEvent, event_ref: &FactRef, shelf_index: usize, shelf: &Shelf) -> Vec<Step> {
    let mut moves = moves_of(event, shelf);
    moves.sort_by_key(|step| (step.span.start, step.place));
    let mut clusters: Vec<Vec<PlateStep>> = Vec::new();
    for step in moves.iter().filter(|step| step.significant) {
        let touching = |cluster: &Vec<PlateStep>| cluster.iter().any(|other| joins(step, other));
        let mut joined = vec![*step];
        let mut index = 0;
        while index < clusters.len() {
            if touching(&clusters[index]) {
                joined.append(&mut clusters.remove(index));
            } else {
                index += 1;
            }
        }
        clusters.push(joined);
    }
    for step in moves.iter().filter(|step| !step.significant) {
        let distance = |cluster: &Vec<PlateStep>| {
            let span = hull(cluster);
            let apart = cluster.iter().map(|other| other.place.abs_diff(step.place)).min().unwrap_or(usize::MAX);
            let size = cluster.iter().map(|other| other.grams.abs()).fold(0.0, f64::max);
            (!span.touches(step.span), apart, -(size as i64))
        };
        if let Some(nearest) = clusters.iter_mut().min_by_key(|cluster| distance(cluster)) {
            nearest.push(*step);
        }
    }
    let finish = |mut plates: Vec<PlateStep>| {
        plates.sort_by_key(|plate| (plate.place, plate.span.start));
        let plates = merge_same_plate(plates);
        let span = hull(&plates);
        Step { id: 0, shelf: shelf_index, event: event_ref.clone(), plates, span }
    };
    clusters.into_iter().map(finish).collect()
}

fn moves_of(event: &ShelfEvent, shelf: &Shelf) -> Vec<PlateStep> {
    let mut moves = Vec::new();
    for staircase in &event.plates {
        let Some(place) = shelf.plates.iter().position(|plate| plate.id == staircase.plate) else { continue };
        for pair in staircase.levels.windows(2) {
            let [before, after] = pair else { continue };
            let grams = (after.grams - before.grams).value();
            let sigma = before.sigma.value().hypot(after.sigma.value());
            let moved = TimeRange::new(before.quiet.end, after.quiet.start);
            moves.push(PlateStep {
                place,
                span: TimeRange { start: moved.start.max(moved.end - SPAN_MAX), end: moved.end },
                grams,
                sigma_before: before.sigma.value(),
                sigma_after: after.sigma.value(),
                significant: (SIGMAS_MIN * sigma).max(GRAMS_MIN) <= grams.abs(),
            });
        }
    }
    moves
}

fn joins(a: &PlateStep, b: &PlateStep) -> bool {
    // What one plate loses while another gains it was moved along the shelf, perhaps past a plate between.
    let slid = a.grams * b.grams < 0.0 && (a.grams + b.grams).abs() < 0.5 * a.grams.abs().max(b.grams.abs());
    let reach = if slid { SLIDE_REACH } else { 1 };
    a.place.abs_diff(b.place) <= reach && a.span.touches(b.span.widened(SLACK))
}

fn hull(plates: &[PlateStep]) -> TimeRange {
    let counting = plates.iter().filter(|plate| plate.significant).map(|plate| plate.span);
    let all = plates.iter().map(|plate| plate.span);
    counting
        .reduce(TimeRange::hull)
        .or_else(|| all.reduce(TimeRange::hull))
        .unwrap_or(TimeRange { start: ShopTime::MIN, end: ShopTime::MIN })
}

/// Adds up consecutive changes of one plate.
pub(super) fn merge_same_plate(plates: Vec<PlateStep>) -> Vec<PlateStep> {
    let mut merged: Vec<PlateStep> = Vec::with_capacity(plates.len());
    for step in plates {
        match merged.last_mut() {
            Some(last) if last.place == step.place => {
                last.span = last.span.hull(step.span);
                last.grams += step.grams;
                last.sigma_after = step.sigma_after;
                let sigma = last.sigma_before.hypot(last.sigma_after);
                last.significant = (SIGMAS_MIN * sigma).max(GRAMS_MIN) <= last.grams.abs();
            }
            _ => merged.push(step),
        }
    }
    merged
}
