//! From a source to its end: the engine fed, the receipts collected, everything shown to whoever listens.

use std::sync::{Arc, mpsc};
use std::thread;

use super::{Counters, Engine, Knowledge, Loss, Options};
use crate::base::limits::READ_AHEAD_FACTS_MAX;
use crate::base::{Error, Result, ShopTime, Span};
use crate::facts::{Attribution, Body, ClockEstimate, Fact, FactRef, Receipt, VisitClosed};
use crate::fusion::Anomalies;
use crate::ports::{FactSink, FactSource};
use crate::shop::Shop;
use crate::tracking::LearnedDoors;

/// Breaks that are kept with what was wrong; more are only counted.
const BREAKS_MAX: usize = 200;

/// How a source is run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// How the engine works.
    pub engine: Options,
    /// Whether the readable part of a broken source counts; the break is reported in the outcome.
    pub tolerate: bool,
    /// Threads: with 1 everything happens on the caller's, with more the source is read on a thread of its own.
    pub threads: usize,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// A receipt per visit, in order of closing; of one that was revised the last.
    pub receipts: Vec<Receipt>,
    /// The attributions behind them.
    pub attributions: Vec<(FactRef, Attribution)>,
    /// Every closed visit, in order of closing; one that was revised stands once, as it was decided last.
    pub closed: Vec<Decided>,
    /// How far the people's clock is from the plates'.
    pub clock: ClockEstimate,
    /// What happened in every stage.
    pub counters: Counters,
    /// When the last fact was true; visits that were open then were decided then, whoever was still inside.
    pub ended_at: ShopTime,
    /// Time between the first and the last ground fact, by when they were true.
    pub span: Span,
    /// Breaks in the source that were tolerated: the first of them.
    pub breaks: Vec<Error>,
    /// What was lost of the input.
    pub loss: Loss,
    /// What is odd about the shelves.
    pub anomalies: Anomalies,
    /// What was learned that is true beyond one visit.
    pub learned: Knowledge,
    /// The doors among that.
    pub doors: LearnedDoors,
}

/// The end of a visit.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// How it ended.
    pub closed: VisitClosed,
    /// How far time had come in the engine when that was decided.
    pub at: ShopTime,
    /// When the fact arrived with which it was decided first, by the clock of arrivals: who waited for it waited until then.
    pub arrived: ShopTime,
    /// Whether it was decided only because the recording ended.
    pub at_end: bool,
}

/// Runs a source to its end. Every fact, ground and derived, also goes to `sink`, in order. The outcome is the same
/// for any number of threads.
///
/// # Errors
/// What the source could not read, unless tolerated; what the sink refused.
pub fn run(source: &mut dyn FactSource, options: RunOptions, sink: Option<&mut dyn FactSink>) -> Result<Outcome> {
    run_knowing(source, options, None, sink)
}

/// The same, beginning with what was learned of the shop before.
///
/// # Errors
/// As [`run`].
pub fn run_knowing(
    source: &mut dyn FactSource,
    options: RunOptions,
    known: Option<&Knowledge>,
    sink: Option<&mut dyn FactSink>,
) -> Result<Outcome> {
    let mut course = Course::new(&Arc::new(source.shop().clone()), options, sink);
    if let Some(known) = known {
        course.engine.recall(known);
    }
    if options.threads <= 1 {
        while let Some(read) = source.next_fact().transpose() {
            course.take(read, source.left_out())?;
        }
        course.lose(source.left_out());
    } else {
        thread::scope(|scope| {
            let (read_ahead, facts) = mpsc::sync_channel(READ_AHEAD_FACTS_MAX);
            scope.spawn(move || {
                loop {
                    let read = source.next_fact().transpose();
                    let (ended, left_out) = (read.is_none(), source.left_out());
                    // When nobody listens any more the run has failed, and why is known there.
                    if read_ahead.send((read, left_out)).is_err() || ended {
                        break;
                    }
                }
            });
            facts.into_iter().try_for_each(|(read, left_out)| match read {
                Some(read) => course.take(read, left_out).map(drop),
                None => {
                    course.lose(left_out);
                    Ok(())
                }
            })
        })?;
    }
    course.finish()
}

/// A run under way: what [`run`] does with each part of a source, for whoever looks on between two of them.
pub struct Course<'a> {
    engine: Engine,
    collector: Collector<'a>,
    tolerate: bool,
    breaks: Vec<Error>,
    /// Parts of the input that the source had left out so far.
    left_out: u64,
    first: Option<ShopTime>,
    last: Option<ShopTime>,
}

