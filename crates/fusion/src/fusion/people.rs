//! Where everybody's hands were: a few seconds of poses per visit, and how well a hand fits goods that moved.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::model;
use crate::base::{ShopTime, Span, TimeRange, VisitId};
use crate::facts::{Joint, Joints};
use crate::geometry::{Floor, Local, Point, World};
use crate::shop::Shelf;

/// How long poses are kept.
const MEMORY: Span = Span::from_millis(45_000);
/// Poses further apart than this are not interpolated for hands.
const HAND_GAP_MAX: Span = Span::from_millis(450);
/// Poses further apart than this are not interpolated for the trunk.
const TRUNK_GAP_MAX: Span = Span::from_millis(4_000);
/// Raster of hand profiles.
pub(super) const RASTER: Span = Span::from_millis(50);
/// Whoever came so soon after something happened may have been there before they were seen.
const AROUND: Span = Span::from_millis(1_000);
/// Somebody whose trunk is further away than this (metres) cannot reach.
const REACH_MAX: f64 = 1.9;

/// One person at one instant. Written down without the names of its fields, for there are many.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(from = "Places", into = "Places")]
struct Pose {
    at: ShopTime,
    trunk: Point<World>,
    wrists: [Option<Point<World>>; 2],
    elbows: [Option<Point<World>>; 2],
}

type Places = (ShopTime, Point<World>, [Option<Point<World>>; 2], [Option<Point<World>>; 2]);

impl From<Places> for Pose {
    fn from((at, trunk, wrists, elbows): Places) -> Self {
        Pose { at, trunk, wrists, elbows }
    }
}

impl From<Pose> for Places {
    fn from(pose: Pose) -> Self {
        (pose.at, pose.trunk, pose.wrists, pose.elbows)
    }
}

/// One visit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Visitor {
    pub(super) entered: ShopTime,
    pub(super) seen: ShopTime,
    /// Where they were first.
    pub(super) first_place: Option<Point<Floor>>,
    poses: VecDeque<Pose>,
}

/// Everybody inside.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct People {
    visitors: BTreeMap<VisitId, Visitor>,
    /// How near wrists are to what hands take.
    pub(super) wrists: model::WristFit,
}

/// Goods that moved, in the frame of their shelf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goods<'a> {
    pub(super) shelf: &'a Shelf,
    /// Centre along the shelf and half their width, metres.
    pub(super) centre: f64,
    pub(super) half_width: f64,
}

/// How well one visitor's hands fit, on a raster of time.
pub(super) struct Profile {
    pub(super) visit: VisitId,
    /// Nearness `0..=1` at each raster point.
    pub(super) nearness: Vec<f64>,
    /// Log likelihood ratio of each hand at each raster point.
    pub(super) hands: [Vec<f64>; 2],
    /// Distance of the nearest visible wrist at each raster point, metres.
    pub(super) wrist: Vec<Option<f64>>,
}

/// One visitor's hands at an instant.
#[derive(Clone, Copy)]
struct Hands {
    nearness: f64,
    each: [f64; 2],
    wrist: Option<f64>,
}

impl Goods<'_> {
    /// Distance of a wrist from a hand's place on the goods. A wrist stops short of what its hand holds.
    fn wrist_distance(&self, point: Point<Local>) -> f64 {
        let dx = ((point.x - self.centre).abs() - self.half_width).max(0.0);
        let dy = (-0.06 - point.y).max(point.y - self.shelf.depth_metres).max(0.0);
        let dz = (-0.02 - point.z).max(point.z - self.shelf.clearance_metres - 0.03).max(0.0);
        (dx * dx + dy * dy + dz * dz).sqrt()
    }

    fn middle(&self) -> Point<Local> {
        Point::new(self.centre, 0.1, (self.shelf.clearance_metres / 2.0).min(0.12))
    }
}

