//! A month of a shop in which everything goes wrong, in seconds: entries, receipts, verdicts and complaints against the
//! sandbox, while the process dies, the disk fills, commits are lost on the wire, the provider falls silent and clocks
//! jump. It takes a seed and gives a report; what the sandbox and the book say at the end is held against a plain list
//! of who should have paid what, which knows nothing of either.

mod month;
mod trouble;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use self::world::World;
use crate::base::{CartId, Result, ShopTime, Span};
use crate::facts::MoneyMovement;
use crate::shop::Shop;

/// When the month begins, nanoseconds since the Unix epoch: 2026-01-01.
const BEGINNING: ShopTime = ShopTime::from_nanos(1_767_225_600_000_000_000);
/// A day.
const DAY: Span = Span::from_millis(24 * 3_600_000);

/// How long and how busy.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Everything random follows from it.
    pub seed: u64,
    /// Days; at least one.
    pub days: u32,
    /// Visits a day.
    pub visits_per_day: u32,
}

/// What happened and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Shoppers at the gate.
    pub visits: u64,
    /// Of them not let in.
    pub turned_away: u64,
    /// Let in without a hold, because the provider was silent.
    pub unheld: u64,
    /// Receipts that a person looked at before money moved.
    pub reviewed: u64,
    /// Receipts that were contested afterwards.
    pub contested: u64,
    /// Payments that banks took back.
    pub disputed: u64,
    /// Cases about payments that a person saw to.
    pub unpaid: u64,
    /// What was taken from shoppers, minor units.
    pub taken: i64,
    /// What was given back to them, minor units.
    pub given_back: i64,
    /// Times that each thing went wrong.
    pub faults: BTreeMap<&'static str, u64>,
    /// Transfers in the book.
    pub transfers: u64,
    /// Everything that is not as it should be; empty when all is well.
    pub findings: Vec<String>,
}

/// Runs a month.
///
/// # Errors
/// When the database cannot be used at all; what goes wrong on purpose is no error.
pub fn drill(shop: &Arc<Shop>, options: &Options) -> Result<Report> {
    let mut world = World::new(shop.clone(), options.seed)?;
    let plan = month::plan(shop, options);
    let mut month = month::Month::new(plan);
    month.run(&mut world)?;
    world.calm();
    month.wind_up(&mut world)?;
    judge(world, month.into_owed(), options.seed)
}

/// Holds the book and the sandbox against what is owed.
fn judge(mut world: World, owed: BTreeMap<CartId, i64>, seed: u64) -> Result<Report> {
    let statement = world.statement()?;
    let audit = world.check(&statement)?;
    let mut report = world.report();
    report.seed = seed;
    report.transfers = audit.transfers;
    report.findings = audit.findings.iter().map(ToString::to_string).collect();
    let cart_of = world.carts_of_orders()?;
    let mut paid: BTreeMap<CartId, i64> = BTreeMap::new();
    for line in &statement {
        let signed = match line.movement {
            MoneyMovement::Taken => line.amount.minor,
            MoneyMovement::GivenBack => -line.amount.minor,
        };
        match line.movement {
            MoneyMovement::Taken => report.taken += line.amount.minor,
            MoneyMovement::GivenBack => report.given_back += line.amount.minor,
        }
        match cart_of.get(&line.order) {
            Some(cart) => *paid.entry(*cart).or_insert(0) += signed,
            None => report
                .findings
                .push(format!("the sandbox moved {} for {}, which nobody ordered", line.amount, line.order)),
        }
    }
    for (cart, owed) in &owed {
        let paid = paid.remove(cart).unwrap_or(0);
        if paid != *owed {
            report.findings.push(format!("{cart} owes {owed} and paid {paid}"));
        }
    }
    let strangers = paid.into_iter().filter(|(_, minor)| *minor != 0);
    report.findings.extend(strangers.map(|(cart, minor)| format!("{cart} owes nothing and paid {minor}")));
    Ok(report)
}
