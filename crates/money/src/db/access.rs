//! Who may do what, who did what, and where the engine was.

use super::body::{name, time};
use super::{Failure, Row, Session, Value, seals};
use crate::base::{ShopTime, ShopperId, TokenId};

/// A key to the API, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub id: TokenId,
    /// SHA-256 of the secret, hexadecimal.
    pub digest: String,
    /// What its holder may do.
    pub role: String,
    /// Who holds it.
    pub holder: String,
    /// Which shopper it speaks for, if its role is that.
    pub shopper: Option<ShopperId>,
    /// Since when.
    pub created_at: ShopTime,
    /// Until when.
    pub expires_at: Option<ShopTime>,
    /// When it was taken back.
    pub revoked_at: Option<ShopTime>,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: ShopTime,
    /// Who: the holder of the token, or `aisle` itself.
    pub who: String,
    /// In which role.
    pub role: String,
    /// What was done, such as `case.verdict`.
    pub action: String,
    /// To what: the name of a cart, case, shopper or token.
    pub subject: String,
    /// More about it; no personal data, no secrets.
    pub detail: String,
}

const TOKEN_COLUMNS: &str = "id, digest, role, holder, shopper, created_at, expires_at, revoked_at";

/// Writes a new token.
///
/// # Errors
/// When it is there already.
pub fn insert_token(session: &mut dyn Session, token: &Token) -> Result<(), Failure> {
    let statement = format!("INSERT INTO tokens ({TOKEN_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    let values = [
        name(&token.id),
        token.digest.as_str().into(),
        token.role.as_str().into(),
        token.holder.as_str().into(),
        token.shopper.as_ref().map_or(Value::Null, name),
        time(token.created_at),
        token.expires_at.map_or(Value::Null, time),
        token.revoked_at.map_or(Value::Null, time),
    ];
    seals::write(session, &seals::TOKENS, &statement, &values).map(drop)
}

/// The token whose secret has this digest.
///
/// # Errors
/// What the database says.
pub fn token_by_digest(session: &mut dyn Session, digest: &str) -> Result<Option<Token>, Failure> {
    let rows = session.query(&format!("SELECT {TOKEN_COLUMNS} FROM tokens WHERE digest = ?1"), &[digest.into()])?;
    rows.first().map(read_token).transpose()
}

/// All tokens, oldest first, at most `most` behind `after`: the time and name of a token.
///
/// # Errors
/// What the database says.
pub fn tokens(session: &mut dyn Session, after: (ShopTime, &str), most: u32) -> Result<Vec<Token>, Failure> {
    let statement = format!(
        "SELECT {TOKEN_COLUMNS} FROM tokens WHERE (created_at, id) > (?1, ?2) ORDER BY created_at, id LIMIT ?3"
    );
    session
        .query(&statement, &[time(after.0), after.1.into(), i64::from(most).into()])?
        .iter()
        .map(read_token)
        .collect()
}

/// Takes a token back; whether there was one to take.
///
/// # Errors
/// What the database says.
pub fn revoke_token(session: &mut dyn Session, id: TokenId, at: ShopTime) -> Result<bool, Failure> {
    let statement = "UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    seals::write(session, &seals::TOKENS, statement, &[name(&id), time(at)]).map(|changed| 0 < changed)
}

/// Takes back all tokens of a shopper.
///
/// # Errors
/// What the database says.
pub fn revoke_tokens_of(session: &mut dyn Session, shopper: ShopperId, at: ShopTime) -> Result<u64, Failure> {
    let statement = "UPDATE tokens SET revoked_at = ?2 WHERE shopper = ?1 AND revoked_at IS NULL";
    seals::write(session, &seals::TOKENS, statement, &[name(&shopper), time(at)])
}

/// Writes a line of the audit log.
///
/// # Errors
/// What the database says.
pub fn log(session: &mut dyn Session, deed: &Deed) -> Result<(), Failure> {
    let statement = "INSERT INTO audit (seq, at, who, role, action, subject, detail) \
                     SELECT COALESCE(MAX(seq), 0) + 1, CAST(?1 AS BIGINT), CAST(?2 AS TEXT), CAST(?3 AS TEXT), \
                     CAST(?4 AS TEXT), CAST(?5 AS TEXT), CAST(?6 AS TEXT) FROM audit";
    let values = [
        time(deed.at),
        deed.who.as_str().into(),
        deed.role.as_str().into(),
        deed.action.as_str().into(),
        deed.subject.as_str().into(),
        deed.detail.as_str().into(),
    ];
    seals::write(session, &seals::AUDIT, statement, &values).map(drop)
}

/// Lines of the audit log with their places, newest first, at most `most` of those before `before`.
///
/// # Errors
/// What the database says.
pub fn deeds(session: &mut dyn Session, before: i64, most: u32) -> Result<Vec<(i64, Deed)>, Failure> {
    let statement =
        "SELECT seq, at, who, role, action, subject, detail FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
    let rows = session.query(statement, &[before.into(), i64::from(most).into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, read_deed(row)?))).collect()
}

/// Keeps where an engine was, in place of what was kept under that name.
///
/// # Errors
/// What the database says.
pub fn keep_checkpoint(session: &mut dyn Session, name: &str, at: ShopTime, body: &[u8]) -> Result<(), Failure> {
    let statement = "INSERT INTO checkpoints (name, at, body) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body";
    session.execute(statement, &[name.into(), time(at), body.to_vec().into()]).map(drop)
}

/// Where an engine was, and when.
///
/// # Errors
/// What the database says.
pub fn checkpoint(session: &mut dyn Session, name: &str) -> Result<Option<(ShopTime, Vec<u8>)>, Failure> {
    let rows = session.query("SELECT at, body FROM checkpoints WHERE name = ?1", &[name.into()])?;
    rows.first().map(|row| Ok((row.time(0)?, row.bytes(1)?.to_vec()))).transpose()
}

fn read_token(row: &Row) -> Result<Token, Failure> {
    Ok(Token {
        id: row.name(0)?,
        digest: row.text(1)?.to_owned(),
        role: row.text(2)?.to_owned(),
        holder: row.text(3)?.to_owned(),
        shopper: row.maybe(4, Row::name)?,
        created_at: row.time(5)?,
        expires_at: row.maybe(6, Row::time)?,
        revoked_at: row.maybe(7, Row::time)?,
    })
}

fn read_deed(row: &Row) -> Result<Deed, Failure> {
    Ok(Deed {
        at: row.time(1)?,
        who: row.text(2)?.to_owned(),
        role: row.text(3)?.to_owned(),
        action: row.text(4)?.to_owned(),
        subject: row.text(5)?.to_owned(),
        detail: row.text(6)?.to_owned(),
    })
}
