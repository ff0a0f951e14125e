//! How senders are judged, without any.

use super::*;
use crate::facts::Topic;
use crate::ingest::mqtt::boards::Moment;
use crate::ingest::mqtt::decode::Reason;

struct Scene {
    boards: Boards,
    health: HealthBoard,
    millis: i64,
    /// What is weighed, as a checksum; none where that is not looked at.
    shows: Option<u32>,
}

impl Scene {
    fn new(rate_hertz: Option<f64>) -> Self {
        let silence = Span::from_millis(3_000);
        let board = Board { source: "b".to_owned(), silence, rate_hertz, enabled: true };
        Scene {
            boards: Boards::new(&[board], DeviceKind::Board),
            health: HealthBoard::default(),
            millis: 0,
            shows: None,
        }
    }

    fn moment(&self) -> Moment {
        let now = ShopTime::from_nanos(1_000_000_000_000) + Span::from_millis(self.millis);
        Moment { now, elapsed: Duration::from_millis(self.millis as u64) }
    }

    /// A message of this number, whose clock is ahead by so many milliseconds.
    fn hear(&mut self, sequence: u64, ahead: i64) {
        let moment = self.moment();
        let mut fact = plates("b", sequence, moment.now + Span::from_millis(ahead));
        fact.stamp.arrived = moment.now;
        self.boards.heard(&fact.stamp, Topic::Plates, self.shows, moment);
    }

    fn judge(&mut self) -> DeviceHealth {
        self.boards.report(self.moment(), &self.health);
        self.health.get("b").unwrap()
    }
}

#[test]
fn silence_makes_it_offline_and_its_rate_nothing() {
    let mut scene = Scene::new(None);
    assert_eq!(scene.judge().cause.as_deref(), Some("nothing has come from it yet"));
    for number in 0..50 {
        scene.millis = number * 100;
        scene.hear(number as u64, 0);
    }
    let health = scene.judge();
    assert_eq!(health.health, HealthWord::Online);
    assert!((9.0..11.0).contains(&health.rate_hertz.unwrap()), "{health:?}");
    scene.millis += 3_001;
    let health = scene.judge();
    assert_eq!((health.health, health.rate_hertz), (HealthWord::Offline, Some(0.0)));
    scene.hear(51, 0);
    assert_eq!(scene.judge().health, HealthWord::Online);
}

#[test]
fn a_rate_below_what_is_expected_is_told() {
    let mut scene = Scene::new(Some(10.0));
    for number in 0..120 {
        scene.millis = number * 100;
        if number < 60 || number % 2 == 0 {
            scene.hear(number as u64, 0);
        }
    }
    let health = scene.judge();
    assert_eq!(health.health, HealthWord::Degraded);
    assert!(health.cause.unwrap().contains("where 10 are expected"));
}

#[test]
fn a_rate_is_of_what_came_since_a_silence_that_was_told() {
    let mut scene = Scene::new(Some(10.0));
    let mut number = 0;
    let mut play = |scene: &mut Scene, until: i64| {
        while scene.millis < until {
            scene.millis += 100;
            number += 1;
            scene.hear(number, 0);
        }
    };
    play(&mut scene, 60_000);
    // Too short to be told, and long enough to be missed: a tenth of a minute in two parts.
    for from in [62_900, 65_800, 68_700] {
        scene.millis = from;
        play(&mut scene, from + 100);
    }
    assert_eq!(scene.judge().health, HealthWord::Degraded);
    scene.millis += 8_000;
    assert_eq!(scene.judge().health, HealthWord::Offline);
    let back = scene.millis;
    play(&mut scene, back + 200);
    assert_eq!(scene.judge().health, HealthWord::Online);
    play(&mut scene, back + 30_000);
    let health = scene.judge();
    assert_eq!((health.health, health.counters["silences"]), (HealthWord::Online, 1));
    assert!((9.5..=10.5).contains(&health.rate_hertz.unwrap()), "{health:?}");
    // What is missing from then on is told as before.
    for turn in 0..20 {
        scene.millis = back + 30_000 + turn * 1_000;
        play(&mut scene, back + 30_000 + turn * 1_000 + 500);
    }
    assert_eq!(scene.judge().health, HealthWord::Degraded);
}

