//! Lists come in pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, Sort};
use crate::base::ShopTime;
use crate::base::limits::PAGE_ROWS_MAX;

/// Rows of a page where nobody says otherwise.
const ROWS: u32 = 50;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// Rows in the answer at most: 1 to 200, default 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// What to write as `after` to get the next page; none on the last.
    pub(super) next: Option<String>,
}

impl PageQuery {
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

    /// The time and name of the row before, or `first`.
    pub(super) fn row(&self, first: ShopTime) -> Result<(ShopTime, String), Problem> {
        let Some(after) = &self.after else { return Ok((first, String::new())) };
        let row = after.split_once('.').and_then(|(at, name)| {
            let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            Some((ShopTime::from_nanos(at.parse().ok()?), name.to_owned())).filter(|_| plain)
        });
        row.ok_or_else(|| wrong(after))
    }

    /// The number of the row before, or `first`.
    pub(super) fn number(&self, first: i64) -> Result<i64, Problem> {
        self.after.as_ref().map_or(Ok(first), |after| after.parse().map_err(|_| wrong(after)))
    }

    /// The text of the row before, if any.
    pub(super) fn text(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

fn wrong(after: &str) -> Problem {
    Problem::new(Sort::Malformed, format!("`after={after}` is not what `next` of an earlier page said"))
}

/// The name of a row for [`PageQuery::row`].
pub(super) fn row(at: ShopTime, name: &dyn std::fmt::Display) -> String {
    format!("{}.{name}", at.as_nanos())
}

impl<T> Page<T> {
    /// A page of the rows that were read, of which `key` names one.
    pub(super) fn of<R>(
        query: &PageQuery,
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
