//! Gives times to scripts: who walks, reaches and waits when, and what the shelves feel of it.
//! Works through the shoppers by their own clocks, always the one furthest behind, so that everybody finds the
//! shelves as the others left them.

mod acts;
mod handling;
mod lifts;
pub(super) mod play;
pub(super) mod ways;

use std::sync::Arc;

use self::play::{Actor, Aim, Deed, GRID_HERTZ, Key, Leg, Play, Stay};
use self::ways::Ways;
use crate::geometry::{Floor, Local, Point, World};
use crate::shop::{Shop, ZoneKind};
use crate::sim::doors::Gate;
use crate::sim::roll::Roll;
use crate::sim::stock::Stock;
use crate::sim::stock::nest::Nested;
use crate::sim::story::script::{Script, Spot, Step};

/// Sideways distance that an arm bridges without a step, metres.
const REACH_SIDE_METRES: f64 = 0.42;
/// Nobody stands nearer to a front than this, metres.
const BODY_HALF_METRES: f64 = 0.3;
/// How far apart two stand who hand things to each other, metres.
const ARMS_METRES: f64 = 0.68;
/// No grown-up is smaller than this, metres.
const GROWN_METRES: f64 = 1.5;
/// Seconds of recording after the last shopper has left.
const EPILOGUE: (f64, f64) = (1.0, 3.0);

/// The stage with everybody on it.
pub(super) struct Stage<'a> {
    pub(super) shop: &'a Shop,
    pub(super) stock: Stock,
    pub(super) roll: Roll,
    /// Dice for what no plate feels.
    pub(super) behaviour: Roll,
    pub(super) players: Vec<Player>,
    pub(super) play: Play,
    /// For every unit in somebody's hands or gone: who took it from the shelf.
    pub(super) payer: Vec<Option<usize>>,
    /// What the floor leaves free, for who goes around things.
    ways: Option<Arc<Ways>>,
    /// When everybody makes for the exit, seconds.
    closes: f64,
}

/// Where a shopper is in their script.
pub(super) struct Player {
    steps: std::vec::IntoIter<Step>,
    pub(super) clock: f64,
    pub(super) position: Point<Floor>,
    /// The spot stood in front of.
    pub(super) at: Option<Spot>,
    pub(super) pace: f64,
    elbow_room: f64,
    /// Units in hand, the last one got last, with where each came from.
    pub(super) hands: Vec<(usize, Spot)>,
    /// How these lie in the basket, the bag or the arms.
    pub(super) nest: Vec<Nested>,
    /// How long the next thing taken is held up and looked at, seconds.
    pub(super) examines: f64,
    meeting: Option<u32>,
    met: Vec<u32>,
    pub(super) gone: bool,
}

impl<'a> Stage<'a> {
    /// Plays the scripts to the end. With `ways`, shoppers go around things; from `closes` on they make for the exit.
    pub(super) fn perform(
        shop: &'a Shop,
        stock: Stock,
        scripts: Vec<Script>,
        ways: Option<Arc<Ways>>,
        closes: f64,
        seed: u64,
    ) -> Play {
        let mut roll = Roll::new(seed, "stage");
        let units = stock.units.len();
        let mut behaviour = Roll::new(seed, "behaviour");
        let goods = stock.units.iter().map(|unit| unit.rest.iter().map(Stay::at_start).collect());
        let goods = goods.collect();
        let mut play = Play { goods, ..Play::default() };
        let mut players = Vec::new();
        for script in scripts {
            let carries = script.carries;
            let (player, actor) = enter(shop, &mut roll, script, ways.as_deref());
            let kind = carries.kind();
            let carrier = kind.map(|kind| (kind, usize::from(behaviour.chance(0.35))));
            players.push(player);
            play.actors.push(Actor { carrier, ..actor });
        }
        let mut stage = Stage { shop, stock, roll, behaviour, players, play, payer: vec![None; units], ways, closes };
        while let Some(index) = stage.furthest_behind() {
            stage.advance(index);
        }
        stage.finish()
    }

