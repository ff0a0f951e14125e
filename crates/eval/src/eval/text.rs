//! Scores as plain aligned text, for a terminal.

use std::fmt::Write as _;

use super::{Case, Delay, DoubtRow, IdentityTotals, Interval, Reliability, Share, Standing, Summary, Totals, UnitDiff};
use crate::base::figures::fixed;
use crate::base::text::{columns, left, plain, right};
use crate::base::{Currency, Money};

/// Wrong cases that are told in full; the rest is counted.
const WRONG_CASES_MAX: usize = 20;

/// The columns of the table; all but the first two are numbers, set to the right. With names of days it is less than 120
/// columns wide.
const COLUMNS: [&str; 13] = [
    "scenario", "level", "cases", "F1", "95 %", "exact", "", "review", "unmarked", "missing", "nobody", "IDF1", "after",
];
/// The columns of the table of doubts.
const DOUBT_COLUMNS: [&str; 9] = ["scenario", "doubt", "receipts", "stated", "right", "", "95 %", "review", "unmarked"];
/// With more scenarios the table of doubts is about all of them together; JSON has each.
const DOUBT_GROUPS_MAX: usize = 3;

impl Summary {
    /// The table, the findings below it, and the wrong cases with the commands that replay them. Ends with a line break.
    pub fn to_text(&self) -> String {
        let mut rows: Vec<[String; COLUMNS.len()]> = vec![COLUMNS.map(str::to_owned)];
        for cell in &self.cells {
            rows.push(row(&cell.group, cell.level.as_deref().unwrap_or("-"), &cell.totals));
        }
        for level in self.levels.iter().filter(|_| 1 < self.levels.len()) {
            rows.push(row("all", &level.name, &level.totals));
        }
        rows.push(row("all", "-", &self.overall));
        let mut text = aligned(&rows, 2);
        text.push('\n');
        findings(&mut text, self);
        doubts(&mut text, self);
        wrong_cases(&mut text, self);
        text
    }
}

/// A share of `0..=1` as a percentage, `-` for none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// An interval of `0..=1` values, `-` for none.
pub(super) fn between(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{:.3}-{:.3}", interval.low, interval.high))
}

/// An amount of whole minor units.
pub(super) fn amount(minor: i64, currency: Option<Currency>) -> String {
    match currency {
        Some(currency) => Money::new(minor, currency).to_string(),
        None => format!("{minor} minor"),
    }
}

/// A mean of amounts, in major units with one digit more than prices have.
pub(super) fn mean_amount(minor: f64, currency: Option<Currency>) -> String {
    match currency {
        Some(currency) => {
            let decimals = currency.decimals();
            let major = minor / 10_f64.powi(decimals as i32);
            format!("{} {currency}", fixed(major, decimals as usize + 1))
        }
        None => format!("{} minor", fixed(minor, 1)),
    }
}

/// How a receipt stands to the truth, in words; empty where it just is judged.
pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Judged => "",
        Standing::Missing => "has no receipt",
        Standing::Unknown => "is nobody the truth knows",
        Standing::Ghost => "is a ghost track",
    }
}

fn row(group: &str, level: &str, totals: &Totals) -> [String; COLUMNS.len()] {
    [
        plain(group).into_owned(),
        plain(level).into_owned(),
        totals.cases.to_string(),
        format!("{:.3}", totals.mean_f1),
        between(totals.mean_f1_interval),
        percent(totals.exact_receipts.share),
        of(totals.exact_receipts),
        percent(totals.review.share),
        percent(totals.wrong_unreviewed.share),
        totals.missing_shoppers.to_string(),
        totals.unknown_shoppers.to_string(),
        percent(totals.identity.map(|identity| identity.f1)),
        totals.receipt_delay.map_or_else(|| "-".to_owned(), |delay| format!("{:.1} s", delay.median_secs)),
    ]
}

pub(super) fn of(share: Share) -> String {
    format!("{}/{}", share.count, share.of)
}

/// Rows of cells below each other; the first so many columns are words, the others numbers and set to the right.
pub(super) fn aligned<const COUNT: usize>(rows: &[[String; COUNT]], words: usize) -> String {
    let width = |column: usize| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COUNT).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            line += if column == 0 { "" } else { "  " };
            line += &if column < words { left(cell, *width) } else { right(cell, *width) };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Receipts by the kind of reason for doubt: what was stated, and what came of it.
fn doubts(text: &mut String, summary: &Summary) {
    let mut rows: Vec<[String; DOUBT_COLUMNS.len()]> = vec![DOUBT_COLUMNS.map(str::to_owned)];
    let several = (2..=DOUBT_GROUPS_MAX).contains(&summary.groups.len());
    for group in summary.groups.iter().filter(|_| several) {
        rows.extend(group.totals.doubts.iter().map(|row| doubt_row(&group.name, row)));
    }
    rows.extend(summary.overall.doubts.iter().map(|row| doubt_row("all", row)));
    if 1 < rows.len() {
        text.push('\n');
        text.push_str(&aligned(&rows, 2));
    }
}

