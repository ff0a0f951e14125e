//! Steps that are explained together, cut into pieces of neighbouring plates, with everything about them that does
//! not depend on what is believed of carts and planogram: weights, places, and whose hands were there.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::clock::HALF;
use super::model;
use super::people::{Goods, People, RASTER};
use super::steps::{PlateStep, Step, merge_same_plate};
use crate::base::{Span, TimeRange, VisitId};
use crate::facts::FactRef;
use crate::shop::Shelf;

/// Shoppers considered for one piece.
const TAKERS_MAX: usize = 4;
/// Most pieces that a group is cut into.
const PIECES_MAX: usize = 3;
/// Past so many plates that count, cuts are tried only between plates of opposite sign or apart.
const FREE_CUTS_MAX: usize = 6;
/// A step below this many grams may be a tremble.
const TREMBLE_GRAMS: f64 = 10.0;
/// A plate that has less than this share of a change says nothing of where it was.
const SPREAD_SHARE_MIN: f64 = 0.01;
/// Between moves so near to each other, seconds, nobody asks where the hand was.
const GAP_MIN_SECS: f64 = 0.4;
/// A hand is looked for at least this long around a step.
const HAND_MARGIN: Span = Span::from_millis(100);

/// Steps that are explained together.
#[derive(Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) shelf: usize,
    pub(super) steps: Vec<u32>,
    pub(super) event: FactRef,
    /// Every contiguous piece that a partition uses.
    pub(super) pieces: Vec<Piece>,
    /// Ways to cut the group: indices into `pieces`.
    pub(super) partitions: Vec<Vec<usize>>,
    /// The places of the plates that count.
    places: Vec<usize>,
    /// Those that carry the change.
    pub(super) core: Vec<usize>,
    pub(super) span: TimeRange,
}

/// The change of neighbouring plates.
#[derive(Serialize, Deserialize)]
pub(super) struct Piece {
    /// Change of each plate, from left to right: place, grams, standard deviation.
    pub(super) changes: Vec<(usize, f64, f64)>,
    pub(super) total: f64,
    pub(super) sigma: f64,
    /// Sum of sizes.
    pub(super) moved: f64,
    /// Log density of how the total spreads over plates.
    pub(super) spread: f64,
    /// Log density of the levels between the steps.
    pub(super) moves: f64,
    /// Log density that nothing was taken or put.
    pub(super) nothing: f64,
    pub(super) span: TimeRange,
    /// Whose hands were there, best first.
    pub(super) takers: Vec<Taker>,
    /// The two who would have done it together, one from the left and one from the right: with the log likelihood
    /// ratio of both, best first.
    pub(super) pairs: Vec<(VisitId, VisitId, f64)>,
}

/// A shopper's hand against a piece.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Taker {
    pub(super) visit: VisitId,
    /// Log likelihood ratio from the joints alone.
    pub(super) log_ratio: f64,
    pub(super) wrist_metres: Option<f64>,
}

impl Piece {
    /// Where the goods are.
    pub(super) fn goods<'a>(&self, shelf: &'a Shelf) -> Goods<'a> {
        let moment: f64 =
            self.changes.iter().map(|(place, grams, _)| grams.abs() * shelf.plates[*place].centre_metres()).sum();
        Goods { shelf, centre: moment / self.moved.max(f64::MIN_POSITIVE), half_width: 0.03 }
    }

    /// The place that changed most.
    pub(super) fn largest(&self) -> usize {
        self.changes.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map_or(0, |(place, ..)| *place)
    }

    /// The places that surely changed, the one that changed most first.
    pub(super) fn changed(&self) -> Vec<usize> {
        let mut changes: Vec<_> = self.changes.iter().filter(|(_, grams, sigma)| 3.0 * sigma < grams.abs()).collect();
        changes.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        changes.into_iter().map(|(place, ..)| *place).collect()
    }

    /// The first and the last place that changed.
    pub(super) fn places(&self) -> (usize, usize) {
        let place = |change: Option<&(usize, f64, f64)>| change.map_or(0, |(place, ..)| *place);
        (place(self.changes.first()), place(self.changes.last()))
    }

    /// The share of the change on each place, signed like the change.
    pub(super) fn shares(&self) -> Vec<(usize, f64)> {
        self.changes.iter().map(|(place, grams, _)| (*place, grams / self.total)).collect()
    }

    /// The share of the change that lies on plates for which `inside` does not hold; what noise could be is left out.
    pub(super) fn share_outside(&self, inside: impl Fn(usize) -> bool) -> f64 {
        let sum = |keep: &dyn Fn(usize) -> bool| -> f64 {
            let kept = self.changes.iter().filter(|(place, ..)| keep(*place));
            kept.map(|(_, grams, sigma)| (grams.abs() - sigma).max(0.0)).sum()
        };
        let outside = sum(&|place| !inside(place));
        let all = sum(&|_| true);
        if all <= 0.0 { 1.0 } else { outside / all }
    }

    /// The share of the change that goes the other way than the total.
    pub(super) fn share_opposite(&self) -> f64 {
        let opposite = self.changes.iter().filter(|(_, grams, _)| grams * self.total < 0.0);
        opposite.map(|(_, grams, sigma)| (grams.abs() - 2.0 * sigma).max(0.0)).sum::<f64>() / self.moved.max(1e-9)
    }
}

