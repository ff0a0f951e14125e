//! Tracks per camera and people on the floor: real sequences against the bars of the field, and our scores against
//! those of the packages that the field uses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use aisle::base::limits::DETECTIONS_PER_FRAME_MAX;
use aisle::eval::tracks::{Observed, Scene, TrackScore};
use aisle::geometry::{Camera, CameraPose, Floor, Lens, PixelBox, Point};
use aisle::tracking::floor::{FloorCamera, FloorOptions, foot_point, merge};
use serde_json::Value;

use super::cli::ask;
use super::left_out::left_out;

/// Two programs that do the same sums in another order differ by less.
const ROUNDING: f64 = 1e-9;

/// Sequence, detections, and what its tracks must reach in per cent: MOTA above that of SORT (Bewley et al., 2016) on
/// its detections, and that of a tracker in the manner of ByteTrack on those of YOLOX-nano.
const BARS: [(&str, &str, f64, f64); 4] = [
    ("TUD-Campus", "det_sort_fasterrcnn.txt", 62.7, 0.0),
    ("KITTI-17", "det_sort_fasterrcnn.txt", 60.2, 0.0),
    ("ETH-Sunnyday", "det_sort_fasterrcnn.txt", 59.1, 0.0),
    ("PETS09-S2L1", "det_yolox_nano_416_on_480x360video.txt", 77.9, 75.0),
];

/// The real sequences, if they are here: below `AISLE_DATA`, else beside the repository. Says when they are not.
fn sequences() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from).join("tracking");
    if folder.is_dir() {
        return folder.canonicalize().ok();
    }
    let how = format!("nothing is at {}; set AISLE_DATA to the folder that holds tracking/", folder.display());
    left_out("real sequences", &how);
    None
}

/// A python with TrackEval and py-motmetrics, if `AISLE_PYTHON` names one. Says when it does not.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("AISLE_PYTHON").map(PathBuf::from);
    if python.is_none() {
        left_out("python judges", "AISLE_PYTHON names no python that has trackeval and motmetrics");
    }
    python
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tracks")
}

fn summary(folder: &Path, arguments: &[&str]) -> Value {
    let answer = ask(folder, arguments);
    assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&answer.out).unwrap()
}

/// A sequence folder of our own.
fn sequence(folder: &Path, rate: f64, frames: u32) {
    // Some editors begin a text with a byte order mark.
    let info = format!("\u{feff}[Sequence]\nname=ours\nframeRate={rate}\nseqLength={frames}\n");
    fs::write(folder.join("seqinfo.ini"), info).unwrap();
    fs::create_dir_all(folder.join("det")).unwrap();
}

/// Our scores of two files.
fn score(truth: &Path, result: &Path) -> Value {
    let folder = tempfile::tempdir().unwrap();
    sequence(folder.path(), 25.0, 10_000);
    let (truth, result) = (truth.to_str().unwrap(), result.to_str().unwrap());
    summary(folder.path(), &["track", ".", "--gt", truth, "--score", result, "--json"])["score"].clone()
}

/// Ours beside theirs, figure by figure.
fn compare(what: &str, ours: &Value, theirs: &Value) {
    let (clear, identity, hota) = (&ours["clear"], &ours["identity"], &ours["hota"]);
    let trackeval = [
        ("MOTA", &clear["mota"]),
        ("MODA", &clear["moda"]),
        ("MOTP", &clear["motp"]),
        ("CLR_TP", &clear["matches"]),
        ("CLR_FP", &clear["false_positives"]),
        ("CLR_FN", &clear["misses"]),
        ("IDSW", &clear["switches"]),
        ("Frag", &clear["fragmentations"]),
        ("MT", &clear["mostly_tracked"]),
        ("PT", &clear["partly_tracked"]),
        ("ML", &clear["mostly_lost"]),
        ("IDF1", &identity["f1"]),
        ("IDP", &identity["precision"]),
        ("IDR", &identity["recall"]),
        ("IDTP", &identity["right"]),
        ("IDFP", &identity["false_positives"]),
        ("IDFN", &identity["misses"]),
        ("HOTA", &hota["hota"]),
        ("DetA", &hota["detection"]),
        ("AssA", &hota["association"]),
        ("LocA", &hota["localisation"]),
    ];
    for (name, figure) in trackeval {
        let (figure, expected) = (figure.as_f64().unwrap(), theirs["trackeval"][name].as_f64().unwrap());
        assert!((figure - expected).abs() < ROUNDING, "{what}: {name} is {figure}, TrackEval says {expected}");
    }
    // Of py-motmetrics those that are defined alike; it lets a pair go on over frames without it, and so counts other
    // switches and fragmentations, but no other detections here.
    let alike = [("idf1", &identity["f1"]), ("idp", &identity["precision"]), ("idr", &identity["recall"])];
    for (name, figure) in alike.into_iter().filter(|_| theirs["motmetrics"].is_object()) {
        let (figure, expected) = (figure.as_f64().unwrap(), theirs["motmetrics"][name].as_f64().unwrap());
        assert!((figure - expected).abs() < ROUNDING, "{what}: {name} is {figure}, py-motmetrics says {expected}");
    }
}

