//! What was not heard. It takes stretches of time in which samples or frames are missing, plates that are silent, and
//! where everybody's hands were, and says how much of what concerns a visit was heard, and why a person has to look where
//! that is too little. It never guesses what the missing part would have said.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::plan::Place;
use crate::base::{ShopTime, Span, TimeRange, TrackId, VisitId};
use crate::facts::{Joint, Joints, Person};
use crate::geometry::{Local, Point, World};
use crate::shop::{Shelf, Shop};

/// Frames of people further apart than this are a gap.
const FRAME_GAP_MIN: Span = Span::from_millis(500);
/// Frames over which the usual time between two is averaged; and the shortest that is believed.
const FRAME_SPAN_FRAMES: i64 = 16;
const FRAME_SPAN_MIN: Span = Span::from_millis(20);
/// In a gap so long nobody's hands are known.
const UNWATCHED_MIN: Span = Span::from_millis(1_000);
/// Gaps of each kind that are remembered; the oldest go first.
const GAPS_MAX: usize = 256;
/// A shelf that was last heard so long before a hand was there is silent.
const SHELF_SILENT_MIN: Span = Span::from_millis(700);
/// A hand that is on a silent plate for so long is there by no chance.
const TOUCH_MIN: Span = Span::from_millis(250);
/// Sights of a hand on a plate so near in time are one touch.
const TOUCH_GAP_MAX: Span = Span::from_millis(400);
/// Touches of one plate by one visit that are remembered, and changes that a visit made; the oldest go first.
const TOUCHES_MAX: usize = 16;
const MOVES_MAX: usize = 64;
/// A hand on a silent plate is explained by goods that moved so soon before or after, so many plates beside.
const MOVE_MARGIN: Span = Span::from_millis(300);
const MOVE_PLATES: usize = 2;
/// Missing part of what concerns a visit above which a person has to look.
const MISSING_SHARE_MAX: f64 = 0.1;
/// A stay is taken to be at least so long, seconds, for one lost message is much of a short one.
const STAY_SECS_MIN: f64 = 10.0;
/// How much a missing part counts: what changed across a gap is still measured, and hands are seen on both sides of it.
const MISSING_WEIGHT: f64 = 0.25;
/// What is left of the probability of a whole cart where more is doubted than a missing part: of visits whose hands were on
/// silent plates five in eight came out right. What is in it may be right all the same.
pub(super) const DOUBTED_FACTOR: f64 = 0.6;
/// A change across a gap so long may be several that cancel out.
const GAP_LONG: Span = Span::from_millis(1_000);
/// Whoever was seen so long before something was lost may have been there.
const AROUND: Span = Span::from_millis(10_000);
/// How far beside, before and above a board a wrist may be whose hand is on its goods, metres.
const HAND_METRES: f64 = 0.06;
/// The same for a plate that says nothing: fingers reach further than the wrist, to the side as well.
const FINGERS_METRES: f64 = 0.12;
const FINGERS_ASIDE_METRES: f64 = 0.04;
/// How far from a board a trunk may be whose hand is on it, metres.
const TRUNK_METRES: f64 = 0.9;
/// Whoever walks faster than this, metres per second, takes nothing on the way; and over how long that is measured.
const WALKING_METRES_PER_SEC: f64 = 0.6;
const WALKING_SPAN: Span = Span::from_millis(200);
/// How far a hand is from the trunk, or from the other hand, at most, metres.
const REACH_METRES: f64 = 1.9;
/// Losses whose time is remembered.
const LOSSES_MAX: usize = 64;

/// What is known of what was not heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Heard {
    /// When each shelf was heard first and last.
    shelves: Vec<Option<TimeRange>>,
    /// Gaps in the samples of each shelf, in order of time.
    gaps: BTreeMap<usize, VecDeque<TimeRange>>,
    /// Gaps between frames of people, in order of time.
    unseen: VecDeque<TimeRange>,
    last_frame: Option<ShopTime>,
    /// Its number, and the smallest step between the numbers of two frames.
    last_sequence: u64,
    stride: u64,
    /// Who was in it.
    last_tracks: Vec<TrackId>,
    /// Usual time between two frames; zero before it is known.
    frame_span: Span,
    /// Plates that say nothing now, and since when.
    silent: BTreeMap<Place, ShopTime>,
    /// When something was lost of which nothing is known.
    lost: VecDeque<ShopTime>,
    visits: BTreeMap<VisitId, Reach>,
}

/// Where the hands of a visit were.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Reach {
    /// When a hand was at each shelf first and last.
    shelves: BTreeMap<usize, TimeRange>,
    /// When a hand was on each plate, in order of time.
    plates: BTreeMap<Place, VecDeque<TimeRange>>,
    /// Where the trunk was a moment ago, and how fast it went until then, metres per second.
    trunk: Option<(ShopTime, Point<World>)>,
    metres_per_sec: f64,
    /// What the visit is taken to have moved: shelf, first and last place, and when.
    moves: VecDeque<(usize, (usize, usize), TimeRange)>,
}

