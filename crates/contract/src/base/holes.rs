//! Stretches of time of which nothing is known, because aisle was not running.

use serde::{Deserialize, Serialize};

use super::{ShopTime, Span, TimeRange};

/// Holes that are remembered; beyond it the oldest is forgotten.
const HOLES_MAX: usize = 16;

/// The last holes, in order of time, none of which touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holes(Vec<TimeRange>);

impl Holes {
    /// Adds a hole that begins no earlier than the last one did.
    pub fn add(&mut self, hole: TimeRange) {
        match self.0.last_mut() {
            Some(last) if last.touches(hole) => *last = last.hull(hole),
            _ => self.0.push(hole),
        }
        if HOLES_MAX < self.0.len() {
            self.0.remove(0);
        }
    }

    /// All of them, in order of time.
    pub fn iter(&self) -> impl Iterator<Item = TimeRange> + '_ {
        self.0.iter().copied()
    }

    /// How much of the time from one instant to a later one is missing.
    pub fn missing(&self, from: ShopTime, to: ShopTime) -> Span {
        let part = |hole: &TimeRange| (to.min(hole.end) - from.max(hole.start)).max(Span::ZERO);
        self.0.iter().map(part).fold(Span::ZERO, |sum, part| sum + part)
    }

    /// How much time somebody could have been seen in, from one instant to a later one.
    pub fn watched(&self, from: ShopTime, to: ShopTime) -> Span {
        to - from - self.missing(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> ShopTime {
        ShopTime::from_nanos(secs * 1_000_000_000)
    }

    /// Holes such as `5-8 20-21`.
    fn holes(text: &str) -> Holes {
        let mut holes = Holes::default();
        for word in text.split_whitespace() {
            let (from, to) = word.split_once('-').unwrap();
            holes.add(TimeRange::new(at(from.parse().unwrap()), at(to.parse().unwrap())));
        }
        holes
    }

    #[test]
    fn what_is_missing_is_what_lies_in_holes() {
        let cases = [
            ("", 0, 100, 0),
            ("5-8", 0, 100, 3),
            ("5-8", 6, 7, 1),
            ("5-8", 6, 100, 2),
            ("5-8", 8, 100, 0),
            ("5-8 20-21", 0, 100, 4),
            ("5-8 7-21", 0, 100, 16),
        ];
        for (text, from, to, secs) in cases {
            let holes = holes(text);
            assert_eq!(holes.missing(at(from), at(to)), at(secs) - at(0), "{text} from {from} to {to}");
            assert_eq!(holes.watched(at(from), at(to)), at(to - from - secs) - at(0), "{text} from {from} to {to}");
        }
    }

    #[test]
    fn of_many_the_last_are_kept() {
        let text: Vec<String> = (0..40).map(|number| format!("{}-{}", 10 * number, 10 * number + 1)).collect();
        let holes = holes(&text.join(" "));
        assert_eq!(holes.missing(at(0), at(1_000)), at(HOLES_MAX as i64) - at(0));
        assert_eq!(holes.iter().last(), Some(TimeRange::new(at(390), at(391))));
    }
}