#[test]
fn scores_are_those_of_trackeval_and_motmetrics() {
    let reference: BTreeMap<String, Value> =
        serde_json::from_str(&fs::read_to_string(data().join("reference.json")).unwrap()).unwrap();
    assert_eq!(reference.len(), 3);
    for (name, theirs) in &reference {
        let [truth, result] = ["gt", "result"].map(|kind| data().join(format!("{name}.{kind}.txt")));
        compare(name, &score(&truth, &result), theirs);
    }
}

#[test]
fn scores_are_those_of_the_packages_when_these_run() {
    let Some(python) = python() else { return };
    let theirs = |truth: &Path, result: &Path, classes: bool| -> Value {
        let mut command = Command::new(&python);
        command.arg(data().join("reference.py")).arg("score").arg(truth).arg(result);
        let output = command.args(classes.then_some("--classes")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for name in ["plain", "crowded", "classes"] {
        let [truth, result] = ["gt", "result"].map(|kind| data().join(format!("{name}.{kind}.txt")));
        compare(name, &score(&truth, &result), &theirs(&truth, &result, name == "classes"));
    }
    let Some(folder) = sequences() else { return };
    let scratch = tempfile::tempdir().unwrap();
    for (name, detections, ..) in BARS {
        let (sequence, rows) = (folder.join(name), scratch.path().join("out.txt"));
        track(&sequence, detections, &rows);
        let truth = sequence.join("gt/gt.txt");
        compare(name, &score(&truth, &rows), &theirs(&truth, &rows, false));
    }
}

fn track(sequence: &Path, detections: &str, rows: &Path) -> Value {
    let (sequence, rows) = (sequence.to_str().unwrap(), rows.to_str().unwrap());
    summary(Path::new("."), &["track", sequence, "--det", detections, "-o", rows, "--json"])["score"].clone()
}

#[test]
fn real_sequences_reach_the_bars_with_one_setting() {
    let Some(folder) = sequences() else { return };
    let scratch = tempfile::tempdir().unwrap();
    for (name, detections, mota, idf1) in BARS {
        let score = track(&folder.join(name), detections, &scratch.path().join("out.txt"));
        let percent = |figure: &Value| 100.0 * figure.as_f64().unwrap();
        let reached = (percent(&score["clear"]["mota"]), percent(&score["identity"]["f1"]));
        println!("{name}, {detections}: MOTA {:.1}, IDF1 {:.1}", reached.0, reached.1);
        assert!(mota < reached.0, "{name}: MOTA {:.1}, asked for {mota}", reached.0);
        assert!(idf1 < reached.1, "{name}: IDF1 {:.1}, asked for {idf1}", reached.1);
    }
}

#[test]
fn a_sequence_goes_in_and_rows_come_out() {
    let folder = tempfile::tempdir().unwrap();
    sequence(folder.path(), 25.0, 50);
    // Two people who walk past each other, one of them unseen for half a second; and rows behind the last frame.
    let mut text = String::new();
    for frame in 1..=60 {
        let step = f64::from(frame);
        text += &format!("{frame},-1,{:.1},100,40,100,0.9,-1,-1,-1\n", 50.0 + 4.0 * step);
        if !(20..=32).contains(&frame) {
            text += &format!("{frame},-1,{:.1},140,40,100,0.9\n", 450.0 - 4.0 * step);
        }
    }
    fs::write(folder.path().join("det/det.txt"), text).unwrap();
    let answer = ask(folder.path(), &["track", ".", "-o", "out.txt"]);
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    assert!(answer.err.contains("20 detections are beyond the last frame"), "{}", answer.err);
    assert!(
        answer.out.starts_with("ours: 107 detections in 50 frames, 2 tracks, 100 rows in out.txt"),
        "{}",
        answer.out
    );
    let rows = fs::read_to_string(folder.path().join("out.txt")).unwrap();
    for (line, text) in rows.lines().enumerate() {
        let fields: Vec<&str> = text.split(',').collect();
        assert_eq!(fields.len(), 10, "{text}");
        assert_eq!((fields[0], &fields[7..]), ((line / 2 + 1).to_string().as_str(), &["-1", "-1", "-1"][..]), "{text}");
    }
    // The same again to the byte; live, the one who is unseen is not there meanwhile, nor is
    // anybody in the two frames before they are confirmed.
    ask(folder.path(), &["track", ".", "-o", "again.txt"]);
    assert_eq!(rows, fs::read_to_string(folder.path().join("again.txt")).unwrap());
    let live = summary(folder.path(), &["track", ".", "-o", "live.txt", "--live", "--det", "det.txt", "--json"]);
    assert_eq!((&live["tracks"], &live["rows"]), (&Value::from(2), &Value::from(83)));
}

#[test]
fn broken_sequences_say_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], status: i32, expected: &[&str]| {
        let answer = ask(folder.path(), arguments);
        assert_eq!(answer.status, Some(status), "{arguments:?}: {}", answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "`{part}` is not in: {}", answer.err);
        }
    };
    refused(&["track", ".", "-o", "out.txt"], 4, &["./seqinfo.ini", "a sequence folder of MOTChallenge has"]);
    fs::write(folder.path().join("seqinfo.ini"), "[Sequence]\nframeRate=0\n").unwrap();
    refused(&["track", ".", "-o", "out.txt"], 3, &["./seqinfo.ini:2: `frameRate=0`"]);
    sequence(folder.path(), 25.0, 50);
    refused(&["track", ".", "-o", "out.txt"], 4, &["./det/det.txt"]);
    let cases = [
        ("1,-1,2,3\n", "det.txt:1: 4 fields"),
        ("1,-1,0,0,9,9,1\n1,-1,NaN,0,9,9,1\n", "det.txt:2: left is `NaN`, which is no finite number"),
        ("1,-1,0,0,9,inf,1\n", "the height is `inf`"),
        ("0,-1,0,0,9,9,1\n", "det.txt:1: the frame is `0`, write a whole number from 1"),
        ("1,-1,0,0,-9,9,1\n", "inside out"),
        ("one\n1,-1,0,0,9,9,x\n", "2 rows cannot be used:\n  line 1: 1 fields"),
    ];
    for (text, expected) in cases {
        fs::write(folder.path().join("det/det.txt"), text).unwrap();
        refused(&["track", ".", "-o", "out.txt"], 3, &[expected]);
        assert!(!folder.path().join("out.txt").exists(), "rows of {text}");
    }
    fs::write(folder.path().join("twice.txt"), "1,7,0,0,9,9,1\n1,7,5,5,9,9,1\n").unwrap();
    refused(&["track", ".", "--score", "twice.txt"], 3, &["twice.txt:2: 7 is in frame 1 already, in line 1"]);
    fs::write(folder.path().join("once.txt"), "1,7,0,0,9,9,1\n").unwrap();
    refused(&["track", ".", "--score", "once.txt"], 3, &["there is no truth to judge by", "gt/gt.txt"]);
    refused(&["track", "."], 2, &["--output"]);
    fs::write(folder.path().join("det/det.txt"), "").unwrap();
    let nobody = summary(folder.path(), &["track", ".", "-o", "out.txt", "--json"]);
    assert_eq!((&nobody["rows"], &nobody["score"]), (&Value::from(0), &Value::Null));
    assert_eq!(fs::read_to_string(folder.path().join("out.txt")).unwrap(), "");
}

