//! How long to wait before a camera is tried again. It takes how often that failed, and gives a time; it never waits itself.

use crate::base::Span;

/// The first wait, and the longest: short enough that a camera that is back is seen within two seconds, with what connecting
/// and the first key frame take.
const FIRST: Span = Span::from_millis(100);
const LONGEST: Span = Span::from_millis(900);
/// The wait after what will not go away by itself, such as a wrong password: cameras lock out who tries too often.
const LASTING: Span = Span::from_millis(20_000);
/// A wait is longer or shorter by up to this part of it, so that cameras of one switch do not come all at once.
const JITTER: f64 = 0.2;

/// Waits of one camera.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    failures: u32,
    /// State of a mix that spreads cameras apart (splitmix64; Steele, Lea and Flood, 2014).
    mix: u64,
}

impl Backoff {
    /// For the camera of this name.
    pub(super) fn new(name: &str) -> Self {
        let mix = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |mix: u64, byte| (mix ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Backoff { failures: 0, mix }
    }

    /// It worked.
    pub(super) fn worked(&mut self) {
        self.failures = 0;
    }

    /// It failed, and will again until somebody changes something if it is `lasting`: so long to wait.
    pub(super) fn failed(&mut self, lasting: bool) -> Span {
        let doubled = FIRST.as_secs() * f64::from(1_u32 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let wait = if lasting { LASTING.as_secs() } else { doubled.min(LONGEST.as_secs()) };
        Span::from_secs(wait * (1.0 + JITTER * (2.0 * self.roll() - 1.0)))
    }

    /// A number from 0 to 1.
    fn roll(&mut self) -> f64 {
        self.mix = self.mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.mix;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn waits_grow_to_less_than_what_two_seconds_allow_and_begin_anew() {
        let mut backoff = Backoff::new("left");
        let waits: Vec<f64> = (0..200).map(|_| backoff.failed(false).as_secs()).collect();
        assert!((0.08..=0.12).contains(&waits[0]) && waits[1] < waits[3]);
        assert!(waits[10..].iter().all(|wait| (0.71..=1.09).contains(wait)));
        assert!(waits[10..].windows(2).any(|pair| 0.05 < (pair[0] - pair[1]).abs()), "no jitter");
        backoff.worked();
        assert!(backoff.failed(false).as_secs() < 0.13);
        assert!((15.0..25.0).contains(&backoff.failed(true).as_secs()));
    }

    #[test]
    fn two_cameras_do_not_come_at_once() {
        let waits = |name: &str| {
            let mut backoff = Backoff::new(name);
            (0..20).map(|_| backoff.failed(false)).collect::<Vec<_>>()
        };
        assert_eq!(waits("left"), waits("left"));
        assert!(waits("left").iter().zip(waits("right")).all(|(one, other)| *one != other));
    }
}
