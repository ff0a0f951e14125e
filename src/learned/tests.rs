//! What was learned of a small shop, written, read and held against the shop that it has become.

use std::fs;

use super::*;
use crate::base::{Grams, PlateId, ShelfId, SkuId, Span};
use crate::fusion::{self, LearnedClock, LearnedWeight, LearnedWrists};
use crate::geometry::{Placement, Point};
use crate::shelf::PlateNoise;
use crate::shop::{PlateDraft, ProductDraft, RoomDraft, ShelfDraft, ShopDraft};
use crate::tracking::{Door, LearnedDoors, Passage, SeenDoors, SeenPlace};

fn draft() -> ShopDraft {
    let product = |sku: &str, weight_grams| ProductDraft {
        sku: sku.to_owned(),
        name: sku.to_owned(),
        weight_grams,
        ..ProductDraft::default()
    };
    let plate = |number: u16| PlateDraft {
        id: PlateId::new(1, 1, number),
        left_metres: 0.1 * f64::from(number),
        width_metres: 0.1,
    };
    let shelf = ShelfDraft {
        id: ShelfId::new(1, 1),
        placement: Placement { origin: Point::new(0.0, 0.0, 1.0), turn_radians: 0.0 },
        depth_metres: 0.4,
        clearance_metres: 0.3,
        plates: (1..=3).map(plate).collect(),
        facings: Vec::new(),
        line: None,
    };
    ShopDraft {
        name: "small".to_owned(),
        products: vec![product("tea", Some(100.0)), product("salt", None), product("oil", Some(400.0))],
        shelves: vec![shelf],
        ..ShopDraft::default()
    }
}

fn shop(draft: ShopDraft) -> Shop {
    Shop::check(draft).unwrap()
}

fn at(secs: i64) -> ShopTime {
    ShopTime::from_nanos(1_700_000_000_000_000_000) + Span::from_millis(1_000 * secs)
}

fn knowledge() -> Knowledge {
    let weight = |sku: &str, grams, units, secs| LearnedWeight {
        sku: SkuId::new(sku),
        unit: Grams::new(grams),
        units,
        at: at(secs),
    };
    let noise = |plate: u16, grams| PlateNoise {
        plate: PlateId::new(1, 1, plate),
        sigma: Grams::new(grams),
        quiet: Span::from_secs(600.0),
        at: at(90),
    };
    let place = |passage, x, count| SeenPlace { passage, place: Point::new(x, 2.0, 0.0), count, at: at(80) };
    Knowledge {
        fusion: fusion::Learned {
            weights: vec![weight("tea", 112.5, 7, 10), weight("salt", 502.0, 1, 20)],
            wrists: Some(LearnedWrists { near: 90.5, metres: 0.031, far: 9.5, at: at(70) }),
            clock: Some(LearnedClock {
                offset: Span::from_millis(-120),
                sigma: Span::from_millis(21),
                events: 44,
                at: at(60),
            }),
        },
        noise: vec![noise(1, 0.4), noise(2, 0.4), noise(3, 4.0)],
        doors: SeenDoors {
            places: vec![
                place(Passage::In, 1.0, 31.0),
                place(Passage::Out, 1.2, 29.0),
                place(Passage::Back, 1.1, 2.0),
                place(Passage::Back, 6.0, 5.0),
            ],
            open: Span::from_secs(3_600.0),
        },
    }
}

fn learned() -> Learned {
    Learned::of(&shop(draft()), None, &knowledge(), at(100))
}

/// The file with something in it replaced, read for the small shop.
fn read_changed(from: &str, to: &str) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.toml");
    learned().write(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(&path, text.replace(from, to)).unwrap();
    Learned::read(&path, &shop(draft())).unwrap_err()
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.learned.toml");
    let (shop, learned) = (shop(draft()), learned());
    learned.write(&path).unwrap();
    let read = Learned::read(&path, &shop).unwrap();
    assert_eq!(read, learned);
    let (fitted, forgotten) = read.fitted(&shop);
    assert_eq!((fitted.clone(), forgotten), (learned.clone(), Vec::new()));
    let (mut is, was) = (fitted.knowledge(), knowledge());
    // Products and plates stand in order of their names.
    is.fusion.weights.reverse();
    assert_eq!(is, was);
    // An engine that learned nothing leaves everything as it was, but for when it was written.
    let again = Learned::of(&shop, Some(&learned), &Knowledge::default(), at(100));
    assert_eq!(again, learned);
}

