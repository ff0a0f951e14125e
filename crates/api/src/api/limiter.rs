//! How often somebody may come. It takes names and times and says who has to wait, and how long. It never lets somebody in
//! sooner because requests overtake each other: for every name time only goes forward.

use std::collections::BTreeMap;

use crate::base::limits::{RATES_MAX, REQUEST_SPAN_MAX};
use crate::base::{ShopTime, Span};

/// How much older than the newest time of its bucket a request may be and still be one that was overtaken, because none
/// lives longer. Whatever is older comes of a clock that was set back.
const OVERTAKEN_SPAN_MAX: Span = REQUEST_SPAN_MAX;

/// Buckets that leak at a steady rate, one for each name; each holds so many requests at most.
pub(super) struct Limiter<K> {
    /// What one request adds.
    cost: Span,
    /// What a bucket holds.
    depth: Span,
    buckets: BTreeMap<K, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// When it is empty again.
    empty_at: ShopTime,
    /// The newest time that it has seen.
    seen: ShopTime,
}

impl<K: Ord + Clone> Limiter<K> {
    /// `rate` requests in `span` in the long run, `burst` at one moment.
    pub(super) fn new(rate: u32, span: Span, burst: u32) -> Self {
        let cost = Span::from_nanos(span.as_nanos() / i64::from(rate.max(1)));
        Limiter { cost, depth: cost * i64::from(burst), buckets: BTreeMap::new() }
    }

    /// Takes the room for one.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(&mut self, key: &K, now: ShopTime) -> Result<(), Span> {
        let mut bucket = self.bucket(key, now);
        let after = bucket.empty_at + self.cost;
        if self.depth < after - bucket.seen {
            return Err(after - bucket.seen - self.depth);
        }
        bucket.empty_at = after;
        if self.buckets.len() == RATES_MAX && !self.buckets.contains_key(key) {
            self.make_room(now);
        }
        self.buckets.insert(key.clone(), bucket);
        Ok(())
    }

    /// Gives back the room that was taken for one.
    pub(super) fn give_back(&mut self, key: &K) {
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.empty_at = bucket.empty_at - self.cost;
            if bucket.empty_at <= bucket.seen {
                self.buckets.remove(key);
            }
        }
    }

    /// Whether this one was let in before and is still remembered.
    pub(super) fn knows(&self, key: &K) -> bool {
        self.buckets.contains_key(key)
    }

    /// The bucket as it stands now, or an empty one.
    fn bucket(&self, key: &K, now: ShopTime) -> Bucket {
        let empty = Bucket { empty_at: now, seen: now };
        let Some(known) = self.buckets.get(key) else { return empty };
        if known.seen <= now {
            return Bucket { empty_at: known.empty_at.max(now), seen: now };
        }
        // A clock that was set back shuts nobody out; a request that was overtaken is as late as the one that overtook it.
        if known.seen - now <= OVERTAKEN_SPAN_MAX { *known } else { empty }
    }

    fn make_room(&mut self, now: ShopTime) {
        let emptiest = self.buckets.iter().min_by_key(|(_, bucket)| bucket.empty_at).map(|(key, _)| key.clone());
        self.buckets.retain(|_, bucket| now < bucket.empty_at);
        if let Some(key) = emptiest {
            self.buckets.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: ShopTime = ShopTime::from_nanos(1_750_000_000_000_000_000);

    fn later(millis: i64) -> ShopTime {
        NOON + Span::from_millis(millis)
    }

    /// Ten a second, twenty at once.
    fn limiter() -> Limiter<&'static str> {
        Limiter::new(10, Span::from_millis(1_000), 20)
    }

    fn filled(at: ShopTime) -> Limiter<&'static str> {
        let mut limiter = limiter();
        (0..20).for_each(|_| limiter.take(&"a", at).unwrap());
        limiter
    }

    #[test]
    fn a_request_that_was_overtaken_finds_the_bucket_as_full() {
        for behind in [1, 100, 5_000, 30_000] {
            let mut limiter = filled(NOON);
            assert!(limiter.take(&"a", later(-behind)).is_err(), "{behind} ms behind");
            assert_eq!(limiter.take(&"a", NOON), Err(Span::from_millis(100)));
            limiter.take(&"b", later(-behind)).unwrap();
        }
    }

    #[test]
    fn whatever_the_order_no_more_come_in_than_the_rate_says() {
        // Four seconds of requests every millisecond, each up to 50 ms behind the newest.
        let mut limiter = limiter();
        let let_in = (0..4_000)
            .filter(|&millis| {
                let behind = (millis * 7_919) % 50;
                limiter.take(&"a", later(millis - behind)).is_ok()
            })
            .count();
        assert!((58..=60).contains(&let_in), "{let_in}");
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out() {
        let mut limiter = filled(NOON);
        limiter.take(&"a", later(-3_600_000)).unwrap();
        // From then on time goes forward again.
        (0..19).for_each(|_| limiter.take(&"a", later(-3_600_000)).unwrap());
        assert!(limiter.take(&"a", later(-3_600_000)).is_err());
        limiter.take(&"a", later(-3_599_900)).unwrap();
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut limiter = filled(NOON);
        limiter.give_back(&"a");
        limiter.take(&"a", NOON).unwrap();
        assert!(limiter.take(&"a", NOON).is_err());
        limiter.give_back(&"nobody");
        assert!(!limiter.knows(&"nobody"));
    }

    #[test]
    fn so_many_are_remembered_and_the_emptiest_is_forgotten_first() {
        let mut limiter: Limiter<usize> = Limiter::new(10, Span::from_millis(1_000), 20);
        (0..20).for_each(|_| limiter.take(&0, NOON).unwrap());
        (1..=RATES_MAX).for_each(|key| limiter.take(&key, NOON).unwrap());
        assert_eq!(limiter.buckets.len(), RATES_MAX);
        assert!(limiter.knows(&0), "whoever has to wait is remembered");
        assert!(limiter.take(&0, NOON).is_err());
    }
}
