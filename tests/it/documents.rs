//! Receipts as documents: what they look like, and that machines can read what is written for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aisle::base::{
    BasisPoints, CartId, Currency, Grams, Money, PlateId, Prob, Quantity, ShelfId, ShopTime, SkuId, SourceId, Span,
    TimeRange, TrackId, VisitId,
};
use aisle::document::{Credit, Form, Payment, Sheet, Standing, render};
use aisle::facts::{
    Attribution, Closing, Discount, Evidence, FactRef, Movement, Receipt, ReceiptLine, TakerEvidence, TaxShare,
    WeightEvidence,
};
use aisle::shop::{EpcisOptions, PlateDraft, ProductDraft, ShelfDraft, Shop, ShopDraft};
use jiff::tz::TimeZone;
use quick_xml::events::Event;

use super::snapshot;

/// Monday, 5 January 2026, 10:30:12 in Berlin.
const ENTERED: ShopTime = ShopTime::from_nanos(1_767_605_412_000_000_000);
/// The visit of all cases.
const VISIT: VisitId = VisitId::from_first_track(TrackId::new(3325379692103139202));

/// A receipt and what stands around it, owned.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) shop: Shop,
    pub(super) receipt: Receipt,
    pub(super) before: Option<Receipt>,
    pub(super) state: State,
    pub(super) attributions: Vec<(FactRef, Attribution)>,
    pub(super) zone: TimeZone,
    pub(super) epcis: EpcisOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Review,
    Due,
    Paid,
    Credited,
    Voided,
}

impl Case {
    pub(super) fn sheet(&self) -> Sheet<'_> {
        let after = |secs: i64| self.receipt.left + Span::from_millis(secs * 1000);
        let none = Money::new(0, self.shop.policy().currency);
        let of = |receipt: &Receipt| receipt.total.unwrap_or(none);
        let before = self.before.as_ref().unwrap_or(&self.receipt);
        let payment = Payment { provider: "sandbox", amount: of(before), at: after(2) };
        let standing = match self.state {
            State::Review => Standing::Review,
            State::Due => Standing::Due,
            State::Paid => Standing::Paid(payment),
            State::Credited => {
                let amount = of(before).checked_sub(of(&self.receipt)).unwrap_or(none);
                let credit = Credit { amount, at: after(86_400), before, before_version: 1 };
                Standing::Credited { payment: Some(payment), credit }
            }
            State::Voided => Standing::Voided,
        };
        Sheet {
            shop: &self.shop,
            cart: CartId::of_visit(self.shop.name(), self.receipt.entered, self.receipt.visit),
            version: if self.state == State::Credited { 2 } else { 1 },
            receipt: &self.receipt,
            standing,
            attributions: &self.attributions,
            zone: &self.zone,
            epcis: &self.epcis,
        }
    }

    fn render(&self, form: Form) -> String {
        render(form, &self.sheet()).unwrap_or_else(|error| panic!("{} as {form}: {error}", self.name))
    }
}

/// A line: code, name, units, price of one, discounts, rule of tax.
struct Line(&'static str, &'static str, u32, Option<i64>, &'static [(&'static str, i64)], Option<&'static str>);

fn shop(name: &str, currency: &str, products: &[(&str, &str)]) -> Shop {
    let product = |(sku, name): &(&str, &str)| ProductDraft {
        sku: (*sku).to_owned(),
        name: (*name).to_owned(),
        gtin: sku.parse::<aisle::shop::Gtin>().is_ok().then(|| (*sku).to_owned()),
        ..ProductDraft::default()
    };
    let shelf = ShelfId::new(1, 5);
    let plate = |plate: u16| PlateDraft {
        id: PlateId { shelf, plate },
        left_metres: f64::from(plate - 1) * 0.1016,
        width_metres: 0.1016,
    };
    let draft: ShelfDraft = serde_json::from_value(serde_json::json!({
        "id": "1-5", "placement": { "origin": [0.0, 0.0, 1.2], "turn_radians": 0.0 }, "depth_metres": 0.4,
        "clearance_metres": 0.4, "plates": (1..=12).map(plate).collect::<Vec<_>>(), "facings": []
    }))
    .unwrap();
    let mut whole = ShopDraft { name: name.to_owned(), ..ShopDraft::default() };
    whole.policy.currency = currency.to_owned();
    whole.products = products.iter().map(product).collect();
    whole.shelves = vec![draft];
    // A book may hold names that are no longer taken.
    Shop::check_kept(whole).unwrap()
}

