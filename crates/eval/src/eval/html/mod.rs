//! The report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere.
//! Takes a summary and words about the run, gives text. Everything that comes from outside is escaped.

mod charts;
mod doubt;
mod svg;

use charts::Bar;
use svg::escape;

use super::text::{amount, between, delay, mean_amount, percent, standing};
use super::{Case, Group, Reliability, Share, Summary, Totals, UnitDiff};
use crate::base::figures::{fixed, signed};

/// The style sheet: light and dark, wide and narrow.
const STYLE: &str = include_str!("style.css");
/// Marks below bars that are shares.
const PERCENT_AXIS: [&str; 5] = ["0", "25", "50", "75", "100 %"];
/// Wrong cases that stand open; the rest can be unfolded.
const OPEN_CASES_MAX: usize = 12;

/// The same cases with one part of the engine left out.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Ablation {
    /// What was left out.
    pub left_out: String,
    /// Mean F1 without it, `0..=1`.
    pub mean_f1: f64,
    /// Share of exact receipts without it, `0..=1`.
    pub exact_receipts: f64,
}

/// A figure of some cases as a bar.
type Measure = fn(&Totals) -> Bar;

/// What goes on the page.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Its heading.
    pub title: &'a str,
    /// Facts about the run as name and value, such as the version, the command and the date.
    pub about: &'a [(String, String)],
    /// The scores.
    pub summary: &'a Summary,
    /// What each part is worth; empty where nobody tried.
    pub ablations: &'a [Ablation],
}

impl Page<'_> {
    /// The whole document.
    pub fn to_html(&self) -> String {
        let title = escape(self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
             </head>\n<body>\n<main>\n<header><h1>{title}</h1>{}</header>\n",
            verdict(self.summary)
        );
        html += &figures(self.summary);
        html += "<div class=\"cards\">\n";
        html += &scenarios(self.summary);
        let mistakes = card("What went wrong", "Every wrong unit, counted once.", &charts::mistakes(self.summary), "");
        let left = levels(self.summary) + &money(self.summary) + &frontier(self.summary);
        let right = mistakes + &reliability(self.summary) + &ablations(self.ablations, &self.summary.overall);
        html += &format!("<div class=\"column\">\n{left}</div>\n<div class=\"column\">\n{right}</div>\n");
        html += &failures(self.summary);
        html += &doubts(self.summary);
        html += &numbers(self.summary);
        html += "</div>\n";
        html += &about(self.about);
        html + "</main>\n</body>\n</html>\n"
    }
}

fn card(title: &str, lead: &str, body: &str, class: &str) -> String {
    format!(
        "<section class=\"card {class}\"><h2>{}</h2><p class=\"lead\">{}</p>{body}</section>\n",
        escape(title),
        escape(lead)
    )
}

fn verdict(summary: &Summary) -> String {
    let all = &summary.overall;
    let wrong = all.cases - all.exact_cases.count;
    let text = match (all.cases, wrong) {
        (0, _) => "No cases were judged.".to_owned(),
        (1, 0) => "The case is right in every unit.".to_owned(),
        (cases, 0) => format!("All {cases} cases are right in every unit."),
        (cases, wrong) => format!("{wrong} of {cases} cases have something wrong; they are listed below."),
    };
    format!("<p>{text}</p>")
}

