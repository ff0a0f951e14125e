//! What a hypothesis explains badly. It takes an explanation and gives the chance that something else happened, whom
//! that could have touched, and a sentence for a person. It never changes a cart: who is charged for what stays the most
//! probable explanation, but it is said to be less certain, and a person looks.
//!
//! The share of a hypothesis among all others says how well it does against those that were thought of. It says nothing
//! where the true one was not: a sensor that is wired backwards, goods that are not in the catalogue, somebody whom no
//! camera saw. So every explanation is also held against a broad density of everything that is not modelled
//! ([`model::OUTSIDE`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::effect::{Effect, Explained};
use super::group::{Group, Piece, Taker};
use super::model;
use super::plan::{Place, Plan, Sku, plate_name};
use crate::base::{ShopTime, VisitId};
use crate::shop::Shop;

/// Oddities that one hypothesis remembers; beyond it the smallest goes.
const ODDITIES_MAX: usize = 64;
/// A chance below this is not worth remembering.
const CHANCE_MIN: f64 = 0.01;
/// A visit that something else may have touched with this chance is for a person.
pub(super) const DOUBT_MIN: f64 = 0.1;
/// A change whose explanation is wrong with this chance is called unexplained.
pub(super) const UNEXPLAINED_MIN: f64 = 0.5;
/// Chance that there is more to a change that is taken for neither goods nor noise.
const NOT_MODELLED_CHANCE: f64 = 0.7;
/// Chance that there is more to a change which nobody that was seen made.
const NOBODY_CHANCE: f64 = 0.9;
/// A change of less than this share of the lightest product there is not that of a product.
const LIGHTEST_SHARE: f64 = 0.4;
/// What is left then of the chance that something happened.
const NOT_GOODS_FACTOR: f64 = 0.1;
/// Chance that goods whose weight is far off the catalogue's are something else: so many standard deviations of the
/// measurement and of products around their catalogue, and so many grams.
const WRONG_WEIGHT_CHANCE: f64 = 0.12;
const WRONG_WEIGHT_SIGMAS: f64 = 5.0;
const WRONG_WEIGHT_SHARE: f64 = 0.02;
const WRONG_WEIGHT_GRAMS: f64 = 6.0;
/// Pieces of one group, at most, for numbering.
const PIECES_OF_STEP: u64 = 1 << 16;

/// What a hypothesis takes a change for that it explains badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// A fall that no product weighs.
    FallOfNothing,
    /// A rise that nothing in any cart weighs.
    RiseOfNothing,
    /// A small change that is taken for noise.
    Noise,
    /// Goods that nobody who was seen took.
    TakenByNobody(Sku),
    /// Goods that nobody was seen to have.
    ReturnedByNobody(Sku),
    /// Goods whose weight, place or hand does not fit well.
    Misfit(Sku),
}

/// One badly explained change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Oddity {
    /// The step and the piece of it: the same for all hypotheses.
    pub(super) id: u64,
    pub(super) shelf: usize,
    /// The place that changed most.
    pub(super) place: usize,
    /// Net change, grams.
    pub(super) grams: f64,
    pub(super) at: ShopTime,
    pub(super) kind: Kind,
    /// Chance that something else happened, `0..=1`.
    pub(super) chance: f64,
    /// Whom it could have touched, and how probably, `0..=1`.
    pub(super) visits: Vec<(VisitId, f64)>,
}

/// All that one hypothesis explains badly, in order of id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Oddities(Vec<Oddity>);

impl Kind {
    /// The product that it is taken for.
    pub(super) fn sku(self) -> Option<Sku> {
        match self {
            Kind::FallOfNothing | Kind::RiseOfNothing | Kind::Noise => None,
            Kind::TakenByNobody(sku) | Kind::ReturnedByNobody(sku) | Kind::Misfit(sku) => Some(sku),
        }
    }
}

impl Oddity {
    /// Which step it is of.
    pub(super) fn step(&self) -> u32 {
        u32::try_from(self.id / PIECES_OF_STEP).unwrap_or(u32::MAX)
    }

    /// Chance that this visit was touched by what is not explained, `0..=1`.
    pub(super) fn doubt_of(&self, visit: VisitId) -> f64 {
        let share = self.visits.iter().find(|(other, _)| *other == visit).map_or(0.0, |(_, share)| *share);
        self.chance * share
    }

