//! What can be wrong with taxes, markdowns and promotions.

use std::collections::BTreeSet;

use super::super::{
    Catalogue, Deal, Markdown, ProductDraft, Promotion, PromotionDraft, Reduction, Season, TaxDraft, TaxRule,
};
use super::complaints::Complaints;
use crate::base::limits::NAME_LETTERS_MAX;
use crate::base::{BasisPoints, Currency, Money, ShopTime, SkuId};

/// Most units of a set: `buy` of a promotion.
const SET_UNITS_MAX: u32 = 1_000;

pub(super) fn check_taxes(drafts: &[TaxDraft], complaints: &mut Complaints) -> Vec<TaxRule> {
    let mut seen = BTreeSet::new();
    let mut taxes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("tax {}", draft.name), draft.line);
        check_name(&draft.name, !seen.insert(draft.name.as_str()), "tax", complaints);
        if BasisPoints::ONE < draft.rate {
            complaints.say(format!("the rate is {}; it must be at most 100 %", draft.rate));
        }
        taxes.push(TaxRule { name: draft.name.clone(), rate: draft.rate });
    }
    taxes.sort_by(|a, b| a.name.cmp(&b.name));
    taxes
}

/// The markdown of a product that is being complained about.
pub(super) fn check_markdown(
    draft: &ProductDraft,
    currency: Currency,
    complaints: &mut Complaints,
) -> Option<Markdown> {
    let season = check_season("markdown_", draft.markdown_from, draft.markdown_until, complaints);
    let reduction = match (draft.markdown_price_minor, draft.markdown_off) {
        (None, None) => {
            if season != Season::default() {
                complaints.say("markdown_from and markdown_until stand without a markdown_price or markdown_percent");
            }
            return None;
        }
        (Some(_), Some(_)) => {
            complaints.say("a reduced price and markdown_percent both stand here; write one");
            return None;
        }
        (Some(minor), None) => {
            if minor < 0 || draft.price_minor.is_some_and(|price| price < minor) {
                complaints.say("the reduced price must not be negative or above the price");
            }
            Reduction::To(Money::new(minor, currency))
        }
        (None, Some(off)) => {
            check_off("markdown_percent", off, complaints);
            Reduction::By(off)
        }
    };
    if draft.price_minor.is_none() {
        complaints.say("it has a markdown and no price");
    }
    Some(Markdown { reduction, season })
}

pub(super) fn check_promotions(
    drafts: &[PromotionDraft],
    catalogue: &Catalogue,
    complaints: &mut Complaints,
) -> Vec<Promotion> {
    let mut seen = BTreeSet::new();
    let mut promotions = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("promotion {}", draft.name), draft.line);
        check_name(&draft.name, !seen.insert(draft.name.as_str()), "promotion", complaints);
        if draft.skus.is_empty() {
            complaints.say("it has no skus");
        }
        let mut skus = BTreeSet::new();
        for sku in draft.skus.iter().map(|sku| SkuId::new(sku)) {
            if catalogue.get(&sku).is_none() {
                complaints.say(format!("product {sku} is not in the catalogue"));
            }
            if let Some(double) = skus.replace(sku) {
                complaints.say(format!("product {double} stands twice"));
            }
        }
        let season = check_season("", draft.from, draft.until, complaints);
        if let Some(deal) = check_deal(draft, complaints) {
            promotions.push(Promotion { name: draft.name.clone(), skus, deal, season });
        }
    }
    promotions
}

fn check_deal(draft: &PromotionDraft, complaints: &mut Complaints) -> Option<Deal> {
    match (draft.buy, draft.pay, draft.off) {
        (Some(buy), Some(pay), None) => {
            if !(1 <= pay && pay < buy && buy <= SET_UNITS_MAX) {
                complaints.say(format!(
                    "buy {buy}, pay {pay}; pay must be at least 1 and less than buy, which is at most {SET_UNITS_MAX}"
                ));
            }
            Some(Deal::Fewer { buy, pay })
        }
        (None, None, Some(off)) => {
            check_off("percent", off, complaints);
            Some(Deal::Off(off))
        }
        _ => {
            complaints.say("it must have either buy and pay, or percent");
            None
        }
    }
}

fn check_name(name: &str, double: bool, kind: &str, complaints: &mut Complaints) {
    if name.trim().is_empty() {
        complaints.say("the name is empty");
    }
    complaints.name("name", name, NAME_LETTERS_MAX);
    if double {
        complaints.say(format!("a {kind} of this name stands twice"));
    }
}

fn check_off(key: &str, off: BasisPoints, complaints: &mut Complaints) {
    if !(0 < off.get() && off <= BasisPoints::ONE) {
        complaints.say(format!("{key} is {off}; it must be more than 0 % and at most 100 %"));
    }
}

fn check_season(prefix: &str, from: Option<ShopTime>, until: Option<ShopTime>, complaints: &mut Complaints) -> Season {
    if let (Some(start), Some(end)) = (from, until)
        && end <= start
    {
        complaints.say(format!("{prefix}until is not after {prefix}from"));
    }
    Season { from, until }
}
