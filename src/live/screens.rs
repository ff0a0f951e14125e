//! What the open shop shows: it takes facts as they come and publishes what changed. It decides nothing, and nothing waits for it.

use std::collections::BTreeMap;

use super::shop::{Ended, Live};
use crate::base::{ShopTime, Span, TrackId, VisitId};
use crate::facts::{Body, Fact, OpenVisit, PeopleFrame};
use crate::ports::{DeviceHealth, LiveBoard, LiveChange, LivePerson};

/// How often people are shown at most.
const PEOPLE: Span = Span::from_millis(100);
/// How often carts are looked at.
const CARTS: Span = Span::from_millis(200);

/// What is shown.
pub(super) struct Screens {
    board: LiveBoard,
    people: Option<ShopTime>,
    looked: Option<ShopTime>,
    carts: Vec<OpenVisit>,
    visits: BTreeMap<TrackId, VisitId>,
}

impl Screens {
    /// Nothing is shown yet.
    pub(super) fn new(board: LiveBoard) -> Self {
        Screens { board, people: None, looked: None, carts: Vec::new(), visits: BTreeMap::new() }
    }

    /// A ground fact came.
    pub(super) fn take(&mut self, fact: &Fact) {
        if let Body::People(frame) = &fact.body {
            let at = fact.stamp.at;
            if self.people.is_none_or(|shown| PEOPLE <= (at - shown).abs()) {
                self.people = Some(at);
                let people = self.people_of(frame);
                self.board.publish(LiveChange::People { at, people });
            }
        }
    }

    /// A device changed.
    pub(super) fn health(&self, device: DeviceHealth) {
        self.board.publish(LiveChange::Health { device });
    }

    /// A visit is over.
    pub(super) fn ended(&self, ended: &Ended) {
        let Ended { receipt, closed } = ended;
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

    /// Shows the carts, if they have changed.
    pub(super) fn show(&mut self, now: ShopTime, live: &Live) {
        if self.looked.is_some_and(|looked| (now - looked).abs() < CARTS) {
            return;
        }
        self.looked = Some(now);
        let carts = live.open_visits();
        if !is_alike(&carts, &self.carts) {
            self.board.publish(LiveChange::Carts { at: live.now(), visits: carts.clone() });
            self.carts = carts;
        }
    }

    fn people_of(&self, frame: &PeopleFrame) -> Vec<LivePerson> {
        let person = |person: &crate::facts::Person| {
            let wrists = [person.joints.left_wrist, person.joints.right_wrist].into_iter().flatten();
            Some(LivePerson {
                visit: self.visits.get(&person.track).copied(),
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
