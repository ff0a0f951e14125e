//! Bodies: eight joints in the world for every shopper at any instant of a play.
//! A trunk walks and turns, makes way for others, sways at each step; arms have two bones; a trunk leans after a hand
//! that the arm alone does not bring far enough. Legs, heads and hands follow from these, in `anatomy`.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::sync::Arc;

use crate::geometry::{Floor, Point, World};
use crate::sim::roll::Roll;
use crate::sim::stage::play::{Actor, Aim, GRID_HERTZ, Play};
use crate::sim::stage::ways::Ways;
use crate::sim::vector::{smooth, turn};

/// Shoppers step aside for one another below this distance, metres.
const BERTH_METRES: f64 = 0.55;
/// Who walks where there is room to go around things steps aside earlier, metres.
const WALKING_BERTH_METRES: f64 = 0.95;
/// Who is so far behind where they want to be looks for a way around, metres.
const HELD_UP_METRES: f64 = 0.6;
/// Nobody is faster there, metres a second.
const SPEED_MAX: f64 = 1.7;
/// Two trunks are hardly ever nearer than this, metres.
const BODY_METRES: f64 = 0.4;
/// Where there is room to go around things two trunks are kept this far apart, metres, in so many rounds.
const CROWD_METRES: f64 = 0.43;
const ROUNDS: usize = 4;
/// How far a trunk is pushed in one step of the grid at most, metres.
const SHOVE_METRES: f64 = 0.015;
/// Length of a step, metres.
const STEP_METRES: f64 = 0.62;
/// How often somebody who stands shifts their weight, per second.
const SHIFTS_HERTZ: f64 = 0.4;
/// How quickly a trunk turns: time constant, seconds.
const TURN_SECS: f64 = 0.16;

/// The joints of a shopper, in the order of `JointKind::ALL`.
pub(in crate::sim) type Pose = [Point<World>; 8];

/// All shoppers of a play.
pub(in crate::sim) struct Bodies {
    play: Arc<Play>,
    /// Whither elbows point, on the right: to the right, forward and up.
    elbows: [f64; 3],
    /// No wrist is nearer to its shoulder, as a share of the height.
    fold: f64,
    /// For every actor the trunk on the grid, from the actor's entry on.
    trunks: Vec<Vec<Trunk>>,
    habits: Vec<Habit>,
}

/// Where a trunk is on the floor.
#[derive(Clone, Copy)]
pub(in crate::sim) struct Trunk {
    pub(in crate::sim) floor: Point<Floor>,
    /// Which way it faces, radians counter-clockwise from +x.
    pub(super) heading: f64,
    /// Steps walked so far, fractional.
    pub(super) steps: f64,
    /// Share of full walking speed.
    pub(super) gait: f64,
}

/// A body at an instant, as far as it is decided before legs, head and hands are.
pub(super) struct Stance {
    pub(super) trunk: Trunk,
    pub(super) frame: Frame,
    /// How far shoulders and neck went after the hands.
    pub(super) lean: Point<World>,
    pub(super) pose: Pose,
}

/// How somebody holds themselves.
struct Habit {
    sway: [f64; 3],
    hang: [f64; 2],
    stoop: f64,
    carrying_hand: usize,
}

/// A foot that comes down.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Footfall {
    pub(in crate::sim) at: f64,
    pub(in crate::sim) floor: Point<Floor>,
    pub(in crate::sim) strength: f64,
}

impl Bodies {
    pub(in crate::sim) fn new(play: Arc<Play>, ways: Option<Arc<Ways>>, seed: u64) -> Self {
        let mut roll = Roll::new(seed, "bodies");
        let habits = play.actors.iter().map(|_| Habit {
            sway: [roll.uniform(0.0, TAU), roll.uniform(0.0, TAU), roll.uniform(0.006, 0.02)],
            hang: [roll.uniform(-0.05, 0.12), roll.uniform(-0.05, 0.12)],
            stoop: roll.uniform(0.03, 0.1),
            carrying_hand: roll.whole(0, 1),
        });
        let habits = habits.collect();
        // No arm goes along this pole or against it, so that elbows do not turn over.
        let elbows = if ways.is_some() { [0.62, -0.35, -0.7] } else { [0.45, -0.25, -0.85] };
        let mut bodies =
            Bodies { play, elbows, fold: if ways.is_some() { 0.1 } else { 0.0 }, trunks: Vec::new(), habits };
        bodies.trunks = bodies.walk_all(ways.as_deref());
        bodies
    }

