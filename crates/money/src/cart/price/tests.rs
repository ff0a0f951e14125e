//! Goods in, the receipt as text out.

use rand::RngExt;
use serde_json::{Value, json};

use super::*;
use crate::base::rng::dice;
use crate::cart::reprice;
use crate::facts::Receipt;

/// A shop of these prices in cents; each word `sku:price:tax`, the last one optional.
fn shop(products: &str, more: Value) -> Shop {
    let product = |word: &str| {
        let parts: Vec<&str> = word.split(':').collect();
        let mut product = json!({ "sku": parts[0], "name": parts[0], "price_minor": parts[1].parse::<i64>().ok() });
        if let Some(tax) = parts.get(2) {
            product["tax"] = json!(tax);
        }
        product
    };
    let products: Vec<Value> = products.split_whitespace().map(product).collect();
    let mut draft = json!({ "name": "small", "products": products,
        "taxes": [{ "name": "full", "rate": 1900 }, { "name": "food", "rate": 700 }, { "name": "none", "rate": 0 }] });
    for (key, value) in more.as_object().unwrap() {
        draft[key] = value.clone();
    }
    Shop::check(serde_json::from_value(draft).unwrap()).unwrap()
}

/// Each word `units*sku`.
fn goods(text: &str) -> Vec<Goods> {
    let one = |word: &str| {
        let (units, sku) = word.split_once('*').unwrap();
        Goods { sku: SkuId::new(sku), quantity: Quantity::new(units.parse().unwrap()) }
    };
    text.split_whitespace().map(one).collect()
}

/// `SKU AMOUNT (DISCOUNT OFF), …; TAX NET+TAX; = TOTAL`, all in cents.
fn text_of(priced: &Priced) -> String {
    let minor = |money: Option<Money>| money.map_or_else(|| "?".to_owned(), |money| money.minor.to_string());
    let line = |line: &PricedLine| {
        let discounts: Vec<String> =
            line.discounts.iter().map(|off| format!(" ({} {})", off.name, off.amount.minor)).collect();
        format!("{} {}{}", line.sku, minor(line.amount), discounts.concat())
    };
    let tax = |share: &TaxShare| format!("{} {}+{}", share.name, share.net.minor, share.tax.minor);
    let lines: Vec<String> = priced.lines.iter().map(line).collect();
    let taxes: Vec<String> = priced.taxes.iter().map(tax).collect();
    format!("{}; {}; = {}", lines.join(", "), taxes.join(", "), minor(priced.total))
}

fn check(shop: &Shop, cases: &[(&str, &str)]) {
    for (bought, expected) in cases {
        assert_eq!(text_of(&price(shop, &goods(bought), ShopTime::from_nanos(50))), *expected, "{bought}");
    }
}

#[test]
fn tax_is_in_the_price_or_comes_on_top() {
    let products = "tea:119:full bread:107:food salt:200 gift:500:none";
    check(
        &shop(products, json!({})),
        &[
            ("1*tea", "tea 119; full 100+19; = 119"),
            ("1*tea 2*bread 1*salt", "bread 214, salt 200, tea 119; food 200+14, full 100+19; = 533"),
            ("1*gift 1*salt", "gift 500, salt 200; none 500+0; = 700"),
            ("", "; ; = 0"),
        ],
    );
    check(
        &shop("tea:100:full bread:100:food salt:200", json!({ "policy": { "prices_include_tax": false } })),
        &[("1*tea 2*bread 1*salt", "bread 200, salt 200, tea 100; food 200+14, full 100+19; = 533")],
    );
}

#[test]
fn tax_is_rounded_half_up_on_the_receipt_or_on_each_line() {
    // 7 % of 50 is 3.5, of 150 is 10.5.
    let policy = |rounding: &str| json!({ "policy": { "prices_include_tax": false, "tax_rounding": rounding } });
    let products = "a:50:food b:50:food c:50:food d:7:food";
    check(
        &shop(products, policy("receipt")),
        &[
            ("1*a", "a 50; food 50+4; = 54"),
            ("1*a 1*b 1*c", "a 50, b 50, c 50; food 150+11; = 161"),
            ("1*a 1*b", "a 50, b 50; food 100+7; = 107"),
            ("1*d", "d 7; food 7+0; = 7"),
        ],
    );
    check(&shop(products, policy("line")), &[("1*a 1*b 1*c", "a 50, b 50, c 50; food 150+12; = 162")]);
    // In the price: 9 cents hold 0.589 of tax, 18 cents 1.178.
    let inside = |rounding: &str| shop("a:9:food b:9:food", json!({ "policy": { "tax_rounding": rounding } }));
    check(&inside("receipt"), &[("1*a 1*b", "a 9, b 9; food 17+1; = 18")]);
    check(&inside("line"), &[("1*a 1*b", "a 9, b 9; food 16+2; = 18")]);
}