    /// Whether goods moved, and nobody who was seen moved them.
    pub(super) fn is_of_nobody(&self) -> bool {
        let moved = !matches!(self.kind, Kind::Noise | Kind::Misfit(_));
        moved && UNEXPLAINED_MIN <= self.chance
    }

    /// What is odd, for a person.
    pub(super) fn sentence(&self, shop: &Shop) -> String {
        let change = change_sentence(shop, (self.shelf, self.place), self.grams, self.at);
        let product = |sku: Sku| &shop.catalogue().products()[sku];
        match self.kind {
            Kind::FallOfNothing => format!("{change}, and no product there weighs that"),
            Kind::RiseOfNothing => format!("{change}, and nothing that anybody had weighs that"),
            Kind::Noise => format!("{change}, more than noise and less than a product"),
            Kind::TakenByNobody(sku) => format!("{change}, as by {}, and nobody was seen there", product(sku).name),
            Kind::ReturnedByNobody(sku) => {
                format!("{change}, as by {}, which nobody was seen to take", product(sku).name)
            }
            Kind::Misfit(sku) => {
                let product = product(sku);
                let weight = product.weight.map_or_else(|| "an unknown weight".to_owned(), |weight| weight.to_string());
                format!("{change}, which fits {} ({weight}) badly", product.name)
            }
        }
    }
}

impl Oddities {
    /// All of them, in order of id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Oddity> {
        self.0.iter()
    }

    /// Chance that nothing odd touched this visit, `0..=1`.
    pub(super) fn certainty(&self, visit: VisitId) -> f64 {
        self.0.iter().map(|odd| 1.0 - odd.doubt_of(visit)).product()
    }

    /// The same for one line of a visit: only what is taken for this product counts.
    pub(super) fn certainty_of_line(&self, visit: VisitId, sku: Sku) -> f64 {
        let of_line = self.0.iter().filter(|odd| odd.kind.sku() == Some(sku));
        of_line.map(|odd| 1.0 - odd.doubt_of(visit)).product()
    }

    pub(super) fn add(&mut self, odd: Option<Oddity>) {
        let Some(odd) = odd else { return };
        if ODDITIES_MAX <= self.0.len() {
            let smallest = (0..self.0.len()).min_by(|&a, &b| self.0[a].chance.total_cmp(&self.0[b].chance));
            smallest.map(|index| self.0.remove(index));
        }
        let place = self.0.partition_point(|other| other.id <= odd.id);
        self.0.insert(place, odd);
    }

    /// What was odd has turned out to be harmless.
    pub(super) fn resolve(&mut self, id: u64) {
        self.0.retain(|odd| odd.id != id);
    }

    /// Adds those of a hypothesis about other visits.
    pub(super) fn extend(&mut self, other: &Oddities) {
        for odd in &other.0 {
            match self.0.iter_mut().find(|ours| ours.id == odd.id) {
                Some(ours) => ours.join(odd),
                None => self.add(Some(odd.clone())),
            }
        }
    }

    /// Becomes the mean of both, where the other one has this weight, `0..=1`.
    pub(super) fn mix(&mut self, other: &Oddities, weight: f64) {
        if self.0.is_empty() && other.0.is_empty() {
            return;
        }
        self.0.iter_mut().for_each(|odd| odd.chance *= 1.0 - weight);
        for odd in &other.0 {
            let added = weight * odd.chance;
            match self.0.iter_mut().find(|ours| ours.id == odd.id) {
                Some(ours) => {
                    if ours.chance < added {
                        (ours.kind, ours.visits) = (odd.kind, odd.visits.clone());
                    }
                    ours.chance += added;
                }
                None => self.add(Some(Oddity { chance: added, ..odd.clone() })),
            }
        }
        self.0.retain(|odd| CHANCE_MIN <= odd.chance);
    }

    /// What touches one visit.
    pub(super) fn only(&self, visit: VisitId) -> Oddities {
        let touches = |odd: &&Oddity| odd.visits.iter().any(|(other, _)| *other == visit);
        let mut only = Oddities(self.0.iter().filter(touches).cloned().collect());
        only.0.iter_mut().for_each(|odd| odd.visits.retain(|(other, _)| *other == visit));
        only
    }

    /// Drops what touches this visit alone.
    pub(super) fn forget(&mut self, visit: VisitId) {
        self.0.iter_mut().for_each(|odd| odd.visits.retain(|(other, _)| *other != visit));
        self.0.retain(|odd| !odd.visits.is_empty());
    }
}