fn receipt(currency: &str, lines: &[Line], taxes: &[(&str, u32, i64, i64)]) -> Receipt {
    let currency: Currency = currency.parse().unwrap();
    let money = |minor| Money::new(minor, currency);
    let mut fact = 0;
    let line = |Line(sku, name, units, price, discounts, tax): &Line| {
        let off: i64 = discounts.iter().map(|(_, amount)| amount).sum();
        fact += 1;
        ReceiptLine {
            sku: SkuId::new(sku),
            name: (*name).to_owned(),
            quantity: Quantity::new(*units),
            unit_price: price.map(money),
            discounts: discounts
                .iter()
                .map(|(name, amount)| Discount { name: (*name).to_owned(), amount: money(*amount) })
                .collect(),
            amount: price.map(|price| money(price * i64::from(*units) - off)),
            tax: tax.map(str::to_owned),
            probability: Prob::new(0.987),
            attributions: vec![FactRef { source: SourceId::new("fusion"), sequence: fact }],
        }
    };
    let lines: Vec<ReceiptLine> = lines.iter().map(line).collect();
    let share = |(name, rate, net, tax): &(&str, u32, i64, i64)| TaxShare {
        name: (*name).to_owned(),
        rate: BasisPoints::new(*rate),
        net: money(*net),
        tax: money(*tax),
    };
    let total = lines.iter().try_fold(money(0), |sum, line| sum.checked_add(line.amount?));
    Receipt {
        visit: VISIT,
        entered: ENTERED,
        left: ENTERED + Span::from_millis(268_000),
        closing: Closing::Left,
        lines,
        taxes: taxes.iter().map(share).collect(),
        interrupted: None,
        total,
        probability: Prob::new(0.963),
    }
}

/// `sequence movement sku units plate seconds`: a movement with its evidence.
fn movement(sequence: u64, movement: Movement, sku: &str, units: u32, plate: u16, secs: i64) -> (FactRef, Attribution) {
    let start = ENTERED + Span::from_millis(secs * 1000);
    let sign = if movement == Movement::Take { -1.0 } else { 1.0 };
    let each = if movement == Movement::Take { 332.0 } else { 330.5 };
    let other = VisitId::from_first_track(TrackId::new(42));
    let evidence = Evidence {
        event: FactRef { source: SourceId::new("shelf/1-5"), sequence },
        shelf: ShelfId::new(1, 5),
        plates: [plate, plate + 1].map(|plate| PlateId::new(1, 5, plate)).to_vec(),
        span: TimeRange::new(start, start + Span::from_millis(900)),
        weight: WeightEvidence {
            measured: Grams::new(sign * each * f64::from(units)),
            sigma: Grams::new(4.0 * f64::from(units)),
            expected: Grams::new(sign * 330.0 * f64::from(units)),
            learned: sequence == 2,
        },
        takers: vec![
            TakerEvidence { visit: VISIT, wrist_metres: Some(0.07), share: Prob::new(0.981) },
            TakerEvidence { visit: other, wrist_metres: (sequence != 2).then_some(0.62), share: Prob::new(0.019) },
        ],
        misplaced: sequence == 3,
        probability: Prob::new(0.963),
    };
    let attribution =
        Attribution { visit: VISIT, movement, sku: SkuId::new(sku), quantity: Quantity::new(units), evidence };
    (FactRef { source: SourceId::new("fusion"), sequence }, attribution)
}

