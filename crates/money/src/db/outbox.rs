//! Payments, the orders that must leave the house, and the messages that came in about them.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::{json, name, time};
use super::{Failure, Row, Session, Value, seals};
use crate::base::{CartId, PaymentId, ShopTime, ShopperId, TransferId};
use crate::facts::{Answer, Notice, Order};

/// An order on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// What is asked.
    pub order: Order,
    /// Where it is on its way.
    pub state: LetterState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it may be sent next; while somebody is at it, when they are given up.
    pub due_at: ShopTime,
    /// Since when it may have been carried out without our knowing: it was sent, and no sure answer came.
    pub unsure_since: Option<ShopTime>,
    /// What the provider calls it, once it said so.
    pub reference: Option<String>,
    /// When the last answer came.
    pub answered_at: Option<ShopTime>,
    /// The last answer.
    pub answer: Option<Answer>,
}

/// Where an order is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterState {
    /// To be sent, or to be asked about, when it is due.
    Due,
    /// Carried out.
    Done,
    /// Finally refused.
    Declined,
    /// Given up; a person decides.
    Stuck,
}

const COLUMNS: &str = "body, state, attempts, due_at, unsure_since, reference, answered_at, answer";

/// Writes a payment, new or changed. `body` is what the ledger makes of it, `state` its standing.
///
/// # Errors
/// What the database says.
pub fn put_payment<T: Serialize>(
    session: &mut dyn Session,
    (id, cart, shopper): (PaymentId, CartId, ShopperId),
    state: &str,
    updated_at: ShopTime,
    body: &T,
) -> Result<(), Failure> {
    let statement = "INSERT INTO payments (id, cart, shopper, state, updated_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT (id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at, \
                     body = excluded.body";
    let values = [name(&id), name(&cart), name(&shopper), state.into(), time(updated_at), json(body)?];
    seals::write(session, &seals::PAYMENTS, statement, &values).map(drop)
}

/// The payment of this name.
///
/// # Errors
/// What the database says.
pub fn payment<T: DeserializeOwned>(session: &mut dyn Session, id: PaymentId) -> Result<Option<T>, Failure> {
    let rows = session.query("SELECT body FROM payments WHERE id = ?1", &[name(&id)])?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// The payments of a shopper that stand like this, oldest first, at most `most`.
///
/// # Errors
/// What the database says.
pub fn payments_of<T: DeserializeOwned>(
    session: &mut dyn Session,
    shopper: ShopperId,
    state: &str,
    most: u32,
) -> Result<Vec<T>, Failure> {
    let statement = "SELECT body FROM payments WHERE shopper = ?1 AND state = ?2 ORDER BY updated_at, id LIMIT ?3";
    let rows = session.query(statement, &[name(&shopper), state.into(), i64::from(most).into()])?;
    rows.iter().map(|row| row.json(0)).collect()
}

/// How many payments stand how.
///
/// # Errors
/// What the database says.
pub fn standings(session: &mut dyn Session) -> Result<Vec<(String, i64)>, Failure> {
    let rows = session.query("SELECT state, COUNT(*) FROM payments GROUP BY state ORDER BY state", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Puts a new order into the outbox, due at once.
///
/// # Errors
/// When it is there already.
pub fn post(session: &mut dyn Session, order: &Order) -> Result<(), Failure> {
    let statement = "INSERT INTO outbox (id, payment, state, attempts, due_at, made_at, body) \
                     VALUES (?1, ?2, 'due', 0, ?3, ?3, ?4)";
    let values = [name(&order.id), name(&order.payment), time(order.made_at), json(order)?];
    seals::write(session, &seals::OUTBOX, statement, &values).map(drop)
}

/// The order of this name.
///
/// # Errors
/// What the database says.
pub fn get(session: &mut dyn Session, id: TransferId) -> Result<Option<Letter>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"), &[name(&id)])?;
    rows.first().map(read).transpose()
}

/// The order that a provider calls so.
///
/// # Errors
/// What the database says.
pub fn by_reference(session: &mut dyn Session, reference: &str) -> Result<Vec<Letter>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM outbox WHERE reference = ?1 ORDER BY made_at, id");
    session.query(&statement, &[reference.into()])?.iter().map(read).collect()
}

/// Takes orders of a shop that are due, oldest due first, at most `most`, and leases them until `lease_end`: nobody else
/// takes them before that, and whoever dies with them leaves them to be taken again then. From now on they are unsure;
/// the letters given tell since when they were before. Orders that are due later than `far` are due too: no pause is so
/// long, so a clock was wrong when it was made.
///
/// # Errors
/// What the database says.
pub fn take_due(
    session: &mut dyn Session,
    shop: &str,
    (now, lease_end, far): (ShopTime, ShopTime, ShopTime),
    most: u32,
) -> Result<Vec<Letter>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM outbox WHERE state = 'due' AND (due_at <= ?1 OR ?4 < due_at) AND {} \
         ORDER BY due_at, id LIMIT ?3",
        of_shop(2)
    );
    let rows = session.query(&statement, &[time(now), shop.into(), i64::from(most).into(), time(far)])?;
    let mut letters = rows.iter().map(read).collect::<Result<Vec<Letter>, Failure>>()?;
    let lease = "UPDATE outbox SET attempts = attempts + 1, due_at = ?2, unsure_since = COALESCE(unsure_since, ?3) WHERE id = ?1";
    for letter in &mut letters {
        session.execute(lease, &[name(&letter.order.id), time(lease_end), time(now)])?;
        letter.attempts += 1;
        letter.due_at = lease_end;
    }
    Ok(letters)
}

