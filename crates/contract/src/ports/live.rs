//! What screens, gates and other programs see of a shop that is open: changes as they happen, each with its number.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::DeviceHealth;
use crate::base::limits::LIVE_CHANGES_MAX;
use crate::base::{CartId, Money, PlateId, Prob, Quantity, ShelfId, ShopTime, SkuId, TimeRange, VisitId};
use crate::facts::{DoorState, FactRef, OpenVisit, ReceiptLine, TagRead};
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
        /// What the lane for screens calls it; a later one may bear the same name.
        event: FactRef,
        /// The shelf.
        shelf: ShelfId,
        /// From the quiet before to the quiet after.
        span: TimeRange,
        /// The plates that changed.
        plates: Vec<LivePlate>,
    },
    /// A door was opened or closed.
    Door {
        /// When.
        at: ShopTime,
        /// The door.
        door: String,
        /// How it is now.
        state: DoorState,
    },
    /// Tags were read.
    Tags {
        /// When, the last of them.
        at: ShopTime,
        /// The reader.
        reader: String,
        /// Each tag at each antenna that was read since this was told last, as it was read last.
        reads: Vec<TagRead>,
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
    /// What a receipt should have been. Only who plays a shop knows that.
    Truth {
        /// When that was judged.
        at: ShopTime,
        /// Whose receipt.
        visit: VisitId,
        /// What the shopper really took, by product; nothing where nobody is found who left then.
        lines: Vec<TruthLine>,
        /// Whether the receipt says the same.
        right: bool,
    },
    /// The state of a device changed.
    Health {
        /// How it is now.
        device: DeviceHealth,
    },
    /// How time goes in a recording that is watched. An open shop never says it.
    Replay {
        /// The time in the recording.
        at: ShopTime,
        /// Whether it goes on from there.
        playing: bool,
        /// How many times as fast as it was recorded.
        speed: f64,
        /// How often it was jumped: with another number, what was seen before is not of the shop that is shown now.
        jumps: u64,
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

/// What somebody really took of one product.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TruthLine {
    /// The product.
    pub sku: SkuId,
    /// How many units.
    pub quantity: Quantity,
}

/// What a plate felt.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LivePlate {
    /// The plate.
    pub plate: PlateId,
    /// The change, grams.
    pub grams: f64,
}

impl LiveChange {
    /// The word for what it is, as `change` has it.
    pub const fn kind(&self) -> &'static str {
        match self {
            LiveChange::People { .. } => "people",
            LiveChange::Shelf { .. } => "shelf",
            LiveChange::Door { .. } => "door",
            LiveChange::Tags { .. } => "tags",
            LiveChange::Carts { .. } => "carts",
            LiveChange::Receipt { .. } => "receipt",
            LiveChange::Truth { .. } => "truth",
            LiveChange::Health { .. } => "health",
            LiveChange::Replay { .. } => "replay",
        }
    }
}

/// What somebody needs who begins to look: the changes that still hold. Whoever takes them one after the other, and then what
/// comes behind `number`, knows what whoever saw all changes knows.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSnapshot {
    /// The number of the newest change that is in it; 0 for none.
    pub number: u64,
    /// How time goes in a recording, the newest people and carts, how each door is, the latest receipts from the oldest on with what
    /// is known of their truth, and the health of every device by name.
    pub changes: Vec<Arc<LiveChange>>,
}

/// Receipts that a snapshot holds, and truths of receipts; of more the oldest are left out.
const RECEIPTS_MAX: usize = 20;
/// Changes that are past and are told with every snapshot.
const PAST_MAX: usize = 500;
/// Doors that a snapshot holds, and devices; of more the newest to speak are left out of snapshots.
const DEVICES_MAX: usize = 1_024;
/// The latest changes, shared: the shop writes, screens read. Writing never waits for a reader.
#[derive(Clone, Default)]
pub struct LiveBoard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The number of the newest change.
    number: u64,
    changes: VecDeque<(u64, Arc<LiveChange>)>,
    /// What is past and is told with every snapshot all the same.
    past: VecDeque<Arc<LiveChange>>,
    replay: Option<Arc<LiveChange>>,
    people: Option<Arc<LiveChange>>,
    carts: Option<Arc<LiveChange>>,
    doors: BTreeMap<String, Arc<LiveChange>>,
    receipts: VecDeque<Arc<LiveChange>>,
    truths: VecDeque<Arc<LiveChange>>,
    devices: BTreeMap<String, Arc<LiveChange>>,
    supposed: Arc<BTreeMap<VisitId, CartId>>,
    wake: Vec<Box<dyn Fn() + Send>>,
}