impl Oddity {
    /// The same change, as a hypothesis about other visits has it.
    fn join(&mut self, other: &Oddity) {
        self.chance = self.chance.max(other.chance);
        let missing = other.visits.iter().filter(|(visit, _)| !self.visits.iter().any(|(ours, _)| ours == visit));
        let missing: Vec<_> = missing.copied().collect();
        self.visits.extend(missing);
    }
}

/// What a plate did, for a person.
pub(super) fn change_sentence(shop: &Shop, place: Place, grams: f64, at: ShopTime) -> String {
    let way = if grams < 0.0 { "down" } else { "up" };
    format!("plate {} went {way} by {:.1} g at {at}", plate_name(shop, place), grams.abs())
}

/// How odd it is to take a piece for this in a hypothesis that learned these weights and takes these for the ones whose hands were there;
/// `None` when it fits.
pub(super) fn judge(
    explained: &Explained,
    group: &Group,
    plan: &Plan,
    learned: &BTreeMap<Sku, (f64, u32)>,
    takers: &[Taker],
) -> Option<Oddity> {
    let piece = &group.pieces[explained.piece];
    let misfit = 1.0 / (1.0 + (explained.fit - model::OUTSIDE).exp());
    let (kind, chance) = match &explained.effect {
        Effect::Nothing if explained.fit <= model::DISTURBANCE && piece.total < 0.0 => {
            (Kind::FallOfNothing, misfit.max(NOT_MODELLED_CHANCE))
        }
        Effect::Nothing => (Kind::Noise, misfit * noise_factor(piece, group.shelf, plan)),
        Effect::PutForeign => (Kind::RiseOfNothing, misfit.max(NOT_MODELLED_CHANCE)),
        Effect::Take { visit: None, sku, .. } => (Kind::TakenByNobody(*sku), NOBODY_CHANCE),
        Effect::Take { sku, expected, part, .. } => {
            let is_known = match learned.get(sku) {
                None => plan.nominal[*sku].is_some(),
                Some((_, units)) => *units == model::RECALLED,
            };
            let wrong = is_known && is_wrong_weight(piece.sigma, part * piece.total, *expected);
            (Kind::Misfit(*sku), if wrong { misfit.max(WRONG_WEIGHT_CHANCE) } else { misfit })
        }
        // What somebody put there and takes away again has been odd once already.
        Effect::TakeStray { .. } => return None,
        Effect::Return { owner: None, sku, .. } => (Kind::ReturnedByNobody(*sku), misfit.max(UNEXPLAINED_MIN)),
        Effect::Return { sku, .. } => (Kind::Misfit(*sku), misfit),
    };
    if chance < CHANCE_MIN {
        return None;
    }
    let last = group.steps.last().copied().unwrap_or_default();
    Some(Oddity {
        id: u64::from(last) * PIECES_OF_STEP + explained.piece as u64,
        shelf: group.shelf,
        place: piece.largest(),
        grams: piece.total,
        at: piece.span.middle(),
        kind,
        chance,
        visits: involved(takers, explained.effect.by()),
    })
}

/// A change that is far less than the lightest product there moved none.
fn noise_factor(piece: &Piece, shelf: usize, plan: &Plan) -> f64 {
    let places = piece.changes.iter().map(|(place, ..)| *place);
    let lightest = plan.lightest_near(shelf, places);
    if lightest.is_some_and(|grams| piece.total.abs() < LIGHTEST_SHARE * grams) { NOT_GOODS_FACTOR } else { 1.0 }
}

/// Whether goods weigh something else than is expected of them.
fn is_wrong_weight(sigma: f64, grams: f64, expected: f64) -> bool {
    let spread = sigma.hypot(WRONG_WEIGHT_SHARE * expected);
    WRONG_WEIGHT_GRAMS.max(WRONG_WEIGHT_SIGMAS * spread) < (grams - expected).abs()
}

/// Whom a piece could have touched: whoever it is taken to be of for certain, the others by their hands.
fn involved(takers: &[Taker], by: Option<VisitId>) -> Vec<(VisitId, f64)> {
    let nobody = model::NOBODY.exp();
    let sum: f64 = takers.iter().map(|taker| taker.log_ratio.exp()).sum();
    let share = |log_ratio: f64| log_ratio.exp() / (sum + nobody);
    let mut visits: Vec<(VisitId, f64)> = by.map(|visit| (visit, 1.0)).into_iter().collect();
    let others = takers.iter().filter(|taker| Some(taker.visit) != by);
    visits.extend(others.map(|taker| (taker.visit, share(taker.log_ratio))));
    visits
}
