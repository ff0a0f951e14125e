//! Carts, the versions of their receipts, and the evidence behind them.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::body::{json, name, time};
use super::{Failure, Row, Session, Value, seals};
use crate::base::{CartId, ShopTime, ShopperId, VisitId};
use crate::facts::{Grounds, Receipt};

/// One stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Cart {
    /// Its name.
    pub id: CartId,
    /// Which shop, by name.
    pub shop: String,
    /// Who pays, once that is known.
    pub shopper: Option<ShopperId>,
    /// What the engine calls it, once a track is bound to it.
    pub visit: Option<VisitId>,
    /// Where they came in.
    pub gate: Option<String>,
    /// When they came in.
    pub entered_at: ShopTime,
    /// When they left.
    pub left_at: Option<ShopTime>,
    /// What it waits for.
    pub state: CartState,
    /// Newest version of its receipt; 0 for none.
    pub receipt: u32,
    /// Version that is in the ledger; 0 for none.
    pub booked: u32,
    /// What is known while it is open.
    pub live: Option<Json>,
}

/// What a cart waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CartState {
    /// The shopper is inside.
    Open,
    /// A person has to look before money moves.
    Review,
    /// The receipt is booked; whether it is paid is the payment's affair.
    Settled,
}

/// Where a receipt version comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The engine.
    Engine,
    /// A person's verdict.
    Verdict,
}

/// One version of a receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptVersion {
    /// Whose.
    pub cart: CartId,
    /// From 1.
    pub version: u32,
    /// When it was written.
    pub made_at: ShopTime,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub receipt: Receipt,
}

/// A receipt that was made, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sold {
    /// The cart.
    pub cart: CartId,
    /// When they left.
    pub left_at: ShopTime,
    /// What the cart waits for.
    pub state: CartState,
    /// Whether anybody is asked to pay: not who works here.
    pub is_billed: bool,
    /// The newest version.
    pub receipt: Receipt,
}

const COLUMNS: &str = "id, shop, shopper, visit, gate, entered_at, left_at, state, receipt, booked, live";

/// Writes what a shop is like, in place of what it was like. A shop that is as it was is not sealed again.
///
/// # Errors
/// What the database says.
pub fn describe_shop<T: Serialize>(
    session: &mut dyn Session,
    shop: &str,
    at: ShopTime,
    description: &T,
) -> Result<(), Failure> {
    let statement = "INSERT INTO shops (name, described_at, body) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (name) DO UPDATE SET described_at = excluded.described_at, body = excluded.body";
    let values = [shop.into(), time(at), json(description)?];
    let known = session.query("SELECT body FROM shops WHERE name = ?1", &[shop.into()])?;
    if known.first().is_some_and(|row| row.0.first() == Some(&values[2])) {
        return session.execute(statement, &values).map(drop);
    }
    seals::write(session, &seals::SHOPS, statement, &values).map(drop)
}

