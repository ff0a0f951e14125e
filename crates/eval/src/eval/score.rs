//! The score of one case.

use std::collections::BTreeMap;

use serde::Serialize;

use super::diff::{Basket, Baskets, Mistakes, ReceiptScore, Standing, surplus};
use super::kinds::{self, Behind};
use super::review::{self, BARS, ReviewCount};
use super::{Belief, IdentityCount};
use crate::base::{Currency, Prob, Span, VisitId};
use crate::facts;
use crate::shop::Catalogue;
use crate::truth::Truth;

/// Item units, keyed by shopper and product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnitCount {
    /// On the receipt and bought.
    pub right: u64,
    /// On the receipts.
    pub predicted: u64,
    /// Bought.
    pub expected: u64,
}

/// What the mistakes of a case cost, in minor units of its currency by catalogue price.
/// A mix-up of two products of one price costs nothing here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MoneyError {
    /// Currency of the prices; `None` where no unit has a price.
    pub currency: Option<Currency>,
    /// What should have been charged.
    pub owed_minor: i64,
    /// Charged too much, over the receipts that charge too much; not negative.
    pub over_minor: i64,
    /// Charged too little, over the receipts that charge too little; not negative.
    pub under_minor: i64,
    /// Units without a price, bought or on a receipt; they count as free.
    pub unpriced_units: u64,
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseScore {
    /// Right units among predicted ones, `0..=1`; 1 where none is predicted.
    pub precision: f64,
    /// Right units among bought ones, `0..=1`; 1 where none is bought.
    pub recall: f64,
    /// The competition's score, `0..=1`: `2 * right / (predicted + expected)`. Where nobody bought anything and no
    /// receipt holds anything it is 1, but 0 if a shopper got no receipt at all: one who buys nothing must have an empty one.
    pub f1: f64,
    /// The units behind these.
    pub units: UnitCount,
    /// Whether every receipt is exact, nobody is missing and no stranger is charged.
    pub exact: bool,
    /// True shoppers and charged strangers, by visit.
    pub receipts: Vec<ReceiptScore>,
    /// True shoppers without a receipt.
    pub missing_shoppers: Vec<VisitId>,
    /// Empty receipts for people whom the truth does not know; harmless, and not judged.
    pub idle_receipts: u64,
    /// Wrong units by the way they are wrong.
    pub mistakes: Mistakes,
    /// What the mistakes cost.
    pub money: MoneyError,
    /// What a person would have to look at.
    pub review: ReviewCount,
    /// The same at each bar of the frontier, in its order.
    #[serde(skip)]
    pub review_at: Vec<ReviewCount>,
    /// Probabilities of receipt lines, and whether the line was right.
    pub line_beliefs: Vec<Belief>,
    /// Probabilities of receipts, and whether the receipt was exact; empty receipts of strangers left out.
    pub receipt_beliefs: Vec<Belief>,
    /// From the shopper's leaving to the receipt, seconds; empty where not measured.
    pub receipt_delays_secs: Vec<f64>,
    /// Whether visits were people; none where the truth does not say whose tracks are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityCount>,
}

/// Judges the receipts of one case. `review_below` is the policy's bar: less probable receipts go to a person.
///
/// The unit score is the rule of the AutoCheckout competition (CPS-IoT Week 2020): micro F1 over item units keyed by
/// shopper and product, per case; the score of many cases is the mean over cases. Several receipts of one shopper, and
/// several lines of one product, add up.
pub fn score_case(truth: &Truth, receipts: &[facts::Receipt], prices: &Catalogue, review_below: Prob) -> CaseScore {
    let baskets = Baskets::new(truth, receipts);
    let standings = baskets.judged();
    let probabilities = probabilities(receipts);
    let asked = review::asked(receipts, review_below);
    let marked = review::marked(receipts);
    let said = kinds::said(receipts);
    let nothing = Basket::new();
    let mut units = UnitCount::default();
    let mut money = MoneyError::default();
    let mut scored = Vec::with_capacity(standings.len());
    for (&visit, &standing) in &standings {
        let bought = baskets.bought.get(&visit).unwrap_or(&nothing);
        let written = baskets.written.get(&visit).unwrap_or(&nothing);
        units.add(bought, written);
        let owed_minor = price(bought, prices, &mut money);
        let charged_minor = price(written, prices, &mut money);
        money.add(owed_minor, charged_minor);
        scored.push(ReceiptScore {
            visit,
            standing,
            exact: standing == Standing::Judged && bought == written,
            missing: surplus(bought, written, prices),
            extra: surplus(written, bought, prices),
            owed_minor,
            charged_minor,
            probability: probabilities.get(&visit).copied(),
            for_review: asked.get(&visit) == Some(&true),
            marked: marked.contains(&visit),
            doubts: said.get(&visit).cloned().unwrap_or_default(),
        });
    }
    let missing_shoppers: Vec<VisitId> =
        scored.iter().filter(|one| one.standing == Standing::Missing).map(|one| one.visit).collect();
    CaseScore {
        precision: ratio(units.right, units.predicted),
        recall: ratio(units.right, units.expected),
        f1: f1(units, missing_shoppers.is_empty()),
        units,
        exact: scored.iter().all(|one| one.exact),
        idle_receipts: baskets.written.keys().filter(|visit| !standings.contains_key(visit)).count() as u64,
        mistakes: Mistakes::of(&scored),
        money,
        review: ReviewCount::of(&scored, receipts, review_below),
        review_at: BARS.iter().map(|bar| ReviewCount::of(&scored, receipts, Prob::new(*bar))).collect(),
        line_beliefs: line_beliefs(receipts, &baskets),
        receipt_beliefs: scored.iter().filter_map(|one| Some(Belief::new(one.probability?, one.exact))).collect(),
        receipt_delays_secs: Vec::new(),
        identity: None,
        missing_shoppers,
        receipts: scored,
    }
}

