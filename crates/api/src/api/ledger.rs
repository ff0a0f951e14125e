//! The book as it stands, and who did what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::{AfterNumber, Page, PageQuery};
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{CartId, Money, ShopTime};
use crate::db::access::{self, Deed};
use crate::db::transfers::{self, Entry, Sums};
use crate::facts::{Account, Transfer};

/// The sums of an account in one currency.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountBalance")]
pub(super) struct BalanceView {
    /// The account.
    account: Account,
    /// Debited.
    debits: Money,
    /// Credited.
    credits: Money,
    /// Debits that are reserved.
    debits_reserved: Money,
    /// Credits that are reserved.
    credits_reserved: Money,
}

/// A row of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LedgerRow {
    /// Its place, from 1 without holes.
    seq: i64,
    /// What it says.
    transfer: Transfer,
    /// Chains it to the row before.
    digest: String,
}

/// A line of the audit log.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AuditLine {
    /// Its place.
    seq: i64,
    /// When.
    at: ShopTime,
    /// Who: the holder of the token, or `aisle` itself.
    who: String,
    /// In which role.
    role: String,
    /// What was done, such as `case.verdict`.
    action: String,
    /// To what.
    subject: String,
    /// More about it.
    detail: String,
}

/// Which account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BalanceQuery {
    /// One account, such as `shopper/shopper_…`; without it, all but those of shoppers.
    #[serde(default)]
    #[schemars(with = "Option<Account>")]
    account: Option<String>,
}

/// `GET /v1/ledger/balances`
pub(super) fn balances(
    call: &Call<'_>,
    _: Nothing,
    query: BalanceQuery,
    _: Nothing,
) -> Result<Json<Page<BalanceView>>, Problem> {
    let wrong = |message: String| Problem::new(Sort::Malformed, message);
    let account = query.account.map(|text| text.parse::<Account>().map_err(wrong)).transpose()?;
    // A shop has a handful of accounts, so all of them are one page.
    let found = call.read(|till| {
        till.with(|session| match &account {
            Some(account) => transfers::sums_of(session, account),
            None => transfers::sums(session, false),
        })
    })?;
    let view = |sums: Sums| BalanceView {
        account: sums.account,
        debits: Money::new(sums.debits, sums.currency),
        credits: Money::new(sums.credits, sums.currency),
        debits_reserved: Money::new(sums.debits_reserved, sums.currency),
        credits_reserved: Money::new(sums.credits_reserved, sums.currency),
    };
    Ok(Json(Page { items: found.into_iter().map(view).collect(), next: None }))
}

/// `GET /v1/ledger/transfers`
pub(super) fn rows(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterNumber>,
    _: Nothing,
) -> Result<Json<Page<LedgerRow>>, Problem> {
    let (most, after) = (query.rows()?, query.number(0));
    let found = call.read(|till| till.with(|session| transfers::after(session, after, most)))?;
    Page::of(&query, found, |entry| entry.seq.to_string(), row).map(Json)
}

/// `GET /v1/carts/{cart}/transfers`
pub(super) fn of_cart(
    call: &Call<'_>,
    id: CartId,
    query: PageQuery<AfterNumber>,
    _: Nothing,
) -> Result<Json<Page<LedgerRow>>, Problem> {
    query.limit()?;
    let after = query.number(0);
    let mut found = call.read(|till| {
        till.with(|session| {
            super::carts::known(session, id)?;
            transfers::of_cart(session, id)
        })
    })?;
    found.retain(|entry| after < entry.seq);
    Page::of(&query, found, |entry| entry.seq.to_string(), row).map(Json)
}

fn row(entry: Entry) -> LedgerRow {
    LedgerRow { seq: entry.seq, transfer: entry.transfer, digest: entry.digest }
}

/// `GET /v1/audit`
pub(super) fn audit(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterNumber>,
    _: Nothing,
) -> Result<Json<Page<AuditLine>>, Problem> {
    let (most, before) = (query.rows()?, query.number(i64::MAX));
    let found = call.read(|till| till.with(|session| access::deeds(session, before, most)))?;
    let view = |(seq, deed): (i64, Deed)| AuditLine {
        seq,
        at: deed.at,
        who: deed.who,
        role: deed.role,
        action: deed.action,
        subject: deed.subject,
        detail: deed.detail,
    };
    Page::of(&query, found, |(seq, _)| seq.to_string(), view).map(Json)
}
