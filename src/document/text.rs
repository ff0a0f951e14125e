//! The receipt as a till prints it: 48 columns, letters counted by the width they have on a screen.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::words::{self, plain};
use super::{Sheet, Standing};
use crate::facts::{ReceiptLine, TaxShare};

/// Columns of the paper.
const COLUMNS: usize = 48;
/// Columns that a name leaves to the amount beside it, at least.
const AMOUNT_COLUMNS_MIN: usize = 12;
/// What further lines of one thing begin with.
const INDENT: &str = "  ";
/// First strong isolate and its end: what is written from right to left between them keeps its place on the line.
const ISOLATE: [&str; 2] = ["\u{2068}", "\u{2069}"];

pub(super) fn render(sheet: &Sheet<'_>) -> String {
    let receipt = sheet.receipt;
    let mut text = String::new();
    for line in wrapped(&plain(sheet.shop.name()), COLUMNS) {
        centred(&mut text, &line);
    }
    text.push('\n');
    for (name, at) in [("In", receipt.entered), ("Out", receipt.left)] {
        let (time, offset) = (words::time(at, sheet.zone), words::offset(at, sheet.zone));
        pair(&mut text, name, &format!("{time} {offset}"));
    }
    rule(&mut text, '-');
    for line in &receipt.lines {
        goods(&mut text, line);
    }
    if receipt.lines.is_empty() {
        text += "Nothing was taken.\n";
    }
    rule(&mut text, '-');
    let total = receipt.total.map_or_else(|| "not known".to_owned(), |total| total.to_string());
    pair(&mut text, "TOTAL", &total);
    taxes(&mut text, &receipt.taxes);
    if let Standing::Credited { credit, .. } = &sheet.standing {
        rule(&mut text, '-');
        pair(&mut text, "CREDITED", &credit.amount.to_string());
        for taken_off in words::taken_off(credit.before, receipt) {
            let name = format!("{} x {}", taken_off.quantity, plain(&taken_off.before.name));
            let amount = taken_off.amount.map_or_else(String::new, |amount| words::off(amount, "-"));
            pair(&mut text, &name, &amount);
        }
    }
    rule(&mut text, '=');
    let headline = words::standing(sheet).to_uppercase();
    centred(&mut text, &headline);
    let (sentence, at) = words::sentence(sheet);
    for line in wrapped(&sentence, COLUMNS) {
        centred(&mut text, &line);
    }
    if let Some(at) = at {
        centred(&mut text, &format!("{} {}", words::time(at, sheet.zone), words::offset(at, sheet.zone)));
    }
    text.push('\n');
    centred(&mut text, &sheet.cart.to_string());
    centred(&mut text, &format!("version {}", sheet.version));
    text
}

fn goods(text: &mut String, line: &ReceiptLine) {
    let amount = line.amount.map_or_else(|| "no price".to_owned(), |amount| amount.decimal());
    let discounted = !line.discounts.is_empty();
    let full = line.unit_price.and_then(|price| price.checked_mul(line.quantity));
    let first = if discounted { full.map_or_else(|| amount.clone(), |full| full.decimal()) } else { amount.clone() };
    pair(text, &plain(&line.name), &first);
    if let (Some(price), true) = (line.unit_price, 1 < line.quantity.get()) {
        let _ = writeln!(text, "{INDENT}{} x {}", line.quantity, price.decimal());
    } else if 1 < line.quantity.get() {
        let _ = writeln!(text, "{INDENT}{} units", line.quantity);
    }
    for discount in &line.discounts {
        pair(text, &format!("{INDENT}{}", plain(&discount.name)), &words::off(discount.amount, "-"));
    }
    if discounted {
        pair(text, "", &amount);
    }
}

fn taxes(text: &mut String, taxes: &[TaxShare]) {
    if taxes.is_empty() {
        return;
    }
    text.push('\n');
    table_row(text, "Tax", "Rate", "Net", "Tax");
    for share in taxes {
        let (net, tax) = (share.net.decimal(), share.tax.decimal());
        table_row(text, &plain(&share.name), &share.rate.to_string(), &net, &tax);
    }
}

fn table_row(text: &mut String, name: &str, rate: &str, net: &str, tax: &str) {
    pair(text, name, &format!("{rate:>9}{net:>13}{tax:>13}"));
}

/// A name on the left, an amount on the right; the name goes on below where it is too long.
fn pair(text: &mut String, name: &str, amount: &str) {
    let room = COLUMNS.saturating_sub((amount.width() + 1).max(AMOUNT_COLUMNS_MIN));
    let lines = wrapped(name, room.max(AMOUNT_COLUMNS_MIN));
    let (first, rest) = match lines.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => ("", &[][..]),
    };
    let gap = COLUMNS.saturating_sub(first.width() + amount.width()).max(usize::from(!amount.is_empty()));
    let line = format!("{}{}{amount}", isolated(first), " ".repeat(gap));
    let _ = writeln!(text, "{}", line.trim_end());
    for line in rest {
        let _ = writeln!(text, "{INDENT}{}", isolated(line.trim_start()));
    }
}

fn isolated(text: &str) -> String {
    match words::is_right_to_left(text) {
        true => {
            let inner = text.trim_start();
            format!("{}{}{inner}{}", &text[..text.len() - inner.len()], ISOLATE[0], ISOLATE[1])
        }
        false => text.to_owned(),
    }
}

fn centred(text: &mut String, line: &str) {
    let left = COLUMNS.saturating_sub(line.width()) / 2;
    let _ = writeln!(text, "{}{}", " ".repeat(left), isolated(line));
}

fn rule(text: &mut String, sign: char) {
    text.extend(std::iter::repeat_n(sign, COLUMNS));
    text.push('\n');
}

/// Lines of at most so many columns: broken at spaces, or inside of a word that is longer than a line.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // Broken pieces are indented by the caller, so those after the first have less room.
    let room = |lines: &Vec<String>| if lines.is_empty() { columns } else { columns - INDENT.len() };
    for word in text.split_inclusive(' ') {
        if room(&lines) < line.width() + word.trim_end().width() && !line.trim().is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for letter in word.chars() {
            if room(&lines) < line.width() + letter.width().unwrap_or(0) && letter != ' ' {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}
