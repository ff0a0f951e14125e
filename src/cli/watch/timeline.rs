//! What happened in a recording, as marks on its time line: who came and left, what shelves felt, receipts, and, where the truth is
//! known, every line that is wrong with the event behind it. What is wrong is what `eval` says.

use std::collections::BTreeMap;

use super::tape::{Decisions, Felt, Tape};
use crate::base::text::plain;
use crate::base::{CartId, ShelfId, ShopTime, SkuId, Span, TimeRange, VisitId};
use crate::eval::{CaseScore, ReceiptScore, Standing, score_case};
use crate::facts::{Attribution, Movement, Receipt};
use crate::ports::{LiveChange, MarkKind, TimeLine, TimeMark, TimeVerdict, TruthLine};
use crate::shop::Shop;
use crate::till::Closing;
use crate::truth::{TrueAction, Truth};

/// Marks of shelves; of more those in between are left out, evenly.
const SHELF_MARKS_MAX: usize = 10_000;
/// So long before an event one begins to look.
const BEFORE: Span = Span::from_millis(1_500);
/// An action and an event, or an attribution, this near to each other are of one movement.
const NEAR: Span = Span::from_millis(2_500);

/// What is known of a whole recording.
pub(super) struct Told {
    pub(super) line: TimeLine,
    /// What each receipt should have been, in the order of the closings.
    pub(super) truths: Vec<Option<LiveChange>>,
}

/// Everything that sentences are made of.
struct Teller<'a> {
    tape: &'a Tape,
    decisions: &'a Decisions,
    truth: &'a Truth,
    /// The visit of the truth for each of ours, where people were numbered anew.
    names: BTreeMap<VisitId, VisitId>,
}

/// A line that is not what it should be.
struct Wrong<'a> {
    /// Whose receipt it is on, or should be on, by our name; that of the truth where there is no such receipt.
    visit: VisitId,
    really: VisitId,
    sku: &'a SkuId,
    name: &'a str,
    is_missing: bool,
    says: u64,
    should: u64,
}

/// The time line of a tape.
pub(super) fn tell(
    recording: String,
    tape: &Tape,
    decisions: &Decisions,
    truth: Option<&Truth>,
    notes: Vec<String>,
) -> Told {
    let mut marks = visits(tape, decisions);
    let (shelves, left_out) = shelves(tape);
    marks.extend(shelves);
    let teller = truth.map(|truth| Teller::new(tape, decisions, truth));
    let score = teller.as_ref().map(Teller::score);
    let mut truths = vec![None; tape.closings.len()];
    for (number, (at, closing)) in tape.closings.iter().enumerate() {
        let right = teller.as_ref().and_then(|teller| teller.judge(&closing.receipt));
        marks.push(receipt(tape, *at, closing, right.as_ref().map(|(right, _)| *right)));
        truths[number] =
            right.map(|(right, lines)| LiveChange::Truth { at: *at, visit: closing.receipt.visit, lines, right });
    }
    if let (Some(teller), Some(score)) = (&teller, &score) {
        marks.extend(score.receipts.iter().flat_map(|one| teller.wrong(one)));
    }
    for mark in &mut marks {
        mark.at = mark.at.clamp(tape.begins, tape.ends);
        mark.from = mark.from.clamp(tape.begins, tape.ends);
    }
    marks.sort_by_key(|mark| (mark.from, mark.at, mark.kind));
    let wrong_lines = marks.iter().filter(|mark| mark.kind == MarkKind::Wrong).count() as u64;
    let verdict = score.map(|score| TimeVerdict {
        judged: score.receipts.len() as u64,
        wrong: score.receipts.iter().filter(|one| !one.exact).count() as u64,
        wrong_lines,
    });
    let (begins, ends) = (tape.begins, tape.ends);
    Told { line: TimeLine { recording, begins, ends, marks, left_out, verdict, notes }, truths }
}

/// Who came and left.
fn visits(tape: &Tape, decisions: &Decisions) -> Vec<TimeMark> {
    let mark = |kind, at, visit, words| {
        let cart = closing_of(tape, visit).map(|(_, closing)| cart_of(&tape.shop, &closing.receipt));
        TimeMark { kind, at, from: at, visit: Some(visit), cart, shelf: None, right: None, words }
    };
    let of = |decided: &crate::pipeline::Decided| {
        let closed = &decided.closed;
        let who = closed.visit;
        [
            mark(MarkKind::Entered, closed.entered, who, format!("shopper {} comes in", short(who))),
            mark(MarkKind::Left, closed.left, who, format!("shopper {} is seen last", short(who))),
        ]
    };
    decisions.outcome.closed.iter().flat_map(of).collect()
}

