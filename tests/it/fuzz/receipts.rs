//! Receipts of any sort in every form: what is written can be read back.

use std::sync::LazyLock;

use aisle::base::{BasisPoints, Currency, Money, Quantity, ShopTime, SkuId};
use aisle::document::{Form, render};
use aisle::facts::{Discount, Receipt, ReceiptLine, TaxShare};

use crate::documents::{Case, State, cases, check_poslog};

/// Texts that have been trouble somewhere.
const TEXTS: [&str; 8] = [
    "",
    "]]>",
    "<!--",
    "&#0;&amp;",
    "\u{202e}\u{2066}\u{feff}",
    "é\u{301}\u{200d}👩‍👩‍👧",
    "\0\u{fffe}\u{85}\r\n\t",
    "'\"`",
];
/// Lines of a receipt, discounts of a line, taxes of a receipt, at most.
const PARTS_MAX: u8 = 6;

/// What the receipts are like before they are changed.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);

/// Bytes as choices; zeros behind their end.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let length = N.min(self.0.len());
        taken[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        taken
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.bytes::<1>()[0] % bound
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(8) != 0).then(|| value(self))
    }

    /// Mostly what prices are; sometimes anything.
    fn money(&mut self, currency: Currency) -> Money {
        let minor = match self.below(4) {
            0 => i64::from_le_bytes(self.bytes()),
            _ => i64::from(u16::from_le_bytes(self.bytes())),
        };
        Money::new(minor, currency)
    }

    fn text(&mut self) -> String {
        let trouble = TEXTS[usize::from(self.below(TEXTS.len() as u8))];
        let letters = self.below(40);
        let any: String =
            (0..letters).filter_map(|_| char::from_u32(u32::from_le_bytes(self.bytes()) & 0x1f_ffff)).collect();
        format!("{any}{trouble}")
    }

    fn line(&mut self, currency: Currency) -> ReceiptLine {
        let mut line: ReceiptLine = serde_json::from_value(serde_json::json!({
            "sku": "", "name": "", "quantity": 1, "amount": null, "probability": 0.5, "attributions": []
        }))
        .unwrap();
        line.sku = SkuId::new(&self.text());
        line.name = self.text();
        line.quantity = Quantity::new(match self.below(4) {
            0 => u32::from_le_bytes(self.bytes()),
            _ => 1 + u32::from(self.below(9)),
        });
        line.unit_price = self.maybe(|choices| choices.money(currency));
        line.amount = self.maybe(|choices| choices.money(currency));
        let discounts = self.below(PARTS_MAX) / 2;
        line.discounts = (0..discounts).map(|_| Discount { name: self.text(), amount: self.money(currency) }).collect();
        line
    }

    fn receipt(&mut self, like: &Receipt, currency: Currency) -> Receipt {
        let mut receipt = like.clone();
        receipt.entered = ShopTime::from_nanos(i64::from_le_bytes(self.bytes()));
        receipt.left = ShopTime::from_nanos(i64::from_le_bytes(self.bytes()));
        let lines = self.below(PARTS_MAX);
        receipt.lines = (0..lines).map(|_| self.line(currency)).collect();
        let taxes = self.below(PARTS_MAX) / 2;
        let share = |choices: &mut Self| TaxShare {
            name: choices.text(),
            rate: BasisPoints::new(u32::from_le_bytes(choices.bytes())),
            net: choices.money(currency),
            tax: choices.money(currency),
        };
        receipt.taxes = (0..taxes).map(|_| share(self)).collect();
        receipt.total = self.maybe(|choices| choices.money(currency));
        receipt
    }
}

fn case(choices: &mut Choices<'_>) -> Case {
    let mut case = CASES[usize::from(choices.below(u8::MAX)) % CASES.len()].clone();
    let currency: Currency = ["EUR", "JPY", "KWD", "CLF"][usize::from(choices.below(4))].parse().unwrap();
    case.state =
        [State::Review, State::Due, State::Paid, State::Credited, State::Voided][usize::from(choices.below(5))];
    case.before = choices.maybe(|choices| choices.receipt(&case.receipt, currency));
    case.receipt = choices.receipt(&case.receipt, currency);
    case
}

/// The bytes decide what the receipt is.
pub(super) fn document(input: &[u8]) {
    let case = case(&mut Choices(input));
    for form in Form::ALL {
        let text = match render(form, &case.sheet()) {
            Ok(text) => text,
            Err(error) => {
                assert!(form == Form::Poslog, "{form}: {error}");
                continue;
            }
        };
        assert_eq!(render(form, &case.sheet()).ok().as_ref(), Some(&text));
        match form {
            Form::Text => assert!(text.lines().all(|line| !line.contains('\u{202e}')), "{text}"),
            Form::Html => assert!(text.ends_with("</html>\n") && !text.contains("<!--"), "{text}"),
            Form::Json => {
                let document: serde_json::Value = serde_json::from_str(&text).unwrap();
                let receipt: Receipt = serde_json::from_value(document["receipt"].clone()).unwrap();
                assert_eq!(receipt, case.receipt);
            }
            Form::Poslog => {
                let names = check_poslog(&text).iter().filter(|(path, _)| path.ends_with("Sale/Description")).count();
                assert!(names == case.receipt.lines.len() || case.state == State::Credited);
            }
            Form::Epcis => {
                let document: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert!(document["epcisBody"]["eventList"].is_array());
            }
        }
    }
}
