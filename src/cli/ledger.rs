//! `aisle ledger`: the book proved, shown, and helped along by hand.

use clap::{Args, Subcommand};

use super::book::BookArgs;
use crate::base::{Error, Result};
use crate::db::transfers;
use crate::ledger::Report;
use crate::till::check;

/// Prove the book of a shop, or look into it.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle ledger check\n  \
    aisle ledger check --db postgres://aisle@localhost/shop\n  \
    aisle ledger balances --db till.db")]
pub(super) struct Ledger {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(Check),
    Balances(Balances),
}

/// Prove the whole book: every transfer, sum, receipt, order and charge; name what is off, first things first.
#[derive(Args)]
struct Check {
    #[command(flatten)]
    book: BookArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Show the sums of all accounts; those of shoppers with --all.
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
        }
    }
}

impl Check {
    fn run(self) -> Result<()> {
        let mut database = self.book.open()?;
        let report = check(&mut database, &self.book.sandbox_statement()?)?;
        if self.json {
            super::print(&format!("{:#}\n", serde_json::json!(report)))?;
        } else {
            super::print(&text(&report))?;
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
        "{} transfers, {} accounts, {} carts, {} receipts, {} orders ({} open), {} lines of statements\n",
        report.transfers,
        report.balances,
        report.carts,
        report.receipts,
        report.orders,
        report.orders_open,
        report.statement_lines,
    );
    for (currency, totals) in &report.totals {
        let money = |minor: i64| crate::base::Money::new(minor, *currency);
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
        text += &format!("off: {finding}\n");
    }
    if 0 < report.findings_further {
        text += &format!("and {} more\n", report.findings_further);
    }
    if report.is_clean() {
        text += "the book is in order\n";
    }
    text
}

impl Balances {
    fn run(self) -> Result<()> {
        let sums = self.book.open()?.transaction(|session| transfers::sums(session, self.all))?;
        let mut text = String::new();
        for sum in sums {
            let money = |minor: i64| crate::base::Money::new(minor, sum.currency).to_string();
            text += &format!(
                "{:<48} debits {:>14}  credits {:>14}  reserved {:>14} {:>14}\n",
                sum.account.to_string(),
                money(sum.debits),
                money(sum.credits),
                money(sum.debits_reserved),
                money(sum.credits_reserved),
            );
        }
        super::print(&text)
    }
}