/// What a shop was like when it was described last.
///
/// # Errors
/// What the database says.
pub fn shop<T: DeserializeOwned>(session: &mut dyn Session, name: &str) -> Result<Option<T>, Failure> {
    let rows = session.query("SELECT body FROM shops WHERE name = ?1", &[name.into()])?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// The names of all shops.
///
/// # Errors
/// What the database says.
pub fn shops(session: &mut dyn Session) -> Result<Vec<String>, Failure> {
    let rows = session.query("SELECT name FROM shops ORDER BY name", &[])?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Writes a new cart.
///
/// # Errors
/// When it is there already.
pub fn insert(session: &mut dyn Session, cart: &Cart) -> Result<(), Failure> {
    let statement = format!("INSERT INTO carts ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    seals::write(session, &seals::CARTS, &statement, &values(cart)?).map(drop)
}

/// Writes what changed about a cart.
///
/// # Errors
/// What the database says.
pub fn update(session: &mut dyn Session, cart: &Cart) -> Result<(), Failure> {
    let statement = "UPDATE carts SET shop = ?2, shopper = ?3, visit = ?4, gate = ?5, entered_at = ?6, left_at = ?7, \
                     state = ?8, receipt = ?9, booked = ?10, live = ?11 WHERE id = ?1";
    seals::write(session, &seals::CARTS, statement, &values(cart)?).map(drop)
}

/// Writes what is known of a cart while it is open; nothing else about it.
///
/// # Errors
/// What the database says.
pub fn keep_live(session: &mut dyn Session, cart: CartId, live: &Json) -> Result<(), Failure> {
    session.execute("UPDATE carts SET live = ?2 WHERE id = ?1", &[name(&cart), json(live)?]).map(drop)
}

/// The cart of this name.
///
/// # Errors
/// What the database says.
pub fn get(session: &mut dyn Session, id: CartId) -> Result<Option<Cart>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM carts WHERE id = ?1"), &[name(&id)])?;
    rows.first().map(read).transpose()
}

/// Carts of a shop in this state, oldest first, at most `most` behind `after`: the time and name of a cart.
///
/// # Errors
/// What the database says.
pub fn in_state(
    session: &mut dyn Session,
    shop: &str,
    state: CartState,
    after: (ShopTime, &str),
    most: u32,
) -> Result<Vec<Cart>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM carts WHERE shop = ?1 AND state = ?2 AND (entered_at, id) > (?3, ?4) \
         ORDER BY entered_at, id LIMIT ?5"
    );
    let values = [shop.into(), name(&state), time(after.0), after.1.into(), i64::from(most).into()];
    session.query(&statement, &values)?.iter().map(read).collect()
}

/// Carts of a shopper, newest first, at most `most` of those before `before`: the time and name of a cart.
///
/// # Errors
/// What the database says.
pub fn of_shopper(
    session: &mut dyn Session,
    shopper: ShopperId,
    before: (ShopTime, &str),
    most: u32,
) -> Result<Vec<Cart>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM carts WHERE shopper = ?1 AND (entered_at, id) < (?2, ?3) \
         ORDER BY entered_at DESC, id DESC LIMIT ?4"
    );
    let values = [name(&shopper), time(before.0), before.1.into(), i64::from(most).into()];
    session.query(&statement, &values)?.iter().map(read).collect()
}

/// Carts of a shop that have a receipt, newest first by when people left, at most `most` of those before `before`: the time and
/// name of a cart.
///
/// # Errors
/// What the database says.
pub fn with_receipt(
    session: &mut dyn Session,
    shop: &str,
    before: (ShopTime, &str),
    most: u32,
) -> Result<Vec<Cart>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM carts WHERE shop = ?1 AND 0 < receipt AND (left_at, id) < (?2, ?3) \
         ORDER BY left_at DESC, id DESC LIMIT ?4"
    );
    let values = [shop.into(), time(before.0), before.1.into(), i64::from(most).into()];
    session.query(&statement, &values)?.iter().map(read).collect()
}

/// Receipts of a shop, oldest first by when people left, at most `most` of those behind `after`: the time and name of a cart.
///
/// # Errors
/// What the database says.
pub fn sold(session: &mut dyn Session, shop: &str, after: (ShopTime, &str), most: u32) -> Result<Vec<Sold>, Failure> {
    let statement = "SELECT carts.id, carts.left_at, carts.state, duties.role, receipts.body FROM carts \
                     JOIN receipts ON receipts.cart = carts.id AND receipts.version = carts.receipt \
                     LEFT JOIN duties ON duties.cart = carts.id \
                     WHERE carts.shop = ?1 AND 0 < carts.receipt AND (carts.left_at, carts.id) > (?2, ?3) \
                     ORDER BY carts.left_at, carts.id LIMIT ?4";
    let read = |row: &Row| {
        Ok(Sold {
            cart: row.name(0)?,
            left_at: row.time(1)?,
            state: row.name(2)?,
            is_billed: row.is_null(3),
            receipt: row.json(4)?,
        })
    };
    let values = [shop.into(), time(after.0), after.1.into(), i64::from(most).into()];
    session.query(statement, &values)?.iter().map(read).collect()
}

