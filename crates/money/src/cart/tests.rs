//! Small books of attributions: `take`, `return` and `close` in, the receipt as text out.

use serde_json::json;

use super::*;
use crate::base::{Money, ShopTime, SourceId};
use crate::facts::{ReceiptLine, Stamp};
use crate::shop::{ProductDraft, ShopDraft};

/// Tea costs 3.00, salt 1.05; soap has no price.
fn shop() -> Arc<Shop> {
    let product = |(sku, price_minor): (&str, Option<i64>)| ProductDraft {
        sku: sku.to_owned(),
        name: sku.to_uppercase(),
        price_minor,
        ..ProductDraft::default()
    };
    let products = [("tea", Some(300)), ("salt", Some(105)), ("soap", None)].map(product).to_vec();
    Arc::new(Shop::check(ShopDraft { name: "small".to_owned(), products, ..ShopDraft::default() }).unwrap())
}

/// One entry, such as `7 take tea 2` or `7 close`.
fn body(text: &str) -> Body {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [visit, "close"] => Body::Visit(
            serde_json::from_value(json!({ "visit": visit, "entered": 10, "left": 20, "closing": "left",
                "lines": [{ "sku": "tea", "quantity": 1, "probability": 0.75 }], "probability": 0.5 }))
            .unwrap(),
        ),
        [visit, movement, sku, units] => {
            let evidence = json!({ "event": { "source": "shelf/1-1", "sequence": 1 }, "shelf": "1-1", "plates": [],
                "span": { "start": 0, "end": 1 }, "takers": [], "misplaced": false, "probability": 0.5,
                "weight": { "measured": -1.0, "sigma": 1.0, "expected": -1.0, "learned": false } });
            let units: u32 = units.parse().unwrap();
            let value =
                json!({ "visit": visit, "movement": movement, "sku": sku, "quantity": units, "evidence": evidence });
            Body::Attribution(serde_json::from_value(value).unwrap())
        }
        _ => panic!("{text}"),
    }
}

/// `VISIT: NAME UNITS = AMOUNT (PROBABILITY) [SEQUENCES], ...; total TOTAL`.
fn text_of(receipt: &Receipt) -> String {
    let money = |money: Option<Money>| money.map_or_else(|| "unknown".to_owned(), |money| money.to_string());
    let line = |line: &ReceiptLine| {
        let sequences: Vec<String> = line.attributions.iter().map(|fact| fact.sequence.to_string()).collect();
        let amount = money(line.amount);
        format!("{} {} = {amount} ({}) [{}]", line.name, line.quantity, line.probability, sequences.join(" "))
    };
    let lines: Vec<String> = receipt.lines.iter().map(line).collect();
    format!("{}: {}; total {}", receipt.visit, lines.join(", "), money(receipt.total))
}

/// Takes the entries, numbered from 1; the receipts must read as expected.
fn check(entries: &str, expected: &[&str]) {
    let mut book = CartBook::new(shop());
    let mut receipts = Vec::new();
    for (sequence, entry) in (1..).zip(entries.split(';')) {
        let at = ShopTime::from_nanos(sequence as i64);
        let stamp = Stamp { source: SourceId::new("fusion"), sequence, at, arrived: at };
        receipts.extend(book.take(&Fact { stamp, body: body(entry) }));
    }
    let texts: Vec<String> = receipts.iter().map(text_of).collect();
    assert_eq!(texts, expected, "{entries}");
}

#[test]
fn takes_and_returns_fold_into_lines_ordered_by_product() {
    check(
        "7 take tea 2; 7 take salt 3; 7 return tea 1; 7 close",
        &["7: SALT 3 = 3.15 USD (0.0 %) [2], TEA 1 = 3.00 USD (75.0 %) [1 3]; total 6.15 USD"],
    );
}

#[test]
fn every_visit_has_its_own_cart_and_a_closed_one_is_gone() {
    check(
        "7 take tea 1; 8 take salt 1; 7 close; 8 close; 7 close",
        &[
            "7: TEA 1 = 3.00 USD (75.0 %) [1]; total 3.00 USD",
            "8: SALT 1 = 1.05 USD (0.0 %) [2]; total 1.05 USD",
            "7: ; total 0.00 USD",
        ],
    );
}

#[test]
fn who_bought_nothing_gets_an_empty_receipt() {
    check("7 close", &["7: ; total 0.00 USD"]);
    check("7 take soap 1; 7 return soap 1; 7 close", &["7: ; total 0.00 USD"]);
}

#[test]
fn a_product_without_price_leaves_the_total_open() {
    check(
        "7 take soap 1; 7 take tea 1; 7 close",
        &["7: SOAP 1 = unknown (0.0 %) [1], TEA 1 = 3.00 USD (75.0 %) [2]; total unknown"],
    );
    check("7 take tin 2; 7 close", &["7: tin 2 = unknown (0.0 %) [1]; total unknown"]);
}

#[test]
fn more_returns_than_takes_write_no_line() {
    check(
        "7 take tea 1; 7 return tea 3; 7 take salt 1; 7 close",
        &["7: SALT 1 = 1.05 USD (0.0 %) [3]; total 1.05 USD"],
    );
}

#[test]
fn facts_of_other_kinds_change_nothing() {
    let stamp = Stamp {
        source: SourceId::new("people"),
        sequence: 1,
        at: ShopTime::from_nanos(1),
        arrived: ShopTime::from_nanos(1),
    };
    let people = Fact { stamp, body: Body::People(crate::facts::PeopleFrame::default()) };
    assert_eq!(CartBook::new(shop()).take(&people), None);
}
