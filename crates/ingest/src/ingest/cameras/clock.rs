//! When a frame was taken. It takes the time that the camera says of a frame and the time at which it arrived, and gives
//! one on our axis. It reads no clock, and a camera whose clock is wrong only has a wrong clock.
//!
//! After the design notes of Moonfire NVR on time: how long a frame was under way is unknown and never negative, so the least
//! delayed frame of a minute says how far the two clocks are apart; clocks of cameras run up to 500 parts in a million off.

use std::collections::VecDeque;

use crate::base::{ShopTime, Span};

/// How long after connecting frames say nothing about clocks: some cameras send what they had kept.
const SETTLING: Span = Span::from_millis(2_000);
/// The least delay counts among frames of so many stretches of so much time: one minute.
const STRETCH: Span = Span::from_millis(10_000);
const STRETCHES: usize = 6;
/// A clock runs so much too fast or too slow, at most.
const DRIFT_MAX: f64 = 500e-6;
/// A time farther off than this is none: the frame has the time at which it came.
const STRAY_MIN: Span = Span::from_millis(5_000);
/// So many such frames in a row are a clock that was set.
const STRAYS_MAX: u32 = 3;
/// A camera that says a year before 2016 has no clock.
const CLOCK_SET_NANOS: i64 = 1_451_606_400 * 1_000_000_000;
/// Reports of its clock that are remembered; the middle one counts.
const REPORTS_MAX: usize = 5;
/// Two frames of a camera are at least so far apart.
const STEP: Span = Span::from_nanos(1_000);

/// A counter of 32 bits that begins anywhere and wraps around, such as the time in RTP: 13.3 hours at 90 kHz.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unwrapped(Option<(u32, i64)>);

impl Unwrapped {
    /// The next value, counted on from the first.
    pub(super) fn next(&mut self, raw: u32) -> i64 {
        let (last, sum) = self.0.unwrap_or((raw, 0));
        let sum = sum + i64::from(raw.wrapping_sub(last).cast_signed());
        self.0 = Some((raw, sum));
        sum
    }

    /// What a value stands for that is near the last one; none before the first.
    pub(super) fn near(&self, raw: u32) -> Option<i64> {
        self.0.map(|(last, sum)| sum + i64::from(raw.wrapping_sub(last).cast_signed()))
    }
}

/// When a frame came: the time of day, and the time since this process began, which nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: ShopTime,
    pub(super) running: Span,
}

/// What a camera says of a frame's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Device {
    /// On an axis of the connection.
    pub(super) since: Option<Span>,
    /// By its own clock, nanoseconds since the Unix epoch.
    pub(super) own_nanos: Option<i64>,
    /// On the axis of this process, where this machine itself knows when it was taken: nothing is compared then.
    pub(super) ours: Option<Span>,
}

/// How the clock of one camera relates to ours, from connect to connect.
#[derive(Clone, Debug)]
pub(super) struct CameraClock {
    connected: Span,
    /// How much the axis of the camera is behind ours, and when that was found.
    behind: Option<(Span, Span)>,
    /// The least delay of each stretch and when that stretch began, oldest first.
    least: VecDeque<(Span, Span)>,
    /// The last frame, on our axis.
    last: Option<Span>,
    strays_in_row: u32,
    /// Frames whose time was not believed.
    pub(super) strays: u64,
    reports: VecDeque<Span>,
}

impl CameraClock {
    /// Of a camera that was just connected to. Times of another connection mean nothing any more.
    pub(super) fn new(connected: Span) -> Self {
        CameraClock {
            connected,
            behind: None,
            least: VecDeque::new(),
            last: None,
            strays_in_row: 0,
            strays: 0,
            reports: VecDeque::new(),
        }
    }

    /// When a frame was taken: never after it arrived, and after the frame before it.
    pub(super) fn taken(&mut self, device: Device, arrival: Arrival) -> ShopTime {
        let ours = device.ours.filter(|ours| (arrival.running - *ours).abs() <= STRAY_MIN);
        let theirs = device.since.map(|since| self.corrected(since, arrival.running));
        let taken = ours.or(theirs).unwrap_or(arrival.running);
        // A frame that overtakes the one before by rounding is put behind it, if it has arrived by then.
        let taken = self.last.map_or(taken, |last| taken.max(last + STEP)).min(arrival.running);
        self.last = Some(taken);
        let at = arrival.at - (arrival.running - taken);
        if let Some(own) = device.own_nanos.filter(|own| CLOCK_SET_NANOS <= *own) {
            self.reports.push_back(ShopTime::from_nanos(own) - at);
            if REPORTS_MAX < self.reports.len() {
                self.reports.pop_front();
            }
        }
        at
    }