/// Central European Time without a database of zones.
fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn case(name: &'static str, shop: Shop, receipt: Receipt, state: State) -> Case {
    let epcis = EpcisOptions::default();
    Case { name, shop, receipt, before: None, state, attributions: Vec::new(), zone: berlin(), epcis }
}

const WATER: &str = "04006381333931";
const CHOCOLATE: &str = "09506000134352";

fn corner(currency: &str) -> Shop {
    let products =
        [(WATER, "Sparkling water 0.33 l"), (CHOCOLATE, "Dark chocolate 70 %"), ("loose/apple", "Apple, loose")];
    shop("Corner shop", currency, &products)
}

/// Every sort of receipt that there is.
pub(super) fn cases() -> Vec<Case> {
    const OFF: &[(&str, i64)] = &[("3 for 2", 119)];
    const TWO_OFF: &[(&str, i64)] = &[("Best before today, 30 %", 90), ("Members", 11)];
    let usual = [
        Line(WATER, "Sparkling water 0.33 l", 2, Some(119), &[], None),
        Line(CHOCOLATE, "Dark chocolate 70 %", 1, Some(299), &[], None),
        Line("loose/apple", "Apple, loose", 3, Some(45), &[], None),
    ];
    let discounted = || {
        let lines = [
            Line(WATER, "Sparkling water 0.33 l", 3, Some(119), OFF, Some("standard")),
            Line(CHOCOLATE, "Dark chocolate 70 %", 1, Some(299), TWO_OFF, Some("reduced")),
        ];
        receipt("EUR", &lines, &[("standard", 1900, 200, 38), ("reduced", 700, 185, 13)])
    };
    let mut with_evidence = case("usual", corner("EUR"), receipt("EUR", &usual, &[]), State::Paid);
    with_evidence.attributions = vec![
        movement(1, Movement::Take, WATER, 2, 3, 31),
        movement(2, Movement::Take, CHOCOLATE, 1, 7, 74),
        movement(3, Movement::Take, "loose/apple", 3, 10, 120),
        movement(4, Movement::Take, CHOCOLATE, 1, 7, 150),
        movement(5, Movement::Return, CHOCOLATE, 1, 7, 163),
    ];
    with_evidence.epcis.location = Some("9506000134369".to_owned());
    with_evidence.epcis.products = Some("https://shop.example/product/".to_owned());
    let unpriced = [usual[1].clone_as(Some(299)), Line("soap", "Soap", 2, None, &[], None)];
    let after = [Line(WATER, "Sparkling water 0.33 l", 2, Some(119), &[], Some("standard"))];
    let mut credited =
        case("credited", corner("EUR"), receipt("EUR", &after, &[("standard", 1900, 200, 38)]), State::Credited);
    credited.before = Some(discounted());
    let yen = [Line("茶", "日本茶 お〜いお茶 緑茶 525ml ペットボトル", 2, Some(150), &[], None)];
    let dinar = [Line("dates", "تمر سكري فاخر من القصيم", 1, Some(1_250), &[("خصم", 250)], None)];
    let long = [Line(
        "long",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft instant noodles, family size",
        12,
        Some(9_999_999),
        &[],
        None,
    )];
    let hostile = [
        Line("<sku>&\"'", "<script>alert(1)</script> ]]> & \"quoted\" 'name'", 1, Some(100), &[("</p><b>", 1)], None),
        Line(
            "control",
            "nul\0 bell\u{7} esc\u{1b}[31m new\nline \u{202e}desrever\u{202c} \u{ffff}",
            1,
            Some(100),
            &[],
            None,
        ),
    ];
    vec![
        with_evidence,
        case("empty", corner("EUR"), receipt("EUR", &[], &[]), State::Due),
        case("discounts", corner("EUR"), discounted(), State::Paid),
        credited,
        case("unpriced", corner("EUR"), receipt("EUR", &unpriced, &[]), State::Review),
        case("voided", corner("EUR"), receipt("EUR", &usual, &[]), State::Voided),
        case("yen", shop("角の店", "JPY", &[]), receipt("JPY", &yen, &[]), State::Due),
        case("dinar", shop("متجر الزاوية", "KWD", &[]), receipt("KWD", &dinar, &[]), State::Paid),
        case("long", corner("EUR"), receipt("EUR", &long, &[]), State::Due),
        case("hostile", shop("<b>Shop</b> & ]]>", "EUR", &[]), receipt("EUR", &hostile, &[]), State::Paid),
    ]
}

