//! Joining tracks into visits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::doors::Doors;
use super::doubt::{self, Doubt, Mixup};
use super::track::{GAP_MAX, Seen, Track};
use crate::base::{Holes, Prob, Reports, ShopTime, Span, Stage, StageReport, TimeRange, TrackId, VisitId};
use crate::facts::{Joints, PeopleFrame, TrackJoined, TrackVerdict};
use crate::geometry::{Floor, Point, assign};
use crate::shop::{Room, Shop, Zone, ZoneKind};

/// A track is judged when it is this old; until then it may flicker.
const RIPE: Span = Span::from_millis(600);
/// A person not seen for this long is lost, and may come back under another number.
pub(super) const LOST: Span = Span::from_millis(350);
/// A new track without a predecessor is believed after this long; one at an entrance at once when ripe.
const BELIEVED: Span = Span::from_millis(4_300);
/// What a track did is held back for at most this long.
const HELD_MAX: Span = Span::from_millis(15_000);
/// A track is of interest for this long after its last sight.
const FORGOTTEN: Span = Span::from_millis(120_000);
/// Trunks of two people are hardly ever nearer than this for long, metres.
const DOUBLE_METRES: f64 = 0.42;
/// Share of its sights that a track must be clear of others to be somebody.
const CLEAR_SHARE_MIN: f64 = 0.4;
/// Sights within the walls that make somebody who is inside.
const INSIDE_SIGHTS_MIN: u32 = 3;
/// Joints seen on average that make a believable person, of eight.
const JOINTS_MEAN_MIN: f64 = 3.5;
/// A new track is believed after this long even if it was near others all the time.
const BELIEVED_BESIDE_OTHERS: Span = Span::from_millis(5_200);
/// Whoever is there this soon after the first frame was there before it.
const FROM_THE_START: Span = Span::from_millis(400);
/// Cost above which a track is not the continuation of a lost person.
const COST_MAX: f64 = 14.0;
/// The same for a lost track that was not believed yet.
const COST_UNBELIEVED_MAX: f64 = 7.0;
/// Cost of a track's being nobody that has just begun, and what every second adds that it lives.
const COST_NOBODY: f64 = 5.0;
const COST_NOBODY_PER_SEC: f64 = 3.0;
/// Up to this cost a track is joined as soon as it is ripe; above it must live on first.
const COST_QUICK_MAX: f64 = 4.0;
/// How long a costlier match must live.
const SLOW_RIPE: Span = Span::from_millis(1_800);
/// Who may be who is not decided before the next best guess is worse by this much, a factor of twenty, or until so long has passed:
/// those who are told apart by how tall they are have to stand up.
const SURE_COST_MIN: f64 = 3.0;
const UNSURE_MAX: Span = Span::from_millis(4_000);
/// Guesses are wrong less often than their costs say: of 42 on simulated days whose next best was worse by less than three 4 were.
const MIXUP_SHARPNESS: f64 = 1.3;
const MIXUP_LEVEL: f64 = 0.4;
/// A chance below this that two shoppers were taken for one another is not worth remembering.
const MIXUP_CHANCE_MIN: f64 = 0.002;
/// Across a hole, what is believed of who is who must be better than everything else by this much: a factor of twenty.
const UNIQUE_COST_MIN: f64 = 3.0;
/// A person of the floor at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// When.
    pub at: ShopTime,
    /// Whose visit.
    pub visit: VisitId,
    /// Where the joints are.
    pub joints: Joints,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Frames taken.
    pub frames: u64,
    /// Tracks that began a visit.
    pub visits: u64,
    /// Tracks that went on with one.
    pub joined: u64,
    /// Tracks that were nobody.
    pub ghosts: u64,
    /// Verdicts given, also about the tracks that another one went on from.
    #[serde(default)]
    pub sent: u64,
}

/// Whom a new track may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Predecessor {
    /// Somebody who was believed.
    Visit(VisitId),
    /// A track that ended before it could be.
    Track(TrackId),
}

/// What new tracks are.
#[derive(Default)]
struct Matches {
    /// Tracks that go on with somebody, and by how much the next best guess is worse.
    pairs: Vec<(TrackId, Predecessor, f64)>,
    /// Tracks of which that is not sure enough yet.
    waiting: Vec<TrackId>,
    /// Who may have been taken for whom.
    mixups: Vec<Mixup>,
}

