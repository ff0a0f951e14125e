//! The scenes: each writes a script for every shopper from what stands on the shelves.

use super::casting::{Casting, Place, put, script, take, wait};
use super::mixed;
use super::script::{Lift, Script, Step, Want, Which};
use super::visits::{self, Day};

/// A case that a checkout has to get right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// One shopper takes one thing.
    SinglePick,
    /// Takes two things and puts one back where it was.
    PutBack,
    /// Puts a thing back to the place of another of nearly its weight.
    PutBackElsewhere,
    /// Two shoppers close together at one gondola.
    CloseTogether,
    /// Two shoppers exchange things.
    HandOver,
    /// Two shoppers take from one shelf at the same instant.
    SameInstant,
    /// Three shoppers, about thirty-three events.
    ThreeShoppers,
    /// Neighbours of nearly one weight: only the place tells them apart.
    LookAlikes,
    /// A thing held on its plate for seconds before it is lifted.
    HeldOnPlate,
    /// Several things grabbed at once.
    SeveralAtOnce,
    /// Three to five picks within seconds, one put back.
    FastSeries,
    /// The weight goes off over seconds.
    SlowPick,
    /// Put back and taken again.
    PutBackRetake,
    /// Put back to the place of another product, and bought there by somebody else.
    ReturnedElsewhereBought,
    /// Things lying over several plates, also over the border to the neighbour's.
    SpanningPlates,
    /// Things of equal weight on one shelf.
    EqualWeights,
    /// Looks, touches, leans, buys nothing.
    Browsing,
    /// Presses on shelves between picks.
    Press,
    /// Moves things along the shelf without taking them.
    Slide,
    /// Two to six shoppers who do all of it at random.
    Mixed,
    /// Eight shoppers within a minute.
    Crowd,
    /// Shoppers come and go as in an open shop.
    Open,
    /// Two or three people come in on one token and shop together.
    Group,
    /// An open shop on a calm day: one action in ten is meant to confuse.
    Ordinary,
    /// An open shop to which many come as families: children are small, reach low boards, and take something now and then.
    Families,
    /// An open shop in which most people have one height and like clothes.
    Alike,
}

impl Scenario {
    /// The scripted cases that accuracy is measured on.
    pub const ALL: [Scenario; 21] = [
        Scenario::SinglePick,
        Scenario::PutBack,
        Scenario::PutBackElsewhere,
        Scenario::CloseTogether,
        Scenario::HandOver,
        Scenario::SameInstant,
        Scenario::ThreeShoppers,
        Scenario::LookAlikes,
        Scenario::HeldOnPlate,
        Scenario::SeveralAtOnce,
        Scenario::FastSeries,
        Scenario::SlowPick,
        Scenario::PutBackRetake,
        Scenario::ReturnedElsewhereBought,
        Scenario::SpanningPlates,
        Scenario::EqualWeights,
        Scenario::Browsing,
        Scenario::Press,
        Scenario::Slide,
        Scenario::Mixed,
        Scenario::Crowd,
    ];

    /// Free scenes, for cameras: shoppers come through the gate, carry baskets and bags, go around things.
    pub const FREE: [Scenario; 5] =
        [Scenario::Open, Scenario::Group, Scenario::Ordinary, Scenario::Families, Scenario::Alike];

    /// Every scenario, the scripted cases first.
    pub fn every() -> impl Iterator<Item = Scenario> {
        Scenario::ALL.into_iter().chain(Scenario::FREE)
    }

    /// Whether it is one of the free scenes.
    pub const fn is_free(self) -> bool {
        matches!(self, Scenario::Group) || self.is_open()
    }

