//! Videos in and out, as people type it. Skips, saying so, where ffmpeg is not installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use aisle::image::decode_jpeg;
use serde_json::Value;

use super::cli::ask;

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
    let seen =
        ask(folder.path(), &["see", "clip.avi", "-o", "seen.mp4", "--engine", "embedded", "--network", "aisle_people"]);
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
