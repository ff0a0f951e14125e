//! What a plate felt in the last two minutes, for whoever draws its curve.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{PlateId, ShopTime};
use crate::ports::PlateRest;

/// The name of a plate.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct PlateName(String);

impl FromStr for PlateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(PlateName(text.to_owned()))
    }
}

/// The last two minutes of a plate. All weights are as its scale reads it: only their differences mean anything where it is not
/// tared.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlateCurve")]
pub(super) struct CurveView {
    /// The plate.
    plate: PlateId,
    /// When this was asked; all else is told from here back.
    now: ShopTime,
    /// What it weighed, ten times a second at most, in order of time: how many seconds before `now`, and grams. Negative where its
    /// clock is ahead.
    samples: Vec<[f64; 2]>,
    /// What was taken for rest, in order of time.
    levels: Vec<LevelView>,
}

/// A stretch that was taken for rest. The last one holds until another is known.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlateLevel")]
struct LevelView {
    /// How many seconds before `now` it began.
    from: f64,
    /// How many seconds before `now` it ended.
    until: f64,
    /// The weight, grams.
    grams: f64,
}

/// `GET /v1/plates/{plate}/curve`
pub(super) fn curve(call: &Call<'_>, name: PlateName, _: Nothing, _: Nothing) -> Result<Json<CurveView>, Problem> {
    let Some(board) = &call.api.plates else {
        return Err(Problem::new(Sort::Missing, "no shop is open in this server, so no plate is weighed"));
    };
    let found = name.0.parse::<PlateId>().ok().and_then(|plate| Some((plate, board.curve(plate, call.now)?)));
    let Some((plate, found)) = found else {
        return Err(Problem::new(Sort::Missing, format!("no plate of this shop is called `{}`", name.0)));
    };
    let secs = |at: ShopTime| thousandths(call.now.secs_since(at));
    let level = |rest: PlateRest| LevelView {
        from: secs(rest.quiet.start),
        until: secs(rest.quiet.end),
        grams: thousandths(rest.grams),
    };
    Ok(Json(CurveView {
        plate,
        now: call.now,
        samples: found.samples.into_iter().map(|(at, grams)| [secs(at), thousandths(f64::from(grams))]).collect(),
        levels: found.rests.into_iter().map(level).collect(),
    }))
}

/// Without a zero that is negative.
fn thousandths(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0 + 0.0
}
