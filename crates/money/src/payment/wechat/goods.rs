//! What WeChat Pay shows the shopper: lines of goods, texts and times within its limits.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde_json::{Value, json};

use crate::base::{Money, ShopTime};
use crate::facts::{Order, OrderLine};
use crate::payment::Unpayable;

/// The name of every line, as smart retail requires.
const LINE_NAME: &str = "商品信息";
/// What is said of lines that did not fit.
const OTHER_GOODS: &str = "其他商品";
/// What is said of what the lines have beyond the amount: paid separately.
const PAID_OTHERWISE: &str = "另行支付";
/// Lines of one order.
const LINES_MAX: usize = 100;
/// Units that a line can say.
const COUNT_MAX: u32 = 100;
/// Letters of a description.
const DESCRIPTION_LETTERS_MAX: usize = 30;

/// The fields of a completion that say what is charged: lines, what they have beyond the amount, and the amount.
///
/// # Errors
/// When sums do not fit.
pub(super) fn charged(order: &Order) -> Result<Value, String> {
    let total = order.amount.minor;
    let fit = |line: &&OrderLine| line.amount.currency == order.amount.currency && 0 <= line.amount.minor;
    // One line that cannot be shown would make the others wrong: then there is one line for all.
    let shown: Vec<&OrderLine> = match order.lines.iter().all(|line| fit(&line)) {
        true => order.lines.iter().filter(|line| 0 < line.quantity.get()).collect(),
        false => Vec::new(),
    };
    let kept = if LINES_MAX < shown.len() { LINES_MAX - 1 } else { shown.len() };
    let mut lines: Vec<Value> = shown[..kept].iter().map(|line| shown_line(line)).collect();
    let rest = sum(&shown[kept..])?;
    if kept < shown.len() {
        let units = shown[kept..].iter().fold(0_u32, |units, line| units.saturating_add(line.quantity.get()));
        lines.push(line(OTHER_GOODS, rest, units.clamp(1, COUNT_MAX)));
    }
    let sum = sum(&shown)?;
    if sum < total {
        // What the lines do not explain is made part of the last one there is room for.
        match lines.len() < LINES_MAX {
            true => lines.push(line(OTHER_GOODS, total - sum, 1)),
            false => lines = vec![line(OTHER_GOODS, total, 1)],
        }
    }
    let mut charged = json!({ "post_payments": lines, "total_amount": total });
    if total < sum {
        let discount =
            json!({ "name": PAID_OTHERWISE, "description": PAID_OTHERWISE, "amount": sum - total, "count": 1 });
        charged["post_discounts"] = json!([discount]);
    }
    Ok(charged)
}

/// A text of at most so many letters, without those that WeChat Pay cannot take: beyond the basic plane, and controls.
pub(super) fn text(text: &str, letters_max: usize) -> String {
    text.chars().filter(|letter| letter.len_utf8() < 4 && !letter.is_control()).take(letters_max).collect()
}

/// A time as WeChat Pay writes it, `yyyyMMddHHmmss` in Beijing.
///
/// # Errors
/// When it is out of the range of the calendar.
pub(super) fn beijing(at: ShopTime) -> Result<String, String> {
    let instant = Timestamp::from_nanosecond(i128::from(at.as_nanos())).map_err(|error| error.to_string())?;
    Ok(instant.to_zoned(TimeZone::fixed(offset(8))).strftime("%Y%m%d%H%M%S").to_string())
}

/// A hold or a charge of this amount in fen.
///
/// # Errors
/// When WeChat Pay takes no such payment, and why.
pub(super) fn payable(money: Money) -> Result<i64, Unpayable> {
    match fen(money).map_err(Unpayable::Never)? {
        fen if fen < 1 => {
            Err(Unpayable::TooLittle(format!("{money} is too little: WeChat Pay takes no payment below 0.01 CNY")))
        }
        fen => Ok(fen),
    }
}

/// An amount in fen.
///
/// # Errors
/// When it is in another currency.
pub(super) fn fen(money: Money) -> Result<i64, String> {
    match money.currency.code() {
        "CNY" => Ok(money.minor),
        _ => Err(format!("{money}: WeChat Pay takes CNY only")),
    }
}

fn shown_line(shown: &OrderLine) -> Value {
    let units = shown.quantity.get();
    let beyond = if COUNT_MAX < units { format!("×{units}") } else { String::new() };
    let name = text(&shown.name, DESCRIPTION_LETTERS_MAX - beyond.chars().count());
    let name = if name.is_empty() { OTHER_GOODS } else { &name };
    line(&format!("{name}{beyond}"), shown.amount.minor, units.min(COUNT_MAX))
}

fn line(description: &str, amount: i64, count: u32) -> Value {
    json!({ "name": LINE_NAME, "description": description, "amount": amount, "count": count })
}

fn sum(lines: &[&OrderLine]) -> Result<i64, String> {
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount.minor));
    sum.ok_or_else(|| "the lines add up to more than can be counted".to_owned())
}