impl Line {
    fn clone_as(&self, price: Option<i64>) -> Line {
        Line(self.0, self.1, self.2, price, self.4, self.5)
    }
}

#[test]
fn receipts_look_as_they_did() {
    let forms: [(Form, &[&str]); 5] = [
        (
            Form::Text,
            &["usual", "empty", "discounts", "credited", "unpriced", "voided", "yen", "dinar", "long", "hostile"],
        ),
        (Form::Html, &["usual", "empty", "discounts", "credited", "unpriced", "yen", "dinar", "hostile"]),
        (Form::Json, &["usual", "credited"]),
        (Form::Poslog, &["usual", "empty", "discounts", "credited", "voided", "yen", "dinar", "hostile"]),
        (Form::Epcis, &["usual", "empty", "credited", "hostile"]),
    ];
    let cases: BTreeMap<&str, Case> = cases().into_iter().map(|case| (case.name, case)).collect();
    for (form, names) in forms {
        for name in names {
            let text = cases[name].render(form);
            // One page shows the style; the others show what is in it.
            let text = if form == Form::Html && *name != "usual" { without_style(&text) } else { text };
            snapshot::check_file(&format!("documents/{name}.{}", form.extension()), &text);
        }
    }
}

#[test]
fn text_keeps_to_its_columns() {
    for case in cases() {
        for line in case.render(Form::Text).lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 48, "{}: {line}", case.name);
        }
    }
}