    fn furthest_behind(&self) -> Option<usize> {
        let behind = |blocked: bool| {
            let waiting =
                |index: &usize| !self.players[*index].gone && (self.players[*index].meeting.is_some() == blocked);
            let open = (0..self.players.len()).filter(waiting);
            open.min_by(|a, b| self.players[*a].clock.total_cmp(&self.players[*b].clock))
        };
        // When everybody waits for somebody who never comes, the first one goes on.
        behind(false).or_else(|| behind(true))
    }

    fn advance(&mut self, index: usize) {
        let player = &mut self.players[index];
        if let Some(number) = player.meeting.take() {
            player.met.push(number);
        }
        match player.steps.next().filter(|_| player.clock < self.closes) {
            Some(step) => self.step(index, step),
            None => self.leave(index),
        }
    }

    fn step(&mut self, index: usize, step: Step) {
        match step {
            Step::Wait { secs } => self.players[index].clock += secs,
            Step::Stroll { to } => {
                self.walk(index, to);
                self.players[index].at = None;
            }
            Step::Approach { spot } => self.approach(index, spot),
            Step::Meet { number, members } => self.meet(index, number, members),
            Step::Take { wants, lift, both_hands } => self.take(index, &wants, lift, both_hands),
            Step::Put { which, to } => self.put(index, which, to),
            Step::Slide { want, by } => self.slide(index, want, by),
            Step::Press { spot, grams, secs } => self.press(index, spot, grams, secs),
            Step::Lean { spot, grams, secs } => self.lean(index, spot, grams, secs),
            Step::Give { to, which } => self.give(index, to, which),
            Step::Join { to } => self.join(index, to),
            Step::Scan { people } => self.scan(index, people),
            Step::LookAround { secs } => self.look_around(index, secs),
            Step::Examine { secs } => self.players[index].examines = secs,
        }
    }

    fn meet(&mut self, index: usize, number: u32, members: usize) {
        if self.players[index].met.contains(&number) {
            return;
        }
        let waiting = |player: &Player| player.meeting == Some(number);
        let there: Vec<usize> = (0..self.players.len()).filter(|other| waiting(&self.players[*other])).collect();
        self.players[index].meeting = Some(number);
        if members <= there.len() + 1 {
            let all = || there.iter().copied().chain([index]);
            let latest = all().map(|other| self.players[other].clock).fold(0.0, f64::max);
            for other in all().collect::<Vec<_>>() {
                let player = &mut self.players[other];
                player.meeting = None;
                player.met.push(number);
                player.clock = latest;
            }
        }
    }

    /// Walks in front of a spot, beside whoever stands there already, and turns to it.
    pub(super) fn approach(&mut self, index: usize, spot: Spot) {
        if self.is_within_reach(index, spot) {
            return;
        }
        let shelf = &self.shop.shelves()[spot.shelf];
        let away = self.roll.uniform(0.45, 0.72) * self.smallness(index);
        let aside = self.roll.bounded(0.0, 0.12);
        if self.ways.is_some() {
            return self.approach_around(index, spot, away, aside);
        }
        let before = |aside: f64| shelf.placement.world_from_local(Point::new(spot.x + aside, -away, 0.0)).floor();
        let stand = |aside: f64| clear_of_furniture(self.shop, before(aside));
        let mut target = stand(aside);
        for patience in 0..4 {
            let asides = [aside, -0.2, 0.2, -0.34, 0.34];
            if let Some(free) = asides.into_iter().map(stand).find(|point| self.is_free(index, *point)) {
                target = free;
                break;
            }
            self.players[index].clock += if patience < 3 { self.roll.uniform(0.6, 1.5) } else { 0.0 };
        }
        self.walk(index, target);
        self.face(index, spot);
    }

    /// How far one of this size stands from things against how far grown-ups do: children have shorter arms.
    fn smallness(&self, index: usize) -> f64 {
        (self.play.actors[index].height / GROWN_METRES).min(1.0)
    }

    /// Stands before a spot and turns to it.
    fn face(&mut self, index: usize, spot: Spot) {
        let shelf = &self.shop.shelves()[spot.shelf];
        self.players[index].at = Some(spot);
        let (at, turn) = (self.players[index].clock - 0.25, shelf.placement.turn_radians);
        let facing = turn + std::f64::consts::FRAC_PI_2 + self.roll.bounded(0.0, 0.3);
        self.play.actors[index].faces.push((at, facing));
    }

