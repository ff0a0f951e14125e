//! Verdicts as text in, goods or the complaint out.

use serde_json::json;

use super::*;
use crate::base::Prob;
use crate::shop::{ProductDraft, ShopDraft};

fn shop() -> Shop {
    let product = |sku: &str| ProductDraft { sku: sku.to_owned(), name: sku.to_owned(), ..ProductDraft::default() };
    let products = ["tea", "salt", "soap"].map(product).to_vec();
    Shop::check(ShopDraft { name: "small".to_owned(), products, ..ShopDraft::default() }).unwrap()
}

/// Two teas for 6.00 and a soap without a price.
fn receipt(probability: f64) -> Receipt {
    let line = |sku: &str, quantity: u32, minor: Option<i64>| {
        json!({ "sku": sku, "name": sku, "quantity": quantity, "probability": 0.97, "attributions": [],
                "amount": minor.map(|minor| json!({ "minor": minor, "currency": "USD" })) })
    };
    let value = json!({ "visit": "1", "entered": 0, "left": 1, "closing": "left", "probability": probability,
        "total": null, "lines": [line("soap", 1, None), line("tea", 2, Some(600))] });
    serde_json::from_value(value).unwrap()
}

fn change(text: &str) -> Decision {
    let goods = |item: &str| {
        let (sku, units) = item.split_once(' ').unwrap();
        Goods { sku: SkuId::new(sku), quantity: Quantity::new(units.parse().unwrap()) }
    };
    Decision::Change { lines: text.split(", ").filter(|item| !item.is_empty()).map(goods).collect() }
}

#[test]
fn doubt_and_missing_prices_want_a_person() {
    let unpriced = Concern::NoPrice { sku: SkuId::new("soap") };
    assert_eq!(concerns(&shop(), &receipt(0.9)), std::slice::from_ref(&unpriced));
    let doubt = Concern::Doubt { probability: Prob::new(0.89), bar: Prob::new(0.9) };
    assert_eq!(concerns(&shop(), &receipt(0.89)), [doubt, unpriced]);
}

#[test]
fn verdicts_name_goods() {
    let check = |decision: &Decision, expected: Result<&str, &str>| {
        let found = goods(&shop(), &receipt(0.5), decision).map(|goods| {
            goods.iter().map(|goods| format!("{} {}", goods.sku, goods.quantity)).collect::<Vec<_>>().join(", ")
        });
        assert_eq!(found.as_deref().map_err(|message| message.as_str()), expected);
    };
    check(&Decision::Accept, Ok("soap 1, tea 2"));
    check(&Decision::Reject, Ok(""));
    check(&change("tea 1, salt 3"), Ok("salt 3, tea 1"));
    check(&change(""), Ok(""));
    check(&change("rum 1"), Err("the catalogue has no product `rum`"));
    check(&change("tea 1, tea 2"), Err("`tea` stands twice; write all its units on one line"));
    check(&change("tea 0"), Err("0 units of `tea`: write 1 to 1000, or leave the product out"));
    check(&change("tea 1001"), Err("1001 units of `tea`: write 1 to 1000, or leave the product out"));
}