fn doubt_row(group: &str, row: &DoubtRow) -> [String; DOUBT_COLUMNS.len()] {
    let [receipts, stated, right, share, interval, review, unmarked] = doubt_figures(row);
    [plain(group).into_owned(), row.kind.to_owned(), receipts, stated, right, share, interval, review, unmarked]
}

/// The figures of a kind of doubt, in the order of both tables: how many, stated, right, of how many, 95 %, for review, unmarked.
pub(super) fn doubt_figures(row: &DoubtRow) -> [String; 7] {
    [
        row.receipts.to_string(),
        percent(Some(row.stated)),
        percent(row.right.share),
        of(row.right),
        between(row.right_interval),
        row.for_review.to_string(),
        row.wrong_unreviewed.to_string(),
    ]
}

fn findings(text: &mut String, summary: &Summary) {
    let (all, currency) = (&summary.overall, summary.currency);
    let mut finding = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<22}{value}");
    };
    finding("unit precision", format!("{} ({})", percent(all.unit_precision.share), of(all.unit_precision)));
    finding("unit recall", format!("{} ({})", percent(all.unit_recall.share), of(all.unit_recall)));
    let m = all.mistakes;
    let mistakes = format!(
        "{} ({} wrong shopper, {} wrong product, {} missed, {} invented)",
        m.total(),
        m.wrong_shopper,
        m.wrong_product,
        m.missed,
        m.invented
    );
    finding("wrong units", mistakes);
    finding("exact cases", format!("{} ({})", percent(all.exact_cases.share), of(all.exact_cases)));
    let share = |count: u64| percent(Share::new(count, all.exact_receipts.of).share);
    finding(
        "missing",
        format!("{} shoppers without a receipt ({})", all.missing_shoppers, share(all.missing_shoppers)),
    );
    finding("nobody", format!("{} receipts of nobody ({})", all.unknown_shoppers, share(all.unknown_shoppers)));
    let money = format!(
        "{} owed; {} too much, {} too little, {} wrong for each receipt",
        amount(all.money.owed_minor, currency),
        amount(all.money.over_minor, currency),
        amount(all.money.under_minor, currency),
        mean_amount(all.money.absolute_minor_per_receipt, currency)
    );
    finding("money", money);
    if 0 < all.money.unpriced_units {
        finding("", format!("{} units have no price and count as free", all.money.unpriced_units));
    }
    finding("review", format!("{} of receipts for a person ({})", percent(all.review.share), of(all.review)));
    let unseen = format!(
        "{} of receipts wrong without a mark, and nobody looks ({})",
        percent(all.wrong_unreviewed.share),
        of(all.wrong_unreviewed)
    );
    finding("unmarked", unseen);
    if let Some(IdentityTotals { f1, count }) = all.identity {
        let people = format!(
            "IDF1 {:.1} %, {} switches, {} visits of several shoppers",
            100.0 * f1,
            count.switches,
            count.merged
        );
        finding("identity", people);
    }
    finding("after leaving", all.receipt_delay.map_or_else(|| "not measured".to_owned(), delay));
    finding("line probabilities", reliability(&summary.line_reliability));
    finding("receipt probabilities", reliability(&summary.receipt_reliability));
}

pub(super) fn delay(delay: Delay) -> String {
    format!("median {:.1} s, 95 % within {:.1} s", delay.median_secs, delay.p95_secs)
}

fn reliability(reliability: &Reliability) -> String {
    match (reliability.brier, reliability.calibration_error) {
        (Some(brier), Some(error)) => {
            format!("Brier {brier:.4}, calibration error {error:.4} (over {})", reliability.count)
        }
        _ => "none".to_owned(),
    }
}

fn wrong_cases(text: &mut String, summary: &Summary) {
    let wrong = summary.wrong_cases();
    if wrong.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nwrong cases, the worst first:");
    for case in wrong.iter().take(WRONG_CASES_MAX) {
        wrong_case(text, case);
    }
    if WRONG_CASES_MAX < wrong.len() {
        let _ = writeln!(text, "\n  and {} more; --json and --html list them all", wrong.len() - WRONG_CASES_MAX);
    }
}

fn wrong_case(text: &mut String, case: &Case) {
    let level = case.label.level.as_deref().map(|level| format!(", {level}")).unwrap_or_default();
    let _ =
        writeln!(text, "\n  {}{level}, {}: F1 {:.3}", plain(&case.label.group), plain(&case.label.name), case.score.f1);
    for receipt in case.score.receipts.iter().filter(|receipt| !receipt.exact) {
        let _ =
            writeln!(text, "    {}", format!("shopper {} {}", receipt.visit, standing(receipt.standing)).trim_end());
        let changes = [('-', &receipt.missing), ('+', &receipt.extra)];
        for (sign, diff) in changes.iter().flat_map(|(sign, diffs)| diffs.iter().map(move |diff| (sign, diff))) {
            let _ = writeln!(text, "      {sign} {}", goods(diff));
        }
    }
    if !case.label.replay.is_empty() {
        let _ = writeln!(text, "    $ {}", plain(&case.label.replay));
    }
}

fn goods(diff: &UnitDiff) -> String {
    let text = format!("{} x {} {}", diff.units, diff.sku, diff.name);
    plain(text.trim_end()).into_owned()
}
