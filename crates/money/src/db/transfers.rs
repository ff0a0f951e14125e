//! The ledger's rows and the sums by account.

use super::body::{name, time};
use super::{Failure, FailureKind, Row, Session, Value};
use crate::base::{CartId, Currency, Money, TransferId};
use crate::facts::{Account, Reason, Transfer, TransferKind};

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1 without holes.
    pub seq: i64,
    /// What it says.
    pub transfer: Transfer,
    /// Chains it to the row before.
    pub digest: String,
}

/// The sums of one account in one currency, minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Whose.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// Debited.
    pub debits: i64,
    /// Credited.
    pub credits: i64,
    /// Debits that are reserved.
    pub debits_reserved: i64,
    /// Credits that are reserved.
    pub credits_reserved: i64,
}

const COLUMNS: &str = "seq, id, kind, reservation, reason, debit, credit, amount, currency, cart, receipt, at, digest";

/// Writes a row behind the last one.
///
/// # Errors
/// When the place or the name is taken, or the reservation is resolved already.
pub fn insert(session: &mut dyn Session, entry: &Entry) -> Result<(), Failure> {
    let Entry { seq, transfer, digest } = entry;
    let (kind, reservation) = match transfer.kind {
        TransferKind::Direct => ("direct", None),
        TransferKind::Reserve => ("reserve", None),
        TransferKind::Post { reservation } => ("post", Some(reservation)),
        TransferKind::Void { reservation } => ("void", Some(reservation)),
    };
    let statement =
        format!("INSERT INTO transfers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    let values = [
        (*seq).into(),
        name(&transfer.id),
        kind.into(),
        reservation.as_ref().map_or(Value::Null, name),
        reason_text(transfer.reason).into(),
        name(&transfer.debit),
        name(&transfer.credit),
        transfer.amount.minor.into(),
        transfer.amount.currency.code().into(),
        name(&transfer.cart),
        transfer.receipt.map_or(Value::Null, |version| i64::from(version).into()),
        time(transfer.at),
        digest.as_str().into(),
    ];
    session.execute(&statement, &values).map(drop)
}

/// Place and digest of the last row; 0 and nothing for an empty ledger.
///
/// # Errors
/// What the database says.
pub fn last(session: &mut dyn Session) -> Result<(i64, String), Failure> {
    let rows = session.query("SELECT seq, digest FROM transfers ORDER BY seq DESC LIMIT 1", &[])?;
    match rows.first() {
        Some(row) => Ok((row.int(0)?, row.text(1)?.to_owned())),
        None => Ok((0, String::new())),
    }
}

/// The transfer of this name.
///
/// # Errors
/// What the database says.
pub fn get(session: &mut dyn Session, id: TransferId) -> Result<Option<Transfer>, Failure> {
    let rows = session.query(&format!("SELECT {COLUMNS} FROM transfers WHERE id = ?1"), &[name(&id)])?;
    rows.first().map(|row| read(row).map(|entry| entry.transfer)).transpose()
}

/// What posted or voided a reservation.
///
/// # Errors
/// What the database says.
pub fn resolution(session: &mut dyn Session, reservation: TransferId) -> Result<Option<TransferId>, Failure> {
    let rows = session.query("SELECT id FROM transfers WHERE reservation = ?1", &[name(&reservation)])?;
    rows.first().map(|row| row.name(0)).transpose()
}

/// Rows in order behind `seq`, at most `most`.
///
/// # Errors
/// What the database says.
pub fn after(session: &mut dyn Session, seq: i64, most: u32) -> Result<Vec<Entry>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM transfers WHERE ?1 < seq ORDER BY seq LIMIT ?2");
    session.query(&statement, &[seq.into(), i64::from(most).into()])?.iter().map(read).collect()
}

/// The rows of a cart in order.
///
/// # Errors
/// What the database says.
pub fn of_cart(session: &mut dyn Session, cart: CartId) -> Result<Vec<Entry>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM transfers WHERE cart = ?1 ORDER BY seq");
    session.query(&statement, &[name(&cart)])?.iter().map(read).collect()
}

