//! What a page draws: the floor, curves of plates, what cameras saw, today, delays.

use std::sync::Arc;

use aisle::api::Role;
use aisle::base::{Grams, PlateId, Span, StageReport, TimeRange, TrackId, VisitId};
use aisle::facts::{
    BodyPoint, Detection, DetectionClass, EntryRole, Keypoint, Level, OpenVisit, PlateBatch, SeenFrame, ShelfEvent,
    Staircase, Stamp,
};
use aisle::geometry::{CameraPose, Lens, PixelBox, Point};
use aisle::ports::{LiveBoard, LiveChange, PlateBoard, ReportBoard, SeenBoard};
use aisle::shop::{CameraDraft, RoomDraft, Shop, ShopDraft};
use aisle::sim::{demo_draft, demo_shop};
use aisle::till::{Payer, Providers};
use serde_json::{Value, json};

use super::{NOON, World, request};

/// The demonstration shop with walls and a camera that looks across it from a corner.
fn shop() -> Shop {
    let lens = Lens { focal_pixels: [400.0; 2], centre_pixels: [320.0, 240.0], distortion: [0.0; 5] };
    let pose = CameraPose::look_at(Point::new(-0.5, -3.5, 2.5), Point::new(2.5, -0.5, 0.8), 0.0);
    let camera =
        CameraDraft { name: "left".to_owned(), size_pixels: [640, 480], rate_hertz: 15.0, lens, pose, line: None };
    let polygon = vec![[-8.0, -8.0], [8.0, -8.0], [8.0, 8.0], [-8.0, 8.0]];
    let room = RoomDraft { polygon, height_metres: 3.0, line: None };
    Shop::check(ShopDraft { cameras: vec![camera], room: Some(room), ..demo_draft() }).unwrap()
}

#[test]
fn the_floor_is_that_of_the_shop_and_is_given_once() {
    let shop = shop();
    let world = World::of(shop.clone(), &mut Providers::new(), |api, _| api);
    let answer = world.ask(Role::Screen, "GET", "/v1/floor", None);
    let tag = answer.header("ETag").to_owned();
    assert_eq!(answer.header("Cache-Control"), "no-cache");
    let floor = answer.expect(200);
    assert_eq!((floor["shop"].as_str(), floor["currency"].as_str()), (Some(shop.name()), Some("USD")));
    assert_eq!(floor["timezone"], "UTC");
    let count = |list: &str| floor[list].as_array().unwrap().len();
    assert_eq!(
        ["zones", "shelves", "cameras", "products"].map(count),
        [shop.zones().len(), shop.shelves().len(), shop.cameras().len(), shop.catalogue().products().len()]
    );
    let shelf = &shop.shelves()[0];
    let (told, plate) = (&floor["shelves"][0], &floor["shelves"][0]["plates"][0]);
    assert_eq!((&told["shelf"], &plate["plate"]), (&json!(shelf.id), &json!(shelf.plates[0].id)));
    assert_eq!(plate["products"], json!(shelf.facing_of(shelf.plates[0].id).unwrap().sku.iter().collect::<Vec<_>>()));
    let width = |corners: &Value| {
        let [a, b] = [0, 1].map(|corner| [0, 1].map(|axis| corners[corner][axis].as_f64().unwrap()));
        (a[0] - b[0]).hypot(a[1] - b[1])
    };
    assert!((width(&plate["outline"]) - shelf.plates[0].width_metres).abs() < 0.003, "{plate}");
    let (left, right) = shelf.extent_metres();
    assert!((width(&told["outline"]) - (right - left)).abs() < 0.003, "{told}");
    assert_eq!(floor["room"], json!([[-8.0, -8.0], [8.0, -8.0], [8.0, 8.0], [-8.0, 8.0]]));
    let camera = &floor["cameras"][0];
    assert_eq!(
        (&camera["name"], &camera["place"], &camera["height"]),
        (&json!("left"), &json!([-0.5, -3.5]), &json!(2.5))
    );
    let sees: Vec<[f64; 2]> = serde_json::from_value(camera["sees"].clone()).unwrap();
    assert!(
        10 < sees.len() && sees.iter().all(|[x, y]| (-8.0..=8.0).contains(x) && (-8.0..=8.0).contains(y)),
        "{sees:?}"
    );
    let again = world.ask_with(Role::Operator, "GET", "/v1/floor", None, &[("If-None-Match", &tag)]);
    assert_eq!((again.status.as_u16(), again.body.len(), again.header("ETag")), (304, 0, tag.as_str()));
    world.ask(Role::Reviewer, "GET", "/v1/floor", None).expect(403);
}

