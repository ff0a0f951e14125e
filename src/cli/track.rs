//! `aisle track`: who is who in the detections of one camera.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::base::text::plain;
use crate::base::{Error, Result, TrackId};
use crate::eval::tracks::{Observed, TrackScore, TruthBox, TruthKind, compare_boxes};
use crate::facts::{Detection, DetectionClass};
use crate::geometry::PixelBox;
use crate::output;
use crate::replay::motchallenge::{self, Row, RowsOf, Sequence};
use crate::tracking::tracklets::{Counters, Options, PathOptions, Paths, ScoreScale, Tracker};

/// Track the people that a detector saw in a MOTChallenge sequence; evaluate tracks against ground truth (HOTA, IDF1, MOTA).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aisle track TUD-Campus -o out.txt                              from det/det.txt to result rows
  aisle track TUD-Campus --det yolox.txt -o out.txt --json       other detections; a summary for machines
  aisle track TUD-Campus --score out.txt                         judge rows of any tracker against gt/gt.txt

SEQUENCE_DIR holds seqinfo.ini, det/det.txt and perhaps gt/gt.txt; with truth the scores are printed too.
Rows are frame,id,left,top,width,height,confidence,-1,-1,-1, in pixels, frames from 1.

Exit status 0: done. 2: wrong arguments. 3: a file is not what it should be. 4: refused by the system.")]
pub(super) struct Track {
    /// A folder of MOTChallenge.
    #[arg(value_name = "SEQUENCE_DIR")]
    folder: PathBuf,
    /// Detections, instead of det/det.txt; a path, or the name of a file in the folder's det.
    #[arg(long, value_name = "FILE")]
    det: Option<PathBuf>,
    /// Where the result rows go; a file of this name is replaced.
    #[arg(short, long, value_name = "FILE", required_unless_present = "score")]
    output: Option<PathBuf>,
    /// Online mode: write what is known at each frame; nothing is smoothed, joined or filled in later.
    #[arg(long)]
    live: bool,
    /// Evaluate these result rows instead of tracking.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["det", "output", "live"])]
    score: Option<PathBuf>,
    /// Ground truth, instead of gt/gt.txt.
    #[arg(long, value_name = "FILE")]
    gt: Option<PathBuf>,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// What came of tracking.
struct Tracked {
    detections: usize,
    /// Rows of detections whose frame is not one of the sequence.
    outside: usize,
    counters: Counters,
    rows: Vec<Row>,
}

/// What came of judging.
struct Judged {
    /// None where the truth counts nobody.
    score: Option<TrackScore>,
    /// Rows of truth and of tracks whose frame is not one of the sequence.
    truth_outside: usize,
    rows_outside: usize,
}

/// What is said of truth by which nothing can be judged.
const NOBODY: &str = "the truth has nobody in the frames of the sequence who counts";

impl Track {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file cannot be read, is broken, or the rows cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let sequence = Sequence::read(&self.folder)?;
        let truth = self.truth()?;
        if let Some(path) = &self.score {
            return self.judge_rows(&sequence, truth, path);
        }
        let Some(output) = self.output.as_deref() else {
            return Err(Error::usage("say where the rows go: -o FILE"));
        };
        let detections = self.detections_path();
        // Rows may lie in the folder of the sequence; what counts is which of its files are read.
        let read = [self.folder.join("seqinfo.ini"), detections, self.truth_path()];
        output::check_inputs(output, read.iter().map(PathBuf::as_path))?;
        let tracked = self.track(&sequence)?;
        output::write(output, motchallenge::write_rows(&tracked.rows).as_bytes())?;
        let judged = truth.map(|truth| Judged::of(&sequence, truth, &tracked.rows));
        self.report(&sequence, &tracked, output, judged.as_ref())
    }

    /// Judges the rows of some tracker.
    fn judge_rows(&self, sequence: &Sequence, truth: Option<Vec<Row>>, path: &Path) -> Result<()> {
        let rows = motchallenge::read_rows(path, RowsOf::Tracks)?;
        let Some(truth) = truth else {
            let missing = Error::missing("there is no truth to judge by").at_path(&self.folder);
            return Err(missing.hint("put it into gt/gt.txt, or name it with --gt FILE"));
        };
        let judged = Judged::of(sequence, truth, &rows);
        let Some(score) = &judged.score else {
            return Err(Error::input(NOBODY).at_path(&self.truth_path()).hint("its seventh field is 1 for who counts"));
        };
        judged.warn();
        let summary = json!({
            "sequence": sequence.name, "rows": rows.len(), "rows_outside": judged.rows_outside,
            "truth_outside": judged.truth_outside, "score": score,
        });
        super::print(&if self.json { format!("{summary}\n") } else { score.to_text() })
    }

    fn truth(&self) -> Result<Option<Vec<Row>>> {
        let path = self.truth_path();
        let is_there = self.gt.is_some() || path.is_file();
        is_there.then(|| motchallenge::read_rows(&path, RowsOf::Truth)).transpose()
    }

    fn truth_path(&self) -> PathBuf {
        self.gt.clone().unwrap_or_else(|| motchallenge::truth_path(&self.folder))
    }