    /// How far the camera's own clock is ahead of ours, where it has said so.
    pub(super) fn ahead(&self) -> Option<Span> {
        let mut reports: Vec<Span> = self.reports.iter().copied().collect();
        reports.sort();
        reports.get(reports.len() / 2).copied()
    }

    fn corrected(&mut self, since: Span, now: Span) -> Span {
        let delay = now - since;
        if now - self.connected < SETTLING {
            return now;
        }
        if self.behind.is_some_and(|(behind, _)| STRAY_MIN < (delay - behind).abs()) {
            self.strays += 1;
            self.strays_in_row += 1;
            if self.strays_in_row < STRAYS_MAX {
                return now;
            }
            (self.behind, self.least) = (None, VecDeque::new());
        }
        self.strays_in_row = 0;
        match self.least.back_mut() {
            Some((begun, least)) if now - *begun < STRETCH => *least = (*least).min(delay),
            _ => self.least.push_back((now, delay)),
        }
        if STRETCHES < self.least.len() {
            self.least.pop_front();
        }
        let least = self.least.iter().map(|(_, least)| *least).min().unwrap_or(delay);
        let behind = match self.behind {
            // A frame that was faster proves it at once; that all are slower now may be the clock, and clocks are slow.
            Some((behind, found)) if behind < least => {
                least.min(behind + Span::from_secs((now - found).as_secs() * DRIFT_MAX))
            }
            _ => least,
        };
        self.behind = Some((behind, now));
        since + behind
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, CameraClock, Device, Unwrapped};
    use crate::base::{ShopTime, Span};

    const NOON: ShopTime = ShopTime::from_nanos(1_800_000_000_000_000_000);

    fn arrival(secs: f64) -> Arrival {
        Arrival { at: NOON + Span::from_secs(secs), running: Span::from_secs(secs) }
    }

    fn since(secs: f64) -> Device {
        Device { since: Some(Span::from_secs(secs)), ..Device::default() }
    }

    /// Seconds by which the time that is given is off, frame by frame: at 15 Hz, taken at `true`, said as `said(true)`, arrived
    /// after `delay(number)`.
    fn off(secs: f64, said: impl Fn(f64) -> f64, delay: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut clock = CameraClock::new(Span::ZERO);
        let frames = (secs * 15.0) as usize;
        (0..frames)
            .map(|number| {
                let true_secs = number as f64 / 15.0;
                let at = clock.taken(since(said(true_secs)), arrival(true_secs + delay(number)));
                at.secs_since(NOON) - true_secs
            })
            .collect()
    }

    #[test]
    fn a_counter_of_32_bits_goes_on_after_13_hours() {
        let mut counter = Unwrapped::default();
        let mut last = 0;
        // A frame each 100 ms at 90 kHz for 30 hours, from a random beginning.
        for frame in 0..30 * 36_000_i64 {
            let raw = (3_999_999_999 + frame * 9_000) as u32;
            last = counter.next(raw);
            assert_eq!(last, frame * 9_000);
        }
        assert!(2 * (1 << 32) < last);
        // A report may speak of a frame before.
        assert_eq!(counter.near((3_999_999_999 + last - 90_000) as u32), Some(last - 90_000));
        assert_eq!(counter.next((3_999_999_999 + last - 9_000) as u32), last - 9_000);
    }

    #[test]
    fn jitter_goes_and_the_least_delay_stays() {
        // Every eighth frame comes after 40 ms, the others up to 200 ms later.
        let off =
            off(120.0, |secs| secs + 777.0, |number| 0.04 + [0.0, 0.2, 0.01, 0.1, 0.15, 0.02, 0.05, 0.2][number % 8]);
        let late = &off[10 * 15..];
        assert!(late.iter().all(|off| (off - 0.04).abs() < 0.001), "{:?}", late.iter().copied().fold(0.0, f64::max));
        // Before the clocks are compared a frame has the time at which it came.
        assert!((off[1] - 0.24).abs() < 1e-6);
    }

