//! What there is to be seen at one instant: bodies with all their joints, and goods wherever they are.
//! Made by the behaviour, read by the renderer and by whoever writes down the truth.

use crate::facts::BodyPoint;
use crate::geometry::{Point, World};

/// Everything that moves, at one instant.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// Everybody inside, by actor.
    pub(super) people: Vec<Figure>,
    /// Every unit of goods that is somewhere, by unit: on shelves, in hands, in baskets and bags.
    pub(super) goods: Vec<Placed>,
}

/// A shopper's body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    /// Index of the actor.
    pub(super) actor: usize,
    /// Standing height, metres.
    pub(super) height: f64,
    /// The joints of COCO, in the order of [`BodyPoint::ALL`]: centres of the joints, not points of the skin.
    pub(super) joints: [Point<World>; BodyPoint::COUNT],
    /// Base of the neck.
    pub(super) neck: Point<World>,
    /// Between the hips.
    pub(super) pelvis: Point<World>,
    /// The head: origin in the middle of the skull, right, forward (the way of the nose), up.
    pub(super) head: Axes,
    /// The chest: origin between neck and pelvis, right, forward, up (towards the neck).
    pub(super) chest: Axes,
    /// Left and right hand.
    pub(super) hands: [Hand; 2],
    /// Left and right foot.
    pub(super) feet: [Foot; 2],
    /// The basket or bag; none for who carries things in the arms.
    pub(super) carrier: Option<Carrier>,
}

/// A right-handed frame in the world; the three directions are of length 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    /// Where it is.
    pub(super) origin: Point<World>,
    /// To the right of whoever it belongs to.
    pub(super) right: Point<World>,
    /// Forward.
    pub(super) forward: Point<World>,
    /// Up.
    pub(super) up: Point<World>,
}

/// A hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    /// The palm: origin in its middle, forward towards the fingers, up out of the back of the hand.
    pub(super) palm: Axes,
    /// How far the fingers are closed: 0 flat, 1 a fist.
    pub(super) grip: f64,
}

/// A foot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foot {
    /// Tip of the shoe, on or above the floor.
    pub(super) toe: Point<World>,
    /// Lower end of the heel.
    pub(super) heel: Point<World>,
}

/// A basket or bag that somebody carries: bottom middle as origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    /// What it is.
    pub(super) kind: CarrierKind,
    /// Where it hangs; origin in the middle of its bottom.
    pub(super) axes: Axes,
}

/// What goods are carried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CarrierKind {
    /// A shopping basket, 0.40 m wide, 0.28 m deep, 0.22 m high, with a handle.
    Basket,
    /// A cloth bag, 0.36 m wide, 0.12 m deep, 0.38 m high.
    Bag,
}

/// A unit of goods somewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Index of the unit in the stock.
    pub(super) unit: usize,
    /// Index of its product in the catalogue.
    pub(super) good: usize,
    /// Where: origin in the middle of its bottom; it stands along `up`, its front looks along `-forward`.
    pub(super) axes: Axes,
    /// Who has it.
    pub(super) holder: Holder,
}

/// Who has a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A shelf: it does not move.
    Shelf,
    /// A hand of an actor, 0 the left, 1 the right.
    Hand(usize, usize),
    /// The basket, bag or arms of an actor.
    Carrier(usize),
}
