//! The little that both engines have in common: statements with values, rows, and ways to fail.

use std::fmt;

use crate::base::Error;

/// One value of a row or a parameter. Columns are `BIGINT`, `TEXT` or bytes; nothing else is portable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

/// Statements inside one transaction. Parameters are written `?1`, `?2`, …
pub trait Session {
    /// Runs a statement; gives the number of rows it changed.
    ///
    /// # Errors
    /// See [`FailureKind`]; the transaction is then over and nothing of it is kept.
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure>;

    /// Runs a question; gives all its rows.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure>;

    /// Notes what a row says now: it is sealed at the end of the transaction. `kind` is the table, `subject` the key,
    /// `content` a digest of the rest.
    ///
    /// # Errors
    /// When this session has no transaction of a [`super::Database`] around it.
    fn seal(&mut self, kind: &'static str, subject: String, content: String) -> Result<(), Failure> {
        let _ = content;
        let message = format!("{kind} {subject} cannot be sealed outside of a transaction of the book");
        Err(Failure::new(FailureKind::Broken, message))
    }
}

/// A database that can be opened, broken, and opened again.
pub trait Engine: Send {
    /// What it is, for messages: `sqlite` or `postgresql`.
    fn name(&self) -> &'static str;

    /// Runs `work` in a transaction of its own, serialised against all others, and makes it durable before answering.
    /// When `work` fails nothing is kept. A lost connection is opened anew by the next call.
    ///
    /// # Errors
    /// What `work` says; or why the transaction could not begin or end. After [`FailureKind::Lost`] at the end nobody
    /// knows whether it was kept: whoever repeats it must do so with the same ids.
    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure>;
}

/// What sort of failure it is; decides whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Another process holds the database for too long.
    Busy,
    /// The disk is full.
    Full,
    /// The connection or the file is gone.
    Lost,
    /// Two transactions met; the same one again will do.
    Conflict,
    /// A rule of the database forbids it: a name that exists, a missing parent, a row that must not change.
    Refused,
    /// The database is not what it should be, or the statement is wrong.
    Broken,
    /// The work itself gave up; not the database's doing.
    Work,
}

/// Why a statement or transaction failed.
#[derive(Debug)]
pub struct Failure {
    /// What sort.
    pub kind: FailureKind,
    /// For people; without values of rows.
    pub message: String,
    /// What the work said when it gave up.
    pub cause: Option<Box<Error>>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), cause: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What the work says ends the transaction.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { kind: FailureKind::Work, message: error.to_string(), cause: Some(Box::new(error)) }
    }
}

/// A database that may be back soon is unavailable; one that will not mend itself is bad input.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let Failure { kind, message, cause } = failure;
        match (kind, cause) {
            (_, Some(error)) => *error,
            (FailureKind::Busy, _) => Error::unavailable(format!("the database is busy: {message}"))
                .hint("another process is writing; it is tried again by itself where the shop is open"),
            (FailureKind::Full, _) => Error::unavailable(format!("the disk of the database is full: {message}"))
                .hint("free some space; nothing was lost and nothing was changed"),
            (FailureKind::Lost, _) => Error::unavailable(format!("the database is gone: {message}"))
                .hint("check that it runs and can be reached; what was being written is tried again by itself"),
            (FailureKind::Conflict, _) => Error::unavailable(format!("the database is contended: {message}")),
            (FailureKind::Broken, _) => Error::broken(format!("the database is not in order: {message}")),
            (FailureKind::Refused | FailureKind::Work, _) => Error::input(format!("the database refuses: {message}")),
        }
    }
}

impl Row {
    fn value(&self, column: usize) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }

    /// The whole number in a column.
    ///
    /// # Errors
    /// When there is none.
    pub fn int(&self, column: usize) -> Result<i64, Failure> {
        match self.value(column) {
            Value::Int(number) => Ok(*number),
            other => Err(self.wrong(column, "a whole number", other)),
        }
    }

    /// The text in a column.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, column: usize) -> Result<&str, Failure> {
        match self.value(column) {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong(column, "text", other)),
        }
    }

    /// The bytes in a column.
    ///
    /// # Errors
    /// When there are none.
    pub fn bytes(&self, column: usize) -> Result<&[u8], Failure> {
        match self.value(column) {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(self.wrong(column, "bytes", other)),
        }
    }

    /// Whether a column says nothing.
    pub fn is_null(&self, column: usize) -> bool {
        *self.value(column) == Value::Null
    }

    fn wrong(&self, column: usize, wanted: &str, found: &Value) -> Failure {
        let kind = found.sort();
        Failure::new(
            FailureKind::Broken,
            format!("column {} of {} holds {kind}, not {wanted}", column + 1, self.0.len()),
        )
    }
}

impl Value {
    /// What it is, for messages, which never say the value.
    pub(super) fn sort(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Int(_) => "a whole number",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Bytes(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