    #[test]
    fn a_clock_that_runs_500_in_a_million_off_is_followed() {
        for drift in [500e-6, -500e-6] {
            let off = off(3_600.0, |secs| secs * (1.0 + drift), |number| 0.05 + (number % 5) as f64 * 0.02);
            // A minute's drift is 30 ms.
            let worst = off[30..].iter().map(|off| (off - 0.05).abs()).fold(0.0, f64::max);
            assert!(worst < 0.032, "{drift}: {worst}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_found_after_three_frames() {
        for step in [3_600.0, -3_600.0, 9_800.0] {
            let said = |secs: f64| if secs < 30.0 { secs } else { secs + step };
            let off = off(60.0, said, |_| 0.05);
            assert!(off[31..].iter().all(|off| (0.0..=0.051).contains(off)), "{step}");
        }
    }

    #[test]
    fn one_frame_with_a_wild_time_has_the_time_at_which_it_came() {
        let mut clock = CameraClock::new(Span::ZERO);
        for number in 0..300 {
            let secs = f64::from(number) / 15.0;
            let wild = if number % 50 == 49 { -9_800.0 } else { 0.0 };
            let at = clock.taken(since(secs + wild), arrival(secs + 0.05));
            assert!((at.secs_since(NOON) - secs - 0.05).abs() < 0.001, "{number}");
        }
        // The first is before the clocks were compared? No: the 49th is at 3.3 s.
        assert_eq!(clock.strays, 6);
    }

    #[test]
    fn what_a_camera_had_kept_does_not_count() {
        // At connect two seconds of old frames come at once, each as late as can be.
        let mut clock = CameraClock::new(Span::ZERO);
        for number in 0..30 {
            let at = clock.taken(since(f64::from(number) / 15.0), arrival(0.01 * f64::from(number)));
            assert!((at.secs_since(NOON) - 0.01 * f64::from(number)).abs() < 1e-6);
        }
        let at = clock.taken(since(4.0), arrival(2.1));
        assert_eq!(at, NOON + Span::from_secs(2.1));
    }

    #[test]
    fn our_own_clock_may_be_set_without_a_jump_in_the_axis_of_the_camera() {
        let mut clock = CameraClock::new(Span::ZERO);
        for number in 0..900 {
            let secs = f64::from(number) / 15.0;
            let mut came = arrival(secs + 0.05);
            if 30.0 < secs {
                came.at = came.at + Span::from_secs(3_600.0);
            }
            let at = clock.taken(since(secs), came);
            assert!((came.at - at).as_secs().abs() < 1e-6);
        }
        assert_eq!(clock.strays, 0);
    }

    #[test]
    fn times_rise_and_never_lie_in_the_future() {
        let mut clock = CameraClock::new(Span::ZERO);
        let mut last = ShopTime::MIN;
        for number in 0..2_000_u32 {
            let secs = f64::from(number) / 15.0;
            // A camera that stutters: times twice, backwards by 1.7 s, ahead.
            let said = secs + [0.0, 0.0, -1.7, 0.4, -0.066][number as usize % 5];
            let came = arrival(secs + 0.03);
            let at = clock.taken(since(said), came);
            assert!(last < at && at <= came.at, "{number}");
            last = at;
        }
    }

    #[test]
    fn what_this_machine_knows_itself_is_taken_as_it_is() {
        let mut clock = CameraClock::new(Span::ZERO);
        let at = |clock: &mut CameraClock, taken: f64, came: f64| {
            let device = Device { ours: Some(Span::from_secs(taken)), ..Device::default() };
            clock.taken(device, arrival(came)).secs_since(NOON)
        };
        assert!((at(&mut clock, 0.1, 0.15) - 0.1).abs() < 1e-9);
        assert!((at(&mut clock, 0.2, 0.29) - 0.2).abs() < 1e-9);
        // Neither the future nor an hour ago is believed.
        assert!((at(&mut clock, 0.5, 0.4) - 0.4).abs() < 1e-9);
        assert!((at(&mut clock, -3_600.0, 0.5) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_camera_says_how_wrong_its_clock_is() {
        let mut clock = CameraClock::new(Span::ZERO);
        assert_eq!(clock.ahead(), None);
        let nanos = |secs: f64| (NOON + Span::from_secs(secs)).as_nanos();
        for number in 0..100 {
            let secs = f64::from(number);
            let device =
                Device { since: Some(Span::from_secs(secs)), own_nanos: Some(nanos(secs - 3_600.0)), ours: None };
            assert_eq!(clock.taken(device, arrival(secs)), NOON + Span::from_secs(secs));
        }
        assert_eq!(clock.ahead(), Some(Span::from_secs(-3_600.0)));
        // Before 2016 it has none.
        let mut clock = CameraClock::new(Span::ZERO);
        clock.taken(Device { own_nanos: Some(86_400_000_000_000), ..Device::default() }, arrival(1.0));
        assert_eq!(clock.ahead(), None);
    }
}
