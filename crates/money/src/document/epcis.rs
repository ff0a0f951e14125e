//! GS1 EPCIS 2.0: what left the shelf, what came back, what went out of the gate, what was sold and what was credited, as
//! events in JSON-LD. Every event has a name that is derived from what it says, so whoever gets it twice has it once.

use jiff::tz::TimeZone;
use serde::Serialize;
use uuid::Uuid;

use super::{Credit, Sheet, Standing, words};
use crate::base::{Error, Quantity, Result, ShelfId, ShopTime, SkuId};
use crate::facts::{Attribution, FactRef, Movement, Receipt};
use crate::shop::EpcisOptions;

/// The vocabulary of the document.
const CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
/// Where GS1 identifiers resolve.
const RESOLVER: &str = "https://id.gs1.org";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    r#type: &'static str,
    schema_version: &'static str,
    creation_date: String,
    epcis_body: Body,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    event_list: Vec<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    r#type: &'static str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_time: String,
    event_time_zone_offset: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    biz_transaction_list: Vec<Transaction>,
    quantity_list: Vec<Goods>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_step: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_point: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_location: Option<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    biz_transaction: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Goods {
    epc_class: String,
    quantity: u32,
}

#[derive(Serialize)]
struct Place {
    id: String,
}

/// What an event is about, before it has its name and its places.
struct Happening<'a> {
    kind: &'static str,
    at: ShopTime,
    action: &'static str,
    step: Option<&'static str>,
    disposition: Option<&'static str>,
    goods: Vec<(&'a SkuId, Quantity)>,
    /// `shelf-1-5`, or the gate.
    spot: String,
    /// What tells it from every other event of this cart.
    name: String,
}

pub(super) fn render(sheet: &Sheet<'_>) -> Result<String> {
    let writer = Names::new(sheet)?;
    let mut happenings = movements(sheet);
    match sheet.standing {
        Standing::Review | Standing::Voided | Standing::Unbilled => {}
        Standing::Due | Standing::Paid(_) => happenings.extend(sale(sheet.receipt, sheet.version)),
        Standing::Credited { credit, .. } => {
            happenings.extend(sale(credit.before, credit.before_version));
            happenings.extend(correction(sheet, credit));
        }
    }
    // An exporter has no clock: the document is as old as the newest thing it tells.
    let newest = happenings.iter().map(|happening| happening.at).max().unwrap_or(sheet.receipt.left);
    let document = Document {
        context: [CONTEXT],
        r#type: "EPCISDocument",
        schema_version: "2.0",
        creation_date: words::rfc3339(newest, sheet.zone),
        epcis_body: Body { event_list: happenings.into_iter().map(|happening| writer.event(happening)).collect() },
    };
    let mut text = serde_json::to_string_pretty(&document)
        .map_err(|error| Error::input(format!("the events cannot be written as JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

/// What moved at the shelves, in order of time.
fn movements<'a>(sheet: &Sheet<'a>) -> Vec<Happening<'a>> {
    let own = sheet.attributions.iter().filter(|(_, attribution)| attribution.visit == sheet.receipt.visit);
    let mut sorted: Vec<&(FactRef, Attribution)> = own.collect();
    sorted.sort_by_key(|(fact, attribution)| (attribution.evidence.span.end, fact));
    let happening = |(fact, attribution): &'a (FactRef, Attribution)| {
        // No step of the vocabulary is a shopper who takes; picking comes nearest, and says no disposition.
        let (step, disposition) = match attribution.movement {
            Movement::Take => ("picking", None),
            Movement::Return => ("stocking", Some("sellable_accessible")),
        };
        Happening {
            kind: "ObjectEvent",
            at: attribution.evidence.span.end,
            action: "OBSERVE",
            step: Some(step),
            disposition,
            goods: vec![(&attribution.sku, attribution.quantity)],
            spot: shelf_spot(attribution.evidence.shelf),
            name: format!("{step}/{}/{}", fact.sequence, fact.source),
        }
    };
    sorted.into_iter().map(happening).collect()
}

/// The goods go out of the gate and are sold; nothing where there are none.
fn sale(receipt: &Receipt, version: u32) -> Vec<Happening<'_>> {
    if receipt.lines.is_empty() {
        return Vec::new();
    }
    let happening = |kind, action, step: &'static str| Happening {
        kind,
        at: receipt.left,
        action,
        step: Some(step),
        disposition: Some("retail_sold"),
        goods: receipt.lines.iter().map(|line| (&line.sku, line.quantity)).collect(),
        spot: "exit".to_owned(),
        name: format!("{step}/{version}"),
    };
    vec![
        happening("ObjectEvent", "OBSERVE", "entering_exiting"),
        happening("TransactionEvent", "ADD", "retail_selling"),
    ]
}

