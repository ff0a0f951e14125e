//! Pictures of changes from the camera to whoever decides a case: rendered frames, the networks inside the program, the shop as it
//! is open, its API, and the end of their time.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aisle::album::Album;
use aisle::api::{Api, Grant, Role, create_token};
use aisle::base::{SecretPlace, ShopTime, SourceId, Span};
use aisle::config::load_shop;
use aisle::db;
use aisle::facts::{Body, Cut, Fact, Stamp, Tick};
use aisle::image::decode_picture;
use aisle::ingest::devices::{Devices, FaceRule, PictureRule};
use aisle::live::{OpenShop, Opening, Payers, RecordLimits, Surroundings, walk_in_method};
use aisle::models::{Chosen, Library, Loading, Purpose, Wanted};
use aisle::pipeline::{Eyes, EyesOptions};
use aisle::ports::{
    Clock, Delivery, GateDesk, HealthBoard, HealthWord, Kept, KeptPictures, LiveBoard, PlateBoard, ReportBoard,
    SeenBoard,
};
use aisle::shop::Shop;
use aisle::sim::{Film, FilmOptions, Level, Options, Scenario, Shown, with_frames};
use aisle::till::{Providers, Settler, Till, lock};
use aisle::vision::{LoadOptions, Provider};
use axum::Router;
use axum::http::{Request, StatusCode};
use crossbeam_channel::bounded;
use serde_json::Value;
use tower::ServiceExt;

use super::open::{booked, replayed};

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
const DAY: Span = Span::from_millis(86_400_000);

/// A clock that is as late as its test says.
struct Told(Mutex<ShopTime>);

impl Clock for Told {
    fn now(&self) -> ShopTime {
        *self.0.lock().unwrap()
    }
}

impl Told {
    fn is(&self, now: ShopTime) {
        *self.0.lock().unwrap() = now;
    }
}

/// The micro-market with cameras that are looked at by the networks inside the program.
struct Bench {
    open: Option<OpenShop>,
    clock: Arc<Told>,
    around: Surroundings,
    album: Arc<Album>,
    settler: Settler,
}

fn rule(folder: &Path) -> PictureRule {
    PictureRule {
        key: SecretPlace::File(folder.join("key")),
        before: Span::from_millis(2_000),
        after: Span::from_millis(1_500),
        frames_max: 6,
        cameras_max: 2,
        kept: DAY * 3,
        disk_bytes: 1 << 30,
        faces: FaceRule::Takers,
    }
}

fn eyes(shop: &Shop) -> Eyes {
    let library = Library::open(None).unwrap();
    let manifests = library.choose_for(&["aisle_people".to_owned()], Purpose::Shop, false).unwrap();
    let chosen = Chosen::open(&Wanted::Embedded).unwrap();
    let options = LoadOptions { threads: 1, provider: Provider::Cpu };
    let networks = library.networks(&manifests, &chosen, Loading { options, batch: 1, pictures: None }, 1).unwrap();
    Eyes::new(networks, EyesOptions::usual(1)).with_cameras(shop.cameras())
}

impl Bench {
    fn open(folder: &Path, shop: &Arc<Shop>, now: ShopTime) -> Self {
        let clock = Arc::new(Told(Mutex::new(now)));
        let database = db::open(folder.join("book.db").to_str().unwrap(), &db::Options::default(), now).unwrap();
        let till = Arc::new(Mutex::new(Till::open(database, shop.clone(), now).unwrap()));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let settler = Settler::start(&till, &Providers::default(), &as_clock, 1);
        let around = Surroundings {
            till,
            clock: as_clock,
            bell: settler.bell(),
            reports: ReportBoard::default(),
            health: HealthBoard::default(),
            screens: LiveBoard::default(),
            plates: PlateBoard::default(),
            seen: SeenBoard::default(),
            desk: GateDesk::default(),
        };
        let album = Arc::new(Album::open(&folder.join("pictures"), Some(&rule(folder)), now).unwrap());
        let opening = Opening {
            devices: Devices::default(),
            payers: Payers::WalkIns(walk_in_method()),
            eyes: Some(eyes(shop)),
            exporter: None,
            journal: folder.join("journal"),
            unread: None,
            record: Some((
                folder.join("tape"),
                Cut::Tracked,
                RecordLimits { file_bytes: 1 << 24, disk_bytes: 1 << 40 },
            )),
            album: Some(album.clone()),
            learned: None,
        };
        let open = OpenShop::start(opening, around.clone()).unwrap();
        Bench { open: Some(open), clock, around, album, settler }
    }

