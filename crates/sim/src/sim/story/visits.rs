//! Visits to an open shop: who comes when, alone or together, with what, and what they do there.
//! Takes the goods on the shelves and dice; gives scripts. It gives no times but those of coming in.

use super::casting::{Casting, Place, put, take, wait};
use super::mixed;
use super::script::{Carries, Lift, Script, Step, Which};

/// Nobody comes in when less than this is left, seconds, nor in the last part of what is open very short.
const VISIT_SECS_MIN: f64 = 14.0;
const VISIT_SHARE_MIN: f64 = 0.5;
/// How long a visit is about, seconds, and how many facings there are for each shopper inside.
const VISIT_SECS: f64 = 50.0;
const FACINGS: f64 = 16.0;
/// Never are more shoppers inside on average, and never more come in a recording.
const INSIDE_MAX: f64 = 9.0;
const VISITORS_MAX: usize = 400;

/// What part of the actions of a calm day is meant to confuse.
const CALM_CONFUSING: f64 = 0.1;

/// On a day of families: how many of those who come together or alone are one, so that about half of the people belong to one,
/// and how much longer one waits for the next, so that the shop is no fuller than on other days.
const FAMILIES: f64 = 0.3;
const FAMILIES_GAP: f64 = 1.35;
/// How tall children are, metres, and how high a board may be that they reach, as a share of that.
const CHILD_METRES: (f64, f64) = (1.0, 1.4);
const CHILD_REACH: f64 = 0.75;
/// How often a child takes something at a stop, or handles something that it leaves there.
const CHILD_TAKES: f64 = 0.25;
const CHILD_TOUCHES: f64 = 0.3;

/// On a day of people who are alike: how many are, how tall they all are, and how far one is off at most, metres.
const ALIKE: f64 = 0.85;
const ALIKE_METRES: (f64, f64) = (1.62, 1.8);
const ALIKE_OFF_METRES: f64 = 0.005;

/// How hard a day is to read, and who comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// Two actions of five are not what they seem.
    Hard,
    /// Hardly any are.
    Calm,
    /// As hard, with many families.
    Families,
}

/// Shoppers come at random, as many as suit the size of the shop, until it closes.
pub(super) fn open(cast: &mut Casting, closes: f64, day: Day) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    let inside = (cast.places.len() as f64 / FACINGS).clamp(1.2, INSIDE_MAX);
    let gap = VISIT_SECS / inside * if day == Day::Families { FAMILIES_GAP } else { 1.0 };
    let visit = VISIT_SECS_MIN.min(closes * VISIT_SHARE_MIN);
    let mut enters = cast.roll.uniform(0.3, 2.5);
    let mut home = cast.any();
    let mut meetings = 0;
    while let Some(place) = home.filter(|_| enters + visit < closes && scripts.len() < VISITORS_MAX) {
        // Now and then somebody goes where somebody is already, and a crowd comes about.
        let place = if cast.roll.chance(0.25) { place } else { cast.any().unwrap_or(place) };
        home = Some(place);
        if let Some((count, children)) = day.company(cast) {
            let party = together(cast, place, Party { first: scripts.len(), count, children, enters, meetings, day });
            meetings += MEETINGS;
            enters += 1.0 + 1.5 * count as f64;
            scripts.extend(party);
        } else {
            scripts.push(alone(cast, place, enters, day));
        }
        // Exponential gaps, as of people who know nothing of each other; two do not go through the gate at once.
        enters += 2.5 + gap * -(1.0 - cast.roll.uniform(0.0, 1.0)).max(1e-3).ln();
    }
    scripts
}

/// Shoppers come and go as on any hard day, most of them of one height and in like clothes.
pub(super) fn alike(cast: &mut Casting, closes: f64) -> Vec<Script> {
    let mut scripts = open(cast, closes, Day::Hard);
    let height = cast.roll.uniform(ALIKE_METRES.0, ALIKE_METRES.1);
    for script in &mut scripts {
        if cast.roll.chance(ALIKE) {
            script.height = Some(height + cast.roll.uniform(-ALIKE_OFF_METRES, ALIKE_OFF_METRES));
            script.is_uniform = true;
        }
    }
    scripts
}

/// One group.
pub(super) fn group(cast: &mut Casting) -> Vec<Script> {
    let Some(place) = cast.any() else { return Vec::new() };
    let count = cast.roll.whole(2, 3);
    let enters = cast.roll.uniform(0.3, 1.5);
    together(cast, place, Party { first: 0, count, children: 0, enters, meetings: 0, day: Day::Hard })
}

