//! `aisle ledger`: the book proved, shown, and helped along by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rayon::prelude::*;

use super::anchors;
use super::book::BookArgs;
use crate::base::text::{left, plain};
use crate::base::{Error, Money, Result};
use crate::db::transfers;
use crate::ledger::{self, Report};
use crate::ports::{Clock, WallClock};
use crate::shop::Shop;
use crate::till::{Witnesses, check_with, drill, ends};

/// Verify the ledger of a shop, or inspect it.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle ledger check\n  \
    aisle ledger check till.db\n  \
    aisle ledger check --db postgres://aisle@localhost/shop\n  \
    aisle ledger balances --db till.db\n  \
    aisle ledger anchor --db till.db >> anchors.txt\n  \
    aisle ledger check --db till.db --anchors anchors.txt")]
pub(super) struct Ledger {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(Check),
    Balances(Balances),
    Anchor(Anchor),
    Drill(Drill),
}

/// Fault injection: run simulated months in which everything goes wrong (crashes, lost commits, a full disk, provider
/// timeouts, duplicate and late messages, clock jumps), and verify that every shopper paid once, exactly what the receipt says.
#[derive(Args)]
struct Drill {
    /// Months, each from a random seed of its own.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Days of a month.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Visits a day.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    visits: u32,
    /// Answer in JSON, a report for each seed.
    #[arg(long)]
    json: bool,
}

