//! What was learned, in words.

use super::file::{Document, DoorEntries, DoorEntry, PlateEntry, WeightEntry};
use crate::base::figures::signed;
use crate::base::text::plain;
use crate::shop::{Shop, ZoneKind};
use crate::tracking::{Door, LearnedDoors, Passage};

/// A plate is unusual that trembles by so many times what most do, and so many grams.
const UNUSUAL_TIMES: f64 = 4.0;
const UNUSUAL_GRAMS: f64 = 2.0;
/// Entries of a kind that are named before they are only counted.
const NAMED_MAX: usize = 20;
/// People that make a door of a place, and how near to it others are lost and found again that speak against it.
const DOOR_PEOPLE_MIN: f64 = 3.0;
const NEAR_METRES: f64 = 0.8;

pub(super) fn lines(document: &Document, shop: &Shop) -> Vec<String> {
    let mut lines = vec![format!("learned by aisle {}, written {}", plain(&document.aisle), document.written.0)];
    let mut named = |all: Vec<String>| {
        let more = all.len().saturating_sub(NAMED_MAX);
        lines.extend(all.into_iter().take(NAMED_MAX));
        lines.extend((0 < more).then(|| format!("  and {more} more of these")));
    };
    named(document.weights.iter().map(|weight| weight_line(weight, shop)).collect());
    named(plate_lines(&document.plates));
    if let Some(clock) = &document.clock {
        named(vec![format!(
            "  clocks: people {} s \u{b1} {:.2} s against plates, from {} changes of weight, last {}",
            signed(-clock.people_behind_secs, 2),
            clock.sigma_secs,
            clock.changes,
            clock.at.0
        )]);
    }
    if let Some(wrists) = &document.wrists {
        let takes = wrists.near_takes + wrists.far_takes;
        named(vec![format!(
            "  wrists: {:.1} cm from what they take, in {:.0} % of {takes:.0} takes, last {}",
            100.0 * wrists.metres,
            100.0 * wrists.near_takes / takes.max(1.0),
            wrists.at.0
        )]);
    }
    if let Some(doors) = &document.doors {
        named(kept_door_lines(doors));
    }
    if lines.len() == 1 {
        lines.push("  nothing".to_owned());
    }
    lines
}

fn weight_line(weight: &WeightEntry, shop: &Shop) -> String {
    let WeightEntry { sku, grams, catalogue_grams, units, at } = weight;
    let name = shop.catalogue().get(sku).map_or_else(|| sku.as_str().to_owned(), |product| product.name.clone());
    let against = match catalogue_grams {
        Some(listed) => {
            format!("the catalogue says {listed:.1} g, off by {} %", signed(100.0 * (grams / listed - 1.0), 1))
        }
        None => "the catalogue says nothing".to_owned(),
    };
    let plural = if *units == 1 { "" } else { "s" };
    format!(
        "  weight: {} ({}) {grams:.1} g; {against}; from {units} unit{plural}, last {}",
        plain(&name),
        plain(sku.as_str()),
        at.0
    )
}

/// How many plates are known, and each that is unusual.
fn plate_lines(plates: &[PlateEntry]) -> Vec<String> {
    let mut sigmas: Vec<f64> = plates.iter().map(|plate| plate.sigma_grams).collect();
    sigmas.sort_unstable_by(f64::total_cmp);
    let Some(median) = sigmas.get(sigmas.len() / 2).copied() else { return Vec::new() };
    let unusual = |plate: &&PlateEntry| (UNUSUAL_TIMES * median).max(UNUSUAL_GRAMS) < plate.sigma_grams;
    let line = |plate: &PlateEntry| {
        format!(
            "  plate: {} trembles by {:.2} g at rest, most by {median:.2} g; from {:.0} s of rest, last {}",
            plain(&plate.plate),
            plate.sigma_grams,
            plate.quiet_secs,
            plate.at.0
        )
    };
    let unusual: Vec<String> = plates.iter().filter(unusual).map(line).collect();
    let known = plates.len();
    let newest = plates.iter().map(|plate| plate.at.0).max();
    let last = newest.map_or_else(String::new, |at| format!(", last {at}"));
    let count = unusual.len();
    let mut lines =
        vec![format!("  plates: the noise of {known} known, {median:.2} g for most, {count} unusual{last}")];
    lines.extend(unusual);
    lines
}

fn kept_door_lines(doors: &DoorEntries) -> Vec<String> {
    let shown = doors.places.iter().filter(|door| door.passage != Passage::Back && DOOR_PEOPLE_MIN <= door.people);
    let line = |door: &DoorEntry| {
        let is_near = |other: &&DoorEntry| {
            let (dx, dy) = (other.x_metres - door.x_metres, other.y_metres - door.y_metres);
            other.passage == Passage::Back && dx.hypot(dy) < NEAR_METRES
        };
        let back = doors.places.iter().filter(is_near).fold(0.0, |back, other| back + other.people);
        let what = match door.passage {
            Passage::In => "visits began",
            Passage::Out | Passage::Back => "people were lost for good",
        };
        format!(
            "  door at ({:.2}, {:.2}) m: {:.0} {what} there, {back:.0} lost there came back, {:.0} % sure, last {}",
            door.x_metres,
            door.y_metres,
            door.people,
            100.0 * door.people / (door.people + back + 0.5),
            door.at.0
        )
    };
    shown.map(line).collect()
}

/// Whether a shop names neither a way in nor a way out.
pub fn names_no_door(shop: &Shop) -> bool {
    shop.zones().iter().all(|zone| !matches!(zone.kind, ZoneKind::Entrance | ZoneKind::Exit))
}

/// Doors that were learned, a line each: what comes in and what goes out near one place stands together.
pub fn door_lines(doors: &LearnedDoors) -> Vec<String> {
    let mut out: Vec<&Door> = doors.ways_out.iter().collect();
    let mut lines = Vec::new();
    let mut line = |door: &Door, begun: f64, gone: f64| {
        lines.push(format!(
            "door at ({:.2}, {:.2}) m: {begun:.0} visits began there, {gone:.0} people were lost there for good, {} sure",
            door.place.x, door.place.y, door.sure
        ));
    };
    for door in &doors.ways_in {
        let near = out.iter().position(|other| other.place.distance(door.place) < NEAR_METRES);
        let gone = near.map_or(0.0, |index| out.remove(index).count);
        line(door, door.count, gone);
    }
    for door in out {
        line(door, 0.0, door.count);
    }
    lines
}