/// The path and the text of every element, in order.
pub(super) fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut path, mut found): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                open.push(found.len());
                found.push((path.join("/"), String::new()));
            }
            Event::End(_) => drop((path.pop(), open.pop())),
            Event::Text(text) => {
                if let Some(&inside) = open.last() {
                    found[inside].1.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let letter = quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                found[*open.last().unwrap()].1.push_str(letter);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(path.is_empty());
    found
}

/// The order of children that the schema of POSLog 6 demands, as far as we write them.
const POSLOG_ORDER: [(&str, &[&str]); 12] = [
    ("POSLog", &["Transaction"]),
    ("Transaction", &["BusinessUnit", "TransactionID", "POSLogDateTime", "CurrencyCode", "RetailTransaction"]),
    ("BusinessUnit", &["UnitID"]),
    ("RetailTransaction", &["LineItem", "Total"]),
    ("LineItem", &["Sale", "Return", "Tax", "Tender", "SequenceNumber"]),
    ("Sale", ITEM_ORDER),
    ("Return", ITEM_ORDER),
    ("POSIdentity", &["POSItemID"]),
    ("RetailPriceModifier", &["SequenceNumber", "Amount", "Description", "Quantity"]),
    ("Tax", &["TaxableAmount", "Amount", "Percent", "TaxRuleID"]),
    ("Tender", &["Amount"]),
    ("", &["POSLog"]),
];
const ITEM_ORDER: &[&str] = &[
    "POSIdentity",
    "Description",
    "RegularSalesUnitPrice",
    "ExtendedAmount",
    "Quantity",
    "RetailPriceModifier",
    "TaxIncludedInPriceFlag",
];

/// Reads a POSLog back: it is well formed, its elements are known and in order, its amounts are in range. Gives the values
/// of all elements of one name.
pub(super) fn check_poslog(xml: &str) -> Vec<(String, String)> {
    let elements = elements(xml);
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in &elements {
        let (parent_path, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = parent_path.rsplit('/').next().unwrap_or_default();
        let (_, order) = POSLOG_ORDER.iter().find(|(known, _)| *known == parent).unwrap_or_else(|| panic!("{path}"));
        let rank = order.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{path} is not known"));
        let before = last.insert(parent_path.to_owned(), rank).unwrap_or(0);
        assert!(before <= rank, "{path} stands too late");
        // A further element of the same path begins a row of children of its own.
        last.retain(|other, _| !other.starts_with(&format!("{path}/")) && other != path);
        if ["Amount", "ExtendedAmount", "RegularSalesUnitPrice", "TaxableAmount", "Total"].contains(&name) {
            let amount: f64 = text.parse().unwrap();
            assert!((0.0..1e8).contains(&amount), "{path}: {text}");
        }
    }
    elements
}

#[test]
fn poslog_reads_back_in_the_order_of_its_schema() {
    let values = |elements: &[(String, String)], end: &str| -> Vec<String> {
        elements.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, text)| text.clone()).collect()
    };
    for case in cases().into_iter().filter(|case| case.state != State::Review) {
        let elements = check_poslog(&case.render(Form::Poslog));
        let numbers: Vec<u32> =
            values(&elements, "LineItem/SequenceNumber").iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "{}", case.name);
        let line_sum: f64 = values(&elements, "ExtendedAmount").iter().map(|text| text.parse::<f64>().unwrap()).sum();
        let total: f64 = values(&elements, "Total").last().map_or(0.0, |text| text.parse().unwrap());
        assert!((line_sum - total).abs() < 1e-6 || case.state == State::Voided, "{}: {line_sum} {total}", case.name);
    }
    let hostile = cases().into_iter().find(|case| case.name == "hostile").unwrap();
    let names = values(&check_poslog(&hostile.render(Form::Poslog)), "Sale/Description");
    assert_eq!(names[0], "<script>alert(1)</script> ]]> & \"quoted\" 'name'");
    assert_eq!(names[1], "nul\u{fffd} bell\u{fffd} esc\u{fffd}[31m new line \u{fffd}desrever\u{fffd} \u{fffd}");
}

#[test]
fn poslog_refuses_what_it_cannot_say() {
    let line = |price| [Line("gold", "Gold", 1, Some(price), &[], None)];
    let refusal = |price, currency: &str, state| {
        let case = case("gold", corner(currency), receipt(currency, &line(price), &[]), state);
        render(Form::Poslog, &case.sheet()).err().map(|error| error.message().to_owned())
    };
    let range = "its amounts are from 0 to below 100000000";
    assert_eq!(refusal(9_999_999_999, "EUR", State::Paid), None);
    assert_eq!(
        refusal(10_000_000_000, "EUR", State::Paid),
        Some(format!("POSLog cannot say 100000000.00 EUR (RegularSalesUnitPrice): {range}"))
    );
    assert_eq!(refusal(99_999_999, "JPY", State::Due), None);
    assert!(refusal(100_000_000, "JPY", State::Due).is_some());
    assert_eq!(
        refusal(-1, "EUR", State::Due),
        Some(format!("POSLog cannot say -0.01 EUR (RegularSalesUnitPrice): {range}"))
    );
    assert_eq!(
        refusal(100, "EUR", State::Review).as_deref(),
        Some("a receipt that waits for its review is no POSLog transaction yet")
    );
    let unpriced =
        case("soap", corner("EUR"), receipt("EUR", &[Line("soap", "Soap", 1, None, &[], None)], &[]), State::Due);
    let refused = render(Form::Poslog, &unpriced.sheet()).err().map(|error| error.message().to_owned());
    assert_eq!(refused.as_deref(), Some("POSLog cannot say a receipt without a total"));
}

