use std::f64::consts::FRAC_PI_2;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;

use super::{AutoCheckout, Options, write};
use crate::base::rng::dice;
use crate::base::{Kind, PlateId, ShelfId, ShopTime, SourceId, Span, TrackId, VisitId};
use crate::facts::{Body, Fact, Joint, JointKind, Joints, PeopleFrame, Person, PlateBatch, Stamp};
use crate::geometry::{Placement, Point};
use crate::ports::FactSource;
use crate::shop::{FacingDraft, PlateDraft, ProductDraft, ShelfDraft, Shop, ShopDraft};
use crate::truth::{Purchase, Truth};

const STRICT: Options = Options { tolerate: false };
const TOLERANT: Options = Options { tolerate: true };
const NEAR_SECS: i64 = 1_587_531_990;

/// The real trip, where the data folder is there.
fn benchmark() -> Option<PathBuf> {
    let data = std::env::var_os("AISLE_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let folder = data.join("autocheckout/BENCHMARK-1");
    let found = folder.is_dir();
    if !found {
        left_out("the real trip", &format!("nothing is at {}; set AISLE_DATA to the data folder", folder.display()));
    }
    found.then_some(folder)
}

/// Says that the test leaves something out, and notes it for `.ci/run`, as `tests/it/left_out.rs` does.
fn left_out(want: &str, how: &str) {
    eprintln!("left out for want of {want}: {how}");
    let Some(path) = std::env::var_os("AISLE_SKIPPED") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let line = format!("{}\t{want}\n", std::thread::current().name().unwrap_or("a test"));
    std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
}

fn all(source: &mut impl FactSource) -> Vec<Fact> {
    std::iter::from_fn(|| source.next_fact().unwrap()).collect()
}

#[test]
fn the_real_trip_is_read_as_it_was_recorded() {
    let Some(folder) = benchmark() else { return };
    let mut trip = AutoCheckout::open(&folder, STRICT).unwrap();
    assert_eq!(trip.truth().unwrap().receipts.len(), 1);
    assert_eq!(trip.shop().catalogue().products().len(), 361);
    assert_eq!(trip.shop().shelves().len(), 29);
    let turned = trip.shop().shelf(ShelfId::new(5, 2)).unwrap();
    assert!((turned.placement.turn_radians + FRAC_PI_2).abs() < 1e-4 && (turned.depth_metres - 0.7874).abs() < 1e-6);
    assert!((turned.plates[3].left_metres - 0.3048).abs() < 1e-4);
    assert_eq!(trip.shop().shelf(ShelfId::new(2, 2)).unwrap().plates.len(), 9, "plates 4 to 6 are live but unplanned");
    let facts = all(&mut trip);
    assert_eq!(facts.len(), 344 + 291);
    // The database gave a few messages the time of a neighbour; the order of the files is kept.
    let back = facts.windows(2).map(|pair| pair[0].stamp.arrived - pair[1].stamp.arrived).max().unwrap();
    assert!(back < Span::from_millis(100), "{back}");
    check_pick(&facts);
    let (read, length) = trip.progress();
    assert_eq!(read, length);
    let warnings = trip.warnings();
    assert!(warnings.iter().any(|warning| warning.contains("1-4-13")), "{warnings:#?}");
}

/// The pick of the trip: -623.0 g on plate 1-5-11 (and 3 g of drift since the start), the right wrist at the plate.
fn check_pick(facts: &[Fact]) {
    let plate = PlateId::new(1, 5, 11);
    let mut samples = Vec::new();
    for fact in facts {
        let Body::Plates(batch) = &fact.body else { continue };
        let Some(column) = batch.plates.iter().position(|id| *id == plate) else { continue };
        assert_eq!(batch.rows(), 12);
        assert!((batch.row_at(11) - fact.stamp.at).abs() < Span::from_nanos(100));
        samples.extend((0..12).map(|row| (batch.row_at(row), batch.grams[row * batch.plates.len() + column])));
    }
    let first = samples.first().unwrap().1;
    let last = samples.last().unwrap().1;
    assert!((last - first + 623.0).abs() < 5.0, "{first} {last}");
    let wrist_at = |fact: &Fact| match &fact.body {
        Body::People(frame) => frame.people.first()?.joints.right_wrist.map(|joint| joint.position),
        _ => None,
    };
    let near = facts.iter().filter_map(wrist_at).map(|wrist| wrist.distance(Point::new(1.14, 0.0, 1.3)));
    assert!(near.fold(f64::MAX, f64::min) < 0.25);
}

fn small_shop() -> Shop {
    let gtin = "071142008582".to_owned();
    let product = ProductDraft {
        sku: gtin.clone(),
        name: "water".to_owned(),
        gtin: Some(gtin.clone()),
        weight_grams: Some(621.67),
        price_minor: Some(149),
        ..ProductDraft::default()
    };
    let shelf = |gondola: u16, shelf: u16, turn_radians: f64, count: u16| ShelfDraft {
        id: ShelfId::new(gondola, shelf),
        placement: Placement { origin: Point::new(0.5, 0.25, 0.3 * f64::from(shelf)), turn_radians },
        depth_metres: 0.4064,
        clearance_metres: 0.25,
        plates: (1..=count).map(|plate| plate_draft(gondola, shelf, plate)).collect(),
        facings: vec![FacingDraft {
            sku: Some(gtin.clone()),
            plates: vec![PlateId::new(gondola, shelf, 1), PlateId::new(gondola, shelf, 2)],
            line: None,
        }],
        line: None,
    };
    let shelves = vec![shelf(1, 1, 0.0, 4), shelf(1, 2, 0.0, 4), shelf(5, 1, -FRAC_PI_2, 3)];
    Shop::check(ShopDraft { name: "s".to_owned(), products: vec![product], shelves, ..ShopDraft::default() }).unwrap()
}

fn plate_draft(gondola: u16, shelf: u16, plate: u16) -> PlateDraft {
    let left_metres = f64::from(plate - 1) * 0.1016;
    PlateDraft { id: PlateId::new(gondola, shelf, plate), left_metres, width_metres: 0.1016 }
}

fn facts(shop: &Shop, seed: u64) -> Vec<Fact> {
    let mut dice = dice(seed, "autocheckout");
    let mut facts = Vec::new();
    for step in 0..40_u64 {
        let at = ShopTime::from_nanos(NEAR_SECS * 1_000_000_000 + step as i64 * 50_123_000);
        let arrived = ShopTime::from_nanos(NEAR_SECS * 1_000_000_000 + step as i64 * 51_000_000);
        let gondola = [1, 5][dice.random_range(0..2)];
        let shelves = shop.shelves().iter().filter(|shelf| shelf.id.gondola == gondola);
        let plates: Vec<PlateId> = shelves.flat_map(|shelf| shelf.plates.iter().map(|plate| plate.id)).collect();
        let body = if dice.random_bool(0.5) {
            let rows = dice.random_range(1..13);
            let sample = |dice: &mut crate::base::rng::Dice| match dice.random_range(0..9) {
                0 => f32::NAN,
                1 => -0.0,
                _ => dice.random_range(-5e3..1e4),
            };
            let grams = (0..plates.len() * rows).map(|_| sample(&mut dice)).collect();
            let period = Span::from_nanos(16_666_667);
            let back = Span::from_nanos(period.as_nanos() * (rows as i64 - 1));
            Body::Plates(PlateBatch { first_at: at - back, period, plates, grams })
        } else {
            let people =
                (0..dice.random_range(0..3)).map(|number| person(number + (u64::MAX - 9), &mut dice)).collect();
            Body::People(PeopleFrame { people })
        };
        let source = match &body {
            Body::Plates(_) => format!("gondola/{gondola}"),
            _ => "people".to_owned(),
        };
        let sequence = facts.iter().filter(|fact: &&Fact| fact.stamp.source.as_str() == source).count() as u64;
        facts.push(Fact { stamp: Stamp { source: SourceId::new(&source), sequence, at, arrived }, body });
    }
    facts
}

fn person(track: u64, dice: &mut crate::base::rng::Dice) -> Person {
    let mut joints = Joints::default();
    for kind in JointKind::ALL {
        let mut coordinate = || dice.random_range(-3.0..3.0);
        let position = Point::new(coordinate(), coordinate(), coordinate());
        // Unseen wrists would be filled from the hands.
        if matches!(kind, JointKind::LeftWrist | JointKind::RightWrist) || dice.random_bool(0.8) {
            *joints.slot(kind) = Some(Joint { position, score: dice.random() });
        }
    }
    Person { track: TrackId::new(track), joints }
}

/// Facts as text with joints to the nanometre.
fn shown(facts: &[Fact]) -> Vec<String> {
    let rounded = |fact: &Fact| {
        let mut fact = fact.clone();
        if let Body::People(frame) = &mut fact.body {
            for person in &mut frame.people {
                for kind in JointKind::ALL {
                    if let Some(joint) = person.joints.slot(kind) {
                        let p = joint.position;
                        let nano = |metres: f64| (metres * 1e9).round() / 1e9;
                        joint.position = Point::new(nano(p.x), nano(p.y), nano(p.z));
                    }
                }
            }
        }
        format!("{fact:?}")
    };
    facts.iter().map(rounded).collect()
}

#[test]
fn what_is_written_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let shop = small_shop();
    let bought = Purchase { target_id: VisitId::from_first_track(TrackId::new(u64::MAX)), products: Vec::new() };
    let truth = Truth { case: "c".to_owned(), receipts: vec![bought], ..Truth::default() };
    for seed in 0..10 {
        let facts = facts(&shop, seed);
        write(folder.path(), &shop, facts.iter().cloned().map(Ok), Some(&truth)).unwrap();
        let mut back = AutoCheckout::open(folder.path(), STRICT).unwrap();
        let (read, written) = (shown(&all(&mut back)), shown(&facts));
        let differs = read.iter().zip(&written).find(|(read, written)| read != written);
        assert!(differs.is_none() && read.len() == written.len(), "seed {seed}: {differs:#?}");
        assert_eq!(back.truth(), Some(&truth));
        for shelf in shop.shelves() {
            let other = back.shop().shelf(shelf.id).unwrap();
            assert_eq!(other.plates.len(), shelf.plates.len());
            for plate in &shelf.plates {
                let twin = other.plate(plate.id).unwrap();
                assert!((twin.left_metres - plate.left_metres).abs() < 1e-4, "{}", plate.id);
                let facing =
                    |shelf: &crate::shop::Shelf| shelf.facing_of(plate.id).and_then(|facing| facing.sku.clone());
                assert_eq!(facing(other), facing(shelf), "{}", plate.id);
            }
        }
        assert_eq!(back.shop().catalogue(), shop.catalogue());
    }
}

