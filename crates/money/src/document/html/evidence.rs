//! The part of the page that a reviewer reads: for every movement of goods the shelf with the plates that changed, the
//! weight that was measured against the one expected, and how far each hand was.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sheet, text, words};
use crate::base::figures;
use crate::base::{PlateId, VisitId};
use crate::facts::{Attribution, Evidence, FactRef, Movement, TakerEvidence, WeightEvidence};

/// A hand this far away, metres, is drawn at the end of its strip.
const REACH_METRES: f64 = 1.0;
/// Height of a strip, pixels.
const STRIP_PIXELS: u32 = 22;
/// How much of a plate's place is left free on either side, percent of the shelf.
const PLATE_GAP_PERCENT: f64 = 0.25;

/// Nothing where there are no attributions of the visit.
pub(super) fn section(sheet: &Sheet<'_>) -> String {
    let own = sheet.attributions.iter().filter(|(_, attribution)| attribution.visit == sheet.receipt.visit);
    let own: BTreeMap<&FactRef, &Attribution> = own.map(|(fact, attribution)| (fact, attribution)).collect();
    if own.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<section lang=\"en\">\n<h2>How we know</h2>\n<p class=\"lead\">The whole receipt is right with a probability of {}.</p>\n",
        sheet.receipt.probability
    );
    let mut shown = BTreeSet::new();
    for line in &sheet.receipt.lines {
        let moves: Vec<&Attribution> = line.attributions.iter().filter_map(|fact| own.get(fact).copied()).collect();
        shown.extend(&line.attributions);
        html += &format!(
            "<article class=\"proof\">\n<h3><bdi>{}</bdi><small>{}</small></h3>\n{}</article>\n",
            text(&line.name),
            line.probability,
            in_order(sheet, moves)
        );
    }
    let rest: Vec<&Attribution> = own.iter().filter(|(fact, _)| !shown.contains(*fact)).map(|(_, one)| *one).collect();
    if !rest.is_empty() {
        html +=
            &format!("<article class=\"proof\">\n<h3>Not on the receipt</h3>\n{}</article>\n", in_order(sheet, rest));
    }
    html + "</section>\n"
}

fn in_order(sheet: &Sheet<'_>, mut moves: Vec<&Attribution>) -> String {
    moves.sort_by_key(|attribution| attribution.evidence.span.start);
    if moves.is_empty() {
        return "<p class=\"lead\">No movement stands behind this line: a person put it here.</p>\n".to_owned();
    }
    moves.into_iter().map(|attribution| movement(sheet, attribution)).collect()
}

fn movement(sheet: &Sheet<'_>, attribution: &Attribution) -> String {
    let evidence = &attribution.evidence;
    let product = sheet.shop.catalogue().get(&attribution.sku);
    let name = product.map_or(attribution.sku.as_str(), |product| &product.name);
    let verb = match attribution.movement {
        Movement::Take => "Took",
        Movement::Return => "Put back",
    };
    let time = words::time(evidence.span.start, sheet);
    let mut html = format!(
        "<figure>\n<figcaption>{verb} {} × <bdi>{}</bdi> <small>{time} · {}</small></figcaption>\n",
        attribution.quantity,
        text(name),
        evidence.probability
    );
    html += &shelf(sheet, evidence);
    html += &weight(&evidence.weight);
    for taker in &evidence.takers {
        html += &hand(taker, sheet.receipt.visit);
    }
    let mut notes = Vec::new();
    if evidence.misplaced {
        notes.push("The product was off its planned place.");
    }
    if evidence.weight.learned {
        notes.push("The catalogue's weight does not fit; it was learned here.");
    }
    if !notes.is_empty() {
        html += &format!("<p class=\"note\">{}</p>\n", notes.join(" "));
    }
    html + "</figure>\n"
}

/// A row of three: what, the drawing, the figures.
fn row(name: &str, drawing: &str, spoken: &str, figures: &str) -> String {
    format!(
        "<div class=\"row\"><span>{}</span><svg width=\"100%\" height=\"{STRIP_PIXELS}\" role=\"img\" aria-label=\"{}\">{drawing}</svg>\
         <span>{figures}</span></div>\n",
        text(name),
        text(spoken)
    )
}

