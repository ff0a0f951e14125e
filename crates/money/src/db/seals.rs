//! The chain of seals: each time that a row is written on which money or a person's word rests, what it says is noted as
//! a digest behind all notes before it. Whoever changes, adds or drops rows past aisle leaves rows that are not as they
//! were sealed.

use std::collections::BTreeMap;

use super::{Failure, FailureKind, Row, Session, Value};
use crate::base::{add_part, chained, sha256};

/// Seals that one statement writes.
const ROWS_MAX: usize = 16;

/// Rows that are read at once where an old book is sealed.
const PAGE: i64 = 1_000;

/// A table whose rows are sealed, and what of them is.
#[derive(Debug)]
pub struct Sealed {
    /// Its name.
    pub table: &'static str,
    /// The columns that are sealed, those of the key first.
    columns: &'static str,
    /// How many columns the key has.
    keys: usize,
    /// What may become of its rows.
    pub life: Life,
}

/// What may become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It stays as it was written.
    Fixed,
    /// It may be written again.
    Changing,
    /// It may be written again, and be deleted when its time is over.
    Passing,
}

pub(super) const SHOPS: Sealed = Sealed { table: "shops", columns: "name, body", keys: 1, life: Life::Changing };

/// Without name and contact: so little text could be guessed from a digest, which stays when they are erased.
pub(super) const SHOPPERS: Sealed = Sealed {
    table: "shoppers",
    columns: "id, method, gate_digest, created_at, erased_at",
    keys: 1,
    life: Life::Changing,
};

/// Without what is known while they are open, which changes every second.
pub(super) const CARTS: Sealed = Sealed {
    table: "carts",
    columns: "id, shop, shopper, visit, gate, entered_at, left_at, state, receipt, booked",
    keys: 1,
    life: Life::Changing,
};

pub(super) const RECEIPTS: Sealed =
    Sealed { table: "receipts", columns: "cart, version, made_at, origin, body", keys: 2, life: Life::Fixed };

pub(super) const EVIDENCE: Sealed =
    Sealed { table: "evidence", columns: "cart, kept_until, body", keys: 1, life: Life::Passing };

pub(super) const CASES: Sealed =
    Sealed { table: "cases", columns: "id, cart, receipt, opened_at, decided_at, body", keys: 1, life: Life::Changing };

pub(super) const PAYMENTS: Sealed =
    Sealed { table: "payments", columns: "id, cart, shopper, state, body", keys: 1, life: Life::Changing };

/// Without when and how often it is tried, which every attempt changes.
pub(super) const OUTBOX: Sealed = Sealed {
    table: "outbox",
    columns: "id, payment, state, reference, made_at, answered_at, body, answer",
    keys: 1,
    life: Life::Changing,
};

pub(super) const TOKENS: Sealed = Sealed {
    table: "tokens",
    columns: "id, digest, role, holder, shopper, created_at, expires_at, revoked_at",
    keys: 1,
    life: Life::Changing,
};

pub(super) const AUDIT: Sealed =
    Sealed { table: "audit", columns: "seq, at, who, role, action, subject, detail", keys: 1, life: Life::Fixed };

pub(super) const DUTIES: Sealed = Sealed { table: "duties", columns: "cart, role, token", keys: 1, life: Life::Fixed };

pub(super) const COMPANIONS: Sealed = Sealed { table: "companions", columns: "cart, host", keys: 1, life: Life::Fixed };

/// How many of [`SEALED`] there were when books got their seals.
const SEALED_FIRST: usize = 10;

/// All tables whose rows are sealed, in the order in which they came to be. Transfers are not among them: their rows have a chain of their own.
pub const SEALED: [&Sealed; SEALED_FIRST + 2] = [
    &SHOPS,
    &SHOPPERS,
    &CARTS,
    &RECEIPTS,
    &EVIDENCE,
    &CASES,
    &PAYMENTS,
    &OUTBOX,
    &TOKENS,
    &AUDIT,
    &DUTIES,
    &COMPANIONS,
];

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Its place, from 1 without holes.
    pub seq: i64,
    /// The table.
    pub kind: String,
    /// The key of the row.
    pub subject: String,
    /// SHA-256 of what the row said.
    pub content: String,
    /// Chains it to the seal before.
    pub digest: String,
}

/// What a row says, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its key.
    pub subject: String,
    /// SHA-256 of what it says.
    pub content: String,
}

