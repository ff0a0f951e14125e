//! A fact: a stamped value, and all kinds of values that there are.

use serde::{Deserialize, Serialize};

use super::{
    Attribution, ClockEstimate, Frame, GateScan, PeopleFrame, PlateBatch, Receipt, SeenFrame, ShelfEvent, Stamp,
    TrackJoined, VisitClosed,
};

/// A stamped value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Who, when, in what order.
    pub stamp: Stamp,
    /// What.
    pub body: Body,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// Ground: samples of the weight plates of one unit.
    Plates(PlateBatch),
    /// Ground: a picture of one camera.
    Frame(Frame),
    /// Ground: somebody was let in.
    Gate(GateScan),
    /// Derived, or ground at the `seen` cut: what one frame shows.
    Seen(SeenFrame),
    /// Ground at the `tracked` cut: everybody seen at one instant.
    People(PeopleFrame),
    /// Derived, or ground from sensors that segment themselves: something changed on a shelf.
    Shelf(ShelfEvent),
    /// Derived: what became of a track.
    Track(TrackJoined),
    /// Derived: who took or returned what.
    Attribution(Attribution),
    /// Derived: how far the clock of the people is from the clock of the plates.
    Clock(ClockEstimate),
    /// Derived: a visit is over, its attributions are final.
    Visit(VisitClosed),
    /// Derived: what one shopper owes.
    Receipt(Receipt),
}

/// The kinds of facts, as the channels of a recording name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// `/plates`
    Plates,
    /// `/cameras/` and the name of the camera
    Frame,
    /// `/gates`
    Gate,
    /// `/seen`
    Seen,
    /// `/people`
    People,
    /// `/shelf`
    Shelf,
    /// `/tracks`
    Track,
    /// `/attributions`
    Attribution,
    /// `/clock`
    Clock,
    /// `/visits`
    Visit,
    /// `/receipts`
    Receipt,
}

impl Topic {
    /// All of them, in the order of the pipeline.
    pub const ALL: [Topic; 11] = [
        Topic::Plates,
        Topic::Frame,
        Topic::Gate,
        Topic::Seen,
        Topic::People,
        Topic::Shelf,
        Topic::Track,
        Topic::Attribution,
        Topic::Clock,
        Topic::Visit,
        Topic::Receipt,
    ];

    /// The channel name in a recording; of frames what it begins with, for every camera has a channel of its own.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Plates => "/plates",
            Topic::Frame => "/cameras/",
            Topic::Gate => "/gates",
            Topic::Seen => "/seen",
            Topic::People => "/people",
            Topic::Shelf => "/shelf",
            Topic::Track => "/tracks",
            Topic::Attribution => "/attributions",
            Topic::Clock => "/clock",
            Topic::Visit => "/visits",
            Topic::Receipt => "/receipts",
        }
    }
}

impl Topic {
    /// Whether devices make such facts; the others are derived.
    pub const fn is_ground(self) -> bool {
        matches!(self, Topic::Plates | Topic::Frame | Topic::Gate | Topic::Seen | Topic::People)
    }
}

impl Body {
    /// Which kind it is.
    pub const fn topic(&self) -> Topic {
        match self {
            Body::Plates(_) => Topic::Plates,
            Body::Frame(_) => Topic::Frame,
            Body::Gate(_) => Topic::Gate,
            Body::Seen(_) => Topic::Seen,
            Body::People(_) => Topic::People,
            Body::Shelf(_) => Topic::Shelf,
            Body::Track(_) => Topic::Track,
            Body::Attribution(_) => Topic::Attribution,
            Body::Clock(_) => Topic::Clock,
            Body::Visit(_) => Topic::Visit,
            Body::Receipt(_) => Topic::Receipt,
        }
    }
}
