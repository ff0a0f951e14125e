//! What is true of a shop beyond one visit, as it is kept over a restart: what units weigh, how near wrists are to what they take, how far
//! the clocks are apart. It takes what the hypotheses agree on and gives it with when it was learned; it decides nothing.
//!
//! Old knowledge is a prior and weighs little: a weight gives way to the next unit that is weighed otherwise, a clock to some takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::model::{RECALLED, WristFit};
use super::plan::Sku;
use super::{Fusion, Memory};
use crate::base::{Grams, ShopTime, SkuId, Span};

/// What the fusion has learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// What units weigh that weigh something else than the catalogue says.
    pub weights: Vec<LearnedWeight>,
    /// How near wrists are.
    pub wrists: Option<LearnedWrists>,
    /// How far the clocks are apart.
    pub clock: Option<LearnedClock>,
}

/// What a unit of a product weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedWeight {
    /// Of what.
    pub sku: SkuId,
    /// The weight.
    pub unit: Grams,
    /// Units that it was learned from, at most the 20 last ones.
    pub units: u32,
    /// When the last of them was weighed.
    pub at: ShopTime,
}

/// How near wrists are to what hands take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedWrists {
    /// Takes where one was near, of the last 500.
    pub near: f64,
    /// Their root mean square distance, metres.
    pub metres: f64,
    /// Takes where it was seen elsewhere.
    pub far: f64,
    /// When the last take was.
    pub at: ShopTime,
}

/// How far the people's clock is behind the plates'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedClock {
    /// The best guess.
    pub offset: Span,
    /// Its standard deviation.
    pub sigma: Span,
    /// Changes of weight that it was learned from.
    pub events: u32,
    /// When the last of them was.
    pub at: ShopTime,
}

/// When what is known was learned last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Dates {
    weights: BTreeMap<Sku, (f64, u32, ShopTime)>,
    wrists: (WristFit, Option<ShopTime>),
    clock: (u32, Option<ShopTime>),
}

impl Memory {
    /// What happened until now may have taught something.
    pub(super) fn note_learned(&mut self) {
        let (dates, at) = (&mut self.dates, self.now);
        for (sku, (grams, units)) in &self.clusters.learned {
            let is_known = dates.weights.get(sku).is_some_and(|(mean, count, _)| (mean, count) == (grams, units));
            if *units != RECALLED && !is_known {
                dates.weights.insert(*sku, (*grams, *units, at));
            }
        }
        if dates.wrists.0 != self.people.wrists {
            dates.wrists = (self.people.wrists, Some(at));
        }
        let events = self.clock.events();
        if dates.clock.0 != events {
            dates.clock = (events, Some(at));
        }
    }
}

impl Fusion {
    /// What was learned since the beginning, of which nothing is about anybody. What was recalled and not learned anew is not in it.
    pub fn learned(&self) -> Learned {
        let products = self.shop.catalogue().products();
        let Dates { weights, wrists, clock } = &self.memory.dates;
        let weight = |(sku, (grams, units, at)): (&Sku, &(f64, u32, ShopTime))| LearnedWeight {
            sku: products[*sku].sku.clone(),
            unit: Grams::new(*grams),
            units: *units,
            at: *at,
        };
        let wrists = wrists.1.map(|at| {
            let (near, metres, far) = self.memory.people.wrists.learned();
            LearnedWrists { near, metres, far, at }
        });
        let clock = clock.1.map(|at| {
            let estimate = self.clock();
            LearnedClock { offset: estimate.offset, sigma: estimate.sigma, events: estimate.events, at }
        });
        Learned { weights: weights.iter().map(weight).collect(), wrists, clock }
    }

    /// Begins with what was learned before. Weights of products that the shop does not have are ignored.
    pub fn recall(&mut self, known: &Learned) {
        let catalogue = self.shop.catalogue();
        let weight = |weight: &LearnedWeight| Some((catalogue.index_of(&weight.sku)?, (weight.unit.value(), RECALLED)));
        self.memory.clusters.learned.extend(known.weights.iter().filter_map(weight));
        if let Some(LearnedWrists { near, metres, far, .. }) = known.wrists {
            self.memory.people.wrists = WristFit::recalled((near, metres, far));
            self.memory.dates.wrists.0 = self.memory.people.wrists;
        }
        if let Some(LearnedClock { offset, sigma, .. }) = known.clock {
            self.memory.clock = Clock::recalled(offset, sigma);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fusion::Options;
    use crate::fusion::model::UnitWeight;
    use crate::fusion::tests::{at, draft};
    use crate::fusion::world::World;
    use crate::shop::{Shop, ShopDraft};

    const OPTIONS: Options = Options { hypotheses_max: 96, eager: false };

    fn fusion(draft: ShopDraft) -> Fusion {
        Fusion::new(Arc::new(Shop::check(draft).unwrap()), OPTIONS)
    }

    fn known() -> Learned {
        Learned {
            weights: vec![
                LearnedWeight { sku: SkuId::new("oil"), unit: Grams::new(340.0), units: 8, at: at(0.0) },
                LearnedWeight { sku: SkuId::new("gone"), unit: Grams::new(99.0), units: 8, at: at(0.0) },
            ],
            wrists: Some(LearnedWrists { near: 450.0, metres: 0.03, far: 50.0, at: at(0.0) }),
            clock: Some(LearnedClock {
                offset: Span::from_millis(250),
                sigma: Span::from_millis(30),
                events: 40,
                at: at(0.0),
            }),
        }
    }

    #[test]
    fn what_was_recalled_is_believed_and_is_nothing_new() {
        let mut fusion = fusion(draft());
        fusion.recall(&known());
        let clock = fusion.clock();
        assert!((clock.offset - Span::from_millis(250)).abs() < Span::from_millis(70), "{clock:?}");
        assert!(
            clock.events == 0 && Span::from_millis(40) < clock.sigma && clock.sigma < Span::from_millis(180),
            "{clock:?}"
        );
        let (near, metres, far) = fusion.memory.people.wrists.learned();
        assert!(near + far <= 50.1 && (metres - 0.03).abs() < 1e-9 && (near / far - 9.0).abs() < 1e-9);
        assert_eq!(fusion.memory.clusters.learned.values().copied().collect::<Vec<_>>(), [(340.0, RECALLED)]);
        fusion.memory.note_learned();
        assert_eq!(fusion.learned(), Learned::default(), "nothing was learned since");
    }

    #[test]
    fn an_old_weight_is_likelier_than_the_catalogue_and_gives_way_to_one_that_is_weighed() {
        let weights = |learned: Option<(f64, u32)>| {
            let learned: BTreeMap<Sku, (f64, u32)> = learned.map(|learned| (0, learned)).into_iter().collect();
            World::new(learned).unit_weight(0, Some(400.0))
        };
        let log = |weight: UnitWeight, grams: f64| weight.log_density(grams, 1.0, 1.0);
        let (fresh, recalled, learned) = (weights(None), weights(Some((340.0, RECALLED))), weights(Some((340.0, 8))));
        assert!(log(fresh, 340.0) + 3.0 < log(recalled, 340.0), "it is known");
        assert!(log(recalled, 340.0) < log(learned, 340.0), "and not as sure as what was weighed today");
        // The world may have changed back, or to something else, and neither is out of reach.
        assert!(log(learned, 400.0) < log(recalled, 400.0) + 1.0 && -8.0 < log(recalled, 400.0));
        assert!(log(learned, 510.0) + 5.0 < log(recalled, 510.0), "{} {}", log(learned, 510.0), log(recalled, 510.0));
    }
}
