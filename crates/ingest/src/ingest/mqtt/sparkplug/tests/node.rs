//! What a host makes of a node.

use rand::RngExt;

use super::*;
use crate::ingest::mqtt::link::Manners;
use crate::ingest::mqtt::sparkplug::StateManners;
use crate::ports::HealthWord;

/// The grams of rows around a time, in milliseconds.
fn at(rows: &[(f64, Vec<f32>)], millis: f64) -> Vec<f32> {
    rows.iter().rev().find(|(at, _)| *at <= millis).expect("a row").1.clone()
}

#[test]
fn what_is_not_said_has_not_changed_and_rows_are_even() {
    let mut scene = Scene::born();
    scene.wait(500);
    scene.send("DDATA/n/d", vec![short(1, -90.5)]);
    scene.wait(333);
    scene.send("DDATA/n/d", vec![dated(2, 25.0, 600, false), dated(1, 11.0, 700, false)]);
    scene.wait(1_000);
    let rows = scene.even();
    assert!(rows[0].0 < 17.0 && 1_400.0 < rows.last().unwrap().0, "{rows:?}");
    assert_eq!(at(&rows, 490.0), [10.0, 20.0]);
    assert_eq!(at(&rows, 520.0), [-90.5, 20.0]);
    assert_eq!(at(&rows, 1_400.0), [11.0, 25.0]);
    let own = scene.rows("sparkplug/n");
    assert_eq!(at(&own, 1_000.0), [30.0]);
    assert_eq!(batch(&scene.facts[0]).plates, [PlateId::new(1, 1, 3)]);
    assert_eq!((scene.asked, scene.count("births")), (0, 1));
    assert!(scene.facts.iter().all(|fact| batch(fact).rows() <= 30));
    // Numbers rise, and would after a new start.
    let of_device = scene.facts.iter().filter(|fact| fact.stamp.source.as_str() == "sparkplug/n/d");
    let numbers: Vec<u64> = of_device.map(|fact| fact.stamp.sequence).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b) && 1_000_000 < numbers[0], "{numbers:?}");
}

#[test]
fn messages_out_of_turn_wait_for_those_before_them() {
    let mut scene = Scene::born();
    scene.wait(700);
    let third = scene.seq + 1;
    scene.send_as("DDATA/n/d", Some(third), vec![dated(1, 13.0, 690, false)]);
    scene.wait(400);
    let before = scene.even();
    assert!(before.last().unwrap().0 < 420.0, "nothing is held while a message is missing: {before:?}");
    scene.send_as("DDATA/n/d", Some(third - 1), vec![dated(1, 12.0, 680, false)]);
    scene.send_as("DDATA/n/d", Some(third - 1), vec![dated(1, 99.0, 680, false)]);
    scene.seq = third + 1;
    scene.send("DDATA/n/d", vec![short(2, 21.0)]);
    scene.wait(400);
    assert_eq!(at(&scene.even(), 720.0), [13.0, 20.0]);
    assert_eq!(at(&scene.even(), 670.0), [10.0, 20.0]);
    assert_eq!((scene.asked, scene.count("sequence_gaps"), scene.count("dropped_duplicate")), (0, 0, 1));
}

#[test]
fn a_message_that_never_comes_ends_what_is_known_and_asks_for_births() {
    let mut scene = Scene::born();
    scene.wait(300);
    scene.seq += 1;
    scene.send("DDATA/n/d", vec![short(1, 13.0)]);
    scene.wait(2_100);
    assert_eq!((scene.count("sequence_gaps"), scene.asked), (1, 1));
    let rows = scene.even();
    assert!(rows.last().unwrap().1.iter().all(|grams| grams.is_nan()), "{rows:?}");
    assert!(rows.last().unwrap().0 < 320.0);
    assert!(scene.notes.iter().any(|(source, note)| source == "sparkplug/n/d" && *note == Note::Fell));
    let facts = scene.facts.len();
    scene.birth(7);
    scene.send("DBIRTH/n/d", vec![named("w1", 1, 14.0), named("w2", 2, 20.0)]);
    scene.wait(600);
    assert!(facts < scene.facts.len());
    assert_eq!(at(&scene.rows("sparkplug/n/d"), 2_700.0), [14.0, 20.0]);
    assert_eq!(scene.asked, 1);
}

#[test]
fn births_are_asked_for_ever_more_seldom() {
    let mut scene = Scene::new();
    scene.wait(900);
    assert_eq!(scene.asked, 0, "it may begin by itself");
    scene.wait(300_000);
    // After 1, 3, 7, 15, 31, 63 s, and then every minute.
    assert_eq!(scene.asked, 9);
    for _ in 0..100 {
        scene.send("DDATA/n/d", vec![short(1, 1.0)]);
    }
    scene.wait(100);
    assert!(scene.asked <= 10);
    assert_eq!((scene.count("dropped_unborn"), scene.facts.len()), (100, 0));
    scene.birth(1);
    scene.wait(120_000);
    assert!(scene.asked <= 10);
}