/// The headline figures.
fn figures(summary: &Summary) -> String {
    let (all, currency) = (&summary.overall, summary.currency);
    let of = |share: Share| format!("{} of {}", share.count, share.of);
    let mean = format!("{:.3}", all.mean_f1);
    let spread = match all.mean_f1_interval {
        Some(_) => format!("95 %: {}", between(all.mean_f1_interval)),
        None => format!("over {} cases", all.cases),
    };
    let error = mean_amount(all.money.absolute_minor_per_receipt, currency);
    let sides =
        format!("{} over, {} under", amount(all.money.over_minor, currency), amount(all.money.under_minor, currency));
    let calibration = summary.line_reliability.calibration_error;
    let calibration_words = calibration.map_or_else(|| "-".to_owned(), |error| format!("{error:.3}"));
    let lines = format!("over {} lines, less is better", summary.line_reliability.count);
    let mut tiles = vec![
        ("mean F1", mean, spread),
        ("exact receipts", percent(all.exact_receipts.share), of(all.exact_receipts)),
        ("exact cases", percent(all.exact_cases.share), of(all.exact_cases)),
        ("money error a receipt", error, sides),
        ("to review", percent(all.review.share), of(all.review)),
        ("wrong, unreviewed", percent(all.wrong_unreviewed.share), of(all.wrong_unreviewed)),
        ("calibration error", calibration_words, lines),
    ];
    if let Some(measured) = all.receipt_delay {
        tiles.push(("time to receipt", format!("{:.1} s", measured.median_secs), delay(measured)));
    }
    let tile = |(name, value, note): (&str, String, String)| {
        let (name, value, note) = (escape(name), escape(&value), escape(&note));
        format!("<div class=\"figure\"><dt>{name}</dt><dd>{value}</dd><dd class=\"note\">{note}</dd></div>\n")
    };
    format!("<dl class=\"figures\">\n{}</dl>\n", tiles.into_iter().map(tile).collect::<String>())
}

/// Bars of F1 and of exact receipts per scenario, the worst on top.
fn scenarios(summary: &Summary) -> String {
    let mut groups: Vec<&Group> = summary.groups.iter().collect();
    groups.sort_by(|a, b| a.totals.mean_f1.total_cmp(&b.totals.mean_f1));
    let rows = |bar: Measure| -> Vec<(String, Vec<Bar>)> {
        let bars_of = |group: &&Group| {
            let cells = summary.cells.iter().filter(|cell| cell.group == group.name);
            let bars = cells.map(|cell| {
                let level = cell.level.as_deref().unwrap_or_default();
                let tone = summary.levels.iter().position(|known| known.name == level).unwrap_or(0);
                bar(&cell.totals).named(tone, level)
            });
            (group.name.clone(), bars.collect())
        };
        groups.iter().map(bars_of).collect()
    };
    let legend = if summary.levels.len() < 2 { String::new() } else { level_legend(summary) };
    let exact = |totals: &Totals| {
        let words = format!("{}/{}", totals.exact_receipts.count, totals.exact_receipts.of);
        Bar::new(totals.exact_receipts.share, totals.exact_receipts_interval, words)
    };
    let spread = "The worst on top. Whiskers: 95 % of bootstrap resamples, where cases differ.";
    let f1 = legend.clone() + &charts::rows(&rows(f1_bar), ["0", "0.25", "0.5", "0.75", "1"]);
    let exact = legend + &charts::rows(&rows(exact), PERCENT_AXIS);
    card("Mean F1 by scenario", spread, &f1, "") + &card("Exact receipts by scenario", spread, &exact, "")
}

/// The same figures at each level; nothing where there is one level.
fn levels(summary: &Summary) -> String {
    if summary.levels.len() < 2 {
        return String::new();
    }
    let figures: [(&str, Measure); 4] = [
        ("mean F1", f1_bar),
        ("exact receipts", |all| {
            Bar::new(all.exact_receipts.share, all.exact_receipts_interval, percent(all.exact_receipts.share))
        }),
        ("exact cases", |all| Bar::new(all.exact_cases.share, None, percent(all.exact_cases.share))),
        ("to review", |all| Bar::new(all.review.share, None, percent(all.review.share))),
    ];
    let groups = figures.map(|(name, bar)| {
        let levels = summary.levels.iter().enumerate();
        let bars = levels.map(|(tone, level)| bar(&level.totals).named(tone, &level.name));
        (name.to_owned(), bars.collect())
    });
    let body = level_legend(summary) + &charts::rows(&groups, PERCENT_AXIS);
    card("Levels compared", "The same trips, measured more and less kindly.", &body, "")
}

fn f1_bar(totals: &Totals) -> Bar {
    Bar::new(Some(totals.mean_f1), totals.mean_f1_interval, format!("{:.3}", totals.mean_f1))
}

fn level_legend(summary: &Summary) -> String {
    charts::legend(&summary.levels.iter().map(|level| level.name.clone()).collect::<Vec<_>>())
}