impl Group {
    /// Builds the group of these steps, in order of time, all of one shelf; at least one.
    pub(super) fn new(steps: &[&Step], shelf: &Shelf, people: &People, clock: &[f64]) -> Group {
        let mut plates: Vec<PlateStep> = steps.iter().flat_map(|step| step.plates.iter().copied()).collect();
        plates.sort_by_key(|plate| (plate.place, plate.span.start));
        let plates = merge_same_plate(plates);
        let sorted = |mut places: Vec<usize>| {
            places.sort_unstable();
            places.dedup();
            places
        };
        let places = sorted(steps.iter().flat_map(|step| step.significant()).collect());
        let core = sorted(steps.iter().flat_map(|step| step.core()).collect());
        let spans = steps.iter().map(|step| step.span);
        let span = spans
            .reduce(TimeRange::hull)
            .unwrap_or(TimeRange::new(crate::base::ShopTime::MIN, crate::base::ShopTime::MIN));
        let mut group = Group {
            shelf: steps[0].shelf,
            steps: steps.iter().map(|step| step.id).collect(),
            event: steps[steps.len() - 1].event.clone(),
            pieces: Vec::new(),
            partitions: Vec::new(),
            places,
            core,
            span,
        };
        group.cut(steps, &plates, shelf, people, clock);
        group
    }

    /// Whether a step may go on with changes at these places: on the same plate, or beside it if it is more than a
    /// tremble.
    pub(super) fn touches(places: &[usize], step: &Step) -> bool {
        let reach = usize::from(TREMBLE_GRAMS <= step.size());
        step.core().any(|place| places.iter().any(|other| other.abs_diff(place) <= reach))
    }

    /// The piece that is never cut: the first partition is the whole.
    fn whole(&self) -> Option<&Piece> {
        self.partitions.first().and_then(|pieces| pieces.first()).map(|&piece| &self.pieces[piece])
    }

    /// Net change of all its plates, grams.
    pub(super) fn total(&self) -> f64 {
        self.whole().map_or(0.0, |piece| piece.total)
    }

    /// Everybody whose hands fit some piece better than this.
    pub(super) fn near(&self, log: f64) -> BTreeSet<VisitId> {
        let takers = self.pieces.iter().flat_map(|piece| &piece.takers);
        takers.filter(|taker| log < taker.log_ratio).map(|taker| taker.visit).collect()
    }

    /// How well one hand of somebody fits all of these neighbouring pieces at once.
    pub(super) fn hand_over(&self, first: usize, last: usize, visit: VisitId) -> Option<f64> {
        let range = (self.pieces[first].places().0, self.pieces[last].places().1);
        let all = self.pieces.iter().find(|piece| piece.places() == range)?;
        all.takers.iter().find(|taker| taker.visit == visit).map(|taker| taker.log_ratio)
    }

    /// What explaining it will cost at least if it is one change.
    pub(super) fn debt(&self) -> f64 {
        model::DEBT_MIN + self.whole().map_or(0.0, |piece| piece.moves + 0.5 * piece.spread)
    }