    /// Trunks of everybody on the grid, each making way for the others, and kept out of furniture where that is known.
    fn walk_all(&self, ways: Option<&Ways>) -> Vec<Vec<Trunk>> {
        let actors = &self.play.actors;
        let mut trunks: Vec<Vec<Trunk>> = vec![Vec::new(); actors.len()];
        let mut pushes: Vec<Point<Floor>> = vec![Point::new(0.0, 0.0, 0.0); actors.len()];
        for tick in 0..=((self.play.end + 1.0) * GRID_HERTZ) as usize {
            let time = tick as f64 / GRID_HERTZ;
            let inside = |actor: &Actor| actor.enters <= time && time <= actor.leaves;
            let bare: Vec<Option<Point<Floor>>> =
                actors.iter().map(|actor| inside(actor).then(|| actor.floor_at(time))).collect();
            for (index, actor) in actors.iter().enumerate() {
                let Some(floor) = bare[index] else { continue };
                let walks = actor.walks_at(time);
                let berth = if walks && ways.is_some() { WALKING_BERTH_METRES } else { BERTH_METRES };
                let push = make_way(index, floor, (walks, berth), actor.floor_at(time + 0.1) - floor, &bare);
                pushes[index] = pushes[index].lerp(push, 0.12);
            }
            match ways {
                Some(ways) => crowd(ways, &bare, &trunks, &mut pushes),
                None => keep_apart(&bare, &mut pushes),
            }
            for (index, actor) in actors.iter().enumerate() {
                let Some(floor) = bare[index] else { continue };
                let previous = trunks[index].last().copied();
                trunks[index].push(next_trunk(actor, floor + pushes[index], time, previous));
            }
        }
        trunks
    }

    /// The trunk of a shopper, `None` while not inside.
    pub(in crate::sim) fn trunk(&self, actor: usize, time: f64) -> Option<Trunk> {
        let enters = self.play.actors[actor].enters;
        let first = (enters * GRID_HERTZ).ceil() / GRID_HERTZ;
        let place = (time - first) * GRID_HERTZ;
        let grid = &self.trunks[actor];
        if time < enters || self.play.actors[actor].leaves < time || grid.is_empty() {
            return None;
        }
        let below = (place.max(0.0) as usize).min(grid.len() - 1);
        let above = (below + 1).min(grid.len() - 1);
        let share = (place - below as f64).clamp(0.0, 1.0);
        let (a, b) = (grid[below], grid[above]);
        let mix = |a: f64, b: f64| a + (b - a) * share;
        Some(Trunk {
            floor: a.floor.lerp(b.floor, share),
            heading: a.heading + turn(a.heading, b.heading) * share,
            steps: mix(a.steps, b.steps),
            gait: mix(a.gait, b.gait),
        })
    }

    /// The joints of a shopper, `None` while not inside.
    pub(in crate::sim) fn pose(&self, index: usize, time: f64) -> Option<Pose> {
        self.stance(index, time).map(|stance| stance.pose)
    }

