//! From tables to tax rules, markdowns and promotions, and the values that they are written in.

use super::fields::{Fields, Findings};
use super::node::{Node, Value};
use crate::base::{BasisPoints, Currency, ShopTime};
use crate::shop::{PromotionDraft, TaxDraft};

/// Decimals of a percentage: hundredths of a percent are the finest.
const PERCENT_DECIMALS: usize = 2;

pub(super) fn tax(index: usize, node: &Node, findings: &Findings) -> Option<TaxDraft> {
    let mut fields = Fields::new(node, format!("tax {}", index + 1), findings);
    let name = name(&mut fields, "tax");
    let rate = percent(&mut fields, "percent");
    let rate = fields.required("percent", rate);
    let line = Some(fields.line);
    fields.finish();
    Some(TaxDraft { name: name?, rate: rate?, line })
}

pub(super) fn promotion(index: usize, node: &Node, findings: &Findings) -> Option<PromotionDraft> {
    let mut fields = Fields::new(node, format!("promotion {}", index + 1), findings);
    let name = name(&mut fields, "promotion");
    let skus: Option<Vec<String>> = fields
        .list("skus")
        .iter()
        .map(|node| match &node.value {
            Value::Text(sku) => Some(sku.clone()),
            _ => None,
        })
        .collect();
    if skus.is_none() {
        fields.say("skus must be a list of texts in quotes");
    }
    let draft = PromotionDraft {
        name: String::new(),
        skus: Vec::new(),
        buy: units(&mut fields, "buy"),
        pay: units(&mut fields, "pay"),
        off: percent(&mut fields, "percent"),
        from: instant(&mut fields, "from"),
        until: instant(&mut fields, "until"),
        line: Some(fields.line),
    };
    fields.finish();
    Some(PromotionDraft { name: name?, skus: skus?, ..draft })
}

fn name(fields: &mut Fields<'_>, kind: &str) -> Option<String> {
    let name = fields.text("name");
    let name = fields.required("name", name);
    if let Some(name) = &name {
        fields.item = format!("{kind} {name}");
    }
    name
}

fn units(fields: &mut Fields<'_>, key: &'static str) -> Option<u32> {
    let number = fields.whole(key)?;
    let units = u32::try_from(number).ok();
    if units.is_none() {
        fields.say(format!("{key} is {number}; it must be a number of units"));
    }
    units
}

/// An amount under one of two keys: in whole minor units or in decimal writing.
pub(super) fn amount(
    fields: &mut Fields<'_>,
    minor_key: &'static str,
    key: &'static str,
    currency: Currency,
) -> Option<i64> {
    let minor = fields.whole(minor_key);
    let digits = currency.decimals() as usize;
    let amount = fields.node(key).and_then(|node| {
        let amount = decimal(node, digits);
        if amount.is_none() {
            fields
                .say(format!("{key} must be an amount of {currency} with at most {digits} decimals, such as \"1.49\""));
        }
        amount
    });
    if amount.is_some() && minor.is_some() {
        fields.say(format!("{key} and {minor_key} both stand here; write one"));
    }
    amount.or(minor)
}

/// A percentage, exactly.
pub(super) fn percent(fields: &mut Fields<'_>, key: &'static str) -> Option<BasisPoints> {
    let share = decimal(fields.node(key)?, PERCENT_DECIMALS).and_then(|share| u32::try_from(share).ok());
    if share.is_none() {
        fields.say(format!(
            "{key} must be a percentage with at most {PERCENT_DECIMALS} decimals, such as 19 or \"7.75\""
        ));
    }
    share.map(BasisPoints::new)
}

/// An instant in RFC 3339, as a text or as a date of TOML.
pub(super) fn instant(fields: &mut Fields<'_>, key: &'static str) -> Option<ShopTime> {
    let text = match &fields.node(key)?.value {
        Value::Text(text) | Value::Date(text) => text.as_str(),
        _ => "",
    };
    let nanos = text.parse::<jiff::Timestamp>().ok().and_then(|instant| i64::try_from(instant.as_nanosecond()).ok());
    if nanos.is_none() {
        fields.say(format!("{key} must be an instant with its offset, such as \"2026-12-01T00:00:00+01:00\""));
    }
    nanos.map(ShopTime::from_nanos)
}

/// A number in decimal writing, exactly, in units of its last decimal.
fn decimal(node: &Node, digits: usize) -> Option<i64> {
    let text = match &node.value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Whole(number) => number.to_string(),
        // The shortest writing that means this number is what somebody wrote.
        Value::Real(number) => number.to_string(),
        _ => return None,
    };
    let (units, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || !plain(units) || !plain(decimals) || digits < decimals.len() {
        return None;
    }
    format!("{units}{decimals:0<digits$}").parse().ok()
}
