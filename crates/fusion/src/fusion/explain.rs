//! What can explain a group under one hypothesis, best first.

use super::effect::{Effect, Explained};
use super::group::{Group, Piece, Taker};
use super::model::{self, units_prior};
use super::plan::{Plan, Sku};
use super::world::{Stray, World};
use crate::base::VisitId;

/// Explanations kept of a piece, and of a group.
const PIECE_OPTIONS_MAX: usize = 10;
const GROUP_OPTIONS_MAX: usize = 14;
/// Explanations this much worse than the best are dropped.
const WORSE_MAX: f64 = 14.0;
/// Most units of one product in one grab.
const UNITS_MAX: u32 = 6;

/// One explanation of a group.
#[derive(Clone, Debug)]
pub(super) struct Explanation {
    pub(super) log: f64,
    /// What each piece is explained by; a piece with two goods stands twice.
    pub(super) parts: Vec<Explained>,
}

/// One way to explain a piece.
struct PieceOption {
    log: f64,
    fit: f64,
    effect: Effect,
    /// A second product that went at the same moment.
    second: Option<Effect>,
}

/// A product that may have been taken, before asking who.
struct Good {
    log: f64,
    sku: Sku,
    units: u32,
    foreign: bool,
    /// A second product taken at the same moment from the same plates.
    second: Option<Sku>,
}

/// The best explanations of a group under a hypothesis.
pub(super) fn explain(group: &Group, world: &World, plan: &Plan) -> Vec<Explanation> {
    let per_piece: Vec<Vec<PieceOption>> =
        group.pieces.iter().map(|piece| piece_options(group, piece, world, plan)).collect();
    let mut all: Vec<Explanation> = Vec::new();
    for partition in &group.partitions {
        let mut partial = vec![Explanation { log: 0.0, parts: Vec::new() }];
        for (number, &piece) in partition.iter().enumerate() {
            let mut longer = Vec::with_capacity(partial.len() * 4);
            let many = if partition.len() == 1 { PIECE_OPTIONS_MAX } else { 5 };
            for so_far in &partial {
                for option in per_piece[piece].iter().take(many) {
                    let mut cost = if 0 < number { model::ANOTHER_ACTION } else { 0.0 };
                    let by = option.effect.by();
                    if by.is_some() && so_far.parts.iter().any(|other| other.effect.by() == by) {
                        cost += model::BOTH_HANDS;
                    }
                    if let Some(one) = one_grab(group, &so_far.parts, piece, option, world) {
                        cost = cost.max(one);
                    }
                    let mut parts = so_far.parts.clone();
                    let both = [Some(&option.effect), option.second.as_ref()];
                    let explained = |effect: &Effect| Explained { piece, effect: effect.clone(), fit: option.fit };
                    parts.extend(both.into_iter().flatten().map(explained));
                    longer.push(Explanation { log: so_far.log + option.log + cost, parts });
                }
            }
            keep_best(&mut longer, GROUP_OPTIONS_MAX, |explanation| explanation.log);
            partial = longer;
        }
        all.append(&mut partial);
    }
    keep_best(&mut all, GROUP_OPTIONS_MAX, |explanation| explanation.log);
    all
}

/// What it costs that this piece is of the same grab as those beside it: the same hand takes more units of one product that stand side
/// by side. The hand is there once, over all of them.
fn one_grab(group: &Group, before: &[Explained], piece: usize, option: &PieceOption, world: &World) -> Option<f64> {
    let Effect::Take { visit: Some(visit), sku, units, foreign: false, .. } = option.effect else { return None };
    let same = |part: &&Explained| matches!(part.effect, Effect::Take { visit: Some(other), sku: good, foreign: false, .. } if other == visit && good == sku);
    let run: Vec<&Explained> = before.iter().rev().take_while(same).collect();
    let (last, first) = (run.first()?.piece, run.last()?.piece);
    let units_of = |part: &&Explained| if let Effect::Take { units, .. } = part.effect { units } else { 0 };
    let so_far: u32 = run.iter().map(units_of).sum();
    let visit = world.seen_as(visit);
    let hand = group.hand_over(first, piece, visit)?
        - group.hand_over(first, last, visit)?
        - group.hand_over(piece, piece, visit)?;
    Some(hand + units_prior(so_far + units) - units_prior(so_far) - units_prior(units))
}

fn keep_best<T>(items: &mut Vec<T>, most: usize, log: impl Fn(&T) -> f64) {
    items.sort_by(|a, b| log(b).total_cmp(&log(a)));
    items.truncate(most);
    if let Some(best) = items.first().map(&log) {
        items.retain(|item| best - WORSE_MAX <= log(item));
    }
}

