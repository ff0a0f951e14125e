//! Longer scenes: shoppers who do a bit of everything, hand-overs, crowds.

use super::casting::{Casting, Place, put, script, take, wait};
use super::script::{Lift, Script, Step, Want, Which};
use crate::geometry::Point;

/// Something that changes no receipt: a press, a lean, a touch, a thing slid or lifted and set down.
pub(super) fn confusion(cast: &mut Casting, near: Place) -> Vec<Step> {
    let place = cast.near(near, 1.2);
    let step = match cast.roll.whole(0, 5) {
        0 | 1 => press(cast, place),
        2 => Step::Lean {
            spot: cast.spot(place),
            grams: cast.roll.uniform(5.0, 40.0),
            secs: cast.roll.uniform(0.8, 4.0),
        },
        3 => Step::Press {
            spot: cast.spot(place),
            grams: cast.roll.uniform(2.0, 30.0),
            secs: cast.roll.uniform(0.3, 1.5),
        },
        4 => {
            let by = cast.roll.sign() * cast.roll.uniform(0.04, 0.2);
            Step::Slide { want: cast.want(place, 1), by }
        }
        _ => {
            let lift = if cast.roll.chance(0.3) { Lift::Held } else { Lift::Brisk };
            let taken = take(cast, place, 1, lift);
            return vec![taken, wait(cast), Step::Put { which: Which::Last, to: None }, wait(cast)];
        }
    };
    vec![step, wait(cast)]
}

/// A hand that pushes 50 to 2000 g for 0.2 to 3 s.
pub(super) fn press(cast: &mut Casting, place: Place) -> Step {
    Step::Press {
        spot: cast.spot(place),
        grams: (cast.roll.uniform(50.0_f64.ln(), 2000.0_f64.ln())).exp(),
        secs: cast.roll.uniform(0.2, 3.0),
    }
}

/// Shoppers with about `events` actions each, of which this part is meant to confuse.
pub(super) fn shoppers(cast: &mut Casting, count: usize, events: usize, confusing: f64) -> Vec<Script> {
    let mut scripts = Vec::new();
    let Some(mut home) = cast.any() else { return scripts };
    for number in 0..count {
        if cast.roll.chance(0.5) {
            home = cast.any().unwrap_or(home);
        }
        let actions = cast.roll.whole((events / 2).max(1), events + events / 3);
        let mut steps = Vec::new();
        for _ in 0..actions {
            if cast.roll.chance(0.25) {
                home = cast.any().unwrap_or(home);
            }
            let more = if cast.roll.chance(confusing) { trick(cast, home) } else { plain(cast, home) };
            steps.extend(more);
        }
        scripts.push(script(cast, number, steps));
    }
    if 2 <= count && cast.roll.chance(0.3) {
        exchange(cast, &mut scripts, 900);
    }
    scripts
}

fn plain(cast: &mut Casting, home: Place) -> Vec<Step> {
    let place = cast.near(home, 0.9);
    let count = if cast.roll.chance(0.15) { 2 } else { 1 };
    let mut steps = vec![take(cast, place, count, Lift::Brisk), wait(cast)];
    if cast.roll.chance(0.2) {
        steps.extend([Step::Put { which: Which::Last, to: None }, wait(cast)]);
    }
    steps
}