impl Reach {
    /// A hand on goods of this board touches each plate that its fingers may be on.
    fn touch(&mut self, index: usize, shelf: &Shelf, hand: Point<Local>, at: ShopTime) {
        for (place, plate) in shelf.plates.iter().enumerate() {
            let right = plate.left_metres + plate.width_metres;
            if (plate.left_metres - FINGERS_ASIDE_METRES..=right + FINGERS_ASIDE_METRES).contains(&hand.x) {
                let touches = self.plates.entry((index, place)).or_default();
                match touches.back_mut().filter(|touch| at <= touch.end + TOUCH_GAP_MAX) {
                    Some(touch) => touch.end = touch.end.max(at),
                    None => keep(touches, TimeRange { start: at, end: at }, TOUCHES_MAX),
                }
            }
        }
    }

    /// Notes where the trunk is.
    fn walk(&mut self, at: ShopTime, trunk: Point<World>) {
        let Some((last, place)) = self.trunk else {
            self.trunk = Some((at, trunk));
            return;
        };
        if WALKING_SPAN <= at - last {
            self.metres_per_sec = place.floor().distance(trunk.floor()) / (at - last).as_secs();
            self.trunk = Some((at, trunk));
        }
    }

    /// Whether goods beside a plate, and not its own, explain that a hand was there.
    fn explains(&self, (index, place): Place, touch: TimeRange) -> bool {
        self.moves.iter().any(|(shelf, (first, last), span)| {
            *shelf == index
                && (first.saturating_sub(MOVE_PLATES)..=last + MOVE_PLATES).contains(&place)
                && span.widened(MOVE_MARGIN).touches(touch)
        })
    }
}

/// How much of what concerns a visit was heard.
pub(super) struct Hearing {
    /// The part that was heard, `0..=1`.
    pub(super) share: f64,
    /// Why a person has to look.
    pub(super) doubts: Vec<String>,
}

impl Heard {
    /// A frame of people came, also one with nobody in it. Answers how many are missing before it: as many as its number
    /// says and as would fit into the gap, where somebody was there on both sides of it. Whoever follows people need not
    /// say that there is nobody.
    pub(super) fn frame(&mut self, at: ShopTime, sequence: u64, people: &[Person]) -> u64 {
        let tracks: Vec<TrackId> = people.iter().map(|person| person.track).collect();
        let stayed = tracks.iter().any(|track| self.last_tracks.contains(track));
        let was_empty = self.last_tracks.is_empty();
        let step = sequence.saturating_sub(self.last_sequence);
        if 0 < step && self.last_frame.is_some() {
            self.stride = if self.stride == 0 { step } else { self.stride.min(step) };
        }
        let skipped = step.saturating_sub(1);
        // Sources may count by twos; whatever is more than the smallest step is missing.
        let between = step.checked_div(self.stride).map_or(0, |steps| steps.saturating_sub(1));
        self.last_sequence = sequence;
        self.last_tracks = tracks;
        let Some(last) = self.last_frame.replace(self.last_frame.map_or(at, |last| last.max(at))) else { return 0 };
        let since = at - last;
        if since <= FRAME_GAP_MIN {
            let off = (since - self.frame_span).as_nanos();
            let known = self.frame_span != Span::ZERO;
            self.frame_span = if known { self.frame_span + Span::from_nanos(off / FRAME_SPAN_FRAMES) } else { since };
            // No more than would fit.
            let most = u64::try_from(since.as_nanos() / FRAME_SPAN_MIN.as_nanos()).unwrap_or(0);
            return if stayed { between.min(most) } else { 0 };
        }
        if !was_empty {
            keep(&mut self.unseen, TimeRange { start: last, end: at }, GAPS_MAX);
        }
        if !stayed {
            return 0;
        }
        let usual = self.frame_span.as_nanos().max(FRAME_SPAN_MIN.as_nanos());
        skipped.min(u64::try_from(since.as_nanos() / usual).unwrap_or(0))
    }

    /// Samples of a shelf are missing.
    pub(super) fn gap(&mut self, shelf: usize, gap: TimeRange) {
        keep(self.gaps.entry(shelf).or_default(), gap, GAPS_MAX);
    }

    /// When each shelf was heard first and last, and which plates say nothing since when.
    pub(super) fn shelves(&mut self, heard: Vec<Option<TimeRange>>, silent: BTreeMap<Place, ShopTime>) {
        (self.shelves, self.silent) = (heard, silent);
    }

