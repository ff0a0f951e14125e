//! The drawings of the report. Takes scores, gives markup.

use super::svg::At::{Percent, Unit};
use super::svg::{Anchor, Svg, escape};
use crate::base::Currency;
use crate::eval::text::{between, mean_amount, percent};
use crate::eval::{Interval, Reliability, Share, Summary};

/// Height of a bar and of the place around it, pixels.
const BAR: f64 = 12.0;
const BAR_PLACE: f64 = 18.0;
/// Columns of the money histogram.
const MONEY_BINS: usize = 12;

/// One bar of a group of rows.
pub(super) struct Bar {
    /// Which colour, counted from 0; see `.tone-0` in the style sheet.
    pub(super) tone: usize,
    /// What it stands for, such as the level; may be empty.
    pub(super) name: String,
    /// Its length, `0..=1`; `None` where there is nothing to measure.
    pub(super) value: Option<f64>,
    pub(super) interval: Option<Interval>,
    /// The number beside it.
    pub(super) words: String,
}

impl Bar {
    /// A bar without a name, of the first colour.
    pub(super) fn new(value: Option<f64>, interval: Option<Interval>, words: String) -> Self {
        Bar { tone: 0, name: String::new(), value, interval, words }
    }

    /// Names it, and gives it the colour of that name.
    pub(super) fn named(self, tone: usize, name: &str) -> Self {
        Bar { tone, name: name.to_owned(), ..self }
    }
}

/// Rows of horizontal bars from 0 to 1, labels on their left (above them on a small screen).
pub(super) fn rows(groups: &[(String, Vec<Bar>)], axis: [&str; 5]) -> String {
    let mut html = String::from(r#"<div class="rows">"#);
    for (name, bars) in groups {
        let height = BAR_PLACE * bars.len() as f64;
        let mut svg = Svg::strip(height, &spoken(name, bars));
        for tick in 0..=4 {
            svg.line(
                (Percent(25.0 * f64::from(tick)), Unit(0.0)),
                (Percent(25.0 * f64::from(tick)), Unit(height)),
                "grid",
            );
        }
        let mut words = String::new();
        for (index, bar) in bars.iter().enumerate() {
            draw(&mut svg, bar, index as f64 * BAR_PLACE + (BAR_PLACE - BAR) / 2.0);
            words += &format!("<span>{}</span>", escape(&bar.words));
        }
        html += &format!(
            r#"<div class="row"><div class="name">{}</div>{}<div class="value">{words}</div></div>"#,
            escape(name),
            svg.finish()
        );
    }
    html += r#"<div class="row axis"><div class="name"></div><div class="ticks">"#;
    for tick in axis {
        html += &format!("<span>{}</span>", escape(tick));
    }
    html + r#"</div><div class="value"></div></div></div>"#
}

fn draw(svg: &mut Svg, bar: &Bar, top: f64) {
    let length = bar.value.unwrap_or(0.0).clamp(0.0, 1.0);
    let tip = match bar.interval {
        Some(_) => format!("{} {} (95 %: {})", bar.name, bar.words, between(bar.interval)),
        None => format!("{} {}", bar.name, bar.words),
    };
    svg.rect((Percent(0.0), Unit(top)), (Percent(100.0), Unit(BAR)), "track", "");
    svg.rect(
        (Percent(0.0), Unit(top)),
        (Percent(length * 100.0), Unit(BAR)),
        &format!("tone-{}", bar.tone),
        tip.trim(),
    );
    if let Some(Interval { low, high }) = bar.interval {
        let (middle, low, high) = (Unit(top + BAR / 2.0), Percent(low * 100.0), Percent(high * 100.0));
        svg.line((low, middle), (high, middle), "whisker");
        for end in [low, high] {
            svg.line((end, Unit(top + 2.5)), (end, Unit(top + BAR - 2.5)), "whisker");
        }
    }
}

fn spoken(name: &str, bars: &[Bar]) -> String {
    let each: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.name, bar.words).trim().to_owned()).collect();
    format!("{name}: {}", each.join(", "))
}