impl LiveBoard {
    /// Says that something changed.
    pub fn publish(&self, change: LiveChange) {
        let change = Arc::new(change);
        let mut state = self.lock();
        state.number += 1;
        let number = state.number;
        state.fold(&change);
        state.changes.push_back((number, change));
        if LIVE_CHANGES_MAX < state.changes.len() {
            state.changes.pop_front();
        }
        state.wake.iter().for_each(|wake| wake());
    }

    /// Tells this with every snapshot, though it is past: whoever jumps in a recording has not seen it. Of more than 500 the oldest
    /// are forgotten.
    pub fn remember(&self, past: LiveChange) {
        let mut state = self.lock();
        state.past.push_back(Arc::new(past));
        if PAST_MAX < state.past.len() {
            state.past.pop_front();
        }
    }

    /// Shows from now on what the other board shows, as if nothing had been shown before: whoever looks is given a snapshot. The
    /// other one shows nothing after that.
    pub fn take_over(&self, other: &LiveBoard) {
        let taken = std::mem::take(&mut *other.lock());
        let mut state = self.lock();
        let (number, wake) = (state.number + 1, std::mem::take(&mut state.wake));
        *state = State { number, changes: VecDeque::new(), wake, ..taken };
        state.wake.iter().for_each(|wake| wake());
    }

    /// Calls this whenever something changed, for as long as the board lives. It must not block, and must not ask the board:
    /// it is for waking somebody else, who then asks.
    pub fn on_change(&self, wake: impl Fn() + Send + 'static) {
        self.lock().wake.push(Box::new(wake));
    }

    /// What holds now.
    pub fn snapshot(&self) -> LiveSnapshot {
        let state = self.lock();
        let newest = state.replay.iter().chain(&state.past).chain(&state.people).chain(&state.carts);
        let newest = newest.chain(state.doors.values());
        let changes =
            newest.chain(&state.receipts).chain(&state.truths).chain(state.devices.values()).cloned().collect();
        LiveSnapshot { number: state.number, changes }
    }

    /// The visits that are not over, as they look now, and when that was.
    pub fn carts(&self) -> Option<(ShopTime, Vec<OpenVisit>)> {
        let newest = self.lock().carts.clone();
        match newest.as_deref() {
            Some(LiveChange::Carts { at, visits }) => Some((*at, visits.clone())),
            _ => None,
        }
    }

    /// Says which cart pays for visits of which that is likely and not decided yet, in place of what was said before. It is no change
    /// that is streamed: only whoever has the cart is shown what follows from it.
    pub fn suppose(&self, carts: BTreeMap<VisitId, CartId>) {
        let mut state = self.lock();
        if *state.supposed != carts {
            state.supposed = Arc::new(carts);
        }
    }

    /// The cart that pays for each visit of which that is likely and not decided yet, as it was said last.
    pub fn supposed(&self) -> Arc<BTreeMap<VisitId, CartId>> {
        self.lock().supposed.clone()
    }

    /// When the newest was true that is shown of where people are; none where nothing is known of people.
    pub fn people_at(&self) -> Option<ShopTime> {
        match self.lock().people.as_deref() {
            Some(LiveChange::People { at, .. }) => Some(*at),
            _ => None,
        }
    }