/// Contract data below `AISLE_DATA`, else beside the repository; says when it is not there.
fn contract(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from).join(name);
    if path.is_file() {
        return Some(path);
    }
    let how = format!("nothing is at {}; set AISLE_DATA to the data folder", path.display());
    super::left_out::left_out("documents of others", &how);
    None
}

#[test]
fn epcis_keeps_to_the_schema_of_gs1() {
    let Some(path) = contract("specs/epcis2/EPCIS-JSON-Schema.json") else { return };
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let contract = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let mut events = 0;
    for case in cases() {
        let document: serde_json::Value = serde_json::from_str(&case.render(Form::Epcis)).unwrap();
        let wrongs: Vec<String> =
            contract.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrongs.is_empty(), "{}: {wrongs:#?}", case.name);
        events += document["epcisBody"]["eventList"].as_array().unwrap().len();
    }
    assert!(20 <= events, "{events}");
    let bad = serde_json::json!({ "@context": [], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "today", "epcisBody": { "eventList": [] } });
    assert!(!contract.is_valid(&bad), "formats are not looked at");
}

#[test]
fn epcis_names_an_event_once() {
    let names = |case: &Case| -> Vec<String> {
        let document: serde_json::Value = serde_json::from_str(&case.render(Form::Epcis)).unwrap();
        let events = document["epcisBody"]["eventList"].as_array().unwrap().clone();
        events.iter().map(|event| event["eventID"].as_str().unwrap().to_owned()).collect()
    };
    let cases: BTreeMap<&str, Case> = cases().into_iter().map(|case| (case.name, case)).collect();
    let (booked, corrected) = (names(&cases["discounts"]), names(&cases["credited"]));
    assert_eq!(booked.len(), 2);
    assert_eq!(corrected[..2], booked[..], "the sale that is corrected is told under the names it had");
    assert_eq!(corrected.len(), 3);
    let mut usual = names(&cases["usual"]);
    usual.sort();
    usual.dedup();
    assert_eq!(usual.len(), 7);
    assert_eq!(names(&cases["unpriced"]), [""; 0], "nothing is sold before its review");
}

#[test]
fn epcis_refuses_places_and_products_that_are_none() {
    let refusal = |location: Option<&str>, products: Option<&str>| {
        let mut case = cases().remove(0);
        case.epcis =
            EpcisOptions { location: location.map(str::to_owned), products: products.map(str::to_owned), places: None };
        render(Form::Epcis, &case.sheet()).err().map(|error| error.message().to_owned())
    };
    assert_eq!(refusal(None, None), None);
    assert_eq!(
        refusal(Some("9506000134368"), None).as_deref(),
        Some(
            "location `9506000134368` is not a Global Location Number: it has 13 digits, the last of which is its check digit"
        )
    );
    assert!(refusal(Some("96385074"), None).unwrap().contains("`96385074` is not a Global Location Number"));
    assert!(refusal(None, Some("my shop/")).unwrap().contains("`my shop/` is not the beginning of a URI"));
}

#[test]
fn json_holds_the_receipt_as_recordings_do() {
    for case in cases() {
        let document: serde_json::Value = serde_json::from_str(&case.render(Form::Json)).unwrap();
        let receipt: Receipt = serde_json::from_value(document["receipt"].clone()).unwrap();
        assert_eq!(receipt, case.receipt, "{}", case.name);
        assert_eq!(document["cart"], serde_json::json!(case.sheet().cart));
        assert_eq!(document["attributions"].as_array().unwrap().len(), case.attributions.len());
    }
}

