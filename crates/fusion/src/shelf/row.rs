//! One shelf: blocks of its plates in step, what they all feel together, and where an event begins and ends.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::plate::PlateTrace;
use super::{BLOCK, Counters, JITTER};
use crate::base::{PlateId, ShelfId, ShopTime, Span, TimeRange};
use crate::facts::{PlateBatch, ShelfEvent};
use crate::shop::Shelf;

/// An event is over when all its plates have kept their level for this long.
pub const SETTLE: Span = Span::from_millis(500);
/// An event that does not come to rest is given in pieces of this length.
pub(super) const EVENT_SPAN_MAX: Span = Span::from_millis(8_000);
/// A gap so long is no part of an event's length: what happened in it has still to come to rest.
const LONG_GAP: Span = Span::from_millis(1_000);
/// A quiet run that ended this recently still counts as settled.
const SETTLE_SLACK: Span = Span::from_millis(200);
/// Plates this many places away from a changed one are measured too: an item may lie over them.
const REACH: usize = 2;
/// Active plates with at most this many resting ones between them belong to one event.
const BRIDGE: usize = 1;
/// A plate that has not spoken for so long of what its shelf was heard never spoke.
const SILENT_MIN: Span = Span::from_millis(1_000);
/// Plates needed before what they feel together can be told from what each feels.
const COMMON_PLATES_MIN: usize = 5;

/// The state of one shelf.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Row {
    shelf: ShelfId,
    pub(super) plates: Vec<PlateTrace>,
    /// For the plate layout last seen in a batch: column of the batch to place in `plates`.
    #[serde(skip)]
    columns: Vec<(PlateId, Option<usize>)>,
    block_start: ShopTime,
    block_rows: u32,
    /// When the shelf was heard first.
    first_at: ShopTime,
    next_at: ShopTime,
    /// When the last long gap ended.
    resumed_at: ShopTime,
    /// Room for the values of one block, here so that it is made once.
    #[serde(skip)]
    values: Vec<Option<f64>>,
    #[serde(skip)]
    sorted: Vec<f64>,
}

impl Row {
    pub(super) fn new(shelf: &Shelf) -> Self {
        Row {
            shelf: shelf.id,
            plates: shelf.plates.iter().map(|plate| PlateTrace::new(plate.id)).collect(),
            columns: Vec::new(),
            block_start: ShopTime::MIN,
            block_rows: 0,
            first_at: ShopTime::MIN,
            next_at: ShopTime::MIN,
            resumed_at: ShopTime::MIN,
            values: Vec::new(),
            sorted: Vec::new(),
        }
    }

    pub(super) fn shelf(&self) -> ShelfId {
        self.shelf
    }

    pub(super) fn resting(&self, plate: PlateId) -> Option<f64> {
        self.plates.iter().find(|trace| trace.id == plate)?.resting()
    }

    /// When the shelf was heard first and last.
    pub(super) fn heard(&self) -> Option<TimeRange> {
        (self.next_at != ShopTime::MIN).then_some(TimeRange { start: self.first_at, end: self.next_at })
    }

    /// Since when something moves on it; `None` when it is at rest.
    pub(super) fn unrest(&self) -> Option<ShopTime> {
        let moving = self.plates.iter().filter(|plate| plate.is_active() || plate.is_moving());
        moving.map(PlateTrace::rest_end).min()
    }