    fn cut(&mut self, steps: &[&Step], plates: &[PlateStep], shelf: &Shelf, people: &People, clock: &[f64]) {
        let atoms = self.atoms(plates);
        let mut known: Vec<Range<usize>> = Vec::new();
        for partition in partitions(atoms.len()) {
            let mut pieces = Vec::with_capacity(partition.len());
            for range in partition {
                let index = known.iter().position(|other| *other == range).unwrap_or_else(|| {
                    let members: Vec<usize> = atoms[range.clone()].iter().flatten().copied().collect();
                    known.push(range.clone());
                    self.pieces.push(piece(steps, plates, &members, shelf, people, clock));
                    known.len() - 1
                });
                pieces.push(index);
            }
            self.partitions.push(pieces);
        }
    }

    /// Indices into `plates`, grouped into what is never cut: each plate that counts with the quiet ones beside it.
    fn atoms(&self, plates: &[PlateStep]) -> Vec<Vec<usize>> {
        let mut atoms: Vec<(Vec<usize>, usize)> = Vec::new();
        let counts = |plate: &PlateStep| self.places.contains(&plate.place);
        let coarse = FREE_CUTS_MAX < self.places.len();
        for (index, plate) in plates.iter().enumerate().filter(|(_, plate)| counts(plate)) {
            match atoms.last_mut() {
                Some((members, last))
                    if coarse && plates[*last].place + 1 == plate.place && 0.0 < plates[*last].grams * plate.grams =>
                {
                    members.push(index);
                    *last = index;
                }
                _ => atoms.push((vec![index], index)),
            }
        }
        for (index, plate) in plates.iter().enumerate().filter(|(_, plate)| !counts(plate)) {
            // A quiet neighbour goes with the side that changed the same way, then with the larger change.
            let fit = |(_, last): &&mut (Vec<usize>, usize)| {
                let other = &plates[*last];
                let apart = other.place.abs_diff(plate.place);
                (usize::MAX - apart, 0.0 < other.grams * plate.grams, other.grams.abs() as i64)
            };
            if let Some((members, last)) = atoms.iter_mut().max_by_key(fit)
                && plates[*last].place.abs_diff(plate.place) <= 1
            {
                members.push(index);
            }
        }
        atoms.into_iter().map(|(members, _)| members).collect()
    }
}

/// All ways to cut `count` neighbours into at most [`PIECES_MAX`] contiguous pieces.
fn partitions(count: usize) -> Vec<Vec<Range<usize>>> {
    let mut all = Vec::new();
    let mut open = vec![(Vec::new(), 0)];
    while let Some((pieces, start)) = open.pop() {
        if start == count {
            all.push(pieces);
            continue;
        }
        let last = pieces.len() + 1 == PIECES_MAX;
        let first_end = if last { count } else { start + 1 };
        for end in first_end..=count {
            let mut longer: Vec<Range<usize>> = pieces.clone();
            longer.push(start..end);
            open.push((longer, end));
        }
    }
    all.sort_by_key(|pieces: &Vec<Range<usize>>| {
        (pieces.len(), pieces.iter().map(|piece| piece.start).collect::<Vec<_>>())
    });
    all
}

fn piece(
    steps: &[&Step],
    plates: &[PlateStep],
    members: &[usize],
    shelf: &Shelf,
    people: &People,
    clock: &[f64],
) -> Piece {
    let mut changes: Vec<(usize, f64, f64)> = members
        .iter()
        .map(|&index| {
            let plate = &plates[index];
            (plate.place, plate.grams, plate.sigma_before.hypot(plate.sigma_after))
        })
        .collect();
    changes.sort_by_key(|(place, ..)| *place);
    let total: f64 = changes.iter().map(|(_, grams, _)| grams).sum();
    let sigma = changes.iter().map(|(.., sigma)| sigma * sigma).sum::<f64>().sqrt();
    let moved: f64 = changes.iter().map(|(_, grams, _)| grams.abs()).sum();
    let parts = parts_of(steps, members, plates, shelf);
    let least = SPREAD_SHARE_MIN * moved;
    let counts = |index: &&usize| plates[**index].significant && least <= plates[**index].grams.abs();
    let spread = spread(members.iter().filter(counts).count().max(1), moved);
    let moves = moves(&parts, total, shelf, people, clock);
    let past = |sign: f64| changes.iter().any(|(_, grams, sigma)| (4.0 * sigma).max(5.0) < sign * grams);
    let slid = past(1.0) && past(-1.0);
    let nothing = model::nothing(total, sigma) + if slid { model::SLIDE } else { 0.0 };
    let span = parts.iter().map(|part| part.span).reduce(TimeRange::hull).unwrap_or(steps[0].span);
    let takers = takers(&parts, shelf, people, clock);
    let pairs = pairs(&parts, &changes, &takers, shelf, people, clock);
    Piece { pairs, changes, total, sigma, moved, spread, moves, nothing, span, takers }
}