impl CaseScore {
    /// Adds how long after each shopper's leaving the receipt was there, where somebody measured it.
    pub fn with_receipt_delays(mut self, delays: impl IntoIterator<Item = Span>) -> Self {
        self.receipt_delays_secs = delays.into_iter().map(Span::as_secs).collect();
        self
    }

    /// Adds the reasons for doubt that the evidence behind these receipts shows; they are the ones that were judged.
    pub fn with_evidence(mut self, receipts: &[facts::Receipt], behind: &Behind) -> Self {
        let mut shown = kinds::shown(receipts, behind);
        for one in &mut self.receipts {
            one.doubts.extend(shown.remove(&one.visit).unwrap_or_default());
        }
        self
    }

    /// Adds whether visits were people, where that is known.
    pub fn with_identity(self, identity: Option<IdentityCount>) -> Self {
        CaseScore { identity, ..self }
    }
}

impl UnitCount {
    fn add(&mut self, bought: &Basket, written: &Basket) {
        self.expected += bought.values().sum::<u64>();
        self.predicted += written.values().sum::<u64>();
        self.right +=
            written.iter().map(|(sku, units)| (*units).min(bought.get(sku).copied().unwrap_or(0))).sum::<u64>();
    }
}

impl MoneyError {
    fn add(&mut self, owed: i64, charged: i64) {
        self.owed_minor = self.owed_minor.saturating_add(owed);
        let error = charged.saturating_sub(owed);
        self.over_minor = self.over_minor.saturating_add(error.max(0));
        self.under_minor = self.under_minor.saturating_add(error.saturating_neg().max(0));
    }
}

/// `part / whole`, 1 when there is nothing to be right or wrong about.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn f1(units: UnitCount, everybody_has_a_receipt: bool) -> f64 {
    match units.predicted + units.expected {
        0 => f64::from(u8::from(everybody_has_a_receipt)),
        sum => 2.0 * units.right as f64 / sum as f64,
    }
}

/// The price of a basket in minor units; notes the currency and what has no price.
fn price(basket: &Basket, prices: &Catalogue, money: &mut MoneyError) -> i64 {
    let mut sum = 0_i64;
    for (sku, &units) in basket {
        match prices.get(sku).and_then(|product| product.price) {
            Some(unit) => {
                money.currency.get_or_insert(unit.currency);
                sum = sum.saturating_add(unit.minor.saturating_mul(i64::try_from(units).unwrap_or(i64::MAX)));
            }
            None => money.unpriced_units += units,
        }
    }
    sum
}

/// By shopper, the probability that all their receipts are right, taken as the least of them.
fn probabilities(receipts: &[facts::Receipt]) -> BTreeMap<VisitId, Prob> {
    let mut least = BTreeMap::new();
    for receipt in receipts {
        let probability = least.entry(receipt.visit).or_insert(receipt.probability);
        if receipt.probability < *probability {
            *probability = receipt.probability;
        }
    }
    least
}

/// A line is right when the shopper bought exactly as many units of its product as the receipts say in all.
fn line_beliefs(receipts: &[facts::Receipt], baskets: &Baskets) -> Vec<Belief> {
    let units = |side: &BTreeMap<VisitId, Basket>, visit, sku| {
        side.get(visit).and_then(|basket: &Basket| basket.get(sku)).copied().unwrap_or(0)
    };
    let lines = receipts.iter().flat_map(|receipt| receipt.lines.iter().map(move |line| (&receipt.visit, line)));
    lines
        .map(|(visit, line)| {
            let right = units(&baskets.bought, visit, &line.sku) == units(&baskets.written, visit, &line.sku);
            Belief::new(line.probability, right)
        })
        .collect()
}
