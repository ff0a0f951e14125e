//! Receipts for people, with the evidence for each line, and for machines.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use super::charge::Charge;
use crate::base::figures::signed;
use crate::base::text::{left, plain, right};
use crate::base::{Error, Money, Result, ShopTime};
use crate::facts::{Attribution, ClockEstimate, Discount, FactRef, Movement, Receipt, ReceiptLine, TaxShare};
use crate::fusion::Anomalies;
use crate::output;
use crate::pipeline::{Loss, Outcome};
use crate::shop::Shop;
use crate::tracking::FrameLoss;
use crate::truth::Purchases;

/// Unexplained changes that are shown; the rest is counted.
const CHANGES_SHOWN_MAX: usize = 10;
/// Columns of a name in the text for people.
const NAME_COLUMNS: usize = 60;
/// Columns up to the end of a sum.
const SUM_COLUMNS: usize = 80;

/// Writes the exchange format whole or not at all.
pub(super) fn write_purchases(path: &Path, purchases: &Purchases) -> Result<()> {
    let mut text = serde_json::to_string_pretty(purchases)
        .map_err(|error| Error::input(format!("receipts cannot be written as JSON: {error}")).at_path(path))?;
    text.push('\n');
    output::write(path, text.as_bytes())
}

/// Everything about one replay, for machines.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    recording: &'a str,
    seconds: f64,
    replayed_in_seconds: f64,
    receipts: &'a [Receipt],
    attributions: Vec<Numbered<'a>>,
    clock: &'a ClockEstimate,
    loss: &'a Loss,
    anomalies: &'a Anomalies,
    breaks: Vec<String>,
    /// What was assumed or left out when the recording was read.
    notes: Vec<String>,
    /// Which frames were left out, where people were made of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<&'a FrameLoss>,
    /// What became of the receipts at the till, where they were charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    charges: Option<&'a [Charge]>,
}

#[derive(Serialize)]
struct Numbered<'a> {
    fact: &'a FactRef,
    #[serde(flatten)]
    attribution: &'a Attribution,
}

impl<'a> Report<'a> {
    pub(super) fn new(recording: &'a str, outcome: &'a Outcome, wall_secs: f64) -> Self {
        Report {
            recording,
            seconds: outcome.span.as_secs(),
            replayed_in_seconds: wall_secs,
            receipts: &outcome.receipts,
            attributions: outcome
                .attributions
                .iter()
                .map(|(fact, attribution)| Numbered { fact, attribution })
                .collect(),
            clock: &outcome.clock,
            loss: &outcome.loss,
            anomalies: &outcome.anomalies,
            breaks: outcome.breaks.iter().map(ToString::to_string).collect(),
            notes: Vec::new(),
            frames: None,
            charges: None,
        }
    }

    /// The same, with what was said of the recording when it was read.
    pub(super) fn noting(self, notes: Vec<String>) -> Self {
        Report { notes, ..self }
    }

    /// The same, with which frames were left out.
    pub(super) fn seeing(self, frames: Option<&'a FrameLoss>) -> Self {
        Report { frames, ..self }
    }

    /// The same, with what became of the receipts at the till.
    pub(super) fn with(self, charges: Option<&'a [Charge]>) -> Self {
        Report { charges, ..self }
    }
}

/// Everything about one replay, for people.
pub(super) fn text(recording: &str, shop: &Shop, outcome: &Outcome, wall_secs: f64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_text(&mut text, recording, shop, outcome, wall_secs);
    text
}

fn write_text(text: &mut String, recording: &str, shop: &Shop, outcome: &Outcome, wall_secs: f64) -> fmt::Result {
    let seconds = outcome.span.as_secs();
    let counters = &outcome.counters;
    writeln!(
        text,
        "{recording}: {seconds:.1} s of {}, {} plate batches, {} people frames, {} shelf events; replayed in {wall_secs:.2} s ({:.0} times real time)",
        plain(shop.name()),
        counters.shelf.received,
        counters.tracking.frames,
        counters.shelf.sent,
        seconds / wall_secs.max(1e-3),
    )?;
    if let Some(lost) = outcome.loss.sentence() {
        writeln!(text, "  lost: {lost}")?;
    }
    let doubled = counters.reorder.dropped_double;
    if 0 < doubled || 0 < counters.shelf.gaps {
        writeln!(text, "  input: {doubled} doubled, {} gaps in plate data", counters.shelf.gaps)?;
    }
    for error in &outcome.breaks {
        writeln!(text, "  read up to a break: {error}")?;
    }
    let evidence: BTreeMap<&FactRef, &Attribution> =
        outcome.attributions.iter().map(|(fact, attribution)| (fact, attribution)).collect();
    for receipt in &outcome.receipts {
        write_receipt(text, shop, receipt, &evidence)?;
    }
    write_anomalies(text, &outcome.anomalies)?;
    let clock = &outcome.clock;
    writeln!(
        text,
        "\nclocks: people {} s \u{b1} {:.2} s against plates, from {} step{}",
        signed(-clock.offset.as_secs(), 2),
        clock.sigma.as_secs(),
        clock.events,
        if clock.events == 1 { "" } else { "s" }
    )
}

/// What is odd about the shelves, if anything is.
fn write_anomalies(text: &mut String, anomalies: &Anomalies) -> fmt::Result {
    let Anomalies { unexplained, changes, plates } = anomalies;
    if 0 < *unexplained {
        let plural = if *unexplained == 1 { "change of weight is" } else { "changes of weight are" };
        writeln!(text, "\n{unexplained} {plural} not explained:")?;
    }
    for change in changes.iter().take(CHANGES_SHOWN_MAX) {
        writeln!(text, "  {change}")?;
    }
    if CHANGES_SHOWN_MAX < changes.len() {
        writeln!(text, "  and {} more", unexplained - CHANGES_SHOWN_MAX as u64)?;
    }
    for plate in plates {
        writeln!(text, "note: {plate}")?;
    }
    Ok(())
}