    /// Something was lost about this time, of which nothing is known.
    pub(super) fn lose(&mut self, at: ShopTime) {
        if self.lost.back() == Some(&at) {
            return;
        }
        keep(&mut self.lost, at, LOSSES_MAX);
    }

    /// Where somebody's hands are.
    pub(super) fn observe(&mut self, shop: &Shop, visit: VisitId, at: ShopTime, joints: &Joints) {
        let wrists = [joints.left_wrist, joints.right_wrist].map(finite);
        let trunk = joints.trunk();
        let reach = self.visits.entry(visit).or_default();
        let body = trunk.or(wrists[0].or(wrists[1]).map(|wrist| wrist.position));
        let Some(body) = body else { return };
        if let Some(trunk) = trunk {
            reach.walk(at, trunk);
        }
        let walks = WALKING_METRES_PER_SEC < reach.metres_per_sec;
        for (index, shelf) in shop.shelves().iter().enumerate() {
            if !is_within_reach(shelf, shelf.placement.local_from_world(body)) {
                continue;
            }
            let hands = wrists.map(|wrist| wrist.map(|wrist| shelf.placement.local_from_world(wrist.position)));
            let hidden = hands.iter().any(Option::is_none);
            let beside = hidden && trunk.is_some_and(|at| is_beside(shelf, shelf.placement.local_from_world(at)));
            let hands = hands.into_iter().flatten();
            if beside || hands.clone().any(|hand| is_on(shelf, hand, HAND_METRES)) {
                let now = TimeRange { start: at, end: at };
                reach.shelves.entry(index).and_modify(|range| *range = range.hull(now)).or_insert(now);
            }
            // Whoever walks past, or stands behind the front of the board, has a hand there by chance.
            let passes = walks || trunk.is_some_and(|at| 0.0 < shelf.placement.local_from_world(at).y);
            for hand in hands.filter(|hand| !passes && is_on(shelf, *hand, FINGERS_METRES)) {
                reach.touch(index, shelf, hand, at);
            }
        }
    }

    /// A visit is taken to have moved goods on these places of a shelf.
    pub(super) fn moved(&mut self, visit: VisitId, shelf: usize, places: (usize, usize), span: TimeRange) {
        keep(&mut self.visits.entry(visit).or_default().moves, (shelf, places, span), MOVES_MAX);
    }

    /// When nobody was seen around this time, if for so long that hands may have been anywhere.
    pub(super) fn unwatched(&self, span: TimeRange) -> Option<TimeRange> {
        self.unseen.iter().find(|gap| UNWATCHED_MIN <= gap.length() && gap.touches(span)).copied()
    }

    /// A long gap in the samples of a shelf across which something changed.
    pub(super) fn unweighed(&self, shelf: usize, span: TimeRange) -> Option<TimeRange> {
        let mut gaps = self.gaps.get(&shelf)?.iter();
        gaps.find(|gap| GAP_LONG <= gap.length() && gap.touches(span)).copied()
    }

    /// How much of what concerns a visit was heard. `weighs` says whether any shelf was heard at all, by samples or as events.
    pub(super) fn hearing(&self, shop: &Shop, visit: VisitId, stay: TimeRange, has_events: bool) -> Hearing {
        let none = Reach::default();
        let reach = self.visits.get(&visit).unwrap_or(&none);
        let mut doubts = Vec::new();
        let mut missing = self.missing_of_people(stay, &mut doubts);
        let mut lossy = Vec::new();
        for (&shelf, near) in &reach.shelves {
            let gaps = self.gaps.get(&shelf).map_or(0.0, |gaps| overlap(gaps, *near));
            let share = gaps / near.length().as_secs().max(STAY_SECS_MIN);
            if MISSING_SHARE_MAX < share {
                lossy.push((shop.shelves()[shelf].id.to_string(), share.min(1.0)));
            }
            missing = missing.max(share);
        }
        if let Some(most) = lossy.iter().map(|(_, share)| *share).reduce(f64::max) {
            let ids: Vec<&str> = lossy.iter().map(|(id, _)| id.as_str()).collect();
            doubts.push(format!("up to {:.0} % of the samples of shelf {} are missing", 100.0 * most, ids.join(", ")));
        }
        doubts.extend(self.silent_shelves(shop, reach, has_events));
        doubts.extend(self.silent_plates(shop, reach));
        let was_there = |at: &&ShopTime| stay.start <= **at + AROUND && **at <= stay.end + AROUND;
        if self.lost.iter().any(|at| was_there(&at)) {
            doubts.push("part of the input could not be read".to_owned());
        }
        Hearing { share: (1.0 - MISSING_WEIGHT * missing).clamp(0.0, 1.0), doubts }
    }

    /// Whether any shelf is heard by its samples.
    pub(super) fn hears_samples(&self) -> bool {
        self.shelves.iter().any(Option::is_some)
    }

