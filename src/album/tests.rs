use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::faces::{faces, hide};
use super::folder::Album;
use super::framing::at_about;
use super::ring::{Glimpse, Presence};
use super::seal::{SealHead, ShopKey, WRAPPED_AT, seal};
use super::strip::{Head, Shot, Strip, StripName};
use crate::base::{CameraId, SecretPlace, ShelfId, ShopTime, SourceId, Span, TimeRange, TrackId, VisitId};
use crate::config::load_shop;
use crate::facts::{Body, BodyPoint, Fact, FactRef, Joint, Joints};
use crate::geometry::PixelBox;
use crate::image::{RgbImage, decode_picture, encode_jpeg};
use crate::ingest::devices::{FaceRule, PictureRule};
use crate::ports::{KeptPictures, PicturesOf};
use crate::shop::Shop;
use crate::sim::{Film, FilmOptions, Level, Options, Scenario, Shown, glance, with_frames};
use crate::truth::{FrameBody, FrameTruth, SceneBody, Visibility};

const DAY: Span = Span::from_millis(86_400_000);

fn at(secs: i64) -> ShopTime {
    ShopTime::from_nanos(1_700_000_000_000_000_000) + Span::from_millis(secs * 1_000)
}

fn visit(number: u64) -> VisitId {
    VisitId::from_first_track(TrackId::new(number))
}

fn event(sequence: u64) -> FactRef {
    FactRef { source: SourceId::new("shelf/1-1"), sequence }
}

/// A sealed file and its name.
fn sealed(key: &ShopKey, name: u8, parts: &[&[u8]]) -> (StripName, Vec<u8>) {
    let name = StripName([name; 16]);
    (name, seal(key, name, (at(0), at(60)), parts).unwrap())
}

fn opened(key: &ShopKey, name: StripName, file: &[u8], part: usize) -> Result<Vec<u8>, String> {
    let head = SealHead::of(file, file.len() as u64).map_err(|error| error.message().to_owned())?;
    head.open(key, name, file, part).map_err(|error| error.message().to_owned())
}

#[test]
fn what_is_sealed_is_opened_with_its_key_and_name_and_with_nothing_else() {
    let (key, other) = (ShopKey::new([1; 32]), ShopKey::new([2; 32]));
    let (name, file) = sealed(&key, 7, &[b"what it is of", b"a picture", b""]);
    let parts: Vec<_> = (0..3).map(|part| opened(&key, name, &file, part).unwrap()).collect();
    assert_eq!(parts, [&b"what it is of"[..], b"a picture", b""]);
    assert!(!file.windows(9).any(|bytes| bytes == b"a picture"));
    assert_eq!(opened(&other, name, &file, 1).unwrap_err(), "this strip of pictures was written under another key");
    let changed = "this strip of pictures was changed, or has the name of another one";
    assert_eq!(opened(&key, StripName([8; 16]), &file, 1).unwrap_err(), changed, "under another name");
    assert_eq!(opened(&key, name, &file, 3).unwrap_err(), changed, "a part that it does not have");
    assert_ne!(sealed(&key, 7, &[b"a picture"]).1, sealed(&key, 7, &[b"a picture"]).1, "each has a key of its own");
}

#[test]
fn no_byte_of_a_sealed_file_can_be_another_one_and_none_be_missing() {
    let key = ShopKey::new([1; 32]);
    let (name, file) = sealed(&key, 7, &[b"what it is of", b"a picture"]);
    for place in 0..file.len() {
        let mut wrong = file.clone();
        wrong[place] ^= 0x10;
        let both = [0, 1].map(|part| opened(&key, name, &wrong, part));
        assert!(both.iter().any(Result::is_err), "byte {place}");
        // The head is authenticated with every part.
        assert!(95 + 8 <= place || both.iter().all(Result::is_err), "byte {place} of the head");
        assert!(opened(&key, name, &file[..place], 0).is_err(), "cut after {place} bytes");
    }
    assert!(opened(&key, name, &[&file[..], b"x"].concat(), 0).is_err(), "longer");
    // A part of one file in the place of the same part of another.
    let (_, other) = sealed(&key, 7, &[b"what it is of", b"a picture"]);
    let swapped = [&file[..file.len() - 25], &other[other.len() - 25..]].concat();
    assert!(opened(&key, name, &swapped, 0).is_ok() && opened(&key, name, &swapped, 1).is_err());
    // And parts of one file for each other.
    let (name, file) = sealed(&key, 9, &[b"one picture", b"two picture"]);
    let (first, second) = file[95 + 8..].split_at(11 + 16);
    assert!(opened(&key, name, &[&file[..95 + 8], second, first].concat(), 0).is_err());
}