impl People {
    /// Takes one person of a frame.
    pub(super) fn observe(&mut self, visit: VisitId, at: ShopTime, joints: &Joints) {
        let visitor = self.visitors.entry(visit).or_insert_with(|| Visitor {
            entered: at,
            seen: at,
            first_place: None,
            poses: VecDeque::new(),
        });
        visitor.entered = visitor.entered.min(at);
        visitor.seen = visitor.seen.max(at);
        let Some(trunk) = joints.trunk() else { return };
        visitor.first_place.get_or_insert(trunk.floor());
        if visitor.poses.back().is_some_and(|last| at <= last.at) {
            return;
        }
        let place = |joint: Option<Joint>| joint.map(|joint| joint.position).filter(|point| point.is_finite());
        visitor.poses.push_back(Pose {
            at,
            trunk,
            wrists: [place(joints.left_wrist), place(joints.right_wrist)],
            elbows: [place(joints.left_elbow), place(joints.right_elbow)],
        });
        while visitor.poses.front().is_some_and(|first| first.at + MEMORY < at) {
            visitor.poses.pop_front();
        }
    }

    pub(super) fn visitors(&self) -> &BTreeMap<VisitId, Visitor> {
        &self.visitors
    }

    /// Where somebody was last.
    pub(super) fn last_place(&self, visit: VisitId) -> Option<Point<Floor>> {
        self.visitors.get(&visit)?.poses.back().map(|pose| pose.trunk.floor())
    }

    /// Those who may have been within reach of the goods at some time in `range`, as far as their feet carry them from
    /// where they were seen before it and to where they were seen after it.
    pub(super) fn may_have_reached(&self, goods: &Goods<'_>, range: TimeRange, metres_per_sec: f64) -> Vec<VisitId> {
        let middle = goods.middle();
        // How far outside of reach somebody was, and whether they had the time to walk it.
        let off = |pose: &Pose| {
            let away = (goods.shelf.placement.local_from_world(pose.trunk) - middle).norm();
            (away - REACH_MAX).max(0.0)
        };
        let walks = |metres: f64, gap: Span| metres <= metres_per_sec * gap.as_secs();
        let may = |visitor: &Visitor| {
            let (Some(first), Some(last)) = (visitor.poses.front(), visitor.poses.back()) else { return true };
            let before = range.start < first.at && first.at <= range.end + AROUND;
            let after = range.start - AROUND <= last.at && last.at < range.end;
            let pairs = visitor.poses.iter().zip(visitor.poses.iter().skip(1));
            let mut around = pairs.filter(|(a, b)| range.start <= b.at && a.at <= range.end);
            before && walks(off(first), first.at - range.start)
                || after && walks(off(last), range.end - last.at)
                || around.any(|(a, b)| walks(off(a) + off(b), b.at - a.at))
        };
        self.visitors.iter().filter(|(_, visitor)| may(visitor)).map(|(visit, _)| *visit).collect()
    }

    /// Whether somebody was seen all through this time, without a gap in which hands could have been anywhere.
    pub(super) fn was_seen(&self, visit: VisitId, range: TimeRange) -> bool {
        let Some(visitor) = self.visitors.get(&visit) else { return false };
        let pairs = visitor.poses.iter().zip(visitor.poses.iter().skip(1));
        let mut around = pairs.filter(|(a, b)| range.start <= b.at && a.at <= range.end).peekable();
        let covered = visitor.poses.front().is_some_and(|first| first.at <= range.start)
            && visitor.poses.back().is_some_and(|last| range.end <= last.at);
        covered && around.peek().is_some() && around.all(|(a, b)| b.at - a.at <= HAND_GAP_MAX)
    }

    pub(super) fn forget(&mut self, visit: VisitId) {
        self.visitors.remove(&visit);
    }

    /// The share of `range` (plates' clock) during which one and the same shopper's hand may have been on the goods, `0..=1`: of whoever
    /// had it there longest.
    pub(super) fn presence(&self, goods: &Goods<'_>, range: TimeRange, offset: Span) -> f64 {
        let range = TimeRange { start: range.start - offset, end: range.end - offset };
        let share = |profile: &Profile| {
            let there = profile.nearness.iter().filter(|nearness| model::HAND_THERE < **nearness).count();
            there as f64 / profile.nearness.len().max(1) as f64
        };
        self.profiles(goods, range).iter().map(share).fold(0.0, f64::max)
    }

    /// Whether the hand of a visitor never left the goods in `range` (plates' clock), as far as it was seen.
    pub(super) fn stayed(&self, visit: VisitId, goods: &Goods<'_>, range: TimeRange, offset: Span) -> bool {
        let Some(visitor) = self.visitors.get(&visit) else { return false };
        let points = range.length().as_nanos() / RASTER.as_nanos() + 1;
        let there = |index: i64| {
            let at = range.start - offset + Span::from_nanos(RASTER.as_nanos() * index);
            model::HAND_STAYS < visitor.hands(goods, at, &self.wrists).nearness
        };
        (0..points).all(there)
    }

