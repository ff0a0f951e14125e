//! What changes of weight say about the plates themselves. It takes changes as they are explained and gives those that
//! nothing explains, and the plates that seem to be wired backwards, scaled wrongly or swapped with another. It decides
//! nothing about carts: whoever may have been touched is marked by [`super::odd`] and [`super::doubts`].

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::odd::{Kind, Oddity, UNEXPLAINED_MIN};
use super::plan::{Place, plate_name, unit_of};
use crate::shop::Shop;

/// Sentences about unexplained changes that are kept; more are only counted.
const SENTENCES_MAX: usize = 100;
/// Changes of one plate whose ratio to the catalogue's weight is remembered; the oldest go first.
const RATIOS_MAX: usize = 32;
/// Ratios of one plate agree within this share.
const RATIO_SPREAD_MAX: f64 = 0.03;
/// A plate whose ratio is off by less than this share may as well have a catalogue that is somewhat off.
const RATIO_OFF_MIN: f64 = 0.04;
/// Changes that make a ratio believed which is no well-known one.
const RATIO_CHANGES_MIN: usize = 2;
/// Ratios that need one change: half a bridge and two, factors of ten, pounds, ounces, newtons for what should be grams.
const RATIOS_KNOWN: [f64; 13] =
    [0.5, 2.0, 0.1, 10.0, 0.01, 100.0, 0.001, 1_000.0, 0.453_59, 2.204_62, 0.035_274, 28.349_5, 9.806_65];
/// A change is measured to so many grams.
const RATIO_GRAMS: f64 = 2.0;
/// How near to a well-known ratio is that ratio.
const RATIO_KNOWN_SHARE: f64 = 0.02;
/// How far a change may be from so many units of a product, as a share and in grams.
const UNITS_SHARE: f64 = 0.03;
const UNITS_GRAMS: f64 = 4.0;
/// Units that a change is tried as.
const UNITS_MAX: u32 = 3;

/// What the changes of one plate were like.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Changes that were explained well.
    fitting: u32,
    /// Rises by what its own goods weigh that nobody had.
    rises: u32,
    /// Changes by what the goods of another plate weigh, where a hand was.
    swaps: BTreeMap<Place, u32>,
    /// Change over what the catalogue says of the goods, and how far off that is by grams that mean nothing.
    ratios: VecDeque<(f64, f64)>,
}

/// Everything that was noticed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Findings {
    unexplained: u64,
    sentences: Vec<String>,
    records: BTreeMap<Place, Record>,
}

/// What is odd about the shelves of a shop, for whoever looks after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Anomalies {
    /// Changes of weight that nothing explains.
    pub unexplained: u64,
    /// A sentence for each of the first of them.
    pub changes: Vec<String>,
    /// A sentence for each plate that seems to be wired, scaled or placed wrongly.
    pub plates: Vec<String>,
}

impl Findings {
    /// A change of this plate was explained as goods that weigh so much by the catalogue, grams.
    pub(super) fn explained(&mut self, place: Place, grams: f64, nominal: Option<f64>, well: bool) {
        let record = self.records.entry(place).or_default();
        record.fitting += u32::from(well);
        record.ratio(grams, nominal);
    }

    /// A change of this plate is what the goods of another plate weigh, with a hand at that one.
    pub(super) fn swapped(&mut self, place: Place, other: Place) {
        *self.records.entry(place).or_default().swaps.entry(other).or_default() += 1;
    }

    /// A change was explained badly.
    pub(super) fn odd(&mut self, odd: &Oddity, shop: &Shop) {
        if UNEXPLAINED_MIN <= odd.chance {
            self.unexplained += 1;
            if self.sentences.len() < SENTENCES_MAX {
                self.sentences.push(odd.sentence(shop));
            }
        }
        let place = (odd.shelf, odd.place);
        let own = unit_of(shop, place);
        let record = self.records.entry(place).or_default();
        let rise = matches!(odd.kind, Kind::RiseOfNothing | Kind::ReturnedByNobody(_));
        match own.filter(|unit| is_units(odd.grams, *unit)) {
            Some(_) => record.rises += u32::from(rise),
            None if UNEXPLAINED_MIN <= odd.chance => record.ratio(odd.grams, own),
            None => {}
        }
    }

    /// What there is to say.
    pub(super) fn anomalies(&self, shop: &Shop) -> Anomalies {
        let plates = self.records.iter().filter_map(|(place, record)| record.suspicion(*place, shop)).collect();
        Anomalies { unexplained: self.unexplained, changes: self.sentences.clone(), plates }
    }
}

impl Record {
    fn ratio(&mut self, grams: f64, nominal: Option<f64>) {
        let Some(nominal) = nominal.filter(|nominal| 0.0 < *nominal) else { return };
        if RATIOS_MAX <= self.ratios.len() {
            self.ratios.pop_front();
        }
        self.ratios.push_back((grams.abs() / nominal, RATIO_GRAMS / nominal));
    }

    /// What is wrong with a plate whose changes were like this, most telling first.
    fn suspicion(&self, place: Place, shop: &Shop) -> Option<String> {
        let plate = plate_name(shop, place);
        let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let swapped = self.swaps.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| self.fitting < **count);
        if let Some((other, count)) = swapped {
            let other = plate_name(shop, *other);
            return Some(format!(
                "plate {plate} moved {} by what the goods of plate {other} weigh, with a hand at that one: they may be swapped",
                times(*count)
            ));
        }
        if self.fitting < self.rises {
            return Some(format!(
                "plate {plate} went up {} by what its own goods weigh, which nobody had: it may be wired backwards",
                times(self.rises)
            ));
        }
        let (ratio, slack) = self.agreed_ratio()?;
        let is_known = RATIOS_KNOWN.iter().any(|known| (ratio - known).abs() <= RATIO_KNOWN_SHARE * known + slack);
        let enough = RATIO_CHANGES_MIN <= self.ratios.len() || is_known;
        (RATIO_OFF_MIN + slack < (ratio - 1.0).abs() && enough).then(|| {
            let count = times(u32::try_from(self.ratios.len()).unwrap_or(u32::MAX));
            format!(
                "plate {plate} moved {count} by {ratio:.3} times what the catalogue says of its goods: it may be scaled wrongly, or the catalogue is wrong"
            )
        })
    }

    /// The ratio that nearly all changes agree on.
    fn agreed_ratio(&self) -> Option<(f64, f64)> {
        let mut sorted: Vec<(f64, f64)> = self.ratios.iter().copied().collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (median, slack) = *sorted.get(sorted.len() / 2)?;
        let near =
            sorted.iter().filter(|(ratio, off)| (ratio - median).abs() <= RATIO_SPREAD_MAX * median + off).count();
        (4 * sorted.len() <= 5 * near).then_some((median, slack))
    }
}

/// Whether a change may be some units of what weighs `unit` grams, whichever way.
pub(super) fn is_units(grams: f64, unit: f64) -> bool {
    (1..=UNITS_MAX).any(|units| {
        let expected = f64::from(units) * unit;
        (grams.abs() - expected).abs() <= UNITS_SHARE * expected + UNITS_GRAMS
    })
}
