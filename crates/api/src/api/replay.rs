//! A recording that is watched: its time line, how far it is, and what somebody wants of it. Only a server that shows one has
//! these routes' answers; an open shop goes with the time of day, and nobody can turn it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{CartId, ShelfId, ShopTime, Span, VisitId};
use crate::ports::{ReplayDesk, ReplayState, ReplayWish, Stop, TimeLine, TimeMark};

/// Slowest and fastest.
const SPEEDS: [f64; 2] = [0.25, 16.0];

/// A recording that is watched.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replay")]
pub(super) struct ReplayView {
    /// What the recording is called.
    recording: String,
    /// When it begins.
    begins: ShopTime,
    /// How long it is, seconds.
    length_secs: f64,
    /// How far it is.
    now: StateView,
    /// How the receipts stand to the truth; none where that is not known.
    truth: Option<TruthView>,
    /// What happened, in order of the time to which a jump leads.
    marks: Vec<MarkView>,
    /// Marks of shelves that are left out, for there are too many.
    marks_left_out: u64,
    /// What was lost of the recording, left out or assumed, a sentence each.
    notes: Vec<String>,
}

/// How far a recording is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplayState")]
pub(super) struct StateView {
    /// The time in the recording.
    at: ShopTime,
    /// The same, seconds since the beginning.
    at_secs: f64,
    /// Whether it goes on.
    playing: bool,
    /// How many times as fast as it was recorded.
    speed: f64,
    /// How often it was jumped.
    jumps: u64,
}

/// How the receipts stand to the truth, as `aisle eval` counts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplayTruth")]
struct TruthView {
    /// Shoppers of the truth, and strangers who were charged.
    judged: u64,
    /// Of them those whose receipt is not what it should be.
    wrong: u64,
    /// Lines that are missing or too much, a product of a receipt each.
    wrong_lines: u64,
}

/// Something that happened.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplayMark")]
struct MarkView {
    /// `entered`, `shelf`, `left`, `receipt` or `wrong`: the event behind a line that is not what it should be.
    kind: &'static str,
    /// When, seconds since the beginning.
    at_secs: f64,
    /// Where a jump to it leads, seconds since the beginning.
    from_secs: f64,
    /// Whose.
    visit: Option<VisitId>,
    /// The cart of its receipt.
    cart: Option<CartId>,
    /// Where.
    shelf: Option<ShelfId>,
    /// Whether it is as it should be; none where that is not known.
    right: Option<bool>,
    /// In a sentence.
    words: String,
}

/// What somebody wants of a recording; of several wishes the jump comes first, then the step, then the speed. What is not named
/// stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReplayWish")]
pub(super) struct WishBody {
    /// Whether it goes on.
    playing: Option<bool>,
    /// How many times as fast as it was recorded.
    #[schemars(range(min = 0.25, max = 16.0))]
    speed: Option<f64>,
    /// The shop as it was so many seconds after the beginning.
    #[schemars(range(min = 0.0))]
    seek_secs: Option<f64>,
    /// To another mark.
    step: Option<Step>,
}

/// To which mark.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReplayStep")]
enum Step {
    /// The next one.
    NextEvent,
    /// The one before.
    PreviousEvent,
    /// The next line that is wrong.
    NextWrong,
    /// The one before.
    PreviousWrong,
}

impl StateView {
    fn new(line: &TimeLine, state: ReplayState) -> Self {
        let ReplayState { at, playing, speed, jumps } = state;
        StateView { at, at_secs: exact(at - line.begins), playing, speed, jumps }
    }
}

impl MarkView {
    fn new(line: &TimeLine, mark: &TimeMark) -> Self {
        MarkView {
            kind: mark.kind.name(),
            at_secs: millis(mark.at.secs_since(line.begins)),
            from_secs: millis(mark.from.secs_since(line.begins)),
            visit: mark.visit,
            cart: mark.cart,
            shelf: mark.shelf,
            right: mark.right,
            words: mark.words.clone(),
        }
    }
}

impl ReplayView {
    fn new(desk: &ReplayDesk) -> Self {
        let line = desk.line();
        ReplayView {
            recording: line.recording.clone(),
            begins: line.begins,
            length_secs: exact(line.ends - line.begins),
            now: StateView::new(line, desk.state()),
            truth: line.verdict.map(|verdict| TruthView {
                judged: verdict.judged,
                wrong: verdict.wrong,
                wrong_lines: verdict.wrong_lines,
            }),
            marks: line.marks.iter().map(|mark| MarkView::new(line, mark)).collect(),
            marks_left_out: line.left_out,
            notes: line.notes.clone(),
        }
    }
}

impl WishBody {
    fn wishes(&self) -> Result<Vec<ReplayWish>, Problem> {
        let mut checks = Checks::default();
        if let Some(secs) = self.seek_secs.filter(|secs| *secs < 0.0) {
            checks.say("/seek_secs", format!("is {secs}; write seconds since the beginning"));
        }
        let [slowest, fastest] = SPEEDS;
        if let Some(speed) = self.speed.filter(|speed| !(slowest..=fastest).contains(speed)) {
            checks.say("/speed", format!("is {speed}; write {slowest} to {fastest}"));
        }
        checks.done()?;
        let step = |step| match step {
            Step::NextEvent => ReplayWish::Next(Stop::Any),
            Step::PreviousEvent => ReplayWish::Previous(Stop::Any),
            Step::NextWrong => ReplayWish::Next(Stop::Wrong),
            Step::PreviousWrong => ReplayWish::Previous(Stop::Wrong),
        };
        let seek = self.seek_secs.map(|secs| ReplayWish::Seek(Span::from_secs(secs)));
        let wishes = [seek, self.step.map(step), self.speed.map(ReplayWish::Speed), self.playing.map(ReplayWish::Play)];
        Ok(wishes.into_iter().flatten().collect())
    }
}

/// To the nanosecond, so that it leads back to the same moment, and the end to the end.
fn exact(span: Span) -> f64 {
    span.as_nanos() as f64 / 1e9
}

/// To the thousandth of a second.
fn millis(secs: f64) -> f64 {
    (secs * 1_000.0).round() / 1_000.0
}

fn desk<'a>(call: &Call<'a>) -> Result<&'a ReplayDesk, Problem> {
    let missing = || Problem::new(Sort::Missing, "this server shows no recording");
    call.api.replay.as_ref().ok_or_else(missing)
}

/// `GET /v1/replay`
pub(super) fn get(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<ReplayView>, Problem> {
    Ok(Json(ReplayView::new(desk(call)?)))
}

/// `POST /v1/replay`
pub(super) fn wish(
    call: &Call<'_>,
    _: Nothing,
    _: Nothing,
    Json(body): Json<WishBody>,
) -> Result<Json<StateView>, Problem> {
    let desk = desk(call)?;
    let state = desk.wish(body.wishes()?)?;
    Ok(Json(StateView::new(desk.line(), state)))
}
