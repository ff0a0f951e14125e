//! The likelihoods: how a weight reads, where goods stand, how near a hand is. Natural logarithms throughout.
//! Weights are densities per gram, so that explanations with different numbers of goods can be compared.

use serde::{Deserialize, Serialize};

/// Spread of one unit's weight around its product's, grams.
pub(super) const UNIT_SIGMA: f64 = 1.0;
/// How far off a unit weighs that is weighed again, beyond what the noise of the plates explains, grams.
const WEIGHED_AGAIN: f64 = 0.7;
/// Spread of a product's true weight around the catalogue's, as a share of it.
const CATALOGUE_SHARE_SIGMA: f64 = 0.007;
/// Share of products whose catalogue weight is off by more than that.
const LOOSE: f64 = 0.10;
/// Scale of that error (Laplace), as a share of the weight, and in grams.
const LOOSE_SHARE: f64 = 0.02;
const LOOSE_GRAMS: f64 = 1.0;
/// Share of products whose catalogue weight is grossly wrong: between half and twice the true one.
const GROSS: f64 = 0.012;

/// Log density of a net change of `grams` when nothing was taken or put: quiet noise with a heavy tail, because a
/// jar that is turned, or a sensor that creeps, changes a plate by more than noise does.
pub(super) fn nothing(grams: f64, sigma: f64) -> f64 {
    let core = gauss(grams, sigma.hypot(1.0));
    let tail = laplace(grams, 6.0 + sigma);
    mix(&[(0.95, core), (0.05, tail)])
}

/// The units of a weight that is known from before a restart: whoever is weighed now outweighs it.
pub(super) const RECALLED: u32 = 0;
/// So many units it counts for when the next one is weighed.
pub(super) const RECALLED_UNITS: u32 = 3;

/// What a unit weighed, grams, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Weighed {
    pub(super) grams: f64,
    pub(super) sigma: f64,
}

/// What is believed of the weight of one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum UnitWeight {
    /// Only what the catalogue says.
    Nominal(f64),
    /// Plates have shown another weight than the catalogue's: mean and how many units it rests on; [`RECALLED`] where that was before
    /// a restart.
    Learned { mean: f64, units: u32, nominal: Option<f64> },
    /// The catalogue says nothing.
    Unknown,
}

impl UnitWeight {
    /// The best guess, grams.
    pub(super) fn mean(self) -> Option<f64> {
        match self {
            UnitWeight::Nominal(mean) | UnitWeight::Learned { mean, .. } => Some(mean),
            UnitWeight::Unknown => None,
        }
    }

    /// Log density of reading `grams` (positive) for `units` units, measured with `sigma`.
    pub(super) fn log_density(self, grams: f64, units: f64, sigma: f64) -> f64 {
        match self {
            UnitWeight::Nominal(nominal) => catalogue(grams, units, nominal, sigma),
            // It may have become wrong since, as a catalogue does; the catalogue may have been right again since.
            UnitWeight::Learned { mean, units: RECALLED, nominal } => {
                let old = nominal.map_or_else(|| unknown(units), |nominal| core(grams, units, nominal, sigma));
                mix(&[(0.9, catalogue(grams, units, mean, sigma)), (0.1, old)])
            }
            UnitWeight::Learned { mean, units: seen, nominal } => {
                let spread = (UNIT_SIGMA + 0.003 * mean) * (1.0 + 1.0 / f64::from(seen.max(1))).sqrt();
                let learned = gauss(grams - units * mean, sigma.hypot(units * spread));
                let near = loose(grams - units * mean, units * mean, sigma);
                let old = nominal.map_or_else(|| unknown(units), |nominal| core(grams, units, nominal, sigma));
                mix(&[(0.9, learned), (0.05, near), (0.05, old)])
            }
            UnitWeight::Unknown => unknown(units),
        }
    }