/// All orders of a payment, oldest first.
///
/// # Errors
/// What the database says.
pub fn of_payment(session: &mut dyn Session, payment: PaymentId) -> Result<Vec<Letter>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM outbox WHERE payment = ?1 ORDER BY made_at, id");
    session.query(&statement, &[name(&payment)])?.iter().map(read).collect()
}

/// Writes an order anew, without the personal data that it had.
///
/// # Errors
/// What the database says.
pub fn rewrite(session: &mut dyn Session, order: &Order) -> Result<(), Failure> {
    let statement = "UPDATE outbox SET body = ?2 WHERE id = ?1";
    seals::write(session, &seals::OUTBOX, statement, &[name(&order.id), json(order)?]).map(drop)
}

/// When the next order of a shop is due.
///
/// # Errors
/// What the database says.
pub fn next_due(session: &mut dyn Session, shop: &str) -> Result<Option<ShopTime>, Failure> {
    let statement = format!("SELECT MIN(due_at) FROM outbox WHERE state = 'due' AND {}", of_shop(1));
    let rows = session.query(&statement, &[shop.into()])?;
    rows.first().map_or(Ok(None), |row| row.maybe(0, Row::time))
}

/// When the order of a shop was made that has waited longest without any word from its provider.
///
/// # Errors
/// What the database says.
pub fn oldest_due(session: &mut dyn Session, shop: &str) -> Result<Option<ShopTime>, Failure> {
    let statement =
        format!("SELECT MIN(made_at) FROM outbox WHERE state = 'due' AND reference IS NULL AND {}", of_shop(1));
    let rows = session.query(&statement, &[shop.into()])?;
    rows.first().map_or(Ok(None), |row| row.maybe(0, Row::time))
}

/// Writes what became of an order.
///
/// # Errors
/// What the database says.
pub fn update(session: &mut dyn Session, letter: &Letter) -> Result<(), Failure> {
    let statement = "UPDATE outbox SET state = ?2, attempts = ?3, due_at = ?4, unsure_since = ?5, reference = ?6, \
                     answered_at = ?7, answer = ?8 WHERE id = ?1";
    let values = [
        name(&letter.order.id),
        letter.state.as_str().into(),
        i64::from(letter.attempts).into(),
        time(letter.due_at),
        letter.unsure_since.map_or(Value::Null, time),
        letter.reference.clone().into(),
        letter.answered_at.map_or(Value::Null, time),
        letter.answer.as_ref().map(json).transpose()?.unwrap_or(Value::Null),
    ];
    seals::write(session, &seals::OUTBOX, statement, &values).map(drop)
}

/// Orders in order of their names behind `after`, at most `most`.
///
/// # Errors
/// What the database says.
pub fn after(session: &mut dyn Session, after: Option<TransferId>, most: u32) -> Result<Vec<Letter>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM outbox WHERE ?1 < id ORDER BY id LIMIT ?2");
    let after = after.map_or_else(String::new, |id| id.to_string());
    session.query(&statement, &[after.into(), i64::from(most).into()])?.iter().map(read).collect()
}

/// Orders that are given up, oldest first, at most `most` behind `after`: the time and name of an order.
///
/// # Errors
/// What the database says.
pub fn stuck(session: &mut dyn Session, after: (ShopTime, &str), most: u32) -> Result<Vec<Letter>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM outbox WHERE state = 'stuck' AND (made_at, id) > (?1, ?2) ORDER BY made_at, id LIMIT ?3"
    );
    session.query(&statement, &[time(after.0), after.1.into(), i64::from(most).into()])?.iter().map(read).collect()
}

/// How many orders are where on their way.
///
/// # Errors
/// What the database says.
pub fn counts(session: &mut dyn Session) -> Result<Vec<(String, i64)>, Failure> {
    let rows = session.query("SELECT state, COUNT(*) FROM outbox GROUP BY state ORDER BY state", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Notes a provider's message; whether it is a new one.
///
/// # Errors
/// What the database says.
pub fn note(session: &mut dyn Session, notice: &Notice, received_at: ShopTime) -> Result<bool, Failure> {
    let statement = "INSERT INTO notices (provider, id, kind, received_at) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (provider, id) DO NOTHING";
    let values =
        [notice.provider.as_str().into(), notice.id.as_str().into(), notice.kind.as_str().into(), time(received_at)];
    session.execute(statement, &values).map(|changed| 0 < changed)
}

/// Forgets messages that came before `end`; they will not come again.
///
/// # Errors
/// What the database says.
pub fn forget_notices(session: &mut dyn Session, end: ShopTime) -> Result<u64, Failure> {
    session.execute("DELETE FROM notices WHERE received_at < ?1", &[time(end)])
}

/// That an order is of the shop whose name is the parameter at this place: other shops have other accounts.
fn of_shop(place: u32) -> String {
    format!(
        "EXISTS (SELECT 1 FROM payments JOIN carts ON carts.id = payments.cart \
         WHERE payments.id = outbox.payment AND carts.shop = ?{place})"
    )
}

fn read(row: &Row) -> Result<Letter, Failure> {
    Ok(Letter {
        order: row.json(0)?,
        state: row.name(1)?,
        attempts: row.count(2)?,
        due_at: row.time(3)?,
        unsure_since: row.maybe(4, Row::time)?,
        reference: row.maybe(5, |row, column| row.text(column).map(str::to_owned))?,
        answered_at: row.maybe(6, Row::time)?,
        answer: row.maybe(7, Row::json)?,
    })
}

impl LetterState {
    /// As the database writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LetterState::Due => "due",
            LetterState::Done => "done",
            LetterState::Declined => "declined",
            LetterState::Stuck => "stuck",
        }
    }
}

impl FromStr for LetterState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [LetterState::Due, LetterState::Done, LetterState::Declined, LetterState::Stuck];
        all.into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a state of an order"))
    }
}