    /// Whether people come and go until the shop closes.
    pub const fn is_open(self) -> bool {
        matches!(self, Scenario::Open | Scenario::Ordinary | Scenario::Families | Scenario::Alike)
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::SinglePick => "single-pick",
            Scenario::PutBack => "put-back",
            Scenario::PutBackElsewhere => "put-back-elsewhere",
            Scenario::CloseTogether => "close-together",
            Scenario::HandOver => "hand-over",
            Scenario::SameInstant => "same-instant",
            Scenario::ThreeShoppers => "three-shoppers",
            Scenario::LookAlikes => "look-alikes",
            Scenario::HeldOnPlate => "held-on-plate",
            Scenario::SeveralAtOnce => "several-at-once",
            Scenario::FastSeries => "fast-series",
            Scenario::SlowPick => "slow-pick",
            Scenario::PutBackRetake => "put-back-retake",
            Scenario::ReturnedElsewhereBought => "returned-elsewhere-bought",
            Scenario::SpanningPlates => "spanning-plates",
            Scenario::EqualWeights => "equal-weights",
            Scenario::Browsing => "browsing",
            Scenario::Press => "press",
            Scenario::Slide => "slide",
            Scenario::Mixed => "mixed",
            Scenario::Crowd => "crowd",
            Scenario::Open => "open",
            Scenario::Group => "group",
            Scenario::Ordinary => "ordinary",
            Scenario::Families => "families",
            Scenario::Alike => "alike",
        }
    }

    /// What happens, in a line.
    pub const fn story(self) -> &'static str {
        match self {
            Scenario::SinglePick => "One shopper takes one thing",
            Scenario::PutBack => "Takes two things and puts one back where it was",
            Scenario::PutBackElsewhere => "Puts a thing back to the place of another of nearly its weight",
            Scenario::CloseTogether => "Two shoppers close together at one gondola",
            Scenario::HandOver => "Two shoppers exchange things",
            Scenario::SameInstant => "Two shoppers take from one shelf at the same instant",
            Scenario::ThreeShoppers => "Three shoppers, about thirty-three events",
            Scenario::LookAlikes => "Neighbours of nearly one weight: only the place tells them apart",
            Scenario::HeldOnPlate => "A thing held on its plate for seconds before it is lifted",
            Scenario::SeveralAtOnce => "Several things grabbed at once",
            Scenario::FastSeries => "Three to five picks within seconds, one put back",
            Scenario::SlowPick => "The weight goes off over seconds",
            Scenario::PutBackRetake => "Put back and taken again",
            Scenario::ReturnedElsewhereBought => {
                "Put back to the place of another product, and bought there by somebody else"
            }
            Scenario::SpanningPlates => "Things lying over several plates, also over the border to the neighbour's",
            Scenario::EqualWeights => "Things of equal weight on one shelf",
            Scenario::Browsing => "Looks, touches, leans, buys nothing",
            Scenario::Press => "Presses on shelves between picks",
            Scenario::Slide => "Moves things along the shelf without taking them",
            Scenario::Mixed => "Two to six shoppers who do all of it at random",
            Scenario::Crowd => "Eight shoppers within a minute",
            Scenario::Open => "Shoppers come and go as in an open shop",
            Scenario::Group => "Two or three people come in on one token and shop together",
            Scenario::Ordinary => "Shoppers come and go on a calm day: one action in ten confuses",
            Scenario::Families => "Shoppers come and go, about half of them as families with small children",
            Scenario::Alike => "Shoppers come and go, most of one height within a centimetre and in like clothes",
        }
    }
}

impl std::str::FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Scenario::every().find(|scenario| scenario.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Scenario::every().map(Scenario::name).collect();
            format!("`{text}` is not a scenario; there are {}", names.join(", "))
        })
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Scripts for everybody; no shoppers for a shop without goods. An open shop lets shoppers in until `closes`.
pub(in crate::sim) fn write(scenario: Scenario, cast: &mut Casting, closes: f64) -> Vec<Script> {
    let scripts = match scenario {
        Scenario::Open => Some(visits::open(cast, closes, Day::Hard)),
        Scenario::Ordinary => Some(visits::open(cast, closes, Day::Calm)),
        Scenario::Families => Some(visits::open(cast, closes, Day::Families)),
        Scenario::Alike => Some(visits::alike(cast, closes)),
        Scenario::Group => Some(visits::group(cast)),
        _ => scripts(scenario, cast),
    };
    scripts.unwrap_or_default()
}

