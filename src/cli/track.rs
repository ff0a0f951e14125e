//! `aisle track`: who is who in the detections of one camera.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::base::text::plain;
use crate::base::{Error, Result, TrackId};
use crate::eval::tracks::{Observed, TrackScore, TruthBox, TruthKind, compare_boxes};
use crate::facts::{Detection, DetectionClass};
use crate::geometry::PixelBox;
use crate::replay::motchallenge::{self, Row, RowsOf, Sequence};
use crate::tracking::tracklets::{Counters, Options, PathOptions, Paths, ScoreScale, Tracker};

/// Follow the people that a detector saw in a sequence of MOTChallenge; judge tracks against its truth.
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
    /// Write what is known at each frame: nothing is smoothed, joined or filled in later.
    #[arg(long)]
    live: bool,
    /// Judge these result rows, instead of tracking.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["det", "output", "live"])]
    score: Option<PathBuf>,
    /// Truth, instead of gt/gt.txt.
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

impl Track {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file cannot be read, is broken, or the rows cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let sequence = Sequence::read(&self.folder)?;
        let truth = self.truth()?;
        if let Some(path) = &self.score {
            let rows = motchallenge::read_rows(path, RowsOf::Tracks)?;
            let Some(truth) = truth else {
                let missing = Error::missing("there is no truth to judge by").at_path(&self.folder);
                return Err(missing.hint("put it into gt/gt.txt, or name it with --gt FILE"));
            };
            let score = judge(&sequence, &truth, &rows);
            let summary = json!({ "sequence": sequence.name, "rows": rows.len(), "score": score });
            return super::print(&if self.json { format!("{summary}\n") } else { score.to_text() });
        }
        let tracked = self.track(&sequence)?;
        let Some(output) = self.output.as_deref() else {
            return Err(Error::usage("say where the rows go: -o FILE"));
        };
        fs::write(output, motchallenge::write_rows(&tracked.rows))
            .map_err(|error| Error::io("write the tracks", output, &error))?;
        let score = truth.map(|truth| judge(&sequence, &truth, &tracked.rows));
        self.report(&sequence, &tracked, output, score.as_ref())
    }

    fn truth(&self) -> Result<Option<Vec<Row>>> {
        let usual = motchallenge::truth_path(&self.folder);
        let path = self.gt.clone().or_else(|| usual.is_file().then_some(usual));
        path.map(|path| motchallenge::read_rows(&path, RowsOf::Tracks)).transpose()
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

    fn report(&self, sequence: &Sequence, tracked: &Tracked, output: &Path, score: Option<&TrackScore>) -> Result<()> {
        let Tracked { detections, outside, counters, rows } = tracked;
        let tracks = rows.iter().map(|row| row.id).collect::<BTreeSet<_>>().len();
        let Counters { odd_detections, excess_detections, late_frames, excess_tracks } = *counters;
        let left_out = *outside as u64 + excess_detections + odd_detections;
        if self.json {
            let summary = json!({
                "sequence": sequence.name, "frames": sequence.frames, "detections": detections,
                "left_out": left_out, "late_frames": late_frames, "tracks_not_begun": excess_tracks, "tracks": tracks, "rows": rows.len(), "output": output, "score": score,
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

fn judge(sequence: &Sequence, truth: &[Row], said: &[Row]) -> TrackScore {
    let is_mot20 = sequence.name.starts_with("MOT20");
    let observed = |row: &Row| Observed { frame: u64::from(row.frame), id: row.id, place: row.bounds };
    let truth: Vec<TruthBox> = truth
        .iter()
        .map(|row| TruthBox { seen: observed(row), kind: TruthKind::of(row.confidence != 0.0, row.class, is_mot20) })
        .collect();
    let said: Vec<Observed<PixelBox>> = said.iter().map(observed).collect();
    TrackScore::of(&compare_boxes(&truth, &said))
}