/// Joins tracks into visits, online, with a delay of a few seconds where it must wait. Written down and read back it
/// goes on as if nothing had been, once [`Stitcher::furnish`] has told it the shop.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stitcher {
    #[serde(skip)]
    entrances: Vec<Zone>,
    #[serde(skip)]
    exits: Vec<Zone>,
    #[serde(skip)]
    walls: Option<Room>,
    /// When the last frame was.
    pub(super) seen_until: Option<ShopTime>,
    /// Where frames may be missing, and where they were.
    stopped: Holes,
    holes: Holes,
    doubts: Vec<Doubt>,
    mixups: Vec<Mixup>,
    pub(super) doors: Doors,
    tracks: BTreeMap<TrackId, Track>,
    /// When the first frame was.
    began: Option<ShopTime>,
    counters: Counters,
}

impl Stitcher {
    /// Starts with an empty floor.
    pub fn new(shop: &Shop) -> Self {
        let mut stitcher = Stitcher {
            entrances: Vec::new(),
            exits: Vec::new(),
            walls: None,
            seen_until: None,
            stopped: Holes::default(),
            holes: Holes::default(),
            doubts: Vec::new(),
            mixups: Vec::new(),
            doors: Doors::default(),
            tracks: BTreeMap::new(),
            began: None,
            counters: Counters::default(),
        };
        stitcher.furnish(shop);
        stitcher
    }

    /// Tells where the doors of the shop are, which are not written down.
    pub fn furnish(&mut self, shop: &Shop) {
        let zones = |kind: ZoneKind| shop.zones().iter().filter(|zone| zone.kind == kind).cloned().collect();
        self.entrances = zones(ZoneKind::Entrance);
        self.exits = zones(ZoneKind::Exit);
        self.walls = shop.room().cloned();
    }

    /// No frames of this stretch of time will come but what comes late: whoever is there afterwards is compared with
    /// who was there before.
    pub fn resume(&mut self, stopped: TimeRange) {
        self.stopped.add(stopped);
        // Whoever is there in the first frame after it was not there from the start.
        self.began.get_or_insert(stopped.start);
        self.seen_until.get_or_insert(stopped.start);
    }

    /// Stretches of time in which frames turned out to be missing after [`Stitcher::resume`].
    pub fn holes(&self) -> &Holes {
        &self.holes
    }

