//! The clock on the wall: the one place that asks the operating system for the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Clock;
use crate::base::ShopTime;

/// The time of day of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port that reads the clock")]
    fn now(&self) -> ShopTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ShopTime::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}
