//! What kinds of reason for doubt each receipt has. Takes receipts, the attributions behind them and how well the clocks
//! are known; gives kinds. It never decides what is for review.
//!
//! A receipt has the kinds of all its reasons: those of the sentences in its mark, by what they say, and those that its
//! evidence shows whether it is marked or not. So one receipt may count in several rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::base::{Span, VisitId};
use crate::facts::{self, Attribution, ClockEstimate, FactRef};

/// What stands between two sentences of one mark.
const BETWEEN: &str = "; ";
/// Weight is a reason for doubt where it is off by more than so many standard deviations of the measurement and of
/// products around their catalogue, this part of the weight, and by so many grams.
const WEIGHT_SIGMAS: f64 = 3.0;
const WEIGHT_SHARE: f64 = 0.02;
const WEIGHT_GRAMS: f64 = 6.0;
/// Hands are one where the shopper's have less than this part of the belief, or no wrist was seen.
const HANDS_SHARE_MIN: f64 = 0.9;
/// The clock is one where the offset between people and plates is known no better than this.
const CLOCK_SIGMA_MAX: Span = Span::from_millis(100);

/// Parts of the sentences of marks, and what they are about; the first that is in a sentence counts.
const SENTENCES: [(&str, DoubtKind); 23] = [
    ("no product there weighs that", DoubtKind::Weight),
    ("nothing that anybody had weighs that", DoubtKind::Weight),
    ("more than noise and less than a product", DoubtKind::Weight),
    (", which fits ", DoubtKind::Weight),
    (", and nobody was seen there", DoubtKind::Hands),
    ("which nobody was seen to take", DoubtKind::Hands),
    ("with the hand at plate", DoubtKind::Hands),
    ("were made by nobody who was seen", DoubtKind::Hands),
    ("the tracker's number", DoubtKind::Identity),
    ("looks different", DoubtKind::Identity),
    ("may have been taken for somebody else", DoubtKind::Identity),
    ("was not seen leaving", DoubtKind::Identity),
    ("was not seen coming in", DoubtKind::Identity),
    ("goods were moved on shelf", DoubtKind::Interruption),
    ("aisle was stopped", DoubtKind::Interruption),
    ("of the input around the stay was lost", DoubtKind::Interruption),
    ("of the samples of shelf", DoubtKind::Interruption),
    ("nobody was seen anywhere", DoubtKind::Interruption),
    ("says nothing", DoubtKind::Interruption),
    ("said nothing before", DoubtKind::Interruption),
    ("could not be read", DoubtKind::Interruption),
    ("the recording ends while the shopper is inside", DoubtKind::Interruption),
    ("after the receipt was made", DoubtKind::Revised),
];

/// What a reason for doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// A change of weight that fits no goods, or goods badly.
    Weight,
    /// Whose hand it was: several may have been there, or none was seen.
    Hands,
    /// Who is who: the shopper may have been taken for somebody else, or was not seen coming or leaving.
    Identity,
    /// The offset between people's and plates' clocks is known badly.
    Clock,
    /// Something was not heard: aisle was stopped, input was lost, a sensor was silent, the recording ended.
    Interruption,
    /// The receipt turned out otherwise after it was made.
    Revised,
    /// A sentence that this list does not know.
    Other,
}

impl DoubtKind {
    /// All of them, in the order of tables.
    pub const ALL: [DoubtKind; 7] = [
        DoubtKind::Weight,
        DoubtKind::Hands,
        DoubtKind::Identity,
        DoubtKind::Clock,
        DoubtKind::Interruption,
        DoubtKind::Revised,
        DoubtKind::Other,
    ];

    /// As tables have it.
    pub fn name(self) -> &'static str {
        match self {
            DoubtKind::Weight => "weight",
            DoubtKind::Hands => "hands",
            DoubtKind::Identity => "identity",
            DoubtKind::Clock => "clock",
            DoubtKind::Interruption => "interruption",
            DoubtKind::Revised => "revised",
            DoubtKind::Other => "other",
        }
    }

    /// The kinds of the sentences of a receipt's mark.
    pub fn of_mark(mark: &str) -> BTreeSet<Self> {
        mark.split(BETWEEN).map(DoubtKind::of_sentence).collect()
    }

    fn of_sentence(sentence: &str) -> Self {
        SENTENCES.iter().find(|(part, _)| sentence.contains(part)).map_or(DoubtKind::Other, |(_, kind)| *kind)
    }
}

/// What is known of a trip beside its receipts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behind {
    /// The attributions, by which receipt lines point to them.
    pub attributions: Vec<(FactRef, Attribution)>,
    /// How far the people's clock was from the plates' in the end; `None` where nobody asked.
    pub clock: Option<ClockEstimate>,
}

/// The kinds of the sentences in the marks of one shopper's receipts, by shopper.
pub(super) fn said(receipts: &[facts::Receipt]) -> BTreeMap<VisitId, BTreeSet<DoubtKind>> {
    let mut kinds: BTreeMap<VisitId, BTreeSet<DoubtKind>> = BTreeMap::new();
    for receipt in receipts {
        let marks = receipt.interrupted.iter().flat_map(|mark| DoubtKind::of_mark(mark));
        kinds.entry(receipt.visit).or_default().extend(marks);
    }
    kinds
}

/// The kinds that the evidence behind receipts shows, by shopper.
pub(super) fn shown(receipts: &[facts::Receipt], behind: &Behind) -> BTreeMap<VisitId, BTreeSet<DoubtKind>> {
    let grounds: BTreeMap<&FactRef, &Attribution> = behind.attributions.iter().map(|(fact, one)| (fact, one)).collect();
    let is_timed = behind.clock.as_ref().is_none_or(|clock| clock.sigma <= CLOCK_SIGMA_MAX);
    let mut kinds: BTreeMap<VisitId, BTreeSet<DoubtKind>> = BTreeMap::new();
    for receipt in receipts {
        let kinds = kinds.entry(receipt.visit).or_default();
        let facts = receipt.lines.iter().flat_map(|line| &line.attributions);
        for one in facts.filter_map(|fact| grounds.get(fact)) {
            kinds.extend(is_weight_odd(one).then_some(DoubtKind::Weight));
            kinds.extend(is_hand_open(one).then_some(DoubtKind::Hands));
            kinds.extend((!is_timed).then_some(DoubtKind::Clock));
        }
    }
    kinds
}

fn is_weight_odd(one: &Attribution) -> bool {
    let weight = one.evidence.weight;
    let (measured, expected) = (weight.measured.value(), weight.expected.value());
    let spread = weight.sigma.value().hypot(WEIGHT_SHARE * expected);
    WEIGHT_GRAMS.max(WEIGHT_SIGMAS * spread) < (measured - expected).abs()
}

fn is_hand_open(one: &Attribution) -> bool {
    let own = one.evidence.takers.iter().find(|taker| taker.visit == one.visit);
    own.is_none_or(|taker| taker.wrist_metres.is_none() || taker.share.value() < HANDS_SHARE_MIN)
}
