//! Weight plates to shelf events: it takes plate batches in order of time and gives, for every change, the levels that
//! each plate rested at. It never asks who did it or what it was, and it holds a few seconds of samples at most.
//!
//! A plate is vibrated by every footstep at 4 to 22 Hz, pressed, leaned on and slowly drifting, so a single sample
//! means little. Samples are averaged in short blocks; blocks that agree form quiet runs; what counts is the
//! difference between quiet runs, measured above what the whole shelf feels. Presses, holds and leans then cancel by
//! themselves, and whatever happens between two quiet runs is left to those who know where the hands were.

mod learned;
mod noise;
mod plate;
mod row;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::base::{DropReason, PlateId, Reports, ShopTime, Span, Stage, StageReport, TimeRange};
use crate::facts::{PlateBatch, ShelfEvent};
use crate::shop::Shop;

pub use learned::PlateNoise;
use row::Row;
pub use row::SETTLE;

/// How long a block of samples is averaged; two blocks (0.13 s) are the shortest quiet run.
const BLOCK: Span = Span::from_millis(67);
/// Batches of one unit may start this much off the expected time before it is a gap or a double.
const JITTER: Span = Span::from_millis(100);

/// All shelves of a shop. Written down and read back it goes on as if nothing had been.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShelfSense {
    /// Ordered by shelf.
    rows: Vec<Row>,
    counters: Counters,
    /// Where samples are missing, since it was last asked: which shelf of the shop, and when.
    gaps: Vec<(usize, TimeRange)>,
    /// For how long plates must keep their levels until an event is over.
    #[serde(skip, default = "usual_settle")]
    settle: Span,
}

fn usual_settle() -> Span {
    SETTLE
}

/// What happened to the batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Batches taken.
    pub received: u64,
    /// Events given.
    pub sent: u64,
    /// Batches of a unit whose columns or period make no sense.
    pub dropped_malformed: u64,
    /// Parts of batches that are older than what was taken already: doubles and the hopelessly late.
    pub dropped_stale: u64,
    /// Times that samples were missing between two batches of a shelf.
    pub gaps: u64,
    /// Batches that would fit into those gaps.
    pub missing: u64,
    /// Columns of batches whose plate the shop does not have.
    pub dropped_unknown_plates: u64,
}

impl ShelfSense {
    /// Starts with nothing known about any plate.
    pub fn new(shop: &Shop) -> Self {
        ShelfSense {
            rows: shop.shelves().iter().map(Row::new).collect(),
            counters: Counters::default(),
            gaps: Vec::new(),
            settle: SETTLE,
        }
    }

    /// From now on an event is over when its plates have kept their levels for so long; [`SETTLE`] unless this is said.
    pub fn set_settle(&mut self, settle: Span) {
        self.settle = settle;
    }

    /// Takes a batch; gives the events that are over. Plates that the shop does not have are ignored.
    pub fn step(&mut self, batch: &PlateBatch) -> Vec<ShelfEvent> {
        let mut events = Vec::new();
        self.counters.received += 1;
        if !batch.is_well_formed() {
            self.counters.dropped_malformed += 1;
            return events;
        }
        let (mut first, mut missing) = (0, Span::ZERO);
        while first < batch.plates.len() {
            let shelf = batch.plates[first].shelf;
            let length = batch.plates[first..].iter().take_while(|plate| plate.shelf == shelf).count();
            if let Ok(index) = self.rows.binary_search_by_key(&shelf, Row::shelf) {
                let gap =
                    self.rows[index].take(batch, (first..first + length, self.settle), &mut self.counters, &mut events);
                missing = missing.max(gap.map_or(Span::ZERO, TimeRange::length));
                self.gaps.extend(gap.map(|gap| (index, gap)));
            } else {
                self.counters.dropped_unknown_plates += length as u64;
            }
            first += length;
        }
        if Span::ZERO < missing {
            let length = (batch.row_at(batch.rows()) - batch.first_at).as_nanos().max(1);
            self.counters.missing += u64::try_from(missing.as_nanos() / length).unwrap_or(0).max(1);
        }
        self.counters.sent += events.len() as u64;
        events
    }

    /// Gives the events that are over by now, should plates have to keep their levels for less than when they were heard.
    pub fn settled(&mut self) -> Vec<ShelfEvent> {
        let mut events = Vec::new();
        for row in &mut self.rows {
            row.settled(self.settle, &mut events);
        }
        self.counters.sent += events.len() as u64;
        events
    }

    /// The sensors are silent from now on: gives what is still open.
    pub fn finish(&mut self) -> Vec<ShelfEvent> {
        let mut events = Vec::new();
        for row in &mut self.rows {
            row.finish(self.settle, &mut events);
        }
        self.counters.sent += events.len() as u64;
        events
    }

    /// Where samples were missing since this was last asked: the shelf's place in the shop's list, and when.
    pub fn take_gaps(&mut self) -> Vec<(usize, TimeRange)> {
        std::mem::take(&mut self.gaps)
    }

    /// When each shelf was heard first and last; `None` of one that has said nothing.
    pub fn heard(&self) -> Vec<Option<TimeRange>> {
        self.rows.iter().map(Row::heard).collect()
    }

    /// Since when each shelf has something on it that moves; `None` of one that is at rest.
    pub fn unrest(&self) -> Vec<Option<ShopTime>> {
        self.rows.iter().map(Row::unrest).collect()
    }

    /// Plates of shelves that are heard which say nothing themselves, or always the same, and since when: the shelf's place
    /// in the shop's list, and the plate's on the shelf.
    pub fn silent(&self) -> BTreeMap<(usize, usize), ShopTime> {
        let of_row = |(index, row): (usize, &Row)| {
            let silent: Vec<_> = row.silent().collect();
            silent.into_iter().map(move |(place, since)| ((index, place), since))
        };
        self.rows.iter().enumerate().flat_map(of_row).collect()
    }

    /// What happened to the batches so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The weight that a plate rests at, as its sensor reads it, if it is alive.
    pub fn resting(&self, plate: PlateId) -> Option<f64> {
        let index = self.rows.binary_search_by_key(&plate.shelf, Row::shelf).ok()?;
        self.rows[index].resting(plate)
    }
}

impl Reports for ShelfSense {
    /// A change that is under way is not one that waits: nobody knows of it yet.
    fn report(&self) -> StageReport {
        let Counters { received, sent, dropped_malformed, dropped_stale, gaps: _, missing, dropped_unknown_plates } =
            self.counters;
        StageReport::new(Stage::Shelf, received, sent)
            .dropping(DropReason::Malformed, dropped_malformed)
            .dropping(DropReason::Stale, dropped_stale)
            .dropping(DropReason::UnknownPlate, dropped_unknown_plates)
            .dropping(DropReason::Missing, missing)
    }
}
