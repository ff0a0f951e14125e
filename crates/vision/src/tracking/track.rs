//! One track: what was seen of it, and how costly it is to believe that another one goes on as it.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::body::Body;
use crate::base::{Holes, ShopTime, Span, TrackId, VisitId};
use crate::facts::{JointKind, Joints};
use crate::geometry::{Floor, Point};

/// A person lost for longer than this is not looked for any more.
pub(super) const GAP_MAX: Span = Span::from_millis(6_000);
/// A new track may begin this much before the old one ends.
const OVERLAP_MAX: Span = Span::from_millis(600);
/// Walking speed that is not exceeded in a shop, metres per second.
const SPEED_MAX: f64 = 1.8;
/// How far a trunk may be from where it was, besides what it walked, metres.
const SLACK_METRES: f64 = 0.5;
/// Whoever is faster than this walks upright, metres per second.
const WALKING_MIN: f64 = 0.35;
/// Share of those who stood that stand there still, and of those who walked that stopped there, when they are seen again.
const STAYS: f64 = 0.65;
const STOPS: f64 = 0.15;
/// How far those who walk on come, as a share of what their speed would take them.
const WALK_ON: f64 = 0.8;
/// What it costs that somebody who is lost is seen again at all, with densities per square metre.
const BASE_COST: f64 = 3.0;
/// Cost of having walked one way and soon after the other way, at so many metres per second, within so many seconds, with such a
/// cosine between the ways: shoppers stop before they turn, and one who goes out through a door meets one who comes in.
const TURN_COST: f64 = 2.0;
const TURN_SPEED_MIN: f64 = 0.45;
const TURN_SECS_MAX: f64 = 3.0;
const TURN_COSINE_MAX: f64 = -0.5;
/// The time over which the first steps of a track are taken.
const FIRST_STEPS: Span = Span::from_millis(450);
/// Cost of each joint that is missing on average: what is not a person is seen in parts.
const JOINT_COST: f64 = 0.8;

/// How somebody was seen: not beside somebody else, and within the walls.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) clear: bool,
    pub(super) is_within: bool,
}

/// What is known of one track.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Track {
    pub(super) id: TrackId,
    pub(super) first: ShopTime,
    pub(super) last: ShopTime,
    pub(super) first_place: Point<Floor>,
    pub(super) last_place: Point<Floor>,
    pub(super) velocity: Point<Floor>,
    /// Mean velocity over the first steps.
    first_velocity: Option<Point<Floor>>,
    pub(super) body: Body,
    /// The body as it was before a hole, until it is compared with the one seen since; and how often that was seen.
    pub(super) before: Option<(Body, u32)>,
    /// Why it may not be who it is taken for.
    pub(super) doubts: Vec<String>,
    pub(super) sights: u32,
    pub(super) joints_seen: u32,
    pub(super) clear_sights: u32,
    /// Sights within the walls, where the shop names walls.
    pub(super) inside_sights: u32,
    pub(super) visit: Option<VisitId>,
    /// Whether it was the last one of its visit.
    pub(super) is_over: bool,
    /// Tracks that this one went on from before anybody was believed, oldest first.
    pub(super) earlier: Vec<TrackId>,
    pub(super) held: Vec<(ShopTime, Joints)>,
}

impl Track {
    pub(super) fn new(id: TrackId, at: ShopTime, place: Point<Floor>) -> Self {
        Track {
            id,
            first: at,
            last: at,
            first_place: place,
            last_place: place,
            velocity: Point::new(0.0, 0.0, 0.0),
            first_velocity: None,
            body: Body::default(),
            before: None,
            doubts: Vec::new(),
            sights: 0,
            joints_seen: 0,
            clear_sights: 0,
            inside_sights: 0,
            visit: None,
            is_over: false,
            earlier: Vec::new(),
            held: Vec::new(),
        }
    }

