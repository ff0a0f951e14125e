//! Cases small enough to be judged by hand.

use serde_json::json;

use super::*;
use crate::base::{Prob, Span};
use crate::facts;
use crate::shop::{Catalogue, ProductDraft, Shop, ShopDraft};
use crate::truth::Truth;

mod doubt;
mod names;
mod page;
mod rule;
mod table;

/// Goods of one shopper, such as `7: tea 2, salt`; a name without goods is an empty receipt.
fn basket(text: &str) -> (u64, Vec<(String, u32)>) {
    let (visit, goods) = text.split_once(':').unwrap();
    let item = |item: &str| match item.trim().split_once(' ') {
        Some((sku, units)) => (sku.to_owned(), units.parse().unwrap()),
        None => (item.trim().to_owned(), 1),
    };
    let goods = goods.split(',').filter(|item| !item.trim().is_empty()).map(item).collect();
    (visit.trim().parse().unwrap(), goods)
}

/// A truth of several baskets, split by `;`.
fn truth(text: &str) -> Truth {
    let one = |text: &str| {
        let (visit, goods) = basket(text);
        let items: Vec<_> = goods.iter().map(|(sku, units)| json!({ "barcode": sku, "quantity": units })).collect();
        json!({ "target_id": visit.to_string(), "products": items })
    };
    let receipts: Vec<_> = text.split(';').filter(|text| !text.trim().is_empty()).map(one).collect();
    serde_json::from_value(json!({ "receipts": receipts })).unwrap()
}

/// Receipts of several baskets, split by `;`, each with this probability in every line and as a whole.
fn receipts(text: &str, probability: f64) -> Vec<facts::Receipt> {
    let one = |text: &str| {
        let (visit, goods) = basket(text);
        let line = |(sku, units): &(String, u32)| {
            json!({ "sku": sku, "name": sku, "quantity": units, "amount": { "minor": 100, "currency": "USD" },
                    "probability": probability, "attributions": [] })
        };
        let lines: Vec<_> = goods.iter().map(line).collect();
        serde_json::from_value(json!({ "visit": visit.to_string(), "entered": 0, "left": 0, "closing": "left",
                                       "lines": lines, "total": null, "probability": probability }))
        .unwrap()
    };
    text.split(';').filter(|text| !text.trim().is_empty()).map(one).collect()
}

/// Tea costs 3.00, salt 1.00, bread 2.50; soap has no price.
fn prices() -> Catalogue {
    let product = |(sku, price_minor): (&str, Option<i64>)| ProductDraft {
        sku: sku.to_owned(),
        name: format!("{sku} <&>"),
        price_minor,
        ..ProductDraft::default()
    };
    let products = [("tea", Some(300)), ("salt", Some(100)), ("bread", Some(250)), ("soap", None)].map(product);
    let draft = ShopDraft { name: "small".to_owned(), products: products.to_vec(), ..ShopDraft::default() };
    Shop::check(draft).unwrap().catalogue().clone()
}

fn score(bought: &str, written: &str) -> CaseScore {
    score_case(&truth(bought), &receipts(written, 0.95), &prices(), Prob::new(0.9))
}

fn case(group: &str, level: Option<&str>, name: &str, score: CaseScore) -> Case {
    let replay = format!("aisle eval --scenarios {group}");
    let label = Label { group: group.to_owned(), level: level.map(str::to_owned), name: name.to_owned(), replay };
    Case { label, score }
}