/// Names of colours beside each other.
pub(super) fn legend(names: &[String]) -> String {
    let entry = |(tone, name): (usize, &String)| {
        format!(r#"<span class="entry"><i class="dot tone-{tone}"></i>{}</span>"#, escape(name))
    };
    format!(r#"<div class="legend">{}</div>"#, names.iter().enumerate().map(entry).collect::<String>())
}

/// Stated probability across, share of right ones up; dots on the diagonal are honest. Dots grow with the count.
pub(super) fn reliability(series: &[&Reliability]) -> String {
    const SIDE: f64 = 300.0;
    const LEFT: f64 = 46.0;
    const TOP: f64 = 26.0;
    let place = |x: f64, y: f64| (Unit(LEFT + x * SIDE), Unit(TOP + (1.0 - y) * SIDE));
    let mut svg = Svg::scaling(360.0, 372.0, "Reliability: stated probability against the share that was right");
    for tick in 0..=4 {
        let at = f64::from(tick) / 4.0;
        let label = format!("{:.0}", at * 100.0);
        svg.line(place(at, 0.0), place(at, 1.0), "grid");
        svg.line(place(0.0, at), place(1.0, at), "grid");
        svg.words((place(at, 0.0).0, Unit(TOP + SIDE + 16.0)), Anchor::Middle, "tick", &label);
        svg.words((Unit(LEFT - 7.0), Unit(TOP + (1.0 - at) * SIDE + 4.0)), Anchor::End, "tick", &label);
    }
    svg.line(place(0.0, 0.0), place(1.0, 1.0), "honest");
    for (tone, reliability) in series.iter().enumerate() {
        for bin in reliability.bins.iter().filter(|bin| 0 < bin.count) {
            let right = Share::new((bin.right * bin.count as f64).round() as u64, bin.count);
            let Some(Interval { low, high }) = right.interval() else { continue };
            let tip = format!(
                "stated {}, right {} of {} ({}-{})",
                percent(Some(bin.stated)),
                percent(Some(bin.right)),
                bin.count,
                percent(Some(low)),
                percent(Some(high))
            );
            let radius = 3.0 + 7.0 * (bin.count as f64 / reliability.count as f64).sqrt();
            svg.line(place(bin.stated, low), place(bin.stated, high), &format!("spread tone-{tone}"));
            svg.circle(place(bin.stated, bin.right), radius, &format!("dot tone-{tone}"), &tip);
        }
    }
    svg.words((Unit(LEFT + SIDE / 2.0), Unit(TOP + SIDE + 36.0)), Anchor::Middle, "tick", "stated probability, %");
    svg.words((Unit(LEFT - 28.0), Unit(11.0)), Anchor::Start, "tick", "share right, %");
    svg.finish()
}

/// How many receipts are off by how much; the right ones are told above, not drawn.
pub(super) fn money(summary: &Summary) -> String {
    let receipts = || summary.cases.iter().flat_map(|case| &case.score.receipts);
    let errors: Vec<i64> = receipts()
        .map(|receipt| receipt.charged_minor.saturating_sub(receipt.owed_minor))
        .filter(|error| *error != 0)
        .collect();
    let sum = format!(
        r#"<p class="lead"><b>{}</b> of {} receipts charge the right amount.</p>"#,
        receipts().count() - errors.len(),
        receipts().count()
    );
    if errors.is_empty() {
        return sum;
    }
    sum + &histogram(&errors, summary.currency)
}

/// Columns of equal width around zero: to the left charged too little, to the right too much.
fn histogram(errors: &[i64], currency: Option<Currency>) -> String {
    const WIDTH: f64 = 420.0;
    const HEIGHT: f64 = 190.0;
    const TOP: f64 = 22.0;
    let largest = errors.iter().map(|error| error.unsigned_abs()).max().unwrap_or(1) as f64;
    let step = nice(largest / (MONEY_BINS / 2) as f64);
    let mut counts = [0_u64; MONEY_BINS];
    for &error in errors {
        let away = ((error.unsigned_abs() as f64 / step).ceil() as usize).clamp(1, MONEY_BINS / 2);
        counts[if error < 0 { MONEY_BINS / 2 - away } else { MONEY_BINS / 2 + away - 1 }] += 1;
    }
    let tallest = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let mut svg = Svg::scaling(WIDTH, HEIGHT + TOP + 44.0, "Histogram of the money error of wrongly charged receipts");
    let column = WIDTH / MONEY_BINS as f64;
    for (index, &count) in counts.iter().enumerate().filter(|(_, count)| 0 < **count) {
        let (height, x) = (HEIGHT * count as f64 / tallest, index as f64 * column);
        let from = (index as f64 - (MONEY_BINS / 2) as f64) * step;
        let tip = format!(
            "{count} receipts off by {} to {}",
            mean_amount(from, currency),
            mean_amount(from + step, currency)
        );
        let class = if index < MONEY_BINS / 2 { "under" } else { "over" };
        svg.rect((Unit(x + 1.5), Unit(TOP + HEIGHT - height)), (Unit(column - 3.0), Unit(height)), class, &tip);
        svg.words(
            (Unit(x + column / 2.0), Unit(TOP + HEIGHT - height - 5.0)),
            Anchor::Middle,
            "tick",
            &count.to_string(),
        );
    }
    let bottom = Unit(TOP + HEIGHT);
    svg.line((Unit(0.0), bottom), (Unit(WIDTH), bottom), "base");
    svg.line((Unit(WIDTH / 2.0), Unit(8.0)), (Unit(WIDTH / 2.0), Unit(TOP + HEIGHT + 6.0)), "base");
    let (far, near) = (step * (MONEY_BINS / 2) as f64, step * (MONEY_BINS / 4) as f64);
    for (x, anchor, value) in [
        (0.0, Anchor::Start, -far),
        (0.25, Anchor::Middle, -near),
        (0.5, Anchor::Middle, 0.0),
        (0.75, Anchor::Middle, near),
        (1.0, Anchor::End, far),
    ] {
        svg.words((Unit(x * WIDTH), Unit(TOP + HEIGHT + 19.0)), anchor, "tick", &major(value, currency));
    }
    let unit = currency.map_or_else(|| "minor units".to_owned(), |currency| currency.to_string());
    let below = Unit(TOP + HEIGHT + 38.0);
    svg.words((Unit(WIDTH * 0.25), below), Anchor::Middle, "tick", &format!("charged too little, {unit}"));
    svg.words((Unit(WIDTH * 0.75), below), Anchor::Middle, "tick", &format!("charged too much, {unit}"));
    svg.finish()
}

/// An amount without its currency, with as many digits as it needs.
fn major(minor: f64, currency: Option<Currency>) -> String {
    let decimals = currency.map_or(0, Currency::decimals);
    format!("{}", minor / 10_f64.powi(decimals as i32))
}

/// The least of 1, 2, 5, 10, 20, 50 ... that is not below `least`.
fn nice(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| least <= *step).unwrap_or(least)
}

/// A bar cut into what went wrong, with its parts named below.
pub(super) fn mistakes(summary: &Summary) -> String {
    let m = summary.overall.mistakes;
    let parts = [
        ("wrong shopper", "the right product on another shopper's receipt", m.wrong_shopper),
        ("wrong product", "another product on the right shopper's receipt", m.wrong_product),
        ("missed", "bought, and on no receipt", m.missed),
        ("invented", "on a receipt, and never bought", m.invented),
    ];
    let total = m.total().max(1) as f64;
    let mut svg = Svg::strip(22.0, "Wrong units by the way they are wrong");
    svg.rect((Percent(0.0), Unit(0.0)), (Percent(100.0), Unit(22.0)), "track", "");
    let (mut left, mut list) = (0.0, String::new());
    for (tone, (name, meaning, units)) in parts.into_iter().enumerate() {
        let width = 100.0 * units as f64 / total;
        if 0 < units {
            let tip = format!("{name}: {units}");
            svg.rect((Percent(left), Unit(0.0)), (Percent(width), Unit(22.0)), &format!("square tone-{tone}"), &tip);
        }
        left += width;
        list += &format!(
            r#"<li><i class="dot tone-{tone}"></i><b>{units}</b> {name}<small>{}</small></li>"#,
            escape(meaning)
        );
    }
    format!(r#"{}<ul class="kinds">{list}</ul>"#, svg.finish())
}