/// The plates of the shelf from left to right; those that changed are filled, the one that changed most all the way.
fn shelf(sheet: &Sheet<'_>, evidence: &Evidence) -> String {
    let plates = sheet.shop.shelf(evidence.shelf).map_or(&[][..], |shelf| &shelf.plates);
    let left = plates.iter().map(|plate| plate.left_metres).fold(f64::INFINITY, f64::min);
    let right = plates.iter().map(|plate| plate.left_metres + plate.width_metres).fold(f64::NEG_INFINITY, f64::max);
    let mut drawing = String::new();
    for plate in plates {
        let class = match evidence.plates.iter().position(|moved| *moved == plate.id) {
            Some(0) => "moved most",
            Some(_) => "moved",
            None => "plate",
        };
        let at = 100.0 * (plate.left_metres - left) / (right - left) + PLATE_GAP_PERCENT;
        let width = (100.0 * plate.width_metres / (right - left) - 2.0 * PLATE_GAP_PERCENT).max(PLATE_GAP_PERCENT);
        drawing += &format!(
            "<rect x=\"{}%\" y=\"3\" width=\"{}%\" height=\"16\" rx=\"3\" class=\"{class}\"><title>plate {}</title></rect>",
            number(at),
            number(width),
            plate.id
        );
    }
    let numbers = |plate: &PlateId| plate.plate.to_string();
    let moved: Vec<String> = evidence.plates.iter().map(numbers).collect();
    let words = format!("plate{} {}", if moved.len() == 1 { "" } else { "s" }, moved.join(", "));
    let name = format!("Shelf {}", evidence.shelf);
    row(&name, &drawing, &words, &text(&words))
}

/// A scale from nothing to the larger of the two weights: a bar to what was expected, a dot with its spread at what was
/// measured.
fn weight(weight: &WeightEvidence) -> String {
    let (measured, expected, sigma) = (weight.measured.value(), weight.expected.value(), weight.sigma.value().abs());
    let most = (measured.abs() + 2.0 * sigma).max(expected.abs()) * 1.08;
    let percent = |grams: f64| number(if 0.0 < most { (100.0 * grams.abs() / most).clamp(0.0, 100.0) } else { 0.0 });
    let spread = |sigmas: f64| percent((measured.abs() + sigmas * sigma).max(0.0));
    let drawing = format!(
        "<rect x=\"0\" y=\"7\" width=\"100%\" height=\"8\" rx=\"4\" class=\"plate\"/>\
         <rect x=\"0\" y=\"7\" width=\"{0}%\" height=\"8\" rx=\"4\" class=\"expected\"/>\
         <line x1=\"{1}%\" x2=\"{2}%\" y1=\"11\" y2=\"11\" class=\"spread\"/>\
         <circle cx=\"{3}%\" cy=\"11\" r=\"5\" class=\"measured\"/>",
        percent(expected),
        spread(-2.0),
        spread(2.0),
        percent(measured),
    );
    let words = format!("{} g measured, {} g expected", signed(measured), signed(expected));
    let figures = format!("<b>{}</b> of {} g", signed(measured), signed(expected));
    row("Weight", &drawing, &words, &figures)
}

/// How far a wrist was from the goods, which are at the left end.
fn hand(taker: &TakerEvidence, owner: VisitId) -> String {
    let name = if taker.visit == owner { "This hand".to_owned() } else { format!("Shopper {}", taker.visit) };
    let class = if taker.visit == owner { "own" } else { "other" };
    let (drawing, distance) = match taker.wrist_metres {
        Some(metres) => {
            let at = number((100.0 * metres / REACH_METRES).clamp(0.0, 100.0));
            let drawing = format!(
                "<line x1=\"0\" x2=\"{at}%\" y1=\"11\" y2=\"11\" class=\"{class}\"/><circle cx=\"{at}%\" cy=\"11\" r=\"5\" class=\"{class}\"/>"
            );
            (drawing, format!("{metres:.2} m"))
        }
        None => (String::new(), "hidden".to_owned()),
    };
    let track = "<rect x=\"0\" y=\"10\" width=\"100%\" height=\"2\" rx=\"1\" class=\"plate\"/>";
    let words = format!("{distance} away, {} of the belief", taker.share);
    row(&name, &format!("{track}{drawing}"), &words, &format!("<b>{distance}</b> {}", taker.share))
}

fn signed(grams: f64) -> String {
    figures::signed(grams, 0).replace('-', "−")
}

/// A coordinate; what is no number is drawn at the edge.
fn number(value: f64) -> String {
    figures::fixed(if value.is_finite() { value } else { 0.0 }, 2)
}