#[test]
fn a_markdown_holds_within_its_season_and_is_rounded_on_the_unit() {
    let marked = |key: &str, value: i64, from: i64, until: i64| {
        let mut product = json!({ "sku": "a", "name": "a", "price_minor": 99, key: value });
        (product["markdown_from"], product["markdown_until"]) = (json!(from), json!(until));
        shop("b:1", json!({ "products": [product] }))
    };
    check(&marked("markdown_price_minor", 70, 50, 51), &[("3*a", "a 210 (markdown 87); ; = 210")]);
    check(&marked("markdown_price_minor", 70, 51, 60), &[("3*a", "a 297; ; = 297")]);
    check(&marked("markdown_price_minor", 70, 40, 50), &[("3*a", "a 297; ; = 297")]);
    check(&marked("markdown_price_minor", 0, 40, 60), &[("3*a", "a 0 (markdown 297); ; = 0")]);
    check(&marked("markdown_price_minor", 99, 40, 60), &[("3*a", "a 297; ; = 297")]);
    // Half of 99 is 49.5; a unit goes down by 50.
    check(&marked("markdown_off", 5_000, 40, 60), &[("3*a", "a 147 (markdown 150); ; = 147")]);
}

#[test]
fn n_for_m_mixes_its_products_and_gives_the_cheapest_of_the_sets() {
    let three = json!({ "promotions": [{ "name": "3 for 2", "skus": ["a", "b", "c"], "buy": 3, "pay": 2 }] });
    check(
        &shop("a:100 b:60 c:10 d:5", three),
        &[
            ("2*a", "a 200; ; = 200"),
            ("3*a", "a 200 (3 for 2 100); ; = 200"),
            ("1*a 1*b 1*c 1*d", "a 100, b 60, c 0 (3 for 2 10), d 5; ; = 165"),
            // The dearest make up the set: the tenner is left over.
            ("2*a 1*b 1*c", "a 200, b 0 (3 for 2 60), c 10; ; = 210"),
            ("4*a 3*c", "a 400, c 10 (3 for 2 20); ; = 410"),
            ("3*a 3*c", "a 300, c 10 (3 for 2 20); ; = 310"),
            ("3000000000*a", "a 200000000000 (3 for 2 100000000000); ; = 200000000000"),
        ],
    );
}

#[test]
fn a_unit_takes_part_in_one_promotion_and_markdowns_come_first() {
    let promotions = json!({
        "products": [
            { "sku": "a", "name": "a", "price_minor": 100, "markdown_price_minor": 80, "tax": "full" },
            { "sku": "b", "name": "b", "price_minor": 33 },
        ],
        "promotions": [
            { "name": "tenth", "skus": ["a", "b"], "off": 1000 },
            { "name": "2 for 1", "skus": ["a"], "buy": 2, "pay": 1 },
            { "name": "half", "skus": ["b", "a"], "off": 5000 },
            { "name": "over", "skus": ["b", "a"], "off": 9000, "until": 50 },
            { "name": "to come", "skus": ["b", "a"], "buy": 2, "pay": 1, "from": 51 },
        ],
    });
    check(
        &shop("b:1", promotions),
        &[
            ("3*a", "a 152 (markdown 60) (2 for 1 80) (tenth 8); full 128+24; = 152"),
            // A tenth of 5 times 33 is 16.5: the line is rounded, not the unit.
            ("5*b", "b 148 (tenth 17); ; = 148"),
            ("2*a", "a 80 (markdown 40) (2 for 1 80); full 67+13; = 80"),
        ],
    );
}

#[test]
fn without_a_price_or_beyond_64_bits_there_is_no_total() {
    let promotion = json!({ "promotions": [{ "name": "x", "skus": ["a", "b"], "buy": 2, "pay": 1 }] });
    check(
        &shop("a:100:full b:? big:9000000000000000000", promotion),
        &[
            ("2*a 2*b", "a 100 (x 100), b ?; ; = ?"),
            ("1*unheard", "unheard ?; ; = ?"),
            ("2*big", "big ?; ; = ?"),
            ("1*big 1*a", "a 100, big 9000000000000000000; full 84+16; = 9000000000000000100"),
        ],
    );
}