/// Seals that wait for the end of their transaction; of several of one row the last one counts.
pub(super) type Pending = BTreeMap<(&'static str, String), String>;

/// Place and digest of the last seal; 0 and nothing for none.
pub(super) type Head = (i64, String);

/// Runs a statement that writes rows of a table, and seals them as they are then; gives how many there were.
pub(super) fn write(
    session: &mut dyn Session,
    sealed: &Sealed,
    statement: &str,
    values: &[Value],
) -> Result<u64, Failure> {
    let rows = session.query(&format!("{statement} RETURNING {}", sealed.columns), values)?;
    for row in &rows {
        let Said { subject, content } = sealed.said(row)?;
        session.seal(sealed.table, subject, content)?;
    }
    Ok(rows.len() as u64)
}

impl Sealed {
    /// The row of these columns, in short.
    fn said(&self, row: &Row) -> Result<Said, Failure> {
        let mut subject = String::new();
        for (at, key) in row.0.iter().take(self.keys).enumerate() {
            if 0 < at {
                subject.push('/');
            }
            match key {
                Value::Int(number) => subject += &number.to_string(),
                Value::Text(text) => subject += text,
                other => {
                    let message = format!("the key of a row of {} holds {}", self.table, other.sort());
                    return Err(Failure::new(FailureKind::Broken, message));
                }
            }
        }
        let mut text = String::with_capacity(512);
        for value in &row.0 {
            // The sort goes ahead: nothing, a number and the text of that number are three things.
            match value {
                Value::Null => text.push('0'),
                Value::Int(number) => {
                    text.push('i');
                    add_part(&mut text, &number.to_string());
                }
                Value::Text(part) => {
                    text.push('t');
                    add_part(&mut text, part);
                }
                Value::Bytes(bytes) => {
                    text.push('b');
                    add_part(&mut text, &crate::base::hex(bytes));
                }
            }
        }
        Ok(Said { subject, content: sha256(text.as_bytes()) })
    }

    fn page(&self, session: &mut dyn Session, after: Option<&Row>) -> Result<Vec<Row>, Failure> {
        let Sealed { table, columns, keys, .. } = self;
        let key = columns.split(", ").take(*keys).collect::<Vec<_>>().join(", ");
        let (behind, values) = match after {
            None => (String::new(), Vec::new()),
            Some(row) => {
                let places = (1..=*keys).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
                (format!("WHERE ({key}) > ({places}) "), row.0[..*keys].to_vec())
            }
        };
        session.query(&format!("SELECT {columns} FROM {table} {behind}ORDER BY {key} LIMIT {PAGE}"), &values)
    }
}

/// Reads all rows of a table in order of their keys and gives each, in short.
///
/// # Errors
/// What the database or `take` says.
pub fn rows(
    session: &mut dyn Session,
    sealed: &Sealed,
    mut take: impl FnMut(&mut dyn Session, Said) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut last: Option<Row> = None;
    loop {
        let page = sealed.page(session, last.as_ref())?;
        for row in &page {
            let said = sealed.said(row)?;
            take(session, said)?;
        }
        let full = page.len() as i64 == PAGE;
        last = page.into_iter().next_back();
        if !full {
            return Ok(());
        }
    }
}

/// Seals every row of a book that has no seals yet, as it stands there.
pub(super) fn seal_all(session: &mut dyn Session) -> Result<(), Failure> {
    for sealed in &SEALED[..SEALED_FIRST] {
        rows(session, sealed, |session, said| session.seal(sealed.table, said.subject, said.content))?;
    }
    Ok(())
}

/// Seals in order behind `seq`, at most `most`.
///
/// # Errors
/// What the database says.
pub fn after(session: &mut dyn Session, seq: i64, most: u32) -> Result<Vec<Seal>, Failure> {
    let statement = "SELECT seq, kind, subject, content, digest FROM seals WHERE ?1 < seq ORDER BY seq LIMIT ?2";
    let read = |row: &Row| {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(Seal { seq: row.int(0)?, kind: text(1)?, subject: text(2)?, content: text(3)?, digest: text(4)? })
    };
    session.query(statement, &[seq.into(), i64::from(most).into()])?.iter().map(read).collect()
}

/// Place and digest of the last seal; 0 and nothing for none.
///
/// # Errors
/// What the database says.
pub fn last(session: &mut dyn Session) -> Result<(i64, String), Failure> {
    let rows = session.query("SELECT seq, digest FROM seals ORDER BY seq DESC LIMIT 1", &[])?;
    rows.first().map_or(Ok((0, String::new())), |row| Ok((row.int(0)?, row.text(1)?.to_owned())))
}

/// The last seal, if the book still has the one that was the last one before.
///
/// # Errors
/// When it has not: this is another book, or an older copy.
pub(super) fn head(session: &mut dyn Session, known: &Head) -> Result<Head, Failure> {
    let statement =
        "SELECT seq, digest, (SELECT digest FROM seals WHERE seq = ?1) FROM seals ORDER BY seq DESC LIMIT 1";
    let rows = session.query(statement, &[known.0.into()])?;
    let still = match rows.first() {
        _ if known.0 == 0 => true,
        Some(row) => !row.is_null(2) && row.text(2)? == known.1,
        None => false,
    };
    if !still {
        let message = format!(
            "seal {} that this process has written or seen is not in it any more: it was replaced by an older copy, or \
             its log was lost",
            known.0
        );
        return Err(Failure::new(FailureKind::Lost, message));
    }
    rows.first().map_or(Ok((0, String::new())), |row| Ok((row.int(0)?, row.text(1)?.to_owned())))
}

/// Writes what waits behind the last seal; gives the new last one.
pub(super) fn append(session: &mut dyn Session, head: Head, pending: &Pending) -> Result<Head, Failure> {
    let (mut seq, mut digest) = head;
    let mut values = Vec::with_capacity(5 * ROWS_MAX.min(pending.len()));
    let mut left = pending.len();
    for ((kind, subject), content) in pending {
        (seq, left) = (seq + 1, left - 1);
        digest = chained(&digest, &[kind, subject, content]);
        values.extend([
            seq.into(),
            (*kind).into(),
            subject.as_str().into(),
            content.as_str().into(),
            digest.as_str().into(),
        ]);
        if values.len() == 5 * ROWS_MAX || left == 0 {
            let row = |at: usize| format!("(?{}, ?{}, ?{}, ?{}, ?{})", at + 1, at + 2, at + 3, at + 4, at + 5);
            let rows: Vec<String> = (0..values.len()).step_by(5).map(row).collect();
            let statement =
                format!("INSERT INTO seals (seq, kind, subject, content, digest) VALUES {}", rows.join(", "));
            session.execute(&statement, &values)?;
            values.clear();
        }
    }
    Ok((seq, digest))
}