    /// Log density of reading `grams` for `units` that come back. A unit that was weighed on its way out weighs the same
    /// on its way back; one that was not is no surprise either, since its product was on a shelf.
    pub(super) fn log_density_back(self, grams: f64, units: f64, sigma: f64, weighed: Option<Weighed>) -> f64 {
        let believed = self.mean().map_or_else(
            || unknown(units),
            |mean| {
                let loose = loose(grams - units * mean, units * mean, sigma);
                mix(&[(0.9, core(grams, units, mean, sigma)), (0.1, loose)])
            },
        );
        match weighed {
            Some(unit) => {
                let (off, sigma) = (grams - units * unit.grams, sigma.hypot(units * unit.sigma).hypot(WEIGHED_AGAIN));
                // A plate that still settles reads several times further off than its noise says.
                mix(&[(0.85, gauss(off, sigma)), (0.1, gauss(off, 4.0 * sigma)), (0.05, believed)])
            }
            None => believed,
        }
    }

    /// Whether a unit of this measured weight surprises enough to be learned from.
    pub(super) fn is_surprised_by(self, unit_grams: f64, sigma: f64) -> bool {
        match self {
            UnitWeight::Nominal(nominal) => {
                let spread = sigma.hypot(UNIT_SIGMA).hypot(CATALOGUE_SHARE_SIGMA * nominal);
                2.5 * spread < (unit_grams - nominal).abs()
            }
            UnitWeight::Learned { .. } | UnitWeight::Unknown => true,
        }
    }
}

/// The catalogue is right.
fn core(grams: f64, units: f64, nominal: f64, sigma: f64) -> f64 {
    let unit = UNIT_SIGMA * units.sqrt();
    gauss(grams - units * nominal, sigma.hypot(unit).hypot(units * CATALOGUE_SHARE_SIGMA * nominal))
}

/// The weight is somewhat off: `off` grams from `expected`, beyond what the measurement explains.
fn loose(off: f64, expected: f64, sigma: f64) -> f64 {
    laplace((off.abs() - sigma).max(0.0), LOOSE_SHARE * expected + LOOSE_GRAMS)
}

/// The catalogue is right, or somewhat off, or grossly wrong.
fn catalogue(grams: f64, units: f64, nominal: f64, sigma: f64) -> f64 {
    let off = grams - units * nominal;
    let core = core(grams, units, nominal, sigma);
    let loose = loose(off, units * nominal, sigma);
    let ratio = grams / (units * nominal);
    let gross = if (0.5..1.8).contains(&ratio) { -(1.3 * units * nominal).ln() } else { -40.0 };
    // A grossly wrong entry explains a unit or two; more at once would explain anything.
    let gross_share = if units < 1.5 {
        GROSS
    } else if units < 2.5 {
        GROSS * 0.5
    } else {
        GROSS * 0.02
    };
    mix(&[(1.0 - LOOSE - gross_share, core), (LOOSE, loose), (gross_share, gross)])
}

/// A product without a known weight: anything up to two kilograms a unit.
fn unknown(units: f64) -> f64 {
    -(2_000.0 * units).ln() - 2.0
}

/// Prior of how many units move in one grab.
pub(super) fn units_prior(units: u32) -> f64 {
    match units {
        0 | 1 => 0.0,
        2 => -2.2,
        3 => -3.4,
        4 => -4.8,
        more => -4.8 - 1.2 * (f64::from(more) - 4.0),
    }
}

/// How the share of a change that lies outside the product's own place speaks for that product. Most items stand
/// wholly in their place, some lean or lie over its border.
pub(super) fn place(share_outside: f64) -> f64 {
    -9.0 * share_outside.clamp(0.0, 1.0)
}

/// How the trace of one and the same item, put and taken again, may differ from plate to plate: the log density of the
/// differences of its shares against shares that could be anything. It may have been pushed in between.
pub(super) fn same_trace(differences: &[f64]) -> f64 {
    const SIGMA: f64 = 0.06;
    let squared: f64 = differences.iter().map(|share| (share / SIGMA).powi(2)).sum();
    let plates = differences.len().saturating_sub(1) as f64;
    1.7 * plates - (squared / 2.0).min(9.0)
}

