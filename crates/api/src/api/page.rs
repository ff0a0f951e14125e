//! Lists come in pages.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::problem::{Problem, Sort};
use crate::base::ShopTime;
use crate::base::interchange::DECIMALS_EXACT;
use crate::base::limits::PAGE_ROWS_MAX;

/// Rows of a page where nobody says otherwise.
const ROWS: u32 = 50;

/// Which page of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery<A> {
    /// Rows in the answer at most: 1 to 200, default 50.
    #[schemars(range(min = 1, max = PAGE_ROWS_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<A>,
}

/// The row before, by time and name.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AfterRow(ShopTime, String);

/// The row before, by its number.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AfterNumber(i64);

/// The row before, by its code.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AfterCode(String);

/// `next` of a page is of these letters.
macro_rules! described {
    ($($after:ident: $pattern:literal),*) => {$(
        impl JsonSchema for $after {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($after).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

described!(
    AfterRow: "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{9}Z\\.[0-9A-Za-z_]{0,64}$",
    AfterNumber: "^[0-9]{1,19}$",
    AfterCode: "^[^\\x00-\\x1f\\x7f]*$"
);

impl TryFrom<String> for AfterRow {
    type Error = String;

    fn try_from(after: String) -> Result<Self, String> {
        let row = after.rsplit_once('.').and_then(|(at, name)| {
            let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            Some(AfterRow(instant(at)?, name.to_owned())).filter(|_| plain)
        });
        row.ok_or_else(|| wrong(&after))
    }
}

impl TryFrom<String> for AfterNumber {
    type Error = String;

    fn try_from(after: String) -> Result<Self, String> {
        whole(&after).filter(|_| !after.starts_with('-')).map(AfterNumber).ok_or_else(|| wrong(&after))
    }
}

impl TryFrom<String> for AfterCode {
    type Error = String;

    fn try_from(after: String) -> Result<Self, String> {
        if after.chars().any(|sign| sign.is_ascii_control()) { Err(wrong(&after)) } else { Ok(AfterCode(after)) }
    }
}

/// A time as [`row`] writes it. A day that its month does not have is the last that it has, and a time beyond what there can
/// be is the end of that: so everything is taken that the description allows.
fn instant(text: &str) -> Option<ShopTime> {
    let (signs, digits): (String, String) = text.chars().partition(|sign| !sign.is_ascii_digit());
    let in_form = signs == "--T::.Z" && text.len() == "2026-11-30T08:00:00.123456789Z".len();
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    let small = |range| i8::try_from(part(range)?).ok();
    let month = Date::new(i16::try_from(part(0..4)?).ok()?, small(4..6)?, 1).ok().filter(|_| in_form)?;
    let day = small(6..8).filter(|day| (1..=31).contains(day))?.min(month.days_in_month());
    let time = Time::new(small(8..10)?, small(10..12)?, small(12..14)?, part(14..23)?).ok()?;
    let date = Date::new(month.year(), month.month(), day).ok()?;
    match date.year() {
        ..=1676 => Some(ShopTime::MIN),
        2263.. => Some(ShopTime::MAX),
        _ => {
            let nanos = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp().as_nanosecond();
            let end = if nanos < 0 { ShopTime::MIN } else { ShopTime::MAX };
            Some(i64::try_from(nanos).map_or(end, ShopTime::from_nanos))
        }
    }
}

/// A whole number of up to 19 digits; where it is beyond what there can be, the end of that.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let fits = (1..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i128 = text.parse().ok().filter(|_| fits)?;
    Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// What to write as `after` to get the next page; none on the last.
    pub(super) next: Option<String>,
}

impl<A> PageQuery<A> {
    /// How many rows to read: one more than are given, to know whether it is the last page.
    pub(super) fn rows(&self) -> Result<u32, Problem> {
        Ok(self.limit()? + 1)
    }

    pub(super) fn limit(&self) -> Result<u32, Problem> {
        let limit = self.limit.unwrap_or(ROWS);
        match (1..=PAGE_ROWS_MAX).contains(&limit) {
            true => Ok(limit),
            false => Err(Problem::new(Sort::Malformed, format!("`limit` is {limit}; write 1 to {PAGE_ROWS_MAX}"))),
        }
    }
}

impl PageQuery<AfterRow> {
    /// The time and name of the row before, or `first`.
    pub(super) fn row(&self, first: ShopTime) -> (ShopTime, String) {
        self.after.as_ref().map_or((first, String::new()), |AfterRow(at, name)| (*at, name.clone()))
    }
}

impl PageQuery<AfterNumber> {
    /// The number of the row before, or `first`.
    pub(super) fn number(&self, first: i64) -> i64 {
        self.after.as_ref().map_or(first, |after| after.0)
    }
}

impl PageQuery<AfterCode> {
    /// The code of the row before, if any.
    pub(super) fn code(&self) -> Option<&str> {
        self.after.as_ref().map(|after| after.0.as_str())
    }
}

fn wrong(after: &str) -> String {
    format!("`after={after}` is not what `next` of an earlier page said")
}

/// The name of a row for [`PageQuery::row`].
pub(super) fn row(at: ShopTime, name: &dyn std::fmt::Display) -> String {
    // To the nanosecond, because rows are in order of it.
    format!("{}.{name}", at.rfc3339(DECIMALS_EXACT))
}

impl<T> Page<T> {
    /// A page of the rows that were read, of which `key` names one.
    pub(super) fn of<R, A>(
        query: &PageQuery<A>,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> String,
        view: impl FnMut(R) -> T,
    ) -> Result<Self, Problem> {
        let limit = usize::try_from(query.limit()?).unwrap_or(usize::MAX);
        let more = limit < rows.len();
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(key);
        Ok(Page { items: rows.into_iter().map(view).collect(), next })
    }
}
