//! A recording through sight: from its frames, what was seen in them, or their truth, to people on the floor.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::map::FloorMap;
use super::{See, draw, make_folder, write};
use crate::base::figures::signed;
use crate::base::{CameraId, Error, Result, ShopTime, Span, TrackId};
use crate::cli::{lost, print};
use crate::eval::sight::{SightJudge, SightScore, Told};
use crate::facts::{Body, Fact, PeopleFrame, Stamp, Topic};
use crate::geometry::Affine;
use crate::image::decode_picture;
use crate::pipeline::{Eyes, Look};
use crate::ports::FactSource;
use crate::recording::{Entry, Losses, Reader};
use crate::shop::Shop;
use crate::sim;
use crate::tracking::{FrameLoss, Sight};
use crate::truth::FrameTruth;

/// Where everybody is, a line an instant.
const FLOOR_FILE: &str = "floor.jsonl";
/// Where everybody went, as a map.
const MAP_FILE: &str = "floor.png";
/// Frames that wait for their truth, and truths for their frames; beyond it some go without.
const WAITING_FRAMES_MAX: usize = 256;

/// A recording that is being looked at.
struct Course<'a> {
    see: &'a See,
    shop: Shop,
    eyes: Eyes,
    sight: Sight,
    judge: SightJudge,
    output: Option<Output>,
    /// Frames whose truth may still come, by camera and number.
    waiting: BTreeMap<(CameraId, u64), Fact>,
    /// Truths whose frames may still come: a frame arrives later than it was true.
    known: BTreeMap<(CameraId, u64), FrameTruth>,
    /// By how much each camera's clock was ahead of the truth's, added up in seconds, and in how many frames.
    ahead: BTreeMap<CameraId, (f64, f64)>,
    tracks: BTreeSet<TrackId>,
    /// Most people that were told at once.
    people_max: usize,
    /// Instants at which people were told.
    instants: u64,
}

/// Where pictures and people go.
struct Output {
    folder: PathBuf,
    floor: BufWriter<File>,
    map: FloorMap,
    /// How many pictures of each camera there are.
    pictures: BTreeMap<CameraId, u64>,
}

impl See {
    /// Looks at a recording, and judges what comes of it where the recording knows better.
    pub(super) fn see_recording(&self) -> Result<()> {
        let mut reader = Reader::open(&self.path)?.check()?;
        let shop = reader.shop().clone();
        if shop.cameras().is_empty() {
            let hint = "name them in its shop file; the shops that aisle brings along have some";
            return Err(Error::input("the shop of this recording has no cameras").at_path(&self.path).hint(hint));
        }
        let eyes = self.looking.eyes(&shop, !self.truth && reader.cut().holds(Topic::Frame))?;
        let sight = Sight::new(&shop);
        let mut course = Course {
            see: self,
            shop,
            eyes,
            sight,
            judge: SightJudge::default(),
            output: self.output.as_deref().map(|folder| Output::begin(folder, reader.shop())).transpose()?,
            waiting: BTreeMap::new(),
            known: BTreeMap::new(),
            ahead: BTreeMap::new(),
            tracks: BTreeSet::new(),
            people_max: 0,
            instants: 0,
        };
        while let Some(entry) = reader.next_entry()? {
            match entry {
                Entry::Fact(fact) => course.take(fact)?,
                Entry::Frame(truth) => course.take_truth(truth)?,
                Entry::Scene(scene) => course.judge.take_scene(scene),
            }
        }
        let losses = reader.losses();
        if losses != Losses::default() {
            eprintln!("warning: {}: left out: {losses}", self.path.display());
        }
        let looks = course.eyes.flush()?;
        course.follow(&looks)?;
        course.finish()
    }
}

