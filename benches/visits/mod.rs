//! Shoppers who come in, take five things and leave, and empty databases for the books about them, for measuring.
//! It takes numbers and gives visits, always the same ones, and places that go when they are dropped. It never measures
//! anything.

#![allow(dead_code, reason = "every bench uses another part of it")]

use std::sync::Arc;

use aisle::base::{CartId, Money, Prob, Quantity, ShopTime, ShopperId, SkuId, Span, TrackId, VisitId};
use aisle::cart;
use aisle::db::{self, Database, transfers};
use aisle::facts::{Closing as ClosedBy, Goods, Grounds, PaymentMethod, Receipt};
use aisle::shop::Shop;
use aisle::sim;
use aisle::till::{Closing, Enrolment, Payer, Till};
use serde_json::json;
use tempfile::TempDir;

/// When the first visit of all begins.
pub(crate) const ORIGIN: ShopTime = ShopTime::from_nanos(1_767_513_600_000_000_000);
/// From one visit to the next where no wall clock says otherwise: a thousand a minute.
const PERIOD: Span = Span::from_millis(60);
/// How long a visit is by its receipt.
const STAY: Span = Span::from_millis(300_000);
/// Lines of a receipt.
const LINES: usize = 5;
/// Regulars of the shop.
const SHOPPERS: u64 = 500;
/// The variable that names a PostgreSQL server; `.ci/postgres start durable` makes one.
const SERVER: &str = "AISLE_TEST_POSTGRES";

/// Where one book is.
pub(crate) struct Place {
    /// For the names of cases: `memory`, `file`, `postgresql`.
    pub(crate) name: &'static str,
    url: String,
    folder: Option<TempDir>,
    server: Option<String>,
}

/// Everything that a shop without cameras needs to know about its shoppers.
pub(crate) struct Visits {
    shop: Arc<Shop>,
    baskets: Vec<Vec<Goods>>,
}

impl Place {
    /// SQLite in memory.
    pub(crate) fn memory() -> Self {
        Place { name: "memory", url: "sqlite::memory:".to_owned(), folder: None, server: None }
    }

    /// SQLite in a file, flushed at every commit, in the folder for passing files.
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().expect("there is a place for passing files");
        let url = format!("sqlite:{}", folder.path().join("book.db").display());
        Place { name: "file", url, folder: Some(folder), server: None }
    }

    /// A schema of its own on the server that the environment names; says so where it names none.
    pub(crate) fn server() -> Option<Self> {
        let Some(server) = std::env::var(SERVER).ok().filter(|url| !url.is_empty()) else {
            println!("left out on PostgreSQL: {SERVER} names no server, `.ci/postgres start durable` makes one");
            return None;
        };
        let schema = format!("aisle_bench_{}", std::process::id());
        administer(&server, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"));
        let sign = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{sign}options=-csearch_path%3D{schema}");
        Some(Place { name: "postgresql", url, folder: None, server: Some(server) })
    }

    /// The book, which is empty when it is opened for the first time.
    pub(crate) fn open(&self) -> Database {
        db::open(&self.url, &db::Options::default(), ORIGIN).expect("the place takes a book")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            administer(server, &format!("DROP SCHEMA aisle_bench_{} CASCADE", std::process::id()));
        }
    }
}

/// Runs a script on a server past aisle.
fn administer(server: &str, script: &str) {
    // The driver alone does not know the parameter that names an authority.
    let parts: Vec<&str> =
        server.split_inclusive(['?', '&']).filter(|part| !part.starts_with("sslrootcert=")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let done = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&parts.concat(), tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let done = client.batch_execute(script).await;
        driver.abort();
        done
    });
    done.expect("the server takes a schema for the run");
}

