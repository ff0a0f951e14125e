//! What people have to look at.

use super::body::{json, name, time};
use super::{Failure, Row, Session, Value, seals};
use crate::base::{CartId, CaseId, ShopTime};
use crate::facts::Case;

/// Writes a new case.
///
/// # Errors
/// When it is there already.
pub fn insert(session: &mut dyn Session, case: &Case) -> Result<(), Failure> {
    let statement =
        "INSERT INTO cases (id, cart, receipt, opened_at, decided_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    seals::write(session, &seals::CASES, statement, &values(case)?).map(drop)
}

/// Writes what changed about a case.
///
/// # Errors
/// What the database says.
pub fn update(session: &mut dyn Session, case: &Case) -> Result<(), Failure> {
    let statement =
        "UPDATE cases SET cart = ?2, receipt = ?3, opened_at = ?4, decided_at = ?5, body = ?6 WHERE id = ?1";
    seals::write(session, &seals::CASES, statement, &values(case)?).map(drop)
}

/// The case of this name.
///
/// # Errors
/// What the database says.
pub fn get(session: &mut dyn Session, id: CaseId) -> Result<Option<Case>, Failure> {
    let rows = session.query("SELECT body FROM cases WHERE id = ?1", &[name(&id)])?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// The cases of a cart, oldest first.
///
/// # Errors
/// What the database says.
pub fn of_cart(session: &mut dyn Session, cart: CartId) -> Result<Vec<Case>, Failure> {
    let statement = "SELECT body FROM cases WHERE cart = ?1 ORDER BY opened_at, id";
    session.query(statement, &[name(&cart)])?.iter().map(|row| row.json(0)).collect()
}

/// Cases that wait, oldest first, at most `most` behind `after`: the time and name of a case.
///
/// # Errors
/// What the database says.
pub fn waiting(session: &mut dyn Session, after: (ShopTime, &str), most: u32) -> Result<Vec<Case>, Failure> {
    let statement = "SELECT body FROM cases WHERE decided_at IS NULL AND (opened_at, id) > (?1, ?2) ORDER BY opened_at, id LIMIT ?3";
    let rows = session.query(statement, &[time(after.0), after.1.into(), i64::from(most).into()])?;
    rows.iter().map(|row| row.json(0)).collect()
}

/// How many cases wait.
///
/// # Errors
/// What the database says.
pub fn count_waiting(session: &mut dyn Session) -> Result<i64, Failure> {
    let rows = session.query("SELECT COUNT(*) FROM cases WHERE decided_at IS NULL", &[])?;
    rows.first().map_or(Ok(0), |row: &Row| row.int(0))
}

fn values(case: &Case) -> Result<[Value; 6], Failure> {
    Ok([
        name(&case.id),
        name(&case.cart),
        i64::from(case.receipt).into(),
        time(case.opened),
        case.verdict.as_ref().map_or(Value::Null, |verdict| time(verdict.at)),
        json(case)?,
    ])
}