/// How many carts of a shop are in this state.
///
/// # Errors
/// What the database says.
pub fn count_in_state(session: &mut dyn Session, shop: &str, state: CartState) -> Result<u64, Failure> {
    let rows =
        session.query("SELECT count(*) FROM carts WHERE shop = ?1 AND state = ?2", &[shop.into(), name(&state)])?;
    rows.first().map_or(Ok(0), |row| row.count(0).map(u64::from))
}

/// The open cart of a shop that a shopper opened last.
///
/// # Errors
/// What the database says.
pub fn open_of(session: &mut dyn Session, shop: &str, shopper: ShopperId) -> Result<Option<Cart>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM carts WHERE shop = ?1 AND state = ?2 AND shopper = ?3 \
         ORDER BY entered_at DESC, id DESC LIMIT 1"
    );
    let rows = session.query(&statement, &[shop.into(), name(&CartState::Open), name(&shopper)])?;
    rows.first().map(read).transpose()
}

/// The open cart that was opened last at a gate of a shop.
///
/// # Errors
/// What the database says.
pub fn open_at(session: &mut dyn Session, shop: &str, gate: &str) -> Result<Option<Cart>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM carts WHERE shop = ?1 AND state = ?2 AND gate = ?3 \
         ORDER BY entered_at DESC, id DESC LIMIT 1"
    );
    let rows = session.query(&statement, &[shop.into(), name(&CartState::Open), gate.into()])?;
    rows.first().map(read).transpose()
}

/// Carts in order of their names after `after`, at most `most`: how a long walk over all of them is cut in pieces.
///
/// # Errors
/// What the database says.
pub fn after(session: &mut dyn Session, after: Option<CartId>, most: u32) -> Result<Vec<Cart>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM carts WHERE ?1 < id ORDER BY id LIMIT ?2");
    let after = after.map_or_else(String::new, |id| id.to_string());
    let rows = session.query(&statement, &[after.into(), i64::from(most).into()])?;
    rows.iter().map(read).collect()
}

/// Writes a version of a receipt.
///
/// # Errors
/// When that version is there already.
pub fn insert_receipt(session: &mut dyn Session, version: &ReceiptVersion) -> Result<(), Failure> {
    let statement = "INSERT INTO receipts (cart, version, made_at, origin, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = [
        name(&version.cart),
        i64::from(version.version).into(),
        time(version.made_at),
        name(&version.origin),
        json(&version.receipt)?,
    ];
    seals::write(session, &seals::RECEIPTS, statement, &values).map(drop)
}

/// All versions of a cart's receipt, oldest first.
///
/// # Errors
/// What the database says.
pub fn receipts(session: &mut dyn Session, cart: CartId) -> Result<Vec<ReceiptVersion>, Failure> {
    let statement = "SELECT version, made_at, origin, body FROM receipts WHERE cart = ?1 ORDER BY version";
    let read = |row: &Row| {
        Ok(ReceiptVersion {
            cart,
            version: row.count(0)?,
            made_at: row.time(1)?,
            origin: row.name(2)?,
            receipt: row.json(3)?,
        })
    };
    session.query(statement, &[name(&cart)])?.iter().map(read).collect()
}

/// Writes the evidence behind a cart's receipt, which may be deleted from `kept_until` on.
///
/// # Errors
/// What the database says.
pub fn keep_evidence(
    session: &mut dyn Session,
    cart: CartId,
    kept_until: ShopTime,
    evidence: &[Grounds],
) -> Result<(), Failure> {
    let statement = "INSERT INTO evidence (cart, kept_until, body) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (cart) DO UPDATE SET kept_until = excluded.kept_until, body = excluded.body";
    let values = [name(&cart), time(kept_until), json(&evidence)?];
    seals::write(session, &seals::EVIDENCE, statement, &values).map(drop)
}

