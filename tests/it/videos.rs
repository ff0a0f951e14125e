//! Videos in and out, as people type it. Skips, saying so, where ffmpeg is not installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use aisle::image::{RgbImage, decode_picture, encode_jpeg, encode_png};
use serde_json::Value;

use super::cli::ask;
use super::left_out::left_out;

/// A clip of a test picture, made by ffmpeg; `None`, saying so, where that is not installed.
fn clip(folder: &Path, options: &[&str]) -> Option<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=161x121:rate=25:duration=1"]).args(options);
    let Ok(status) = command.current_dir(folder).status() else {
        left_out("ffmpeg", "install it");
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
        ask(folder.path(), &["see", "clip.avi", "-o", "seen.mp4", "--engine", "embedded", "--model", "aisle_people"]);
    assert_eq!(seen.status, Some(0), "{}", seen.err);
    assert!(seen.out.starts_with("seen.mp4: 25 frames, "), "{}", seen.out);
    // What was written is a video of as many frames; their sides are even now.
    let args = ["see", "seen.mp4", "-o", "again", "--json", "--engine", "embedded", "--model", "aisle_people"];
    let again = ask(folder.path(), &args);
    let rows: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(rows["frames"].as_array().map(Vec::len), Some(25));
    let first = fs::read(folder.path().join("again/000001.jpg")).unwrap();
    let picture = decode_picture(&first).unwrap();
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
    let args = ["see", "part.avi", "-o", "seen", "--engine", "embedded", "--model", "aisle_people"];
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

/// Looks at something with one model, into a folder or a video.
fn see(folder: &Path, from: &str, to: &str, more: &[&str]) -> super::cli::Answer {
    ask(folder, &[&["see", from, "-o", to, "--engine", "embedded", "--model", "aisle_people"][..], more].concat())
}

/// Videos of more than eight bits a colour, without colours, with half pictures, with pictures on their side.
#[test]
fn videos_of_all_kinds_of_pixels_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let kinds: [(&str, &[&str], (u32, u32)); 6] = [
        ("ten.mkv", &["-c:v", "ffv1", "-pix_fmt", "yuv420p10le"], (161, 121)),
        ("deep.mkv", &["-c:v", "ffv1", "-pix_fmt", "gray16le"], (161, 121)),
        ("grey.mkv", &["-c:v", "ffv1", "-pix_fmt", "gray"], (161, 121)),
        ("glass.mov", &["-c:v", "png", "-pix_fmt", "rgba64be"], (161, 121)),
        (
            "halves.avi",
            &["-vf", "scale=160:120", "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-top", "1"],
            (160, 120),
        ),
        ("screen.gif", &["-r", "5"], (161, 121)),
    ];
    for (name, options, size) in kinds {
        if clip(folder.path(), &[&["-frames:v", "5"][..], options, &[name]].concat()).is_none() {
            return;
        }
        let out = format!("{name}.seen");
        let seen = see(folder.path(), name, &out, &["--rate", "5"]);
        let as_picture = name.ends_with(".gif");
        if as_picture {
            // One picture of it, unless a video is asked for.
            assert_eq!(seen.status, Some(2), "{}", seen.err);
            assert_eq!(see(folder.path(), name, "screen.png", &[]).status, Some(0));
            let seen = see(folder.path(), name, "screen.mp4", &[]);
            assert!(seen.out.starts_with("screen.mp4: 5 frames"), "{} {}", seen.out, seen.err);
            continue;
        }
        assert_eq!((seen.status, seen.err.contains("damaged")), (Some(0), false), "{name}: {}", seen.err);
        assert!(seen.out.starts_with(&format!("{out}: 5 frames")), "{name}: {}", seen.out);
        let picture = decode_picture(&fs::read(folder.path().join(out).join("000005.jpg")).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), size, "{name}");
        // The test picture is neither black nor white.
        let mean = picture.pixels().iter().map(|value| u64::from(*value)).sum::<u64>() / picture.pixels().len() as u64;
        assert!((60..200).contains(&mean), "{name}: {mean}");
    }
    fs::remove_file(folder.path().join("screen.mp4")).unwrap();
    let turned = ["-c:v", "mpeg4", "-metadata:s:v", "rotate=90", "turned.mp4"];
    clip(folder.path(), &[&["-frames:v", "3", "-vf", "scale=160:120"][..], &turned].concat()).unwrap();
    let seen = see(folder.path(), "turned.mp4", "turned", &[]);
    assert_eq!(seen.status, Some(0), "{}", seen.err);
    let picture = decode_picture(&fs::read(folder.path().join("turned/000001.jpg")).unwrap()).unwrap();
    assert!(
        [(120, 160), (160, 120)].contains(&(picture.width(), picture.height())),
        "newer programs write no rotation"
    );
}