/// Log density of how a change of `moved` grams spreads over `plates` plates: anyhow.
fn spread(plates: usize, moved: f64) -> f64 {
    -0.8 * plates.saturating_sub(1) as f64 * moved.max(10.0).ln()
}

/// What it costs that a change came about in these moves. Between the moves of a press or a hold a hand is there all
/// the time; goods that rest somewhere need none.
fn moves(parts: &[Part], total: f64, shelf: &Shelf, people: &People, clock: &[f64]) -> f64 {
    let mut cost = 0.0;
    for pair in parts.windows(2) {
        let [before, after] = pair else { continue };
        let gap = TimeRange::new(before.span.end, after.span.start.max(before.span.end));
        let seconds = gap.length().as_secs();
        let gone = if GAP_MIN_SECS < seconds {
            let larger = if before.weight < after.weight { after } else { before };
            let goods = Goods { shelf, centre: larger.centre, half_width: larger.half_width };
            1.0 - people.presence(&goods, gap, likeliest(clock))
        } else {
            0.0
        };
        let onward = 0.0 <= before.grams * after.grams && 0.0 <= after.grams * total;
        cost += match onward {
            true if seconds < 1.0 => model::ANOTHER_MOVE,
            true => model::ANOTHER_MOVE_LATER,
            false => model::excursion(before.grams.abs().min(after.grams.abs()), seconds),
        };
        cost += 0.6 * spread(after.plates.min(before.plates), after.weight.min(before.weight));
        cost += model::HAND_GONE * gone;
    }
    cost
}

/// The most probable offset of the people's clock: which of the grid, and how long.
fn likeliest_index(clock: &[f64]) -> usize {
    (0..clock.len()).max_by(|&a, &b| clock[a].total_cmp(&clock[b])).unwrap_or(HALF)
}

pub(super) fn likeliest(clock: &[f64]) -> Span {
    RASTER * (likeliest_index(clock) as i64 - HALF as i64)
}

/// The goods of a piece as one step moved them.
#[derive(Clone, Copy)]
struct Part {
    span: TimeRange,
    grams: f64,
    centre: f64,
    half_width: f64,
    weight: f64,
    plates: usize,
}

fn parts_of(steps: &[&Step], members: &[usize], plates: &[PlateStep], shelf: &Shelf) -> Vec<Part> {
    let inside = |place: usize| members.iter().any(|&index| plates[index].place == place);
    let mut parts = Vec::new();
    for step in steps {
        let mine: Vec<&PlateStep> =
            step.plates.iter().filter(|plate| plate.significant && inside(plate.place)).collect();
        let Some(span) = mine.iter().map(|plate| plate.span).reduce(TimeRange::hull) else { continue };
        let weight: f64 = mine.iter().map(|plate| plate.grams.abs()).sum();
        let moment: f64 = mine.iter().map(|plate| plate.grams.abs() * shelf.plates[plate.place].centre_metres()).sum();
        let width: f64 = mine.iter().map(|plate| shelf.plates[plate.place].width_metres).sum();
        let grams = mine.iter().map(|plate| plate.grams).sum();
        parts.push(Part {
            span,
            grams,
            centre: moment / weight,
            half_width: (0.1 * width).clamp(0.01, 0.03),
            weight,
            plates: mine.len(),
        });
    }
    parts
}

/// Log likelihood ratio of each visitor near a part, at each clock offset, with the nearest wrist at zero offset.
fn fits(part: &Part, shelf: &Shelf, people: &People) -> Vec<(VisitId, Vec<f64>, Vec<Option<f64>>)> {
    let goods = Goods { shelf, centre: part.centre, half_width: part.half_width };
    let margin = if part.span.length() < HAND_MARGIN * 2 { HAND_MARGIN } else { Span::from_millis(50) };
    let span = part.span.widened(margin);
    let reach = Span::from_nanos(RASTER.as_nanos() * HALF as i64);
    let window = (span.length().as_nanos() / RASTER.as_nanos() + 1) as usize;
    let profiles = people.profiles(&goods, span.widened(reach));
    let mut fits = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let offsets = 2 * HALF + 1;
        let mut ratios = Vec::with_capacity(offsets);
        let mut wrists = Vec::with_capacity(offsets);
        for offset in 0..offsets {
            // A people time is earlier than the plates' by the offset.
            let first = offsets - 1 - offset;
            let range = first.min(profile.nearness.len() - 1)..(first + window).min(profile.nearness.len());
            ratios.push(model::mix(&profile.hands.each_ref().map(|hand| (1.0, stay(&hand[range.clone()])))));
            let nearest = profile.wrist[range].iter().flatten().copied().reduce(f64::min);
            wrists.push(nearest);
        }
        fits.push((profile.visit, ratios, wrists));
    }
    fits
}