    /// The places of plates that say nothing while the others speak, or the same to the last digit while the others
    /// tremble or none of the shelf ever did, and since when.
    pub(super) fn silent(&self) -> impl Iterator<Item = (usize, ShopTime)> + '_ {
        let trembling = self.plates.iter().filter(|plate| plate.is_alive() && !plate.is_stuck(self.next_at)).count();
        let lives = self.plates.iter().any(PlateTrace::has_lived);
        let silent = move |plate: &PlateTrace| match plate.is_alive() {
            false if plate.has_spoken() => plate.silent_since(),
            false if SILENT_MIN <= self.next_at - self.first_at => Some(self.first_at),
            true if !lives || self.plates.len() < 2 * trembling => plate.stuck_since(self.next_at),
            _ => None,
        };
        self.plates.iter().enumerate().filter_map(move |(place, plate)| Some((place, silent(plate)?)))
    }

    /// Takes the columns of this shelf from a batch; answers when samples before it are missing.
    pub(super) fn take(
        &mut self,
        batch: &PlateBatch,
        (columns, settle): (Range<usize>, Span),
        counters: &mut Counters,
        events: &mut Vec<ShelfEvent>,
    ) -> Option<TimeRange> {
        let mut gap = None;
        if self.next_at == ShopTime::MIN {
            self.first_at = batch.first_at;
        } else {
            let old = batch.row_at(batch.rows()) <= self.next_at;
            if old || batch.first_at < self.next_at - JITTER {
                counters.dropped_stale += 1;
                return None;
            }
            if self.next_at + JITTER < batch.first_at {
                gap = Some(TimeRange { start: self.next_at, end: batch.first_at });
                counters.gaps += 1;
                if LONG_GAP <= batch.first_at - self.next_at {
                    self.resumed_at = batch.first_at;
                }
                self.end_block(self.next_at, settle, events);
            }
        }
        self.match_columns(&batch.plates[columns.clone()]);
        counters.dropped_unknown_plates += self.columns.iter().filter(|(_, place)| place.is_none()).count() as u64;
        let rows_per_block = ((BLOCK.as_secs() / batch.period.as_secs()).round() as u32).max(1);
        let width = batch.plates.len();
        for row in 0..batch.rows() {
            let at = batch.row_at(row);
            if self.block_rows == 0 {
                self.block_start = at;
            }
            let samples = &batch.grams[row * width..][columns.clone()];
            for ((_, place), sample) in self.columns.iter().zip(samples) {
                if let Some(place) = place {
                    self.plates[*place].sample(*sample);
                }
            }
            self.block_rows += 1;
            if rows_per_block <= self.block_rows {
                self.end_block(at + batch.period, settle, events);
            }
        }
        self.next_at = batch.row_at(batch.rows());
        gap
    }

    fn match_columns(&mut self, ids: &[PlateId]) {
        if self.columns.iter().map(|(id, _)| id).eq(ids) {
            return;
        }
        let place = |id: &PlateId| self.plates.iter().position(|plate| plate.id == *id);
        self.columns = ids.iter().map(|id| (*id, place(id))).collect();
    }

    fn end_block(&mut self, end: ShopTime, settle: Span, events: &mut Vec<ShelfEvent>) {
        if self.block_rows == 0 {
            return;
        }
        let span = TimeRange::new(self.block_start, end);
        let rows = std::mem::take(&mut self.block_rows);
        self.values.clear();
        self.values.extend(self.plates.iter_mut().map(|plate| plate.end_block(rows)));
        let common = self.common();
        let quiet = !self.plates.iter().any(PlateTrace::is_active);
        for index in 0..self.plates.len() {
            let frozen = !quiet && self.is_near_active(index);
            let value = self.values[index].map(|value| value - common);
            self.plates[index].block(value, span, frozen);
        }
        if !quiet {
            self.close_settled(span.end, settle, events);
        }
    }

    /// What the whole shelf feels: the median over its plates, where most of them agree on it.
    fn common(&mut self) -> f64 {
        self.sorted.clear();
        self.sorted.extend(self.values.iter().flatten());
        let count = self.sorted.len();
        if count < COMMON_PLATES_MIN {
            return 0.0;
        }
        self.sorted.sort_unstable_by(f64::total_cmp);
        let (low, median, high) = (self.sorted[count / 4], self.sorted[count / 2], self.sorted[count - 1 - count / 4]);
        let agree = 0.0 < low * high && high - low < 1.5 * median.abs().max(1.0);
        if agree { median } else { 0.0 }
    }

    fn is_near_active(&self, index: usize) -> bool {
        let reach = index.saturating_sub(REACH)..(index + REACH + 1).min(self.plates.len());
        self.plates[reach].iter().any(PlateTrace::is_active)
    }

    /// Active plates with small gaps between them, as ranges of places.
    fn clusters(&self) -> Vec<Range<usize>> {
        let mut clusters: Vec<Range<usize>> = Vec::new();
        for (index, _) in self.plates.iter().enumerate().filter(|(_, plate)| plate.is_active()) {
            match clusters.last_mut() {
                Some(last) if index <= last.end + BRIDGE => last.end = index + 1,
                _ => clusters.push(index..index + 1),
            }
        }
        clusters
    }

    fn close_settled(&mut self, now: ShopTime, settle: Span, events: &mut Vec<ShelfEvent>) {
        for cluster in self.clusters() {
            let active = || self.plates[cluster.clone()].iter().filter(|plate| plate.is_active());
            let settled =
                active().all(|plate| plate.settled_since(now, SETTLE_SLACK).is_some_and(|since| settle <= now - since));
            let moving = self.plates[self.reach_of(&cluster)].iter().any(PlateTrace::is_moving);
            let begun = active().map(PlateTrace::rest_end).min().unwrap_or(now).max(self.resumed_at);
            if settled && !moving || EVENT_SPAN_MAX <= now - begun {
                self.close(cluster, now, events);
            }
        }
    }

    /// The plates that are measured with a cluster.
    fn reach_of(&self, cluster: &Range<usize>) -> Range<usize> {
        cluster.start.saturating_sub(REACH)..(cluster.end + REACH).min(self.plates.len())
    }

    fn close(&mut self, cluster: Range<usize>, now: ShopTime, events: &mut Vec<ShelfEvent>) {
        let reach = self.reach_of(&cluster);
        let mut staircases = Vec::with_capacity(reach.len());
        let mut span: Option<TimeRange> = None;
        for index in reach {
            let inside = cluster.contains(&index);
            if !inside && (self.plates[index].is_active() || self.plates[index].is_moving()) {
                continue;
            }
            let was_active = self.plates[index].is_active();
            let Some(staircase) = self.plates[index].close(now) else { continue };
            if let (true, [before, .., after]) = (was_active, staircase.levels.as_slice()) {
                let moved = TimeRange::new(before.quiet.end, after.quiet.start);
                span = Some(span.map_or(moved, |span| span.hull(moved)));
            }
            staircases.push(staircase);
        }
        if let Some(span) = span {
            events.push(ShelfEvent { shelf: self.shelf, span, plates: staircases });
        }
    }

    /// Ends what has kept its level for so long by the last block.
    pub(super) fn settled(&mut self, settle: Span, events: &mut Vec<ShelfEvent>) {
        let now = if 0 < self.block_rows { self.block_start } else { self.next_at };
        self.close_settled(now, settle, events);
    }

    pub(super) fn finish(&mut self, settle: Span, events: &mut Vec<ShelfEvent>) {
        self.end_block(self.next_at, settle, events);
        for cluster in self.clusters() {
            self.close(cluster, self.next_at, events);
        }
    }
}