/// A folder with a key, and a rule by which pictures are kept in it for so many days and bytes.
struct Place {
    folder: tempfile::TempDir,
    rule: PictureRule,
}

impl Place {
    fn new(disk_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), "5a".repeat(32) + "\n").unwrap();
        let rule = PictureRule {
            key: SecretPlace::File(folder.path().join("key")),
            before: Span::from_millis(2_000),
            after: Span::from_millis(1_500),
            frames_max: 8,
            cameras_max: 1,
            kept: DAY * 3,
            disk_bytes,
            faces: FaceRule::Takers,
        };
        Place { folder, rule }
    }

    fn pictures(&self) -> PathBuf {
        self.folder.path().join("pictures")
    }

    fn open(&self, now: ShopTime) -> Album {
        Album::open(&self.pictures(), Some(&self.rule), now).unwrap()
    }

    fn refused(&self, now: ShopTime) -> String {
        let error = Album::open(&self.pictures(), Some(&self.rule), now).err().unwrap();
        error.to_string()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn noise(width: u32, height: u32) -> RgbImage {
    let mut picture = RgbImage::new(width, height);
    for (index, value) in picture.pixels_mut().iter_mut().enumerate() {
        *value = ((index as u64).wrapping_mul(2_654_435_761) >> 13) as u8;
    }
    picture
}

/// A strip of one picture of this event, at this second, on which these visits' heads are side by side.
fn keep(album: &Album, sequence: u64, secs: i64, visits: &[u64]) {
    let jpeg = encode_jpeg(&noise(64, 32), 95).unwrap();
    let head = |(index, number): (usize, &u64)| Head {
        visit: visit(*number),
        bounds: PixelBox::from_size(32.0 * index as f64, 0.0, 32.0, 32.0),
    };
    let shot = Shot {
        camera: CameraId::new("left"),
        at: at(secs),
        size_pixels: [64, 32],
        bytes: jpeg.len() as u64,
        heads: visits.iter().enumerate().map(head).collect(),
    };
    let shelf: ShelfId = "1-1".parse().unwrap();
    let visits = visits.iter().map(|number| visit(*number)).collect();
    let strip = Strip {
        event: event(sequence),
        shelf,
        span: TimeRange::new(at(secs), at(secs + 1)),
        visits,
        shots: vec![shot],
    };
    album.keep(strip, &[jpeg]).unwrap();
}

fn of(sequence: u64, secs: i64) -> PicturesOf {
    PicturesOf { visit: None, events: vec![(event(sequence), TimeRange::new(at(secs), at(secs + 1)))] }
}

#[test]
fn strips_outlive_the_process_and_are_found_by_change_and_by_visit() {
    let place = Place::new(1 << 20);
    let album = place.open(at(0));
    keep(&album, 1, 10, &[5]);
    keep(&album, 2, 20, &[6, 5]);
    drop(album);
    let album = place.open(at(30));
    let events =
        |of: &PicturesOf| album.about(of).into_iter().map(|picture| picture.event.sequence).collect::<Vec<_>>();
    assert_eq!((events(&of(1, 10)), events(&of(2, 20))), (vec![1], vec![2]));
    assert_eq!(events(&PicturesOf { visit: Some(visit(5)), events: Vec::new() }), [1, 2]);
    assert_eq!(events(&of(1, 500)), [] as [u64; 0], "a change of that number, of another book");
    let found = album.about(&of(1, 10)).remove(0);
    let jpeg = album.read(&found.name, &of(1, 10)).unwrap().unwrap();
    assert_eq!(found.bytes, encode_jpeg(&noise(64, 32), 95).unwrap().len() as u64);
    assert!(!jpeg.is_empty());
    assert_eq!(album.read(&found.name, &of(2, 20)).unwrap(), None, "it is of no other case");
    assert_eq!(album.read("00-0", &of(1, 10)).unwrap(), None);
    let names = files(&place.pictures());
    assert_eq!(names.len(), 2);
    assert!(
        names.iter().all(|name| !name.to_str().unwrap().contains("1-1") && name.to_str().unwrap().ends_with(".strip"))
    );
}

#[test]
fn of_those_who_may_have_taken_the_goods_only_the_shopper_of_the_case_can_be_known() {
    let place = Place::new(1 << 20);
    let album = place.open(at(0));
    keep(&album, 1, 10, &[5, 6]);
    let (whole, name) = (encode_jpeg(&noise(64, 32), 95).unwrap(), album.about(&of(1, 10)).remove(0).name);
    let whole = decode_picture(&whole).unwrap();
    let shown = |visit: Option<VisitId>| {
        let jpeg = album.read(&name, &PicturesOf { visit, ..of(1, 10) }).unwrap().unwrap();
        let picture = decode_picture(&jpeg).unwrap();
        // How far pixels are from what they were, on average, on the left and on the right.
        [0..32, 32..64].map(|columns| {
            let places = columns.flat_map(|x| (0..32).map(move |y| (x, y)));
            let apart = places.map(|(x, y)| {
                let (was, is) = (whole.get(x, y).unwrap(), picture.get(x, y).unwrap());
                was.iter().zip(is).map(|(was, is)| f64::from(was.abs_diff(is))).sum::<f64>() / 3.0
            });
            apart.sum::<f64>() / 1_024.0
        })
    };
    let [mine, other] = shown(Some(visit(5)));
    assert!(mine < 20.0 && 40.0 < other, "{mine} {other}");
    let [other, mine] = shown(Some(visit(6)));
    assert!(mine < 20.0 && 40.0 < other, "{mine} {other}");
    assert!(shown(None).iter().all(|apart| 40.0 < *apart));
}

#[test]
fn strips_are_deleted_on_time_and_with_those_who_are_on_them() {
    let place = Place::new(1 << 20);
    let album = place.open(at(0));
    keep(&album, 1, 0, &[5]);
    keep(&album, 2, 3_600, &[6, 7]);
    keep(&album, 3, 7_200, &[]);
    let nobody = BTreeSet::new();
    assert_eq!(album.forget(at(0) + DAY * 3, &nobody).unwrap(), 0, "a second is left");
    assert_eq!(album.forget(at(1) + DAY * 3, &nobody).unwrap(), 1);
    assert_eq!(album.forget(at(1), &BTreeSet::from([visit(7)])).unwrap(), 1);
    assert_eq!(album.forget(at(1), &BTreeSet::from([visit(7)])).unwrap(), 0);
    assert_eq!(files(&place.pictures()).len(), 1);
    let counts = album.counts();
    assert_eq!(counts.deleted, BTreeMap::from([("time", 1), ("forgotten", 1)]));
    assert_eq!((counts.kept, counts.sequences), (3, 1));
    assert_eq!(counts.bytes, fs::metadata(&files(&place.pictures())[0]).unwrap().len());
    // What was over while no process looked is deleted before anything else.
    drop(album);
    assert_eq!(place.open(at(7_201) + DAY * 3).counts().sequences, 0);
    assert!(files(&place.pictures()).is_empty());
}

#[test]
fn a_shop_that_keeps_pictures_for_shorter_or_not_at_all_any_more_deletes_what_is_there() {
    let mut place = Place::new(1 << 20);
    keep(&place.open(at(0)), 1, 0, &[5]);
    place.rule.kept = DAY;
    let album = place.open(at(0));
    assert_eq!((album.counts().sequences, album.forget(at(1) + DAY, &BTreeSet::new()).unwrap()), (1, 1));
    drop(album);
    keep(&place.open(at(0)), 2, 0, &[5]);
    let left = Album::open(&place.pictures(), None, at(10)).unwrap();
    assert!(left.rule().is_none() && left.about(&of(2, 0)).is_empty());
    assert_eq!(left.forget(at(10), &BTreeSet::new()).unwrap(), 0);
    assert_eq!(left.forget(at(1) + DAY, &BTreeSet::new()).unwrap(), 1);
    assert!(files(&place.pictures()).is_empty());
    // Nothing is made where nothing is kept.
    fs::remove_dir(place.pictures()).unwrap();
    Album::open(&place.pictures(), None, at(10)).unwrap();
    assert!(!place.pictures().exists());
}

#[test]
fn the_oldest_make_room() {
    let size = {
        let place = Place::new(1 << 20);
        let album = place.open(at(0));
        keep(&album, 1, 0, &[]);
        album.counts().bytes
    };
    let place = Place::new(3 * size + size / 2);
    let album = place.open(at(0));
    (0..10).for_each(|number| keep(&album, number, number as i64, &[]));
    let counts = album.counts();
    assert_eq!((counts.kept, counts.sequences, counts.deleted.get("room")), (10, 3, Some(&7)));
    assert!((7..10).all(|number| album.about(&of(number, number as i64)).len() == 1));
    assert_eq!(files(&place.pictures()).len(), 3);
}

#[test]
fn another_key_is_refused_and_keeps_nothing_for_longer() {
    let place = Place::new(1 << 20);
    keep(&place.open(at(0)), 1, 0, &[5]);
    fs::write(place.folder.path().join("key"), "a5".repeat(32)).unwrap();
    let refused = place.refused(at(10));
    assert!(refused.contains("1 strips of pictures here were written under another key"), "{refused}");
    assert!(refused.contains("pictures.key_file") && !refused.contains("a5a5"), "{refused}");
    fs::write(place.folder.path().join("key"), "no key").unwrap();
    let refused = place.refused(at(10));
    assert!(refused.contains("is not a key: 64 hexadecimal digits") && !refused.contains("no key"), "{refused}");
    assert_eq!(files(&place.pictures()).len(), 1);
    // Their time is over, whatever the key: without one, and with another.
    assert!(place.refused(at(1) + DAY * 3).contains("64 hexadecimal digits"));
    assert!(files(&place.pictures()).is_empty());
    fs::write(place.folder.path().join("key"), "a5".repeat(32)).unwrap();
    place.open(at(1) + DAY * 3);
}

#[test]
fn what_is_damaged_foreign_or_half_written_is_said_and_does_no_harm() {
    let place = Place::new(1 << 20);
    let album = place.open(at(0));
    (1..=4).for_each(|number| keep(&album, number, 0, &[number]));
    drop(album);
    let all = files(&place.pictures());
    let whole = fs::read(&all[0]).unwrap();
    fs::write(&all[0], &whole[..whole.len() / 2]).unwrap();
    fs::copy(&all[2], &all[1]).unwrap();
    let deleted: Vec<u8> =
        whole.iter().enumerate().map(|(at, byte)| if WRAPPED_AT.contains(&at) { 0 } else { *byte }).collect();
    fs::write(place.pictures().join(format!("{}.strip", StripName([0; 16]))), deleted).unwrap();
    fs::write(place.pictures().join("holiday.jpg"), b"not ours").unwrap();
    fs::write(place.pictures().join(".aisle-7-00ff.part"), b"a process was killed").unwrap();
    let album = place.open(at(10));
    assert_eq!((album.counts().sequences, album.counts().unreadable), (2, 3));
    assert!(!place.pictures().join(".aisle-7-00ff.part").exists());
    // A file that was changed while it is known is refused by name.
    let found = album.about(&PicturesOf { visit: Some(visit(1)), ..of(1, 0) });
    let known = found.first().or(None).map(|one| one.name.clone());
    let known = known.unwrap_or_else(|| {
        album
            .about(&of(2, 0))
            .into_iter()
            .chain(album.about(&of(3, 0)))
            .chain(album.about(&of(4, 0)))
            .next()
            .unwrap()
            .name
    });
    let path = place.pictures().join(format!("{}.strip", known.split_once('-').unwrap().0));
    let mut file = fs::read(&path).unwrap();
    *file.last_mut().unwrap() ^= 1;
    fs::write(&path, file).unwrap();
    let anybody = PicturesOf { visit: None, events: (1..=4).flat_map(|number| of(number, 0).events).collect() };
    let refused = album.read(&known, &anybody).unwrap_err().to_string();
    assert!(
        refused.contains("was changed") && refused.contains(path.file_name().unwrap().to_str().unwrap()),
        "{refused}"
    );
    // All of it goes when its time is over, but for what was never ours.
    album.forget(ShopTime::MAX, &BTreeSet::new()).unwrap();
    assert_eq!(files(&place.pictures()), [place.pictures().join("holiday.jpg")]);
}

/// Where somebody is, as people are told of.
fn presence(body: &SceneBody) -> Presence {
    let joint = |point: BodyPoint| Some(Joint { position: body.joints[point as usize], score: 0.9 });
    let joints = Joints {
        left_shoulder: joint(BodyPoint::LeftShoulder),
        right_shoulder: joint(BodyPoint::RightShoulder),
        left_elbow: joint(BodyPoint::LeftElbow),
        right_elbow: joint(BodyPoint::RightElbow),
        left_wrist: joint(BodyPoint::LeftWrist),
        right_wrist: joint(BodyPoint::RightWrist),
        ..Joints::default()
    };
    Presence { track: TrackId::new(body.visit.number()), joints }
}

/// The middle of somebody's face, where it can be seen.
fn face(body: &FrameBody) -> Option<PixelBox> {
    let nose = body.keypoints[BodyPoint::Nose as usize];
    let eyes = [BodyPoint::LeftEye, BodyPoint::RightEye].map(|eye| body.keypoints[eye as usize]);
    let seen = [nose, eyes[0], eyes[1]].iter().all(|point| point.visibility == Visibility::Visible);
    let (nose, left, right) = (nose.pixel?, eyes[0].pixel?, eyes[1].pixel?);
    let side = (2.0 * left.distance(right)).max(4.0);
    seen.then(|| PixelBox::from_size(nose.x - side / 2.0, nose.y - side / 2.0, side, side))
}

/// The pixels of a box that are in a picture.
fn pixels(bounds: &PixelBox) -> impl Iterator<Item = (u32, u32)> {
    let columns = bounds.left as u32..=bounds.right as u32;
    (bounds.top as u32..=bounds.bottom as u32).flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

/// The part of the pixels in a box that are other ones.
fn changed(before: &RgbImage, after: &RgbImage, bounds: &PixelBox) -> f64 {
    let both: Vec<_> = pixels(bounds).filter_map(|(x, y)| Some((before.get(x, y)?, after.get(x, y)?))).collect();
    both.iter().filter(|(was, is)| was != is).count() as f64 / both.len().max(1) as f64
}

/// Whether every pixel of a face is in something that is hidden.
fn is_covered(bounds: &PixelBox, hidden: &[PixelBox]) -> bool {
    let is_in = |(x, y): (u32, u32), one: &PixelBox| {
        let (x, y) = (f64::from(x), f64::from(y));
        one.left.floor() <= x && x < one.right.ceil() && one.top.floor() <= y && y < one.bottom.ceil()
    };
    pixels(bounds).all(|pixel| hidden.iter().any(|one| is_in(pixel, one)))
}

/// What was found in the frames of a film in which the visits of even numbers are at the goods.
#[derive(Debug, Default)]
struct Found {
    bystanders: usize,
    /// Bystanders of whose face something can be seen: the part of it that was changed.
    known: Vec<f64>,
    takers: usize,
    untouched: usize,
}

/// The micro-market, its frames with faces in them, and where everybody was.
struct Shooting {
    shop: Arc<Shop>,
    people: Vec<(ShopTime, Vec<Presence>)>,
    frames: Vec<(Fact, FrameTruth)>,
}

fn shooting() -> Shooting {
    let shop = Arc::new(with_frames(&load_shop(Path::new("micro-market")).unwrap(), None, Some(4.0)).unwrap());
    let (scenario, level) = (Scenario::ThreeShoppers, Level::Clean);
    let options = Options { shop: shop.clone(), scenario, level, seed: 3, secs: None };
    let (mut film, _) = Film::new(&options, FilmOptions { quality: 90, varied: false }).unwrap();
    let (mut people, mut frames) = (Vec::new(), Vec::new());
    while let Some(shown) = film.next_shown().unwrap() {
        match shown {
            Shown::Scene(scene) => people.push((scene.at, scene.people.iter().map(presence).collect::<Vec<_>>())),
            Shown::Frame(fact, truth) if truth.people.iter().any(|body| face(body).is_some()) => {
                frames.push((fact, truth));
            }
            _ => {}
        }
    }
    Shooting { shop, people, frames }
}

/// Looks at every frame. Where it `misses` them the network sees nobody.
fn look(film: &Shooting, misses: bool) -> Found {
    let Shooting { shop, people, frames } = film;
    let everybody: BTreeSet<VisitId> =
        frames.iter().flat_map(|(_, truth)| truth.people.iter().map(|body| body.visit)).collect();
    let visits: BTreeMap<TrackId, VisitId> =
        everybody.iter().map(|visit| (TrackId::new(visit.number()), *visit)).collect();
    let takers: BTreeSet<VisitId> = everybody.iter().copied().filter(|visit| visit.number() % 2 == 0).collect();
    let mut found = Found::default();
    for (fact, truth) in frames {
        let Body::Frame(frame) = &fact.body else { panic!("no frame") };
        let camera = shop.camera(&frame.camera).unwrap();
        let mut seen = glance(truth, camera.size_pixels, 1.0, 5);
        if misses {
            seen.detections.clear();
        }
        let glimpse = Glimpse {
            at: fact.stamp.at,
            data: frame.data.clone(),
            size_pixels: seen.size_pixels,
            found: seen.detections.into(),
        };
        let faces = faces(camera, &glimpse, at_about(people, glimpse.at), &visits, &takers);
        let before = decode_picture(&frame.data).unwrap();
        let mut after = before.clone();
        faces.hidden.iter().for_each(|bounds| hide(&mut after, bounds));
        for (body, bounds) in truth.people.iter().filter_map(|body| Some((body, face(body)?))) {
            let share = changed(&before, &after, &bounds);
            if takers.contains(&body.visit) {
                found.takers += 1;
                found.untouched += usize::from(share == 0.0);
            } else {
                found.bystanders += 1;
                // A pixel may have the colour of its cell already.
                let is_hidden = is_covered(&bounds, &faces.hidden) && 0.6 < share;
                found.known.extend((!is_hidden).then_some(share));
            }
        }
    }
    found
}

#[test]
fn the_faces_of_bystanders_are_hidden_in_every_frame_and_those_of_takers_mostly_stay() {
    let film = shooting();
    let found = look(&film, false);
    assert!(found.bystanders > 20 && found.known.is_empty(), "{found:?}");
    assert!(found.takers > 20 && 0.6 * (found.takers as f64) < found.untouched as f64, "{found:?}");
    // Whom the network misses is hidden where the floor knows of them.
    let found = look(&film, true);
    assert!(found.bystanders > 20 && found.known.is_empty(), "{found:?}");
}