/// What shelves felt; beside it how many are left out.
fn shelves(tape: &Tape) -> (Vec<TimeMark>, u64) {
    let every = tape.events.len().div_ceil(SHELF_MARKS_MAX).max(1);
    let marks: Vec<TimeMark> = tape.events.iter().step_by(every).map(|(_, felt)| shelf(felt)).collect();
    let left_out = (tape.events.len() - marks.len()) as u64;
    (marks, left_out)
}

fn shelf(Felt { event, .. }: &Felt) -> TimeMark {
    let grams: f64 = event.plates.iter().map(|stairs| stairs.change().value()).sum();
    let words = format!("shelf {} feels {grams:+.0} g", event.shelf);
    let (at, from) = (event.span.end, event.span.start - BEFORE);
    TimeMark { kind: MarkKind::Shelf, at, from, visit: None, cart: None, shelf: Some(event.shelf), right: None, words }
}

fn receipt(tape: &Tape, at: ShopTime, closing: &Closing, right: Option<bool>) -> TimeMark {
    let receipt = &closing.receipt;
    let units: u64 = receipt.lines.iter().map(|line| u64::from(line.quantity.get())).sum();
    let sum = receipt.total.map_or_else(|| "no price".to_owned(), |total| total.to_string());
    let verdict = match right {
        Some(true) => ", right",
        Some(false) => ", WRONG",
        None => "",
    };
    let words = format!("receipt of shopper {}: {units} units, {sum}{verdict}", short(receipt.visit));
    let cart = Some(cart_of(&tape.shop, receipt));
    TimeMark { kind: MarkKind::Receipt, at, from: at, visit: Some(receipt.visit), cart, shelf: None, right, words }
}

fn cart_of(shop: &Shop, receipt: &Receipt) -> CartId {
    CartId::of_visit(shop.name(), receipt.entered, receipt.visit)
}

/// The last receipt of a visit, and when it was written.
fn closing_of(tape: &Tape, visit: VisitId) -> Option<&(ShopTime, Closing)> {
    tape.closings.iter().rfind(|(_, closing)| closing.receipt.visit == visit)
}

impl<'a> Teller<'a> {
    fn new(tape: &'a Tape, decisions: &'a Decisions, truth: &'a Truth) -> Self {
        let mut renamed = decisions.outcome.receipts.clone();
        if let Some(names) = &decisions.names {
            names.rename(&mut renamed, truth, -decisions.outcome.clock.offset);
        }
        let names = decisions.outcome.receipts.iter().zip(&renamed).map(|(ours, theirs)| (ours.visit, theirs.visit));
        Teller { tape, decisions, truth, names: names.collect() }
    }

    fn really(&self, visit: VisitId) -> VisitId {
        self.names.get(&visit).copied().unwrap_or(visit)
    }

    fn ours(&self, really: VisitId) -> Option<VisitId> {
        self.names.iter().find(|(_, theirs)| **theirs == really).map(|(ours, _)| *ours)
    }

    /// As `aisle eval` scores the recording.
    fn score(&self) -> CaseScore {
        let renamed = |receipt: &Receipt| Receipt { visit: self.really(receipt.visit), ..receipt.clone() };
        let receipts: Vec<Receipt> = self.decisions.outcome.receipts.iter().map(renamed).collect();
        let shop = &self.tape.shop;
        score_case(self.truth, &receipts, shop.catalogue(), shop.policy().review_below)
    }

    fn bought(&self, really: VisitId) -> BTreeMap<SkuId, u64> {
        let mut goods = BTreeMap::new();
        for item in self.truth.receipts.iter().filter(|one| one.target_id == really).flat_map(|one| &one.products) {
            *goods.entry(item.barcode.clone()).or_insert(0) += u64::from(item.quantity.get());
        }
        goods
    }

    /// Whether a receipt is right, and what was really taken; none for an empty one of nobody.
    fn judge(&self, receipt: &Receipt) -> Option<(bool, Vec<TruthLine>)> {
        let really = self.really(receipt.visit);
        let bought = self.bought(really);
        let is_known = self.truth.receipts.iter().any(|one| one.target_id == really);
        if !is_known && receipt.lines.is_empty() {
            return None;
        }
        let right = is_known && written(receipt) == bought;
        let line = |(sku, units): (SkuId, u64)| TruthLine { sku, quantity: quantity(units) };
        Some((right, bought.into_iter().map(line).collect()))
    }