/// Verify the whole book: tables and triggers, every transfer, sum, receipt, verdict, payer, order and charge, and every
/// line of the audit log; name what is off, first things first.
#[derive(Args)]
struct Check {
    /// The book, instead of --db.
    #[arg(value_name = "FILE|URL")]
    at: Option<String>,
    #[command(flatten)]
    book: BookArgs,
    /// Verify that the book still has what it had when these anchors were made
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Public key that must have signed each of them
    #[arg(long, value_name = "HEX", requires = "anchors")]
    anchor_key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Print the ends of the book's chains as a line to be kept elsewhere; a book that is taken back to an earlier state, or
/// written anew as a whole, does not have them any more.
#[derive(Args)]
#[command(after_help = "Keep the lines where whoever can write the book cannot: another machine, a printer, a second \
                        party. `aisle serve --anchors FILE` adds one every ten minutes.")]
struct Anchor {
    #[command(flatten)]
    book: BookArgs,
    /// Add the line to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Sign it with this key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Generate a new key pair in this file, print the public key, and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "key"])]
    new_key: Option<PathBuf>,
}

/// Show the balances of all accounts; those of shoppers with --all.
#[derive(Args)]
struct Balances {
    #[command(flatten)]
    book: BookArgs,
    /// Also the accounts of shoppers.
    #[arg(long)]
    all: bool,
}

impl Ledger {
    pub(super) fn run(self) -> Result<()> {
        match self.verb {
            Verb::Check(check) => check.run(),
            Verb::Balances(balances) => balances.run(),
            Verb::Anchor(anchor) => anchor.run(),
            Verb::Drill(drill) => drill.run(),
        }
    }
}

impl Check {
    fn run(self) -> Result<()> {
        let book = self.at.map_or(self.book, |db| BookArgs { db });
        let mut database = book.open()?;
        let witnesses = Witnesses {
            statements: book.sandbox_statement(&mut database)?,
            anchors: self.anchors.as_deref().map_or(Ok(Vec::new()), anchors::read)?,
            anchor_key: self.anchor_key.map(|key| key.to_ascii_lowercase()),
            now: Some(WallClock.now()),
        };
        let report = check_with(&mut database, &witnesses)?;
        if self.json {
            super::print(&format!("{:#}\n", serde_json::json!(report)))?;
        } else {
            super::print(&text(&report))?;
            if witnesses.statements.is_empty() && 0 < report.orders {
                super::print("note: no provider's statement was at hand, so none was compared with the book\n")?;
            }
        }
        match report.findings.first() {
            None => Ok(()),
            Some(first) => Err(Error::unmet(format!("the book is not in order: {first}"))
                .hint("nothing was changed; keep a copy of the book before anything else")),
        }
    }
}

/// A report for people.
fn text(report: &Report) -> String {
    let mut text = format!(
        "{} transfers, {} accounts, {} carts, {} receipts, {} orders ({} open), {} lines of statements, {} seals\n",
        report.transfers,
        report.balances,
        report.carts,
        report.receipts,
        report.orders,
        report.orders_open,
        report.statement_lines,
        report.seals,
    );
    if 0 < report.anchors {
        text += &format!("{} anchors held against it\n", report.anchors);
    }
    for (currency, totals) in &report.totals {
        let money = |minor: i64| Money::new(minor, *currency);
        text += &format!(
            "{currency}: sold {}, tax {}, taken {}, given back {}, held {}, lost {}, owed by shoppers {}, to shoppers {}\n",
            money(totals.sold),
            money(totals.tax),
            money(totals.taken),
            money(totals.given_back),
            money(totals.held),
            money(totals.lost),
            money(totals.owed),
            money(totals.owed_back),
        );
    }
    for finding in &report.findings {
        text += &format!("off: {}\n", plain(&finding.to_string()));
    }
    if 0 < report.findings_further {
        text += &format!("and {} more\n", report.findings_further);
    }
    if report.is_clean() {
        text += "the book is in order\n";
    }
    text
}

impl Anchor {
    fn run(self) -> Result<()> {
        if let Some(path) = &self.new_key {
            return super::print(&format!("{}\n", anchors::make_key(path)?.public()));
        }
        let key = self.key.as_deref().map(anchors::read_key).transpose()?;
        let [transfers, seals] = self.book.open()?.transaction(ends)?;
        let anchor = ledger::Anchor::new(WallClock.now(), transfers, seals, key.as_ref());
        match &self.to {
            Some(path) => anchors::add_line(path, &anchor),
            None => super::print(&format!("{anchor}\n")),
        }
    }
}

impl Balances {
    fn run(self) -> Result<()> {
        let sums = self.book.open()?.transaction(|session| transfers::sums(session, self.all))?;
        let mut text = String::new();
        for sum in sums {
            let money = |minor: i64| Money::new(minor, sum.currency).to_string();
            text += &format!(
                "{} debits {:>14}  credits {:>14}  reserved {:>14} {:>14}\n",
                left(&plain(&sum.account.to_string()), 48),
                money(sum.debits),
                money(sum.credits),
                money(sum.debits_reserved),
                money(sum.credits_reserved),
            );
        }
        super::print(&text)
    }
}

impl Drill {
    fn run(self) -> Result<()> {
        let (shop, _) = super::shops::open(None)?;
        let run = |seed| drill::drill(&shop, &drill::Options { seed, days: self.days, visits_per_day: self.visits });
        let reports: Vec<drill::Report> =
            (self.from..self.from.saturating_add(self.seeds)).into_par_iter().map(run).collect::<Result<_>>()?;
        if self.json {
            super::print(&format!("{:#}\n", serde_json::json!(reports)))?;
        } else {
            super::print(&drill_text(&reports, &shop))?;
        }
        let wrong: Vec<&drill::Report> = reports.iter().filter(|report| !report.findings.is_empty()).collect();
        match wrong.first() {
            None => Ok(()),
            Some(first) => Err(Error::unmet(format!("{} of {} months went wrong", wrong.len(), reports.len()))
                .hint(format!("`aisle ledger drill --seeds 1 --from {}` repeats the first", first.seed))),
        }
    }
}

/// Months for people: what happened in all of them, and what is wrong.
fn drill_text(reports: &[drill::Report], shop: &Shop) -> String {
    let sum = |of: fn(&drill::Report) -> u64| reports.iter().map(of).sum::<u64>();
    let money = |of: fn(&drill::Report) -> i64| Money::new(reports.iter().map(of).sum::<i64>(), shop.policy().currency);
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    for (what, count) in reports.iter().flat_map(|report| &report.faults) {
        *faults.entry(what).or_insert(0) += count;
    }
    let mut text = format!(
        "{} months, {} visits ({} turned away, {} let in without a hold), {} reviewed, {} contested, {} disputed, {} \
         unpaid and seen to\n{} taken, {} given back, {} transfers\n",
        reports.len(),
        sum(|report| report.visits),
        sum(|report| report.turned_away),
        sum(|report| report.unheld),
        sum(|report| report.reviewed),
        sum(|report| report.contested),
        sum(|report| report.disputed),
        sum(|report| report.unpaid),
        money(|report| report.taken),
        money(|report| report.given_back),
        sum(|report| report.transfers),
    );
    for (what, count) in faults {
        text += &format!("{count:>10}  {what}\n");
    }
    for report in reports {
        text += &report.findings.iter().map(|finding| format!("seed {}: {finding}\n", report.seed)).collect::<String>();
    }
    if reports.iter().all(|report| report.findings.is_empty()) {
        text += "every book is in order, and every shopper paid exactly what the receipt says\n";
    }
    text
}