fn write_receipt(
    text: &mut String,
    shop: &Shop,
    receipt: &Receipt,
    evidence: &BTreeMap<&FactRef, &Attribution>,
) -> fmt::Result {
    let review = if receipt.is_for_review(shop.policy().review_below) { ", for review" } else { "" };
    writeln!(
        text,
        "\nshopper {}   {} to {}   {}{review}",
        receipt.visit,
        clock_time(receipt.entered, shop),
        clock_time(receipt.left, shop),
        receipt.probability
    )?;
    if let Some(why) = &receipt.interrupted {
        writeln!(text, "  why: {}", plain(why))?;
    }
    if receipt.lines.is_empty() {
        writeln!(text, "  nothing bought")?;
    }
    for line in &receipt.lines {
        write_line(text, line)?;
        for attribution in line.attributions.iter().filter_map(|fact| evidence.get(fact)) {
            writeln!(text, "         {}", sentence(attribution, Some(shop)))?;
        }
    }
    let Some(total) = receipt.total.filter(|_| !receipt.lines.is_empty()) else { return Ok(()) };
    let sum = |what: String, amount: Money| right(&format!("{what} {amount}"), SUM_COLUMNS);
    if shop.policy().prices_include_tax {
        writeln!(text, "  {}", sum("total".to_owned(), total))?;
        for share in &receipt.taxes {
            let what = format!("{} {} in {}", plain(&share.name), share.rate, gross(share));
            writeln!(text, "  {}", sum(what, share.tax))?;
        }
        return Ok(());
    }
    for share in &receipt.taxes {
        let what = format!("{} {} on {}", plain(&share.name), share.rate, share.net);
        writeln!(text, "  {}", sum(what, share.tax))?;
    }
    writeln!(text, "  {}", sum("total".to_owned(), total))
}

/// A line at its full price, and below it what was taken off.
fn write_line(text: &mut String, line: &ReceiptLine) -> fmt::Result {
    let mut discounts = line.discounts.iter();
    let full = line.amount.and_then(|amount| discounts.try_fold(amount, |sum, off| sum.checked_add(off.amount)));
    let full = full.map_or_else(|| "no price".to_owned(), |full| full.to_string());
    let name = format!("{} ({})", plain(&line.name), plain(line.sku.as_str()));
    let name = left(&name, NAME_COLUMNS);
    writeln!(text, "  {:>2} x {name} {full:>12}   {}", line.quantity, line.probability)?;
    for Discount { name, amount } in &line.discounts {
        let name = left(&plain(name), NAME_COLUMNS);
        writeln!(text, "       {name} {:>12}", Money::new(-amount.minor, amount.currency).to_string())?;
    }
    Ok(())
}

/// What was sold under a tax rule, with its tax.
fn gross(share: &TaxShare) -> Money {
    // A receipt whose total is known has sums that fit.
    share.net.checked_add(share.tax).unwrap_or(share.net)
}

/// The evidence of an attribution in a sentence.
pub(super) fn sentence(attribution: &Attribution, shop: Option<&Shop>) -> String {
    let evidence = &attribution.evidence;
    let verb = match attribution.movement {
        Movement::Take => "took",
        Movement::Return => "put back",
    };
    let plates: Vec<String> = evidence.plates.iter().map(|plate| plate.plate.to_string()).collect();
    let weight = &evidence.weight;
    let hand = match evidence.takers.iter().find(|taker| taker.visit == attribution.visit) {
        Some(taker) => match taker.wrist_metres {
            Some(metres) => format!("wrist within {:.0} cm", metres * 100.0),
            None => "wrist hidden".to_owned(),
        },
        None => "put there by somebody else".to_owned(),
    };
    let others = match evidence.takers.iter().filter(|taker| taker.visit != attribution.visit).count() {
        0 => String::new(),
        _ => {
            let share = evidence.takers.iter().find(|taker| taker.visit == attribution.visit);
            share.map_or_else(String::new, |taker| format!(" ({} of all hands near)", taker.share))
        }
    };
    let learned = if weight.learned { ", weight learned from the plates" } else { "" };
    let misplaced = if evidence.misplaced { ", off its planned place" } else { "" };
    format!(
        "{verb} {} at {}, shelf {} plate {}: {} g \u{b1} {:.1} where {} g is expected{learned}{misplaced}; {hand}{others}",
        attribution.quantity,
        shop.map_or_else(|| utc(evidence.span.middle()), |shop| clock_time(evidence.span.middle(), shop)),
        evidence.shelf,
        plates.join("+"),
        signed(weight.measured.value(), 1),
        weight.sigma.value(),
        signed(weight.expected.value(), 1),
    )
}

/// The time of day in the zone of the shop, with the offset where that is not UTC.
fn clock_time(at: ShopTime, shop: &Shop) -> String {
    let zoned = at.zoned(shop.zone());
    match zoned.offset().is_zero() {
        true => utc(at),
        false => zoned.strftime("%H:%M:%S%.3f%:z").to_string(),
    }
}

/// The time of day in UTC.
fn utc(at: ShopTime) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((_, time)) => time.trim_end_matches('Z').to_owned(),
        None => text,
    }
}

/// What a file is called in a headline.
pub(super) fn headline(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    plain(&name.to_string_lossy()).into_owned()
}