fn plate() -> PlateId {
    demo_shop().shelves()[0].plates[0].id
}

#[test]
fn a_plate_has_its_samples_and_rests_of_two_minutes() {
    let board = PlateBoard::default();
    board.open([plate()]);
    let period = Span::from_nanos(100_000_000);
    let first_at = NOON - Span::from_millis(10_000);
    board.weigh(&PlateBatch {
        first_at,
        period,
        plates: vec![plate()],
        grams: [vec![900.0; 50], vec![550.5; 51]].concat(),
    });
    let level = |from: i64, until: i64, grams: f64| Level {
        quiet: TimeRange::new(NOON - Span::from_millis(from), NOON - Span::from_millis(until)),
        grams: Grams::new(grams),
        sigma: Grams::new(1.0),
    };
    let levels = vec![level(10_000, 6_000, 0.0), level(5_000, 4_000, -350.0)];
    let span = TimeRange::new(levels[0].quiet.end, levels[1].quiet.start);
    board.change(&ShelfEvent { shelf: plate().shelf, span, plates: vec![Staircase { plate: plate(), levels }] });
    board.settle(|_| Some(551.0));
    let world = World::with(|api, _| api.with_plates(board));
    let curve = world.get(Role::Screen, &format!("/v1/plates/{}/curve", plate()));
    assert_eq!((&curve["plate"], &curve["now"]), (&json!(plate()), &json!(NOON.rfc3339(3))));
    let samples = curve["samples"].as_array().unwrap();
    assert_eq!((samples.len(), &samples[0], &samples[100]), (101, &json!([10.0, 900.0]), &json!([0.0, 550.5])));
    let levels = json!([{ "from": 10.0, "until": 6.0, "grams": 901.0 }, { "from": 5.0, "until": 0.0, "grams": 551.0 }]);
    assert_eq!(curve["levels"], levels);
    for other in ["9-9-9", "shelf", "%2F", "1-1"] {
        world.ask(Role::Screen, "GET", &format!("/v1/plates/{other}/curve"), None).expect(404);
    }
    let alone = World::new();
    let problem = alone.ask(Role::Screen, "GET", &format!("/v1/plates/{}/curve", plate()), None).expect(404);
    assert!(problem["detail"].as_str().unwrap().contains("no shop is open"), "{problem}");
}

#[test]
fn what_a_camera_saw_is_told_in_pixels_of_its_picture() {
    let board = SeenBoard::default();
    let world = World::of(shop(), &mut Providers::new(), |api, _| api.with_seen(board.clone()));
    let camera = shop().cameras()[0].clone();
    let path = format!("/v1/cameras/{}/seen", camera.id);
    let none = world.ask(Role::Screen, "GET", &path, None).expect(503);
    assert!(none["detail"].as_str().unwrap().contains("was looked at yet"), "{none}");
    let joint = Keypoint { pixel: Point::new(15.0, 12.5, 0.0), score: 0.75 };
    let person = Detection {
        class: DetectionClass::Person,
        bounds: PixelBox { left: 10.0, top: 5.0, right: 30.0, bottom: 65.0 },
        score: 0.8,
        keypoints: vec![joint; BodyPoint::COUNT],
        embedding: vec![0.5; 8],
        held: None,
    };
    let source = aisle::base::SourceId::new("sight/one");
    let stamp = Stamp { source, sequence: 1, at: NOON - Span::from_millis(90), arrived: NOON - Span::from_millis(50) };
    let seen = SeenFrame { camera: camera.id.clone(), size_pixels: camera.size_pixels, detections: vec![person] };
    board.look(&stamp, &seen);
    let told = world.get(Role::Screen, &path);
    assert_eq!((&told["at"], &told["size"]), (&json!("2025-06-15T15:06:39.950Z"), &json!(camera.size_pixels)));
    let person = &told["people"][0];
    assert_eq!((&person["visit"], &person["box"]), (&json!(null), &json!([10.0, 5.0, 20.0, 60.0])));
    assert_eq!(person["joints"], json!(vec![[15.0, 12.5, 0.75]; 17]));
    world.ask(Role::Screen, "GET", "/v1/cameras/nowhere/seen", None).expect(404);
    World::new().ask(Role::Operator, "GET", &path, None).expect(404);
}

