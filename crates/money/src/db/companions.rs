//! Who came in with whom: stays of people whom somebody else let in at a gate, and pays for.

use super::body::name;
use super::{Failure, Row, Session, seals};
use crate::base::CartId;

/// Writes that whoever has this cart came in with whoever has `host`; what was written before stays.
///
/// # Errors
/// What the database says.
pub fn join(session: &mut dyn Session, cart: CartId, host: CartId) -> Result<(), Failure> {
    let statement = "INSERT INTO companions (cart, host) VALUES (?1, ?2) ON CONFLICT (cart) DO NOTHING";
    seals::write(session, &seals::COMPANIONS, statement, &[name(&cart), name(&host)]).map(drop)
}

/// The cart of whoever let this one in; none for those who came in by themselves.
///
/// # Errors
/// What the database says.
pub fn host_of(session: &mut dyn Session, cart: CartId) -> Result<Option<CartId>, Failure> {
    let rows = session.query("SELECT host FROM companions WHERE cart = ?1", &[name(&cart)])?;
    rows.first().map(|row| row.name(0)).transpose()
}

/// The carts of those who came in with this one, in order of their names.
///
/// # Errors
/// What the database says.
pub fn of(session: &mut dyn Session, host: CartId) -> Result<Vec<CartId>, Failure> {
    let rows = session.query("SELECT cart FROM companions WHERE host = ?1 ORDER BY cart", &[name(&host)])?;
    rows.iter().map(|row: &Row| row.name(0)).collect()
}
