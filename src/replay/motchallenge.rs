//! Sequences, detections, truth and results as MOTChallenge writes them (Leal-Taixé et al., MOTChallenge 2015; Milan
//! et al., MOT16): a `seqinfo.ini`, and text with one box a line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::figures::fixed;
use crate::base::{Error, Result, ShopTime, Span};
use crate::geometry::PixelBox;

/// Bytes of one text file that are read; 20 million rows.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Problems of one file that are listed.
const PROBLEMS_MAX: usize = 20;
/// Frames of one sequence: more than a month at 30 a second.
const FRAMES_MAX: u32 = 100_000_000;
/// Frames a second, at least: one a minute. So the times of all frames fit into those of a shop.
const FRAME_RATE_MIN: f64 = 1.0 / 60.0;
/// Edges and sizes beyond this are no pixels.
const PIXELS_MAX: f64 = 1e6;

/// A sequence folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its name; that of the folder where it says none.
    pub name: String,
    /// Frames a second.
    pub frame_rate: f64,
    /// How many frames it has, numbered from 1.
    pub frames: u32,
}

/// One line: somebody in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Frame, from 1.
    pub frame: u32,
    /// Who it is; -1 in detections.
    pub id: i64,
    /// Where; the picture's top left corner is (0, 0) here and in the file, as every reader of these files takes it.
    pub bounds: PixelBox,
    /// Of a detection how sure it is, in any unit. In truth 0 for what does not count.
    pub confidence: f64,
    /// What it is, from MOT16 on: 1 is a pedestrian. `None` in files of the older form.
    pub class: Option<u32>,
}

/// What a file of rows is for: it decides what is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsOf {
    /// Ids mean nothing.
    Detections,
    /// What a tracker said: nobody is twice in a frame.
    Tracks,
    /// What was there: the same, and a flag in the place of the confidence.
    Truth,
}

impl Sequence {
    /// Reads `seqinfo.ini` of a folder.
    ///
    /// # Errors
    /// When it is not there or says no frame rate or length that can be.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("seqinfo.ini");
        let hint = "a sequence folder of MOTChallenge has a seqinfo.ini, and det/det.txt";
        let text = read_text(&path).map_err(|error| error.hint(hint))?;
        let mut values: BTreeMap<String, (u64, String)> = BTreeMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with(['[', ';', '#']) {
                continue;
            }
            let Some((key, value)) = text.split_once('=') else {
                return Err(Error::input("this is not `name=value`").at_path(&path).at_line(line));
            };
            values.insert(key.trim().to_lowercase(), (line, value.trim().to_owned()));
        }
        let number = |key: &str, least: f64, most: f64| -> Result<f64> {
            let missing = || Error::input(format!("`{key}` is missing")).at_path(&path).hint(hint);
            let (line, text) = values.get(&key.to_lowercase()).ok_or_else(missing)?;
            let value = text.parse().ok().filter(|value: &f64| least <= *value && *value <= most);
            let wrong = format!("`{key}={text}`: write a number from {least} to {most}");
            value.ok_or_else(|| Error::input(wrong).at_path(&path).at_line(*line))
        };
        let named = values.get("name").map(|(_, name)| name.clone()).filter(|name| !name.is_empty());
        let folder_name = || folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Sequence {
            name: named.unwrap_or_else(folder_name),
            frame_rate: number("frameRate", FRAME_RATE_MIN, 1e6)?,
            frames: number("seqLength", 1.0, f64::from(FRAMES_MAX))?.ceil() as u32,
        })
    }
}

impl Sequence {
    /// When a frame was taken, from the first one on.
    pub fn time(&self, frame: u32) -> ShopTime {
        ShopTime::from_nanos(0) + Span::from_secs((f64::from(frame) - 1.0) / self.frame_rate)
    }

    /// Which frame was taken at a time, the nearest.
    pub fn frame_at(&self, at: ShopTime) -> u32 {
        (at.secs_since(self.time(1)) * self.frame_rate).round() as u32 + 1
    }
}

/// Where the detections of a sequence folder lie.
pub fn detections_path(folder: &Path) -> PathBuf {
    folder.join("det").join("det.txt")
}

/// Where the truth of a sequence folder lies, if there is any.
pub fn truth_path(folder: &Path) -> PathBuf {
    folder.join("gt").join("gt.txt")
}

/// Reads a file of rows, in order of frames; rows of one frame stay in the order of the file.
///
/// # Errors
/// When it cannot be read, or has rows that are none; the error lists them by line.
pub fn read_rows(path: &Path, of: RowsOf) -> Result<Vec<Row>> {
    let text = read_text(path)?;
    let mut rows: Vec<(u64, Row)> = Vec::new();
    let mut problems = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        match Row::parse(text) {
            Ok(row) => rows.push((line, row)),
            Err(problem) => problems.push((line, problem)),
        }
    }
    if problems.is_empty() {
        of.check(path, &rows, &text)?;
    }
    rows.sort_by_key(|(line, row)| (row.frame, *line));
    if of != RowsOf::Detections {
        let mut first: BTreeMap<(u32, i64), u64> = BTreeMap::new();
        for (line, row) in &rows {
            if let Some(other) = first.insert((row.frame, row.id), *line) {
                problems.push((*line, format!("{} is in frame {} already, in line {other}", row.id, row.frame)));
            }
        }
    }
    problems.sort();
    match problems.as_slice() {
        [] => Ok(rows.into_iter().map(|(_, row)| row).collect()),
        [(line, problem)] => Err(Error::input(problem.clone()).at_path(path).at_line(*line)),
        [(first, _), ..] => {
            let mut text = format!("{} rows cannot be used:", problems.len());
            for (line, problem) in problems.iter().take(PROBLEMS_MAX) {
                let _ = write!(text, "\n  line {line}: {problem}");
            }
            if PROBLEMS_MAX < problems.len() {
                let _ = write!(text, "\n  and {} more", problems.len() - PROBLEMS_MAX);
            }
            Err(Error::input(text).at_path(path).at_line(*first))
        }
    }
}