    /// How a shopper stands, `None` while not inside.
    pub(super) fn stance(&self, index: usize, time: f64) -> Option<Stance> {
        let trunk = self.trunk(index, time)?;
        let (actor, habit) = (&self.play.actors[index], &self.habits[index]);
        let height = actor.height;
        let frame = Frame::of(trunk, habit, time, height);
        let upright = [frame.at(-0.105 * height, 0.0, 0.81 * height), frame.at(0.105 * height, 0.0, 0.81 * height)];
        let aims = [0, 1].map(|hand| wrist_aim(actor, habit, &frame, trunk, hand, time));
        let lean = lean_after(upright, aims, 0.9 * arm_length(height));
        let bones = (0.172 * height, 0.15 * height);
        let shoulders = upright.map(|shoulder| shoulder + lean);
        let reach = (bones.0 + bones.1) * 0.99;
        let wrists = [0, 1].map(|hand| within(shoulders[hand], aims[hand], reach));
        let wrists = [0, 1].map(|hand| beyond(shoulders[hand], wrists[hand], self.fold * height));
        let [out, ahead, up] = self.elbows;
        let pole = |hand: usize| frame.way(if hand == 0 { -out } else { out }, ahead, up);
        let elbows = [0, 1].map(|hand| elbow(shoulders[hand], wrists[hand], bones, pole(hand)));
        let neck = frame.at(0.0, 0.01, 0.845 * height) + lean;
        let head = frame.at(0.0, habit.stoop, 0.953 * height) + lean * 1.12;
        let pose = [head, neck, shoulders[0], shoulders[1], elbows[0], elbows[1], wrists[0], wrists[1]];
        Some(Stance { trunk, frame, lean, pose })
    }

    /// Every footfall of everybody, in order of time.
    pub(in crate::sim) fn footfalls(&self, seed: u64) -> Vec<Footfall> {
        let mut roll = Roll::new(seed, "footfalls");
        let mut falls = Vec::new();
        for (index, grid) in self.trunks.iter().enumerate() {
            let actor = &self.play.actors[index];
            let weight = roll.around((actor.height / 1.72).powi(3), 0.35);
            for (tick, pair) in grid.windows(2).enumerate() {
                let at = actor.enters + (tick + 1) as f64 / GRID_HERTZ;
                let steps = pair[0].steps.floor() < pair[1].steps.floor() && 0.05 < pair[1].gait;
                // Who stands shifts from foot to foot now and then.
                let shifts = pair[1].gait < 0.1 && roll.chance(SHIFTS_HERTZ / GRID_HERTZ);
                if steps || shifts {
                    let gait = if steps { 0.35 + 0.65 * pair[1].gait } else { 0.3 };
                    let strength = weight * roll.around(1.0, 0.4) * gait;
                    falls.push(Footfall { at, floor: pair[1].floor, strength });
                }
            }
        }
        falls.sort_by(|a, b| a.at.total_cmp(&b.at));
        falls
    }
}

/// The upright body's own frame: x to its right, y forward.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    origin: Point<World>,
    sin: f64,
    cos: f64,
}

impl Frame {
    fn of(trunk: Trunk, habit: &Habit, time: f64, height: f64) -> Self {
        let idle = habit.sway[2] * (time * 1.3 + habit.sway[0]).sin();
        let roll = 0.018 * trunk.gait * (trunk.steps * PI).sin();
        let bob = -0.014 * trunk.gait * (1.0 + (trunk.steps * TAU).cos()) * height / 1.72;
        let facing = trunk.heading - FRAC_PI_2 + 0.05 * (time * 0.7 + habit.sway[1]).sin();
        let (sin, cos) = facing.sin_cos();
        let side = idle + roll;
        let origin = Point::new(trunk.floor.x + cos * side, trunk.floor.y + sin * side, bob);
        Frame { origin, sin, cos }
    }

    pub(super) fn at(&self, right: f64, forward: f64, up: f64) -> Point<World> {
        self.origin + self.way(right, forward, up)
    }

    pub(super) fn way(&self, right: f64, forward: f64, up: f64) -> Point<World> {
        Point::new(self.cos * right - self.sin * forward, self.sin * right + self.cos * forward, up)
    }
}

fn next_trunk(actor: &Actor, floor: Point<Floor>, time: f64, previous: Option<Trunk>) -> Trunk {
    let after = actor.faces.partition_point(|(at, _)| *at <= time);
    let wanted = after.checked_sub(1).map_or(FRAC_PI_2, |index| actor.faces[index].1);
    let Some(before) = previous else { return Trunk { floor, heading: wanted, steps: 0.0, gait: 0.0 } };
    let moved = before.floor.distance(floor);
    let alpha = 1.0 - (-1.0 / (GRID_HERTZ * TURN_SECS)).exp();
    let gait = (moved * GRID_HERTZ / 0.9).min(1.3);
    Trunk {
        floor,
        heading: before.heading + turn(before.heading, wanted) * alpha,
        steps: before.steps + moved / STEP_METRES,
        gait: before.gait + (gait - before.gait) * 0.15,
    }
}

