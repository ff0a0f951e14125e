//! From a source to its end: the engine fed, the receipts collected, everything shown to whoever listens.

use std::sync::Arc;

use super::{Counters, Engine, Options};
use crate::base::{Error, Result, ShopTime};
use crate::facts::{Attribution, Body, ClockEstimate, Fact, FactRef, Receipt, VisitClosed};
use crate::ports::{FactSink, FactSource};

/// How a source is run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// How the engine works.
    pub engine: Options,
    /// Whether the readable part of a broken source counts; the break is reported in the outcome.
    pub tolerate: bool,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// A receipt per visit, in order of closing.
    pub receipts: Vec<Receipt>,
    /// The attributions behind them.
    pub attributions: Vec<(FactRef, Attribution)>,
    /// Every closed visit with the time at which it was decided.
    pub closed: Vec<(VisitClosed, ShopTime)>,
    /// How far the people's clock is from the plates'.
    pub clock: ClockEstimate,
    /// What happened in every stage.
    pub counters: Counters,
    /// Time between the first and the last ground fact, by when they were true.
    pub span: crate::base::Span,
    /// Breaks in the source that were tolerated.
    pub breaks: Vec<Error>,
}

/// Runs a source to its end. Every fact, ground and derived, also goes to `sink`, in order.
///
/// # Errors
/// What the source could not read, unless tolerated; what the sink refused.
pub fn run(source: &mut dyn FactSource, options: RunOptions, sink: Option<&mut dyn FactSink>) -> Result<Outcome> {
    let shop = Arc::new(source.shop().clone());
    let mut engine = Engine::new(&shop, options.engine);
    let mut collector = Collector { sink, ..Collector::default() };
    let mut breaks = Vec::new();
    let (mut first, mut last) = (None, None);
    loop {
        match source.next_fact() {
            Ok(Some(fact)) => {
                first = Some(first.map_or(fact.stamp.at, |first| fact.stamp.at.min(first)));
                last = last.max(Some(fact.stamp.at));
                engine.take(fact, &mut |fact| collector.take(fact));
                if let Some(refusal) = collector.refusal.take() {
                    return Err(refusal);
                }
            }
            Ok(None) => break,
            Err(error) if options.tolerate => breaks.push(error),
            Err(error) => return Err(error),
        }
    }
    engine.finish(&mut |fact| collector.take(fact));
    if let Some(refusal) = collector.refusal.take() {
        return Err(refusal);
    }
    Ok(Outcome {
        receipts: collector.receipts,
        attributions: collector.attributions,
        closed: collector.closed,
        clock: engine.clock(),
        counters: engine.counters(),
        span: first.zip(last).map_or(crate::base::Span::ZERO, |(first, last)| last - first),
        breaks,
    })
}

#[derive(Default)]
struct Collector<'a> {
    sink: Option<&'a mut dyn FactSink>,
    receipts: Vec<Receipt>,
    attributions: Vec<(FactRef, Attribution)>,
    closed: Vec<(VisitClosed, ShopTime)>,
    refusal: Option<Error>,
}

impl Collector<'_> {
    fn take(&mut self, fact: &Fact) {
        match &fact.body {
            Body::Receipt(receipt) => self.receipts.push(receipt.clone()),
            Body::Attribution(attribution) => self.attributions.push((fact.stamp.fact_ref(), attribution.clone())),
            Body::Visit(closed) => self.closed.push((closed.clone(), fact.stamp.at)),
            _ => {}
        }
        if let Some(sink) = &mut self.sink
            && self.refusal.is_none()
        {
            self.refusal = sink.put(fact).err();
        }
    }
}
