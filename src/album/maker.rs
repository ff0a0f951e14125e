//! Who makes strips: a thread that takes changes as the core tells of them, waits until cameras have shown what came after, picks
//! frames, hides faces, crops, and gives the strip to the album. It never holds the core up: what does not fit is dropped and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::faces::{Faces, faces, hide};
use super::folder::{Album, QUALITY};
use super::framing::{at_about, best, crop, cut, is_in_view, kept_from_frame, spread};
use super::goods::Goods;
use super::ring::{Glimpse, Presence, Ring};
use super::strip::{Head, Shot, Strip};
use crate::base::{Error, Result, ShopTime, Span, TimeRange, TrackId, VisitId};
use crate::facts::{FactRef, ShelfEvent};
use crate::geometry::{Affine, PixelBox};
use crate::image::{RgbImage, Sampler, decode_picture_into, encode_jpeg, picture_head};
use crate::ingest::devices::{FaceRule, PictureRule};
use crate::ports::{Clock, DeviceHealth, DeviceKind, HealthBoard, HealthWord};
use crate::shop::{Camera, Shop};

/// Changes that wait to be looked at.
pub const REACHES_MAX: usize = 64;
/// How long frames and people may take to be known here, and until it is plain whose visit somebody's is who was first seen away from
/// an entrance.
const LATE: Span = Span::from_millis(1_000);
const PLAIN: Span = Span::from_millis(5_500);
/// How often it is asked whether it is time.
const LOOK: Duration = Duration::from_millis(50);
/// A head that was seen so shortly before or after is hidden in a frame too: a network that misses somebody mostly misses them in
/// one frame.
const BESIDE: Span = Span::from_millis(500);
/// What it is called among devices.
const NAME: &str = "pictures";
const REMEDY: &str = "make room on the disk of its folder; no pictures are kept until then";

/// Why there are no pictures of a change.
const NO_ROOM: &str = "queue_full";
const NO_CAMERA: &str = "no_camera";
const NO_FRAME: &str = "no_frame";
const UNDECODABLE: &str = "undecodable";
const UNWRITTEN: &str = "unwritten";
/// Why a frame is not in the ring, or not in a strip.
const CROWDED: &str = "frame_crowded";
const OTHER_SIZE: &str = "frame_other_size";
const FRAME: &str = "frame_undecodable";

/// A change on a shelf, as the core tells of it.
#[derive(Clone, Debug)]
pub struct Reach {
    /// As attributions point to it.
    pub event: FactRef,
    /// What changed.
    pub change: ShelfEvent,
}

/// Where the core tells of changes.
#[derive(Clone)]
pub struct ReachSender {
    sender: Sender<Reach>,
    album: Arc<Album>,
}

impl ReachSender {
    /// Tells of a change; where too many wait it is dropped, which is counted.
    pub fn tell(&self, reach: Reach) {
        if self.sender.try_send(reach).is_err() {
            self.album.dropped(NO_ROOM, 1);
        }
    }

    /// So many changes were not told of, because of this.
    pub fn untold(&self, why: &'static str, count: u64) {
        self.album.dropped(why, count);
    }
}

/// Who makes strips, before it runs.
pub struct Maker {
    shop: Arc<Shop>,
    rule: PictureRule,
    ring: Ring,
    album: Arc<Album>,
    clock: Arc<dyn Clock>,
    health: HealthBoard,
    reaches: Receiver<Reach>,
    /// Nothing is sent; it is closed when the shop closes.
    stop: Receiver<()>,
    sampler: Sampler,
    picture: RgbImage,
}

/// What is known of those who were there.
struct Witnesses {
    people: Vec<(ShopTime, Vec<Presence>)>,
    visits: BTreeMap<TrackId, VisitId>,
    /// Who may have taken the goods, and of these whose faces stay.
    takers: BTreeSet<VisitId>,
    known: BTreeSet<VisitId>,
}

