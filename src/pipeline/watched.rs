//! A source whose people are made of its own frames, in the place of those that somebody else told of.

use std::collections::VecDeque;

use super::{Eyes, EyesCounters, Look};
use crate::base::{Reports, Result, StageReport};
use crate::facts::{Body, Fact};
use crate::ports::FactSource;
use crate::shop::Shop;
use crate::tracking::{FrameLoss, Sight, SightCounters};

/// Everything of a source but its people; these follow from its frames, or from what was seen in them.
pub struct Watched<'a> {
    source: &'a mut dyn FactSource,
    eyes: Eyes,
    sight: Sight,
    /// Facts that are next, the ones that were made behind the ones that led to them.
    ready: VecDeque<Fact>,
    has_ended: bool,
}

impl<'a> Watched<'a> {
    /// Looks at the frames of a source with `eyes`; without networks they take what the source says was seen.
    pub fn new(source: &'a mut dyn FactSource, eyes: Eyes) -> Self {
        let sight = Sight::new(source.shop());
        Watched { source, eyes, sight, ready: VecDeque::new(), has_ended: false }
    }

    /// What was taken, of the frames and of what was seen in them.
    pub fn counters(&self) -> (EyesCounters, SightCounters) {
        (self.eyes.counters(), self.sight.counters())
    }

    /// What its stages have done.
    pub fn reports(&self) -> Vec<StageReport> {
        vec![self.eyes.report(), self.sight.report()]
    }

    /// Which frames were left out, for whatever reason.
    pub fn loss(&self) -> FrameLoss {
        self.eyes.loss().clone().with(self.sight.loss())
    }

    fn take(&mut self, fact: Fact) -> Result<()> {
        match &fact.body {
            Body::People(_) => return Ok(()),
            // What others saw in a frame that is looked at here would count twice.
            Body::Seen(_) if self.eyes.can_see() => return Ok(()),
            Body::Seen(_) => {
                let told = self.sight.take(&fact);
                self.ready.push_back(fact);
                self.ready.extend(told);
                return Ok(());
            }
            _ => {}
        }
        let looks = self.eyes.take(&fact);
        self.ready.push_back(fact);
        self.follow(looks?);
        Ok(())
    }

    fn follow(&mut self, looks: Vec<Look>) {
        for look in looks {
            let told = self.sight.take(&look.seen);
            self.ready.push_back(look.seen);
            self.ready.extend(told);
        }
    }
}

impl FactSource for Watched<'_> {
    fn shop(&self) -> &Shop {
        self.source.shop()
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        while self.ready.is_empty() && !self.has_ended {
            match self.source.next_fact()? {
                Some(fact) => self.take(fact)?,
                None => {
                    self.has_ended = true;
                    let looks = self.eyes.flush()?;
                    self.follow(looks);
                }
            }
        }
        Ok(self.ready.pop_front())
    }

    fn left_out(&self) -> u64 {
        // A fall of a camera's share is no loss that is made good: only what rises counts, see `run`.
        self.source.left_out() + self.eyes.loss().noted() + self.sight.loss().noted()
    }
}
