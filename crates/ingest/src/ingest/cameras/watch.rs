//! How a camera does. It takes when frames came and what was in them, and says whether it is silent, frozen, or poor. It reads
//! no clock: times are those since this process began, which nobody sets.

use std::collections::VecDeque;

use crate::base::Span;
use crate::ports::HealthWord;

/// Reconnects and stalls are judged over the last hour; no more of them are remembered than tell the worst.
const HOUR: Span = Span::from_millis(3_600_000);
const EVENTS_MAX: usize = 128;
/// No frame for two intervals, and at least for so long, is a stall; then the rate is nothing.
const STALL_MIN: Span = Span::from_millis(2_000);
const STALL_INTERVALS: f64 = 2.0;
/// The rate is measured over so many seconds, and means something after so much.
const RATE_SECONDS: usize = 60;
const RATE_MIN: Span = Span::from_millis(3_000);
/// What a camera is called, by the table of Frigate: frames a second below which it is unusable, the parts of the rate that are
/// good and fair, and how many stalls and reconnects an hour are.
const UNUSABLE_HERTZ: f64 = 1.0;
const GOOD_SHARE: f64 = 0.9;
const FAIR_SHARE: f64 = 0.6;
const GOOD_STALLS: usize = 5;
const FAIR_RECONNECTS: usize = 2;
const UNUSABLE_RECONNECTS: usize = 10;
const UNUSABLE_STALLS: usize = 100;

aisle_contract::named_enum! {
    /// How good the pictures of a camera come.
    pub enum Quality as "quality" {
        /// As they should.
        Excellent = "excellent",
        /// With a few gaps.
        Fair = "fair",
        /// With so many gaps that people are lost sight of.
        Poor = "poor",
        /// Next to nothing comes.
        Unusable = "unusable",
    }
}

/// What is to be done about a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Frames come.
    Well,
    /// None has come for as long as may be: connect anew.
    Silent,
    /// They come, and show the same.
    Frozen,
}

/// The watch over one camera.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    silence: Span,
    frozen: Span,
    expected_hertz: Option<f64>,
    connected: Span,
    /// The last frame, and the last one that showed something else.
    last: Option<Span>,
    changed: Option<Span>,
    /// Frames of the last seconds: the second, and how many.
    seconds: VecDeque<(i64, u32)>,
    reconnects: VecDeque<Span>,
    stalls: VecDeque<Span>,
    is_stalled: bool,
}

impl Watch {
    /// Over a camera that may be silent, and show the same, for so long.
    pub(super) fn new(silence: Span, frozen: Span, expected_hertz: Option<f64>, now: Span) -> Self {
        Watch {
            silence,
            frozen,
            expected_hertz,
            connected: now,
            last: None,
            changed: None,
            seconds: VecDeque::new(),
            reconnects: VecDeque::new(),
            stalls: VecDeque::new(),
            is_stalled: false,
        }
    }

    /// A connection begins, again if it is `anew`.
    pub(super) fn connecting(&mut self, now: Span, anew: bool) {
        self.connected = now;
        if anew {
            remember(&mut self.reconnects, now);
        }
    }

