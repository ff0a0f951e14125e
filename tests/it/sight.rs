//! People on the floor from what cameras see, as people type it.

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
