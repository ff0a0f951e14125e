//! What screens, gates and other programs see of a shop that is open: changes as they happen, each with its number.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::DeviceHealth;
use crate::base::limits::LIVE_CHANGES_MAX;
use crate::base::{CartId, Money, PlateId, Prob, ShelfId, ShopTime, TimeRange, VisitId};
use crate::facts::{OpenVisit, ReceiptLine};
use crate::geometry::{Floor, Point};

/// Something that changed. Everything says the shop time that it is true for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum LiveChange {
    /// Where everybody is; whoever is not named any more is not seen.
    People {
        /// When.
        at: ShopTime,
        /// Who is seen.
        people: Vec<LivePerson>,
    },
    /// Weights changed on a shelf.
    Shelf {
        /// The shelf.
        shelf: ShelfId,
        /// From the quiet before to the quiet after.
        span: TimeRange,
        /// The plates that changed.
        plates: Vec<LivePlate>,
    },
    /// The carts of all visits that are not over, as they look now; nothing of them is final.
    Carts {
        /// When.
        at: ShopTime,
        /// Every open visit.
        visits: Vec<OpenVisit>,
    },
    /// A visit is over and its receipt is in the book.
    Receipt {
        /// When the visit ended.
        at: ShopTime,
        /// Whose.
        visit: VisitId,
        /// The cart that pays.
        cart: CartId,
        /// The lines.
        lines: Vec<ReceiptLine>,
        /// The sum; none while a product has no price.
        total: Option<Money>,
        /// Of the whole receipt.
        probability: Prob,
        /// Whether a person has to look before anything is charged.
        for_review: bool,
    },
    /// The state of a device changed.
    Health {
        /// How it is now.
        device: DeviceHealth,
    },
}

/// Somebody on the floor.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LivePerson {
    /// Whose visit it is taken to be; none before that is known.
    pub visit: Option<VisitId>,
    /// Where, metres.
    pub place: Point<Floor>,
    /// Where the wrists are that are seen, metres: x, y, z.
    pub wrists: Vec<[f64; 3]>,
}

/// What a plate felt.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LivePlate {
    /// The plate.
    pub plate: PlateId,
    /// The change, grams.
    pub grams: f64,
}

/// The latest changes, shared: the shop writes, screens read. Writing never waits for a reader.
#[derive(Clone, Default)]
pub struct LiveBoard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The number of the newest change.
    number: u64,
    changes: VecDeque<(u64, Arc<LiveChange>)>,
    wake: Vec<Box<dyn Fn() + Send>>,
}

impl LiveBoard {
    /// Says that something changed.
    pub fn publish(&self, change: LiveChange) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.number += 1;
        let number = state.number;
        state.changes.push_back((number, Arc::new(change)));
        if LIVE_CHANGES_MAX < state.changes.len() {
            state.changes.pop_front();
        }
        state.wake.iter().for_each(|wake| wake());
    }

    /// Calls this whenever something changed; it must not block.
    pub fn on_change(&self, wake: impl Fn() + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wake.push(Box::new(wake));
    }

    /// The changes behind a number, oldest first; none where some of them are lost.
    pub fn since(&self, number: u64) -> Option<Vec<(u64, Arc<LiveChange>)>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = state.changes.front().map_or(state.number + 1, |(number, _)| *number);
        (oldest <= number + 1 && number <= state.number)
            .then(|| state.changes.iter().filter(|(other, _)| number < *other).cloned().collect())
    }
}
