//! What can be wrong with the products: their codes, their numbers, their weights and packages.

use std::collections::BTreeMap;

use super::super::gtin::ask;
use super::super::{Catalogue, Gtin, Product, ProductDraft, Reading, TaxRule};
use super::complaints::Complaints;
use super::prices::check_markdown;
use crate::base::limits::{NAME_LETTERS_MAX, SKU_LETTERS_MAX};
use crate::base::{Currency, Grams, Money, SkuId};

/// Heaviest unit a shelf plate is expected to carry, grams.
const UNIT_GRAMS_MAX: f64 = 50_000.0;
/// Largest dimension of a unit of goods, metres.
const PACKAGE_METRES_MAX: f64 = 1.0;

pub(super) fn check_catalogue(
    drafts: &[ProductDraft],
    currency: Currency,
    taxes: &[TaxRule],
    complaints: &mut Complaints,
) -> Catalogue {
    let mut seen = BTreeMap::new();
    let mut numbers: BTreeMap<Gtin, &ProductDraft> = BTreeMap::new();
    let mut products = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("catalogue product {}", draft.sku), draft.line);
        if draft.sku.trim().is_empty() {
            complaints.say("the sku is empty");
        }
        complaints.name("the sku", &draft.sku, SKU_LETTERS_MAX);
        complaints.name("name", &draft.name, NAME_LETTERS_MAX);
        let at = |line: Option<u64>| line.map_or_else(String::new, |line| format!(" (first on line {line})"));
        if let Some(first) = seen.insert(draft.sku.as_str(), draft.line) {
            complaints.say(format!("the sku stands twice in the catalogue{}", at(first)));
        }
        let gtin = check_gtin(draft, complaints);
        let double = gtin.and_then(|gtin| numbers.insert(gtin, draft)).filter(|other| other.sku != draft.sku);
        if let Some(other) = double.filter(|_| !complaints.is_older()) {
            let (sku, at) = (&other.sku, at(other.line));
            complaints.say(format!("it has the GTIN of product {sku}{at}: a product stands in the catalogue once"));
        }
        check_measures(draft, complaints);
        if let Some(tax) = draft.tax.as_ref().filter(|tax| !taxes.iter().any(|rule| rule.name == **tax)) {
            complaints.say(format!("tax `{tax}` is not a [[tax]] of the shop"));
        }
        products.push(Product {
            sku: SkuId::new(&draft.sku),
            name: draft.name.clone(),
            gtin,
            weight: draft.weight_grams.map(Grams::new),
            price: draft.price_minor.map(|minor| Money::new(minor, currency)),
            package: draft.package,
            tax: draft.tax.clone(),
            markdown: check_markdown(draft, currency, complaints),
        });
    }
    Catalogue::new(products)
}

/// The GTIN that a product has, however it is written.
fn check_gtin(draft: &ProductDraft, complaints: &mut Complaints) -> Option<Gtin> {
    let written = draft.gtin.as_deref()?;
    let reason = match Gtin::read(written, None) {
        Reading::Product(gtin) => return Some(gtin),
        // A book keeps what was asked about too late: then it is the shop's own code.
        _ if complaints.is_older() => return None,
        // The code of the shop happens to look so.
        Reading::Inner(_) if *written == draft.sku => return None,
        Reading::Inner(reason) => format!("{reason}; leave `gtin` out"),
        Reading::Either { upc_e, gtin_8 } => ask(written, upc_e, gtin_8),
        Reading::Wrong(reason) => reason,
        Reading::Other => format!("`{written}` is not a GTIN: 8, 12, 13 or 14 digits, or a UPC-E"),
    };
    complaints.say(reason);
    None
}

fn check_measures(draft: &ProductDraft, complaints: &mut Complaints) {
    if let Some(weight) = draft.weight_grams {
        complaints.range("weight_grams", weight, 0.0, UNIT_GRAMS_MAX);
    }
    if draft.price_minor.is_some_and(|price| price < 0) {
        complaints.say("price_minor is negative");
    }
    if let Some(package) = &draft.package {
        for (what, size) in ["width", "depth", "height"].iter().zip(package.size_metres) {
            complaints.range(&format!("the {what} of its package"), size, 0.0, PACKAGE_METRES_MAX);
        }
    }
}