    /// The changes behind a number, oldest first; none where some of them are lost.
    pub fn since(&self, number: u64) -> Option<Vec<(u64, Arc<LiveChange>)>> {
        let state = self.lock();
        let oldest = state.changes.front().map_or(state.number + 1, |(number, _)| *number);
        (oldest <= number + 1 && number <= state.number)
            .then(|| state.changes.iter().filter(|(other, _)| number < *other).cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps what a snapshot will hold.
    fn fold(&mut self, change: &Arc<LiveChange>) {
        match &**change {
            LiveChange::People { .. } => self.people = Some(change.clone()),
            LiveChange::Carts { .. } => self.carts = Some(change.clone()),
            // It is over by the time that somebody sees it.
            LiveChange::Shelf { .. } | LiveChange::Tags { .. } => {}
            LiveChange::Door { door, .. } => keep(&mut self.doors, door, change),
            LiveChange::Receipt { .. } => keep_latest(&mut self.receipts, change),
            LiveChange::Truth { .. } => keep_latest(&mut self.truths, change),
            LiveChange::Health { device } => keep(&mut self.devices, &device.device, change),
            LiveChange::Replay { .. } => self.replay = Some(change.clone()),
        }
    }
}

/// Keeps the latest.
fn keep_latest(kept: &mut VecDeque<Arc<LiveChange>>, change: &Arc<LiveChange>) {
    kept.push_back(change.clone());
    if RECEIPTS_MAX < kept.len() {
        kept.pop_front();
    }
}

/// Keeps the newest of each name, and of so many names.
fn keep(kept: &mut BTreeMap<String, Arc<LiveChange>>, name: &str, change: &Arc<LiveChange>) {
    if kept.len() < DEVICES_MAX || kept.contains_key(name) {
        kept.insert(name.to_owned(), change.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(at: i64) -> LiveChange {
        LiveChange::People { at: ShopTime::from_nanos(at), people: Vec::new() }
    }

    fn receipt(number: u64) -> LiveChange {
        let visit = VisitId::from_first_track(crate::base::TrackId::new(number));
        let (cart, at) = (CartId::derived(&["cart"]), ShopTime::from_nanos(0));
        LiveChange::Receipt {
            at,
            visit,
            cart,
            lines: Vec::new(),
            total: None,
            probability: Prob::ONE,
            for_review: false,
        }
    }

    fn truth(number: u64) -> LiveChange {
        let visit = VisitId::from_first_track(crate::base::TrackId::new(number));
        LiveChange::Truth { at: ShopTime::from_nanos(0), visit, lines: Vec::new(), right: true }
    }

    #[test]
    fn a_snapshot_holds_what_still_holds_and_no_more() {
        let board = LiveBoard::default();
        assert_eq!(board.snapshot(), LiveSnapshot { number: 0, changes: Vec::new() });
        for number in 0..100 {
            board.publish(receipt(number));
            board.publish(people(number as i64));
        }
        let snapshot = board.snapshot();
        assert_eq!(snapshot.number, 200);
        board.publish(truth(99));
        let snapshot = board.snapshot();
        let expected = [people(99)].into_iter().chain((80..100).map(receipt)).chain([truth(99)]);
        let expected: Vec<LiveChange> = expected.collect();
        assert_eq!(board.people_at(), Some(ShopTime::from_nanos(99)));
        assert_eq!(snapshot.changes.iter().map(|change| (**change).clone()).collect::<Vec<_>>(), expected);
        assert_eq!(board.since(201), Some(Vec::new()));
        assert_eq!(board.since(202), None, "nobody has seen what was not there");
    }

    #[test]
    fn a_snapshot_says_how_each_door_is() {
        let board = LiveBoard::default();
        let door = |door: &str, state| LiveChange::Door { at: ShopTime::from_nanos(0), door: door.to_owned(), state };
        for (name, state) in [("b", DoorState::Open), ("a", DoorState::Closed), ("b", DoorState::Closed)] {
            board.publish(door(name, state));
        }
        board.publish(LiveChange::Tags { at: ShopTime::from_nanos(1), reader: "r".to_owned(), reads: Vec::new() });
        let changes: Vec<LiveChange> = board.snapshot().changes.iter().map(|change| (**change).clone()).collect();
        assert_eq!(changes, [door("a", DoorState::Closed), door("b", DoorState::Closed)]);
        assert_eq!(board.since(0).map(|changes| changes.len()), Some(4));
    }

    #[test]
    fn a_board_that_is_taken_over_is_told_as_a_whole() {
        let (board, other) = (LiveBoard::default(), LiveBoard::default());
        let woken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = woken.clone();
        board.on_change(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        for number in 0..3 {
            board.publish(receipt(number));
            other.publish(people(number as i64));
        }
        let replay = LiveChange::Replay { at: ShopTime::from_nanos(7), playing: false, speed: 2.0, jumps: 1 };
        other.publish(replay.clone());
        (0..502).for_each(|number| other.remember(truth(number)));
        board.take_over(&other);
        let snapshot = board.snapshot();
        let changes: Vec<LiveChange> = snapshot.changes.iter().map(|change| (**change).clone()).collect();
        let past: Vec<LiveChange> = (2..502).map(truth).collect();
        let told: Vec<LiveChange> = [replay].into_iter().chain(past).chain([people(2)]).collect();
        assert_eq!((snapshot.number, changes), (4, told), "nothing is left of before");
        assert_eq!(board.since(3), None, "whoever looked is given a snapshot");
        assert_eq!((board.since(4), woken.load(std::sync::atomic::Ordering::Relaxed)), (Some(Vec::new()), 4));
        assert_eq!(other.snapshot().changes, []);
    }

    #[test]
    fn whoever_is_too_far_behind_is_told_so() {
        let board = LiveBoard::default();
        let woken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = woken.clone();
        board.on_change(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        (0..LIVE_CHANGES_MAX as i64).for_each(|at| board.publish(people(at)));
        assert_eq!(board.since(0).map(|changes| changes.len()), Some(LIVE_CHANGES_MAX));
        board.publish(people(0));
        assert_eq!(board.since(0), None, "the first is lost");
        assert_eq!(board.since(1).map(|changes| changes[0].0), Some(2));
        assert_eq!(woken.load(std::sync::atomic::Ordering::Relaxed), LIVE_CHANGES_MAX + 1);
    }
}
