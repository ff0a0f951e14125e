//! What shoppers are told to do: a script of steps each, without times. The stage gives them times, a body joints,
//! the plates samples; the same scripts can drive rendered bodies.

use crate::geometry::{Floor, Point};
use crate::sim::figure::CarrierKind;

/// A spot on a shelf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Index of the shelf in the shop.
    pub shelf: usize,
    /// Along the shelf, metres in its frame.
    pub x: f64,
}

/// Goods somebody wants: units of one product near a spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Want {
    /// Index of the product in the catalogue.
    pub good: usize,
    /// Near where.
    pub spot: Spot,
    /// How many units; at least one.
    pub count: usize,
}

/// How goods leave the plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// Off within a tenth to a third of a second.
    Brisk,
    /// Half a second from grasp to gone, little force.
    Quick,
    /// The weight goes off over two to four seconds.
    Slow,
    /// Held with part of the weight still on the plate for two to eight seconds, then off.
    Held,
}

/// Which of the goods in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one got last.
    Last,
    /// The one got first.
    First,
}

/// A step of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Stand for some seconds.
    Wait {
        /// How long, seconds.
        secs: f64,
    },
    /// Walk to a point of the floor.
    Stroll {
        /// Where to.
        to: Point<Floor>,
    },
    /// Walk in front of a spot and face it.
    Approach {
        /// Which.
        spot: Spot,
    },
    /// Wait until as many as `members` shoppers have come to the meeting of this number.
    Meet {
        /// Number of the meeting.
        number: u32,
        /// How many come.
        members: usize,
    },
    /// Take goods, all in one movement.
    Take {
        /// What.
        wants: Vec<Want>,
        /// How.
        lift: Lift,
        /// Whether the units come off together in one hand or with both hands.
        both_hands: bool,
    },
    /// Put a thing down.
    Put {
        /// Which of the things in hand.
        which: Which,
        /// Where; `None` for where it came from.
        to: Option<Spot>,
    },
    /// Lift a thing and set it down at another spot of the same shelf, without keeping it.
    Slide {
        /// What.
        want: Want,
        /// How far along the shelf, metres.
        by: f64,
    },
    /// Press on a shelf with one hand.
    Press {
        /// Where.
        spot: Spot,
        /// How hard, grams.
        grams: f64,
        /// How long, seconds.
        secs: f64,
    },
    /// Lean on the whole shelf.
    Lean {
        /// Where.
        spot: Spot,
        /// What each plate feels, grams.
        grams: f64,
        /// How long, seconds.
        secs: f64,
    },
    /// Give a thing to the shopper of this number, who stands near.
    Give {
        /// To whom.
        to: usize,
        /// Which of the things in hand.
        which: Which,
    },
    /// Walk up to the shopper of this number.
    Join {
        /// To whom.
        to: usize,
    },
    /// Stop at the gate and show who one is.
    Scan {
        /// How many come in, oneself included.
        people: u32,
    },
    /// Stand and look to both sides.
    LookAround {
        /// How long, seconds.
        secs: f64,
    },
    /// Hold the next thing taken up before the chest and look at it.
    Examine {
        /// How long, seconds.
        secs: f64,
    },
}

/// What somebody carries things in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// The arms.
    Arms,
    /// A shopping basket, taken at the entrance.
    Basket,
    /// A bag of their own.
    Bag,
}

impl Carries {
    pub(in crate::sim) fn kind(self) -> Option<CarrierKind> {
        match self {
            Carries::Arms => None,
            Carries::Basket => Some(CarrierKind::Basket),
            Carries::Bag => Some(CarrierKind::Bag),
        }
    }
}

/// What one shopper does.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// When the shopper comes in, seconds.
    pub enters: f64,
    /// How close to others the shopper stands, metres.
    pub elbow_room: f64,
    /// What things are carried in.
    pub carries: Carries,
    /// Standing height, metres; none for a grown-up like any.
    pub height: Option<f64>,
    /// Whether the shopper wears what everybody of this recording wears who does so.
    pub is_uniform: bool,
    /// The steps; walking out follows by itself.
    pub steps: Vec<Step>,
}