fn piece_options(group: &Group, piece: &Piece, world: &World, plan: &Plan) -> Vec<PieceOption> {
    let mut options = vec![PieceOption::new(piece.nothing, Effect::Nothing)];
    if piece.total < 0.0 {
        takes(group, piece, world, plan, &mut options);
        strays(group, piece, world, &mut options);
        options.push(PieceOption::new(model::DISTURBANCE, Effect::Nothing));
    } else {
        returns(group, piece, world, plan, &mut options);
        options.push(PieceOption::new(model::DISTURBANCE, Effect::PutForeign));
    }
    // Noise may be spread over plates anyhow; goods lie somewhere.
    options[0].log -= 0.5 * piece.spread;
    for option in &mut options {
        option.log += piece.spread + piece.moves;
    }
    keep_best(&mut options, PIECE_OPTIONS_MAX, |option| option.log);
    options
}

impl PieceOption {
    fn new(fit: f64, effect: Effect) -> Self {
        PieceOption { log: fit, fit, effect, second: None }
    }

    fn with_second(self, second: Option<Effect>) -> Self {
        PieceOption { second, ..self }
    }
}

/// Which goods fit the weight and the place.
fn goods(group: &Group, piece: &Piece, world: &World, plan: &Plan) -> Vec<Good> {
    let shelf = &plan.shelves[group.shelf];
    let grams = -piece.total;
    let opposite = -6.0 * piece.share_opposite();
    let mut goods = Vec::new();
    let mut near: Vec<(Sku, f64)> = Vec::new();
    for &sku in &shelf.skus {
        let outside = plan.share_outside(group.shelf, sku, piece);
        let foreign = 0.95 <= outside;
        let place = if foreign { model::FOREIGN_PLACE } else { model::place(outside) } + opposite;
        if !foreign {
            near.push((sku, outside));
        }
        let weight = world.unit_weight(sku, plan.nominal[sku]);
        let fitting = weight.mean().map_or(1, |mean| (grams / mean).round().clamp(1.0, f64::from(UNITS_MAX)) as u32);
        let most = if foreign { 1 } else { (fitting + 1).min(UNITS_MAX) };
        for units in fitting.saturating_sub(1).max(1)..=most {
            let log = weight.log_density(grams, f64::from(units), piece.sigma) + units_prior(units) + place;
            goods.push(Good { log, sku, units, foreign, second: None });
        }
    }
    for (index, &(sku, outside)) in near.iter().enumerate() {
        for &(other, other_outside) in &near[index + 1..] {
            let (Some(a), Some(b)) = (
                world.unit_weight(sku, plan.nominal[sku]).mean(),
                world.unit_weight(other, plan.nominal[other]).mean(),
            ) else {
                continue;
            };
            // Shares outside both places, and each place holding about its own weight.
            let outside_both = (outside + other_outside - 1.0).max(0.0);
            let unbalanced = ((1.0 - outside) - a / (a + b)).abs().max(((1.0 - other_outside) - b / (a + b)).abs());
            let sigma = piece.sigma.hypot(1.5).hypot(0.008 * (a + b));
            let log = model::gauss(grams - a - b, sigma) + model::place(outside_both) - 5.0 * unbalanced
                + model::ANOTHER_ACTION
                - 1.0
                + opposite;
            goods.push(Good { log, sku, units: 1, foreign: false, second: Some(other) });
        }
    }
    keep_best(&mut goods, PIECE_OPTIONS_MAX, |good| good.log);
    goods
}

fn takes(group: &Group, piece: &Piece, world: &World, plan: &Plan, options: &mut Vec<PieceOption>) {
    for good in goods(group, piece, world, plan) {
        let weight = |sku: Sku| world.unit_weight(sku, plan.nominal[sku]).mean().unwrap_or(0.0);
        let all = match good.second {
            Some(second) => weight(good.sku) + weight(second),
            None => f64::from(good.units) * weight(good.sku),
        };
        let take = |visit: Option<VisitId>, sku: Sku, units: u32| {
            let expected = f64::from(units) * weight(sku);
            let part = if 0.0 < all { expected / all } else { f64::from(units) / f64::from(good.units) };
            Effect::Take { visit, sku, units, expected: -expected, foreign: good.foreign, part }
        };
        let second = |visit| good.second.map(|sku| take(visit, sku, 1));
        for (visit, ratio) in candidates(&world.takers(piece)) {
            let option = PieceOption::new(good.log + ratio, take(visit, good.sku, good.units));
            options.push(option.with_second(second(visit)));
        }
        for &(left, right, ratio) in &piece.pairs {
            let (left, right) = (world.whose(left), world.whose(right));
            let log = good.log + ratio + model::TWO_TAKERS;
            if let Some(sku) = good.second {
                let (first, second) = plan.left_to_right(group.shelf, good.sku, sku);
                let second = take(Some(right), second, 1);
                options.push(PieceOption::new(log, take(Some(left), first, 1)).with_second(Some(second)));
            } else if 2 <= good.units {
                let half = good.units / 2;
                let prior = units_prior(half) + units_prior(good.units - half) - units_prior(good.units);
                let first = take(Some(left), good.sku, good.units - half);
                let second = take(Some(right), good.sku, half);
                let log = log + prior + model::SAME_INSTANT;
                options.push(PieceOption::new(log, first).with_second(Some(second)));
            }
        }
    }
}