    /// Gives a fact, or a frame, at the time at which it came, and waits until it is stored or looked at.
    fn give(&self, fact: Fact) {
        self.clock.is(fact.stamp.arrived);
        if let Body::Frame(frame) = &fact.body {
            let (camera, at) = (frame.camera.clone(), fact.stamp.at);
            self.open.as_ref().unwrap().frames().put(fact);
            wait_until("a frame is looked at", || self.around.seen.latest(&camera).is_some_and(|seen| seen.at == at));
            return;
        }
        let (told, kept) = bounded(1);
        let kept_then = Kept::then(move || told.send(()).unwrap());
        assert!(self.open.as_ref().unwrap().intake().give(Delivery { fact, kept: kept_then }));
        kept.recv().unwrap();
    }

    fn router(&self) -> (Router, String) {
        let Surroundings { till, clock, bell, .. } = self.around.clone();
        let grant = Grant { role: Role::Operator, holder: Some("Olga".to_owned()), shopper: None, days: Some(30) };
        let (_, secret) = create_token(&mut *lock(&till), &grant, ("test", "test"), clock.now()).unwrap();
        let api = Api::new(till, Providers::default(), clock, bell).with_kept(self.album.clone());
        (api.router(), secret.reveal().to_string())
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Asks the API; gives status, media type and body.
fn ask(router: &Router, secret: &str, method: &str, path: &str, body: Option<Value>) -> (StatusCode, String, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = Request::builder().method(method).uri(path).header("Authorization", format!("Bearer {secret}"));
    let request = request.header("Content-Type", "application/json");
    let request = request.body(body.map_or_else(axum::body::Body::empty, |body| body.to_string().into())).unwrap();
    runtime.block_on(async {
        let answer = router.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let media_type = head.headers.get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
        (head.status, media_type, axum::body::to_bytes(body, 1 << 26).await.unwrap().to_vec())
    })
}

fn json(router: &Router, secret: &str, path: &str) -> Value {
    let (status, _, body) = ask(router, secret, "GET", path, None);
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// What sensors and cameras of a trip of one shopper say.
fn film(shop: &Arc<Shop>) -> Vec<Fact> {
    let options =
        Options { shop: shop.clone(), scenario: Scenario::SinglePick, level: Level::Clean, seed: 900_701, secs: None };
    let (mut film, _) = Film::new(&options, FilmOptions { quality: 85, varied: false }).unwrap();
    let mut facts = Vec::new();
    while let Some(shown) = film.next_shown().unwrap() {
        match shown {
            Shown::Fact(fact) if !matches!(fact.body, Body::People(_) | Body::Gate(_)) => facts.push(fact),
            Shown::Frame(fact, _) => facts.push(fact),
            _ => {}
        }
    }
    facts
}

/// Gives everything, and lets time pass until the visit is over.
fn play(bench: &Bench, facts: Vec<Fact>) {
    let end = facts.iter().map(|fact| fact.stamp.arrived).max().unwrap();
    facts.into_iter().for_each(|fact| bench.give(fact));
    for sequence in 1..=90 {
        let at = end + Span::from_millis(sequence * 1_000);
        let stamp = Stamp { source: SourceId::new("test"), sequence: sequence as u64, at, arrived: at };
        bench.give(Fact { stamp, body: Body::Tick(Tick::default()) });
    }
}

/// Contests the one receipt; gives the case and the product of its first line.
fn contest(router: &Router, secret: &str) -> (String, Value) {
    let of = |path: &str| json(router, secret, path);
    let receipts = of("/v1/receipts");
    let [receipt] = receipts["items"].as_array().unwrap().as_slice() else { panic!("{receipts}") };
    let cart = receipt["cart"].as_str().unwrap();
    let said = serde_json::json!({ "words": "I put it back" });
    let (status, _, body) = ask(router, secret, "POST", &format!("/v1/receipts/{cart}/contest"), Some(said));
    assert!(status.is_success(), "{}", String::from_utf8_lossy(&body));
    let case = of("/v1/cases")["items"][0]["id"].as_str().unwrap().to_owned();
    let sku = of(&format!("/v1/cases/{case}"))["receipt"]["lines"][0]["sku"].clone();
    (case, sku)
}

/// Each picture is what its row says of it, and a part of what its camera saw.
fn are_cropped(router: &Router, secret: &str, shop: &Shop, items: &[&Value]) {
    for item in items {
        let url = item["url"].as_str().unwrap();
        let (status, media_type, jpeg) = ask(router, secret, "GET", url, None);
        assert_eq!(
            (status, media_type.as_str(), jpeg.len() as u64),
            (StatusCode::OK, "image/jpeg", item["bytes"].as_u64().unwrap())
        );
        let picture = decode_picture(&jpeg).unwrap();
        assert_eq!(item["size"], serde_json::json!([picture.width(), picture.height()]));
        let camera = shop.cameras().iter().find(|camera| camera.id.as_str() == item["camera"]).unwrap();
        let whole = camera.size_pixels[0] * camera.size_pixels[1];
        assert!(picture.width() * picture.height() < whole, "it is cropped: {item}");
    }
}

/// Each look at a picture was written down, and nothing of it can be had without a case of its own, nor be guessed.
fn are_audited(router: &Router, secret: &str, case: &str, items: &[&Value]) {
    let of = |path: &str| json(router, secret, path);
    let name = items[0]["url"].as_str().unwrap().strip_prefix("/v1/pictures/").unwrap().split_once('?').unwrap().0;
    let looked =
        of("/v1/audit")["items"].as_array().unwrap().iter().filter(|deed| deed["action"] == "picture.read").count();
    assert_eq!(looked, items.len());
    let deed =
        of("/v1/audit")["items"].as_array().unwrap().iter().find(|deed| deed["detail"] == name).cloned().unwrap();
    assert_eq!((&deed["subject"], &deed["who"]), (&Value::from(case), &Value::from("Olga")), "{deed}");
    let other = case.replace(|digit: char| digit.is_ascii_digit(), "0");
    for path in [format!("/v1/pictures/{name}?case={other}"), format!("/v1/pictures/{}-0?case={case}", "0".repeat(32))]
    {
        assert_eq!(ask(router, secret, "GET", &path, None).0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [format!("/v1/pictures/{name}"), "/v1/pictures/..%2Fkey?case=x".to_owned()] {
        assert_eq!(ask(router, secret, "GET", &path, None).0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[test]
fn a_change_leads_to_pictures_that_are_given_for_its_case_written_down_and_deleted_on_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("key"), "3c".repeat(32)).unwrap();
    let shop = Arc::new(with_frames(&load_shop(Path::new("micro-market")).unwrap(), None, Some(6.0)).unwrap());
    let facts = film(&shop);
    let mut bench = Bench::open(folder, &shop, facts[0].stamp.arrived);
    play(&bench, facts);
    // Whoever keeps pictures is done with all changes when the shop is closed.
    bench.open.take().unwrap().stop().unwrap();
    let health = bench.around.health.get("pictures").unwrap();
    assert_eq!(health.health, HealthWord::Online);
    let (router, secret) = bench.router();
    let of = |path: &str| json(&router, &secret, path);
    let (case, sku) = contest(&router, &secret);

    let found = of(&format!("/v1/cases/{case}/pictures"));
    assert_eq!(found["why"], Value::Null, "{found}");
    let of_line: Vec<&Value> = found["items"].as_array().unwrap().iter().filter(|item| item["line"] == sku).collect();
    assert!((4..=12).contains(&of_line.len()) && of_line[0]["movement"] == "take", "{found:#}");
    are_cropped(&router, &secret, &shop, &of_line);
    are_audited(&router, &secret, &case, &of_line);
    let url = of_line[0]["url"].as_str().unwrap();
    // What is kept of a visit goes with its evidence, also before its time.
    let (now, nobody) = (bench.clock.now(), BTreeSet::new());
    let verdict = serde_json::json!({ "decision": "accept", "note": "" });
    // Whether the receipt was sure enough without the shopper's doubt or not: all cases of the visit are decided.
    for open in of("/v1/cases")["items"].as_array().unwrap().clone() {
        let path = format!("/v1/cases/{}/verdict", open["id"].as_str().unwrap());
        let (status, _, body) = ask(&router, &secret, "POST", &path, Some(verdict.clone()));
        assert!(status.is_success(), "{}", String::from_utf8_lossy(&body));
    }
    let forgotten = || lock(&bench.around.till).forgotten(now - DAY).unwrap().into_iter().collect::<BTreeSet<_>>();
    assert_eq!(forgotten(), nobody);
    assert_eq!(lock(&bench.around.till).forget(now + DAY * 31).unwrap().evidence, 1);
    let visits = forgotten();
    assert_eq!(visits.len(), 1);
    let (before, with_visit) = (bench.album.counts().sequences, bench.album.forget(now, &visits).unwrap());
    assert!(0 < with_visit, "{before}");
    let gone = of(&format!("/v1/cases/{case}/pictures"));
    assert!(gone["items"].as_array().unwrap().is_empty() && gone["why"].is_string(), "{gone}");
    assert_eq!(ask(&router, &secret, "GET", url, None).0, StatusCode::NOT_FOUND);
    // The rest goes when its time is over.
    assert_eq!(bench.album.forget(now + DAY * 4, &nobody).unwrap(), before - with_visit);
    let text = String::from_utf8(ask(&router, &secret, "GET", "/metrics", None).2).unwrap();
    let line = format!("aisle_pictures_deleted_total{{reason=\"forgotten\"}} {with_visit}\n");
    assert!(text.contains(&line) && text.contains("aisle_pictures_bytes 0\n"), "{text}");
    assert_eq!(std::fs::read_dir(folder.join("pictures")).unwrap().count(), 0);

    let Bench { settler, around, .. } = bench;
    drop(around);
    settler.stop();
    // Pictures are evidence for nothing: the recording, which has none, gives the same receipts.
    assert_eq!(booked(folder), replayed(&folder.join("tape")));
}