#[test]
fn today_is_what_the_book_and_the_shop_know_since_midnight() {
    let board = LiveBoard::default();
    let world = World::with(|api, _| api.with_live(board.clone()));
    let today = || world.get(Role::Screen, "/v1/today");
    let none = today();
    assert_eq!((&none["since"], &none["visits"]), (&json!("2025-06-15T00:00:00.000Z"), &json!(0)));
    assert_eq!(none["sales"], json!({ "minor": 0, "currency": "USD", "exponent": 2 }));
    let cart = world.enter("1");
    let sold = world.receipt("1", [2, 1], 1.0);
    world.close(&sold, Vec::new(), Payer::Cart(cart));
    world.close(&world.receipt("2", [1, 0], 0.1), Vec::new(), Payer::Unknown);
    let visit = OpenVisit {
        visit: VisitId::from_first_track(TrackId::new(7)),
        entered: NOON,
        seen: NOON,
        place: None,
        lines: Vec::new(),
        probability: aisle::base::Prob::ONE,
        interrupted: false,
    };
    board.publish(LiveChange::Carts { at: NOON, visits: vec![visit] });
    let soon = today();
    assert_eq!((&soon["receipts"], &soon["shoppers_inside"]), (&json!(0), &json!(1)), "the book was asked just now");
    world.clock.on(Span::from_millis(5_000));
    let now = today();
    let count = |what: &str| now[what].as_u64().unwrap();
    assert_eq!(["shoppers_inside", "visits", "receipts", "for_review", "units"].map(count), [1, 3, 2, 1, 3]);
    assert_eq!(now["sales"]["minor"], json!(sold.total.unwrap().minor), "{now}");
    // All of it was in this hour, which is the last that is told of.
    let hours = now["hours"].as_array().unwrap();
    let (hour, before) = hours.split_last().unwrap();
    for what in ["receipts", "for_review", "units", "sales"] {
        assert_eq!(hour[what], now[what], "{what}");
    }
    assert_eq!((hours.len(), &hour["since"]), (16, &json!("2025-06-15T15:00:00.000Z")), "three in the afternoon");
    assert!(before.iter().all(|hour| hour["receipts"] == 0 && hour["sales"]["minor"] == 0), "{now}");
    // The next day is another one.
    world.clock.on(Span::from_millis(86_400_000));
    let next = today();
    assert_eq!((&next["since"], &next["receipts"]), (&json!("2025-06-16T00:00:00.000Z"), &json!(0)));
    world.ask(Role::Reviewer, "GET", "/v1/today", None).expect(403);
}