    /// Why a person has to look at which visits; each is given once.
    pub fn take_doubts(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.doubts)
    }

    /// Who may have been taken for whom; each is given once.
    pub fn take_mixups(&mut self) -> Vec<Mixup> {
        std::mem::take(&mut self.mixups)
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Tracks that are remembered.
    pub fn tracks(&self) -> usize {
        self.tracks.len()
    }

    /// Takes a frame; gives sightings that are now attributed to a visit, in order of time per visit, and verdicts.
    pub fn step(&mut self, at: ShopTime, frame: &PeopleFrame) -> (Vec<Sighting>, Vec<TrackJoined>) {
        self.counters.frames += 1;
        self.began.get_or_insert(at);
        self.doors.open(at);
        self.notice_hole(at);
        let mut sightings = Vec::new();
        let places: Vec<(TrackId, Point<Floor>)> = frame
            .people
            .iter()
            .filter_map(|person| Some((person.track, person.joints.trunk()?.floor())))
            .filter(|(_, place)| place.is_finite())
            .collect();
        for person in &frame.people {
            let Some(&(_, place)) = places.iter().find(|(track, _)| *track == person.track) else { continue };
            let senior = |other: TrackId| self.is_senior(other, person.track);
            let clear = !places.iter().any(|(other, there)| {
                *other != person.track && senior(*other) && place.distance(*there) < DOUBLE_METRES
            });
            let is_within = !self.is_outside(place);
            let track = self.tracks.entry(person.track).or_insert_with(|| Track::new(person.track, at, place));
            if LOST < self.holes.missing(track.last, at) {
                doubt::seen_after_hole(track, at, place);
            }
            track.see(at, place, &person.joints, Seen { clear, is_within });
            doubt::compare_with_before(track);
            match track.visit {
                Some(visit) => sightings.push(Sighting { at, visit, joints: person.joints.clone() }),
                None => {
                    track.held.push((at, person.joints.clone()));
                    // A poster is never believed; what it did long ago is of no use to anybody.
                    let old = track.held.partition_point(|(held_at, _)| *held_at + HELD_MAX < at);
                    track.held.drain(..old);
                }
            }
        }
        let verdicts = self.judge(at, &mut sightings);
        self.counters.sent += verdicts.len() as u64;
        doubt::gather(&mut self.tracks, &mut self.doubts);
        (sightings, verdicts)
    }

    /// Frames that are missing because nobody took them.
    fn notice_hole(&mut self, at: ShopTime) {
        let Some(last) = self.seen_until.replace(self.seen_until.map_or(at, |last| last.max(at))) else { return };
        let missing = self.stopped.iter().find(|stopped| last < stopped.end && stopped.start < at);
        let hole = missing.map(|stopped| TimeRange { start: last.max(stopped.start), end: at.min(stopped.end) });
        if let Some(hole) = hole.filter(|hole| LOST < hole.length()) {
            self.holes.add(hole);
        }
    }

    /// No frame will come any more: judges what is still open.
    pub fn finish(&mut self) -> (Vec<Sighting>, Vec<TrackJoined>) {
        let mut sightings = Vec::new();
        let end = self.tracks.values().map(|track| track.last).max().unwrap_or(ShopTime::MIN);
        let mut verdicts = self.judge(end + LOST * 2, &mut sightings);
        let open: Vec<TrackId> = self.open().collect();
        for id in open {
            let believable = self.tracks.get(&id).is_some_and(|track| {
                RIPE <= track.age(&self.holes)
                    && self.is_inside(track)
                    && CLEAR_SHARE_MIN <= track.clear_share()
                    && JOINTS_MEAN_MIN <= track.joints_mean()
            });
            // A track that is still seen at the end has had no time to prove itself.
            let seen_at_end = self.tracks.get(&id).is_some_and(|track| end - track.last < LOST);
            if believable && seen_at_end {
                self.begin(id, &mut sightings, &mut verdicts);
            } else {
                self.dismiss(id, &mut verdicts);
            }
        }
        self.counters.sent += verdicts.len() as u64;
        doubt::gather(&mut self.tracks, &mut self.doubts);
        (sightings, verdicts)
    }

    /// Whether a track was believed, or seen, before another one.
    fn is_senior(&self, other: TrackId, than: TrackId) -> bool {
        match (self.tracks.get(&other), self.tracks.get(&than)) {
            (Some(a), Some(b)) => (a.visit.is_none(), a.first, a.id) < (b.visit.is_none(), b.first, b.id),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Whether a track began where people come from: at a door, or before the first frame.
    fn came_in(&self, track: &Track) -> bool {
        self.was_there(track)
            || self.is_outside(track.first_place)
            || self.entrances.iter().any(|zone| zone.contains(track.first_place))
    }

    /// Whether somebody was there before the first frame.
    fn was_there(&self, track: &Track) -> bool {
        self.began.is_some_and(|began| track.first - began <= FROM_THE_START)
    }

    /// Whether a point lies beyond the walls, where people only come from and go to.
    fn is_outside(&self, place: Point<Floor>) -> bool {
        self.walls.as_ref().is_some_and(|walls| !walls.contains(place))
    }

    /// Whether somebody was within the walls for long enough to be in the shop. Who walks past, or waits before the door, is not.
    fn is_inside(&self, track: &Track) -> bool {
        INSIDE_SIGHTS_MIN <= track.inside_sights
    }

    fn open(&self) -> impl Iterator<Item = TrackId> + '_ {
        self.tracks.values().filter(|track| track.visit.is_none()).map(|track| track.id)
    }

    fn judge(&mut self, now: ShopTime, sightings: &mut Vec<Sighting>) -> Vec<TrackJoined> {
        let mut verdicts = Vec::new();
        let Matches { pairs, waiting, mixups } = self.matches(now);
        self.mixups.extend(mixups);
        for (id, predecessor, lead) in pairs {
            match predecessor {
                Predecessor::Visit(visit) => {
                    self.notice_back(visit, lead, now);
                    self.join(id, visit, sightings, &mut verdicts);
                }
                Predecessor::Track(earlier) => self.absorb(id, earlier),
            }
        }
        let open: Vec<TrackId> = self.open().collect();
        for id in open {
            let Some(track) = self.tracks.get(&id) else { continue };
            let unseen = self.holes.watched(track.last, now);
            let is_clear = CLEAR_SHARE_MIN <= track.clear_share();
            let old_enough = match () {
                () if is_clear && self.came_in(track) => RIPE,
                () if is_clear => BELIEVED,
                () => BELIEVED_BESIDE_OTHERS,
            };
            let is_somebody = JOINTS_MEAN_MIN <= track.joints_mean() && self.is_inside(track);
            if is_somebody && old_enough <= track.age(&self.holes) && !waiting.contains(&id) {
                self.notice_new(id, now);
                self.begin(id, sightings, &mut verdicts);
            } else if GAP_MAX <= unseen {
                self.dismiss(id, &mut verdicts);
            }
        }
        self.notice_gone(now);
        let holes = &self.holes;
        self.tracks.retain(|_, track| holes.watched(track.last, now) < FORGOTTEN);
        verdicts
    }

    /// Whoever was lost and is not looked for any more is gone.
    fn notice_gone(&mut self, now: ShopTime) {
        let is_gone = |track: &Track| {
            let newest = |other: &Track| other.visit != track.visit || other.last <= track.last;
            track.visit.is_some()
                && !track.is_over
                && GAP_MAX + BELIEVED < self.holes.watched(track.last, now)
                && self.tracks.values().all(newest)
        };
        let gone: Vec<TrackId> = self.tracks.values().filter(|track| is_gone(track)).map(|track| track.id).collect();
        for track in gone {
            let Some(track) = self.tracks.get_mut(&track) else { continue };
            track.is_over = true;
            self.doors.lose(track.last_place, false, now);
        }
    }

    /// Whoever was lost is there again; a guess that may as well be wrong teaches nothing.
    fn notice_back(&mut self, visit: VisitId, lead: f64, now: ShopTime) {
        let tracks = self.tracks.values().filter(|track| track.visit == Some(visit));
        if let Some(place) = tracks.max_by_key(|track| track.last).map(|track| track.last_place)
            && SURE_COST_MIN <= lead
        {
            self.doors.lose(place, true, now);
        }
    }

    /// Who is lost now, and may be who a new track is: the newest track of each.
    fn lost(&self, now: ShopTime) -> BTreeMap<Predecessor, &Track> {
        let is_lost = |track: &Track| LOST <= self.holes.watched(track.last, now);
        let mut lost: BTreeMap<Predecessor, &Track> = BTreeMap::new();
        for track in self.tracks.values() {
            let predecessor = track.visit.map_or(Predecessor::Track(track.id), Predecessor::Visit);
            let latest = lost.entry(predecessor).or_insert(track);
            if latest.last < track.last {
                *latest = track;
            }
        }
        lost.retain(|_, track| {
            let recent = self.holes.watched(track.last, now) <= GAP_MAX + BELIEVED;
            let is_out =
                self.is_outside(track.last_place) || self.exits.iter().any(|zone| zone.contains(track.last_place));
            let left = is_out && track.visit.is_some();
            let somebody = track.visit.is_some() || RIPE <= track.age(&self.holes);
            is_lost(track) && recent && somebody && !left
        });
        lost
    }

    /// What it costs that a new track is of somebody who was lost, and the most that it may cost, above which it is rather of somebody
    /// new; `None` where it cannot be. `newcomer` is what it costs that somebody is new where the track began.
    fn costs_of(&self, old: &Track, track: &Track, newcomer: f64) -> Option<(f64, f64)> {
        let later = old.visit.is_some() || old.first < track.first;
        let missing = self.missing_between(old, track);
        let other = LOST < missing && doubt::is_unlike(&old.body, &track.body);
        // Whoever comes from outside is nobody who was inside.
        let came = self.is_outside(track.first_place) && !self.is_outside(old.last_place);
        if !later || old.id == track.id || other || came {
            return None;
        }
        let cost = old.cost_of(track, missing);
        Some(if old.visit.is_some() {
            (cost + self.doors.cost_of_coming_back(old.last_place), COST_MAX.min(newcomer))
        } else {
            (cost, COST_UNBELIEVED_MAX)
        })
    }

    /// What it costs that a new track is of somebody who was lost, against its being of somebody new or nobody; infinite where it is
    /// not.
    fn cost_of(&self, old: &Track, track: &Track, newcomer: f64) -> f64 {
        let Some((cost, most)) = self.costs_of(old, track, newcomer) else { return f64::INFINITY };
        // What lived no longer than flickers do is rather nobody than somebody new.
        let nobody = COST_NOBODY + COST_NOBODY_PER_SEC * track.age(&self.holes).as_secs();
        if cost < most { cost - most.min(nobody) } else { f64::INFINITY }
    }

    /// Ripe tracks with whom each continues, by least total cost, and who may have been taken for whom.
    fn matches(&self, now: ShopTime) -> Matches {
        let is_lost = |track: &Track| LOST <= self.holes.watched(track.last, now);
        let is_open = |track: &&Track| track.visit.is_none() && self.is_inside(track);
        let fresh: Vec<&Track> = self.tracks.values().filter(is_open).collect();
        let mut matches = Matches::default();
        if fresh.is_empty() {
            return matches;
        }
        let lost = self.lost(now);
        let predecessors: Vec<Predecessor> = lost.keys().copied().collect();
        let costs = |track: &&Track| -> Vec<f64> {
            let newcomer = self.doors.cost_of_newcomer(track.first_place, track.first);
            lost.values().map(|old| self.cost_of(old, track, newcomer)).collect()
        };
        let cost: Vec<Vec<f64>> = fresh.iter().map(costs).collect();
        let columns = assign(&cost);
        for (row, (track, column)) in fresh.iter().zip(&columns).enumerate() {
            let Some(column) = *column else { continue };
            let old = lost[&predecessors[column]];
            let across = LOST < self.missing_between(old, track);
            let quick = !across && old.cost_of(track, Span::ZERO) <= COST_QUICK_MAX;
            let age = track.age(&self.holes);
            let ended = is_lost(track);
            if !(if quick { RIPE <= age || ended } else { SLOW_RIPE <= age || ended && RIPE <= age }) {
                matches.waiting.push(track.id);
                continue;
            }
            let (lead, others) = lead(&cost, &columns, row, column);
            // Who may be who is guessed from frame to frame, but not across a hole.
            // Somebody who was not believed before has nothing that another one could be charged for.
            let is_nobody_yet = matches!(predecessors[column], Predecessor::Track(_));
            let sure = if across { UNIQUE_COST_MIN <= lead } else { is_nobody_yet || SURE_COST_MIN <= lead };
            if sure || !across && (UNSURE_MAX <= age || ended) {
                matches.pairs.push((track.id, predecessors[column], lead));
                matches.mixups.extend(mixup(track.first, lead, others.iter().map(|other| predecessors[*other])));
            } else if !across {
                matches.waiting.push(track.id);
            }
        }
        matches
    }

    /// For how long of the time between two tracks nobody looked. Whoever comes through a door is not looked for
    /// further back than otherwise.
    fn missing_between(&self, old: &Track, next: &Track) -> Span {
        if self.came_in(next) { Span::ZERO } else { self.holes.missing(old.last, next.first) }
    }

    fn release(&mut self, id: TrackId, visit: VisitId, sightings: &mut Vec<Sighting>) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.visit = Some(visit);
        let held = std::mem::take(&mut track.held);
        sightings.extend(held.into_iter().map(|(at, joints)| Sighting { at, visit, joints }));
    }

    fn join(&mut self, id: TrackId, visit: VisitId, sightings: &mut Vec<Sighting>, verdicts: &mut Vec<TrackJoined>) {
        self.counters.joined += 1;
        // The body is the same: what was learned of it before stays true.
        let before = self.tracks.values().filter(|track| track.visit == Some(visit)).max_by_key(|track| track.last);
        if let (Some(body), Some(track)) = (before.map(|track| track.body.clone()), self.tracks.get_mut(&id)) {
            track.body.join(&body);
        }
        let earlier = self.tracks.get_mut(&id).map(|track| std::mem::take(&mut track.earlier)).unwrap_or_default();
        for track in earlier.into_iter().chain([id]) {
            verdicts.push(TrackJoined { track, visit, verdict: TrackVerdict::SameShopper });
        }
        self.release(id, visit, sightings);
    }

    /// Makes one track of two of which neither is believed yet.
    fn absorb(&mut self, id: TrackId, earlier: TrackId) {
        let Some(old) = self.tracks.remove(&earlier) else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.body.join(&old.body);
        track.first = old.first;
        track.first_place = old.first_place;
        track.sights += old.sights;
        track.joints_seen += old.joints_seen;
        track.clear_sights += old.clear_sights;
        track.inside_sights += old.inside_sights;
        track.earlier.splice(0..0, old.earlier.into_iter().chain([earlier]));
        track.held.splice(0..0, old.held);
    }

    /// Somebody is taken for new who may be somebody who was lost.
    fn notice_new(&mut self, id: TrackId, now: ShopTime) {
        let Some(track) = self.tracks.get(&id).filter(|track| !self.was_there(track)) else { return };
        let newcomer = self.doors.cost_of_newcomer(track.first_place, track.first);
        let first = track.earlier.first().copied().unwrap_or(id);
        let lost = self.lost(now);
        let margins = lost.iter().filter(|(who, _)| matches!(who, Predecessor::Visit(_))).filter_map(|(who, old)| {
            let (cost, most) = self.costs_of(old, track, newcomer)?;
            Some((cost - most, *who))
        });
        let Some((margin, old)) = margins.min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        let new = Predecessor::Visit(VisitId::from_first_track(first));
        let mixup = mixup(track.first, margin.max(0.0), [new, old].into_iter());
        self.mixups.extend(mixup);
    }

    fn begin(&mut self, id: TrackId, sightings: &mut Vec<Sighting>, verdicts: &mut Vec<TrackJoined>) {
        self.counters.visits += 1;
        let appeared = self.tracks.get(&id).and_then(|track| {
            let after = |hole: &TimeRange| hole.start <= track.first && track.first <= hole.end + GAP_MAX;
            let unknown = self.holes.iter().any(|hole| after(&hole)) && !self.came_in(track);
            unknown.then(|| doubt::APPEARED.to_owned())
        });
        let earlier = self.tracks.get_mut(&id).map(|track| std::mem::take(&mut track.earlier)).unwrap_or_default();
        let first = earlier.first().copied().unwrap_or(id);
        if let Some(track) = self.tracks.get(&id).filter(|track| appeared.is_none() && !self.was_there(track)) {
            self.doors.begin(track.first_place, track.first);
        }
        if let Some(track) = self.tracks.get_mut(&id) {
            track.doubts.extend(appeared);
        }
        let visit = VisitId::from_first_track(first);
        for track in earlier.into_iter().chain([id]) {
            let verdict = if track == first { TrackVerdict::NewVisit } else { TrackVerdict::SameShopper };
            verdicts.push(TrackJoined { track, visit, verdict });
        }
        self.release(id, visit, sightings);
    }

    fn dismiss(&mut self, id: TrackId, verdicts: &mut Vec<TrackJoined>) {
        let Some(track) = self.tracks.remove(&id) else { return };
        for track in track.earlier.into_iter().chain([id]) {
            self.counters.ghosts += 1;
            let visit = VisitId::from_first_track(track);
            verdicts.push(TrackJoined { track, visit, verdict: TrackVerdict::Ghost });
        }
    }
}