    /// A mark for every line of a receipt that is wrong, and for a shopper who has none.
    fn wrong(&self, score: &'a ReceiptScore) -> Vec<TimeMark> {
        let visit = self.ours(score.visit).unwrap_or(score.visit);
        let (bought, says) = (self.bought(score.visit), self.written_of(visit));
        let sides = [(true, &score.missing), (false, &score.extra)];
        let lines = sides.into_iter().flat_map(|(is_missing, side)| side.iter().map(move |diff| (is_missing, diff)));
        let mut marks: Vec<TimeMark> = lines
            .map(|(is_missing, diff)| {
                let count = |goods: &BTreeMap<SkuId, u64>| goods.get(&diff.sku).copied().unwrap_or(0);
                let name = if diff.name.is_empty() { diff.sku.as_str() } else { diff.name.as_str() };
                let (says, should) = (count(&says), count(&bought));
                self.mark(score, &Wrong { visit, really: score.visit, sku: &diff.sku, name, is_missing, says, should })
            })
            .collect();
        if marks.is_empty() && score.standing == Standing::Missing {
            let words = format!("shopper {} has no receipt; the truth says an empty one", short(visit));
            marks.push(self.at_receipt(visit, words));
        }
        marks
    }

    fn written_of(&self, visit: VisitId) -> BTreeMap<SkuId, u64> {
        let mut goods = BTreeMap::new();
        for receipt in self.decisions.outcome.receipts.iter().filter(|receipt| receipt.visit == visit) {
            for (sku, units) in written(receipt) {
                *goods.entry(sku).or_insert(0) += units;
            }
        }
        goods
    }

    fn mark(&self, score: &ReceiptScore, wrong: &Wrong<'_>) -> TimeMark {
        let Wrong { visit, name, says, should, .. } = wrong;
        let (name, visit) = (plain(name), short(*visit));
        let claim = match score.standing {
            Standing::Missing => format!("shopper {visit} has no receipt; the truth says {should} × {name}"),
            Standing::Judged => {
                format!("receipt of shopper {visit} says {says} × {name}, the truth says {should} ×")
            }
            Standing::Unknown => {
                format!("receipt of shopper {visit} says {says} × {name}; the truth knows no such shopper")
            }
            Standing::Ghost => format!("receipt of shopper {visit} says {says} × {name}; the truth calls that a ghost"),
        };
        match if wrong.is_missing { self.missing(wrong) } else { self.extra(wrong) } {
            Some((span, shelf, why)) => {
                let cart =
                    closing_of(self.tape, wrong.visit).map(|(_, closing)| cart_of(&self.tape.shop, &closing.receipt));
                TimeMark {
                    kind: MarkKind::Wrong,
                    at: span.end,
                    from: span.start - BEFORE,
                    visit: Some(wrong.visit),
                    cart,
                    shelf: Some(shelf),
                    right: Some(false),
                    words: format!("{claim}; behind it {} on shelf {shelf}: {why}", self.time(span.end)),
                }
            }
            None => self.at_receipt(wrong.visit, format!("{claim}; no event is known behind it")),
        }
    }

    /// A mark where the receipt is, or where the shopper was seen last, or at the end.
    fn at_receipt(&self, visit: VisitId, words: String) -> TimeMark {
        let closing = closing_of(self.tape, visit);
        let at = closing.map_or(self.tape.ends, |(at, _)| *at);
        let cart = closing.map(|(_, closing)| cart_of(&self.tape.shop, &closing.receipt));
        let (kind, right) = (MarkKind::Wrong, Some(false));
        TimeMark { kind, at, from: at, visit: Some(visit), cart, shelf: None, right, words }
    }

    /// The movement that a line lacks: when, where, and what was made of it.
    fn missing(&self, wrong: &Wrong<'_>) -> Option<(TimeRange, ShelfId, String)> {
        let takes = self.actions(|action| action.visit == wrong.really && action.sku == *wrong.sku);
        let is_known = |action: &&TrueAction| {
            let same = |one: &Attribution| one.visit == wrong.visit && one.sku == *wrong.sku;
            self.attributions().any(|one| same(one) && near(one.evidence.span, action.span))
        };
        let action = takes.iter().copied().find(|action| !is_known(action)).or_else(|| takes.last().copied())?;
        let shelf = action.plates.first()?.shelf;
        let events = self.tape.events.iter().map(|(_, felt)| felt);
        let events = events.filter(|felt| felt.event.shelf == shelf && near(felt.event.span, action.span));
        let Some(felt) = events.min_by_key(|felt| (felt.event.span.middle() - action.span.middle()).abs()) else {
            let why = "the scales felt nothing when it was taken".to_owned();
            return Some((action.span, shelf, why));
        };
        let is_it = |one: &&Attribution| {
            let evidence = &one.evidence;
            let same = one.sku == *wrong.sku && evidence.shelf == shelf && near(evidence.span, action.span);
            evidence.event == felt.fact || same
        };
        let made: Vec<String> = self.attributions().filter(is_it).map(|one| self.says(one)).collect();
        let why = match made.as_slice() {
            [] => "what the shelf felt then is on no receipt".to_owned(),
            made => format!("what the shelf felt then is taken for: {}", made.join(", ")),
        };
        Some((action.span.hull(felt.event.span), shelf, why))
    }