/// The seven cameras of WILDTRACK: centimetres, Rodrigues vectors, and translations of the view.
fn wildtrack_cameras(folder: &Path) -> Vec<FloorCamera> {
    let text = fs::read_to_string(folder.join("calibration_C1-C7.json")).unwrap();
    let calibration: Value = serde_json::from_str(&text).unwrap();
    let number = |name: &str, camera: usize, at: usize| calibration[name][camera][at].as_f64().unwrap();
    let camera = |index: usize| {
        let matrix = |at| number("K", index, at);
        let focal_pixels = [matrix(0), matrix(4)];
        let lens = Lens { focal_pixels, centre_pixels: [matrix(2), matrix(5)], distortion: [0.0; 5] };
        let rotation = [0, 1, 2].map(|axis| number("rvec", index, axis));
        let origin = Camera::new(lens, CameraPose { position: Point::new(0.0, 0.0, 0.0), rotation });
        let [x, y, z] = [0, 1, 2].map(|axis| -number("tvec", index, axis) / 100.0);
        let position = origin.world_from_view(Point::new(x, y, z));
        FloorCamera { camera: Camera::new(lens, CameraPose { position, rotation }), size_pixels: [1920, 1080] }
    };
    (0..7).map(camera).collect()
}

#[test]
fn boxes_of_seven_cameras_become_people_on_the_floor() {
    let Some(folder) = sequences() else { return };
    let folder = folder.join("wildtrack");
    let (cameras, options) = (wildtrack_cameras(&folder), FloorOptions::default());
    let text = fs::read_to_string(folder.join("ReST_MVDeTr_test.json")).unwrap();
    let boxes: BTreeMap<u64, Vec<[f64; 6]>> = serde_json::from_str(&text).unwrap();
    // Cells of 2.5 cm; every fifth frame has truth.
    let place = |column: f64, row: f64| Point::<Floor>::new(column * 0.025 - 3.0, row * 0.025 - 9.0, 0.0);
    let observed = |frame, id: usize, place| Observed { frame, id: id as i64, place };
    let mut truth = Vec::new();
    for line in fs::read_to_string(folder.join("mvdet_gt-demo.txt")).unwrap().lines() {
        let cells: Vec<f64> = line.split_whitespace().map(|cell| cell.parse().unwrap()).collect();
        if boxes.contains_key(&(cells[0] as u64 / 5)) {
            truth.push(observed(cells[0] as u64, truth.len(), place(cells[1], cells[2])));
        }
    }
    let (first, last) = (place(0.0, 0.0), place(480.0, 1440.0));
    let mut said = Vec::new();
    for (frame, boxes) in &boxes {
        let foot = |[left, top, width, height, _, camera]: &[f64; 6]| {
            foot_point(&cameras, *camera as usize, &PixelBox::from_size(*left, *top, *width, *height), &options)
        };
        let feet: Vec<_> = boxes.iter().filter_map(foot).collect();
        for person in merge(&feet, &cameras, &options) {
            let at = person.point;
            if (first.x..=last.x).contains(&at.x) && (first.y..=last.y).contains(&at.y) {
                said.push(observed(frame * 5, said.len(), at));
            }
        }
    }
    let clear = TrackScore::of(&Scene::of_points(&truth, &said, 0.5)).clear;
    println!("WILDTRACK: {} people, MODA {:.1}, {clear:?}", truth.len(), 100.0 * clear.moda);
    assert!(0.916 <= clear.moda, "MODA {:.4}", clear.moda);
}