#[test]
fn whatever_is_bought_adds_up_in_any_order() {
    for seed in 0..300 {
        let mut dice = dice(seed, "prices");
        let mut product = |sku: &str| {
            let price = dice.random_range(0..2_000_i64);
            let mut product = json!({ "sku": sku, "name": sku, "price_minor": price });
            match dice.random_range(0..4) {
                0 => product["markdown_off"] = json!(dice.random_range(1..=10_000)),
                1 => product["markdown_price_minor"] = json!(dice.random_range(0..=price)),
                _ => {}
            }
            if let Some(tax) = ["full", "food", "none"].get(dice.random_range(0..4_usize)) {
                product["tax"] = json!(tax);
            }
            product
        };
        let skus = ["a", "b", "c", "d", "e", "f"];
        let products = skus.map(&mut product);
        let promotions: Vec<Value> = (0..dice.random_range(0..4))
            .map(|number| {
                let first = dice.random_range(0..skus.len());
                let mut promotion = json!({ "name": number.to_string(), "skus": skus[first..] });
                if dice.random_bool(0.5) {
                    let pay = dice.random_range(1..4);
                    (promotion["pay"], promotion["buy"]) = (json!(pay), json!(pay + dice.random_range(1..3)));
                } else {
                    promotion["off"] = json!(dice.random_range(1..=10_000));
                }
                promotion
            })
            .collect();
        let rounding = if dice.random_bool(0.5) { "line" } else { "receipt" };
        let includes = dice.random_bool(0.5);
        let policy = json!({ "prices_include_tax": includes, "tax_rounding": rounding });
        let shop = shop("", json!({ "products": products, "promotions": promotions, "policy": policy }));
        let mut bought: Vec<Goods> = skus
            .iter()
            .map(|sku| Goods { sku: SkuId::new(sku), quantity: Quantity::new(dice.random_range(0..9)) })
            .collect();
        let priced = price(&shop, &bought, ShopTime::from_nanos(0));
        check_sums(&priced, includes, seed);
        for _ in 0..3 {
            let (one, other) = (dice.random_range(0..skus.len()), dice.random_range(0..skus.len()));
            bought.swap(one, other);
            assert_eq!(price(&shop, &bought, ShopTime::from_nanos(0)), priced, "seed {seed}");
        }
    }
}

fn check_sums(priced: &Priced, includes: bool, seed: u64) {
    let mut sum = 0;
    for line in &priced.lines {
        let full = line.unit_price.unwrap().minor * i64::from(line.quantity.get());
        let off: i64 = line.discounts.iter().map(|discount| discount.amount.minor).sum();
        assert!(line.discounts.iter().all(|discount| 0 < discount.amount.minor), "seed {seed}: {line:?}");
        assert!(off <= full, "seed {seed}: {line:?}");
        assert_eq!(line.amount.unwrap().minor, full - off, "seed {seed}: {line:?}");
        sum += full - off;
    }
    let tax: i64 = priced.taxes.iter().map(|share| share.tax.minor).sum();
    assert_eq!(priced.total.unwrap().minor, if includes { sum } else { sum + tax }, "seed {seed}");
    for share in &priced.taxes {
        let of_rule = priced.lines.iter().filter(|line| line.tax.as_ref() == Some(&share.name));
        let amount: i64 = of_rule.map(|line| line.amount.unwrap().minor).sum();
        let gross = if includes { share.net.minor + share.tax.minor } else { share.net.minor };
        assert_eq!(gross, amount, "seed {seed}: {share:?}");
        assert!(0 <= share.tax.minor && 0 <= share.net.minor, "seed {seed}: {share:?}");
    }
}

#[test]
fn a_verdict_keeps_what_it_does_not_change() {
    let shop = shop("a:100:full b:60 c:10", json!({}));
    let fact = |sequence: u64| json!([{ "source": "fusion", "sequence": sequence }]);
    let line = |sku: &str, units: u32, sequence: u64| {
        json!({ "sku": sku, "name": sku, "quantity": units, "amount": null, "probability": 0.5,
            "attributions": fact(sequence) })
    };
    let receipt: Receipt = serde_json::from_value(json!({ "visit": "7", "entered": 10, "left": 20, "closing": "left",
        "lines": [line("a", 1, 1), line("b", 2, 2), line("c", 1, 3)], "total": null, "probability": 0.4 }))
    .unwrap();
    let after = reprice(&shop, &receipt, &goods("1*d 1*b 1*a"));
    let lines: Vec<String> = after
        .lines
        .iter()
        .map(|line| format!("{} {} {} {}", line.sku, line.quantity, line.probability, line.attributions.len()))
        .collect();
    assert_eq!(lines, ["a 1 50.0 % 1", "b 1 100.0 % 1", "d 1 100.0 % 0"]);
    assert_eq!((after.total, after.probability), (None, Prob::ONE));
    let empty = reprice(&shop, &receipt, &[]);
    assert_eq!((empty.lines.len(), empty.total.unwrap().minor, empty.left), (0, 0, receipt.left));
}