    fn track(&self, sequence: &Sequence) -> Result<Tracked> {
        let mut rows = motchallenge::read_rows(&self.detections_path(), RowsOf::Detections)?;
        let detections = rows.len();
        rows.retain(|row| row.frame <= sequence.frames);
        let outside = detections - rows.len();
        let scale = ScoreScale::of(rows.iter().map(|row| row.confidence));
        let mut tracker = Tracker::new(Options::default());
        let (mut paths, mut live) = (Paths::default(), Vec::new());
        let mut rest = rows.as_slice();
        for frame in 1..=sequence.frames {
            let (here, later) = rest.split_at(rest.partition_point(|row| row.frame <= frame));
            rest = later;
            let seen: Vec<Detection> = here.iter().map(|row| detection(row, &scale)).collect();
            let tracklets = tracker.step(sequence.time(frame), &seen);
            if self.live {
                let sure = tracklets.iter().filter(|one| one.confirmed);
                live.extend(sure.map(|one| result_row(frame, one.track, one.bounds, one.score)));
            } else {
                paths.add(sequence.time(frame), &seen, &tracklets);
            }
        }
        let mut rows = live;
        for (track, path) in paths.finish(&PathOptions::default()) {
            rows.extend(path.iter().map(|at| result_row(sequence.frame_at(at.at), track, at.bounds, at.score)));
        }
        rows.sort_by_key(|row| (row.frame, row.id));
        Ok(Tracked { detections, outside, counters: tracker.counters(), rows })
    }

    fn detections_path(&self) -> PathBuf {
        let usual = motchallenge::detections_path(&self.folder);
        match &self.det {
            None => usual,
            Some(path) => {
                let beside = usual.with_file_name(path);
                if !path.exists() && beside.exists() { beside } else { path.clone() }
            }
        }
    }

    fn report(&self, sequence: &Sequence, tracked: &Tracked, output: &Path, judged: Option<&Judged>) -> Result<()> {
        let score = judged.and_then(|judged| judged.score.as_ref());
        let Tracked { detections, outside, counters, rows } = tracked;
        let tracks = rows.iter().map(|row| row.id).collect::<BTreeSet<_>>().len();
        let Counters { odd_detections, excess_detections, late_frames, excess_tracks } = *counters;
        let left_out = *outside as u64 + excess_detections + odd_detections;
        if self.json {
            let summary = json!({
                "sequence": sequence.name, "frames": sequence.frames, "detections": detections,
                "left_out": left_out, "late_frames": late_frames, "tracks_not_begun": excess_tracks, "tracks": tracks, "rows": rows.len(), "output": output,
                "truth_outside": judged.map(|judged| judged.truth_outside), "score": score,
            });
            return super::print(&format!("{summary}\n"));
        }
        if 0 < left_out {
            super::warn(&format!(
                "{left_out} detections are beyond the last frame, no boxes, or too many in one frame, and were left out"
            ));
        }
        if 0 < late_frames {
            super::warn(&format!("{late_frames} frames are not later than the one before, and were left out"));
        }
        if 0 < excess_tracks {
            super::warn(&format!("{excess_tracks} tracks were not begun, as there were too many at once"));
        }
        if let Some(judged) = judged {
            judged.warn();
        }
        let mut text = format!(
            "{}: {detections} detections in {} frames, {tracks} tracks, {} rows in {}\n",
            plain(&sequence.name),
            sequence.frames,
            rows.len(),
            plain(&output.to_string_lossy())
        );
        text += &score.map_or_else(String::new, TrackScore::to_text);
        super::print(&text)
    }
}

fn detection(row: &Row, scale: &ScoreScale) -> Detection {
    Detection {
        class: DetectionClass::Person,
        bounds: row.bounds,
        score: scale.apply(row.confidence),
        keypoints: Vec::new(),
        embedding: Vec::new(),
        held: None,
    }
}

fn result_row(frame: u32, track: TrackId, bounds: PixelBox, confidence: f64) -> Row {
    Row { frame, id: track.number() as i64, bounds, confidence, class: None }
}

impl Judged {
    /// Judges rows by truth, both only where the sequence has frames.
    fn of(sequence: &Sequence, truth: Vec<Row>, said: &[Row]) -> Self {
        let is_mot20 = sequence.name.starts_with("MOT20");
        let observed = |row: &Row| Observed { frame: u64::from(row.frame), id: row.id, place: row.bounds };
        let (inside, outside): (Vec<Row>, Vec<Row>) = truth.into_iter().partition(|row| row.frame <= sequence.frames);
        let truth: Vec<TruthBox> = inside
            .iter()
            .map(|row| TruthBox {
                seen: observed(row),
                kind: TruthKind::of(row.confidence != 0.0, row.class, is_mot20),
            })
            .collect();
        let here: Vec<Observed<PixelBox>> =
            said.iter().filter(|row| row.frame <= sequence.frames).map(observed).collect();
        let counts = truth.iter().any(|one| one.kind == TruthKind::Counted);
        Judged {
            score: counts.then(|| TrackScore::of(&compare_boxes(&truth, &here))),
            truth_outside: outside.len(),
            rows_outside: said.len() - here.len(),
        }
    }

    /// Says what was not judged.
    fn warn(&self) {
        if self.score.is_none() {
            eprintln!("warning: {NOBODY}; there are no scores");
        }
        for (count, what) in [(self.truth_outside, "rows of the truth"), (self.rows_outside, "rows of the tracks")] {
            if 0 < count {
                eprintln!("warning: {count} {what} are beyond the last frame of the sequence, and are not judged");
            }
        }
    }
}
