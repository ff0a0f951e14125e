//! Scores of any detector to `0..=1`.

/// What the least score is worth on a scale without bounds: the detector that lists it takes it for somebody, just so.
const RANK_SCORE_MIN: f64 = 0.5;

/// How the scores of a detector are read. Networks give shares of 1, older detectors margins without bounds, and some
/// lists only what is certain; the numbers tell which it is.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreScale {
    /// They are shares of 1 already.
    Share,
    /// All are alike and say nothing: everything is certain.
    Certain,
    /// Without bounds: a score is worth 0.5 and half the share of all scores that are not above it. In rising order.
    Rank(Vec<f64>),
}

impl ScoreScale {
    /// Finds out from all scores of a sequence.
    pub fn of(scores: impl IntoIterator<Item = f64>) -> Self {
        let mut scores: Vec<f64> = scores.into_iter().filter(|score| score.is_finite()).collect();
        scores.sort_by(f64::total_cmp);
        match (scores.first(), scores.last()) {
            (Some(least), Some(most)) if least == most => ScoreScale::Certain,
            (Some(least), Some(most)) if 0.0 <= *least && *most <= 1.0 => ScoreScale::Share,
            (None, _) | (_, None) => ScoreScale::Certain,
            _ => ScoreScale::Rank(scores),
        }
    }

    /// A score as `0..=1`.
    pub fn apply(&self, score: f64) -> f64 {
        match self {
            ScoreScale::Share => score,
            ScoreScale::Certain => 1.0,
            ScoreScale::Rank(sorted) => {
                let rank = sorted.partition_point(|other| *other <= score) as f64 / sorted.len() as f64;
                RANK_SCORE_MIN + (1.0 - RANK_SCORE_MIN) * rank
            }
        }
    }
}
