//! How senders are judged, without any.

use super::*;
use crate::facts::Topic;
use crate::ingest::mqtt::boards::Moment;
use crate::ingest::mqtt::decode::Reason;

struct Scene {
    boards: Boards,
    health: HealthBoard,
    millis: i64,
}

impl Scene {
    fn new(rate_hertz: Option<f64>) -> Self {
        let silence = Span::from_millis(3_000);
        let board = Board { source: "b".to_owned(), silence, rate_hertz, enabled: true };
        Scene { boards: Boards::new(&[board], DeviceKind::Board), health: HealthBoard::default(), millis: 0 }
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
        self.boards.heard(&fact.stamp, Topic::Plates, moment);
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
