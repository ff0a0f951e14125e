//! The book of a recording that is watched: in memory, as it was at the time that is shown. Going on adds to it; going back begins
//! a new one, in which nothing is known of what came later, and nothing of what was done by hand.

use std::sync::{Arc, Mutex};

use super::super::book::alone;
use crate::api::{Grant, Role, create_token};
use crate::base::{Result, Secret, ShopTime};
use crate::db::access::{self, Token};
use crate::db::{self, Address};
use crate::facts::OpenVisit;
use crate::payment::Sandbox;
use crate::ports::{Clock, WallClock};
use crate::shop::Shop;
use crate::till::{Closed, Closing, Progress, Providers, Till, lock, settle_due};

/// Where it is.
const MEMORY: &str = "sqlite::memory:";
/// Who the audit log says made the token.
const BY: (&str, &str) = ("aisle replay", "operator");

/// The book, and whoever pays: the sandbox.
pub(super) struct Book {
    shop: Arc<Shop>,
    till: Arc<Mutex<Till>>,
    providers: Providers,
    token: Token,
    begins: ShopTime,
    /// What became of the visits that ended, in their order.
    closed: Vec<Closed>,
}

/// A moment.
struct At(ShopTime);

impl Clock for At {
    fn now(&self) -> ShopTime {
        self.0
    }
}

impl Book {
    /// An empty book; beside it a token for everything, which every later book of it knows too.
    ///
    /// # Errors
    /// When the shop can sell nothing.
    pub(super) fn begin(shop: &Arc<Shop>, begins: ShopTime) -> Result<(Self, Secret<String>)> {
        super::super::shops::check_trade(shop)?;
        let mut till = empty(shop, begins)?;
        let grant = Grant { role: Role::Operator, holder: Some("watch".to_owned()), shopper: None, days: None };
        let (token, secret) = create_token(&mut till, &grant, BY, WallClock.now())?;
        let providers = alone(Sandbox::new(Arc::new(WallClock)));
        let (shop, till) = (shop.clone(), Arc::new(Mutex::new(till)));
        Ok((Book { shop, till, providers, token, begins, closed: Vec::new() }, secret))
    }

    /// The till, which is another one after a jump back.
    pub(super) fn till(&self) -> Arc<Mutex<Till>> {
        self.till.clone()
    }

    pub(super) fn providers(&self) -> Providers {
        self.providers.clone()
    }

    /// What became of the visits that ended so far.
    pub(super) fn closed(&self) -> &[Closed] {
        &self.closed
    }

    /// Begins anew, with these visits ended and these open.
    ///
    /// # Errors
    /// What the book says.
    pub(super) fn begin_anew(
        &mut self,
        closings: &[(ShopTime, Closing)],
        open: Vec<OpenVisit>,
        at: ShopTime,
    ) -> Result<()> {
        let mut till = empty(&self.shop, self.begins)?;
        till.with(|session| access::insert_token(session, &self.token))?;
        self.closed.clear();
        write(&mut till, &self.providers, closings, &mut self.closed)?;
        keep_open(&mut till, open, at)?;
        *lock(&self.till) = till;
        Ok(())
    }

    /// Goes on: all visits that ended by now, of which those that it knows are passed over, and who is inside.
    ///
    /// # Errors
    /// What the book says.
    pub(super) fn go_on(
        &mut self,
        closings: &[(ShopTime, Closing)],
        open: Option<Vec<OpenVisit>>,
        at: ShopTime,
    ) -> Result<()> {
        let mut till = lock(&self.till);
        let new = closings.get(self.closed.len()..).unwrap_or_default();
        write(&mut till, &self.providers, new, &mut self.closed)?;
        open.map_or(Ok(()), |open| keep_open(&mut till, open, at))
    }
}

fn empty(shop: &Arc<Shop>, begins: ShopTime) -> Result<Till> {
    let database = db::open_at(&Address::parse(MEMORY)?, &db::Options::default(), begins)?;
    Till::open(database, shop.clone(), begins)
}

/// Writes what ended, each at its own time, as an open shop would have.
fn write(
    till: &mut Till,
    providers: &Providers,
    closings: &[(ShopTime, Closing)],
    closed: &mut Vec<Closed>,
) -> Result<()> {
    for (at, closing) in closings {
        closed.push(till.close(closing, *at)?);
        settle_due(till, providers, &At(*at))?;
    }
    Ok(())
}

fn keep_open(till: &mut Till, open: Vec<OpenVisit>, at: ShopTime) -> Result<()> {
    let open: Vec<_> = open.into_iter().map(|visit| (visit, None)).collect();
    till.advance(&Progress { closings: &[], open: &open, expired: &[], checkpoint: &[], at }).map(drop)
}