/// Log likelihood ratio of a hand against anybody else's, by how many times likelier it is to be where it is seen if it did it.
pub(super) fn hand(times: f64) -> f64 {
    (HAND_FLOOR + times).ln() - HAND_LEVEL
}

/// How likely a hand is at least that did it: one that is seen elsewhere may be taken for another one's.
const HAND_FLOOR: f64 = 0.003;
/// Where the scale begins: a hand on the goods comes to about two.
const HAND_LEVEL: f64 = 2.6;
/// Instants of one reach are no independent evidence, and are weighed too little: on 40 simulated days in `room`
/// receipts that were open for hands above all said 0.67 and were right in 0.81.
pub(super) const HAND_SHARPNESS: f64 = 1.2;
/// How often the wrist of somebody who stands near and took nothing is so near to the goods, per metre of distance.
const OTHERS_PER_METRE: f64 = 0.15;
/// The same of a wrist somewhere within reach.
const OTHERS_WIDE_PER_METRE: f64 = 0.8;
/// How many times likelier the hand of whoever did it is hidden with the elbow within a forearm of the goods, or with the trunk
/// within an arm, than that of others.
const HIDDEN_BY_ELBOW: f64 = 3.3;
const HIDDEN_BY_TRUNK: f64 = 1.0;

/// How near to what it takes the wrist of a hand is seen, as far as was learned: mostly nearer than some centimetres, which a camera
/// system measures well or badly, and now and then anywhere within reach of it, where it was hidden or reported late.
///
/// It is learned from changes that only one shopper was near to, as a mixture of two half normal distributions of which the wide one is
/// known (expectation maximisation, one step a change; Dempster, Laird and Rubin, 1977). Until then it is as wide as the worst rooms are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WristFit {
    /// Changes that were near, and the sum of their squared distances, square metres.
    near: f64,
    squares: f64,
    /// Changes that were not.
    far: f64,
}

/// What is believed before anything was learned: how many changes it counts for, how far a wrist is, metres, and how often it is near.
const WRIST_PRIOR: f64 = 10.0;
const WRIST_SIGMA: f64 = 0.08;
const WRIST_NEAR: f64 = 0.88;
/// The wide distribution, metres.
const WRIST_WIDE_SIGMA: f64 = 0.25;
/// No camera system is taken to be better than this, metres.
const WRIST_SIGMA_MIN: f64 = 0.03;
/// Changes that are remembered.
const WRIST_COUNT_MAX: f64 = 500.0;

impl WristFit {
    /// What was learned: changes that were near, their root mean square distance (metres), and changes that were not.
    pub(super) fn learned(&self) -> (f64, f64, f64) {
        (self.near, (self.squares / self.near.max(f64::MIN_POSITIVE)).sqrt(), self.far)
    }

    /// What was learned before a restart; it counts for so many changes at most that a tenth of what is remembered outweighs it.
    pub(super) fn recalled((near, metres, far): (f64, f64, f64)) -> Self {
        let share = (0.1 * WRIST_COUNT_MAX / (near + far).max(f64::MIN_POSITIVE)).min(1.0);
        WristFit { near: share * near, squares: share * near * metres * metres, far: share * far }
    }

    fn sigma(&self) -> f64 {
        let squares = WRIST_PRIOR * WRIST_SIGMA.powi(2) + self.squares;
        (squares / (WRIST_PRIOR + self.near)).sqrt().max(WRIST_SIGMA_MIN)
    }

    fn share(&self) -> f64 {
        (WRIST_PRIOR * WRIST_NEAR + self.near) / (WRIST_PRIOR + self.near + self.far)
    }