impl Visits {
    /// Of the built-in shop, with goods that a hold covers.
    pub(crate) fn new() -> Self {
        let shop = Arc::new(sim::demo_shop());
        let hold = shop.policy().payment.hold.expect("the built-in shop asks for holds");
        let dear = hold.minor / LINES as i64;
        let products = shop.catalogue().products();
        let skus: Vec<&SkuId> = products
            .iter()
            .filter(|product| product.price.is_some_and(|price| price.minor <= dear))
            .map(|product| &product.sku)
            .collect();
        let goods = |sku: &SkuId| Goods { sku: sku.clone(), quantity: Quantity::new(1) };
        let baskets = skus.windows(LINES).map(|skus| skus.iter().map(|sku| goods(sku)).collect()).collect();
        Visits { shop, baskets }
    }

    /// The till of the shop on an empty book that knows its regulars.
    pub(crate) fn till(&self, database: Database) -> Till {
        let mut till = Till::open(database, self.shop.clone(), ORIGIN).expect("an empty book takes a shop");
        for number in 0..SHOPPERS {
            let method =
                PaymentMethod { provider: "sandbox".to_owned(), customer: String::new(), token: "ok".to_owned() };
            let id = shopper(number);
            let enrolment = Enrolment { id, name: None, contact: None, method: Some(method), gate_digest: None };
            till.enrol(&enrolment, ORIGIN).expect("the book takes a shopper");
        }
        till
    }

    /// How a visit ends, for whoever left at `left`.
    pub(crate) fn closing(&self, number: u64, left: ShopTime) -> Closing {
        let goods = &self.baskets[number as usize % self.baskets.len()];
        let empty = Receipt {
            visit: VisitId::from_first_track(TrackId::new(number)),
            entered: left - STAY,
            left,
            closing: ClosedBy::Left,
            lines: Vec::new(),
            taxes: Vec::new(),
            total: Some(Money::new(0, self.shop.policy().currency)),
            probability: Prob::new(0.99),
            interrupted: None,
        };
        let receipt = Receipt { probability: Prob::new(0.99), ..cart::reprice(&self.shop, &empty, goods) };
        Closing { receipt, evidence: evidence(goods), payer: Payer::Cart(cart_of(number)) }
    }
}

/// When a visit happens where no wall clock says otherwise.
pub(crate) fn time_of(number: u64) -> ShopTime {
    ORIGIN + PERIOD * i64::try_from(number).expect("there are fewer visits than that")
}

/// The cart of a visit; rises with its number, as names minted at a gate do.
pub(crate) fn cart_of(number: u64) -> CartId {
    let mut dice = [0; 10];
    dice[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    CartId::new(time_of(number), dice)
}

/// Who comes.
pub(crate) fn shopper(number: u64) -> ShopperId {
    ShopperId::derived(&["bench", &(number % SHOPPERS).to_string()])
}

/// The digest of the whole ledger: the chain at its last row, and how many rows there are.
pub(crate) fn chain(till: &mut Till) -> (i64, String) {
    till.with(transfers::last).expect("the book is read")
}

/// Tells at a glance whether two runs gave the same result.
pub(crate) fn digest(text: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()[..16].to_owned()
}

/// What an engine writes for so many lines.
fn evidence(goods: &[Goods]) -> Vec<Grounds> {
    let grounds = |(index, goods): (usize, &Goods)| {
        let fact = json!({ "source": "fusion", "sequence": 1_000 + index });
        let event = json!({ "source": "shelf/1-1", "sequence": 1_000 + index });
        let value = json!({
            "fact": fact, "visit": "1", "sku": goods.sku, "quantity": 1, "movement": "take",
            "evidence": {
                "event": event, "shelf": "1-1", "plates": ["1-1-1", "1-1-2"],
                "span": { "start": ORIGIN, "end": ORIGIN },
                "weight": { "measured": -331.0, "sigma": 1.8, "expected": -332.0, "learned": false },
                "takers": [{ "visit": "1", "wrist_metres": 0.07, "share": 0.93 },
                           { "visit": "2", "wrist_metres": null, "share": 0.07 }],
                "misplaced": false, "probability": 0.99,
            },
        });
        serde_json::from_value(value).expect("this is how evidence is written")
    };
    goods.iter().enumerate().map(grounds).collect()
}