fn scripts(scenario: Scenario, cast: &mut Casting) -> Option<Vec<Script>> {
    let any = cast.any()?;
    let one = |cast: &mut Casting, steps: Vec<Step>| Some(vec![script(cast, 0, steps)]);
    match scenario {
        Scenario::SinglePick => {
            let steps = vec![take(cast, any, 1, Lift::Brisk)];
            one(cast, steps)
        }
        Scenario::PutBack => {
            let other = cast.near(any, 1.0);
            let which = if cast.roll.chance(0.5) { Which::First } else { Which::Last };
            let mut steps = vec![take(cast, any, 1, Lift::Brisk), wait(cast), take(cast, other, 1, Lift::Brisk)];
            steps.extend([wait(cast), Step::Put { which, to: None }, wait(cast)]);
            one(cast, steps)
        }
        Scenario::PutBackElsewhere => {
            let (a, b) = cast.twins()?;
            let mut steps = vec![take(cast, a, 1, Lift::Brisk), wait(cast), put(cast, b), wait(cast)];
            if cast.roll.chance(0.5) {
                let other = cast.near(a, 1.5);
                steps.push(take(cast, other, 1, Lift::Brisk));
            }
            one(cast, steps)
        }
        Scenario::HeldOnPlate => several(cast, Lift::Held, any),
        Scenario::SlowPick => several(cast, Lift::Slow, any),
        Scenario::LookAlikes | Scenario::EqualWeights => look_alikes(cast, scenario == Scenario::EqualWeights),
        Scenario::SeveralAtOnce => several_at_once(cast, any),
        Scenario::FastSeries => fast_series(cast, any),
        Scenario::PutBackRetake => {
            let mut steps =
                vec![take(cast, any, 1, Lift::Brisk), wait(cast), Step::Put { which: Which::Last, to: None }];
            steps.extend([wait(cast), take(cast, any, 1, Lift::Brisk)]);
            if cast.roll.chance(0.4) {
                steps.extend([wait(cast), Step::Put { which: Which::Last, to: None }, take(cast, any, 1, Lift::Brisk)]);
            }
            one(cast, steps)
        }
        Scenario::SpanningPlates => spanning(cast, any),
        Scenario::Browsing => {
            let count = cast.roll.whole(3, 6);
            let steps = (0..count).flat_map(|_| mixed::confusion(cast, any)).collect();
            one(cast, steps)
        }
        Scenario::Press => presses(cast, any),
        Scenario::Slide => slides(cast, any),
        _ => together(scenario, cast, any),
    }
}

/// Scenes with more than one shopper.
fn together(scenario: Scenario, cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    match scenario {
        Scenario::CloseTogether => Some(close_together(cast, any)),
        Scenario::HandOver => Some(mixed::hand_over(cast, any)),
        Scenario::SameInstant => same_instant(cast, any),
        Scenario::ThreeShoppers => Some(mixed::shoppers(cast, 3, 11, 0.2)),
        Scenario::ReturnedElsewhereBought => returned_elsewhere_bought(cast),
        Scenario::Crowd => Some(mixed::crowd(cast)),
        _ => {
            let count = cast.roll.whole(2, 6);
            Some(mixed::shoppers(cast, count, 6, 0.4))
        }
    }
}

/// One to three things taken in one manner.
fn several(cast: &mut Casting, lift: Lift, first: Place) -> Option<Vec<Script>> {
    let mut steps = vec![take(cast, first, 1, lift)];
    for _ in 0..cast.roll.whole(0, 2) {
        let next = cast.near(first, 1.5);
        let lift = if cast.roll.chance(0.5) { lift } else { Lift::Brisk };
        steps.extend([wait(cast), take(cast, next, 1, lift)]);
    }
    Some(vec![script(cast, 0, steps)])
}

fn look_alikes(cast: &mut Casting, both: bool) -> Option<Vec<Script>> {
    let mut steps = Vec::new();
    for _ in 0..cast.roll.whole(1, 3) {
        let (a, b) = cast.twins()?;
        steps.push(take(cast, a, 1, Lift::Brisk));
        if both || cast.roll.chance(0.5) {
            let count = cast.roll.whole(1, 2);
            steps.extend([wait(cast), take(cast, b, count, Lift::Brisk)]);
        }
    }
    Some(vec![script(cast, 0, steps)])
}

fn several_at_once(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let mut steps = Vec::new();
    for _ in 0..cast.roll.whole(1, 3) {
        let place = cast.near(any, 1.5);
        let count = cast.roll.whole(2, 3);
        let neighbour = cast.next(place).filter(|_| cast.roll.chance(0.4));
        let wants = match neighbour {
            Some(neighbour) => vec![cast.want(place, 1), cast.want(neighbour, 1)],
            None => vec![cast.want(place, count)],
        };
        let both_hands = cast.roll.chance(0.5);
        steps.extend([Step::Take { wants, lift: Lift::Brisk, both_hands }, wait(cast)]);
    }
    Some(vec![script(cast, 0, steps)])
}

fn fast_series(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let count = cast.roll.whole(3, 5);
    let mut steps: Vec<Step> = vec![Step::Approach { spot: cast.spot(any) }];
    for number in 0..count {
        let place = if number == 0 { any } else { cast.near(any, 0.35) };
        steps.push(take(cast, place, 1, Lift::Quick));
    }
    let which = if cast.roll.chance(0.5) { Which::First } else { Which::Last };
    steps.push(Step::Put { which, to: None });
    Some(vec![script(cast, 0, steps)])
}