/// A folder with the small shop and these streams.
fn folder_with(plates: &str, targets: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &small_shop(), [], None).unwrap();
    fs::write(folder.path().join("plate_data.json"), plates).unwrap();
    fs::write(folder.path().join("full_targets.json"), targets).unwrap();
    folder
}

fn plates(timestamp: &str, gondola: &str, shape: &str, numbers: usize) -> String {
    let bytes: Vec<u8> = (0..numbers).flat_map(|number| (number as f32).to_le_bytes()).collect();
    let data = STANDARD.encode(bytes);
    format!(
        r#"{{"_id":{{"$oid":"1"}},"timestamp":{timestamp},"document":{{"plate_data":{{"plate_id":{{"shelf_id":{{"gondola_id":{{"id":{gondola}}}}}}},"values":{{"shape":{shape},"data":"{data}"}}}}}}}}"#
    )
}

fn target(id: &str, joints: &str) -> String {
    format!(r#"{{"_id":1,"timestamp":{NEAR_SECS}.5,"document":{{"targets":{{"targets":[{{{id}{joints}}}]}}}}}}"#)
}

fn outcome(folder: &Path, options: Options) -> (Vec<Fact>, Vec<String>, Vec<String>) {
    let mut trip = AutoCheckout::open(folder, options).unwrap();
    let (mut facts, mut errors) = (Vec::new(), Vec::new());
    loop {
        match trip.next_fact() {
            Ok(Some(fact)) => facts.push(fact),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Input);
                errors.push(error.to_string().replace(&folder.display().to_string(), ""));
            }
        }
    }
    (facts, errors, trip.warnings())
}