    /// Takes the distance of a taker's wrist, metres.
    pub(super) fn learn(&mut self, metres: f64) {
        let (sigma, share) = (self.sigma(), self.share());
        let density = |sigma: f64| (-0.5 * (metres / sigma).powi(2)).exp() / sigma;
        let (near, wide) = (share * density(sigma), (1.0 - share) * density(WRIST_WIDE_SIGMA));
        let is_near = near / (near + wide).max(f64::MIN_POSITIVE);
        let kept = if WRIST_COUNT_MAX <= self.near + self.far { 1.0 - 1.0 / WRIST_COUNT_MAX } else { 1.0 };
        self.near = kept * self.near + is_near;
        self.squares = kept * self.squares + is_near * metres * metres;
        self.far = kept * self.far + 1.0 - is_near;
    }

    /// How well a visible wrist at this distance (metres) fits a hand on the goods, `0..=1`.
    pub(super) fn nearness(&self, metres: f64) -> f64 {
        let share = self.share();
        let core = share * (-0.5 * (metres / self.sigma()).powi(2)).exp();
        let wide = (1.0 - share) * (-0.5 * (metres / WRIST_WIDE_SIGMA).powi(2)).exp();
        // A wrist may be reported on another body, or before it moved.
        core + wide + 0.002 * (-metres / 0.35).exp()
    }

    /// How many times likelier the visible wrist of whoever did it is at this distance (metres) than that of others.
    pub(super) fn times(&self, metres: f64) -> f64 {
        let half_normal = |sigma: f64| (-0.5 * (metres / sigma).powi(2)).exp() / (sigma * HALF_NORMAL);
        let share = self.share();
        share * half_normal(self.sigma()) / OTHERS_PER_METRE
            + (1.0 - share) * half_normal(WRIST_WIDE_SIGMA) / OTHERS_WIDE_PER_METRE
    }
}

/// The integral of a half normal distribution of unit width and height.
const HALF_NORMAL: f64 = 1.253_314_137_315_500_3;

/// How many times likelier the hand of whoever did it is hidden with the elbow so far away (metres) than that of others.
pub(super) fn times_by_elbow(metres: f64) -> f64 {
    HIDDEN_BY_ELBOW * (-0.5 * ((metres - 0.42).max(0.0) / 0.15).powi(2)).exp()
}

/// The same when only the trunk is seen.
pub(super) fn times_by_trunk(metres: f64) -> f64 {
    HIDDEN_BY_TRUNK * (-0.5 * ((metres - 0.85).max(0.0) / 0.15).powi(2)).exp()
}

/// The same when only the elbow is seen: the hand is a forearm (0.38 m to the knuckles) away from it.
pub(super) fn nearness_by_elbow(metres: f64) -> f64 {
    0.35 * (-0.5 * ((metres - 0.42).max(0.0) / 0.12).powi(2)).exp()
}

/// The same when only the trunk is seen: an arm reaches 0.85 m.
pub(super) fn nearness_by_trunk(metres: f64) -> f64 {
    0.2 * (-0.5 * ((metres - 0.85).max(0.0) / 0.15).powi(2)).exp()
}

