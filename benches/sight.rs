//! Sight from end to end: frames of cameras decoded, looked at and followed, as `aisle see` does it, beside what of it the
//! networks themselves took, in time of the processor, and how often memory was asked for. Needs `AISLE_FRAMES`, a folder with a folder of JPEGs
//! for each camera, as `aisle export frames` writes them, and the networks of the data folder (`AISLE_DATA`); ONNX Runtime
//! where `AISLE_ONNXRUNTIME` names it, `AISLE_SESSIONS` beside each other (1), stills for `AISLE_STILL_MS` (0: none), and
//! the joints of everybody with `AISLE_POSE=1`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aisle::base::{CameraId, Result, ShopTime, SourceId, Span};
use aisle::config::load_manifests;
use aisle::facts::{Body, Fact, Frame, FrameFormat, Stamp};
use aisle::image::{RgbImage, decode_picture_into, picture_head};
use aisle::pipeline::{Eyes, EyesOptions, Look};
use aisle::tracking::tracklets::{Options, Tracker};
use aisle::vision::Networks;
use aisle::vision::{Engine, Gallery, LoadOptions, Model, Network, Output, Slot, Tensor};

/// Rounds over all frames; the median counts. The first one, which warms up, does not.
const ROUNDS: usize = 5;
/// Frames that are held together for each session, at least.
const GROUP_FRAMES: usize = 4;
/// Between the frames of a camera.
const INTERVAL: Span = Span::from_millis(66);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count for each thread.
struct Counting;

#[expect(unsafe_code, reason = "an allocator can be put before another one in no other way")]
// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A network, and how long it has computed and how often it asked for memory.
struct Timed {
    network: Box<dyn Network>,
    nanos: Arc<AtomicU64>,
    allocations: Arc<AtomicU64>,
}

impl Network for Timed {
    fn inputs(&self) -> &[Slot] {
        self.network.inputs()
    }

    fn outputs(&self) -> &[Slot] {
        self.network.outputs()
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        let (begun, before) = (thread_nanos(), ALLOCATIONS.get());
        let outcome = self.network.infer(input, outputs);
        self.allocations.fetch_add(ALLOCATIONS.get() - before, Ordering::Relaxed);
        self.nanos.fetch_add(thread_nanos() - begun, Ordering::Relaxed);
        outcome
    }
}

fn main() {
    let Some(frames) = std::env::var_os("AISLE_FRAMES").map(PathBuf::from) else {
        println!("skipped: no frames; set AISLE_FRAMES to a folder with a folder of JPEGs for each camera");
        return;
    };
    let number = |name: &str, usual: usize| {
        std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let (sessions, still, pose) = (number("AISLE_SESSIONS", 1), number("AISLE_STILL_MS", 0), number("AISLE_POSE", 0));
    let (facts, cameras) = film(&frames);
    let (nanos, inner) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let library = std::env::var_os("AISLE_ONNXRUNTIME").map(PathBuf::from);
    let engine = library.map_or_else(Engine::embedded, |library| {
        Engine::onnxruntime(&library).expect("AISLE_ONNXRUNTIME is such a library")
    });
    let load = |name: &str| load(&engine, name, &nanos, &inner);
    // Footage that is there already is held together in larger groups than what comes as it happens.
    let frames_max = cameras.max(GROUP_FRAMES * sessions);
    let session = |_| {
        let pose = (pose != 0).then(|| load("movenet_lightning"));
        Networks::new([load("yolox_nano")].into_iter().chain(pose).collect(), Arc::new(Gallery::new(1.0)))
            .expect("one looks at whole frames")
    };
    let still_span_max = (still != 0).then(|| Span::from_millis(still as i64));
    let options = EyesOptions { frames_max, span_max: Span::from_millis(60_000), still_span_max };
    let mut eyes = Eyes::new((0..sessions).map(session).collect(), options);
    let mut rows: Vec<[f64; 4]> = Vec::new();
    let mut tracks = 0;
    for round in 0..=ROUNDS {
        let (begun, cpu, before) = (Instant::now(), cpu_secs(), ALLOCATIONS.get());
        nanos.store(0, Ordering::Relaxed);
        inner.store(0, Ordering::Relaxed);
        tracks = follow(&mut eyes, &facts);
        let bare = nanos.load(Ordering::Relaxed) as f64 / 1e9;
        let allocations = ALLOCATIONS.get() - before - inner.load(Ordering::Relaxed).min(ALLOCATIONS.get() - before);
        if 0 < round {
            rows.push([begun.elapsed().as_secs_f64(), cpu_secs() - cpu, bare, allocations as f64]);
        }
    }
    let count = facts.len() as f64;
    let [wall, cpu, bare, allocations] = [0, 1, 2, 3].map(|column| {
        let mut values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2] / count
    });
    let counters = eyes.counters();
    let [decoded, filled] = to_tensors(&mut load("yolox_nano"), &facts);
    println!(
        "{{\"frames\": {count}, \"wall_ms\": {:.3}, \"cpu_ms\": {:.3}, \"bare_ms\": {:.3}, \"around_percent\": {:.1}, \
         \"allocations\": {allocations:.1}, \"of_decoding\": {decoded:.1}, \"of_filling\": {filled:.1}, \"still_share\": {:.3}, \"tracks\": {tracks}}}",
        wall * 1e3,
        cpu * 1e3,
        bare * 1e3,
        100.0 * (cpu - bare) / bare,
        counters.still_frames as f64 / counters.frames as f64
    );
}

