//! How right the receipts of each kind of reason for doubt are. Takes judged receipts; gives a table of stated probability
//! against outcome. Which kinds a receipt has is found elsewhere.

use serde::Serialize;

use super::bootstrap::Interval;
use super::diff::ReceiptScore;
use super::kinds::DoubtKind;
use super::share::Share;

/// The receipts of one kind, stated against true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoubtRow {
    /// The kind's name; `none` are receipts of no kind, `marked` and `not marked` those with and without a mark, `all`
    /// all that are judged and written.
    pub kind: &'static str,
    /// How many receipts.
    pub receipts: u64,
    /// Mean stated probability of being right; 0 where there are none.
    pub stated: f64,
    /// Receipts that are right.
    pub right: Share,
    /// 95 % interval of that share (Wilson 1927); `None` where there are none.
    pub right_interval: Option<Interval>,
    /// Receipts that are for review.
    pub for_review: u64,
    /// Wrong ones that are not.
    pub wrong_unreviewed: u64,
}

/// The table over these receipts; rows that hold none are left out.
pub(super) fn table<'a>(receipts: impl Iterator<Item = &'a ReceiptScore> + Clone) -> Vec<DoubtRow> {
    let of = |kind: DoubtKind| (kind.name(), receipts.clone().filter(move |one| one.doubts.contains(&kind)).collect());
    let mut sets: Vec<(&'static str, Vec<&ReceiptScore>)> = DoubtKind::ALL.into_iter().map(of).collect();
    sets.push(("none", receipts.clone().filter(|one| one.doubts.is_empty()).collect()));
    sets.push(("marked", receipts.clone().filter(|one| one.marked).collect()));
    sets.push(("not marked", receipts.clone().filter(|one| !one.marked).collect()));
    sets.push(("all", receipts.collect()));
    let rows = sets.into_iter().map(|(kind, set)| DoubtRow::of(kind, &set));
    rows.filter(|row| 0 < row.receipts).collect()
}

impl DoubtRow {
    fn of(kind: &'static str, receipts: &[&ReceiptScore]) -> Self {
        let written: Vec<(f64, &ReceiptScore)> =
            receipts.iter().filter_map(|one| Some((one.probability?.value(), *one))).collect();
        let count = |test: fn(&ReceiptScore) -> bool| written.iter().filter(|(_, one)| test(one)).count() as u64;
        let right = Share::new(count(|one| one.exact), written.len() as u64);
        DoubtRow {
            kind,
            receipts: right.of,
            stated: written.iter().map(|(stated, _)| stated).sum::<f64>() / written.len().max(1) as f64,
            right,
            right_interval: right.interval(),
            for_review: count(|one| one.for_review),
            wrong_unreviewed: count(|one| !one.exact && !one.for_review),
        }
    }
}