/// Adds to the sums of an account, which begin at zero.
///
/// # Errors
/// What the database says.
pub fn add(session: &mut dyn Session, change: &Sums) -> Result<(), Failure> {
    let statement = "INSERT INTO balances (account, currency, debits, credits, debits_reserved, credits_reserved) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, currency) DO UPDATE SET \
                     debits = balances.debits + excluded.debits, credits = balances.credits + excluded.credits, \
                     debits_reserved = balances.debits_reserved + excluded.debits_reserved, \
                     credits_reserved = balances.credits_reserved + excluded.credits_reserved";
    let values = [
        name(&change.account),
        change.currency.code().into(),
        change.debits.into(),
        change.credits.into(),
        change.debits_reserved.into(),
        change.credits_reserved.into(),
    ];
    session.execute(statement, &values).map(drop)
}

/// The sums of all accounts but those of shoppers, or of all.
///
/// # Errors
/// What the database says.
pub fn sums(session: &mut dyn Session, with_shoppers: bool) -> Result<Vec<Sums>, Failure> {
    let filter = if with_shoppers { "" } else { "WHERE account NOT LIKE 'shopper/%' " };
    let statement = format!(
        "SELECT account, currency, debits, credits, debits_reserved, credits_reserved FROM balances {filter}ORDER BY account, currency"
    );
    session.query(&statement, &[])?.iter().map(read_sums).collect()
}

/// The sums of one account, by currency.
///
/// # Errors
/// What the database says.
pub fn sums_of(session: &mut dyn Session, account: &Account) -> Result<Vec<Sums>, Failure> {
    let statement = "SELECT account, currency, debits, credits, debits_reserved, credits_reserved FROM balances \
                     WHERE account = ?1 ORDER BY currency";
    session.query(statement, &[name(account)])?.iter().map(read_sums).collect()
}

fn read_sums(row: &Row) -> Result<Sums, Failure> {
    Ok(Sums {
        account: row.name(0)?,
        currency: row.name(1)?,
        debits: row.int(2)?,
        credits: row.int(3)?,
        debits_reserved: row.int(4)?,
        credits_reserved: row.int(5)?,
    })
}

fn read(row: &Row) -> Result<Entry, Failure> {
    let reservation = row.maybe(3, Row::name)?;
    let kind = match (row.text(2)?, reservation) {
        ("direct", None) => TransferKind::Direct,
        ("reserve", None) => TransferKind::Reserve,
        ("post", Some(reservation)) => TransferKind::Post { reservation },
        ("void", Some(reservation)) => TransferKind::Void { reservation },
        (other, _) => return Err(Failure::new(FailureKind::Broken, format!("`{other}` is not a kind of transfer"))),
    };
    let transfer = Transfer {
        id: row.name(1)?,
        kind,
        reason: reason(row.text(4)?)?,
        debit: row.name(5)?,
        credit: row.name(6)?,
        amount: Money::new(row.int(7)?, row.name(8)?),
        cart: row.name(9)?,
        receipt: row.maybe(10, Row::count)?,
        at: row.time(11)?,
    };
    Ok(Entry { seq: row.int(0)?, transfer, digest: row.text(12)?.to_owned() })
}

const REASONS: [(Reason, &str); 12] = [
    (Reason::Sale, "sale"),
    (Reason::Tax, "tax"),
    (Reason::Hold, "hold"),
    (Reason::Capture, "capture"),
    (Reason::Charge, "charge"),
    (Reason::CreditNote, "credit_note"),
    (Reason::TaxCredit, "tax_credit"),
    (Reason::Refund, "refund"),
    (Reason::WriteOff, "write_off"),
    (Reason::Dispute, "dispute"),
    (Reason::Reinstatement, "reinstatement"),
    (Reason::Recovery, "recovery"),
];

fn reason_text(reason: Reason) -> &'static str {
    REASONS.iter().find(|(other, _)| *other == reason).map_or("", |(_, text)| text)
}

fn reason(text: &str) -> Result<Reason, Failure> {
    let broken = || Failure::new(FailureKind::Broken, format!("`{text}` is not a reason of a transfer"));
    REASONS.iter().find(|(_, other)| *other == text).map(|(reason, _)| *reason).ok_or_else(broken)
}