/// Nobody that the cameras saw did it.
pub(super) const NOBODY: f64 = -7.8;
/// One more action at the same moment on the same plates.
pub(super) const ANOTHER_ACTION: f64 = -3.2;
/// An action on plates on which another one goes on.
pub(super) const ASIDE: f64 = -3.2;
/// Two shoppers share a simultaneous action.
pub(super) const TWO_TAKERS: f64 = -1.0;
/// They take the same product, against one who takes two of it.
pub(super) const SAME_INSTANT: f64 = -2.2;
/// A hand that fits worse than this is no second taker.
pub(super) const PAIR_LOG_MIN: f64 = -1.8;
/// The product stood where neither the planogram nor anybody seen had put it.
pub(super) const FOREIGN_PLACE: f64 = -8.5;
/// A return against a take.
pub(super) const RETURN: f64 = -0.5;
/// A return to another product's place.
pub(super) const RETURN_ELSEWHERE: f64 = -2.2;
/// A return of something that somebody else had taken: it was handed over.
pub(super) const RETURN_HANDED: f64 = -5.0;
/// A return of something that nobody was seen to take.
pub(super) const RETURN_UNSEEN: f64 = -9.0;
/// How far a unit's weight may be off for its owner to be asked about a return, share and grams.
pub(super) const RETURN_SHARE: f64 = 0.03;
pub(super) const RETURN_GRAMS: f64 = 4.0;
/// A change that is neither goods nor noise: a bag put down, a hip against the shelf; density over a kilogram or two.
pub(super) const DISTURBANCE: f64 = -12.0;
/// Density of everything that is not modelled: an explanation that fits no better than this is as likely to be wrong.
/// [`DISTURBANCE`] is one of those things. Goods in their place with a hand at them come to -5 to 0.
pub(super) const OUTSIDE: f64 = -12.0;
/// Taking back what is not goods.
pub(super) const FOREIGN_OBJECT_AGAIN: f64 = -3.0;
/// To wait for what the plate does next instead of explaining a change now.
pub(super) const DEFER: f64 = -0.7;
/// The least that explaining a change costs that is not understood yet.
pub(super) const DEBT_MIN: f64 = -9.0;
/// A change in several moves of one direction: a hold, a slow lift.
pub(super) const ANOTHER_MOVE: f64 = -1.0;
/// The same after more than a second of quiet.
pub(super) const ANOTHER_MOVE_LATER: f64 = -1.5;
/// Between the moves no hand was there.
pub(super) const HAND_GONE: f64 = -9.0;
/// Somebody whose hand fits worse than this is not near to a change.
pub(super) const ELSEWHERE_LOG: f64 = -7.8;
/// Nearness from which a hand may be there.
pub(super) const HAND_THERE: f64 = 0.12;
/// Nearness from which a hand is there.
pub(super) const HAND_STAYS: f64 = 0.3;
/// The same hand takes again from where it never left.
pub(super) const NEVER_LEFT: f64 = -4.0;
/// One shopper does two things at the same moment: a hand explains one of them.
pub(super) const BOTH_HANDS: f64 = -0.5;

/// A change that goes the other way in between, by this many grams: a press, a wobble, something put and taken.
pub(super) fn excursion(grams: f64, seconds: f64) -> f64 {
    -1.0 - 0.5 * grams.abs().max(5.0).ln() - (0.3 * seconds).min(8.0)
}
/// Goods slid from plate to plate without leaving.
pub(super) const SLIDE: f64 = -1.0;

/// Log density of a normal distribution at `off` from its mean.
pub(super) fn gauss(off: f64, sigma: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
    -0.5 * (off / sigma).powi(2) - sigma.ln() - HALF_LN_TAU
}

fn laplace(off: f64, scale: f64) -> f64 {
    -off.abs() / scale - (2.0 * scale).ln()
}

/// Log of a weighted sum of densities given as logs.
pub(super) fn mix(parts: &[(f64, f64)]) -> f64 {
    let top = parts.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + parts.iter().map(|(share, log)| share * (log - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_that_sees_wrists_well_tells_near_hands_apart_and_one_that_does_not_is_no_surer_than_before() {
        let learned = |metres: f64| {
            let mut fit = WristFit::default();
            (0..2_000).for_each(|_| fit.learn(metres));
            fit
        };
        let odds = |fit: &WristFit| fit.nearness(0.06) / fit.nearness(0.12);
        let (before, well, badly) = (WristFit::default(), learned(0.02), learned(0.15));
        assert!(3.0 * odds(&before) < odds(&well), "{} {}", odds(&before), odds(&well));
        assert!(odds(&badly) < odds(&before), "{} {}", odds(&badly), odds(&before));
        for fit in [before, well, badly] {
            assert!(fit.nearness(0.0) <= 1.003 && 0.0 < fit.nearness(1.5), "{fit:?}");
            assert!(WRIST_SIGMA_MIN <= fit.sigma() && fit.near + fit.far <= WRIST_COUNT_MAX + 1.0, "{fit:?}");
        }
    }
}
