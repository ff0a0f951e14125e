//! Where paths met, who went on as whom. The tracker decides so frame by frame, often while one hides the other; of a
//! recording it is known how both came and how both went, and what does not fit is exchanged.

use std::collections::BTreeMap;

use crate::base::{ShopTime, Span, TrackId};
use crate::facts::DetectionClass;
use crate::geometry::PixelBox;

use super::motion::{Motion, follow};
use super::seen::Seen;

/// Paths are looked at in windows of this length, so that the work grows with the recording and not with its square.
const WINDOW_SPAN: Span = Span::from_millis(10_000);
/// What is known of the time before and after a window, in longest gaps: motion forgets sooner.
const MARGIN_GAPS: f64 = 2.0;
/// Paths that are further apart, in heights, have not met.
const HEIGHTS_APART_MAX: f64 = 1.0;
/// What each frame takes off the evidence, in which somebody is not seen.
const UNSEEN_COST: f64 = 0.5;
/// The most that a gap takes off: who is hidden stays so for any time.
const UNSEEN_COST_MAX: f64 = 4.0;
/// Boxes for which it counts that the noise is as it is taken to be.
const NOISE_PRIOR_BOXES: f64 = 100.0;
/// Exchanges in one window, for each of its paths.
const EXCHANGES_PER_PATH_MAX: usize = 4;
/// Exchanges that are looked at in one window, one for each pair of paths and place: more than there are where 100 people
/// meet all the time, at 30 frames a second. In a heap of a thousand boxes what was found up to there is all.
const WEIGHED_MAX: usize = 3_000_000;

/// A path in one window, followed both ways.
struct Line {
    track: TrackId,
    class: Option<DetectionClass>,
    boxes: Vec<(ShopTime, PixelBox)>,
    /// Numbers of their frames.
    frames: Vec<usize>,
    /// Motion after each box, of all boxes up to it.
    forth: Vec<Motion>,
    /// Motion at each box, of all boxes from it on, against time.
    back: Vec<Motion>,
    /// Of all boxes: the logarithm.
    evidence: f64,
    /// Around the middles of all boxes, and the height of the highest.
    middles: PixelBox,
    height_max: f64,
}

/// An exchange of everything after the first boxes of two paths.
#[derive(Clone, Copy)]
struct Cut {
    gain: f64,
    /// How many boxes each keeps.
    kept: [usize; 2],
}

/// The paths of one window.
struct Window<'a> {
    times: &'a [ShopTime],
    /// The first frame of the window, and the one after its last.
    frames: [usize; 2],
    span_max: Span,
    noise: [f64; 4],
    lines: Vec<Line>,
    /// Exchanges that were looked at.
    weighed: usize,
}

/// Exchanges what follows the meetings of two paths of one class, wherever that makes the motion of both likelier. A path
/// that ended may so be given the rest of another, and one that begins may have been another from then on; nobody is joined
/// over more than `span_max`. All paths together keep all boxes.
pub(super) fn exchange(paths: &mut BTreeMap<TrackId, Seen>, times: &[ShopTime], span_max: Span) {
    let noise = noise(paths);
    let margin = Span::from_secs(MARGIN_GAPS * span_max.as_secs());
    let mut first = 0;
    while let Some(&start) = times.get(first) {
        let end = first + times[first..].partition_point(|at| *at < start + WINDOW_SPAN).max(1);
        let (from, to) = (start - margin, times[end - 1] + margin);
        let mut window = Window { times, frames: [first, end], span_max, noise, lines: Vec::new(), weighed: 0 };
        for (track, seen) in paths.iter() {
            let boxes = &seen.boxes[seen.boxes.partition_point(|(at, _)| *at < from)..];
            let boxes = &boxes[..boxes.partition_point(|(at, _)| *at <= to)];
            if !boxes.is_empty() {
                window.lines.push(window.line(*track, seen.class, boxes.to_vec()));
            }
        }
        for (one, other, at) in window.exchanges() {
            let [mut here, mut there] = [one, other].map(|track| paths.remove(&track).unwrap_or_default());
            swap_after(&mut here, &mut there, at);
            paths.extend([(one, here), (other, there)]);
        }
        first = end;
    }
}