fn money(summary: &Summary) -> String {
    let mut body = charts::money(summary);
    if 0 < summary.overall.money.unpriced_units {
        let units = summary.overall.money.unpriced_units;
        body += &format!("<p class=\"lead\">{units} units have no price and count as free.</p>");
    }
    card("Money error", "What is charged less what is owed, by catalogue price.", &body, "")
}

fn reliability(summary: &Summary) -> String {
    let (lines, receipts) = (&summary.line_reliability, &summary.receipt_reliability);
    let name = |what: &str, one: &Reliability| match (one.brier, one.calibration_error) {
        (Some(brier), Some(error)) => format!("{what} ({}): Brier {brier:.3}, calibration error {error:.3}", one.count),
        _ => format!("{what}: none"),
    };
    let body =
        charts::legend(&[name("lines", lines), name("receipts", receipts)]) + &charts::reliability(&[lines, receipts]);
    card(
        "Can its probabilities be believed?",
        "Dots on the dashed line are honest; above it too modest, below it too sure. Dots grow with their count.",
        &body,
        "",
    )
}

/// What each bar for review would do; nothing without receipts.
fn frontier(summary: &Summary) -> String {
    let body = doubt::frontier(&summary.frontier);
    if body.is_empty() {
        return body;
    }
    let lead = "Each dot is a bar for review (policy.review_probability_min); further left fewer looks, further down \
                fewer wrong receipts that nobody sees. Lines: 95 % (Wilson).";
    card("What a look buys", lead, &body, "")
}

/// How right receipts of each kind of reason for doubt are; nothing without receipts.
fn doubts(summary: &Summary) -> String {
    if summary.overall.doubts.is_empty() {
        return String::new();
    }
    let lead = "A receipt counts in the row of each of its reasons, whether it is marked or not. Stated is the mean \
                probability; further from right is further from honest.";
    card("Doubt by its reason", lead, &doubt::table(summary), "full")
}

/// What each part is worth, the most valuable first; nothing where nobody tried.
fn ablations(ablations: &[Ablation], overall: &Totals) -> String {
    if ablations.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Ablation> = ablations.iter().collect();
    sorted.sort_by(|a, b| a.mean_f1.total_cmp(&b.mean_f1));
    let exact = overall.exact_receipts.share.unwrap_or(0.0);
    let largest = sorted.iter().map(|one| (overall.mean_f1 - one.mean_f1).abs()).fold(0.0, f64::max);
    let mut rows = format!(
        "<tr><th scope=\"row\">nothing</th><td>{:.3}</td><td></td><td>{}</td><td></td></tr>",
        overall.mean_f1,
        percent(Some(exact))
    );
    for one in sorted {
        let loss = overall.mean_f1 - one.mean_f1;
        let mut svg = svg::Svg::strip(12.0, &format!("loss {}", fixed(loss, 3)));
        let width = if 0.0 < largest { 100.0 * loss.abs() / largest } else { 0.0 };
        let class = if loss < 0.0 { "over" } else { "tone-0" };
        svg.rect(
            (svg::At::Percent(0.0), svg::At::Unit(0.0)),
            (svg::At::Percent(width), svg::At::Unit(12.0)),
            class,
            "",
        );
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{:.3}</td><td>{}</td><td>{}</td><td class=\"wide\">{}</td></tr>",
            escape(&one.left_out),
            one.mean_f1,
            signed(-loss, 3),
            percent(Some(one.exact_receipts)),
            svg.finish()
        );
    }
    let head = "<tr><th>left out</th><th>mean F1</th><th>change</th><th>exact</th><th class=\"words\">loss</th></tr>";
    let body = format!("<div class=\"scroll\"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>");
    card("What each part is worth", "The same cases with one part left out.", &body, "")
}

