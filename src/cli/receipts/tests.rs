//! How discounts and taxes look on a receipt for people.

use serde_json::json;

use super::*;
use crate::base::{Prob, Quantity, SkuId};
use crate::cart;
use crate::facts::Goods;

/// Two teas and a salt: tea is reduced, both are taxed at 25 %.
fn text_of(prices_include_tax: bool) -> Vec<String> {
    let draft = json!({
        "name": "small",
        "policy": { "prices_include_tax": prices_include_tax },
        "taxes": [{ "name": "full", "rate": 2500 }],
        "products": [
            { "sku": "salt", "name": "Salt", "price_minor": 100, "tax": "full" },
            { "sku": "tea", "name": "Tea", "price_minor": 300, "markdown_off": 1000, "tax": "full" },
        ],
    });
    let shop = Shop::check(serde_json::from_value(draft).unwrap()).unwrap();
    let empty = json!({ "visit": "7", "entered": 0, "left": 0, "closing": "left", "lines": [], "total": null,
        "probability": 1.0 });
    let goods = |sku: &str, units| Goods { sku: SkuId::new(sku), quantity: Quantity::new(units) };
    let receipt = serde_json::from_value(empty).unwrap();
    let mut receipt = cart::reprice(&shop, &receipt, &[goods("tea", 2), goods("salt", 1)]);
    receipt.probability = Prob::ONE;
    let mut text = String::new();
    write_receipt(&mut text, &shop, &receipt, &BTreeMap::new()).unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().skip(2).map(words).collect()
}

#[test]
fn discounts_stand_below_their_line_and_taxes_around_the_total() {
    assert_eq!(
        text_of(true),
        [
            "1 x Salt (salt) 1.00 USD 100.0 %",
            "2 x Tea (tea) 6.00 USD 100.0 %",
            "markdown -0.60 USD",
            "total 6.40 USD",
            "full 25 % in 6.40 USD 1.28 USD",
        ]
    );
    assert_eq!(text_of(false)[3..], ["full 25 % on 6.40 USD 1.60 USD", "total 8.00 USD"]);
}