impl Course<'_> {
    fn take(&mut self, fact: Fact) -> Result<()> {
        let camera = match &fact.body {
            Body::Frame(frame) => frame.camera.clone(),
            Body::Seen(seen) => seen.camera.clone(),
            _ => return Ok(()),
        };
        if !self.see.truth {
            let looks = self.eyes.take(&fact)?;
            self.follow(&looks)?;
            // What others saw in frames that are not here.
            let told = self.sight.take(&fact);
            self.note(told.as_ref())?;
        }
        let name = (camera, fact.stamp.sequence);
        if let Some(truth) = self.known.remove(&name) {
            return self.compare(fact, &truth);
        }
        keep(&mut self.waiting, name, fact);
        Ok(())
    }

    /// Takes what a frame really shows: to judge by, and in the place of models if that was asked for.
    fn take_truth(&mut self, truth: FrameTruth) -> Result<()> {
        self.judge.take_frame(&truth);
        let name = (truth.camera.clone(), truth.sequence);
        if let Some(fact) = self.waiting.remove(&name) {
            return self.compare(fact, &truth);
        }
        keep(&mut self.known, name, truth);
        Ok(())
    }

    /// Takes a frame with what it really shows.
    fn compare(&mut self, fact: Fact, truth: &FrameTruth) -> Result<()> {
        let (sum, count) = self.ahead.entry(truth.camera.clone()).or_default();
        (*sum, *count) = (*sum + fact.stamp.at.secs_since(truth.at), *count + 1.0);
        let Some(camera) = self.shop.camera(&truth.camera).filter(|_| self.see.truth) else { return Ok(()) };
        let seen = sim::glance(truth, camera.size_pixels, self.see.noise, self.see.seed);
        let seen = Fact { stamp: fact.stamp.clone(), body: Body::Seen(seen) };
        self.follow(&[Look { frame: fact, seen }])
    }

    /// Follows people through what was seen; notes and draws what comes of it.
    fn follow(&mut self, looks: &[Look]) -> Result<()> {
        for Look { frame, seen } in looks {
            let told = self.sight.take(seen);
            self.note(told.as_ref())?;
            self.draw(frame, seen)?;
        }
        Ok(())
    }

    /// Notes where everybody is.
    fn note(&mut self, told: Option<&Fact>) -> Result<()> {
        let Some(Fact { stamp: Stamp { at, .. }, body: Body::People(people) }) = told else { return Ok(()) };
        let at = *at;
        let mut told = Vec::new();
        for body in self.sight.bodies(at) {
            let joints = people.people.iter().find(|person| person.track == body.track).map(|person| &person.joints);
            let wrists = joints.map_or([None; 2], |joints| [joints.left_wrist, joints.right_wrist]);
            let wrists = wrists.map(|wrist| wrist.map(|joint| joint.position));
            told.push(Told { track: body.track, floor: body.floor, wrists });
            self.tracks.insert(body.track);
        }
        (self.people_max, self.instants) = (self.people_max.max(told.len()), self.instants + 1);
        if let Some(output) = &mut self.output {
            output.floor(at, &told, people)?;
        }
        self.judge.take_told(at, told);
        Ok(())
    }

    fn draw(&mut self, fact: &Fact, seen: &Fact) -> Result<()> {
        let (Body::Frame(frame), Body::Seen(seen)) = (&fact.body, &seen.body) else { return Ok(()) };
        let Some(output) = &mut self.output else { return Ok(()) };
        let (Some(camera), Ok(mut picture)) = (self.shop.camera(&frame.camera), decode_picture(&frame.data)) else {
            return Ok(());
        };
        let size_pixels = [picture.width(), picture.height()];
        let seen = seen.clone().resized(size_pixels);
        let map = Affine::resized(size_pixels, camera.size_pixels);
        seen.detections.iter().for_each(|found| draw::detection(&mut picture, found));
        let at = self.sight.shared_time(&frame.camera, fact.stamp.at);
        self.sight.bodies(at).iter().for_each(|body| draw::body(&mut picture, &camera.view, &map, body));
        write(&picture, &output.picture(&frame.camera)?)
    }

    fn finish(mut self) -> Result<()> {
        if let Some(output) = &mut self.output {
            let path = output.folder.join(FLOOR_FILE);
            output.floor.flush().map_err(|error| Error::io("write", &path, &error))?;
            write(output.map.picture(), &output.folder.join(MAP_FILE))?;
        }
        let loss = self.loss();
        if self.sight.counters().frames == 0 {
            lost::check(&loss).map_err(|error| error.at_path(&self.see.path))?;
            let error = match self.see.truth {
                true => Error::input("this recording has no truth about frames")
                    .hint("simulated recordings with frames have it"),
                false if 0 < loss.dropped_unknown_camera => lost::unknown_cameras(&loss),
                false => lost::no_frames(),
            };
            return Err(error.at_path(&self.see.path));
        }
        // People are on the mean of all cameras' clocks.
        let really: BTreeMap<CameraId, f64> =
            self.ahead.iter().map(|(camera, (sum, count))| (camera.clone(), sum / count)).collect();
        let mean = really.values().sum::<f64>() / really.len().max(1) as f64;
        let score = std::mem::take(&mut self.judge).score(Span::from_secs(mean));
        let really: BTreeMap<CameraId, f64> = really.into_iter().map(|(camera, secs)| (camera, secs - mean)).collect();
        match self.see.json {
            true => print(&format!("{}\n", self.to_json(&really, &loss, score.as_ref())))?,
            false => print(&self.to_text(&really, &loss, score.as_ref()))?,
        }
        lost::check(&loss).map_err(|error| error.at_path(&self.see.path))?;
        let lossy = self.see.losing.excess(&self.see.path, 0.0, Some(&loss));
        self.see.losing.check(lossy.as_slice())
    }

    /// Which frames were left out, for whatever reason.
    fn loss(&self) -> FrameLoss {
        self.eyes.loss().clone().with(self.sight.loss())
    }

    fn to_json(&self, really: &BTreeMap<CameraId, f64>, loss: &FrameLoss, score: Option<&SightScore>) -> Value {
        let (counters, clocks) = (self.sight.counters(), self.sight.clocks());
        let eyes = self.eyes.counters();
        let cameras = clocks.iter().map(|(camera, clock)| {
            json!({
                "name": camera, "keypoints": clock.keypoints, "clock_ahead_secs": clock.offset.as_secs(),
                "sigma_secs": clock.sigma.as_secs(), "really_ahead_secs": really.get(camera),
            })
        });
        json!({
            "frames": counters.frames, "dropped_frames": loss.dropped(), "loss": loss,
            "excess_detections": eyes.excess_detections, "still_frames": eyes.still_frames,
            "instants": self.instants, "tracks": self.tracks.len(), "people_max": self.people_max,
            "cameras": cameras.collect::<Vec<_>>(), "score": score,
        })
    }

    fn to_text(&self, really: &BTreeMap<CameraId, f64>, loss: &FrameLoss, score: Option<&SightScore>) -> String {
        let (counters, clocks) = (self.sight.counters(), self.sight.clocks());
        let mut text = format!(
            "{}: {} frames of {} cameras, {} tracks, at most {} people at once\n",
            self.see.path.display(),
            counters.frames,
            clocks.len(),
            self.tracks.len(),
            self.people_max
        );
        text += &lost::text(loss);
        for (camera, clock) in &clocks {
            let (ahead, sigma) = (clock.offset.as_secs() * 1e3, clock.sigma.as_secs() * 1e3);
            let really =
                really.get(camera).map_or(String::new(), |secs| format!(", really {} ms", signed(secs * 1e3, 0)));
            text += &format!("clock of {camera}: {} ms, give or take {sigma:.0} ms{really}\n", signed(ahead, 0));
        }
        text + &score.map_or_else(String::new, SightScore::to_text)
    }
}