/// Goods no longer belong to the sale. Whether they came back or had never left is not known, so no step or disposition
/// says so.
fn correction<'a>(sheet: &Sheet<'a>, credit: Credit<'a>) -> Option<Happening<'a>> {
    let taken_off = words::taken_off(credit.before, sheet.receipt);
    let units = taken_off.iter().filter(|taken_off| Quantity::ZERO < taken_off.quantity);
    let goods: Vec<_> = units.map(|taken_off| (&taken_off.before.sku, taken_off.quantity)).collect();
    (!goods.is_empty()).then(|| Happening {
        kind: "TransactionEvent",
        at: credit.at,
        action: "DELETE",
        step: None,
        disposition: None,
        goods,
        spot: String::new(),
        name: format!("credit/{}", sheet.version),
    })
}

fn shelf_spot(shelf: ShelfId) -> String {
    format!("shelf-{shelf}")
}

/// Names of things as URIs.
struct Names<'a> {
    sheet: &'a Sheet<'a>,
    options: &'a EpcisOptions,
}

impl<'a> Names<'a> {
    fn new(sheet: &'a Sheet<'a>) -> Result<Self> {
        match sheet.epcis.problems().first() {
            Some(problem) => Err(Error::usage(problem.clone()).hint("the table [epcis] of the shop's file says it")),
            None => Ok(Names { sheet, options: sheet.epcis }),
        }
    }

    /// The shop.
    fn location(&self) -> Option<Place> {
        let by_number = self.options.location.as_ref().map(|gln| format!("{RESOLVER}/414/{gln}"));
        let id = by_number.or_else(|| self.options.places.as_ref().map(|places| format!("{places}shop")));
        id.map(|id| Place { id })
    }

    /// A place in the shop; none where it is not known which.
    fn spot(&self, spot: &str) -> Option<Place> {
        let by_number = self.options.location.as_ref().map(|gln| format!("{RESOLVER}/414/{gln}/254/{spot}"));
        let id = by_number.or_else(|| self.options.places.as_ref().map(|places| format!("{places}{spot}")));
        id.filter(|_| !spot.is_empty()).map(|id| Place { id })
    }

    fn event(&self, happening: Happening<'_>) -> Event {
        let zone: &TimeZone = self.sheet.zone;
        let transaction = (happening.kind == "TransactionEvent")
            .then(|| Transaction { biz_transaction: format!("urn:uuid:{}", self.sheet.cart.uuid()) });
        let goods = happening
            .goods
            .iter()
            .map(|(sku, quantity)| Goods { epc_class: self.product(sku), quantity: quantity.get() });
        Event {
            r#type: happening.kind,
            event_id: format!("urn:uuid:{}", Uuid::new_v5(&self.sheet.cart.uuid(), happening.name.as_bytes())),
            event_time: words::rfc3339(happening.at, zone),
            event_time_zone_offset: words::offset(happening.at, zone),
            action: happening.action,
            biz_transaction_list: transaction.into_iter().collect(),
            quantity_list: goods.collect(),
            biz_step: happening.step,
            disposition: happening.disposition,
            read_point: self.spot(&happening.spot),
            biz_location: self.location(),
        }
    }

    fn product(&self, sku: &SkuId) -> String {
        let gtin = self.sheet.shop.catalogue().get(sku).and_then(|product| product.gtin);
        match (gtin, self.options.products.as_deref()) {
            (Some(gtin), _) => format!("{RESOLVER}/01/{gtin}"),
            (None, Some(prefix)) => format!("{prefix}{}", percent_encoded(sku.as_str())),
            (None, None) => {
                let name = format!("{}/{}", percent_encoded(self.sheet.shop.name()), percent_encoded(sku.as_str()));
                format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("aisle:{name}").as_bytes()))
            }
        }
    }
}

/// All but unreserved characters (RFC 3986, section 2.3) as `%` and two digits.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
