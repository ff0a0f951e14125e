//! How often somebody may come. It takes names and times and says who has to wait, and how long.

use std::collections::BTreeMap;

use crate::base::limits::RATES_MAX;
use crate::base::{ShopTime, Span};

/// Buckets that leak at a steady rate, one for each name; each holds so many requests at most.
pub(super) struct Limiter<K> {
    /// What one request adds.
    cost: Span,
    /// What a bucket holds.
    depth: Span,
    /// When each bucket is empty again.
    empty_at: BTreeMap<K, ShopTime>,
}

impl<K: Ord + Clone> Limiter<K> {
    /// `rate` requests in `span` in the long run, `burst` at one moment.
    pub(super) fn new(rate: u32, span: Span, burst: u32) -> Self {
        let cost = Span::from_nanos(span.as_nanos() / i64::from(rate.max(1)));
        Limiter { cost, depth: cost * i64::from(burst), empty_at: BTreeMap::new() }
    }

    /// Whether there is room for one more, without taking it.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn check(&self, key: &K, now: ShopTime) -> Result<ShopTime, Span> {
        // No bucket holds more than its depth, so a clock that was set back shuts nobody out.
        let known = self.empty_at.get(key).filter(|at| **at <= now + self.depth);
        let empty_at = known.map_or(now, |at| (*at).max(now));
        let after = empty_at + self.cost;
        if after - now <= self.depth { Ok(after) } else { Err(after - now - self.depth) }
    }

    /// Takes the room for one.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(&mut self, key: &K, now: ShopTime) -> Result<(), Span> {
        let after = self.check(key, now)?;
        if self.empty_at.len() == RATES_MAX && !self.empty_at.contains_key(key) {
            self.make_room(now);
        }
        self.empty_at.insert(key.clone(), after);
        Ok(())
    }

    /// Whether this one was let in before and is still remembered.
    pub(super) fn knows(&self, key: &K) -> bool {
        self.empty_at.contains_key(key)
    }

    fn make_room(&mut self, now: ShopTime) {
        let emptiest = self.empty_at.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
        self.empty_at.retain(|_, at| now < *at);
        if let Some(key) = emptiest {
            self.empty_at.remove(&key);
        }
    }
}