/// The evidence behind a cart's receipt, while it is kept.
///
/// # Errors
/// What the database says.
pub fn evidence(session: &mut dyn Session, cart: CartId) -> Result<Option<Vec<Grounds>>, Failure> {
    let rows = session.query("SELECT body FROM evidence WHERE cart = ?1", &[name(&cart)])?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// Whether there is evidence of a shop behind a receipt that was made before this time.
///
/// # Errors
/// What the database says.
pub fn has_evidence_before(session: &mut dyn Session, shop: &str, made_at: ShopTime) -> Result<bool, Failure> {
    let statement = "SELECT evidence.cart FROM evidence JOIN carts ON carts.id = evidence.cart \
                     JOIN receipts ON receipts.cart = evidence.cart AND receipts.version = 1 \
                     WHERE carts.shop = ?1 AND receipts.made_at < ?2 LIMIT 1";
    Ok(!session.query(statement, &[shop.into(), time(made_at)])?.is_empty())
}

/// Deletes the evidence whose time is over and that no case waits with; gives how many carts it was of.
///
/// # Errors
/// What the database says.
pub fn forget_evidence(session: &mut dyn Session, now: ShopTime) -> Result<u64, Failure> {
    session.execute(
        "DELETE FROM evidence WHERE kept_until <= ?1 AND cart NOT IN (SELECT cart FROM cases WHERE decided_at IS NULL)",
        &[time(now)],
    )
}

/// The visits of a shop that were left at or behind this time and whose evidence is not kept any more.
///
/// # Errors
/// What the database says.
pub fn without_evidence(session: &mut dyn Session, shop: &str, left: ShopTime) -> Result<Vec<VisitId>, Failure> {
    let statement = "SELECT visit FROM carts WHERE shop = ?1 AND ?2 <= left_at AND visit IS NOT NULL AND 0 < receipt \
                     AND NOT EXISTS (SELECT cart FROM evidence WHERE evidence.cart = carts.id)";
    session.query(statement, &[shop.into(), time(left)])?.iter().map(|row| row.name(0)).collect()
}

/// Deletes the evidence of all carts of a shopper.
///
/// # Errors
/// What the database says.
pub fn forget_evidence_of(session: &mut dyn Session, shopper: ShopperId) -> Result<u64, Failure> {
    let statement = "DELETE FROM evidence WHERE cart IN (SELECT id FROM carts WHERE shopper = ?1)";
    session.execute(statement, &[name(&shopper)])
}

fn values(cart: &Cart) -> Result<[Value; 11], Failure> {
    Ok([
        name(&cart.id),
        cart.shop.as_str().into(),
        cart.shopper.as_ref().map_or(Value::Null, name),
        cart.visit.as_ref().map_or(Value::Null, name),
        cart.gate.clone().into(),
        time(cart.entered_at),
        cart.left_at.map_or(Value::Null, time),
        name(&cart.state),
        i64::from(cart.receipt).into(),
        i64::from(cart.booked).into(),
        cart.live.as_ref().map(json).transpose()?.unwrap_or(Value::Null),
    ])
}

fn read(row: &Row) -> Result<Cart, Failure> {
    Ok(Cart {
        id: row.name(0)?,
        shop: row.text(1)?.to_owned(),
        shopper: row.maybe(2, Row::name)?,
        visit: row.maybe(3, Row::name)?,
        gate: row.maybe(4, |row, column| row.text(column).map(str::to_owned))?,
        entered_at: row.time(5)?,
        left_at: row.maybe(6, Row::time)?,
        state: row.name(7)?,
        receipt: row.count(8)?,
        booked: row.count(9)?,
        live: row.maybe(10, Row::json)?,
    })
}

impl CartState {
    /// As the database writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            CartState::Open => "open",
            CartState::Review => "review",
            CartState::Settled => "settled",
        }
    }
}

impl std::fmt::Display for CartState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CartState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [CartState::Open, CartState::Review, CartState::Settled];
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("`{text}` is not a state of a cart"))
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Origin::Engine => "engine",
            Origin::Verdict => "verdict",
        })
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "engine" => Ok(Origin::Engine),
            "verdict" => Ok(Origin::Verdict),
            _ => Err(format!("`{text}` is not where a receipt comes from")),
        }
    }
}
