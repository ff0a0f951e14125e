//! ARTS POSLog 6: one `RetailTransaction`. What a document does not know is left out; what the format cannot say is
//! refused. A correction is a transaction of its own, of returns; a receipt that was never booked has cancelled lines.
//!
//! Names, their order and the range of amounts follow `POSLogV6.0.0.xsd` of the National Retail Federation.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::words::{self, TakenOff, plain};
use super::{Credit, Payment, Sheet, Standing};
use crate::base::{BasisPoints, Error, Money, Quantity, Result, SkuId};
use crate::facts::{Discount, Receipt, ReceiptLine, TaxShare};

/// The namespace that version 6 of the schema declares.
const NAMESPACE: &str = "http://www.nrf-arts.org/IXRetail/namespace/";
/// Amounts are below this many major units.
const MAJOR_BOUND: i128 = 100_000_000;

/// An element as it will be written.
type Attributes<'a> = &'a [(&'a str, &'a str)];

pub(super) fn render(sheet: &Sheet<'_>) -> Result<String> {
    let currency = match (sheet.standing, sheet.receipt.total) {
        (Standing::Review, _) => {
            let hint = "ask for it when the review is done, or take the form `json`";
            return Err(Error::usage("a receipt that waits for its review is no POSLog transaction yet").hint(hint));
        }
        (Standing::Credited { credit, .. }, _) => credit.amount.currency,
        (_, Some(total)) => total.currency,
        (_, None) => {
            let hint = "give every product of the catalogue a price";
            return Err(Error::usage("POSLog cannot say a receipt without a total").hint(hint));
        }
    };
    let mut log = Log { xml: Writer::new_with_indent(Vec::new(), b' ', 2), sequence: 0 };
    log.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = [("xmlns", NAMESPACE), ("MajorVersion", "6"), ("MinorVersion", "0"), ("FixVersion", "0")];
    log.within("POSLog", &root, |log| {
        log.within("Transaction", &[], |log| {
            log.within("BusinessUnit", &[], |log| {
                log.leaf("UnitID", &[("TypeCode", "RetailStore")], sheet.shop.name())
            })?;
            log.leaf("TransactionID", &[], &format!("{}-{}", sheet.cart, sheet.version))?;
            let at = match sheet.standing {
                Standing::Credited { credit, .. } => credit.at,
                _ => sheet.receipt.left,
            };
            log.leaf("POSLogDateTime", &[], &words::rfc3339(at, sheet.zone))?;
            log.leaf("CurrencyCode", &[], currency.code())?;
            log.within("RetailTransaction", &[("TransactionStatus", "Finished")], |log| match sheet.standing {
                Standing::Credited { payment, credit } => log.correction(sheet, payment, credit),
                Standing::Paid(payment) => log.sale(sheet, Some(payment), false),
                Standing::Voided | Standing::Unbilled => log.sale(sheet, None, true),
                Standing::Review | Standing::Due => log.sale(sheet, None, false),
            })
        })
    })?;
    let mut text = String::from_utf8(log.xml.into_inner()).map_err(|error| failed(&error))?;
    text.push('\n');
    Ok(text)
}

/// A document being written.
struct Log {
    xml: Writer<Vec<u8>>,
    /// Number of the line item before.
    sequence: u32,
}

/// A line of goods, sold or returned.
struct Goods<'a> {
    sku: &'a SkuId,
    name: &'a str,
    unit_price: Option<Money>,
    amount: Option<Money>,
    quantity: Quantity,
    discounts: &'a [Discount],
    with_tax: Option<bool>,
}

impl Log {
    fn sale(&mut self, sheet: &Sheet<'_>, payment: Option<Payment<'_>>, cancelled: bool) -> Result<()> {
        let receipt = sheet.receipt;
        let flag: Attributes<'_> = if cancelled { &[("CancelFlag", "true")] } else { &[] };
        for line in &receipt.lines {
            self.item(flag, |log| log.goods(sheet, "Sale", &sold(line, prices_have_tax(receipt))))?;
        }
        if cancelled {
            return Ok(());
        }
        for share in &receipt.taxes {
            self.item(&[], |log| log.tax("Sale", share))?;
        }
        if let Some(payment) = payment {
            self.item(&[], |log| log.tender("Sale", payment.amount))?;
        }
        receipt.total.map_or(Ok(()), |total| self.totals(&receipt.taxes, total))
    }