/// Keeps what waits for its other half, and not too much of it.
fn keep<T>(waiting: &mut BTreeMap<(CameraId, u64), T>, name: (CameraId, u64), one: T) {
    while WAITING_FRAMES_MAX <= waiting.len() {
        waiting.pop_first();
    }
    waiting.insert(name, one);
}

impl Output {
    fn begin(folder: &Path, shop: &Shop) -> Result<Self> {
        make_folder(folder)?;
        let path = folder.join(FLOOR_FILE);
        let floor = File::create_new(&path).map_err(|error| Error::io("write", &path, &error))?;
        let (floor, map) = (BufWriter::new(floor), FloorMap::new(shop));
        Ok(Output { folder: folder.to_owned(), floor, map, pictures: BTreeMap::new() })
    }

    /// Where the next picture of a camera goes.
    fn picture(&mut self, camera: &CameraId) -> Result<PathBuf> {
        let folder = self.folder.join(camera.as_str());
        let number = self.pictures.entry(camera.clone()).or_insert(0);
        if *number == 0 {
            fs::create_dir_all(&folder).map_err(|error| Error::io("make", &folder, &error))?;
        }
        *number += 1;
        Ok(folder.join(format!("{number:06}.jpg")))
    }

    fn floor(&mut self, at: ShopTime, told: &[Told], people: &PeopleFrame) -> Result<()> {
        self.map.step(told.iter().map(|one| (one.track, one.floor)));
        let row = |one: &Told| {
            let person = people.people.iter().find(|person| person.track == one.track);
            let joints = person.map(|person| &person.joints);
            json!({ "track": one.track, "floor_metres": [one.floor.x + 0.0, one.floor.y + 0.0], "joints": joints })
        };
        let line = json!({ "at": at, "people": told.iter().map(row).collect::<Vec<_>>() });
        let path = self.folder.join(FLOOR_FILE);
        writeln!(self.floor, "{line}").map_err(|error| Error::io("write", &path, &error))
    }
}
