//! The shop's machine, its disk, its clock and its provider, all of which misbehave on purpose.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use serde_json::json;

use super::month::Trouble;
use super::{BEGINNING, Report};
use crate::base::rng::{Dice, dice};
use crate::base::{CartId, Error, Kind, PaymentId, Result, ShopTime, ShopperId, Span, TransferId};
use crate::db::faulty::{Faulty, Mischief, Moment, Mood};
use crate::db::{self, Database, cases, outbox};
use crate::facts::{Case, Receipt, StatementLine, Verdict};
use crate::ledger::audit;
use crate::ledger::payment::{Payment, Standing};
use crate::payment::{Faults, Sandbox};
use crate::ports::{Clock, PaymentProvider};
use crate::shop::Shop;
use crate::till::{Door, Enrolment, Payer, Providers, Till, settle_due};

/// A clock that says what it is told.
pub(super) struct DrillClock(AtomicI64);

impl Clock for DrillClock {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
