//! What is kept no longer is deleted: at the start, and every hour.

use crate::base::{Result, ShopTime, Span};
use crate::till::{Forgotten, Till};

/// How often.
const EVERY: Span = Span::from_millis(3_600_000);

/// When to forget next.
#[derive(Debug, Default)]
pub struct Retention {
    next: Option<ShopTime>,
}

impl Retention {
    /// Forgets, if it is time to; nothing where it is not.
    ///
    /// # Errors
    /// What the database says; the next call tries again.
    pub fn round(&mut self, till: &mut Till, now: ShopTime) -> Result<Option<Forgotten>> {
        // A clock that was set back must not keep anything for longer.
        let waits = self.next.is_some_and(|next| now < next && next - now <= EVERY);
        if waits {
            return Ok(None);
        }
        let forgotten = till.forget(now)?;
        self.next = Some(now + EVERY);
        Ok(Some(forgotten))
    }
}
