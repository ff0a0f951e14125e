//! The shop's time axis: an instant, a difference, a half-open interval.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::fixed;

/// An instant on the shop's corrected time axis: nanoseconds since the Unix epoch.
// A newtype for serde, which writes the number alone: `Interchange` knows it by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ShopTime(i64);

/// A signed difference between two instants, in nanoseconds.
// A newtype for serde, as `ShopTime` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Span(i64);

/// A half-open interval `[start, end)`; empty when both are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TimeRange {
    /// First instant inside.
    pub start: ShopTime,
    /// First instant after; never before `start`.
    pub end: ShopTime,
}

impl ShopTime {
    /// The earliest instant that can be said.
    pub const MIN: ShopTime = ShopTime(i64::MIN);
    /// The latest instant that can be said.
    pub const MAX: ShopTime = ShopTime(i64::MAX);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        ShopTime(nanos)
    }

    /// From seconds since the Unix epoch, rounded to the microsecond (a double holds no more near today's date).
    /// `None` when not finite or out of the range of the axis.
    pub fn from_unix_secs(secs: f64) -> Option<Self> {
        let micros = (secs * 1e6).round();
        (micros.is_finite() && micros.abs() < 9.0e15).then(|| ShopTime(micros as i64 * 1000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The instant on the clocks of a zone.
    pub fn zoned(self, zone: &TimeZone) -> Zoned {
        // The axis ends in the years 1677 and 2262, which is well inside of what a timestamp holds.
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default().to_zoned(zone.clone())
    }

    /// RFC 3339 in UTC with so many decimals of a second, up to nine; what is beyond them is cut off.
    pub fn rfc3339(self, decimals: usize) -> String {
        // The axis ends in the years 1677 and 2262, as above.
        format!("{:.decimals$}", Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default())
    }

    /// Seconds from `origin` to here; precise, because the subtraction happens in integers.
    pub fn secs_since(self, origin: ShopTime) -> f64 {
        (self - origin).as_secs()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Span(nanos)
    }

    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Span(millis * 1_000_000)
    }

    /// From seconds, rounded to the nanosecond; saturates at the ends of the axis, not-a-number becomes zero.
    pub fn from_secs(secs: f64) -> Self {
        Span((secs * 1e9).round() as i64)
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// In seconds.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// The size without the sign.
    pub const fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }
}

impl TimeRange {
    /// The interval between two instants, whichever order they are given in.
    pub fn new(a: ShopTime, b: ShopTime) -> Self {
        TimeRange { start: a.min(b), end: a.max(b) }
    }

    /// How long it is.
    pub fn length(self) -> Span {
        self.end - self.start
    }

    /// The instant halfway.
    pub fn middle(self) -> ShopTime {
        self.start + Span(self.length().0 / 2)
    }

    /// Grown by `margin` on both sides.
    pub fn widened(self, margin: Span) -> Self {
        TimeRange { start: self.start - margin, end: self.end + margin }
    }

    /// The smallest interval that holds both.
    pub fn hull(self, other: TimeRange) -> Self {
        TimeRange { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether an instant lies in it, its ends included.
    pub fn contains(self, at: ShopTime) -> bool {
        self.start <= at && at <= self.end
    }

    /// Whether the two share an instant, or touch.
    pub fn touches(self, other: TimeRange) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

impl Add<Span> for ShopTime {
    type Output = ShopTime;
    fn add(self, span: Span) -> ShopTime {
        ShopTime(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for ShopTime {
    type Output = ShopTime;
    fn sub(self, span: Span) -> ShopTime {
        ShopTime(self.0.saturating_sub(span.0))
    }
}

impl Sub for ShopTime {
    type Output = Span;
    fn sub(self, other: ShopTime) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Mul<i64> for Span {
    type Output = Span;
    fn mul(self, factor: i64) -> Span {
        Span(self.0.saturating_mul(factor))
    }
}

impl Neg for Span {
    type Output = Span;
    fn neg(self) -> Span {
        Span(self.0.saturating_neg())
    }
}

impl fmt::Display for ShopTime {
    /// RFC 3339 in UTC to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", fixed(self.as_secs(), 3))
    }
}