#[test]
fn every_way_to_write_a_time_is_read() {
    let secs = NEAR_SECS;
    for text in [
        format!("{secs}.25"),
        format!("{{\"$numberDouble\":\"{secs}.25\"}}"),
        format!("{{\"$date\":{{\"$numberLong\":\"{secs}250\"}}}}"),
        format!("{{\"$date\":{secs}250}}"),
        "{\"$date\":\"2020-04-22T05:06:30.25Z\"}".to_owned(),
        "\"2020-04-22T05:06:30.250+00:00\"".to_owned(),
    ] {
        let folder = folder_with(&plates(&text, "{\"$numberInt\":\"1\"}", "[2,3,5]", 30), "");
        let (facts, errors, _) = outcome(folder.path(), STRICT);
        assert!(errors.is_empty(), "{text}: {errors:?}");
        assert_eq!(facts[0].stamp.at, ShopTime::from_nanos(secs * 1_000_000_000 + 250_000_000), "{text}");
    }
}

#[test]
fn documents_need_no_line_breaks_and_may_stand_in_an_array() {
    let one = plates("1.5e9", "1", "[2,3,5]", 30);
    for text in [format!("{one}{one}"), format!("[{one},\n{one}]"), format!("\u{feff}{one}\r\n\r\n{one}\n")] {
        let folder = folder_with(&text, "");
        assert_eq!(outcome(folder.path(), STRICT).0.len(), 2, "{text}");
    }
}

