//! The curve of what a bar for review buys, as plain aligned text for a terminal.

use std::fmt::Write as _;

use super::text::{aligned, of, percent};
use super::{Frontier, FrontierPoint, Interval};
use crate::base::Prob;

/// The columns; all but the first, which marks the shop's bar, are numbers.
const COLUMNS: [&str; 10] = ["", "bar", "review", "", "95 %", "unmarked", "95 %", "exact of the rest", "95 %", "cost"];

impl Frontier {
    /// The curve, and which value of the shop's file gives which point. Ends with a line break.
    pub fn to_text(&self) -> String {
        let mut text = String::from("\nreview against receipts that are wrong without a mark, by the bar:\n\n");
        if self.points.is_empty() {
            text += "no receipts\n";
            return text;
        }
        let mut rows: Vec<[String; COLUMNS.len()]> = vec![COLUMNS.map(str::to_owned)];
        rows.extend(self.points.iter().map(|point| self.row(point)));
        text += &aligned(&rows, 1);
        self.reading(&mut text);
        text
    }

    fn row(&self, point: &FrontierPoint) -> [String; COLUMNS.len()] {
        let is_own = Some(point.bar) == self.own_bar;
        [
            if is_own { "*" } else { "" }.to_owned(),
            bar(point.bar),
            percent(point.review.share),
            of(point.review),
            percents(point.review_interval),
            format!("{} {}", percent(point.wrong_unreviewed.share), of(point.wrong_unreviewed)),
            percents(point.wrong_interval),
            format!("{} {}", percent(point.exact_unreviewed.share), of(point.exact_unreviewed)),
            percents(point.exact_interval),
            format!("{:.4}", point.cost),
        ]
    }

    /// How to read it, and which bar is cheapest.
    fn reading(&self, text: &mut String) {
        let marked = self.marked;
        let _ = writeln!(
            text,
            "\nbar     policy.review_probability_min of the shop's file{}\nmarked  {} of receipts ({}) are for review \
             at every bar, whatever their probability\ncost    of a receipt, in wrong receipts, where a look costs {} \
             of one (--review-cost)",
            match self.own_bar {
                Some(own) => format!("; * is what it says, {}", bar(own)),
                None => ", which says something else in each case".to_owned(),
            },
            percent(marked.share),
            of(marked),
            self.review_cost,
        );
        let Some(best) = self.cheapest() else { return };
        let _ = writeln!(
            text,
            "cheapest: review_probability_min = {}, {} for review, {} wrong without a mark{}",
            bar(best.bar),
            percent(best.review.share),
            percent(best.wrong_unreviewed.share),
            match self.own().filter(|own| 0.0 < best.cost && best.cost < own.cost) {
                Some(own) => format!("; the shop's costs {:.2} times as much", own.cost / best.cost),
                None => String::new(),
            }
        );
    }
}

/// A bar as a shop's file has it.
pub(super) fn bar(bar: Prob) -> String {
    bar.value().to_string()
}

/// An interval of shares in percent, `-` for none.
fn percents(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |one| format!("{:.1}-{:.1}", 100.0 * one.low, 100.0 * one.high))
}
