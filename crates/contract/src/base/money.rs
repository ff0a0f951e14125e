//! Money in integer minor units with its currency, and quantities. Arithmetic is checked: it never wraps or rounds.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ISO 4217 alphabetic code, such as `USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Currency([u8; 3]);

/// An amount in minor units (cents, fen) of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// How many minor units.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// How many units of a product; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Quantity(u32);

/// A share in hundredths of a percent: 1900 is 19 %. Tax rates and percentages off are said in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BasisPoints(u32);

/// Basis points in the whole.
const WHOLE: u32 = 10_000;

impl BasisPoints {
    /// Everything.
    pub const ONE: BasisPoints = BasisPoints(WHOLE);

    /// So many hundredths of a percent.
    pub const fn new(basis_points: u32) -> Self {
        BasisPoints(basis_points)
    }

    /// The number of hundredths of a percent.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// This share of an amount, rounded half away from zero; `None` when it does not fit.
    pub fn of(self, amount: Money) -> Option<Money> {
        let minor = rounded(i128::from(amount.minor) * i128::from(self.0), i128::from(WHOLE))?;
        Some(Money { minor, ..amount })
    }

    /// What came on top at this rate to make the amount, rounded half away from zero: at 19 %, 19 of 119. Never larger
    /// than the amount.
    pub fn within(self, amount: Money) -> Option<Money> {
        let whole = i128::from(WHOLE) + i128::from(self.0);
        let minor = rounded(i128::from(amount.minor) * i128::from(self.0), whole)?;
        Some(Money { minor, ..amount })
    }
}

/// Commercial rounding: to the nearest whole number, halves away from zero. The divisor is positive.
fn rounded(dividend: i128, divisor: i128) -> Option<i64> {
    let size = (dividend.abs() + divisor / 2) / divisor;
    // For an odd divisor there are no halves, and half of it rounded down decides the same.
    i64::try_from(size * dividend.signum()).ok()
}

impl fmt::Display for BasisPoints {
    /// As a percentage with no more decimals than it has: `19 %`, `7.75 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole} %"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02} %"),
        }
    }
}

impl Currency {
    /// US dollar.
    pub const USD: Currency = Currency(*b"USD");

    /// All that there are, by code.
    pub fn all() -> impl Iterator<Item = Currency> {
        let letters = || b'A'..=b'Z';
        let words = letters().flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        words.filter_map(|word| std::str::from_utf8(&word).ok()?.parse().ok())
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits after the decimal point in customary writing (ISO 4217 minor unit).
    pub fn decimals(self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(|listed| listed.exponent()).map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            &[a, b, c] if iso_currency::Currency::from_code(text).is_some() => Ok(Currency([a, b, c])),
            _ => Err(format!("`{text}` is not an ISO 4217 code: write three capital letters, such as EUR")),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl Money {
    /// An amount of `minor` units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Money { minor, currency }
    }

    /// `self + other`; `None` when currencies differ or the sum does not fit.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Money { minor, ..self })
    }

    /// `self - other`; `None` when currencies differ or the difference does not fit.
    pub fn checked_sub(self, other: Money) -> Option<Money> {
        let minor = self.minor.checked_sub(other.minor)?;
        (self.currency == other.currency).then_some(Money { minor, ..self })
    }

    /// `self * quantity`; `None` when it does not fit.
    pub fn checked_mul(self, quantity: Quantity) -> Option<Money> {
        Some(Money { minor: self.minor.checked_mul(i64::from(quantity.get()))?, ..self })
    }

    /// The amount in major units with all decimals of its currency, without its code: `-1.49`, `120`, `0.500`.
    pub fn decimal(self) -> String {
        let width = self.currency.decimals() as usize;
        let scale = 10u64.pow(self.currency.decimals());
        let (size, sign) = (self.minor.unsigned_abs(), if self.minor < 0 { "-" } else { "" });
        match width {
            0 => format!("{sign}{size}"),
            _ => format!("{sign}{}.{:0width$}", size / scale, size % scale),
        }
    }
}

impl Quantity {
    /// None of it.
    pub const ZERO: Quantity = Quantity(0);

    /// So many units.
    pub const fn new(units: u32) -> Self {
        Quantity(units)
    }

    /// The number of units.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