#[test]
fn a_clock_that_is_set_right_is_told_within_two_seconds() {
    let mut scene = Scene::new(None);
    for number in 0..200 {
        scene.millis = number * 100;
        scene.hear(number as u64, 60_000);
    }
    assert!(scene.judge().cause.unwrap().contains("60.0 s ahead"));
    // One message that was held up for a minute says nothing of the clock.
    for (number, ahead) in [(200, 0), (201, 60_000), (202, 60_000)] {
        scene.millis = number * 100;
        scene.hear(number as u64, ahead);
    }
    assert_eq!(scene.judge().health, HealthWord::Degraded);
    for number in 203..220 {
        scene.millis = number * 100;
        scene.hear(number as u64, -250);
    }
    let health = scene.judge();
    assert_eq!((health.health, health.clock_offset_secs), (HealthWord::Online, Some(-0.25)));
}

#[test]
fn scales_with_noise_that_repeat_themselves_are_frozen_and_others_may() {
    let mut scene = Scene::new(None);
    let play = |scene: &mut Scene, beats: i64, shows: &dyn Fn(i64) -> u32| {
        for beat in 0..beats {
            scene.millis += 100;
            scene.shows = Some(shows(beat));
            scene.hear(scene.millis as u64, 0);
        }
        scene.judge()
    };
    // Scales of few digits: nothing is known of them.
    assert_eq!(play(&mut scene, 400, &|beat| (beat / 3) as u32).health, HealthWord::Online);
    assert_eq!(play(&mut scene, 100, &|_| 7).health, HealthWord::Online);
    play(&mut scene, 210, &|beat| beat as u32);
    assert_eq!(play(&mut scene, 25, &|_| 7).health, HealthWord::Online);
    let health = play(&mut scene, 10, &|_| 7);
    assert_eq!((health.health, health.counters["repeats"]), (HealthWord::Frozen, 34), "{health:?}");
    assert!(health.cause.unwrap().contains("not changed") && health.remedy.is_some());
    assert_eq!(play(&mut scene, 1, &|_| 8).health, HealthWord::Online);
}

#[test]
fn a_clock_that_is_wrong_is_told_by_the_least_delayed_message() {
    let mut scene = Scene::new(None);
    // Late by the network once, right by the clock.
    for (number, ahead) in [(0, -5_000), (1, -20), (2, -7_000)] {
        scene.hear(number, ahead);
    }
    let health = scene.judge();
    assert_eq!((health.health, health.clock_offset_secs), (HealthWord::Online, Some(-0.02)));
    for step in 1..=70 {
        scene.millis = step * 1_000;
        scene.hear(2 + step as u64, -3_600_000);
    }
    let health = scene.judge();
    assert_eq!(health.health, HealthWord::Degraded);
    assert_eq!(health.cause.as_deref(), Some("its clock is 3600.0 s behind"));
    assert!(health.remedy.is_some());
}

#[test]
fn a_device_that_begins_anew_is_one_and_two_of_one_name_are_two() {
    let mut scene = Scene::new(None);
    for number in [1_000, 1_001, 0, 1, 2] {
        scene.millis += 100;
        scene.hear(number, 0);
    }
    assert_eq!(scene.judge().health, HealthWord::Online);
    for number in [500, 3, 501, 4, 502, 5] {
        scene.millis += 100;
        scene.hear(number, 0);
    }
    let health = scene.judge();
    assert_eq!(health.health, HealthWord::Degraded);
    assert!(health.cause.unwrap().contains("two devices"));
    assert_eq!(health.counters["sequence_falls"], 4);
}

#[test]
fn two_that_began_together_are_two_and_messages_that_overtake_each_other_are_of_one() {
    let mut scene = Scene::new(None);
    for (number, ahead) in [(20, 0), (23, 0), (21, -300), (22, -300), (26, 0), (24, -200), (25, -200)] {
        scene.millis += 100;
        scene.hear(number, ahead);
    }
    assert_eq!(scene.judge().health, HealthWord::Online);
    for number in [30, 27, 31, 28, 32, 29] {
        scene.millis += 100;
        scene.hear(number, 0);
    }
    assert!(scene.judge().cause.unwrap().contains("two devices"));
}

#[test]
fn what_cannot_be_read_is_told_for_a_minute() {
    let mut scene = Scene::new(None);
    scene.hear(1, 0);
    let moment = scene.moment();
    assert!(scene.boards.dropped("b", Reason::Undecodable, moment));
    assert!(!scene.boards.dropped("nobody", Reason::Undecodable, moment));
    assert_eq!(scene.judge().cause.as_deref(), Some("some of its messages are dropped: undecodable"));
    scene.millis = 61_000;
    scene.hear(2, 0);
    assert_eq!(scene.judge().health, HealthWord::Online);
    assert_eq!(scene.judge().counters["dropped_undecodable"], 1);
}