/// Log likelihood ratio of a hand over some time: half of it by where it was nearest, half by where it stayed. Hands that only pass
/// are near for an instant.
fn stay(hand: &[f64]) -> f64 {
    let mean = hand.iter().sum::<f64>() / hand.len() as f64;
    let best = hand.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    0.5 * mean + 0.5 * best
}

fn takers(parts: &[Part], shelf: &Shelf, people: &People, clock: &[f64]) -> Vec<Taker> {
    let likeliest = likeliest_index(clock);
    let weight: f64 = parts.iter().map(|part| part.weight).sum();
    let floor = model::hand(0.0);
    let mut takers: Vec<Taker> = Vec::new();
    for part in parts {
        for (visit, ratios, wrists) in fits(part, shelf, people) {
            let weighted: Vec<(f64, f64)> = clock.iter().copied().zip(ratios).collect();
            let ratio = model::mix(&weighted) - floor;
            let index = takers.iter().position(|taker| taker.visit == visit).unwrap_or_else(|| {
                takers.push(Taker { visit, log_ratio: floor, wrist_metres: None });
                takers.len() - 1
            });
            let taker = &mut takers[index];
            taker.log_ratio += ratio * part.weight / weight;
            let wrist = wrists[likeliest];
            taker.wrist_metres = match (taker.wrist_metres, wrist) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    takers.iter_mut().for_each(|taker| taker.log_ratio *= model::HAND_SHARPNESS);
    takers.sort_by(|a, b| b.log_ratio.total_cmp(&a.log_ratio).then(a.visit.cmp(&b.visit)));
    takers.truncate(TAKERS_MAX);
    takers
}

/// Who may have done it two at a time: each hand is measured to the middle of its own half of the change.
fn pairs(
    parts: &[Part],
    changes: &[(usize, f64, f64)],
    best: &[Taker],
    shelf: &Shelf,
    people: &People,
    clock: &[f64],
) -> Vec<(VisitId, VisitId, f64)> {
    if best.iter().filter(|taker| model::PAIR_LOG_MIN < taker.log_ratio).count() < 2 {
        return Vec::new();
    }
    let (left, right) = halves(changes, shelf);
    let at = |centre: f64| {
        let moved: Vec<Part> = parts.iter().map(|part| Part { centre, ..*part }).collect();
        takers(&moved, shelf, people, clock)
    };
    let (left, right) = (at(left), at(right));
    let mut pairs = Vec::new();
    for a in &left {
        for b in right.iter().filter(|b| b.visit != a.visit) {
            pairs.push((a.visit, b.visit, a.log_ratio + b.log_ratio));
        }
    }
    pairs.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    pairs.truncate(2);
    pairs
}

/// The middles of the left and of the right half of a change, metres along the shelf.
fn halves(changes: &[(usize, f64, f64)], shelf: &Shelf) -> (f64, f64) {
    let half: f64 = changes.iter().map(|(_, grams, _)| grams.abs()).sum::<f64>() / 2.0;
    let (mut passed, mut left, mut right) = (0.0, 0.0, 0.0);
    for (place, grams, _) in changes {
        let size = grams.abs();
        let on_left = (half - passed).clamp(0.0, size);
        let centre = shelf.plates[*place].centre_metres();
        left += on_left * centre;
        right += (size - on_left) * centre;
        passed += size;
    }
    if half <= 0.0 { (left, right) } else { (left / half, right / half) }
}

/// Where the goods of a step were.
pub(super) fn goods_of<'a>(step: &Step, shelf: &'a Shelf) -> Option<Goods<'a>> {
    let members: Vec<usize> = (0..step.plates.len()).collect();
    let parts = parts_of(&[step], &members, &step.plates, shelf);
    parts.first().map(|part| Goods { shelf, centre: part.centre, half_width: part.half_width })
}
