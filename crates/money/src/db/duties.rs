//! Stays of people who work in the shop, for which nobody is asked to pay.

use super::body::name;
use super::{Failure, Row, Session, Value, seals};
use crate::base::{CartId, TokenId};
use crate::facts::EntryRole;

/// As what somebody who works in the shop came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// As what; never as a shopper.
    pub role: EntryRole,
    /// What they showed at the gate; none where a gate said so by itself.
    pub token: Option<TokenId>,
}

/// Writes that nobody is asked to pay for a cart.
///
/// # Errors
/// When that is written already; what the database says.
pub fn insert(session: &mut dyn Session, cart: CartId, duty: Duty) -> Result<(), Failure> {
    let values = [name(&cart), name(&duty.role), duty.token.as_ref().map_or(Value::Null, name)];
    seals::write(session, &seals::DUTIES, "INSERT INTO duties (cart, role, token) VALUES (?1, ?2, ?3)", &values)
        .map(drop)
}

/// The open cart of a shop that somebody opened last with this token.
///
/// # Errors
/// What the database says.
pub fn open_cart_of(session: &mut dyn Session, shop: &str, token: TokenId) -> Result<Option<CartId>, Failure> {
    let statement = "SELECT duties.cart FROM duties JOIN carts ON carts.id = duties.cart WHERE duties.token = ?1 \
                     AND carts.shop = ?2 AND carts.state = 'open' ORDER BY carts.entered_at DESC, carts.id DESC LIMIT 1";
    let rows = session.query(statement, &[name(&token), shop.into()])?;
    rows.first().map(|row| row.name(0)).transpose()
}

/// As what somebody came in with this cart; none for shoppers.
///
/// # Errors
/// What the database says.
pub fn of_cart(session: &mut dyn Session, cart: CartId) -> Result<Option<Duty>, Failure> {
    let rows = session.query("SELECT role, token FROM duties WHERE cart = ?1", &[name(&cart)])?;
    let read = |row: &Row| {
        let token = if row.is_null(1) { None } else { Some(row.name(1)?) };
        Ok(Duty { role: row.name(0)?, token })
    };
    rows.first().map(read).transpose()
}