#[test]
fn a_death_counts_if_it_is_of_the_connection_that_is() {
    let mut scene = Scene::born();
    scene.wait(500);
    scene.send_as("NDEATH/n", None, vec![bd(6)]);
    assert_eq!((scene.count("deaths_ignored"), scene.count("deaths")), (1, 0));
    scene.send_as("NDEATH/n", None, vec![bd(7)]);
    assert_eq!(scene.count("deaths"), 1);
    assert!(matches!(scene.told("sparkplug/n/d"), Some(Note::Told(Some((HealthWord::Offline, _, _))))));
    scene.wait(2_000);
    let rows = scene.even();
    assert!(rows.last().unwrap().0 < 520.0 && rows.last().unwrap().1[0].is_nan());
    assert_eq!(scene.asked, 0, "who is dead is not asked");
}

#[test]
fn a_device_dies_alone() {
    let mut scene = Scene::born();
    scene.wait(500);
    scene.send("DDEATH/n/d", vec![]);
    scene.wait(500);
    assert!(scene.even().last().unwrap().1[0].is_nan());
    assert!(at(&scene.rows("sparkplug/n"), 600.0)[0] == 30.0);
    scene.send("DDATA/n/d", vec![short(1, 1.0)]);
    scene.wait(100);
    assert_eq!((scene.count("dropped_unborn"), scene.asked), (1, 1));
}

#[test]
fn an_alias_that_nobody_explained_is_not_guessed() {
    let mut scene = Scene::born();
    scene.wait(200);
    scene.send("DDATA/n/d", vec![short(44, 1.0), short(1, 12.0)]);
    scene.wait(400);
    assert_eq!((scene.count("unknown_aliases"), scene.asked), (1, 1));
    assert_eq!(at(&scene.even(), 230.0), [12.0, 20.0]);
    // One of the node is not one of the device.
    scene.send("DDATA/n/d", vec![short(3, 1.0)]);
    assert_eq!(scene.count("unknown_aliases"), 2);
    // One that is known and is no plate is nothing.
    scene.send("DDATA/n/d", vec![short(9, 1.0)]);
    assert_eq!(scene.count("unknown_aliases"), 2);
}

#[test]
fn an_alias_of_two_metrics_is_told_and_asks_for_nothing() {
    let mut scene = Scene::new();
    scene.birth(1);
    scene.send("DBIRTH/n/d", vec![named("w1", 1, 10.0), named("w2", 1, 20.0)]);
    scene.wait(200);
    scene.send("DDATA/n/d", vec![short(1, 99.0)]);
    scene.wait(400);
    assert_eq!(at(&scene.even(), 500.0), [10.0, 20.0]);
    assert!(matches!(scene.told("sparkplug/n/d"), Some(Note::Told(Some((HealthWord::Degraded, _, _))))));
    assert_eq!(scene.asked, 0);
}

#[test]
fn what_is_told_of_the_past_fills_what_is_missing_and_nothing_else() {
    let mut scene = Scene::born();
    scene.wait(500);
    scene.send("DDATA/n/d", vec![dated(1, 77.0, 100, true)]);
    scene.wait(500);
    assert_eq!(at(&scene.even(), 600.0), [10.0, 20.0], "the past is not now");
    scene.send_as("NDEATH/n", None, vec![bd(7)]);
    scene.wait(3_000);
    scene.birth(8);
    scene.send("DBIRTH/n/d", vec![named("w1", 1, 50.0), named("w2", 2, 60.0)]);
    let known = scene.facts.len();
    let past = vec![
        dated(2, 42.0, 2_000, true),
        dated(1, 41.0, 2_000, true),
        dated(1, 43.0, 2_500, true),
        dated(1, 9.0, 400, true),
        dated(1, 9.0, 5_000, true),
    ];
    scene.send("DDATA/n/d", past);
    scene.wait(100);
    let of_past = |fact: &&Fact| batch(fact).first_at < ShopTime::from_nanos((BEGUN + 3_900) * 1_000_000);
    let told: Vec<&Fact> = scene.facts[known..].iter().filter(of_past).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(batch(told[0]).rows(), 31);
    assert_eq!(&batch(told[0]).grams[..2], [41.0, 42.0]);
    assert_eq!(&batch(told[0]).grams[60..], [43.0, 42.0]);
    let unused = scene.notes.iter().filter_map(|(_, note)| match note {
        Note::Count("dropped_past", more) => Some(more),
        _ => None,
    });
    assert_eq!(unused.sum::<u64>(), 3);
}