/// How many times as large as taken to be the variances of this recording are, which depend on detector, camera and people.
fn noise(paths: &BTreeMap<TrackId, Seen>) -> [f64; 4] {
    let (mut sums, mut count) = ([NOISE_PRIOR_BOXES; 4], NOISE_PRIOR_BOXES);
    for seen in paths.values() {
        for ((_, bounds), predicted, _) in follow(seen.boxes.iter()) {
            let Some(predicted) = predicted else { continue };
            count += 1.0;
            sums.iter_mut().zip(predicted.distances_squared(bounds)).for_each(|(sum, square)| *sum += square);
        }
    }
    sums.map(|sum| sum / count)
}

/// Exchanges all that comes after a time.
fn swap_after(one: &mut Seen, other: &mut Seen, at: ShopTime) {
    let kept = [&*one, &*other].map(|seen| seen.boxes.partition_point(|(seen_at, _)| *seen_at <= at));
    let rests = (one.boxes.split_off(kept[0]), one.scores.split_off(kept[0]));
    one.boxes.extend(other.boxes.split_off(kept[1]));
    one.scores.extend(other.scores.split_off(kept[1]));
    other.boxes.extend(rests.0);
    other.scores.extend(rests.1);
}

impl Line {
    /// Whether no two boxes of both are so near that they may have met, told without looking at each.
    fn never_meets(&self, other: &Line) -> bool {
        let [here, there] = [&self.middles, &other.middles];
        let across = (there.left - here.right).max(here.left - there.right);
        let down = (there.top - here.bottom).max(here.top - there.bottom);
        HEIGHTS_APART_MAX * self.height_max < across.max(down)
    }
}