impl RowsOf {
    /// Whether rows are what they are given for, told by what only the one or the other has.
    fn check(self, path: &Path, rows: &[(u64, Row)], text: &str) -> Result<()> {
        let wrong = |what: &str, hint: &str| Err(Error::input(what).at_path(path).hint(hint));
        let all = |is: fn(&Row) -> bool| !rows.is_empty() && rows.iter().all(|(_, row)| is(row));
        // Truth has a flag, a class and a share that is seen; results end in what nobody fills in.
        let has_truth_form = all(|row| row.class.is_some() && (row.confidence == 0.0 || row.confidence == 1.0));
        let has_result_form = text.lines().all(|line| line.trim().is_empty() || line.trim_end().ends_with(",-1,-1,-1"));
        let unsure = rows.iter().find(|(_, row)| row.confidence != 0.0 && row.confidence != 1.0);
        match self {
            RowsOf::Detections => Ok(()),
            _ if all(|row| row.id == -1) => wrong(
                "these are detections: every id is -1, so nobody is followed",
                "`aisle track` makes tracks of them",
            ),
            RowsOf::Tracks if has_truth_form => {
                let hint = "name the file that the tracker wrote; truth goes to --gt";
                wrong(
                    "this is truth, with a flag, a class and a visibility, where a tracker's results are to be judged",
                    hint,
                )
            }
            RowsOf::Truth if has_result_form && unsure.is_some() => {
                let hint = "name the truth, such as gt/gt.txt; results go to --score";
                wrong("these are a tracker's results, with confidences, where truth is needed to judge by", hint)
            }
            RowsOf::Tracks | RowsOf::Truth => Ok(()),
        }
    }
}

/// Result rows as MOTChallenge wants them: `frame,id,left,top,width,height,confidence,-1,-1,-1`.
pub fn write_rows(rows: &[Row]) -> String {
    let mut text = String::with_capacity(rows.len() * 64);
    for Row { frame, id, bounds, confidence, .. } in rows {
        let (left, top) = (fixed(bounds.left, 3), fixed(bounds.top, 3));
        let (width, height) = (bounds.width(), bounds.height());
        let _ = writeln!(text, "{frame},{id},{left},{top},{width:.3},{height:.3},{confidence:.4},-1,-1,-1");
    }
    text
}

impl Row {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let fields: Vec<&str> = text.trim().trim_end_matches(',').split(',').map(str::trim).collect();
        if fields.len() < 6 {
            return Err(format!(
                "{} fields, where at least 6 are needed: frame,id,left,top,width,height",
                fields.len()
            ));
        }
        let number = |at: usize, name: &str| -> std::result::Result<f64, String> {
            let value: Option<f64> = fields[at].parse().ok().filter(|value: &f64| value.is_finite());
            value.ok_or_else(|| format!("{name} is `{}`, which is no finite number", fields[at]))
        };
        let whole = |at: usize, name: &str, least: f64, most: f64| -> std::result::Result<f64, String> {
            let value = number(at, name)?;
            let fits = value.fract() == 0.0 && least <= value && value <= most;
            if fits { Ok(value) } else { Err(format!("{name} is `{}`, write a whole number from {least}", fields[at])) }
        };
        let frame = whole(0, "the frame", 1.0, f64::from(FRAMES_MAX))? as u32;
        let id = whole(1, "the id", -1.0, 1e15)? as i64;
        let [left, top, width, height] =
            [number(2, "left")?, number(3, "top")?, number(4, "the width")?, number(5, "the height")?];
        if width < 0.0 || height < 0.0 {
            return Err(format!("a box of {width} by {height} pixels is inside out"));
        }
        if [left, top, width, height].iter().any(|value| PIXELS_MAX < value.abs()) {
            return Err(format!("the box is further out than {PIXELS_MAX} pixels"));
        }
        let confidence = if 6 < fields.len() { number(6, "the confidence")? } else { 1.0 };
        // The older form has a point of the world in the last three of ten fields; the newer one class and visibility.
        let class = if fields.len() == 9 { number(7, "the class")? } else { -1.0 };
        let class = (1.0 <= class).then_some(class as u32);
        Ok(Row { frame, id, bounds: PixelBox::from_size(left, top, width, height), confidence, class })
    }
}

fn read_text(path: &Path) -> Result<String> {
    let length = fs::metadata(path).map_err(|error| Error::io("open", path, &error))?.len();
    if FILE_BYTES_MAX < length {
        let message = format!("{length} bytes, of which {FILE_BYTES_MAX} are read at most");
        return Err(Error::input(message).at_path(path));
    }
    let bytes = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        Error::input("this is not text").at_path(path).at_byte(error.utf8_error().valid_up_to() as u64)
    })?;
    // Editors of some systems begin a text with a byte order mark.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