    /// A frame came, whose picture is the `same` as the last or not.
    pub(super) fn frame(&mut self, now: Span, same: bool) {
        if !same || self.changed.is_none() {
            self.changed = Some(now);
        }
        (self.last, self.is_stalled) = (Some(now), false);
        let second = now.as_nanos() / 1_000_000_000;
        match self.seconds.back_mut() {
            Some((last, frames)) if *last == second => *frames += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        if RATE_SECONDS < self.seconds.len() {
            self.seconds.pop_front();
        }
    }

    /// What is to be done now; whether a stall began is told once.
    pub(super) fn look(&mut self, now: Span) -> (Look, bool) {
        let heard = self.last.map_or(self.connected, |last| last.max(self.connected));
        let interval = self.expected_hertz.map_or(0.0, |hertz| STALL_INTERVALS / hertz);
        // A stall goes on over connections: only frames end it.
        let gap_max = Span::from_secs(interval).max(STALL_MIN);
        let stalls = !self.is_stalled && self.last.is_some_and(|last| gap_max < now - last);
        if stalls {
            self.is_stalled = true;
            remember(&mut self.stalls, now);
        }
        let look = match () {
            () if self.silence < now - heard => Look::Silent,
            () if self.is_frozen(now) => Look::Frozen,
            () => Look::Well,
        };
        (look, stalls)
    }

    /// Whether frames come that show the same for too long.
    pub(super) fn is_frozen(&self, now: Span) -> bool {
        self.last.is_some() && self.changed.is_some_and(|changed| self.frozen < now - changed)
    }

    /// Frames a second over the last minute, or since the first of them; nothing two seconds after the last.
    pub(super) fn rate_hertz(&self, now: Span) -> f64 {
        if self.last.is_none_or(|last| STALL_MIN < now - last) {
            return 0.0;
        }
        let second = |at: Span| at.as_nanos() / 1_000_000_000;
        // The second that runs is not over, and the one in which it was connected was not whole.
        let end = second(now);
        let begin = (second(self.connected) + 1).max(end - RATE_SECONDS as i64);
        let whole = self.seconds.iter().filter(|(other, _)| begin <= *other && *other < end);
        let frames: u32 = whole.map(|(_, frames)| frames).sum();
        if begin < end { f64::from(frames) / (end - begin) as f64 } else { 0.0 }
    }

    /// How good its pictures come, once that is known.
    pub(super) fn quality(&mut self, now: Span) -> Option<Quality> {
        for events in [&mut self.reconnects, &mut self.stalls] {
            while events.front().is_some_and(|event| HOUR < now - *event) {
                events.pop_front();
            }
        }
        if now - self.connected < RATE_MIN || self.last.is_none() {
            return None;
        }
        let (rate, reconnects, stalls) = (self.rate_hertz(now), self.reconnects.len(), self.stalls.len());
        let share = self.expected_hertz.map_or(1.0, |hertz| rate / hertz);
        let floor = self.expected_hertz.map_or(UNUSABLE_HERTZ, |hertz| UNUSABLE_HERTZ.min(hertz * FAIR_SHARE));
        Some(match () {
            () if rate < floor || UNUSABLE_RECONNECTS < reconnects || UNUSABLE_STALLS < stalls => Quality::Unusable,
            () if reconnects == 0 && GOOD_SHARE <= share && stalls < GOOD_STALLS => Quality::Excellent,
            () if reconnects <= FAIR_RECONNECTS && FAIR_SHARE <= share => Quality::Fair,
            () => Quality::Poor,
        })
    }

    /// What quality means for how the camera is: a word, and why.
    pub(super) fn verdict(&mut self, now: Span) -> (HealthWord, Option<String>) {
        let quality = self.quality(now);
        let (rate, reconnects, stalls) = (self.rate_hertz(now), self.reconnects.len(), self.stalls.len());
        match quality {
            None | Some(Quality::Excellent | Quality::Fair) => (HealthWord::Online, None),
            Some(quality) => {
                let of = self.expected_hertz.map_or_else(String::new, |hertz| format!(" of {hertz:.1}"));
                let why = format!(
                    "its pictures come {quality}: {rate:.1}{of} a second, {reconnects} reconnects and {stalls} stalls in \
                     the last hour"
                );
                (HealthWord::Degraded, Some(why))
            }
        }
    }
}

/// Thins frames out to a rate by their times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thinning {
    interval: Option<Span>,
    due: Option<Span>,
}

impl Thinning {
    /// To so many frames a second, or not at all.
    pub(super) fn new(rate_hertz: Option<f64>) -> Self {
        Thinning { interval: rate_hertz.map(|hertz| Span::from_secs(1.0 / hertz)), due: None }
    }

    /// Whether the frame of this time is kept. Frames that come a quarter of an interval early are in time.
    pub(super) fn keeps(&mut self, at: Span) -> bool {
        let Some(interval) = self.interval else { return true };
        let (due, slack) = (self.due.unwrap_or(at), Span::from_secs(interval.as_secs() * 0.25));
        let is_set_back = interval * 2 < due - at;
        if at + slack < due && !is_set_back {
            return false;
        }
        // After a gap nothing is made up for.
        let late = interval < at - due;
        self.due = Some(if late || is_set_back { at + interval } else { due + interval });
        true
    }
}