    /// Walks up to somebody, as near as hands can meet.
    fn join(&mut self, index: usize, to: usize) {
        if to == index || self.players.len() <= to || self.players[to].gone {
            return;
        }
        let (here, there) = (self.players[index].position, self.players[to].position);
        let way = here - there;
        self.walk(index, there + way * (ARMS_METRES / way.norm().max(0.1)));
        self.players[index].at = None;
    }

    /// Finds a place before a spot that furniture and others leave free, nearest to the wanted one, and goes there.
    fn approach_around(&mut self, index: usize, spot: Spot, away: f64, aside: f64) {
        let shelf = &self.shop.shelves()[spot.shelf];
        let before =
            |away: f64, aside: f64| shelf.placement.world_from_local(Point::new(spot.x + aside, -away, 0.0)).floor();
        let mut places = Vec::new();
        for more in [0.0, 0.1, -0.1, 0.2, -0.2] {
            let far = (away + more).clamp(0.4, 0.8);
            places.extend([aside, -0.2, 0.2, -0.34, 0.34, 0.0].map(|aside| before(far, aside)));
        }
        let free = |stage: &Self, place: &Point<Floor>| stage.ways.as_ref().is_none_or(|ways| ways.is_free(*place));
        places.retain(|place| free(self, place));
        let mut target = places.first().copied();
        for patience in 0..6 {
            if let Some(place) = places.iter().find(|place| self.is_free(index, **place)) {
                target = Some(*place);
                break;
            }
            self.players[index].clock += if patience < 5 { self.roll.uniform(0.8, 2.0) } else { 0.0 };
        }
        self.walk(index, target.unwrap_or_else(|| before(away, 0.0)));
        self.face(index, spot);
    }

    fn is_within_reach(&self, index: usize, spot: Spot) -> bool {
        let player = &self.players[index];
        let shelf = &self.shop.shelves()[spot.shelf];
        let world = Point::<World>::new(player.position.x, player.position.y, shelf.placement.origin.z);
        let local = shelf.placement.local_from_world(world);
        player.at.is_some_and(|at| self.shop.shelves()[at.shelf].id.gondola == shelf.id.gondola)
            && (local.x - spot.x).abs() < REACH_SIDE_METRES
            && local.y < 0.0
    }

    fn is_free(&self, index: usize, point: Point<Floor>) -> bool {
        let me = &self.players[index];
        let others =
            self.players.iter().enumerate().filter(|(other, player)| *other != index && player.is_inside(me.clock));
        others.fold(true, |free, (_, other)| free && me.elbow_room <= other.position.distance(point))
    }

    /// Walks to a point and arrives.
    pub(super) fn walk(&mut self, index: usize, to: Point<Floor>) {
        if let Some(ways) = &self.ways {
            let to = ways.nearest_free(to);
            let via = ways.between(self.players[index].position, to);
            return self.walk_around(index, to, via);
        }
        let player = &mut self.players[index];
        let way = to - player.position;
        let length = way.norm();
        if length < 0.05 {
            return;
        }
        let start = player.clock + self.roll.uniform(0.05, 0.3);
        let speed = if length < 0.6 { player.pace * 0.6 } else { player.pace };
        let end = start + 0.35 + length / (speed * self.roll.around(1.0, 0.08));
        let bulge = if 1.0 < length { -self.roll.uniform(-0.05, 0.22) * way.x.signum() } else { 0.0 };
        self.play.actors[index].legs.push(Leg { start, end, from: player.position, to, via: Vec::new(), bulge });
        if 0.5 < length {
            self.play.actors[index].faces.push((start - 0.1, way.y.atan2(way.x)));
        }
        player.position = to;
        player.clock = end;
    }

    /// Walks to a point by way of corners, looking where it goes.
    fn walk_around(&mut self, index: usize, to: Point<Floor>, via: Vec<Point<Floor>>) {
        let player = &mut self.players[index];
        let mut leg = Leg { start: 0.0, end: 0.0, from: player.position, to, via, bulge: 0.0 };
        let length = leg.length();
        if length < 0.05 {
            return;
        }
        let pace = player.pace * if length < 0.6 { 0.6 } else { self.roll.around(1.0, 0.08) };
        leg.start = player.clock + self.roll.uniform(0.05, 0.3);
        leg.end = leg.start + 0.35 + length / pace;
        player.position = to;
        player.clock = leg.end;
        if 0.5 < length {
            let mut at = leg.start - 0.1;
            for (from, to) in leg.parts() {
                let way = to - from;
                self.play.actors[index].faces.push((at, way.y.atan2(way.x)));
                // Who walks turns a moment before the corner.
                at = (at + 0.05).max(at + way.norm() / pace);
            }
        }
        self.play.actors[index].legs.push(leg);
    }