fn candidates(takers: &[Taker]) -> impl Iterator<Item = (Option<VisitId>, f64)> + '_ {
    takers.iter().map(|taker| (Some(taker.visit), taker.log_ratio)).chain([(None, model::NOBODY)])
}

/// Differences of shares on every place that matters in either.
fn differences(a: &[(usize, f64)], b: &[(usize, f64)]) -> Vec<f64> {
    let of = |shares: &[(usize, f64)], place: usize| {
        shares.iter().find(|(other, _)| *other == place).map_or(0.0, |(_, share)| *share)
    };
    let mut places: Vec<usize> =
        a.iter().chain(b).filter(|(_, share)| 0.04 < share.abs()).map(|(place, _)| *place).collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| of(a, place) - of(b, place)).collect()
}

/// What was put off its place may have been taken again.
fn strays(group: &Group, piece: &Piece, world: &World, options: &mut Vec<PieceOption>) {
    let here = |stray: &&(usize, &Stray)| stray.1.shelf == group.shelf;
    let shares = piece.shares();
    for (index, stray) in world.strays.iter().enumerate().collect::<Vec<_>>().iter().filter(here) {
        let trace = model::same_trace(&differences(&stray.shares, &shares));
        let sigma = piece.sigma.hypot(1.5);
        let weight = model::mix(&[
            (0.9, model::gauss(-piece.total - stray.grams, sigma)),
            (0.1, model::gauss(-piece.total - stray.grams, 5.0 * sigma)),
        ]);
        let kind = if stray.sku.is_none() { model::FOREIGN_OBJECT_AGAIN } else { 0.0 };
        for (visit, ratio) in candidates(&world.takers(piece)) {
            let fit = trace + weight + kind + ratio;
            options.push(PieceOption::new(fit, Effect::TakeStray { visit, stray: *index }));
        }
    }
}

fn returns(group: &Group, piece: &Piece, world: &World, plan: &Plan, options: &mut Vec<PieceOption>) {
    let opposite = -6.0 * piece.share_opposite();
    let mut fit = |sku: Sku, units: u32, owner: Option<VisitId>, base: f64| {
        let weight = world.unit_weight(sku, plan.nominal[sku]);
        let outside = plan.share_outside(group.shelf, sku, piece);
        let elsewhere = 0.6 <= outside;
        let place = if elsewhere { model::RETURN_ELSEWHERE } else { model::place(outside) * 0.3 };
        let weighed = owner.and_then(|owner| world.weighed.get(&(owner, sku))).copied();
        let density = weight.log_density_back(piece.total, f64::from(units), piece.sigma, weighed);
        let log = density + units_prior(units) + place + opposite;
        let expected = f64::from(units) * weight.mean().unwrap_or(0.0);
        let effect = Effect::Return { owner, sku, units, elsewhere, expected };
        options.push(PieceOption::new(log + base + model::RETURN, effect));
    };
    let takers = world.takers(piece);
    for taker in takers.iter() {
        for ((_, sku), count) in world.cart(taker.visit) {
            for units in 1..=(*count).min(UNITS_MAX) {
                fit(*sku, units, Some(taker.visit), taker.log_ratio);
            }
        }
    }
    let best = takers.first().map_or(model::NOBODY, |taker| taker.log_ratio.max(model::NOBODY));
    let present = |visit: VisitId| takers.iter().any(|taker| taker.visit == visit);
    for ((owner, sku), _) in &world.carts {
        // Handed over before: the one who puts it back is not the one it was charged to.
        let giver = if present(*owner) { -1.0 } else { 0.0 };
        fit(*sku, 1, Some(*owner), best + model::RETURN_HANDED + giver);
    }
    for &sku in &plan.shelves[group.shelf].skus {
        if plan.share_outside(group.shelf, sku, piece) < 0.6 {
            fit(sku, 1, None, best + model::RETURN_UNSEEN);
        }
    }
}