impl<'a> Course<'a> {
    /// Nothing is taken yet. Every fact, ground and derived, will go to `sink`.
    pub fn new(shop: &Arc<Shop>, options: RunOptions, sink: Option<&'a mut dyn FactSink>) -> Self {
        Course {
            engine: Engine::new(shop, options.engine),
            collector: Collector::new(sink),
            tolerate: options.tolerate,
            breaks: Vec::new(),
            left_out: 0,
            first: None,
            last: None,
        }
    }

    /// The engine as it is now.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes what was read, before which the source had left out so much; gives how many parts were lost with it.
    ///
    /// # Errors
    /// What could not be read, unless it is tolerated; what the sink refused.
    pub fn take(&mut self, read: Result<Fact>, left_out: u64) -> Result<u64> {
        let lost = self.lose(left_out);
        let fact = match read {
            Ok(fact) => fact,
            Err(error) if self.tolerate => {
                self.engine.lose(1);
                if self.breaks.len() < BREAKS_MAX {
                    self.breaks.push(error);
                }
                return Ok(lost + 1);
            }
            Err(error) => return Err(error),
        };
        let at = fact.stamp.at;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = self.last.max(Some(at));
        self.collector.arrived = self.collector.arrived.max(fact.stamp.arrived);
        self.engine.take(fact, &mut |fact| self.collector.take(fact));
        self.collector.refused()?;
        Ok(lost)
    }

    /// The source has left out so many parts of the input by now; gives how many of them are new.
    pub fn lose(&mut self, left_out: u64) -> u64 {
        let lost = left_out.saturating_sub(self.left_out);
        self.engine.lose(lost);
        self.left_out = self.left_out.max(left_out);
        lost
    }

    /// Nothing comes any more: everything open is decided.
    ///
    /// # Errors
    /// What the sink refused.
    pub fn finish(mut self) -> Result<Outcome> {
        self.collector.at_end = true;
        self.engine.finish(&mut |fact| self.collector.take(fact));
        self.collector.refused()?;
        let counters = self.engine.counters();
        Ok(Outcome {
            receipts: self.collector.receipts,
            attributions: self.collector.attributions,
            closed: self.collector.closed,
            clock: self.engine.clock(),
            counters,
            loss: Loss::of(&counters),
            anomalies: self.engine.anomalies(),
            learned: self.engine.learned(),
            doors: self.engine.learned_doors(),
            ended_at: self.engine.now(),
            span: self.first.zip(self.last).map_or(Span::ZERO, |(first, last)| last - first),
            breaks: self.breaks,
        })
    }
}

struct Collector<'a> {
    sink: Option<&'a mut dyn FactSink>,
    receipts: Vec<Receipt>,
    attributions: Vec<(FactRef, Attribution)>,
    closed: Vec<Decided>,
    /// The newest arrival, and whether there will be none any more.
    arrived: ShopTime,
    at_end: bool,
    refusal: Option<Error>,
}

impl<'a> Collector<'a> {
    fn new(sink: Option<&'a mut dyn FactSink>) -> Self {
        Collector {
            sink,
            receipts: Vec::new(),
            attributions: Vec::new(),
            closed: Vec::new(),
            arrived: ShopTime::MIN,
            at_end: false,
            refusal: None,
        }
    }

    /// What the sink refused, if anything.
    fn refused(&mut self) -> Result<()> {
        self.refusal.take().map_or(Ok(()), Err)
    }

    fn take(&mut self, fact: &Fact) {
        match &fact.body {
            Body::Receipt(receipt) => match self.receipts.iter_mut().find(|other| is_same(other, receipt)) {
                Some(revised) => *revised = receipt.clone(),
                None => self.receipts.push(receipt.clone()),
            },
            Body::Attribution(attribution) => self.attributions.push((fact.stamp.fact_ref(), attribution.clone())),
            Body::Visit(closed) => {
                let (at, at_end) = (fact.stamp.at, self.at_end);
                let same =
                    |other: &&mut Decided| other.closed.visit == closed.visit && other.closed.entered == closed.entered;
                match self.closed.iter_mut().find(same) {
                    Some(revised) => *revised = Decided { closed: closed.clone(), at, ..*revised },
                    None => self.closed.push(Decided { closed: closed.clone(), at, arrived: self.arrived, at_end }),
                }
            }
            _ => {}
        }
        if let Some(sink) = &mut self.sink
            && self.refusal.is_none()
        {
            self.refusal = sink.put(fact).err();
        }
    }
}

/// Whether two receipts are of one stay; the later one is what a revision says.
fn is_same(one: &Receipt, other: &Receipt) -> bool {
    (one.visit, one.entered) == (other.visit, other.entered)
}