#[test]
fn what_is_no_video_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut sound = Command::new("ffmpeg");
    sound.args(["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "sound.wav"]).current_dir(folder.path());
    let Ok(status) = sound.status() else {
        left_out("ffmpeg", "install it");
        return;
    };
    assert!(status.success());
    let told = |from: &str, to: &str| {
        let answer = see(folder.path(), from, to, &[]);
        assert_eq!(answer.status, Some(3), "{} {}", answer.out, answer.err);
        answer.err
    };
    assert!(told("sound.wav", "out").contains("sound.wav: there is sound in it, and no video"));
    fs::write(folder.path().join("photo.jpg"), "no picture").unwrap();
    let err = told("photo.jpg", "seen.png");
    assert!(
        err.contains("photo.jpg: this is no picture of a kind that is read") && err.contains("-o seen.mp4"),
        "{err}"
    );
    assert!(told("photo.jpg", "out").contains("no video that can be read"));
    assert!(!folder.path().join("seen.png").exists() && !folder.path().join("out").exists());
    // A file of pictures that are each for themselves, cut between two of them: nobody but the count tells.
    clip(folder.path(), &["-c:v", "mjpeg", "whole.avi"]).unwrap();
    let whole = fs::read(folder.path().join("whole.avi")).unwrap();
    // The head of the file names the kind of its pictures too.
    let pictures = whole.windows(4).position(|four| four == b"movi").unwrap();
    let begins: Vec<usize> = (pictures..whole.len()).filter(|at| whole[*at..].starts_with(b"00dc")).collect();
    fs::write(folder.path().join("part.avi"), &whole[..begins[12]]).unwrap();
    let err = told("part.avi", "part");
    assert!(err.contains("after 12 of 25 frames"), "{err}");
    assert_eq!(fs::read_dir(folder.path().join("part")).unwrap().count(), 12);
}

#[test]
fn without_the_program_a_video_is_refused_and_a_folder_is_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("clip.mp4"), "whatever").unwrap();
    let args = ["see", "clip.mp4", "-o", "seen", "--engine", "embedded", "--model", "aisle_people"];
    let output = super::cli::aisle(folder.path(), &args).env("PATH", folder.path()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && err.contains("the program ffprobe is not installed"), "{err}");
}

/// A small picture of one colour.
fn shade(level: u8, width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixels(width, height, vec![level; (3 * width * height) as usize]).unwrap()
}

#[test]
fn frames_of_a_folder_come_in_the_order_of_their_numbers_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("frames");
    fs::create_dir(&frames).unwrap();
    let names: Vec<String> =
        (1..=12).map(|number| format!("clip_{number}.{}", ["png", "jpg", "jfif"][number % 3])).collect();
    for (name, level) in names.iter().zip(1..) {
        // Every ending lies, and one of them is of no picture.
        fs::write(frames.join(name), encode_png(&shade(20 * level, 40, 30)).unwrap()).unwrap();
    }
    fs::write(frames.join("notes.txt"), "clip of Tuesday").unwrap();
    fs::write(frames.join(".hidden.png"), "nothing").unwrap();
    let seen = see(folder.path(), "frames", "seen", &["--json"]);
    assert_eq!(seen.status, Some(0), "{}", seen.err);
    let answer: Value = serde_json::from_str(&seen.out).unwrap();
    let order: Vec<&str> =
        answer["frames"].as_array().unwrap().iter().filter_map(|row| row["picture"].as_str()).collect();
    assert_eq!(order, names);
    assert_eq!((&answer["other_files"], &answer["dropped_undecodable"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(fs::read_dir(folder.path().join("seen")).unwrap().count(), 12);
}

#[test]
fn frames_that_are_damaged_or_of_several_sizes_are_told_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("frames");
    fs::create_dir(&frames).unwrap();
    let whole = encode_png(&shade(90, 40, 30)).unwrap();
    for name in ["1.png", "2.png", "10.png"] {
        fs::write(frames.join(name), &whole).unwrap();
    }
    // Two frames of one stem, one of them of another size; one broken off; one that claims too much.
    fs::write(frames.join("2.jpg"), encode_png(&shade(90, 20, 30)).unwrap()).unwrap();
    fs::write(frames.join("3.png"), &whole[..whole.len() - 20]).unwrap();
    let mut bomb = encode_jpeg(&shade(90, 40, 30), 80).unwrap();
    let head = bomb.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    bomb[head + 5..head + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
    fs::write(frames.join("4.png"), bomb).unwrap();
    let seen = see(folder.path(), "frames", "seen", &[]);
    assert_eq!(seen.status, Some(3), "{} {}", seen.out, seen.err);
    assert!(seen.out.starts_with("seen: 4 frames, ") && seen.out.contains("1 of 20x30, 3 of 40x30"), "{}", seen.out);
    assert!(
        seen.err.contains("2 of 6 frames cannot be decoded and were left out: 3.png (") && seen.err.contains("4.png ("),
        "{}",
        seen.err
    );
    let mut written: Vec<String> = fs::read_dir(folder.path().join("seen"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    assert_eq!(written, ["1.jpg", "10.jpg", "2.jpg", "2.png.jpg"]);
    let json = see(folder.path(), "frames", "again", &["--json"]);
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(answer["dropped_undecodable"], 2);
    assert!(answer["frames"][4]["undecodable"].as_str().is_some_and(|why| why.contains("16383x16383")), "{answer}");
}