#[test]
fn what_is_learned_anew_takes_the_place_of_what_was_known() {
    let mut newer = Knowledge::default();
    newer.fusion.weights =
        vec![LearnedWeight { sku: SkuId::new("tea"), unit: Grams::new(115.0), units: 3, at: at(500) }];
    newer.noise = vec![PlateNoise { sigma: Grams::new(0.7), ..knowledge().noise[2] }];
    let merged = Learned::of(&shop(draft()), Some(&learned()), &newer, at(501)).knowledge();
    let weights: Vec<_> =
        merged.fusion.weights.iter().map(|weight| (weight.sku.as_str(), weight.unit.value())).collect();
    assert_eq!(weights, [("salt", 502.0), ("tea", 115.0)]);
    assert_eq!(merged.noise.iter().map(|plate| plate.sigma.value()).collect::<Vec<_>>(), [0.4, 0.4, 0.7]);
    assert_eq!(merged.fusion.clock, knowledge().fusion.clock);
}

#[test]
fn one_unit_against_the_catalogue_is_believed_when_a_second_one_agrees() {
    let day = |grams: f64, secs: i64| {
        let tea = LearnedWeight { sku: SkuId::new("tea"), unit: Grams::new(grams), units: 1, at: at(secs) };
        Knowledge { fusion: fusion::Learned { weights: vec![tea], ..Default::default() }, ..Knowledge::default() }
    };
    let shop = shop(draft());
    let monday = Learned::of(&shop, None, &day(112.0, 10), at(20));
    assert!(monday.knowledge().fusion.weights.is_empty() && monday.lines(&shop)[1].contains("from 1 unit"));
    let told = |learned: &Learned| {
        let weights = learned.knowledge().fusion.weights;
        weights.iter().map(|weight| (weight.unit.value(), weight.units)).collect::<Vec<_>>()
    };
    let then = |grams, secs| Learned::of(&shop, Some(&monday), &day(grams, secs), at(secs + 1));
    assert_eq!(told(&then(113.0, 90)), [(112.5, 2)]);
    assert_eq!(told(&then(151.0, 90)), [], "the newer one stands alone");
    assert_eq!(told(&then(112.0, 10)), [], "the same unit is no second one");
}

#[test]
fn what_rests_on_something_that_was_changed_is_forgotten_and_said() {
    let forgotten = |change: &dyn Fn(&mut ShopDraft)| {
        let mut draft = draft();
        change(&mut draft);
        let (fitted, forgotten) = learned().fitted(&shop(draft));
        let Knowledge { fusion, noise, doors } = fitted.knowledge();
        let left =
            (fusion.weights.len(), noise.len(), doors.places.len(), fusion.wrists.is_some(), fusion.clock.is_some());
        (left, forgotten.join("\n"))
    };
    let (left, why) = forgotten(&|draft| draft.products[0].weight_grams = Some(112.0));
    assert_eq!(
        (left, why.as_str()),
        ((1, 3, 4, true, true), "the weight of tea: the catalogue says 112 g now, and said 100 g")
    );
    let (left, why) = forgotten(&|draft| draft.products[1].weight_grams = Some(500.0));
    assert_eq!((left.0, why.as_str()), (1, "the weight of salt: the catalogue says 500 g now, and said nothing"));
    let (left, why) = forgotten(&|draft| drop(draft.products.remove(0)));
    assert_eq!((left.0, why.as_str()), (1, "the weight of tea: the catalogue no longer has it"));
    let (left, why) = forgotten(&|draft| draft.shelves[0].plates.truncate(2));
    assert_eq!((left.1, why.as_str()), (2, "the noise of plate 1-1-3: the shop no longer has it"));
    let polygon = vec![[0.0, -1.0], [9.0, -1.0], [9.0, 9.0], [0.0, 9.0]];
    let room = RoomDraft { polygon, height_metres: 3.0, line: None };
    let (left, why) = forgotten(&|draft| draft.room = Some(room.clone()));
    assert_eq!(
        (left, why.as_str()),
        ((2, 3, 0, true, true), "doors: walls, zones or cameras of the shop were changed")
    );
    // A price, or how long absence is, is nothing that anything learned rests on.
    let (left, why) =
        forgotten(&|draft| (draft.products[0].price_minor, draft.policy.absence_secs_max) = (Some(1), 7.0));
    assert_eq!((left, why.as_str()), ((2, 3, 4, true, true), ""));
}

