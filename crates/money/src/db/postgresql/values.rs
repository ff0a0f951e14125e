//! Statements and values between the portable form and PostgreSQL's.

use tokio_postgres::types::{FromSql, ToSql, Type};

use super::super::{Failure, FailureKind, Row, Value};
use crate::base::Result;

/// A statement with `$1` for `?1`, outside of what is quoted, and the highest number of a parameter.
pub(super) fn with_dollars(statement: &str) -> (String, usize) {
    let (mut text, mut quote) = (String::with_capacity(statement.len()), None);
    let (mut highest, mut number) = (0, None);
    for letter in statement.chars() {
        number = match (number, letter.to_digit(10)) {
            (Some(number), Some(digit)) => Some(usize::saturating_add(10 * number, digit as usize)),
            _ => None,
        };
        match (quote, letter) {
            (None, '?') => {
                number = Some(0);
                text.push('$');
            }
            (None, '\'' | '"') => {
                quote = Some(letter);
                text.push(letter);
            }
            // A doubled quote closes and opens again, which comes to the same.
            (Some(open), _) if open == letter => {
                quote = None;
                text.push(letter);
            }
            _ => text.push(letter),
        }
        highest = highest.max(number.unwrap_or(0));
    }
    (text, highest)
}

type Bound<'a> = (Box<dyn ToSql + Sync + 'a>, Type);

/// Values in the types that columns have. The server is told them, so that it need not be asked first.
pub(super) fn bind(values: &[Value], wanted: usize) -> Result<Vec<Bound<'_>>, Failure> {
    if values.len() != wanted {
        let message = format!("the statement has {wanted} parameters, {} values were given", values.len());
        return Err(Failure::new(FailureKind::Broken, message));
    }
    Ok(values.iter().map(bind_one).collect())
}

fn bind_one(value: &Value) -> Bound<'_> {
    match value {
        // What is nothing is of any type.
        Value::Null => (Box::new(None::<&str>), Type::UNKNOWN),
        Value::Int(number) => (Box::new(*number), Type::INT8),
        Value::Text(text) => (Box::new(text.as_str()), Type::TEXT),
        Value::Bytes(bytes) => (Box::new(bytes.as_slice()), Type::BYTEA),
    }
}

/// As the driver takes them.
pub(super) fn typed<'a>(bound: &'a [Bound<'_>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    bound.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
}

/// A row in portable values. What is computed may have a type that no column has: a sum, a comparison, a literal.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(index, column)| {
        let kind = column.type_();
        let value = if *kind == Type::INT8 {
            row.try_get::<_, Option<i64>>(index).map(Value::from)
        } else if *kind == Type::INT4 {
            row.try_get::<_, Option<i32>>(index).map(|number| number.map(i64::from).into())
        } else if *kind == Type::INT2 {
            row.try_get::<_, Option<i16>>(index).map(|number| number.map(i64::from).into())
        } else if *kind == Type::BOOL {
            row.try_get::<_, Option<bool>>(index).map(|truth| truth.map(i64::from).into())
        } else if *kind == Type::NUMERIC {
            row.try_get::<_, Option<WholeNumeric>>(index).map(|number| number.map(|whole| whole.0).into())
        } else if *kind == Type::BYTEA {
            row.try_get::<_, Option<Vec<u8>>>(index).map(Value::from)
        } else {
            row.try_get::<_, Option<String>>(index).map(Value::from)
        };
        value.map_err(|_| {
            let message = format!("column {} of {} is {kind}, not of a portable type", index + 1, row.len());
            Failure::new(FailureKind::Broken, message)
        })
    });
    Ok(Row(values.collect::<Result<_, Failure>>()?))
}

/// What `SUM` of whole numbers gives: a decimal number of any size, of which only whole ones of 64 bits are taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WholeNumeric(pub(super) i64);

impl<'a> FromSql<'a> for WholeNumeric {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        // Big-endian words of 16 bits: how many digits to the base of 10,000, the power of the first one, the sign,
        // the decimals shown, and the digits.
        let mut words = raw.chunks_exact(2).map(|word| i16::from_be_bytes([word[0], word[1]]));
        let mut word = || words.next().ok_or("a number is cut off");
        let (digits, first, sign, _) = (word()?, word()?, word()?, word()?);
        let mut whole: i128 = 0;
        for power in (0..=first).rev() {
            let digit = if first - power < digits { word()? } else { 0 };
            whole = whole.checked_mul(10_000).and_then(|whole| whole.checked_add(digit.into())).ok_or("too large")?;
        }
        let negative = match sign {
            0 => false,
            0x4000 => true,
            _ => return Err("not a number".into()),
        };
        if digits != 0 && first + 1 < digits {
            return Err("not a whole number".into());
        }
        Ok(WholeNumeric(i64::try_from(if negative { -whole } else { whole })?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }
}
