//! Who pays.

use super::body::{json, name, time};
use super::{Failure, FailureKind, Row, Session, Value, seals};
use crate::base::{ShopTime, ShopperId};
use crate::facts::PaymentMethod;

/// A shopper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// Their name in the book.
    pub id: ShopperId,
    /// What they call themselves; none when not told, or erased.
    pub name: Option<String>,
    /// Where to reach them; none when not told, or erased.
    pub contact: Option<String>,
    /// How they pay; none when they cannot.
    pub method: Option<PaymentMethod>,
    /// SHA-256 of the token that they show at a gate, hexadecimal.
    pub gate_digest: Option<String>,
    /// Since when.
    pub created_at: ShopTime,
    /// When their personal data was erased.
    pub erased_at: Option<ShopTime>,
}

const COLUMNS: &str = "id, name, contact, method, gate_digest, created_at, erased_at";

/// Writes a new shopper.
///
/// # Errors
/// When the name, or the gate token, is taken.
pub fn insert(session: &mut dyn Session, shopper: &Shopper) -> Result<(), Failure> {
    let statement = format!("INSERT INTO shoppers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    seals::write(session, &seals::SHOPPERS, &statement, &values(shopper)?).map(drop)
}

/// Writes what changed about a shopper.
///
/// # Errors
/// What the database says.
pub fn update(session: &mut dyn Session, shopper: &Shopper) -> Result<(), Failure> {
    let statement = "UPDATE shoppers SET name = ?2, contact = ?3, method = ?4, gate_digest = ?5, created_at = ?6, erased_at = ?7 WHERE id = ?1";
    seals::write(session, &seals::SHOPPERS, statement, &values(shopper)?).map(drop)
}

/// The shopper of this name.
///
/// # Errors
/// What the database says.
pub fn get(session: &mut dyn Session, id: ShopperId) -> Result<Option<Shopper>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM shoppers WHERE id = ?1"), &[name(&id)])?;
    rows.first().map(read).transpose()
}

/// The shopper whose gate token has this digest.
///
/// # Errors
/// What the database says.
pub fn by_gate_digest(session: &mut dyn Session, digest: &str) -> Result<Option<Shopper>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM shoppers WHERE gate_digest = ?1"), &[digest.into()])?;
    rows.first().map(read).transpose()
}

/// Another shopper than `but` whom the provider of this way to pay knows by the same name, if there is one.
///
/// # Errors
/// What the database says.
pub fn by_customer(
    session: &mut dyn Session,
    method: &PaymentMethod,
    but: ShopperId,
) -> Result<Option<ShopperId>, Failure> {
    // Both engines compare text letter by letter, and the token stands last: so the beginning is provider and customer.
    let text = |text: &str| match json(&text)? {
        Value::Text(text) => Ok(text),
        _ => Err(Failure::new(FailureKind::Broken, "text is no text in JSON")),
    };
    let beginning = format!("{{\"provider\":{},\"customer\":{},", text(&method.provider)?, text(&method.customer)?);
    let statement = "SELECT id FROM shoppers WHERE substr(method, 1, length(CAST(?1 AS TEXT))) = CAST(?1 AS TEXT) \
                     AND id <> ?2 ORDER BY id LIMIT 1";
    let rows = session.query(statement, &[beginning.into(), name(&but)])?;
    rows.first().map(|row| row.name(0)).transpose()
}

fn values(shopper: &Shopper) -> Result<[Value; 7], Failure> {
    Ok([
        name(&shopper.id),
        shopper.name.clone().into(),
        shopper.contact.clone().into(),
        shopper.method.as_ref().map(json).transpose()?.unwrap_or(Value::Null),
        shopper.gate_digest.clone().into(),
        time(shopper.created_at),
        shopper.erased_at.map_or(Value::Null, time),
    ])
}

fn read(row: &Row) -> Result<Shopper, Failure> {
    Ok(Shopper {
        id: row.name(0)?,
        name: row.maybe(1, |row, column| row.text(column).map(str::to_owned))?,
        contact: row.maybe(2, |row, column| row.text(column).map(str::to_owned))?,
        method: row.maybe(3, Row::json)?,
        gate_digest: row.maybe(4, |row, column| row.text(column).map(str::to_owned))?,
        created_at: row.time(5)?,
        erased_at: row.maybe(6, Row::time)?,
    })
}
