//! The till: where carts become charges. It takes entries, receipts, verdicts, answers and notices, asks `ledger`,
//! `review` and `cart` what follows, and writes all of it in one transaction of `db` with the orders that must go out.
//! It never decides who took what, and never moves money without a transfer that says so.
//!
//! Everything is done by name: a step that is done again, by a repeated message or after a crash, changes nothing.

mod book;
mod care;
mod checking;
mod closing;
pub mod drill;
mod entry;
mod passes;
mod progress;
mod reviewing;
mod settler;
mod settling;
mod signed;

pub use book::payment_of;
pub use care::{Export, Forgotten};
pub use checking::{Witnesses, check, check_with, ends};
pub use closing::{Closed, Closing, Endings, Payer};
pub use entry::{Announced, Door, Enrolment};
pub use passes::Opened;
pub use progress::{Progress, so_far, sum_so_far};
pub use settler::{Bell, Providers, Settler, lock, settle_due};
pub use settling::Answered;

use std::sync::Arc;

use crate::base::{Error, Result, ShopTime};
use crate::db::access::Deed;
use crate::db::{Database, Failure, Session, carts};
use crate::shop::{Shop, ShopDraft};
use signed::Signed;

/// The book of one shop.
pub struct Till {
    db: Signed,
    shop: Arc<Shop>,
}

impl Till {
    /// The till of this shop on an open database, which remembers what the shop is like now.
    ///
    /// # Errors
    /// What the database says.
    pub fn open(mut db: Database, shop: Arc<Shop>, now: ShopTime) -> Result<Self> {
        db.transaction(|session| carts::describe_shop(session, shop.name(), now, shop.draft()))?;
        Ok(Till { db: Signed::new(db), shop })
    }

    /// The till of a shop as the database remembers it.
    ///
    /// # Errors
    /// When it knows no shop of that name; what the database says.
    pub fn reopen(mut db: Database, name: &str) -> Result<Self> {
        let draft: Option<ShopDraft> = db.transaction(|session| carts::shop(session, name))?;
        let draft = draft.ok_or_else(|| Error::missing(format!("the book knows no shop called `{name}`")))?;
        let shop = Shop::check_kept(draft).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            Error::input(format!("what the book remembers of the shop `{name}` is not in order any more: {first}"))
        })?;
        Ok(Till { db: Signed::new(db), shop: Arc::new(shop) })
    }

    /// The database, when the till is no longer needed.
    pub fn into_database(self) -> Database {
        self.db.into_database()
    }

    /// The shop.
    pub fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }

    /// Does `work` on somebody's behalf: the first transaction of it that is kept writes `deed` into the audit log along
    /// with everything else. Where it fails, nothing is written, for nothing was done.
    ///
    /// # Errors
    /// What the work or the database says.
    pub fn by<T>(&mut self, deed: Deed, work: impl FnOnce(&mut Till) -> Result<T>) -> Result<T> {
        /// Also a panic must not leave somebody's name for the next one's deeds.
        struct Signing<'a>(&'a mut Till);
        impl Drop for Signing<'_> {
            fn drop(&mut self) {
                self.0.db.sign(None);
            }
        }
        self.db.sign(Some(deed));
        work(Signing(self).0)
    }

    /// Reads or writes the database in one transaction: for lists and single rows that need no thought.
    ///
    /// # Errors
    /// What the work or the database says.
    pub fn with<T>(&mut self, work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        self.db.transaction(work)
    }
}

/// Ends a transaction because of what was asked for, not because of the database.
fn refuse(message: impl Into<String>) -> Failure {
    Failure::from(Error::input(message))
}