#[test]
fn pages_load_and_run_nothing() {
    for case in cases() {
        let page = case.render(Form::Html);
        assert_eq!(page.matches("<script").count(), 0, "{}", case.name);
        for door in ["href=", "src=", "url(", "@import", "javascript:", " on"] {
            let inside = page.split('<').filter(|tag| tag.split('>').next().unwrap().contains(door)).count();
            assert_eq!(inside, 0, "{}: {door}", case.name);
        }
        assert!(!page.chars().any(|letter| letter.is_control() && letter != '\n'), "{}", case.name);
    }
}

#[test]
fn times_follow_the_zone() {
    let mut case = cases().remove(0);
    case.receipt.left = ShopTime::from_nanos(1_774_746_000_000_000_000);
    let text = case.render(Form::Text);
    assert!(text.contains("2026-01-05 10:30:12 +01:00"), "{text}");
    assert!(text.contains("2026-03-29 03:00:00 +02:00"), "{text}");
}

/// The first case, paid, in a shop that says where it is.
fn placed(timezone: &str, locale: Option<&str>) -> Case {
    let mut case = cases().remove(0);
    let mut draft = case.shop.draft().clone();
    draft.timezone = Some(timezone.to_owned());
    draft.locale = locale.map(str::to_owned);
    draft.epcis = serde_json::from_value(serde_json::json!({ "places": "https://shop.example/place/" })).unwrap();
    case.shop = Shop::check_kept(draft).unwrap();
    case.zone = case.shop.zone().clone();
    case.epcis = case.shop.epcis().clone();
    case.state = State::Paid;
    case
}

#[test]
fn every_form_says_times_in_the_zone_of_the_shop() {
    let case = placed("Asia/Tokyo", None);
    for form in [Form::Text, Form::Html, Form::Poslog, Form::Epcis] {
        let text = case.render(form);
        assert!(text.contains("18:30:12") || form == Form::Poslog || form == Form::Epcis, "{form}: {text}");
        assert!(text.contains("+09:00") && !text.contains("+00:00"), "{form}: {text}");
    }
    // Beside the payment too.
    let paid = case.render(Form::Text);
    let after = paid.split("PAID").nth(1).unwrap();
    assert!(after.contains("+09:00"), "{paid}");
    let events = case.render(Form::Epcis);
    assert!(events.contains("\"eventTimeZoneOffset\": \"+09:00\""), "{events}");
    assert!(events.contains("\"id\": \"https://shop.example/place/exit\""), "{events}");
    assert!(events.contains("\"id\": \"https://shop.example/place/shop\""), "{events}");
    assert!(placed("-03:30", None).render(Form::Text).contains("06:00:12 -03:30"));
}

#[test]
fn receipts_are_written_in_the_language_of_the_shop() {
    for (locale, words, date) in [
        ("de-DE", ["SUMME", "BEZAHLT"], "05.01.2026 10:30:12 +01:00"),
        ("ja-JP", ["合計", "お支払い済み"], "2026/01/05 10:30:12 +01:00"),
        ("en-US", ["TOTAL", "PAID"], "01/05/2026 10:30:12 AM +01:00"),
        ("fr-FR", ["TOTAL", "PAYÉ"], "05/01/2026 10:30:12 +01:00"),
    ] {
        let case = placed("Europe/Berlin", Some(locale));
        let text = case.render(Form::Text);
        for part in words.into_iter().chain([date]) {
            assert!(text.contains(part), "{locale}: no {part} in {text}");
        }
        let wide = text.lines().map(aisle::base::text::columns).max().unwrap();
        assert!(wide <= 48, "{locale}: {wide} columns in {text}");
        assert!(case.render(Form::Html).contains(&format!("<html lang=\"{locale}\">")));
    }
}

#[test]
fn forms_have_their_words() {
    for form in Form::ALL {
        assert_eq!(form.to_string().parse(), Ok(form));
    }
    let wrong = "pdf".parse::<Form>();
    assert_eq!(wrong, Err("`pdf` is not a form of receipt: write text, html, json, poslog or epcis".to_owned()));
}

fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    format!("{before}<style>…</style>{after}")
}
