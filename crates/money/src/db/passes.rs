//! Keys to one stay: what a gate gives to whoever it lets in.

use super::body::{name, time};
use super::{Failure, Row, Session};
use crate::base::{CartId, ShopTime, TokenId};

/// Passes of one cart that are kept; of more the oldest end.
const PER_CART_MAX: i64 = 16;

aisle_contract::named_enum! {
    /// What a pass looks like.
    pub enum PassSort as "sort of pass" {
        /// A secret that nobody guesses, in a link: for whoever pays.
        Link = "link",
        /// A few letters that one can type: for everybody who came in together.
        Code = "code",
    }
}

/// A key to one stay, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Its name.
    pub id: TokenId,
    /// The stay: the cart that was opened at the gate.
    pub cart: CartId,
    /// SHA-256 of the secret, hexadecimal.
    pub digest: String,
    /// What it looks like.
    pub sort: PassSort,
    /// Since when.
    pub created_at: ShopTime,
}

const COLUMNS: &str = "id, cart, digest, sort, created_at";

/// Writes a pass, unless one with this digest is there; whether the one that is there then is of the same cart and sort.
///
/// # Errors
/// What the database says.
pub fn insert(session: &mut dyn Session, pass: &Pass) -> Result<bool, Failure> {
    let statement =
        format!("INSERT INTO passes ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (digest) DO NOTHING");
    let values =
        [name(&pass.id), name(&pass.cart), pass.digest.as_str().into(), name(&pass.sort), time(pass.created_at)];
    session.execute(&statement, &values)?;
    let statement = "DELETE FROM passes WHERE cart = ?1 AND id NOT IN \
                     (SELECT id FROM passes WHERE cart = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2)";
    session.execute(statement, &[name(&pass.cart), PER_CART_MAX.into()])?;
    let there = by_digest(session, &pass.digest)?;
    Ok(there.is_some_and(|there| there.cart == pass.cart && there.sort == pass.sort))
}

/// The pass whose secret has this digest.
///
/// # Errors
/// What the database says.
pub fn by_digest(session: &mut dyn Session, digest: &str) -> Result<Option<Pass>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM passes WHERE digest = ?1"), &[digest.into()])?;
    rows.first().map(read).transpose()
}

/// Deletes all passes of a cart.
///
/// # Errors
/// What the database says.
pub fn end_of(session: &mut dyn Session, cart: CartId) -> Result<u64, Failure> {
    session.execute("DELETE FROM passes WHERE cart = ?1", &[name(&cart)])
}

/// Deletes the passes of carts that were settled and left before `before`; how many.
///
/// # Errors
/// What the database says.
pub fn forget(session: &mut dyn Session, before: ShopTime) -> Result<u64, Failure> {
    let statement = "DELETE FROM passes WHERE cart IN \
                     (SELECT id FROM carts WHERE state = 'settled' AND left_at < ?1)";
    session.execute(statement, &[time(before)])
}

fn read(row: &Row) -> Result<Pass, Failure> {
    Ok(Pass {
        id: row.name(0)?,
        cart: row.name(1)?,
        digest: row.text(2)?.to_owned(),
        sort: row.name(3)?,
        created_at: row.time(4)?,
    })
}
