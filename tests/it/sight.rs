//! People on the floor from what cameras see, as people type it.

use std::fs;
use std::path::Path;
use std::process::Command;

use aisle::image::decode_jpeg;
use serde_json::Value;

use super::cli::ask;

/// The convenience shop with clocks that are up to a fifth of a second apart; the networks are the truth with a noise of two
/// pixels and without what is hidden.
#[test]
fn people_and_their_hands_are_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = ask(
        folder.path(),
        &["simulate", "--shop", "convenience", "--seed", "3", "--seconds", "45", "--level", "room", "-o", "trip.mcap"],
    );
    assert_eq!(simulated.status, Some(0), "{}", simulated.err);
    let seen = ask(folder.path(), &["see", "trip.mcap", "--truth", "--noise", "2", "--json"]);
    assert_eq!((seen.status, seen.err.as_str()), (Some(0), ""));
    let summary: Value = serde_json::from_str(&seen.out).unwrap();
    let number = |pointer: &str| summary.pointer(pointer).and_then(Value::as_f64).unwrap();
    assert!(0.95 <= number("/score/floor/identity/f1"), "{summary}");
    assert!(number("/score/floor_errors/median_metres") < 0.1, "{summary}");
    assert!(number("/score/wrist_errors/median_metres") < 0.08, "{summary}");
    assert!(500.0 < number("/score/wrist_errors/count"), "{summary}");
    for camera in summary["cameras"].as_array().unwrap() {
        let [told, really] = ["clock_ahead_secs", "really_ahead_secs"].map(|key| camera[key].as_f64().unwrap());
        assert!((told - really).abs() < 0.03, "{camera}");
    }
}

#[test]
fn truth_is_for_recordings_that_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = ask(
        folder.path(),
        &["simulate", "--shop", "convenience", "--cut", "tracked", "--scenario", "single-pick", "-o", "trip.mcap"],
    );
    assert_eq!(made.status, Some(0), "{}", made.err);
    let none = ask(folder.path(), &["see", "trip.mcap", "--truth"]);
    assert_eq!(none.status, Some(3));
    assert!(none.err.contains("this recording has no truth about frames"), "{}", none.err);
    let folder_of_frames = ask(folder.path(), &["see", ".", "--truth", "-o", "out"]);
    assert_eq!(folder_of_frames.status, Some(2), "{}", folder_of_frames.err);
    assert!(folder_of_frames.err.contains("--truth is for recordings"), "{}", folder_of_frames.err);
}

/// A clip of a test picture, made by ffmpeg; `None`, saying so, where that is not installed.
fn clip(folder: &Path, options: &[&str]) -> Option<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=161x121:rate=25:duration=1"]).args(options);
    let Ok(status) = command.current_dir(folder).status() else {
        eprintln!("skipped: the program ffmpeg is not installed");
        return None;
    };
    assert!(status.success());
    Some(())
}

#[test]
fn a_video_comes_in_and_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    if clip(folder.path(), &["clip.avi"]).is_none() {
        return;
    }
    let seen = ask(folder.path(), &["see", "clip.avi", "-o", "seen.mp4", "--engine", "embedded", "--network", "aisle_people"]);
    assert_eq!(seen.status, Some(0), "{}", seen.err);
    assert!(seen.out.starts_with("seen.mp4: 25 frames, "), "{}", seen.out);
    // What was written is a video of as many frames; their sides are even now.
    let args = ["see", "seen.mp4", "-o", "again", "--json", "--engine", "embedded", "--network", "aisle_people"];
    let again = ask(folder.path(), &args);
    let rows: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(rows["frames"].as_array().map(Vec::len), Some(25));
    let first = fs::read(folder.path().join("again/000001.jpg")).unwrap();
    let picture = decode_jpeg(&first).unwrap();
    assert_eq!((picture.width(), picture.height()), (162, 122));
}

#[test]
fn a_video_that_breaks_off_is_looked_at_up_to_the_break() {
    let folder = tempfile::tempdir().unwrap();
    // Motion JPEG has every frame for itself, so that it is known what is left.
    if clip(folder.path(), &["-c:v", "mjpeg", "clip.avi"]).is_none() {
        return;
    }
    let whole = fs::read(folder.path().join("clip.avi")).unwrap();
    fs::write(folder.path().join("part.avi"), &whole[..whole.len() / 2]).unwrap();
    let args = ["see", "part.avi", "-o", "seen", "--engine", "embedded", "--network", "aisle_people"];
    let seen = ask(folder.path(), &args);
    assert_eq!(seen.status, Some(3), "{} {}", seen.out, seen.err);
    assert!(seen.err.contains("part.avi: the video is damaged or broken off after "), "{}", seen.err);
    let kept = fs::read_dir(folder.path().join("seen")).unwrap().count();
    assert!((8..25).contains(&kept), "{kept} frames");
    assert!(seen.out.starts_with(&format!("seen: {kept} frames, ")), "{}", seen.out);
    fs::write(folder.path().join("none.mp4"), "no video").unwrap();
    let none = ask(folder.path(), &["see", "none.mp4", "-o", "none"]);
    assert_eq!(none.status, Some(3));
    assert!(none.err.contains("none.mp4: no video that can be read"), "{}", none.err);
}