#[test]
fn a_silent_device_is_not_held_and_goes_on_where_it_was() {
    let mut scene = Scene::born();
    scene.wait(10_000);
    let rows = scene.even();
    let last = rows.last().unwrap();
    // It is held for the 3 s that it may be silent, less what may be late, and a last row says that nothing is known.
    assert!((2_500.0..3_100.0).contains(&last.0) && last.1[0].is_nan(), "{last:?}");
    scene.send("DDATA/n/d", vec![short(1, 12.0)]);
    scene.wait(500);
    let resumed = scene.rows("sparkplug/n/d");
    assert_eq!(at(&resumed, 10_200.0), [12.0, 20.0]);
    assert_eq!(scene.asked, 0);
}

#[test]
fn a_broker_that_is_lost_makes_everything_unknown() {
    let mut scene = Scene::born();
    scene.wait(500);
    let mut out = Out::default();
    scene.host.disconnected(scene.moment(), &mut out);
    scene.note(out);
    scene.wait(500);
    assert!(scene.even().last().unwrap().1[0].is_nan());
    scene.host.connected(scene.moment());
    scene.wait(1_100);
    assert_eq!(scene.asked, 1);
}

#[test]
fn clocks_that_leap_and_readings_that_are_no_numbers_are_counted() {
    let mut scene = Scene::born();
    scene.wait(500);
    scene.send("DDATA/n/d", vec![dated(1, 5.0, 3_600_000, false)]);
    let text = Metric { value: Some(Value::Text("heavy".to_owned())), ..short(2, 0.0) };
    scene.send("DDATA/n/d", vec![text, dated(1, 6.0, i64::MAX - BEGUN, false)]);
    scene.wait(100);
    let counted = |what: &str| {
        let of = |(_, note): &(String, Note)| matches!(note, Note::Count(other, _) if *other == what);
        scene.notes.iter().any(of)
    };
    assert!(counted("clock_leaps") && counted("dropped_no_number"), "{:?}", scene.notes);
}

#[test]
fn what_a_host_says_of_itself_bears_one_time() {
    let mut manners = StateManners::new(&settings());
    let moment = Scene::new().moment();
    let will = manners.will(moment);
    let later = Moment { now: moment.now + seconds(5.0), ..moment };
    let hello = manners.hello(later);
    assert_eq!(will.topic, "spBv1.0/STATE/aisle");
    assert_eq!(will.payload, br#"{"online":false,"timestamp":1700000000000}"#);
    assert_eq!(hello[0].payload, br#"{"online":true,"timestamp":1700000000000}"#);
    assert!(will.is_retained && will.is_sure && hello[0].is_retained && hello[0].is_sure);
    let old = br#"{"online":false,"timestamp":1600000000000}"#;
    assert_eq!(manners.heed(&will.topic, old, later), Some(hello.clone()));
    assert_eq!(manners.heed(&will.topic, &hello[0].payload, later), Some(vec![]));
    assert_eq!(manners.heed("spBv1.0/g/NBIRTH/n", b"", later), None);
}

#[test]
fn bytes_that_dice_change_never_stop_it() {
    let mut dice = crate::base::rng::dice(14, "sparkplug");
    let metrics = |dice: &mut crate::base::rng::Dice| {
        let millis = dice.random_range(-20_000..20_000);
        vec![named("w1", dice.random_range(0..4), 1.0), dated(1, 2.0, millis, dice.random()), bd(1)]
    };
    let topics = ["NBIRTH/n", "DBIRTH/n/d", "DDATA/n/d", "NDATA/n", "DDEATH/n/d", "NDEATH/n", "DDATA/n", "X/n"];
    let mut scene = Scene::born();
    for _ in 0..20_000 {
        let seq = if dice.random_range(0..3) == 0 { dice.random_range(0..300) } else { scene.seq };
        scene.seq = (scene.seq + 1) % 256;
        let payload = Payload { timestamp: Some(dice.random()), metrics: metrics(&mut dice), seq: Some(seq) };
        let mut bytes = payload.encode_to_vec();
        if dice.random_range(0..2) == 0 {
            let place = dice.random_range(0..bytes.len());
            bytes[place] = dice.random();
        }
        scene.bytes(topics[dice.random_range(0..topics.len())], &bytes);
        if dice.random_range(0..50) == 0 {
            scene.wait(200);
        }
        scene.notes.clear();
        for fact in scene.facts.drain(..) {
            assert!(batch(&fact).is_well_formed());
        }
    }
    assert!(0 < scene.count("dropped_undecodable") && 0 < scene.count("births"), "{:?}", scene.counts);
}
