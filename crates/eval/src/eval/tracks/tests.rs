use super::{Observed, Scene, TrackScore, TruthBox, TruthKind, compare_boxes};
use crate::geometry::{Floor, PixelBox, Point};

fn seen(frame: u64, id: i64, left: f64) -> Observed<PixelBox> {
    Observed { frame, id, place: PixelBox::from_size(left, 0.0, 10.0, 20.0) }
}

fn stood(frame: u64, id: i64, x: f64) -> Observed<Point<Floor>> {
    Observed { frame, id, place: Point::new(x, 0.0, 0.0) }
}

#[test]
fn saying_what_was_there_is_perfect_and_saying_nothing_is_worth_nothing() {
    let truth: Vec<_> = (1..=5).flat_map(|frame| [seen(frame, 1, 0.0), seen(frame, 2, 100.0)]).collect();
    let same = TrackScore::of(&Scene::of_boxes(&truth, &truth));
    let all = [same.clear.mota, same.clear.motp, same.identity.f1, same.hota.hota, same.hota.association];
    assert!(all.iter().all(|score| (score - 1.0).abs() < 1e-12), "{all:?}");
    assert_eq!((same.frames, same.truth_ids, same.clear.mostly_tracked), (5, 2, 2));
    let silent = TrackScore::of(&Scene::of_boxes(&truth, &[]));
    assert_eq!((silent.clear.misses, silent.clear.mota, silent.identity.f1, silent.hota.hota), (10, 0.0, 0.0, 0.0));
    let invented = TrackScore::of(&Scene::of_boxes(&[], &truth));
    assert_eq!((invented.clear.false_positives, invented.clear.mota, invented.identity.f1), (10, 0.0, 0.0));
    let nothing = TrackScore::of(&Scene::of_boxes(&[], &[]));
    assert_eq!((nothing.frames, nothing.clear.mota), (0, 0.0));
}

#[test]
fn a_switch_costs_once_frame_by_frame_and_half_over_the_sequence() {
    let truth: Vec<_> = (1..=10).map(|frame| seen(frame, 1, 0.0)).collect();
    let said: Vec<_> = (1..=10).map(|frame| seen(frame, if frame <= 5 { 7 } else { 8 }, 0.0)).collect();
    let score = TrackScore::of(&Scene::of_boxes(&truth, &said));
    assert_eq!((score.clear.switches, score.clear.fragmentations, score.clear.mota), (1, 0, 0.9));
    assert_eq!((score.identity.right, score.identity.f1), (5, 0.5));
    // Detection is perfect; each pair shares half of the thing with all of the track.
    assert!((score.hota.detection - 1.0).abs() < 1e-12 && (score.hota.association - 0.5).abs() < 1e-12);
    let gap: Vec<_> = said.iter().filter(|one| one.frame != 3).map(|one| Observed { id: 7, ..*one }).collect();
    assert_eq!(TrackScore::of(&Scene::of_boxes(&truth[..2], &gap[..2])).clear.fragmentations, 0);
    let two: Vec<_> = truth.iter().flat_map(|one| [*one, seen(one.frame, 2, 500.0)]).collect();
    let beside: Vec<_> = gap.into_iter().chain((1..=10).map(|frame| seen(frame, 9, 500.0))).collect();
    assert_eq!(TrackScore::of(&Scene::of_boxes(&two, &beside)).clear.fragmentations, 1);
}

#[test]
fn on_the_floor_who_is_within_the_gate_is_found() {
    let truth = [stood(1, 1, 0.0), stood(2, 1, 0.0), stood(3, 1, 0.0)];
    let cases = [(0.49, 3, 1.0), (0.5, 3, 1.0), (0.51, 0, -1.0)];
    for (off, matches, moda) in cases {
        let said: Vec<_> = truth.iter().map(|one| stood(one.frame, 5, off)).collect();
        let score = TrackScore::of(&Scene::of_points(&truth, &said, 0.5));
        assert_eq!((score.clear.matches, score.clear.moda), (matches, moda), "{off} m");
    }
}

#[test]
fn distractors_excuse_and_ignored_things_do_not() {
    let there = |id, left, kind| TruthBox { seen: seen(1, id, left), kind };
    let truth = [
        there(1, 0.0, TruthKind::of(true, Some(1), false)),
        there(2, 100.0, TruthKind::of(true, Some(8), false)),
        there(3, 200.0, TruthKind::of(false, Some(1), false)),
        there(4, 300.0, TruthKind::of(true, Some(6), true)),
    ];
    let said = [seen(1, 1, 1.0), seen(1, 2, 101.0), seen(1, 3, 201.0), seen(1, 4, 300.0)];
    let clear = TrackScore::of(&compare_boxes(&truth, &said)).clear;
    assert_eq!((clear.matches, clear.false_positives, clear.misses), (1, 1, 0));
    let kinds = [(true, None, false), (false, None, false), (true, Some(3), false), (true, Some(6), false)];
    let kinds = kinds.map(|(flag, class, is_mot20)| TruthKind::of(flag, class, is_mot20));
    assert_eq!(kinds, [TruthKind::Counted, TruthKind::Ignored, TruthKind::Ignored, TruthKind::Ignored]);
}