#[test]
fn broken_documents_are_named_and_left_out() {
    let good = plates("1.5e9", "1", "[2,3,5]", 30);
    let cut = &good[..good.len() / 2];
    let cases = [
        (plates("1.5e9", "1", "[2,3,5]", 29), "document 2: its data hold 29 numbers, its shape 2 x 3 x 5 means 30"),
        (plates("1.5e9", "1", "[2,3]", 6), "document 2: its shape is [2.0, 3.0]"),
        (plates("1.5e9", "0", "[2,3,5]", 30), "document 2: it does not say which gondola it is of"),
        (plates("null", "1", "[2,3,5]", 30), "document 2: it has neither timestamp nor date_time"),
        (plates("true", "1", "[2,3,5]", 30), "document 2: invalid type: boolean `true`"),
        (cut.to_owned(), "document 2: "),
        ("{\"_id\":1,".to_owned(), "document 2: it lacks its end; the next line begins another document"),
        ("hello".to_owned(), "document 2: a JSON object begins with `{`, and here stands `h`"),
    ];
    for (bad, sentence) in cases {
        let folder = folder_with(&format!("{good}\n{bad}\n{good}\n"), "");
        let (facts, errors, _) = outcome(folder.path(), STRICT);
        let place = format!("/plate_data.json:2 at byte {}: {sentence}", good.len() + 1);
        assert!(errors.len() == 1 && errors[0].starts_with(&place), "{place}\n{errors:?}");
        assert_eq!(facts.len(), 2, "{sentence}");
        let (facts, errors, warnings) = outcome(folder.path(), TOLERANT);
        assert!(facts.len() == 2 && errors.is_empty(), "{errors:?}");
        assert!(warnings.iter().filter(|warning| warning.contains(sentence)).count() == 1, "{warnings:?}");
    }
}

