//! Values of columns: names as text, bodies as JSON, times as whole numbers.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Failure, FailureKind, Row, Value};
use crate::base::ShopTime;

/// A value as JSON for a column called `body`.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Value, Failure> {
    let text = serde_json::to_string(value);
    text.map(Value::Text)
        .map_err(|error| Failure::new(FailureKind::Broken, format!("cannot be written as JSON: {error}")))
}

pub(super) fn name<T: ToString>(value: &T) -> Value {
    Value::Text(value.to_string())
}

pub(super) fn time(at: ShopTime) -> Value {
    Value::Int(at.as_nanos())
}

impl Row {
    /// The value whose JSON is in a column.
    ///
    /// # Errors
    /// When it is not of that type.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, Failure> {
        let broken = |error| {
            Failure::new(FailureKind::Broken, format!("column {} does not hold what it should: {error}", column + 1))
        };
        serde_json::from_str(self.text(column)?).map_err(broken)
    }

    /// The name in a column.
    ///
    /// # Errors
    /// When it is not a name of that kind.
    pub fn name<T: FromStr<Err = String>>(&self, column: usize) -> Result<T, Failure> {
        self.text(column)?.parse().map_err(|message: String| Failure::new(FailureKind::Broken, message))
    }

    /// The time in a column.
    ///
    /// # Errors
    /// When there is none.
    pub fn time(&self, column: usize) -> Result<ShopTime, Failure> {
        self.int(column).map(ShopTime::from_nanos)
    }

    /// The small count in a column.
    ///
    /// # Errors
    /// When it is not a whole number below 2^32.
    pub fn count(&self, column: usize) -> Result<u32, Failure> {
        let number = self.int(column)?;
        let broken = || Failure::new(FailureKind::Broken, format!("column {} holds {number}, not a count", column + 1));
        u32::try_from(number).map_err(|_| broken())
    }

    /// What `read` finds in a column, or nothing where the column says nothing.
    ///
    /// # Errors
    /// As `read`.
    pub fn maybe<T>(
        &self,
        column: usize,
        read: impl Fn(&Row, usize) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if self.is_null(column) { Ok(None) } else { read(self, column).map(Some) }
    }
}