/// The numbers behind the bars.
fn numbers(summary: &Summary) -> String {
    let mut rows = String::new();
    let mut row = |group: &str, level: &str, totals: &Totals| {
        rows += &format!("<tr><th scope=\"row\">{}</th><td class=\"words\">{}</td>", escape(group), escape(level));
        let cells = [
            totals.cases.to_string(),
            format!("{:.3}", totals.mean_f1),
            between(totals.mean_f1_interval),
            percent(totals.exact_receipts.share),
            format!("{}/{}", totals.exact_receipts.count, totals.exact_receipts.of),
            format!("{}/{}", totals.exact_cases.count, totals.exact_cases.of),
            mean_amount(totals.money.absolute_minor_per_receipt, summary.currency),
            mean_amount(totals.money.signed_minor_per_receipt, summary.currency),
            percent(totals.review.share),
            percent(totals.wrong_unreviewed.share),
            totals.missing_shoppers.to_string(),
            totals.unknown_shoppers.to_string(),
            percent(totals.identity.map(|identity| identity.f1)),
            totals.receipt_delay.map_or_else(|| "-".to_owned(), |delay| format!("{:.1} s", delay.median_secs)),
        ];
        for cell in cells {
            rows += &format!("<td>{}</td>", escape(&cell));
        }
        rows += "</tr>";
    };
    for cell in &summary.cells {
        row(&cell.group, cell.level.as_deref().unwrap_or(""), &cell.totals);
    }
    for level in summary.levels.iter().filter(|_| 1 < summary.levels.len()) {
        row("all", &level.name, &level.totals);
    }
    row("all", "", &summary.overall);
    let head = "<tr><th>scenario</th><th class=\"words\">level</th><th>cases</th><th>mean F1</th><th>95 %</th>\
                <th colspan=\"2\">exact receipts</th><th>exact cases</th><th>error a receipt</th><th>signed</th>\
                <th>review</th><th>unmarked</th><th>missing</th><th>nobody</th><th>IDF1</th><th>after</th></tr>";
    let body = format!("<div class=\"scroll\"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>");
    card(
        "All numbers",
        "Error and signed error are means over receipts. Unmarked: wrong without a mark. Missing: shoppers without a \
          receipt. Nobody: receipts of nobody. After: half of the receipts are there so soon after leaving.",
        &body,
        "full",
    )
}

fn failures(summary: &Summary) -> String {
    let wrong = summary.wrong_cases();
    if wrong.is_empty() {
        return String::new();
    }
    let (open, folded) = wrong.split_at(wrong.len().min(OPEN_CASES_MAX));
    let list = |cases: &[&Case]| cases.iter().map(|case| failure(case)).collect::<String>();
    let mut body = format!("<div class=\"failures\">{}</div>", list(open));
    if !folded.is_empty() {
        let (count, list) = (folded.len(), list(folded));
        body += &format!("<details><summary>{count} more</summary><div class=\"failures\">{list}</div></details>");
    }
    card("Wrong cases", "The worst first, each with the command that replays it.", &body, "full")
}

fn failure(case: &Case) -> String {
    let level = case.label.level.as_deref().map(|level| format!(" · {level}")).unwrap_or_default();
    let mut html = format!(
        "<article><h3>{}<small>{} · {}</small><b>{:.3}</b></h3>",
        escape(&case.label.group),
        escape(&level),
        escape(&case.label.name),
        case.score.f1
    );
    for receipt in case.score.receipts.iter().filter(|receipt| !receipt.exact) {
        html += &format!("<p>shopper <code>{}</code> {}", receipt.visit, standing(receipt.standing));
        if let Some(probability) = receipt.probability {
            html += &format!(" <small>believed to {probability}</small>");
        }
        html += "</p><ul class=\"diff\">";
        let change = |class: &str, sign: &str, diff: &UnitDiff| {
            format!(
                "<li class=\"{class}\">{sign} {} × {} <code>{}</code></li>",
                diff.units,
                escape(&diff.name),
                escape(diff.sku.as_str())
            )
        };
        html.extend(receipt.missing.iter().map(|diff| change("missing", "−", diff)));
        html.extend(receipt.extra.iter().map(|diff| change("extra", "+", diff)));
        html += "</ul>";
    }
    if !case.label.replay.is_empty() {
        html += &format!("<pre><code>{}</code></pre>", escape(&case.label.replay));
    }
    html + "</article>"
}

fn about(facts: &[(String, String)]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let fact =
        |(name, value): &(String, String)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    format!("<footer><dl>{}</dl></footer>\n", facts.iter().map(fact).collect::<String>())
}