    pub(super) fn see(&mut self, at: ShopTime, place: Point<Floor>, joints: &Joints, seen: Seen) {
        let elapsed = (at - self.last).as_secs();
        if 0.01 < elapsed {
            let speed = (place - self.last_place) * (1.0 / elapsed);
            let gain = (elapsed / 0.4).min(1.0);
            self.velocity = self.velocity.lerp(speed, gain);
        }
        let since = at - self.first;
        if FIRST_STEPS <= since {
            let mean = (place - self.first_place) * (1.0 / since.as_secs());
            self.first_velocity.get_or_insert(mean);
        }
        self.last = at;
        self.last_place = place;
        // Nobody bends down before the door.
        self.body.see(joints, !seen.is_within || WALKING_MIN <= self.velocity.norm());
        self.sights += 1;
        self.clear_sights += u32::from(seen.clear);
        self.inside_sights += u32::from(seen.is_within);
        self.joints_seen += joint_count(joints);
    }

    pub(super) fn age(&self, holes: &Holes) -> Span {
        holes.watched(self.first, self.last)
    }

    /// Whether somebody who was here last can be there so much later.
    pub(super) fn reaches(&self, place: Point<Floor>, gap: Span) -> bool {
        place.distance(self.last_place) <= SLACK_METRES + SPEED_MAX * gap.as_secs().max(0.0)
    }

    pub(super) fn clear_share(&self) -> f64 {
        f64::from(self.clear_sights) / f64::from(self.sights.max(1))
    }

    pub(super) fn joints_mean(&self) -> f64 {
        f64::from(self.joints_seen) / f64::from(self.sights.max(1))
    }

    /// How costly it is to believe that this lost track goes on as `next`, who could not be seen for so long of the time
    /// between; infinite when it cannot.
    pub(super) fn cost_of(&self, next: &Track, missing: Span) -> f64 {
        let gap = (next.first - self.last).as_secs();
        let unseen = gap - missing.as_secs();
        if gap < -OVERLAP_MAX.as_secs() || GAP_MAX.as_secs() < unseen {
            return f64::INFINITY;
        }
        if !self.reaches(next.first_place, next.first - self.last) {
            return f64::INFINITY;
        }
        let (gap, unseen) = (gap.max(0.0), unseen.max(0.0));
        let (unlike, measures) = self.body.unlikeness(&next.body);
        let body = if measures == 0 { 1.0 } else { (unlike - f64::from(measures)).max(-3.0) / 2.0 };
        let missing = (7.4 - next.joints_mean()).max(0.0);
        let turn = if self.turned_round(next, gap) { TURN_COST } else { 0.0 };
        BASE_COST - self.density_at(next.first_place, gap).ln() + body + 0.3 * unseen + JOINT_COST * missing + turn
    }

    /// Whether this one walked away when it was lost, and the other one came from there so soon after.
    fn turned_round(&self, next: &Track, gap: f64) -> bool {
        let Some(other) = next.first_velocity else { return false };
        let (speed, other_speed) = (self.velocity.norm(), other.norm());
        let both_walk = TURN_SPEED_MIN <= speed && TURN_SPEED_MIN <= other_speed;
        let cosine = (self.velocity.x * other.x + self.velocity.y * other.y) / (speed * other_speed).max(1e-9);
        gap <= TURN_SECS_MAX && both_walk && cosine < TURN_COSINE_MAX
    }

    /// How likely somebody who was here last is at a place so many seconds later, per square metre: whoever stood mostly stands there
    /// still, whoever walked has mostly walked on.
    fn density_at(&self, place: Point<Floor>, gap: f64) -> f64 {
        let normal = |metres: f64, sigma: f64| (-0.5 * (metres / sigma).powi(2)).exp() / (TAU * sigma * sigma);
        let still = place.distance(self.last_place);
        let onward = place.distance(self.last_place + self.velocity * (WALK_ON * gap));
        let (stays, sigma) = if self.velocity.norm() < WALKING_MIN { (STAYS, 0.2) } else { (STOPS, 0.15) };
        let walked = normal(onward, sigma + 0.35 * gap).max(normal(still, sigma + 0.5 * gap));
        stays * normal(still, 0.1 + 0.03 * gap) + (1.0 - stays) * walked
    }
}

fn joint_count(joints: &Joints) -> u32 {
    JointKind::ALL.iter().filter(|kind| joints.get(**kind).is_some()).count() as u32
}