    /// The movement that a line has too much: when, where, and what it really was.
    fn extra(&self, wrong: &Wrong<'_>) -> Option<(TimeRange, ShelfId, String)> {
        let mine =
            |one: &&Attribution| one.visit == wrong.visit && one.sku == *wrong.sku && one.movement == Movement::Take;
        let takes: Vec<&Attribution> = self.attributions().filter(mine).collect();
        let really = |one: &Attribution| {
            let same = |action: &TrueAction| action.visit == wrong.really && action.sku == *wrong.sku;
            !self.actions(|action| same(action) && near(action.span, one.evidence.span)).is_empty()
        };
        let doubtful = |one: &&Attribution| std::cmp::Reverse(one.evidence.probability.value().to_bits());
        let unreal = takes.iter().copied().filter(|one| !really(one)).max_by_key(doubtful);
        let one = unreal.or_else(|| takes.last().copied())?;
        let (span, shelf) = (one.evidence.span, one.evidence.shelf);
        let there =
            |action: &TrueAction| near(action.span, span) && action.plates.iter().any(|plate| plate.shelf == shelf);
        let was: Vec<String> = self.all_actions(there).into_iter().map(|action| self.did(action)).collect();
        let why = match was.as_slice() {
            _ if self.truth.actions.is_empty() => format!("taken for: {}", self.says(one)),
            [] => "the truth knows of nothing that was moved there then".to_owned(),
            was => format!("really: {}", was.join(", ")),
        };
        Some((span, shelf, why))
    }

    fn attributions(&self) -> impl Iterator<Item = &'a Attribution> {
        self.decisions.outcome.attributions.iter().map(|(_, attribution)| attribution)
    }

    fn actions(&self, is_it: impl Fn(&TrueAction) -> bool) -> Vec<&'a TrueAction> {
        self.all_actions(|action| action.movement == Movement::Take && is_it(action))
    }

    fn all_actions(&self, is_it: impl Fn(&TrueAction) -> bool) -> Vec<&'a TrueAction> {
        self.truth.actions.iter().filter(|action| is_it(action)).collect()
    }

    fn says(&self, one: &Attribution) -> String {
        self.deed(one.visit, one.movement, one.quantity.get(), &one.sku)
    }

    fn did(&self, action: &TrueAction) -> String {
        let visit = self.ours(action.visit).unwrap_or(action.visit);
        self.deed(visit, action.movement, action.quantity.get(), &action.sku)
    }

    fn deed(&self, visit: VisitId, movement: Movement, units: u32, sku: &SkuId) -> String {
        let name = self.tape.shop.catalogue().get(sku).map_or(sku.as_str(), |product| product.name.as_str());
        let verb = match movement {
            Movement::Take => "took",
            Movement::Return => "put back",
        };
        format!("shopper {} {verb} {units} × {}", short(visit), plain(name))
    }

    /// Minutes and seconds since the beginning.
    fn time(&self, at: ShopTime) -> String {
        minutes(at.secs_since(self.tape.begins))
    }
}

/// What a visit is called on screens: the end of its number.
fn short(visit: VisitId) -> String {
    let whole = visit.to_string();
    whole[whole.len().saturating_sub(4)..].to_owned()
}

/// Minutes and seconds, and hours where there are some.
fn minutes(secs: f64) -> String {
    let whole = secs.max(0.0) as u64;
    let (hours, minutes, secs) = (whole / 3_600, whole / 60 % 60, whole % 60);
    if 0 < hours { format!("{hours}:{minutes:02}:{secs:02}") } else { format!("{minutes}:{secs:02}") }
}

fn written(receipt: &Receipt) -> BTreeMap<SkuId, u64> {
    let mut goods = BTreeMap::new();
    for line in &receipt.lines {
        *goods.entry(line.sku.clone()).or_insert(0) += u64::from(line.quantity.get());
    }
    goods
}

fn quantity(units: u64) -> crate::base::Quantity {
    crate::base::Quantity::new(u32::try_from(units).unwrap_or(u32::MAX))
}

fn near(one: TimeRange, other: TimeRange) -> bool {
    one.widened(NEAR).touches(other)
}