    /// Shelves that a hand of this visit was at, by their place in the shop's list, and when.
    pub(super) fn reached(&self, visit: VisitId) -> impl Iterator<Item = (usize, TimeRange)> + '_ {
        self.visits.get(&visit).into_iter().flat_map(|reach| &reach.shelves).map(|(shelf, near)| (*shelf, *near))
    }

    /// Whether frames of people went on after this time, or ended with nobody else in them: whoever follows people need not say
    /// that there is nobody.
    pub(super) fn looked_after(&self, at: ShopTime) -> bool {
        self.last_frame.is_some_and(|last| at < last) || self.last_tracks.len() <= 1
    }

    pub(super) fn forget(&mut self, visit: VisitId) {
        self.visits.remove(&visit);
    }

    fn missing_of_people(&self, stay: TimeRange, doubts: &mut Vec<String>) -> f64 {
        let secs = overlap(&self.unseen, stay);
        let share = secs / stay.length().as_secs().max(STAY_SECS_MIN);
        if MISSING_SHARE_MAX < share {
            doubts.push(format!("for {:.0} % of the stay nobody was seen anywhere", 100.0 * share.min(1.0)));
        }
        share
    }

    /// Shelves that said nothing any more, or not yet, when a hand was there.
    fn silent_shelves(&self, shop: &Shop, reach: &Reach, has_events: bool) -> Vec<String> {
        let some_heard = self.shelves.iter().any(Option::is_some);
        let mut silent = Vec::new();
        if !some_heard && has_events {
            // Whoever gives events has listened to the samples.
            return silent;
        }
        for (&shelf, near) in &reach.shelves {
            let id = shop.shelves()[shelf].id;
            match self.shelves.get(shelf).copied().flatten() {
                None => silent.push(format!("shelf {id} says nothing, and a hand was there")),
                Some(heard) if heard.end + SHELF_SILENT_MIN < near.end => {
                    silent.push(format!("shelf {id} says nothing since {}, and a hand was there later", heard.end));
                }
                Some(heard) if near.start + SHELF_SILENT_MIN < heard.start => {
                    silent.push(format!("shelf {id} said nothing before {}, and a hand was there", heard.start));
                }
                Some(_) => {}
            }
        }
        silent
    }

    /// Plates that say nothing any more and had a hand on their goods since.
    fn silent_plates(&self, shop: &Shop, reach: &Reach) -> Vec<String> {
        let touched = self.silent.iter().filter(|(place, since)| {
            let mut touches = reach.plates.get(place).into_iter().flatten();
            touches.any(|touch| **since < touch.end && TOUCH_MIN <= touch.length() && !reach.explains(**place, *touch))
        });
        let sentence = |((shelf, place), _): (&Place, &ShopTime)| {
            let plate = shop.shelves()[*shelf].plates[*place].id;
            format!("plate {plate} says nothing, and a hand was on it")
        };
        touched.map(sentence).collect()
    }
}

/// Remembers one more of at most so many.
fn keep<T>(list: &mut VecDeque<T>, one: T, most: usize) {
    if most <= list.len() {
        list.pop_front();
    }
    list.push_back(one);
}

/// How many seconds of `range` lie in gaps.
fn overlap(gaps: &VecDeque<TimeRange>, range: TimeRange) -> f64 {
    let part = |gap: &TimeRange| (gap.end.min(range.end) - gap.start.max(range.start)).max(Span::ZERO);
    gaps.iter().map(part).fold(Span::ZERO, |sum, part| sum + part).as_secs()
}

fn finite(joint: Option<Joint>) -> Option<Joint> {
    joint.filter(|joint| joint.position.is_finite())
}

/// Whether a hand of somebody whose trunk, or other hand, is here can be on this board at all.
fn is_within_reach(shelf: &Shelf, body: Point<Local>) -> bool {
    let (left, right) = shelf.extent_metres();
    (left - REACH_METRES..=right + REACH_METRES).contains(&body.x) && body.y.abs() <= REACH_METRES
}

/// Whether a wrist is where a hand on goods of this board has it, that may be so far before or beside it, metres.
fn is_on(shelf: &Shelf, wrist: Point<Local>, metres: f64) -> bool {
    let (left, right) = shelf.extent_metres();
    (-metres..=shelf.depth_metres).contains(&wrist.y)
        && (-HAND_METRES..=shelf.clearance_metres + HAND_METRES).contains(&wrist.z)
        && (left - metres..=right + metres).contains(&wrist.x)
}

/// Whether somebody whose trunk is here may have a hand that nobody sees on this board.
fn is_beside(shelf: &Shelf, trunk: Point<Local>) -> bool {
    let (left, right) = shelf.extent_metres();
    (left..=right).contains(&trunk.x) && (-TRUNK_METRES..=0.0).contains(&trunk.y)
}