#[test]
fn a_file_that_breaks_off_is_read_up_to_there() {
    let one = plates("1.5e9", "1", "[2,3,5]", 30);
    let text = format!("{one}\n{one}\n{one}\n");
    for length in 0..text.len() {
        let folder = folder_with(&text[..length], "");
        let (facts, errors, _) = outcome(folder.path(), STRICT);
        let whole = length.div_ceil(one.len() + 1).saturating_sub(1).max((length + 1) / (one.len() + 1));
        assert_eq!(facts.len(), whole, "{length}");
        let between = (length + 1) % (one.len() + 1) <= 1;
        assert_eq!(errors.len(), usize::from(!between), "{length}: {errors:?}");
    }
}

#[test]
fn targets_may_be_missing_in_every_way() {
    for text in
        [r#""document":{}"#, r#""document":{"targets":{}}"#, r#""document":{"targets":{"targets":[]}}"#, r#""id":0"#]
    {
        let folder = folder_with("", &format!(r#"{{"timestamp":1.5e9,{text}}}"#));
        let (facts, errors, _) = outcome(folder.path(), STRICT);
        assert!(errors.is_empty(), "{text}: {errors:?}");
        assert_eq!(facts[0].body, Body::People(PeopleFrame::default()), "{text}");
    }
    for (id, sentence) in [
        ("", "a target has no target_id"),
        (r#""target_id":{}"#, "a target has no target_id"),
        (r#""target_id":{"id":"a b"}"#, "a target_id: `a b` is not a track"),
        (r#""target_id":{"id":1.5}"#, "a number that is not whole"),
    ] {
        let folder = folder_with("", &target(id, ""));
        let (_, errors, _) = outcome(folder.path(), STRICT);
        assert!(errors[0].contains(sentence), "{errors:?}");
    }
}

#[test]
fn joints_are_metres_and_hands_fill_in_for_wrists() {
    let joints = r#","neck":{"point":{"x":100},"score":0.5},"head":{"point":{}},"l_elbow":{"point":{"x":10,"y":0,"z":40}},"r_elbow":{"point":{"x":-10,"y":0,"z":40}},"hands":[{"point":{"x":-12,"z":45}},{"point":{"x":12,"z":45},"score":0.9}]"#;
    let folder = folder_with("", &target(r#""target_id":{"id":18446744073709551615}"#, joints));
    let (facts, errors, _) = outcome(folder.path(), STRICT);
    assert!(errors.is_empty(), "{errors:?}");
    let Body::People(frame) = &facts[0].body else { panic!() };
    let person = &frame.people[0];
    assert_eq!(person.track, TrackId::new(u64::MAX));
    assert_eq!(person.joints.neck.unwrap().position, Point::new(2.54, 0.0, 0.0));
    assert_eq!(person.joints.head, None);
    assert!(0.3 < person.joints.left_wrist.unwrap().position.x);
    assert!(person.joints.right_wrist.unwrap().position.x < -0.3);
}

#[test]
fn an_unconnected_input_says_nothing() {
    let numbers = [f32::NAN, f32::NAN, f32::NAN, 6067.416, 1.5, f32::INFINITY];
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let text =
        plates("1.5e9", "1", "[1,2,3]", 0).replace(r#""data":"""#, &format!(r#""data":"{}""#, STANDARD.encode(bytes)));
    let folder = folder_with(&text, "");
    let (facts, ..) = outcome(folder.path(), STRICT);
    let Body::Plates(batch) = &facts[0].body else { panic!() };
    assert_eq!(format!("{:?}", batch.grams), "[1.5, NaN]");
}

#[test]
fn a_shop_with_oddities_is_read_with_warnings() {
    let folder = folder_with("", "");
    let mut products = fs::File::options().append(true).open(folder.path().join("products.json")).unwrap();
    for line in [
        r#"{"product_id":{"id":"071142008582"},"metadata":{"name":"other","weight":1}}"#,
        r#"{"product_id":{"id":"07811102"},"metadata":{"name":"upc-e","weight":{"$numberDouble":"10.5"},"price":1.1}}"#,
        r#"{"product_id":{"id":"111111111111"},"metadata":{"name":"wrong digit","weight":-4}}"#,
        r#"{"product_id":{"id":44},"metadata":{}}"#,
        r#"{"metadata":{"name":"no id"}}"#,
    ] {
        writeln!(products, "{line}").unwrap();
    }
    let (shop, warnings) = super::read_shop(folder.path(), STRICT).unwrap();
    let sentences =
        ["stands on line 1 already", "111111111111 weighs -4 g", "check digit 1 where 7", "without product_id"];
    for sentence in sentences {
        assert!(warnings.iter().any(|warning| warning.contains(sentence)), "{sentence}: {warnings:#?}");
    }
    let get = |sku: &str| shop.catalogue().get(&crate::base::SkuId::new(sku)).unwrap().clone();
    assert_eq!(get("071142008582").name, "water");
    assert_eq!(get("07811102").gtin.unwrap().to_string(), "00078000001112");
    assert_eq!(get("07811102").price.unwrap().minor, 110);
    assert_eq!((get("111111111111").weight, get("44").name.as_str()), (None, "44"));
}

#[test]
fn conflicting_and_missing_facings_are_named() {
    let folder = folder_with("", "");
    let path = folder.path().join("planogram.json");
    let facing = |id: &str, plate: u16| {
        format!(
            r#"{{"plate_ids":[{{"shelf_id":{{"gondola_id":{{"id":1}},"shelf_index":1}},"plate_index":{plate}}}],"planogram_product_id":{id},"global_coordinates":{{"dim_x":0.1016}}}}"#
        )
    };
    let old = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{old}{}\n{}\n", facing(r#"{"id":"9"}"#, 1), facing("{}", 2))).unwrap();
    let error = super::read_shop(folder.path(), STRICT).unwrap_err().to_string();
    assert!(error.contains("product 9 is put on plates that line 1 gives to product 071142008582"), "{error}");
    let (shop, warnings) = super::read_shop(folder.path(), TOLERANT).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("product 9 is put on plates")), "{warnings:#?}");
    assert!(shop.shelf(ShelfId::new(1, 1)).unwrap().facing_of(PlateId::new(1, 1, 2)).unwrap().sku.is_some());
    fs::write(&path, "").unwrap();
    assert!(super::read_shop(folder.path(), TOLERANT).unwrap_err().to_string().contains("it has no facings"));
}

#[test]
fn missing_files_are_named() {
    let folder = folder_with("", "");
    let gone = |name: &str| {
        fs::remove_file(folder.path().join(name)).unwrap();
        AutoCheckout::open(folder.path(), STRICT).err().unwrap().to_string()
    };
    assert!(gone("full_targets.json").contains("full_targets.json: cannot open"));
    assert!(AutoCheckout::open(folder.path(), TOLERANT).unwrap().warnings()[0].contains("full_targets.json"));
    assert!(gone("products.json").contains("products.json: cannot open"));
    assert!(gone("plate_data.json").contains("neither plate_data.json nor full_targets.json"));
}

#[test]
fn what_lies_in_the_place_of_truth_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.json");
    let shop = Shop::check(crate::shop::ShopDraft::default()).unwrap();
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        super::read_truth(&path, &shop)
    };
    let cases = [
        ("{\"user\": \"a@b.org\", \"receipts\": []}", "a submission, what somebody said (it has `user`)"),
        ("[{\"target_id\": \"1\", \"products\": []}]", "a list, not the truth"),
        ("{\"products\": []}", "no list of `receipts`"),
        ("{\"receipts\": [],\n \"score\": NaN}", "it holds NaN, which is no number in JSON, at line 2 column 11"),
    ];
    for (text, expected) in cases {
        let error = read(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), Kind::Input, "{text}");
    }
    assert_eq!(read("{\"testcase\": \"one\", \"receipts\": []}").unwrap().unwrap().case, "one");
}

#[test]
fn targets_of_the_truth_are_read_as_those_of_the_targets_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.json");
    let shop = Shop::check(crate::shop::ShopDraft::default()).unwrap();
    let read = |id: &str| {
        fs::write(&path, format!("{{\"receipts\": [{{\"target_id\": {id}, \"products\": []}}]}}")).unwrap();
        super::read_truth(&path, &shop).map(|truth| truth.unwrap().receipts[0].target_id.to_string())
    };
    for (id, name) in [
        ("\"3325379692103139202\"", "3325379692103139202"),
        ("3325379692103139202", "3325379692103139202"),
        ("18446744073709551615", "18446744073709551615"),
        (r#"{"$numberLong":"-7"}"#, "-7"),
    ] {
        assert_eq!(read(id).unwrap(), name, "{id}");
    }
    for (id, reason) in [("1.5", "not whole"), ("null", "null"), ("[1]", "sequence")] {
        let error = read(id).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("the truth cannot be read"), "{id}: {error}");
    }
}

#[test]
fn codes_that_lost_their_leading_zeros_are_told_and_not_joined() {
    let told = |list: &str, lines: &[&str]| {
        let folder = folder_with("", "");
        let path = folder.path().join("products.json");
        let others: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        let kept = others.iter().filter(|line| !line.contains("071142008582")).map(String::as_str);
        let all: Vec<&str> = kept.chain(lines.iter().copied()).collect();
        fs::write(&path, all.join("\n")).unwrap();
        let trip = AutoCheckout::open(folder.path(), STRICT).unwrap();
        let water = trip.shop().catalogue().get(&crate::base::SkuId::new("071142008582"));
        assert!(water.is_some_and(|water| water.weight.is_none()), "{list}");
        trip.warnings().join("\n")
    };
    let line = |code: &str| format!(r#"{{"product_id":{{"id":"{code}"}},"metadata":{{"name":"water","weight":3}}}}"#);
    let one = told("one", &[&line("71142008582")]);
    assert!(one.contains("; 71142008582 does, and 71142008582 has probably lost its leading zeros"), "{one}");
    let other = told("another", &[&line("71142008583")]);
    assert!(other.contains("its weight is unknown") && !other.contains("leading zeros"), "{other}");
}

#[test]
fn ids_of_trackers_go_out_as_they_came_in() {
    let row = |id: &str| {
        format!(r#"{{"timestamp":{NEAR_SECS},"document":{{"targets":{{"targets":[{{"target_id":{{"id":{id}}}}}]}}}}}}"#)
    };
    let track = |id: &str| {
        let folder = folder_with("", &row(id));
        let mut trip = AutoCheckout::open(folder.path(), STRICT).unwrap();
        trip.next_fact().map(|fact| match fact.unwrap().body {
            Body::People(frame) => frame.people[0].track.to_string(),
            other => panic!("{other:?}"),
        })
    };
    for (id, name) in [
        ("\"-4400000000000000001\"", "-4400000000000000001"),
        ("-4400000000000000001", "-4400000000000000001"),
        (r#"{"$numberLong":"-9223372036854775808"}"#, "-9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("\"9223372036854775808\"", "9223372036854775808"),
        ("0", "0"),
        ("\"+7\"", "+7"),
        ("\"007\"", "007"),
        ("\"18446744073709551616\"", "18446744073709551616"),
        ("\"person-7\"", "person-7"),
    ] {
        assert_eq!(track(id).unwrap(), name, "{id}");
    }
    for (id, reason) in [
        ("18446744073709551616", "more than 64 bits"),
        ("1.5", "not whole"),
        ("\"two words\"", "without spaces"),
        ("\"a\\u001bb\"", "`a\u{fffd}b` is not a track"),
    ] {
        let error = track(id).unwrap_err().to_string();
        assert!(error.contains(reason), "{id}: {error}");
    }
    assert_ne!(track("-1").unwrap(), track("18446744073709551615").unwrap());
}

#[test]
fn types_of_barcodes_are_believed_and_a_product_is_one() {
    let folder = folder_with("", "");
    let mut products = fs::File::options().append(true).open(folder.path().join("products.json")).unwrap();
    for line in [
        r#"{"product_id":{"barcode_type":"UPC","id":"01234565"},"metadata":{"name":"upc-e"}}"#,
        r#"{"product_id":{"barcode_type":"EAN8","id":"12345670"},"metadata":{"name":"gtin-8"}}"#,
        r#"{"product_id":{"id":"01234589"},"metadata":{"name":"either"}}"#,
        r#"{"product_id":{"barcode_type":"EAN","id":"2000000000015"},"metadata":{"name":"inner"}}"#,
        r#"{"product_id":{"barcode_type":"EAN","id":"0071142008582"},"metadata":{"name":"water","weight":3}}"#,
    ] {
        writeln!(products, "{line}").unwrap();
    }
    fs::write(
        folder.path().join("truth.json"),
        r#"{"receipts":[{"target_id":"-7","products":[{"barcode":"00071142008582","quantity":1}]}]}"#,
    )
    .unwrap();
    let trip = AutoCheckout::open(folder.path(), STRICT).unwrap();
    let gtin = |sku: &str| {
        let product = trip.shop().catalogue().get(&crate::base::SkuId::new(sku));
        product.unwrap_or_else(|| panic!("no {sku}")).gtin.map(|gtin| gtin.to_string())
    };
    assert_eq!(gtin("01234565").as_deref(), Some("00012345000065"));
    assert_eq!(gtin("12345670").as_deref(), Some("00000012345670"));
    assert_eq!((gtin("2000000000015"), gtin("01234589")), (None, None));
    assert!(trip.shop().catalogue().get(&crate::base::SkuId::new("0071142008582")).is_none());
    let bought = &trip.truth().unwrap().receipts[0];
    assert_eq!((bought.target_id.to_string().as_str(), bought.products[0].barcode.as_str()), ("-7", "071142008582"));
    let warnings = trip.warnings().join("\n");
    for sentence in [
        "`01234589` may be the UPC-E of 00012345000089 or",
        "0071142008582 stands on line 1 already",
        "GS1 keeps the prefix 20 to 29",
    ] {
        assert!(warnings.contains(sentence), "{sentence}: {warnings}");
    }
    // Written and read again they are the same products.
    let again = tempfile::tempdir().unwrap();
    write(again.path(), trip.shop(), [], None).unwrap();
    let (shop, _) = super::read_shop(again.path(), STRICT).unwrap();
    let gtins = |shop: &Shop| shop.catalogue().products().iter().map(|product| product.gtin).collect::<Vec<_>>();
    assert_eq!(gtins(&shop), gtins(trip.shop()));
}

#[test]
fn names_of_folders_that_steer_a_terminal_are_problems() {
    let folder = folder_with("", "");
    let mut products = fs::File::options().append(true).open(folder.path().join("products.json")).unwrap();
    writeln!(products, r#"{{"product_id":{{"id":"44"}},"metadata":{{"name":"a\u001b[2J\nFAKE"}}}}"#).unwrap();
    let error = super::read_shop(folder.path(), STRICT).unwrap_err().to_string();
    assert!(error.contains("catalogue product 44: name has control characters"), "{error}");
    let (shop, warnings) = super::read_shop(folder.path(), TOLERANT).unwrap();
    let name = &shop.catalogue().get(&crate::base::SkuId::new("44")).unwrap().name;
    assert_eq!(name, "a\u{fffd}[2J FAKE");
    assert!(warnings.iter().any(|warning| warning.contains("control characters")), "{warnings:#?}");
}