    /// Moves a hand to a point and back: from `start` to there at `arrive`, away at `leave`, back at `back`.
    pub(super) fn reach(&mut self, index: usize, hand: usize, at: Point<World>, times: [f64; 4]) {
        let [start, arrive, leave, back] = times;
        let keys = &mut self.play.actors[index].hands[hand];
        keys.retain(|key| key.at < start);
        if keys.last().is_none_or(|key| matches!(key.aim, Aim::Rest)) {
            keys.push(Key { at: start, aim: Aim::Rest });
        }
        let drift =
            Point::new(self.roll.bounded(0.0, 0.01), self.roll.bounded(0.0, 0.01), self.roll.bounded(0.01, 0.01));
        keys.push(Key { at: arrive, aim: Aim::At(at) });
        keys.push(Key { at: leave.max(arrive + 0.05), aim: Aim::At(at + drift) });
        keys.push(Key { at: back.max(leave + 0.2), aim: Aim::Rest });
    }

    /// Where the wrist is when the hand is at a spot on a shelf: a hand's length short of it, from the shoulder's side.
    pub(super) fn wrist_at(&mut self, index: usize, hand: usize, spot: Spot, depth: f64) -> Point<World> {
        let shelf = &self.shop.shelves()[spot.shelf];
        let floor = self.players[index].position;
        let shoulder_height = self.play.actors[index].height * 0.8;
        let body = shelf.placement.local_from_world(Point::new(floor.x, floor.y, shoulder_height));
        let side = if hand == 0 { -0.18 } else { 0.18 };
        let height = self.roll.uniform(0.05, (shelf.clearance_metres * 0.6).clamp(0.07, 0.15));
        let grip = Point::<Local>::new(spot.x + self.roll.bounded(0.0, 0.012), depth.min(0.25), height);
        let from = Point::new(body.x + side, body.y + 0.1, (body.z).min(height + 0.3));
        let way = from - grip;
        let hand_length = self.roll.uniform(0.07, 0.13);
        let wrist = grip + way * (hand_length / way.norm().max(0.05));
        shelf.placement.world_from_local(Point::new(wrist.x, wrist.y, wrist.z.max(height)))
    }

    /// The hand for a spot: mostly the one on its side.
    pub(super) fn hand_for(&mut self, index: usize, spot: Spot) -> usize {
        let shelf = &self.shop.shelves()[spot.shelf];
        let floor = self.players[index].position;
        let local = shelf.placement.local_from_world(Point::new(floor.x, floor.y, 0.0));
        let lean = (spot.x - local.x) / 0.3 + 0.35;
        let hand = usize::from(self.roll.chance((0.5 + lean * 0.6).clamp(0.04, 0.96)));
        self.free_hand(index, hand)
    }

    fn leave(&mut self, index: usize) {
        let door = door(self.shop, &mut self.roll, ZoneKind::Exit);
        let outside = self.gate(false).map(|gate| gate.outside());
        self.walk(index, outside.unwrap_or(door));
        let player = &mut self.players[index];
        player.gone = true;
        // Who is out of sight behind the door has gone; elsewhere they go as they arrive.
        let early = if outside.is_some() { 0.0 } else { 0.2 };
        let actor = &mut self.play.actors[index];
        // Nobody is gone before they were seen.
        actor.leaves = (player.clock - early).max(actor.enters + 1.0 / GRID_HERTZ);
    }

    /// The gate in, or out, where people go around things and there is one.
    pub(super) fn gate(&self, is_entrance: bool) -> Option<Gate> {
        self.ways.as_ref()?.gate(is_entrance).copied()
    }

