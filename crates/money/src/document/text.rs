//! The receipt as a till prints it: 48 columns, letters counted by the width they have on a screen.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::words::{self, plain};
use super::{Sheet, Standing};
use crate::base::text::right;
use crate::facts::ReceiptLine;

/// Columns of the paper.
const COLUMNS: usize = 48;
/// Columns that a name leaves to the amount beside it, at least.
const AMOUNT_COLUMNS_MIN: usize = 12;
/// What further lines of one thing begin with.
const INDENT: &str = "  ";
/// First strong isolate and its end: what is written from right to left between them keeps its place on the line.
const ISOLATE: [&str; 2] = ["\u{2068}", "\u{2069}"];

pub(super) fn render(sheet: &Sheet<'_>) -> String {
    let (receipt, phrases, locale) = (sheet.receipt, words::phrases(sheet), sheet.shop.locale());
    let mut text = String::new();
    for line in wrapped(&plain(sheet.shop.name()), COLUMNS) {
        centred(&mut text, &line);
    }
    text.push('\n');
    for (name, at) in [(phrases.entered, receipt.entered), (phrases.left, receipt.left)] {
        pair(&mut text, name, &words::time_with_offset(at, sheet));
    }
    rule(&mut text, '-');
    for line in &receipt.lines {
        goods(&mut text, line, sheet);
    }
    if receipt.lines.is_empty() {
        text += &format!("{}\n", phrases.nothing);
    }
    rule(&mut text, '-');
    let total = receipt.total.map_or_else(|| phrases.not_known.to_owned(), |total| locale.money(total));
    pair(&mut text, &phrases.total.to_uppercase(), &total);
    taxes(&mut text, sheet);
    if let Standing::Credited { credit, .. } = &sheet.standing {
        rule(&mut text, '-');
        pair(&mut text, &phrases.credited.to_uppercase(), &locale.money(credit.amount));
        for taken_off in words::taken_off(credit.before, receipt) {
            let name = format!("{} x {}", taken_off.quantity, plain(&taken_off.before.name));
            let amount = taken_off.amount.map_or_else(String::new, |amount| words::off(amount, "-", locale));
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
        centred(&mut text, &words::time_with_offset(at, sheet));
    }
    text.push('\n');
    centred(&mut text, &sheet.cart.to_string());
    centred(&mut text, &format!("{} {}", phrases.version, sheet.version));
    text
}

fn goods(text: &mut String, line: &ReceiptLine, sheet: &Sheet<'_>) {
    let (phrases, locale) = (words::phrases(sheet), sheet.shop.locale());
    let amount = line.amount.map_or_else(|| phrases.no_price.to_owned(), |amount| locale.amount(amount));
    let discounted = !line.discounts.is_empty();
    let full = line.unit_price.and_then(|price| price.checked_mul(line.quantity));
    let first =
        if discounted { full.map_or_else(|| amount.clone(), |full| locale.amount(full)) } else { amount.clone() };
    pair(text, &plain(&line.name), &first);
    if let (Some(price), true) = (line.unit_price, 1 < line.quantity.get()) {
        let _ = writeln!(text, "{INDENT}{} x {}", line.quantity, locale.amount(price));
    } else if 1 < line.quantity.get() {
        let _ = writeln!(text, "{INDENT}{} {}", line.quantity, phrases.units.to_lowercase());
    }
    for discount in &line.discounts {
        pair(text, &format!("{INDENT}{}", plain(&discount.name)), &words::off(discount.amount, "-", locale));
    }
    if discounted {
        pair(text, "", &amount);
    }
}

fn taxes(text: &mut String, sheet: &Sheet<'_>) {
    let (phrases, locale) = (words::phrases(sheet), sheet.shop.locale());
    if sheet.receipt.taxes.is_empty() {
        return;
    }
    text.push('\n');
    table_row(text, phrases.tax, [phrases.rate, phrases.net, phrases.tax]);
    for share in &sheet.receipt.taxes {
        let (net, tax) = (locale.amount(share.net), locale.amount(share.tax));
        table_row(text, &plain(&share.name), [&locale.rate(share.rate), &net, &tax]);
    }
}

fn table_row(text: &mut String, name: &str, [rate, net, tax]: [&str; 3]) {
    pair(text, name, &[right(rate, 9), right(net, 13), right(tax, 13)].concat());
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