    /// Goods that were charged and come off again.
    fn correction(&mut self, sheet: &Sheet<'_>, payment: Option<Payment<'_>>, credit: Credit<'_>) -> Result<()> {
        let with_tax = prices_have_tax(credit.before);
        for taken_off in &words::taken_off(credit.before, sheet.receipt) {
            self.item(&[], |log| log.goods(sheet, "Return", &returned(taken_off, with_tax)))?;
        }
        let taxes = taxes_taken_off(&credit.before.taxes, &sheet.receipt.taxes);
        for share in &taxes {
            self.item(&[], |log| log.tax("Refund", share))?;
        }
        if payment.is_some() {
            self.item(&[], |log| log.tender("Refund", credit.amount))?;
        }
        self.totals(&taxes, credit.amount)
    }

    fn totals(&mut self, taxes: &[TaxShare], total: Money) -> Result<()> {
        let tax = taxes.iter().try_fold(Money::new(0, total.currency), |sum, share| sum.checked_add(share.tax));
        if let Some((tax, net)) = tax.and_then(|tax| Some((tax, total.checked_sub(tax)?))) {
            self.amount("Total", &[("TotalType", "TransactionNetAmount")], net)?;
            self.amount("Total", &[("TotalType", "TransactionTaxAmount")], tax)?;
        }
        self.amount("Total", &[("TotalType", "TransactionGrandAmount")], total)
    }

    /// A line item; its number comes behind what it is about.
    fn item(&mut self, attributes: Attributes<'_>, about: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.sequence += 1;
        let number = self.sequence.to_string();
        self.within("LineItem", attributes, |log| {
            about(log)?;
            log.leaf("SequenceNumber", &[], &number)
        })
    }

    fn goods(&mut self, sheet: &Sheet<'_>, kind: &str, goods: &Goods<'_>) -> Result<()> {
        let gtin = sheet.shop.catalogue().get(goods.sku).and_then(|product| product.gtin);
        let (system, code) = match gtin {
            Some(gtin) => ("GTIN", gtin.to_string()),
            None => ("SKU", goods.sku.as_str().to_owned()),
        };
        self.within(kind, &[("ItemType", "Stock")], |log| {
            log.within("POSIdentity", &[("POSIDType", system)], |log| log.leaf("POSItemID", &[], &code))?;
            log.leaf("Description", &[], goods.name)?;
            if let Some(price) = goods.unit_price {
                log.amount("RegularSalesUnitPrice", &[], price)?;
            }
            if let Some(amount) = goods.amount {
                log.amount("ExtendedAmount", &[], amount)?;
            }
            let units = goods.quantity.to_string();
            log.leaf("Quantity", &[("Units", &units), ("UnitOfMeasureCode", "EA")], &units)?;
            for (number, discount) in (1..).zip(goods.discounts) {
                log.discount(number, discount)?;
            }
            match goods.with_tax {
                Some(with_tax) => log.leaf("TaxIncludedInPriceFlag", &[], &with_tax.to_string()),
                None => Ok(()),
            }
        })
    }

    fn discount(&mut self, number: u32, discount: &Discount) -> Result<()> {
        self.within("RetailPriceModifier", &[], |log| {
            log.leaf("SequenceNumber", &[], &number.to_string())?;
            log.amount("Amount", &[("Action", "Subtract")], discount.amount)?;
            log.leaf("Description", &[], &discount.name)?;
            // Without this a modifier counts once for each unit of the line.
            log.leaf("Quantity", &[("Units", "1"), ("UnitOfMeasureCode", "EA")], "1")
        })
    }