    /// Hand profiles of everybody within reach of the goods at some time in `range` (people's clock).
    pub(super) fn profiles(&self, goods: &Goods<'_>, range: TimeRange) -> Vec<Profile> {
        let points = (range.length().as_nanos() / RASTER.as_nanos() + 1).max(1) as usize;
        let mut profiles = Vec::new();
        for (visit, visitor) in &self.visitors {
            let within = |pose: &Pose| {
                let local = goods.shelf.placement.local_from_world(pose.trunk);
                (local - goods.middle()).norm() < REACH_MAX
            };
            let from = visitor.poses.partition_point(|pose| pose.at < range.start - TRUNK_GAP_MAX);
            let near = visitor.poses.range(from..).take_while(|pose| pose.at <= range.end + TRUNK_GAP_MAX);
            if !near.into_iter().any(within) {
                continue;
            }
            let room = || Vec::with_capacity(points);
            let mut profile =
                Profile { visit: *visit, nearness: room(), hands: [room(), room()], wrist: Vec::with_capacity(points) };
            for index in 0..points {
                let at = range.start + Span::from_nanos(RASTER.as_nanos() * index as i64);
                let hands = visitor.hands(goods, at, &self.wrists);
                profile.nearness.push(hands.nearness);
                profile.hands.iter_mut().zip(hands.each).for_each(|(hand, log)| hand.push(log));
                profile.wrist.push(hands.wrist);
            }
            profiles.push(profile);
        }
        profiles
    }
}

impl Visitor {
    /// Where they were lately, oldest first.
    pub(super) fn places(&self) -> impl Iterator<Item = Point<Floor>> + '_ {
        self.poses.iter().map(|pose| pose.trunk.floor())
    }

    /// How well each hand fits the goods at an instant, and how far the nearest visible wrist is.
    fn hands(&self, goods: &Goods<'_>, at: ShopTime, fit: &model::WristFit) -> Hands {
        let after = self.poses.partition_point(|pose| pose.at <= at);
        let before = after.checked_sub(1).and_then(|index| self.poses.get(index));
        let after = self.poses.get(after);
        let local = |point: Point<World>| goods.shelf.placement.local_from_world(point);
        let mut hands = Hands { nearness: 0.0, each: [model::hand(0.0); 2], wrist: None };
        let trunk = blend(before, after, at, TRUNK_GAP_MAX, |pose| Some(pose.trunk));
        let Some(trunk) = trunk else { return hands };
        for side in 0..2 {
            let (nearness, times);
            if let Some(point) = blend(before, after, at, HAND_GAP_MAX, |pose| pose.wrists[side]) {
                let metres = goods.wrist_distance(local(point));
                (nearness, times) = (fit.nearness(metres), fit.times(metres));
                hands.wrist = Some(hands.wrist.map_or(metres, |other| other.min(metres)));
            } else if let Some(point) = blend(before, after, at, HAND_GAP_MAX, |pose| pose.elbows[side]) {
                let metres = (local(point) - goods.middle()).norm();
                (nearness, times) = (model::nearness_by_elbow(metres), model::times_by_elbow(metres));
            } else {
                let metres = (local(trunk) - goods.middle()).norm();
                (nearness, times) = (model::nearness_by_trunk(metres), model::times_by_trunk(metres));
            }
            hands.nearness = hands.nearness.max(nearness);
            hands.each[side] = model::hand(times);
        }
        hands
    }
}

/// A joint between two poses; the one pose there is when it is near enough; `None` when it was not seen.
fn blend(
    before: Option<&Pose>,
    after: Option<&Pose>,
    at: ShopTime,
    gap_max: Span,
    joint: impl Fn(&Pose) -> Option<Point<World>>,
) -> Option<Point<World>> {
    match (before, after) {
        (Some(a), Some(b)) if b.at - a.at <= gap_max => match (joint(a), joint(b)) {
            (Some(from), Some(to)) => Some(from.lerp(to, (at - a.at).as_secs() / (b.at - a.at).as_secs())),
            (one, other) => one.or(other),
        },
        (Some(pose), _) if (at - pose.at) * 2 <= gap_max => joint(pose),
        (_, Some(pose)) if (pose.at - at) * 2 <= gap_max => joint(pose),
        _ => None,
    }
}