fn carries(cast: &mut Casting) -> Carries {
    *cast.roll.pick(&[Carries::Arms, Carries::Basket, Carries::Basket, Carries::Bag]).unwrap_or(&Carries::Arms)
}

fn look_around(cast: &mut Casting) -> Step {
    Step::LookAround { secs: cast.roll.uniform(1.2, 3.0) }
}

/// Somebody on their own.
fn alone(cast: &mut Casting, home: Place, enters: f64, day: Day) -> Script {
    let mut steps = vec![Step::Scan { people: 1 }];
    if cast.roll.chance(0.4) {
        steps.push(look_around(cast));
    }
    let mut place = home;
    for _ in 0..cast.roll.whole(1, 5) {
        steps.extend(day.errand(cast, place));
        place = if cast.roll.chance(0.5) { cast.near(place, 1.5) } else { cast.any().unwrap_or(place) };
    }
    Script { enters, elbow_room: 0.5, carries: carries(cast), height: None, is_uniform: false, steps }
}

impl Day {
    /// How many come in together, and how many of them are children; none for somebody on their own.
    fn company(self, cast: &mut Casting) -> Option<(usize, usize)> {
        if self == Day::Families && cast.roll.chance(FAMILIES) {
            let (grown, children) = (cast.roll.whole(1, 2), cast.roll.whole(1, 2));
            return Some((grown + children, children));
        }
        let party = cast.roll.chance(0.22);
        party.then(|| (if cast.roll.chance(0.3) { 3 } else { 2 }, 0))
    }

    /// What somebody does at a place.
    fn errand(self, cast: &mut Casting, place: Place) -> Vec<Step> {
        match self {
            Day::Hard | Day::Families => errand(cast, place),
            Day::Calm if cast.roll.chance(CALM_CONFUSING) => trouble(cast, place),
            Day::Calm => plain(cast, place),
        }
    }
}

/// Takes a thing or two, and now and then puts one back where it was.
fn plain(cast: &mut Casting, place: Place) -> Vec<Step> {
    let approach = Step::Approach { spot: cast.spot(place) };
    let count = if cast.roll.chance(0.15) { 2 } else { 1 };
    let mut steps = vec![approach, wait(cast), take(cast, place, count, Lift::Brisk), wait(cast)];
    if cast.roll.chance(0.1) {
        steps.extend([Step::Put { which: Which::Last, to: None }, wait(cast)]);
    }
    steps
}

/// What is not what it seems.
fn trouble(cast: &mut Casting, place: Place) -> Vec<Step> {
    match cast.roll.whole(0, 5) {
        0 | 1 => mixed::confusion(cast, place),
        2 => compare(cast, place),
        3 => elsewhere(cast, place),
        4 => vec![Step::Approach { spot: cast.spot(place) }, wait(cast), take(cast, place, 1, Lift::Held), wait(cast)],
        _ => vec![examine(cast), take(cast, place, 1, Lift::Slow), wait(cast)],
    }
}

/// Takes a thing and puts it to its neighbour.
fn elsewhere(cast: &mut Casting, place: Place) -> Vec<Step> {
    let Some(next) = cast.next(place) else { return vec![take(cast, place, 1, Lift::Brisk)] };
    vec![take(cast, place, 1, Lift::Brisk), wait(cast), put(cast, next), wait(cast)]
}

/// What somebody does at a place on a hard day.
fn errand(cast: &mut Casting, place: Place) -> Vec<Step> {
    let approach = Step::Approach { spot: cast.spot(place) };
    match cast.roll.whole(0, 11) {
        0 => vec![approach, look_around(cast)],
        1 => mixed::confusion(cast, place),
        2 | 3 => compare(cast, place),
        4 => {
            let back = Step::Put { which: Which::Last, to: None };
            vec![examine(cast), take(cast, place, 1, Lift::Brisk), wait(cast), back, wait(cast)]
        }
        5 => elsewhere(cast, place),
        6 => {
            let count = cast.roll.whole(2, 3);
            vec![approach, take(cast, place, count, Lift::Brisk), wait(cast)]
        }
        7 => vec![approach, wait(cast), take(cast, place, 1, Lift::Held), wait(cast)],
        8 => vec![examine(cast), take(cast, place, 1, Lift::Slow), wait(cast)],
        _ => vec![approach, wait(cast), take(cast, place, 1, Lift::Brisk), wait(cast)],
    }
}