/// All frames in the order in which cameras give them, and how many cameras those are.
fn film(folder: &Path) -> (Vec<Fact>, usize) {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("the folder of frames can be read");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("its entries too").path()).collect();
        paths.sort();
        paths
    };
    let cameras: Vec<PathBuf> = list(folder).into_iter().filter(|path| path.is_dir()).collect();
    let mut facts = Vec::new();
    for (camera, folder) in (0..).zip(&cameras) {
        let name = folder.file_name().expect("it was listed").to_string_lossy().into_owned();
        for (sequence, path) in (1_u64..).zip(list(folder)) {
            let at = ShopTime::from_nanos(0) + INTERVAL * sequence as i64 + Span::from_millis(camera);
            let data = std::fs::read(path).expect("frames can be read").into();
            let stamp = Stamp { source: SourceId::new(&format!("camera/{name}")), sequence, at, arrived: at };
            let frame = Frame { camera: CameraId::new(&name), format: FrameFormat::Jpeg, data };
            facts.push(Fact { stamp, body: Body::Frame(frame) });
        }
    }
    facts.sort_by_key(|fact| fact.stamp.arrived);
    (facts, cameras.len())
}

fn load(engine: &Engine, name: &str, nanos: &Arc<AtomicU64>, allocations: &Arc<AtomicU64>) -> Model {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from);
    let manifest = load_manifests(None).expect("the built-in manifests are sound")[name].clone();
    let bytes = std::fs::read(data.join("models").join(&manifest.weights.file)).expect("the weights are here");
    let network = engine.load(&bytes, LoadOptions::default()).expect("the engine knows it");
    let network = Timed { network, nanos: nanos.clone(), allocations: allocations.clone() };
    Model::new(manifest, Box::new(network)).expect("the weights fit the manifest")
}

/// How often memory is asked for by a frame that is decoded, and by one that becomes the input of a network, when all of
/// this camera's size have been so before.
fn to_tensors(model: &mut Model, facts: &[Fact]) -> [f64; 2] {
    let mut picture = RgbImage::new(0, 0);
    let mut counts = [0.0; 2];
    for round in 0..2 {
        counts = [0.0; 2];
        for fact in facts {
            let Body::Frame(frame) = &fact.body else { continue };
            let before = ALLOCATIONS.get();
            let head = picture_head(&frame.data).expect("frames are whole");
            decode_picture_into(&frame.data, &head, &mut picture).expect("frames are whole");
            let between = ALLOCATIONS.get();
            model.prepare(&picture, None).expect("it looks at whole frames");
            let after = ALLOCATIONS.get();
            counts = [counts[0] + (between - before) as f64, counts[1] + (after - between) as f64];
        }
        assert!(round == 0 || counts[1] == 0.0, "an input that was filled before needs no new memory");
    }
    counts.map(|count| count / facts.len() as f64)
}

/// Looks at all frames and follows everybody; gives how many tracks were begun.
fn follow(eyes: &mut Eyes, facts: &[Fact]) -> u64 {
    let mut trackers: BTreeMap<CameraId, (Tracker, u64)> = BTreeMap::new();
    let mut step = |looks: Vec<Look>| {
        for look in looks {
            let Body::Seen(seen) = &look.seen.body else { continue };
            let fresh = || (Tracker::new(Options::default()), 0);
            let (tracker, last) = trackers.entry(seen.camera.clone()).or_insert_with(fresh);
            for tracklet in tracker.step(look.seen.stamp.at, &seen.detections).iter().filter(|one| one.confirmed) {
                *last = (*last).max(tracklet.track.number());
            }
        }
    };
    facts.iter().for_each(|fact| step(eyes.take(fact).expect("the networks run")));
    step(eyes.flush().expect("the networks run"));
    trackers.values().map(|(_, last)| last).sum()
}

/// How long this thread has computed, whoever else used the core meanwhile; 0 where the system does not tell.
fn thread_nanos() -> u64 {
    let mut bytes = [0; 64];
    let read = File::open("/proc/thread-self/schedstat").and_then(|mut file| file.read(&mut bytes));
    let text = std::str::from_utf8(&bytes[..read.unwrap_or(0)]).unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// What all threads of this process have computed, seconds; 0 where the system does not tell.
fn cpu_secs() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    // Hundredths of a second, on every Linux.
    (ticks(11) + ticks(12)) / 100.0
}