#[test]
fn as_many_detections_as_a_frame_may_have_cost_no_more_than_they_are_worth() {
    // Side by side, far apart, all on one spot, and nearly so; in the first frame only, and in every one.
    let count = DETECTIONS_PER_FRAME_MAX;
    let side_by_side = |index: usize| [(index % 64 * 6) as f64, (index / 64 * 9) as f64, 5.0, 8.0];
    let apart = |index: usize| [(index % 64 * 60) as f64, (index / 64 * 90) as f64, 5.0, 8.0];
    let heap = |_: usize| [100.0, 100.0, 50.0, 80.0];
    let loose =
        |index: usize| [100.0 + (index * 7 % 11) as f64 * 0.7, 100.0 + (index * 5 % 13) as f64 * 0.9, 50.0, 80.0];
    let places: [&dyn Fn(usize) -> [f64; 4]; 4] = [&side_by_side, &apart, &heap, &loose];
    for (place, frames) in places.iter().flat_map(|place| [(place, 1), (place, 10)]) {
        let folder = tempfile::tempdir().unwrap();
        sequence(folder.path(), 30.0, 10);
        let row = |frame: usize, index: usize| {
            let [left, top, width, height] = place(index);
            format!("{frame},-1,{left:.2},{top:.2},{width},{height},0.9,-1,-1,-1\n")
        };
        let rows = (1..=frames).flat_map(|frame| (0..count).map(move |index| (frame, index)));
        let text: String = rows.map(|(frame, index)| row(frame, index)).collect();
        fs::write(folder.path().join("det/det.txt"), text).unwrap();
        for more in [&["--live"][..], &[]] {
            let begun = Instant::now();
            let told = summary(folder.path(), &[&["track", ".", "-o", "out.txt", "--json"][..], more].concat());
            let secs = begun.elapsed().as_secs_f64();
            assert_eq!((&told["detections"], &told["left_out"]), (&Value::from(count * frames), &Value::from(0)));
            // A cubic way takes minutes; machines that are busy take their time.
            assert!(secs < 30.0, "{frames} frames of {count} detections took {secs:.1} s {more:?}");
        }
    }
}