impl Reports for Stitcher {
    /// Frames come, verdicts go; what waits are tracks of whom nothing is decided.
    fn report(&self) -> StageReport {
        let Counters { frames, visits: _, joined: _, ghosts: _, sent } = self.counters;
        let open = || self.tracks.values().filter(|track| track.visit.is_none());
        let oldest = open().map(|track| track.first).min();
        let delay = oldest.zip(self.seen_until).map_or(Span::ZERO, |(oldest, newest)| newest - oldest);
        StageReport::new(Stage::Stitcher, frames, sent).holding(open().count(), delay)
    }
}

/// By how much the best assignment is better than the best without this pair, which is part of it, and the columns that the other one
/// fills otherwise.
fn lead(cost: &[Vec<f64>], columns: &[Option<usize>], row: usize, column: usize) -> (f64, Vec<usize>) {
    let total = |columns: &[Option<usize>]| -> f64 {
        columns.iter().zip(cost).filter_map(|(column, row)| column.map(|column| row[column])).sum()
    };
    let mut without = cost.to_vec();
    without[row][column] = f64::INFINITY;
    let other = assign(&without);
    let differ = columns.iter().zip(&other).filter(|(a, b)| a != b).flat_map(|(a, b)| [*a, *b]);
    let mut differ: Vec<usize> = differ.flatten().collect();
    differ.sort_unstable();
    differ.dedup();
    (total(&other) - total(columns), differ)
}

/// Whoever may be taken for one another with the next best guess, which is worse by so much.
fn mixup(at: ShopTime, lead: f64, who: impl Iterator<Item = Predecessor>) -> Option<Mixup> {
    let chance = 1.0 / (1.0 + (MIXUP_SHARPNESS * lead + MIXUP_LEVEL).exp());
    let visits: Vec<VisitId> = who
        .filter_map(|who| match who {
            Predecessor::Visit(visit) => Some(visit),
            Predecessor::Track(_) => None,
        })
        .collect();
    (MIXUP_CHANCE_MIN <= chance && !visits.is_empty()).then(|| Mixup { visits, at, chance: Prob::new(chance) })
}