#[test]
fn what_is_no_such_file_is_refused_with_a_sentence() {
    let says = |error: &Error, what: &str| assert!(error.to_string().contains(what), "{error}");
    says(&read_changed("format = 1", "format = 2"), "what was learned has format 2, of aisle");
    says(&read_changed("format = 1\n", ""), "it names no format");
    says(&read_changed("shop = \"small\"", "shop = \"large\""), "learned of the shop large, and the shop is small");
    says(&read_changed("[clock]", "[clock"), "what was learned is damaged");
    says(&read_changed("grams = 112.5", "grams = -1.0"), "damaged: grams of tea is -1");
    says(&read_changed("grams = 112.5", "grams = nan"), "damaged: grams of tea is NaN");
    says(&read_changed("x_metres = 6.0", "x_metres = 1e300"), "damaged: x_metres of a door");
    says(&read_changed("1-1-3", "board 3"), "`board 3` is not a plate");
    says(&read_changed("units = 7", "units = 7\nshoppers = 3"), "unknown field `shoppers`");
    says(&read_changed("2023-", "yesterday, "), "is no instant");
    says(&Document::parse(&vec![b'#'; LEARNED_FILE_BYTES_MAX as usize + 1]).unwrap_err(), "longer than");
    says(&Document::parse(&[0xff, 0xfe]).unwrap_err(), "no text in UTF-8");
}

#[test]
fn a_shop_that_opens_begins_without_what_it_cannot_read_and_keeps_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db.learned.toml");
    let shop = shop(draft());
    assert_eq!(open(&path, &shop), (None, Vec::new()));
    learned().write(&path).unwrap();
    assert_eq!(open(&path, &shop), (Some(learned()), Vec::new()));
    // Wherever the file is cut off, it is read whole or not at all.
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (known, told) = open(&path, &shop);
        match known {
            // What is cut off between two entries is as if somebody had deleted the rest.
            Some(known) => assert!(told.is_empty() && known.0.shop == "small", "{length}: {told:?}"),
            None => {
                assert!(told.len() == 1 && told[0].contains("begins without it"), "{length}: {told:?}");
                let aside = folder.path().join("book.db.learned.toml.unread");
                assert_eq!(fs::read(&aside).unwrap(), whole[..length]);
            }
        }
    }
}

#[test]
fn people_are_told_what_is_off_from_how_many_and_since_when() {
    let lines = learned().lines(&shop(draft())).join("\n");
    for line in [
        "weight: tea (tea) 112.5 g; the catalogue says 100.0 g, off by +12.5 %; from 7 units, last 2023-11-14T22:13:30.000Z",
        "weight: salt (salt) 502.0 g; the catalogue says nothing; from 1 unit, last 2023-11-14T22:13:40.000Z",
        "plates: the noise of 3 known, 0.40 g for most, 1 unusual, last 2023-11-14T22:14:50.000Z",
        "plate: 1-1-3 trembles by 4.00 g at rest, most by 0.40 g; from 600 s of rest, last 2023-11-14T22:14:50.000Z",
        "clocks: people +0.12 s \u{b1} 0.02 s against plates, from 44 changes of weight, last 2023-11-14T22:14:20.000Z",
        "wrists: 3.1 cm from what they take, in 90 % of 100 takes, last 2023-11-14T22:14:30.000Z",
        "door at (1.00, 2.00) m: 31 visits began there, 2 lost there came back, 93 % sure, last 2023-11-14T22:14:40.000Z",
        "door at (1.20, 2.00) m: 29 people were lost for good there, 2 lost there came back, 92 % sure",
    ] {
        assert!(lines.contains(line), "{line} is not in\n{lines}");
    }
    assert!(!lines.contains("(6.00"), "nobody comes in where people are only out of sight:\n{lines}");
    let empty = Learned::of(&shop(draft()), None, &Knowledge::default(), at(0));
    assert_eq!(empty.lines(&shop(draft())).last().unwrap(), "  nothing");
}

#[test]
fn a_door_by_which_people_come_and_go_is_one_line() {
    let door = |x: f64, count| Door { place: Point::new(x, 0.5, 0.0), count, sure: crate::base::Prob::new(0.95) };
    let doors = LearnedDoors { ways_in: vec![door(1.0, 12.0)], ways_out: vec![door(5.0, 4.0), door(1.3, 9.0)] };
    let lines = door_lines(&doors);
    assert_eq!(
        lines[0],
        "door at (1.00, 0.50) m: 12 visits began there, 9 people were lost there for good, 95.0 % sure"
    );
    assert_eq!(
        lines[1],
        "door at (5.00, 0.50) m: 0 visits began there, 4 people were lost there for good, 95.0 % sure"
    );
    assert_eq!(lines.len(), 2);
}