#[test]
fn files_that_were_swapped_are_told_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    sequence(folder.path(), 25.0, 50);
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("truth.txt", "1,1,10,10,20,40,1,1,0.9\n2,1,11,10,20,40,1,1,0.9\n");
    file("result.txt", "1,7,10,10,20,40,0.93,-1,-1,-1\n2,7,11,10,20,40,0.87,-1,-1,-1\n");
    file("found.txt", "1,-1,10,10,20,40,0.93,-1,-1,-1\n2,-1,11,10,20,40,0.87,-1,-1,-1\n");
    let cases = [
        ("result.txt", "result.txt", "result.txt: these are a tracker's results"),
        ("truth.txt", "truth.txt", "truth.txt: this is truth"),
        ("truth.txt", "found.txt", "found.txt: these are detections"),
        ("found.txt", "result.txt", "found.txt: these are detections"),
    ];
    for (truth, said, expected) in cases {
        let answer = ask(folder.path(), &["track", ".", "--gt", truth, "--score", said]);
        assert_eq!(answer.status, Some(3), "{truth} {said}: {}", answer.err);
        assert!(answer.err.contains(expected) && answer.err.contains("hint:"), "{}", answer.err);
    }
    let right = summary(folder.path(), &["track", ".", "--gt", "truth.txt", "--score", "result.txt", "--json"]);
    assert_eq!(right["score"]["clear"]["mota"], 1.0);
}

#[test]
fn truth_beyond_the_sequence_is_not_scored_and_said() {
    let folder = tempfile::tempdir().unwrap();
    sequence(folder.path(), 25.0, 2);
    let rows = |last: u32, name: u32| -> String {
        (1..=last).map(|frame| format!("{frame},{name},10,10,20,40,1,-1,-1,-1\n")).collect()
    };
    fs::write(folder.path().join("truth.txt"), rows(9, 1)).unwrap();
    fs::write(folder.path().join("result.txt"), rows(5, 7)).unwrap();
    let asked = ["track", ".", "--gt", "truth.txt", "--score", "result.txt"];
    let answer = ask(folder.path(), &[&asked[..], &["--json"]].concat());
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    let told: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((&told["truth_outside"], &told["rows_outside"]), (&Value::from(7), &Value::from(3)));
    assert_eq!((&told["score"]["frames"], &told["score"]["clear"]["misses"]), (&Value::from(2), &Value::from(0)));
    assert!(answer.err.contains("7 rows of the truth are beyond the last frame"), "{}", answer.err);
    // Who is there only later is nobody to judge by.
    fs::write(folder.path().join("truth.txt"), "8,1,10,10,20,40,1,-1,-1,-1\n").unwrap();
    let answer = ask(folder.path(), &asked);
    assert_eq!(answer.status, Some(3), "{}", answer.out);
    assert!(answer.err.contains("truth.txt: the truth has nobody in the frames of the sequence"), "{}", answer.err);
    fs::write(folder.path().join("det/det.txt"), "").unwrap();
    let answer = ask(folder.path(), &["track", ".", "--gt", "truth.txt", "-o", "out.txt"]);
    assert!(answer.status == Some(0) && answer.err.contains("there are no scores"), "{}", answer.err);
    assert!(!answer.out.contains("100.0"), "{}", answer.out);
}