impl Window<'_> {
    fn line(&self, track: TrackId, class: Option<DetectionClass>, boxes: Vec<(ShopTime, PixelBox)>) -> Line {
        let frames: Vec<usize> = boxes.iter().map(|(at, _)| self.times.partition_point(|time| time < at)).collect();
        let mut evidence: f64 = -frames.windows(2).map(|pair| unseen_cost(pair[0], pair[1])).sum::<f64>();
        let mut forth = Vec::with_capacity(boxes.len());
        for ((_, bounds), predicted, motion) in follow(boxes.iter()) {
            evidence += predicted.map_or(0.0, |predicted| predicted.evidence(bounds, &self.noise));
            forth.push(motion);
        }
        let mut back: Vec<Motion> = follow(boxes.iter().rev()).map(|(_, _, motion)| motion).collect();
        back.reverse();
        let middle = |bounds: &PixelBox| {
            let centre = bounds.centre();
            PixelBox::from_size(centre.x, centre.y, 0.0, 0.0)
        };
        let middles = boxes.iter().map(|(_, bounds)| middle(bounds)).reduce(|hull, one| hull.hull(&one));
        let height_max = boxes.iter().map(|(_, bounds)| bounds.height()).fold(0.0, f64::max);
        let middles = middles.unwrap_or(PixelBox::from_size(0.0, 0.0, 0.0, 0.0));
        Line { track, class, boxes, frames, forth, back, evidence, middles, height_max }
    }

    /// Exchanges, the one that gains most first, until none gains. Gives who was exchanged with whom, and the time after
    /// which they were.
    fn exchanges(&mut self) -> Vec<(TrackId, TrackId, ShopTime)> {
        let count = self.lines.len();
        let mut cuts: BTreeMap<(usize, usize), Cut> = BTreeMap::new();
        for one in 0..count {
            for other in one + 1..count {
                cuts.extend(self.cut(one, other).map(|cut| ((one, other), cut)));
            }
        }
        let mut done = Vec::new();
        while done.len() < EXCHANGES_PER_PATH_MAX * count && self.weighed < WEIGHED_MAX {
            self.weighed += cuts.len();
            let all = cuts.iter().map(|(pair, cut)| (*pair, *cut));
            let Some(((one, other), cut)) =
                all.reduce(|best, next| if best.1.gain < next.1.gain { next } else { best })
            else {
                break;
            };
            let Some(at) = self.apply(one, other, cut) else {
                cuts.remove(&(one, other));
                continue;
            };
            done.push((self.lines[one].track, self.lines[other].track, at));
            for index in 0..count {
                for changed in [one, other].into_iter().filter(|changed| *changed != index) {
                    let pair = (index.min(changed), index.max(changed));
                    match self.cut(pair.0, pair.1) {
                        Some(cut) => cuts.insert(pair, cut),
                        None => cuts.remove(&pair),
                    };
                }
            }
        }
        done
    }

    /// Exchanges, if that is likelier by all boxes, and gives the time after which it was.
    fn apply(&mut self, one: usize, other: usize, cut: Cut) -> Option<ShopTime> {
        let (here, there) = (&self.lines[one], &self.lines[other]);
        let (heads, rests) = (here.boxes.split_at(cut.kept[0]), there.boxes.split_at(cut.kept[1]));
        let first = self.line(here.track, here.class, [heads.0, rests.1].concat());
        let second = self.line(there.track, there.class, [rests.0, heads.1].concat());
        if first.evidence + second.evidence <= here.evidence + there.evidence {
            return None;
        }
        let at = [heads.0, rests.0].into_iter().filter_map(|kept| Some(kept.last()?.0)).max();
        (self.lines[one], self.lines[other]) = (first, second);
        at
    }

    /// The exchange of two paths that gains most, if any does, by the motion before and after it.
    fn cut(&mut self, one: usize, other: usize) -> Option<Cut> {
        let (one, other) = (&self.lines[one], &self.lines[other]);
        if one.class != other.class || one.never_meets(other) || WEIGHED_MAX <= self.weighed {
            return None;
        }
        let mut weighed = 0;
        let mut best: Option<Cut> = None;
        let [first, end] = self.frames;
        let mut kept = [one, other].map(|line| line.frames.partition_point(|frame| *frame < first));
        loop {
            let next = [one.frames.get(kept[0]), other.frames.get(kept[1])];
            let Some(frame) = next.into_iter().flatten().min().filter(|frame| **frame < end) else { break };
            kept = [0, 1].map(|line| kept[line] + usize::from(next[line] == Some(frame)));
            weighed += 1;
            let gain = self.gain(one, other, kept).unwrap_or(f64::NEG_INFINITY);
            if best.map_or(0.0, |best| best.gain) < gain {
                best = Some(Cut { gain, kept });
            }
        }
        self.weighed += weighed;
        best
    }

    /// What an exchange gains; `None` if it is none, or not to be thought of.
    fn gain(&self, one: &Line, other: &Line, kept: [usize; 2]) -> Option<f64> {
        let (one, other) = ((one, kept[0]), (other, kept[1]));
        let is_whole = |(line, kept): (&Line, usize)| kept == 0 || kept == line.boxes.len();
        let place = |(line, kept): (&Line, usize)| line.boxes[kept.max(1) - 1].1;
        let (here, there) = (place(one), place(other));
        let apart = here.centre().distance(there.centre());
        if (is_whole(one) && is_whole(other)) || HEIGHTS_APART_MAX * here.height() < apart {
            return None;
        }
        let mut gain = 0.0;
        for (before, after) in [(one, other), (other, one)] {
            if self.span_max < gap(before, after) {
                return None;
            }
            gain += self.link(before, after) - self.link(before, before);
        }
        Some(gain)
    }

    /// The evidence that what is kept of a path goes on with the rest of another.
    fn link(&self, before: (&Line, usize), after: (&Line, usize)) -> f64 {
        let ((line, kept), (other, from)) = (before, after);
        if kept == 0 || from == other.boxes.len() {
            return 0.0;
        }
        let evidence = line.forth[kept - 1].evidence_of(&other.back[from], gap(before, after).as_secs(), &self.noise);
        evidence - unseen_cost(line.frames[kept - 1], other.frames[from])
    }
}

/// The time between what is kept of a path and the rest of another; none where one of both is empty.
fn gap((before, kept): (&Line, usize), (after, from): (&Line, usize)) -> Span {
    let end = kept.checked_sub(1).map(|last| before.boxes[last].0);
    end.zip(after.boxes.get(from)).map_or(Span::ZERO, |(end, (start, _))| *start - end)
}

/// What a gap between two frames takes off the evidence.
fn unseen_cost(before: usize, after: usize) -> f64 {
    (UNSEEN_COST * after.saturating_sub(before + 1) as f64).min(UNSEEN_COST_MAX)
}