#[test]
fn without_an_engine_who_has_an_open_cart_is_inside_and_who_works_here_buys_nothing() {
    let world = World::new();
    world.enter("1");
    let grant = json!({ "role": "restock", "holder": "Eva" });
    let made = world.ask(Role::Operator, "POST", "/v1/tokens", Some(grant)).expect(201);
    let entry = json!({ "gate_token": made["secret"], "gate": "front" });
    let entry = world.ask_with(Role::Gate, "POST", "/v1/entries", Some(entry), &[("Idempotency-Key", "2")]).expect(200);
    assert_eq!(entry["role"], json!(EntryRole::Restock));
    assert_eq!(world.get(Role::Screen, "/v1/today")["shoppers_inside"], 2);
    let cart = entry["cart"].as_str().unwrap().parse().unwrap();
    world.close(&world.receipt("1", [2, 1], 1.0), Vec::new(), Payer::Cart(cart));
    world.clock.on(Span::from_millis(5_000));
    let now = world.get(Role::Screen, "/v1/today");
    assert_eq!((&now["shoppers_inside"], &now["receipts"], &now["units"]), (&json!(1), &json!(1), &json!(0)));
}

#[test]
fn delays_are_told_as_far_as_they_are_known() {
    let none = World::new().get(Role::Screen, "/v1/delays");
    assert_eq!(none, json!({ "stages": [], "view": { "behind_secs": null }, "queues": [] }));
    let (board, reports) = (LiveBoard::default(), ReportBoard::default());
    let report = StageReport::new(aisle::base::Stage::Fusion, 5, 3).holding(2, Span::from_millis(1_500));
    reports.show(vec![report]);
    board.publish(LiveChange::People { at: NOON - Span::from_millis(250), people: Vec::new() });
    let world = World::with(|api, _| {
        api.with_live(board).with_board(reports).with_queues(Arc::new(|| vec![("intake", 3, 4_096)]))
    });
    let told = world.get(Role::Screen, "/v1/delays");
    assert_eq!(told["stages"], json!([{ "stage": "fusion", "waiting": 2, "delay_secs": 1.5 }]));
    assert_eq!((&told["view"]["behind_secs"], &told["queues"][0]["holds"]), (&json!(0.25), &json!(3)));
    let refused = world.send(request("GET", "/v1/delays", None, None, &[]));
    assert_eq!(refused.status.as_u16(), 401);
}

#[test]
fn the_page_and_its_files_are_given_to_whoever_asks_and_may_do_no_more_than_it_needs() {
    let world = World::new();
    let get = |path: &str, headers: &[(&str, &str)]| world.send(request("GET", path, None, None, headers));
    let page = get("/", &[]);
    assert_eq!((page.status.as_u16(), page.header("Content-Type")), (200, "text/html; charset=utf-8"));
    let text = page.text();
    let files: Vec<&str> = text.split("\"assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(files.contains(&"app.js") && files.contains(&"style.css"), "{files:?}");
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/review.js", "text/javascript; charset=utf-8"),
        ("/assets/style.css", "text/css; charset=utf-8"),
    ] {
        let given = get(path, &[]);
        assert_eq!((given.status.as_u16(), given.header("Content-Type")), (200, kind), "{path}");
        assert_eq!(given.header("Content-Security-Policy"), policy, "{path}");
        assert_eq!((given.header("Referrer-Policy"), given.header("Cache-Control")), ("no-referrer", "no-cache"));
        let tag = given.header("ETag");
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}")] {
            let again = get(path, &[("If-None-Match", &known)]);
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path} {known}");
        }
        assert_eq!(get(path, &[("If-None-Match", "\"other\"")]).body, given.body, "{path}");
    }
    for none in ["index.html", "app", "APP.JS", "..%2Fmod.rs", "%2e%2e", "review.html", "%00"] {
        assert_eq!(get(&format!("/assets/{none}"), &[]).status.as_u16(), 404, "{none}");
    }
}

#[test]
fn what_the_desk_asks_for_is_what_a_reviewer_may() {
    let world = World::new();
    world.close(&world.receipt("2", [1, 0], 0.1), Vec::new(), Payer::Unknown);
    let script = world.send(request("GET", "/assets/review.js", None, None, &[])).text();
    for path in ["v1/cases", "v1/products"] {
        assert!(script.contains(path), "the desk does not ask for {path}");
        let found = world.get(Role::Reviewer, &format!("/{path}?limit=200"));
        assert!(!found["items"].as_array().unwrap().is_empty(), "{path}");
    }
}