    fn finish(mut self) -> Play {
        self.play.scans.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.actor.cmp(&b.actor)));
        self.play.deeds.sort_by(|a, b| a.start.total_cmp(&b.start).then(a.actor.cmp(&b.actor)));
        let last = self.play.actors.iter().map(|actor| actor.leaves).fold(0.0, f64::max);
        self.play.end = last + self.roll.uniform(EPILOGUE.0, EPILOGUE.1);
        self.play.owed = vec![Vec::new(); self.players.len()];
        for (unit, payer) in self.payer.iter().enumerate() {
            if let Some(payer) = payer {
                self.play.owed[*payer].push(self.stock.goods[self.stock.units[unit].good].sku.clone());
            }
        }
        self.play
    }

    /// Writes down that goods moved.
    pub(super) fn record(&mut self, deed: Deed) {
        self.play.deeds.push(deed);
    }
}

impl Player {
    fn is_inside(&self, time: f64) -> bool {
        // Who comes in later is not yet in the way; who has gone is no more.
        !self.gone && self.at.is_some() && self.clock - 30.0 < time
    }
}

fn enter(shop: &Shop, roll: &mut Roll, script: Script, ways: Option<&Ways>) -> (Player, Actor) {
    let position = door(shop, roll, ZoneKind::Entrance);
    let gate = ways.and_then(|ways| ways.gate(true));
    let position = gate.map_or(position, Gate::outside);
    let position = ways.map_or(position, |ways| ways.nearest_free(position));
    let grown = roll.bounded(1.72, 0.09).clamp(GROWN_METRES, 1.95);
    let mut actor = Actor {
        height: script.height.unwrap_or(grown),
        is_uniform: script.is_uniform,
        enters: script.enters,
        leaves: script.enters,
        legs: vec![Leg {
            start: script.enters,
            end: script.enters + 1e-3,
            from: position,
            to: position,
            via: Vec::new(),
            bulge: 0.0,
        }],
        faces: vec![(script.enters, roll.uniform(0.3, 1.4))],
        hands: [Vec::new(), Vec::new()],
        carries: Vec::new(),
        carrier: None,
        looks: Vec::new(),
    };
    if let Some(gate) = gate {
        actor.faces = vec![(script.enters, gate.heading())];
    }
    let player = Player {
        steps: script.steps.into_iter(),
        clock: script.enters + 0.05,
        position,
        at: None,
        pace: roll.uniform(0.8, 1.2),
        elbow_room: script.elbow_room,
        hands: Vec::new(),
        nest: Vec::new(),
        examines: 0.0,
        meeting: None,
        met: Vec::new(),
        gone: false,
    };
    (player, actor)
}

/// The point itself, or the nearest one that is a body's half width before every front.
fn clear_of_furniture(shop: &Shop, point: Point<Floor>) -> Point<Floor> {
    let mut point = point;
    for shelf in shop.shelves() {
        let local = shelf.placement.local_from_world(Point::new(point.x, point.y, shelf.placement.origin.z));
        let (low, high) = shelf.extent_metres();
        let behind = -BODY_HALF_METRES < local.y && local.y < shelf.depth_metres;
        if behind && low - 0.1 < local.x && local.x < high + 0.1 {
            let before = Point::new(local.x, -BODY_HALF_METRES, 0.0);
            point = shelf.placement.world_from_local(before).floor();
        }
    }
    point
}

/// A point in a zone of this kind, or in front of the first gondola's left end where a shop names none.
fn door(shop: &Shop, roll: &mut Roll, kind: ZoneKind) -> Point<Floor> {
    let zone = shop.zones().iter().find(|zone| zone.kind == kind);
    if let Some(zone) = zone {
        let count = zone.polygon.len().max(1) as f64;
        let sum = zone.polygon.iter().fold(Point::new(0.0, 0.0, 0.0), |sum, corner| sum + *corner);
        return sum * (1.0 / count) + Point::new(roll.uniform(-0.2, 0.2), roll.uniform(-0.15, 0.15), 0.0);
    }
    let aside = if kind == ZoneKind::Entrance { -0.4 } else { 0.3 };
    let corner = shop.shelves().first().map(|shelf| shelf.placement.world_from_local(Point::new(aside, -1.9, 0.0)));
    let corner = corner.map_or(Point::new(aside, -1.9, 0.0), Point::floor);
    corner + Point::new(roll.uniform(-0.2, 0.2), roll.uniform(-0.15, 0.15), 0.0)
}