    fn tax(&mut self, direction: &str, share: &TaxShare) -> Result<()> {
        self.within("Tax", &[("TypeCode", direction)], |log| {
            log.amount("TaxableAmount", &[("TaxIncludedInTaxableAmountFlag", "false")], share.net)?;
            log.amount("Amount", &[], share.tax)?;
            log.leaf("Percent", &[], &percent(share.rate))?;
            log.leaf("TaxRuleID", &[], &share.name)
        })
    }

    fn tender(&mut self, direction: &str, amount: Money) -> Result<()> {
        self.within("Tender", &[("TenderType", "OnlinePayment"), ("TypeCode", direction)], |log| {
            log.amount("Amount", &[("Currency", amount.currency.code())], amount)
        })
    }

    fn amount(&mut self, name: &str, attributes: Attributes<'_>, amount: Money) -> Result<()> {
        let scale = 10_i128.pow(amount.currency.decimals());
        if amount.minor < 0 || MAJOR_BOUND * scale <= i128::from(amount.minor) {
            let hint = "take the form `json`, which says every amount";
            return Err(Error::usage(format!(
                "POSLog cannot say {amount} ({name}): its amounts are from 0 to below {MAJOR_BOUND}"
            ))
            .hint(hint));
        }
        self.leaf(name, attributes, &amount.decimal())
    }

    fn leaf(&mut self, name: &str, attributes: Attributes<'_>, text: &str) -> Result<()> {
        self.event(Event::Start(start(name, attributes)))?;
        self.event(Event::Text(BytesText::new(&plain(text))))?;
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn within(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.event(Event::Start(start(name, attributes)))?;
        inside(self)?;
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn event(&mut self, event: Event<'_>) -> Result<()> {
        self.xml.write_event(event).map_err(|error| failed(&error))
    }
}

fn start<'a>(name: &'a str, attributes: Attributes<'_>) -> BytesStart<'a> {
    BytesStart::new(name).with_attributes(attributes.iter().copied())
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::input(format!("the receipt cannot be written as XML: {error}"))
}

fn sold(line: &ReceiptLine, with_tax: Option<bool>) -> Goods<'_> {
    Goods {
        sku: &line.sku,
        name: &line.name,
        unit_price: line.unit_price,
        amount: line.amount,
        quantity: line.quantity,
        discounts: &line.discounts,
        with_tax,
    }
}

fn returned<'a>(taken_off: &TakenOff<'a>, with_tax: Option<bool>) -> Goods<'a> {
    // What a discount was worth to the units that go back is in the amount; which discount it was cannot be told.
    Goods { quantity: taken_off.quantity, amount: taken_off.amount, discounts: &[], ..sold(taken_off.before, with_tax) }
}

/// Whether the amounts of the lines are with tax; `None` where there is no tax, or a sum is not known.
fn prices_have_tax(receipt: &Receipt) -> Option<bool> {
    if receipt.taxes.iter().all(|share| share.tax.minor == 0) {
        return None;
    }
    let total = receipt.total?;
    let none = Money::new(0, total.currency);
    let lines = receipt.lines.iter().try_fold(none, |sum, line| sum.checked_add(line.amount?))?;
    Some(lines == total)
}

/// The tax that a correction gives back, by rule; rules under which nothing changed are left out.
fn taxes_taken_off(before: &[TaxShare], now: &[TaxShare]) -> Vec<TaxShare> {
    let difference = |share: &TaxShare| {
        let rest = now.iter().find(|rest| rest.name == share.name && rest.rate == share.rate);
        let less = |before: Money, rest: Option<Money>| rest.map_or(Some(before), |rest| before.checked_sub(rest));
        let (net, tax) = (less(share.net, rest.map(|rest| rest.net))?, less(share.tax, rest.map(|rest| rest.tax))?);
        (net.minor != 0 || tax.minor != 0).then(|| TaxShare { net, tax, ..share.clone() })
    };
    before.iter().filter_map(difference).collect()
}

/// A rate as a decimal number of percents: `19.00`.
fn percent(rate: BasisPoints) -> String {
    format!("{}.{:02}", rate.get() / 100, rate.get() % 100)
}
