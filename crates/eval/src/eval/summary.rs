//! Many cases as a few numbers: over all, by scenario, by level, and the cases that went wrong.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::{Interval, interval};
use super::doubts::{self, DoubtRow};
use super::frontier::{Frontier, REVIEW_COST};
use super::{CaseScore, IdentityCount, Mistakes, Reliability, Share, Standing};
use crate::base::Currency;

/// What a case is called and how to see it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Label {
    /// What it is compared with, such as the scenario.
    pub group: String,
    /// How hard its measurements were made, such as `room`; `None` where there is only one way.
    pub level: Option<String>,
    /// Its own name, such as `seed 3`.
    pub name: String,
    /// The command that replays it.
    pub replay: String,
}

/// A judged case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Its name.
    pub label: Label,
    /// How it went.
    pub score: CaseScore,
}

/// Money over many receipts, in minor units of the summary's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MoneyTotals {
    /// Receipts judged: true shoppers and charged strangers.
    pub receipts: u64,
    /// What should have been charged.
    pub owed_minor: i64,
    /// Charged too much.
    pub over_minor: i64,
    /// Charged too little.
    pub under_minor: i64,
    /// Mean size of the error of a receipt.
    pub absolute_minor_per_receipt: f64,
    /// Mean error of a receipt; positive where the shop gains.
    pub signed_minor_per_receipt: f64,
    /// Units without a price; they count as free.
    pub unpriced_units: u64,
}

/// From a shopper's leaving to the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Delay {
    /// How many receipts were timed.
    pub receipts: u64,
    /// Half of them were faster, seconds.
    pub median_secs: f64,
    /// 95 % of them were faster, seconds.
    pub p95_secs: f64,
}

/// Whether visits were people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct IdentityTotals {
    /// IDF1, `0..=1`.
    pub f1: f64,
    /// What it is made of.
    #[serde(flatten)]
    pub count: IdentityCount,
}

/// The numbers of one set of cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// How many cases.
    pub cases: u64,
    /// The competition's score: mean F1 over cases, `0..=1`; 0 without cases.
    pub mean_f1: f64,
    /// Its 95 % interval; `None` where the cases show no spread.
    pub mean_f1_interval: Option<Interval>,
    /// Right units among all predicted ones, pooled over cases.
    pub unit_precision: Share,
    /// Right units among all bought ones, pooled over cases.
    pub unit_recall: Share,
    /// Exact receipts among those of true shoppers and charged strangers.
    pub exact_receipts: Share,
    /// Its 95 % interval; `None` where the cases show no spread.
    pub exact_receipts_interval: Option<Interval>,
    /// Cases with nothing wrong at all.
    pub exact_cases: Share,
    /// True shoppers without a receipt.
    pub missing_shoppers: u64,
    /// Receipts with goods for somebody whom the truth does not know.
    pub unknown_shoppers: u64,
    /// Wrong units by the way they are wrong.
    pub mistakes: Mistakes,
    /// What the mistakes cost.
    pub money: MoneyTotals,
    /// Receipts for review at the policy's bar, of all written.
    pub review: Share,
    /// Wrong receipts that are not for review, of all judged: what would have been charged wrongly with nobody looking.
    pub wrong_unreviewed: Share,
    /// From leaving to receipt; `None` where nobody measured it.
    pub receipt_delay: Option<Delay>,
    /// Whether visits were people; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityTotals>,
    /// Whether the probabilities of whole receipts can be believed.
    pub receipt_reliability: Reliability,
    /// The same by the kind of reason for doubt; kinds without receipts are left out.
    pub doubts: Vec<DoubtRow>,
}

/// The numbers of one scenario or of one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub totals: Totals,
}

/// The numbers of one scenario at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The scenario.
    pub group: String,
    /// The level.
    pub level: Option<String>,
    /// Its numbers.
    pub totals: Totals,
}

/// Everything that an evaluation says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Version of these fields; it rises when one changes its meaning or goes.
    pub version: u32,
    /// Currency of every amount; `None` where there are no prices or several currencies.
    pub currency: Option<Currency>,
    /// Over all cases.
    pub overall: Totals,
    /// By scenario, by name.
    pub groups: Vec<Group>,
    /// By level, by name; empty where cases have none.
    pub levels: Vec<Group>,
    /// By scenario and level, by name.
    pub cells: Vec<Cell>,
    /// Whether the probabilities of receipt lines can be believed.
    pub line_reliability: Reliability,
    /// Whether the probabilities of whole receipts can be believed.
    pub receipt_reliability: Reliability,
    /// What each bar for review would do.
    pub frontier: Frontier,
    /// Every case, by scenario, level and name.
    pub cases: Vec<Case>,
}

impl Summary {
    /// Adds up cases. `seed` is for the bootstrap only: the same cases and seed give the same summary.
    pub fn of(mut cases: Vec<Case>, seed: u64) -> Self {
        cases.sort_by(|a, b| a.label.cmp(&b.label));
        let totals = |picked: &[&Case], label: &str| Totals::of(picked, seed, label);
        let by = |key: fn(&Case) -> Option<&str>| -> Vec<Group> {
            let mut sets: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
            for case in &cases {
                if let Some(name) = key(case) {
                    sets.entry(name).or_default().push(case);
                }
            }
            sets.iter().map(|(name, set)| Group { name: (*name).to_owned(), totals: totals(set, name) }).collect()
        };
        let mut sets: BTreeMap<(&str, Option<&str>), Vec<&Case>> = BTreeMap::new();
        for case in &cases {
            sets.entry((&case.label.group, case.label.level.as_deref())).or_default().push(case);
        }
        let cells = sets.iter().map(|((group, level), set)| {
            let label = format!("{group}/{}", level.unwrap_or_default());
            Cell { group: (*group).to_owned(), level: level.map(str::to_owned), totals: totals(set, &label) }
        });
        Summary {
            version: 1,
            currency: currency(&cases),
            overall: totals(&cases.iter().collect::<Vec<_>>(), "overall"),
            groups: by(|case| Some(&case.label.group)),
            levels: by(|case| case.label.level.as_deref()),
            cells: cells.collect(),
            line_reliability: Reliability::of(cases.iter().flat_map(|case| &case.score.line_beliefs)),
            receipt_reliability: Reliability::of(cases.iter().flat_map(|case| &case.score.receipt_beliefs)),
            frontier: Frontier::of(cases.iter().map(|case| &case.score), REVIEW_COST),
            cases,
        }
    }

