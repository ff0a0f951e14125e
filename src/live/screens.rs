//! What the open shop shows: it takes facts as they come and publishes what changed. It decides nothing, and nothing waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::shop::{Ended, Found};
use super::tags::Tags;
use super::view::View;
use crate::album::{Reach, ReachSender, Ring};
use crate::base::{CartId, LaneReport, Prob, ShopTime, Span, TrackId, VisitId};
use crate::facts::{Body, DoorSwitch, Fact, OpenVisit, PeopleFrame, Receipt, SeenFrame, Staircase, Stamp};
use crate::pipeline::{Engine, Options};
use crate::ports::{DeviceHealth, KnownPerson, LiveBoard, LiveChange, LivePerson, LivePlate, PlateBoard, SeenBoard};
use crate::shop::Shop;

/// How often people are shown at most.
const PEOPLE: Span = Span::from_millis(100);
/// How often it is told what plates weigh at rest, besides whenever something changed.
const RESTS: Span = Span::from_millis(1_000);
/// How often carts are looked at.
const CARTS: Span = Span::from_millis(200);

/// How often it is reckoned who probably pays for whom.
const SUPPOSED: Span = Span::from_millis(500);

/// What is shown.
pub struct Screens {
    board: LiveBoard,
    plates: PlateBoard,
    seen: SeenBoard,
    /// Who keeps pictures of changes, where they are kept.
    pictures: Option<(Ring, ReachSender)>,
    view: View,
    people: Option<ShopTime>,
    tags: Tags,
    looked: Option<ShopTime>,
    settled: Option<ShopTime>,
    /// What was shown of carts; none before anything was.
    carts: Option<Vec<OpenVisit>>,
    /// What a cart must be as sure of as this, to be supposed to be somebody's.
    bar: Prob,
    supposed: Option<ShopTime>,
}

impl Screens {
    /// Nothing is shown yet.
    pub fn new((board, plates, seen): (LiveBoard, PlateBoard, SeenBoard), shop: &Arc<Shop>) -> Self {
        plates.open(shop.shelves().iter().flat_map(|shelf| &shelf.plates).map(|plate| plate.id));
        Screens {
            board,
            plates,
            seen,
            pictures: None,
            view: View::new(shop, Options::USUAL),
            people: None,
            tags: Tags::default(),
            looked: None,
            settled: None,
            carts: Some(Vec::new()),
            bar: shop.policy().review_below,
            supposed: None,
        }
    }

    /// The same, which tells whoever keeps pictures where people are, and of changes on shelves.
    pub(super) fn with_pictures(self, pictures: Option<(Ring, ReachSender)>) -> Self {
        Screens { pictures, ..self }
    }

    /// What the lane that decides has found. Where its sources are quick it knows whose a track is before this one does, which is then
    /// set back behind that and never hears of it.
    pub(super) fn found(&mut self, found: Found) {
        for (track, visit) in found.visits {
            self.view.name(track, visit);
            if let Some((ring, _)) = &self.pictures {
                ring.name(track, visit);
            }
        }
        let Some((_, sender)) = &self.pictures else { return };
        found.changes.into_iter().for_each(|(event, change)| sender.tell(Reach { event, change }));
        sender.untold("unasked", found.unasked);
    }

    /// This was found in what an earlier process had stored: no camera's frames of then are here.
    pub(super) fn passed(&mut self, found: Found) {
        let untold = found.changes.len() as u64 + found.unasked;
        self.found(Found { changes: VecDeque::new(), unasked: 0, ..found });
        if let Some((_, sender)) = &self.pictures {
            sender.untold("restarted", untold);
        }
    }

    /// Goes on from what the deciding lane knows: beside it the visits that its tracks are of. What is shown then follows from that and
    /// from what comes, and not from what was shown before.
    pub fn go_on_from(&mut self, engine: &Engine, visits: &BTreeMap<TrackId, VisitId>) {
        self.view.go_on_from(engine, visits);
        self.tags = Tags::default();
        (self.people, self.looked, self.settled, self.carts) = (None, None, None, None);
    }

    /// Shows on other boards from now on.
    pub fn show_on(&mut self, (board, plates, seen): (LiveBoard, PlateBoard, SeenBoard)) {
        (self.board, self.plates, self.seen) = (board, plates, seen);
    }

    /// Somebody looked at a frame.
    pub fn look(&self, stamp: &Stamp, seen: &SeenFrame) {
        self.seen.look(stamp, seen);
    }