/// Moves everybody towards where they want to be, as fast as people are at most, not through each other and not into
/// furniture.
fn crowd(ways: &Ways, bare: &[Option<Point<Floor>>], trunks: &[Vec<Trunk>], pushes: &mut [Point<Floor>]) {
    let before = |index: usize| trunks[index].last().map(|trunk| trunk.floor);
    let mut there: Vec<Option<Point<Floor>>> = bare
        .iter()
        .enumerate()
        .map(|(index, floor)| {
            let (bare, pushed) = ((*floor)?, (*floor)? + pushes[index]);
            let wanted = |before| way_around(ways, before, bare).unwrap_or(pushed);
            Some(before(index).map_or(pushed, |before| hurry(before, wanted(before))))
        })
        .collect();
    for _ in 0..ROUNDS {
        for one in 0..there.len() {
            for other in 0..one {
                let Some((a, b)) = there[one].zip(there[other]) else { continue };
                let away = a - b;
                let lack = CROWD_METRES - away.norm();
                if 0.0 < lack {
                    // Who has got past is not pushed through: the sides they came from count.
                    let came = before(one).zip(before(other)).map_or(away, |(a, b)| a - b);
                    let way = if came.x * away.x + came.y * away.y < 0.0 { came } else { away };
                    let shove = way * (lack / 2.0 / way.norm().max(0.02));
                    there[one] = Some(a + shove);
                    there[other] = Some(b - shove);
                }
            }
        }
        there.iter_mut().flatten().for_each(|point| *point = ways.outside(*point));
    }
    for (index, push) in pushes.iter_mut().enumerate() {
        let Some((floor, there)) = bare[index].zip(there[index]) else { continue };
        let there = before(index).map_or(there, |before| hurry(before, there));
        *push = ways.outside(there) - floor;
    }
}

/// The next corner on the way of somebody whom others have held up behind furniture; `None` of everybody else.
fn way_around(ways: &Ways, from: Point<Floor>, to: Point<Floor>) -> Option<Point<Floor>> {
    if from.distance(to) <= HELD_UP_METRES {
        return None;
    }
    ways.between(ways.nearest_free(from), ways.nearest_free(to)).first().copied()
}

/// The point, or as far towards it as somebody comes in one step of the grid.
fn hurry(from: Point<Floor>, to: Point<Floor>) -> Point<Floor> {
    let far = from.distance(to);
    let most = SPEED_MAX / GRID_HERTZ;
    if far <= most { to } else { from.lerp(to, most / far) }
}

/// How far to step aside: a walker to its right and away from whoever is near, a stander a little.
fn make_way(
    index: usize,
    floor: Point<Floor>,
    (walks, berth): (bool, f64),
    ahead: Point<Floor>,
    others: &[Option<Point<Floor>>],
) -> Point<Floor> {
    let mut push = Point::new(0.0, 0.0, 0.0);
    let right = Point::new(ahead.y, -ahead.x, 0.0) * (1.0 / ahead.norm().max(1e-3));
    for (other, place) in others.iter().enumerate() {
        let Some(place) = place.filter(|_| other != index) else { continue };
        let away = floor - place;
        let distance = away.norm();
        if distance < berth {
            let strength = (berth - distance) * if walks { 0.8 } else { 0.25 };
            let out = away * (1.0 / distance.max(0.05));
            push = push + (out + if walks { right } else { right * 0.0 }) * strength;
        }
    }
    let size = push.norm();
    if 0.45 < size { push * (0.45 / size) } else { push }
}

/// Pushes trunks apart that are nearer than bodies can be, half of the lack each.
fn keep_apart(bare: &[Option<Point<Floor>>], pushes: &mut [Point<Floor>]) {
    for one in 0..bare.len() {
        for other in 0..one {
            let Some((a, b)) = bare[one].zip(bare[other]) else { continue };
            let away = (a + pushes[one]) - (b + pushes[other]);
            let lack = BODY_METRES - away.norm();
            if 0.0 < lack {
                let shove = away * ((lack * 0.35).min(SHOVE_METRES) / away.norm().max(0.02));
                pushes[one] = pushes[one] + shove;
                pushes[other] = pushes[other] - shove;
            }
        }
    }
}