/// An action that is hard to read.
fn trick(cast: &mut Casting, home: Place) -> Vec<Step> {
    let place = cast.near(home, 1.0);
    match cast.roll.whole(0, 8) {
        0 | 1 => confusion(cast, home),
        2 => {
            let Some((a, b)) = cast.twins() else { return Vec::new() };
            vec![take(cast, a, 1, Lift::Brisk), wait(cast), put(cast, b), wait(cast)]
        }
        3 => {
            let lift = if cast.roll.chance(0.5) { Lift::Held } else { Lift::Slow };
            vec![take(cast, place, 1, lift), wait(cast)]
        }
        4 => {
            let Some(next) = cast.next(place) else { return plain(cast, home) };
            let wants = vec![cast.want(place, 1), cast.want(next, 1)];
            vec![Step::Take { wants, lift: Lift::Brisk, both_hands: cast.roll.chance(0.5) }, wait(cast)]
        }
        5 => {
            let count = cast.roll.whole(2, 3);
            vec![take(cast, place, count, Lift::Brisk), wait(cast)]
        }
        6 => (0..3)
            .map(|_| {
                let place = cast.near(home, 0.35);
                take(cast, place, 1, Lift::Quick)
            })
            .chain([Step::Put { which: Which::Last, to: None }])
            .collect(),
        7 => {
            let Some(next) = cast.next(place) else { return plain(cast, home) };
            let border = cast.border(place, next);
            let again = Want { good: place.good, spot: border, count: 1 };
            let mut steps = vec![take(cast, place, 1, Lift::Brisk), Step::Put { which: Which::Last, to: Some(border) }];
            if cast.roll.chance(0.5) {
                steps.extend([wait(cast), Step::Take { wants: vec![again], lift: Lift::Brisk, both_hands: false }]);
            }
            steps
        }
        _ => vec![
            take(cast, place, 1, Lift::Brisk),
            Step::Put { which: Which::Last, to: None },
            wait(cast),
            take(cast, place, 1, Lift::Brisk),
        ],
    }
}

/// Lets the first two meet at the end of their scripts, and one hand the other a thing.
fn exchange(cast: &mut Casting, scripts: &mut [Script], number: u32) {
    let Some(place) = cast.any() else { return };
    let at = place.front + Point::new(cast.roll.uniform(-0.2, 0.2), cast.roll.uniform(-0.3, 0.1), 0.0);
    let apart = cast.roll.uniform(0.55, 0.8);
    let meet = |number| Step::Meet { number, members: 2 };
    for (index, script) in scripts.iter_mut().take(2).enumerate() {
        script.steps.push(Step::Stroll { to: at + Point::new(apart * index as f64, 0.0, 0.0) });
        script.steps.push(meet(number));
        if index == 0 {
            let which = if cast.roll.chance(0.5) { Which::First } else { Which::Last };
            script.steps.push(Step::Give { to: 1, which });
        }
        script.steps.push(meet(number + 1));
    }
}

/// Two shoppers who each take something, then hand one thing over, or swap; the one who got it may put it back.
pub(super) fn hand_over(cast: &mut Casting, any: Place) -> Vec<Script> {
    let mut scripts = Vec::new();
    for number in 0..2 {
        let mut steps = Vec::new();
        for _ in 0..cast.roll.whole(1, 2) {
            let place = cast.near(any, 1.2);
            steps.extend([take(cast, place, 1, Lift::Brisk), wait(cast)]);
        }
        scripts.push(script(cast, number, steps));
    }
    exchange(cast, &mut scripts, 900);
    if cast.roll.chance(0.35) {
        scripts[1].steps.push(Step::Give { to: 0, which: Which::First });
        scripts[0].steps.push(Step::Meet { number: 950, members: 2 });
        scripts[1].steps.push(Step::Meet { number: 950, members: 2 });
    }
    if cast.roll.chance(0.3) {
        scripts[1].steps.push(Step::Put { which: Which::Last, to: None });
    }
    for script in &mut scripts {
        if cast.roll.chance(0.3) {
            let place = cast.near(any, 1.2);
            let step = take(cast, place, 1, Lift::Brisk);
            script.steps.push(step);
        }
    }
    scripts
}

/// Eight shoppers within a minute.
pub(super) fn crowd(cast: &mut Casting) -> Vec<Script> {
    let mut scripts = shoppers(cast, 8, 4, 0.3);
    for (number, script) in scripts.iter_mut().enumerate() {
        script.enters = number as f64 * 2.2 + cast.roll.uniform(0.2, 2.0);
        script.elbow_room = 0.42;
    }
    scripts
}
