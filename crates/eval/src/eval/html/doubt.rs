//! The cards about doubt: what each bar for review would do, and how right receipts of each kind of reason are. Takes a
//! summary, gives markup.

use super::charts::legend;
use super::svg::At::Unit;
use super::svg::{Anchor, Svg, escape};
use crate::eval::curve::bar;
use crate::eval::text::{doubt_figures, of, percent};
use crate::eval::{Frontier, FrontierPoint, Summary};

/// Ticks of each axis, and what one may be apart, as shares.
const TICKS: usize = 4;
const STEPS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.25];

/// The curve of review share against what is wrong without a mark.
pub(super) fn frontier(frontier: &Frontier) -> String {
    let Some(best) = frontier.cheapest() else { return String::new() };
    let mut names = vec!["a bar".to_owned()];
    names.push(frontier.own().map_or_else(|| "the shop's".to_owned(), |own| format!("the shop's, {}", bar(own.bar))));
    names.push(format!("cheapest where a look costs {} of a wrong receipt, {}", frontier.review_cost, bar(best.bar)));
    let marked = format!(
        "<p class=\"lead\">{} of receipts ({}) are marked, and for review at every bar.</p>",
        percent(frontier.marked.share),
        of(frontier.marked)
    );
    legend(&names) + &curve(frontier) + &marked
}

/// Receipts for review across, wrong ones that nobody looks at up.
fn curve(frontier: &Frontier) -> String {
    const SIDE: f64 = 300.0;
    const LEFT: f64 = 46.0;
    const TOP: f64 = 26.0;
    let most = |value: &dyn Fn(&FrontierPoint) -> f64| step(frontier.points.iter().map(value).fold(0.0, f64::max));
    let across = most(&|point| point.review.share.unwrap_or(0.0));
    let up = most(&|point| point.wrong_interval.map_or(0.0, |interval| interval.high));
    let place = |x: f64, y: f64| (Unit(LEFT + x * SIDE), Unit(TOP + (1.0 - y) * SIDE));
    let mut svg = Svg::scaling(360.0, 372.0, "Receipts for review against wrong ones that nobody looks at, by the bar");
    for tick in 0..=TICKS {
        let at = tick as f64 / TICKS as f64;
        svg.line(place(at, 0.0), place(at, 1.0), "grid");
        svg.line(place(0.0, at), place(1.0, at), "grid");
        let words = |step: f64| (100.0 * step * tick as f64 * 100.0).round() / 100.0;
        svg.words((place(at, 0.0).0, Unit(TOP + SIDE + 16.0)), Anchor::Middle, "tick", &words(across).to_string());
        svg.words((Unit(LEFT - 7.0), Unit(TOP + (1.0 - at) * SIDE + 4.0)), Anchor::End, "tick", &words(up).to_string());
    }
    let (wide, high) = (across * TICKS as f64, up * TICKS as f64);
    let put = |point: &FrontierPoint, wrong: f64| place(point.review.share.unwrap_or(0.0) / wide, wrong / high);
    let dot = |point: &FrontierPoint| put(point, point.wrong_unreviewed.share.unwrap_or(0.0));
    for pair in frontier.points.windows(2) {
        svg.line(dot(&pair[0]), dot(&pair[1]), "base");
    }
    for point in &frontier.points {
        let tone = match Some(point.bar) {
            own if own == frontier.own_bar => 1,
            best if best == frontier.cheapest_bar => 2,
            _ => 0,
        };
        if let Some(interval) = point.wrong_interval {
            svg.line(put(point, interval.low), put(point, interval.high), &format!("spread tone-{tone}"));
        }
        let tip = format!(
            "bar {}: {} for review, {} wrong without a mark, cost {:.4}",
            bar(point.bar),
            percent(point.review.share),
            percent(point.wrong_unreviewed.share),
            point.cost
        );
        svg.circle(dot(point), if tone == 0 { 4.0 } else { 6.0 }, &format!("dot tone-{tone}"), &tip);
    }
    svg.words((Unit(LEFT + SIDE / 2.0), Unit(TOP + SIDE + 36.0)), Anchor::Middle, "tick", "for review, %");
    svg.words((Unit(LEFT - 28.0), Unit(11.0)), Anchor::Start, "tick", "wrong without a mark, %");
    svg.finish()
}

/// How far ticks are apart, so that they reach this share.
fn step(most: f64) -> f64 {
    STEPS.into_iter().find(|step| most <= step * TICKS as f64).unwrap_or(0.25)
}

/// Receipts by the kind of reason for doubt; each scenario, and all.
pub(super) fn table(summary: &Summary) -> String {
    let mut rows = String::new();
    let groups = summary.groups.iter().filter(|_| 1 < summary.groups.len());
    let sets = groups.map(|group| (group.name.as_str(), &group.totals)).chain([("all", &summary.overall)]);
    for (name, row) in sets.flat_map(|(name, totals)| totals.doubts.iter().map(move |row| (name, row))) {
        rows += &format!("<tr><th scope=\"row\">{}</th><td class=\"words\">{}</td>", escape(name), escape(row.kind));
        rows.extend(doubt_figures(row).map(|cell| format!("<td>{}</td>", escape(&cell))));
        rows += "</tr>";
    }
    let head = "<tr><th>scenario</th><th class=\"words\">doubt</th><th>receipts</th><th>stated</th>\
                <th colspan=\"2\">right</th><th>95 %</th><th>review</th><th>wrong, no mark</th></tr>";
    format!("<div class=\"scroll\"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>")
}