    /// The same with a curve where a look costs this share of a wrong receipt, 0 or more.
    pub fn with_review_cost(self, review_cost: f64) -> Self {
        Summary { frontier: self.frontier.priced(review_cost), ..self }
    }

    /// The cases that are not exact, the worst first.
    pub fn wrong_cases(&self) -> Vec<&Case> {
        let mut wrong: Vec<&Case> = self.cases.iter().filter(|case| !case.score.exact).collect();
        wrong.sort_by(|a, b| a.score.f1.total_cmp(&b.score.f1));
        wrong
    }
}

impl Totals {
    fn of(cases: &[&Case], seed: u64, label: &str) -> Self {
        let scores = || cases.iter().map(|case| &case.score);
        let f1: Vec<(f64, f64)> = scores().map(|score| (score.f1, 1.0)).collect();
        let receipts = |score: &CaseScore| score.receipts.len() as f64;
        let exact = |score: &CaseScore| score.receipts.iter().filter(|receipt| receipt.exact).count();
        let exact_shares: Vec<(f64, f64)> = scores().map(|score| (exact(score) as f64, receipts(score))).collect();
        let sum = |value: fn(&CaseScore) -> u64| scores().map(value).sum::<u64>();
        let judged = sum(|score| score.receipts.len() as u64);
        let missing = sum(|score| score.missing_shoppers.len() as u64);
        let mut mistakes = Mistakes::default();
        scores().for_each(|score| mistakes.add(score.mistakes));
        Totals {
            cases: cases.len() as u64,
            mean_f1: f1.iter().map(|case| case.0).sum::<f64>() / f1.len().max(1) as f64,
            mean_f1_interval: interval(&f1, seed, &format!("eval/f1/{label}")),
            unit_precision: Share::new(sum(|score| score.units.right), sum(|score| score.units.predicted)),
            unit_recall: Share::new(sum(|score| score.units.right), sum(|score| score.units.expected)),
            exact_receipts: Share::new(scores().map(exact).sum::<usize>() as u64, judged),
            exact_receipts_interval: interval(&exact_shares, seed, &format!("eval/exact/{label}")),
            exact_cases: Share::new(sum(|score| u64::from(score.exact)), cases.len() as u64),
            missing_shoppers: missing,
            unknown_shoppers: sum(strangers),
            mistakes,
            money: MoneyTotals::of(cases, judged),
            review: Share::new(sum(|score| score.review.for_review), sum(|score| score.review.receipts)),
            wrong_unreviewed: Share::new(sum(|score| score.review.wrong_unreviewed), judged),
            identity: identity(cases),
            receipt_delay: Delay::of(scores().flat_map(|score| score.receipt_delays_secs.iter().copied()).collect()),
            receipt_reliability: Reliability::of(scores().flat_map(|score| &score.receipt_beliefs)),
            doubts: doubts::table(scores().flat_map(|score| &score.receipts)),
        }
    }
}

impl MoneyTotals {
    fn of(cases: &[&Case], receipts: u64) -> Self {
        let mut totals = MoneyTotals { receipts, ..MoneyTotals::default() };
        for money in cases.iter().map(|case| &case.score.money) {
            totals.owed_minor = totals.owed_minor.saturating_add(money.owed_minor);
            totals.over_minor = totals.over_minor.saturating_add(money.over_minor);
            totals.under_minor = totals.under_minor.saturating_add(money.under_minor);
            totals.unpriced_units += money.unpriced_units;
        }
        let (over, under) = (totals.over_minor as f64, totals.under_minor as f64);
        let each = receipts.max(1) as f64;
        totals.absolute_minor_per_receipt = (over + under) / each;
        totals.signed_minor_per_receipt = (over - under) / each;
        totals
    }
}

impl Delay {
    fn of(mut secs: Vec<f64>) -> Option<Self> {
        secs.sort_by(f64::total_cmp);
        let at = |share: f64| secs.get((share * (secs.len().checked_sub(1)? as f64)).round() as usize).copied();
        Some(Delay { receipts: secs.len() as u64, median_secs: at(0.5)?, p95_secs: at(0.95)? })
    }
}

/// Whether visits were people, over the cases where that is known.
fn identity(cases: &[&Case]) -> Option<IdentityTotals> {
    let mut known = cases.iter().filter_map(|case| case.score.identity);
    let mut count = known.next()?;
    known.for_each(|other| count.add(other));
    Some(IdentityTotals { f1: count.f1(), count })
}

/// Receipts with goods for people whom the truth does not know.
fn strangers(score: &CaseScore) -> u64 {
    score.receipts.iter().filter(|receipt| matches!(receipt.standing, Standing::Ghost | Standing::Unknown)).count()
        as u64
}

/// The one currency of all cases.
fn currency(cases: &[Case]) -> Option<Currency> {
    let mut all = cases.iter().filter_map(|case| case.score.money.currency);
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