fn arm_length(height: f64) -> f64 {
    0.322 * height
}

/// Where a wrist wants to be.
fn wrist_aim(actor: &Actor, habit: &Habit, frame: &Frame, trunk: Trunk, hand: usize, time: f64) -> Point<World> {
    let rest = rest_of(actor, habit, frame, trunk, hand, time);
    let keys = &actor.hands[hand];
    let after = keys.partition_point(|key| key.at <= time);
    let resolve = |aim: Aim| match aim {
        Aim::Rest => rest,
        Aim::At(point) => point,
        Aim::Before([right, forward, up]) => frame.at(right, forward, up * actor.height),
    };
    match (after.checked_sub(1).map(|index| keys[index]), keys.get(after)) {
        (Some(from), Some(to)) => {
            let share = smooth(time, from.at, to.at);
            resolve(from.aim).lerp(resolve(to.aim), share)
        }
        _ => rest,
    }
}

fn rest_of(actor: &Actor, habit: &Habit, frame: &Frame, trunk: Trunk, hand: usize, time: f64) -> Point<World> {
    let height = actor.height;
    let side = if hand == 0 { -1.0 } else { 1.0 };
    let swing = 0.1 * trunk.gait * (trunk.steps * PI).sin() * side;
    if actor.carrier.is_some_and(|(_, holding)| holding == hand) {
        // Clear of the leg, and hardly swinging.
        return frame.at(side * 0.155 * height, 0.03 + swing * 0.2, 0.515 * height);
    }
    let hanging = frame.at(side * 0.135 * height, habit.hang[hand] + 0.05 + swing, 0.525 * height);
    let after = actor.carries.partition_point(|(at, _)| *at <= time);
    let Some(&(since, carries)) = after.checked_sub(1).map(|index| &actor.carries[index]) else { return hanging };
    if hand != habit.carrying_hand {
        return hanging;
    }
    let carried = frame.at(side * 0.09 * height, 0.24, 0.6 * height);
    let before = after.checked_sub(2).is_some_and(|index| actor.carries[index].1);
    let from = if before { carried } else { hanging };
    let to = if carries { carried } else { hanging };
    from.lerp(to, ((time - since) / 0.5).clamp(0.0, 1.0))
}

/// How far the trunk goes after its hands: what the arms are short of, more of the way the farther it is.
fn lean_after(shoulders: [Point<World>; 2], aims: [Point<World>; 2], reach: f64) -> Point<World> {
    let mut lean = Point::new(0.0, 0.0, 0.0);
    for hand in [0, 1] {
        let way = aims[hand] - (shoulders[hand] + lean);
        let short = way.norm() - reach;
        if 0.0 < short {
            lean = lean + way * (short / way.norm());
        }
    }
    lean
}

fn within(from: Point<World>, to: Point<World>, reach: f64) -> Point<World> {
    let way = to - from;
    if reach < way.norm() { from + way * (reach / way.norm()) } else { to }
}

/// The point, no nearer to another one than this.
fn beyond(from: Point<World>, to: Point<World>, least: f64) -> Point<World> {
    let way = to - from;
    let length = way.norm();
    if least <= length { to } else { from + way * (least / length.max(1e-3)) }
}

/// The elbow of two bones between shoulder and wrist: it points towards a pole.
fn elbow(shoulder: Point<World>, wrist: Point<World>, bones: (f64, f64), pole: Point<World>) -> Point<World> {
    let way = wrist - shoulder;
    let length = way.norm().max(0.05);
    let along = ((bones.0 * bones.0 - bones.1 * bones.1 + length * length) / (2.0 * length)).clamp(-bones.0, bones.0);
    let out = (bones.0 * bones.0 - along * along).max(0.0).sqrt();
    let axis = way * (1.0 / length);
    let dot = pole.x * axis.x + pole.y * axis.y + pole.z * axis.z;
    let bent = pole - axis * dot;
    shoulder + axis * along + bent * (out / bent.norm().max(1e-3))
}