    /// A ground fact came.
    pub fn take(&mut self, fact: &Fact) {
        self.view.take(fact);
        for (event, told) in self.view.take_events() {
            let plate = |stairs: &Staircase| LivePlate { plate: stairs.plate, grams: stairs.change().value() };
            let plates = told.plates.iter().map(plate).collect();
            self.plates.change(&told);
            // What plates weigh now follows from it.
            self.settled = None;
            self.board.publish(LiveChange::Shelf { event, shelf: told.shelf, span: told.span, plates });
        }
        let at = fact.stamp.at;
        match &fact.body {
            Body::Plates(batch) => self.plates.weigh(batch),
            Body::People(frame) => {
                self.seen.know(at, self.known_of(frame));
                if let Some((ring, _)) = &self.pictures {
                    ring.know(at, frame);
                }
                if self.people.is_none_or(|shown| PEOPLE <= (at - shown).abs()) {
                    self.people = Some(at);
                    let people = self.people_of(frame);
                    self.board.publish(LiveChange::People { at, people });
                }
            }
            Body::Door(DoorSwitch { door, state }) => {
                self.board.publish(LiveChange::Door { at, door: door.clone(), state: *state });
            }
            Body::Tags(reads) => self.tags.take(at, reads),
            _ => {}
        }
    }

    /// How often what was shown turned out to be otherwise.
    pub(super) fn corrections(&self) -> LaneReport {
        self.view.corrections()
    }

    /// A device changed.
    pub(super) fn health(&self, device: DeviceHealth) {
        self.board.publish(LiveChange::Health { device });
    }

    /// The deciding lane has written a receipt: it is gone on from what that lane knows.
    pub fn closed(&mut self, receipt: &Receipt, engine: &Engine) {
        let goods = receipt.lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect();
        self.view.closed(receipt.visit, goods);
        self.view.reset_to(engine);
    }

    /// A visit is over.
    pub(super) fn ended(&mut self, ended: &Ended, engine: &Engine) {
        let Ended { closing, closed, .. } = ended;
        let receipt = &closing.receipt;
        self.closed(receipt, engine);
        self.board.publish(LiveChange::Receipt {
            at: receipt.left,
            visit: receipt.visit,
            cart: closed.cart,
            lines: receipt.lines.clone(),
            total: receipt.total,
            probability: receipt.probability,
            for_review: closed.case.is_some(),
        });
    }

    /// Reckons who probably pays for whom, if that was not done just now; `likely` says it of those who are as sure as this.
    pub fn suppose(&mut self, now: ShopTime, likely: impl FnOnce(Prob) -> BTreeMap<VisitId, CartId>) {
        if self.supposed.is_none_or(|supposed| SUPPOSED <= (now - supposed).abs()) {
            self.supposed = Some(now);
            self.board.suppose(likely(self.bar));
        }
    }

    /// Shows the carts, if they have changed.
    pub fn show(&mut self, now: ShopTime, engine: &Engine) {
        if self.settled.is_none_or(|settled| RESTS <= (now - settled).abs()) {
            self.settled = Some(now);
            self.plates.settle(|plate| self.view.resting(plate));
        }
        if self.looked.is_some_and(|looked| (now - looked).abs() < CARTS) {
            return;
        }
        self.looked = Some(now);
        for change in self.tags.take_due() {
            self.board.publish(change);
        }
        if self.view.is_due() {
            self.view.reset_to(engine);
        }
        let carts = self.view.carts();
        if self.carts.as_ref().is_none_or(|shown| !is_alike(&carts, shown)) {
            self.board.publish(LiveChange::Carts { at: self.view.now(), visits: carts.clone() });
            self.carts = Some(carts);
        }
    }

    fn known_of(&self, frame: &PeopleFrame) -> Vec<KnownPerson> {
        let known = |person: &crate::facts::Person| KnownPerson {
            visit: self.view.visit_of(person.track),
            joints: person.joints.clone(),
        };
        frame.people.iter().map(known).collect()
    }

    fn people_of(&self, frame: &PeopleFrame) -> Vec<LivePerson> {
        let person = |person: &crate::facts::Person| {
            let wrists = [person.joints.left_wrist, person.joints.right_wrist].into_iter().flatten();
            Some(LivePerson {
                visit: self.view.visit_of(person.track),
                place: person.joints.trunk()?.floor(),
                wrists: wrists.map(|wrist| [wrist.position.x, wrist.position.y, wrist.position.z]).collect(),
            })
        };
        frame.people.iter().filter_map(person).collect()
    }
}

/// Whether two lists say the same of carts; that somebody was seen again is no change.
fn is_alike(some: &[OpenVisit], others: &[OpenVisit]) -> bool {
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| {
            one.visit == other.visit && one.lines == other.lines && one.interrupted == other.interrupted
        })
}