/// What a child of this height does where its family is: looks, mostly; takes or handles what it reaches.
fn childs_errand(cast: &mut Casting, place: Place, height: f64) -> Vec<Step> {
    let Some(low) = cast.low(place, 0.9, height * CHILD_REACH) else { return vec![look_around(cast)] };
    let mut steps = vec![Step::Approach { spot: cast.spot(low) }, wait(cast)];
    let what = cast.roll.uniform(0.0, 1.0);
    if what < CHILD_TAKES + CHILD_TOUCHES {
        steps.extend([take(cast, low, 1, Lift::Brisk), wait(cast)]);
    } else {
        steps.push(look_around(cast));
    }
    if (CHILD_TAKES..CHILD_TAKES + CHILD_TOUCHES).contains(&what) {
        steps.extend([Step::Put { which: Which::Last, to: None }, wait(cast)]);
    }
    steps
}

fn examine(cast: &mut Casting) -> Step {
    Step::Examine { secs: cast.roll.uniform(1.0, 3.5) }
}

/// Looks at a thing, fetches one like it, puts one of the two back.
fn compare(cast: &mut Casting, place: Place) -> Vec<Step> {
    let other = cast.near(place, 0.5);
    let mut steps = vec![examine(cast), take(cast, place, 1, Lift::Brisk)];
    steps.extend([examine(cast), take(cast, other, 1, Lift::Brisk), wait(cast)]);
    if cast.roll.chance(0.8) {
        steps.push(Step::Put { which: Which::Last, to: None });
    }
    steps
}

/// Meetings that a party may hold, and where it stands among the others.
const MEETINGS: u32 = 16;

struct Party {
    /// Index of its first member among all shoppers.
    first: usize,
    count: usize,
    /// How many of them are children: the last ones.
    children: usize,
    enters: f64,
    /// Number of its first meeting.
    meetings: u32,
    day: Day,
}

/// A party: one shows the token for all, they go from place to place together and may hand things to each other.
fn together(cast: &mut Casting, home: Place, party: Party) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for member in 0..party.count {
        // The gate is free again when the first has shown the token and gone on.
        let behind = if member == 0 { 0.0 } else { 1.3 + member as f64 * cast.roll.uniform(1.2, 1.5) };
        let enters = party.enters + behind;
        // One of them has the basket.
        let carries = if member == 0 { carries(cast) } else { Carries::Arms };
        let steps = if member == 0 { vec![Step::Scan { people: party.count as u32 }] } else { Vec::new() };
        let is_child = party.count - party.children <= member;
        let height = is_child.then(|| cast.roll.uniform(CHILD_METRES.0, CHILD_METRES.1));
        scripts.push(Script { enters, elbow_room: 0.46, carries, height, is_uniform: false, steps });
    }
    let mut place = home;
    let stops = cast.roll.whole(1, 3) as u32;
    for stop in 0..stops {
        let meet = |round: u32| Step::Meet { number: party.meetings + stop * 4 + round, members: party.count };
        for script in &mut scripts {
            let near = cast.near(place, 0.9);
            if 0 < stop {
                script.steps.push(meet(0));
            }
            if let Some(height) = script.height {
                script.steps.extend(childs_errand(cast, near, height));
                continue;
            }
            script.steps.push(Step::Approach { spot: cast.spot(near) });
            let steps = if cast.roll.chance(0.75) { party.day.errand(cast, near) } else { vec![look_around(cast)] };
            script.steps.extend(steps);
        }
        if cast.roll.chance(if party.day == Day::Calm { CALM_CONFUSING } else { 0.5 }) {
            hand_over(cast, &mut scripts, party.first, [meet(1), meet(2)]);
        }
        place = if cast.roll.chance(0.5) { cast.near(place, 2.0) } else { cast.any().unwrap_or(place) };
    }
    if 0 < party.children {
        // A family goes home together, one behind the other.
        for (member, script) in scripts.iter_mut().enumerate() {
            script.steps.push(Step::Meet { number: party.meetings + MEETINGS - 1, members: party.count });
            script.steps.push(Step::Wait { secs: member as f64 * cast.roll.uniform(1.2, 1.5) });
        }
    }
    scripts
}

/// The second takes a thing and gives it to the first, who has the basket.
fn hand_over(cast: &mut Casting, scripts: &mut [Script], first: usize, meetings: [Step; 2]) {
    let [before, after] = meetings;
    let giver = cast.roll.whole(1, scripts.len().max(2) - 1);
    for (member, script) in scripts.iter_mut().enumerate() {
        script.steps.push(before.clone());
        if member == giver {
            script.steps.push(Step::Join { to: first });
            script.steps.push(Step::Give { to: first, which: Which::Last });
        }
        script.steps.push(after.clone());
    }
}