impl Maker {
    /// Makes strips for this album on a thread of its own until `stop` is closed; then it makes those of the changes it was told
    /// of, without waiting for anything. None where the album keeps no pictures.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn start(
        album: &Arc<Album>,
        shop: &Arc<Shop>,
        (clock, health): (Arc<dyn Clock>, HealthBoard),
        stop: Receiver<()>,
    ) -> Result<Option<(Ring, ReachSender, JoinHandle<()>)>> {
        let Some(rule) = album.rule().cloned() else { return Ok(None) };
        let (sender, reaches) = bounded(REACHES_MAX);
        let ring = Ring::default();
        let now = clock.now();
        let mut device = DeviceHealth::new(NAME, DeviceKind::Recorder, now);
        device.say(HealthWord::Online, None, None, now);
        device.heard = Some(now);
        health.add(device);
        let (sampler, picture) = (Sampler::new(), RgbImage::default());
        let (shop, album) = (shop.clone(), album.clone());
        let told = ReachSender { sender, album: album.clone() };
        let maker = Maker { shop, rule, ring: ring.clone(), album, clock, health, reaches, stop, sampler, picture };
        let spawned = thread::Builder::new().name(NAME.to_owned()).spawn(move || maker.run());
        let spawned = spawned.map_err(|error| Error::unavailable(format!("no thread for pictures: {error}")))?;
        Ok(Some((ring, told, spawned)))
    }

    fn run(mut self) {
        while let Ok(reach) = self.reaches.recv() {
            self.wait_for(reach.change.span.end + self.rule.after + PLAIN);
            let made = self.make(&reach);
            self.album.dropped(CROWDED, self.ring.take_crowded());
            match made {
                Ok((strip, pictures)) => self.keep(strip, &pictures),
                Err(why) => self.album.dropped(why, 1),
            }
        }
    }

    /// Waits until then, unless the shop closes; not for longer than a change may be ahead of what is seen of it.
    fn wait_for(&self, due: ShopTime) {
        let most = self.rule.after + PLAIN;
        let is_due = |left: Span| left <= Span::ZERO || most < left;
        while !is_due(due - self.clock.now()) {
            if self.stop.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn keep(&self, strip: Strip, pictures: &[Vec<u8>]) {
        let now = self.clock.now();
        let kept = self.album.keep(strip, pictures);
        if kept.is_err() {
            self.album.dropped(UNWRITTEN, 1);
        }
        self.health.with(NAME, |device| match kept {
            Ok(()) => {
                device.heard = Some(now);
                device.say(HealthWord::Online, None, None, now)
            }
            Err(error) => {
                let is_new = device.say(HealthWord::Degraded, Some(error.message()), Some(REMEDY), now);
                device.count("outages", u64::from(is_new));
                is_new
            }
        });
    }

    /// The strip of a change with its pictures, or why there is none.
    fn make(&mut self, reach: &Reach) -> std::result::Result<(Strip, Vec<Vec<u8>>), &'static str> {
        let Reach { event, change } = reach;
        let shop = self.shop.clone();
        let goods = Goods::of(&shop, change).filter(|goods| is_in_view(&shop, goods)).ok_or(NO_CAMERA)?;
        let within = TimeRange { start: change.span.start - self.rule.before, end: change.span.end + self.rule.after };
        let people = self.ring.people(within.widened(LATE));
        let visits = self.ring.visits();
        let takers = goods.takers(&people, &visits);
        let known = if self.rule.faces == FaceRule::Takers { takers.clone() } else { BTreeSet::new() };
        let there = Witnesses { people, visits, takers, known };
        let views = best(&shop, &goods, self.ring.glimpses(within.widened(BESIDE)), self.rule.cameras_max);
        if views.is_empty() {
            return Err(NO_FRAME);
        }
        let (mut shots, mut pictures) = (Vec::new(), Vec::new());
        for (id, glimpses) in views {
            let Some(camera) = shop.camera(&id) else { continue };
            for (shot, picture) in self.shots(camera, &goods, within, &glimpses, &there) {
                shots.push(shot);
                pictures.push(picture);
            }
        }
        if shots.is_empty() {
            return Err(UNDECODABLE);
        }
        let visits = there.takers.into_iter().collect();
        let strip = Strip { event: event.clone(), shelf: change.shelf, span: change.span, visits, shots };
        Ok((strip, pictures))
    }

    /// The pictures of one camera. Frames that cannot be decoded or compressed are left out, and counted.
    fn shots(
        &mut self,
        camera: &Camera,
        goods: &Goods,
        within: TimeRange,
        glimpses: &[Glimpse],
        there: &Witnesses,
    ) -> Vec<(Shot, Vec<u8>)> {
        let size_pixels = glimpses.first().map_or([0; 2], |first| first.size_pixels);
        let during: Vec<_> = there.people.iter().filter(|(at, _)| within.contains(*at)).cloned().collect();
        let Some(crop) = crop(camera, goods, size_pixels, &during, (&there.visits, &there.takers)) else {
            return Vec::new();
        };
        let found: Vec<Faces> = glimpses
            .iter()
            .map(|glimpse| faces(camera, glimpse, at_about(&there.people, glimpse.at), &there.visits, &there.known))
            .collect();
        let (map, kept_pixels) = kept_from_frame(&crop);
        let inside: Vec<usize> = (0..glimpses.len()).filter(|index| within.contains(glimpses[*index].at)).collect();
        let shown: Vec<Glimpse> = inside.iter().map(|index| glimpses[*index].clone()).collect();
        let mut shots = Vec::new();
        for place in spread(&shown, within, self.rule.frames_max) {
            let (glimpse, index) = (&shown[place], inside[place]);
            if glimpse.size_pixels != size_pixels {
                self.album.dropped(OTHER_SIZE, 1);
                continue;
            }
            let beside = (0..glimpses.len()).filter(|other| (glimpses[*other].at - glimpse.at).abs() <= BESIDE);
            let hidden: Vec<PixelBox> = beside.flat_map(|other| found[other].hidden.iter().copied()).collect();
            let heads = heads(&found[index].shown, &map, kept_pixels);
            match self.picture(glimpse, &hidden, &map, kept_pixels) {
                Ok(jpeg) => {
                    let (camera, at, bytes) = (camera.id.clone(), glimpse.at, jpeg.len() as u64);
                    shots.push((Shot { camera, at, size_pixels: kept_pixels, bytes, heads }, jpeg));
                }
                Err(error) => {
                    tracing::debug!(%error, camera = %camera.id, "a frame was left out of a strip");
                    self.album.dropped(FRAME, 1);
                }
            }
        }
        shots
    }

    fn picture(
        &mut self,
        glimpse: &Glimpse,
        hidden: &[PixelBox],
        map: &Affine,
        kept_pixels: [u32; 2],
    ) -> Result<Vec<u8>> {
        let head = picture_head(&glimpse.data)?;
        decode_picture_into(&glimpse.data, &head, &mut self.picture)?;
        hidden.iter().for_each(|bounds| hide(&mut self.picture, bounds));
        let kept = cut(&mut self.sampler, &self.picture, map, kept_pixels);
        encode_jpeg(&kept, QUALITY)
    }
}

/// The heads that are in what is kept of a frame, in its pixels.
fn heads(shown: &[Head], map: &Affine, kept_pixels: [u32; 2]) -> Vec<Head> {
    let [width, height] = kept_pixels.map(f64::from);
    let kept = PixelBox::from_size(0.0, 0.0, width, height);
    let head = |head: &Head| Head { bounds: map.apply_box(&head.bounds), ..head.clone() };
    shown.iter().map(head).filter(|head| head.bounds.intersection(&kept).is_some()).collect()
}