/// Puts a thing over a border; somebody takes it from there, or another of its kind.
fn spanning(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let wide: Vec<Place> = cast.places.iter().filter(|place| 0.25 < place.right - place.left).copied().collect();
    let place = cast.roll.pick(&wide).copied().unwrap_or(any);
    let mut steps = vec![take(cast, place, 1, Lift::Brisk), wait(cast)];
    if let Some(next) = cast.next(place) {
        let border = cast.border(place, next);
        steps.push(Step::Put { which: Which::Last, to: Some(border) });
        let again = Want { good: place.good, spot: border, count: 1 };
        if cast.roll.chance(0.6) {
            steps.extend([wait(cast), Step::Take { wants: vec![again], lift: Lift::Brisk, both_hands: false }]);
        }
        steps.extend([wait(cast), take(cast, next, 1, Lift::Brisk)]);
    }
    Some(vec![script(cast, 0, steps)])
}

fn presses(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let mut steps = Vec::new();
    for _ in 0..cast.roll.whole(2, 4) {
        let place = cast.near(any, 1.2);
        let press = mixed::press(cast, place);
        steps.extend([press, wait(cast)]);
        if cast.roll.chance(0.4) {
            let place = cast.near(any, 1.2);
            steps.push(take(cast, place, 1, Lift::Brisk));
        }
    }
    Some(vec![script(cast, 0, steps)])
}

fn slides(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let mut steps = Vec::new();
    for _ in 0..cast.roll.whole(1, 3) {
        let place = cast.near(any, 1.2);
        let by = cast.roll.sign() * cast.roll.uniform(0.06, 0.2);
        steps.extend([Step::Slide { want: cast.want(place, 1), by }, wait(cast)]);
    }
    if cast.roll.chance(0.5) {
        steps.push(take(cast, any, 1, Lift::Brisk));
    }
    Some(vec![script(cast, 0, steps)])
}

fn close_together(cast: &mut Casting, any: Place) -> Vec<Script> {
    let mut scripts = Vec::new();
    for number in 0..2 {
        let mut steps = vec![Step::Approach { spot: cast.spot(any) }, Step::Meet { number: 1, members: 2 }];
        for _ in 0..cast.roll.whole(1, 3) {
            let place = cast.near(any, 0.4);
            steps.extend([take(cast, place, 1, Lift::Brisk), wait(cast)]);
            if cast.roll.chance(0.25) {
                steps.push(Step::Put { which: Which::Last, to: None });
            }
        }
        scripts.push(Script { elbow_room: 0.4, ..script(cast, number, steps) });
    }
    scripts
}

/// Different plates, neighbouring facings, or the same facing.
fn same_instant(cast: &mut Casting, any: Place) -> Option<Vec<Script>> {
    let (a, b) = match cast.roll.whole(0, 2) {
        0 => (any, cast.beside(any).unwrap_or(any)),
        1 => (any, cast.next(any).unwrap_or(any)),
        _ => (any, any),
    };
    let rounds = cast.roll.whole(1, 2);
    let mut scripts = Vec::new();
    for (number, place) in [a, b].into_iter().enumerate() {
        let mut steps = vec![Step::Approach { spot: cast.spot(place) }];
        for round in 0..rounds {
            steps.push(Step::Meet { number: 1 + round as u32, members: 2 });
            steps.extend([Step::Wait { secs: cast.roll.uniform(0.0, 0.3) }, take(cast, place, 1, Lift::Brisk)]);
        }
        scripts.push(Script { elbow_room: 0.4, ..script(cast, number, steps) });
    }
    Some(scripts)
}

fn returned_elsewhere_bought(cast: &mut Casting) -> Option<Vec<Script>> {
    let (a, b) =
        if cast.roll.chance(0.7) { cast.twins()? } else { cast.any().and_then(|a| cast.next(a).map(|b| (a, b)))? };
    let spot = cast.spot(b);
    let first = vec![
        take(cast, a, 1, Lift::Brisk),
        wait(cast),
        Step::Put { which: Which::Last, to: Some(spot) },
        Step::Meet { number: 1, members: 2 },
        wait(cast),
    ];
    let far = cast.near(a, 2.0);
    let want = Want { good: a.good, spot, count: 1 };
    let mut second = vec![Step::Meet { number: 1, members: 2 }];
    second.extend([wait(cast), Step::Take { wants: vec![want], lift: Lift::Brisk, both_hands: false }]);
    if cast.roll.chance(0.5) {
        second.insert(0, take(cast, far, 1, Lift::Brisk));
    }
    Some(vec![script(cast, 0, first), script(cast, 1, second)])
}