fn remember(events: &mut VecDeque<Span>, now: Span) {
    events.push_back(now);
    if EVENTS_MAX < events.len() {
        events.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Quality, Thinning, Watch};
    use crate::base::Span;
    use crate::ports::HealthWord;

    fn secs(secs: f64) -> Span {
        Span::from_secs(secs)
    }

    /// A camera that should send 15 frames a second and sends so many, for a minute.
    fn minute(hertz: f64, reconnects: usize) -> Watch {
        let mut watch = Watch::new(secs(3.0), secs(30.0), Some(15.0), Span::ZERO);
        for reconnect in 0..reconnects {
            watch.connecting(secs(reconnect as f64 * 0.01), true);
        }
        for frame in 0..(hertz * 60.0) as usize {
            let now = secs(frame as f64 / hertz);
            watch.frame(now, false);
            watch.look(now);
        }
        watch
    }

    #[test]
    fn silence_is_noticed_from_the_connection_on_and_told_once_as_a_stall() {
        let mut watch = Watch::new(secs(3.0), secs(30.0), Some(15.0), Span::ZERO);
        assert_eq!(watch.look(secs(2.9)), (Look::Well, false));
        assert_eq!(watch.look(secs(3.1)), (Look::Silent, false));
        watch.connecting(secs(4.0), true);
        watch.frame(secs(4.5), false);
        assert_eq!(watch.look(secs(6.6)), (Look::Well, true));
        assert_eq!(watch.look(secs(6.7)), (Look::Well, false));
        assert_eq!(watch.look(secs(7.6)), (Look::Silent, false));
        // Away and back: one stall, however often it is tried.
        watch.connecting(secs(8.0), true);
        watch.connecting(secs(9.0), false);
        assert_eq!(watch.look(secs(9.5)), (Look::Well, false));
        watch.frame(secs(10.0), false);
        watch.connecting(secs(10.5), true);
        assert_eq!(watch.look(secs(12.1)), (Look::Well, true));
    }

    #[test]
    fn the_same_picture_for_too_long_is_frozen_until_another_comes() {
        let mut watch = Watch::new(secs(3.0), secs(30.0), None, Span::ZERO);
        watch.frame(secs(0.0), false);
        for tenth in 1..=305 {
            watch.frame(secs(f64::from(tenth) / 10.0), true);
        }
        assert_eq!(watch.look(secs(30.5)).0, Look::Frozen);
        // A new connection that shows the same is as frozen.
        watch.connecting(secs(31.0), true);
        watch.frame(secs(31.5), true);
        assert_eq!(watch.look(secs(31.5)).0, Look::Frozen);
        watch.frame(secs(31.6), false);
        assert_eq!(watch.look(secs(31.6)).0, Look::Well);
    }

    #[test]
    fn the_rate_is_measured_and_falls_to_nothing() {
        let watch = minute(15.0, 0);
        assert!((watch.rate_hertz(secs(60.0)) - 15.0).abs() < 0.3, "{}", watch.rate_hertz(secs(60.0)));
        assert_eq!(watch.rate_hertz(secs(62.1)), 0.0);
        let mut short = Watch::new(secs(3.0), secs(30.0), None, secs(100.5));
        for frame in 0..50 {
            short.frame(secs(100.5 + f64::from(frame) / 10.0), false);
        }
        assert!((short.rate_hertz(secs(105.5)) - 10.0).abs() < 0.01, "{}", short.rate_hertz(secs(105.5)));
    }

    #[test]
    fn a_camera_is_as_good_as_its_pictures_come() {
        let of = |hertz, reconnects| minute(hertz, reconnects).quality(secs(60.0));
        assert_eq!(of(15.0, 0), Some(Quality::Excellent));
        assert_eq!(of(15.0, 1), Some(Quality::Fair));
        assert_eq!(of(12.0, 0), Some(Quality::Fair));
        assert_eq!(of(8.0, 0), Some(Quality::Poor));
        assert_eq!(of(15.0, 3), Some(Quality::Poor));
        assert_eq!(of(15.0, 11), Some(Quality::Unusable));
        assert_eq!(of(0.8, 0), Some(Quality::Unusable));
        let (word, why) = minute(8.0, 3).verdict(secs(60.0));
        assert_eq!(word, HealthWord::Degraded);
        assert!(why.unwrap().contains("8.0 of 15.0 a second, 3 reconnects"));
        // An hour later they are forgotten.
        let mut watch = minute(15.0, 11);
        watch.connecting(secs(3_700.0), false);
        for frame in 0..100 {
            watch.frame(secs(3_700.0 + f64::from(frame) / 15.0), false);
        }
        assert_eq!(watch.quality(secs(3_706.0)), Some(Quality::Excellent));
    }

    #[test]
    fn frames_are_thinned_out_evenly() {
        let kept = |from: f64, to: Option<f64>, jitter: f64| {
            let mut thinning = Thinning::new(to);
            let frames = (from * 60.0) as usize;
            let time = |frame: usize| secs(frame as f64 / from + if frame.is_multiple_of(2) { jitter } else { 0.0 });
            (0..frames).filter(|frame| thinning.keeps(time(*frame))).count()
        };
        assert_eq!(kept(15.0, None, 0.0), 900);
        assert_eq!(kept(15.0, Some(15.0), 0.01), 900);
        assert_eq!(kept(30.0, Some(15.0), 0.005), 900);
        assert!((595..=605).contains(&kept(15.0, Some(10.0), 0.0)));
        assert_eq!(kept(15.0, Some(30.0), 0.0), 900);
        // A clock that was set back stops nothing.
        let mut thinning = Thinning::new(Some(10.0));
        assert!(thinning.keeps(secs(100.0)) && thinning.keeps(secs(50.0)) && thinning.keeps(secs(50.1)));
    }
}
