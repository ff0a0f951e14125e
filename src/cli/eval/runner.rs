//! Trips through the pipeline for `aisle eval`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::looking::LookArgs;
use super::super::{learned, lost, receipts, shops, warn};
use super::trip::{Job, Runner, Trip};
use crate::base::{Error, Result, Span, shell};
use crate::eval::{Behind, IdentityJudge, Label, Names};
use crate::facts::{Fact, Topic};
use crate::learned::Learned;
use crate::pipeline::{Knowledge, Options, Outcome, RunOptions, Watched, run_knowing};
use crate::ports::{FactSink, FactSource};
use crate::recording::{Entry, Losses, Reader};
use crate::replay::{self, Replay};
use crate::shop::Shop;
use crate::sim::{self, Level, Scenario, Simulation};
use crate::truth::Truth;

const RUN: RunOptions = RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 };

/// What the name of a scenario goes on with where the shop is told without doors.
const WITHOUT_ZONES: &str = " without zones";

/// Runs trips in one shop.
pub(super) struct PipelineRunner {
    shop: Arc<Shop>,
    /// The shop as the engine and the judge are told it, where that is without doors.
    told: Option<Arc<Shop>>,
    /// How the shop was named, if it was.
    named: Option<PathBuf>,
    /// How frames of recordings are looked at, if they are.
    looking: Option<LookArgs>,
    /// How long trips are, seconds.
    secs: Option<f64>,
    /// Seconds that trips go on after everybody has left.
    tail_secs: Option<f64>,
    /// Seconds by which people are told of later than weights.
    people_delay_secs: Option<f64>,
    /// Where lies what was learned before.
    learned: Option<PathBuf>,
}

/// Hears what a run decides.
struct Hearing<T>(T, fn(&mut T, &Fact));

impl<T> FactSink for Hearing<T> {
    fn put(&mut self, fact: &Fact) -> Result<()> {
        (self.1)(&mut self.0, fact);
        Ok(())
    }
}

/// Hears whom a run takes for whom.
fn people() -> Hearing<IdentityJudge> {
    Hearing(IdentityJudge::default(), IdentityJudge::take)
}

impl PipelineRunner {
    pub(super) fn new(shop: Option<&Path>, looking: Option<LookArgs>) -> Result<Self> {
        let named = shop.map(Path::to_owned);
        Ok(PipelineRunner {
            shop: shops::open(shop)?.0,
            told: None,
            named,
            looking,
            secs: None,
            tail_secs: None,
            people_delay_secs: None,
            learned: None,
        })
    }

    /// The same, with simulated trips that are so long, or go on for so long, and people who are told of so much later than weights,
    /// seconds.
    pub(super) fn in_time(self, secs: Option<f64>, tail_secs: Option<f64>, people_delay_secs: Option<f64>) -> Self {
        PipelineRunner { secs, tail_secs, people_delay_secs, ..self }
    }

    /// The same, where each trip begins with what lies at this path.
    pub(super) fn knowing(self, learned: Option<PathBuf>) -> Self {
        PipelineRunner { learned, ..self }
    }

    /// The same, where simulated people go through doors that nobody is told of.
    ///
    /// # Errors
    /// When the shop does not hold together without them.
    pub(super) fn without_zones(self) -> Result<Self> {
        Ok(PipelineRunner { told: Some(shops::without_doors(&self.shop)?), ..self })
    }

    /// The command that plays a trip again.
    fn replay(&self, job: &Job) -> String {
        let mut trip = format!("--scenario {} --level {} --seed {}", job.scenario, job.level, job.seed);
        if let Some(secs) = self.secs {
            trip += &format!(" --seconds {secs}");
        }
        if self.told.is_some() {
            trip += " --without-zones";
        }
        match &self.named {
            None if self.secs.is_none() && self.told.is_none() => format!("aisle demo {trip}"),
            None => format!("aisle simulate {trip} -o trip.mcap"),
            Some(shop) => format!("aisle simulate --shop {} {trip} -o trip.mcap", shell::path(shop)),
        }
    }

    /// What was learned of the shop of a trip; what does not hold in it is told.
    fn known(&self, shop: &Shop, trip: &str) -> Result<Option<Knowledge>> {
        let (known, forgotten) = learned::known(self.learned.as_deref(), shop)?;
        if let [first, rest @ ..] = forgotten.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            warn(&format!("{trip}: {first}{more}"));
        }
        Ok(known.as_ref().map(Learned::knowledge))
    }

    fn simulate(&self, scenario: Scenario, level: Level, seed: u64) -> Result<sim::Trip> {
        let options = sim::Options { shop: self.shop.clone(), scenario, level, seed, secs: self.secs };
        let mut trip = sim::trip(&options)?;
        if let Some(tail) = self.tail_secs {
            let secs = (length_of(&trip.facts) + tail).ceil();
            trip = sim::trip(&sim::Options { secs: Some(secs), ..options })?;
        }
        if let Some(delay) = self.people_delay_secs {
            let earlier = Span::from_secs(sim::PEOPLE_DELAY_SECS - delay);
            let people = trip.facts.iter_mut().filter(|fact| fact.body.topic() == Topic::People);
            people.for_each(|fact| fact.stamp.arrived = fact.stamp.arrived - earlier);
            trip.facts.sort_by_key(|fact| fact.stamp.arrived);
        }
        Ok(trip)
    }

    /// Runs a recording with people made out of its frames, and gives its visits the numbers of the truth.
    fn see(
        path: &Path,
        source: &mut Replay,
        (truth, known): (&Truth, Option<&Knowledge>),
        looking: &LookArgs,
    ) -> Result<Outcome> {
        let eyes = looking.eyes_for(source)?;
        let mut hearing = Hearing(Names::default(), Names::take);
        let mut reader = Reader::open(path)?.check()?;
        let mut scenes = 0;
        while let Some(entry) = reader.next_entry()? {
            if let Entry::Scene(scene) = entry {
                hearing.0.take_scene(scene);
                scenes += 1;
            }
        }
        if scenes == 0 {
            let error = Error::input("the recording does not know where everybody was, so receipts have no owner");
            return Err(error.hint("judge it without --see; simulated recordings with frames know"));
        }
        let mut watched = Watched::new(source, eyes);
        let mut outcome = run_knowing(&mut watched, RUN, known, Some(&mut hearing))?;
        let loss = watched.loss();
        lost::check(&loss)?;
        eprint!("{}", lost::text(&loss));
        hearing.0.rename(&mut outcome.receipts, truth, -outcome.clock.offset);
        Ok(outcome)
    }
}

impl Runner for PipelineRunner {
    fn scenarios(&self) -> Vec<(String, bool)> {
        Scenario::every().map(|scenario| (scenario.to_string(), !scenario.is_free())).collect()
    }

    fn run_path(&self, path: &Path) -> Result<Trip> {
        let mut source = replay::open(path, None, replay::Options { tolerate: false })?;
        let Some(truth) = source.truth().cloned() else {
            return Err(Error::input("the recording does not know its truth")
                .at_path(path)
                .hint("a folder needs a truth.json; `aisle simulate` writes recordings that know theirs"));
        };
        if truth.receipts.is_empty() && truth.actions.is_empty() && truth.ghosts.is_empty() {
            return Err(Error::input("the truth names no shopper, so there is nothing to judge by")
                .at_path(path)
                .hint("whoever was in the shop has a receipt there, an empty one who bought nothing"));
        }
        let shop = Arc::new(source.shop().clone());
        let known = self.known(&shop, &path.display().to_string())?;
        let mut people = people();
        let outcome = match &self.looking {
            None => run_knowing(&mut source, RUN, known.as_ref(), Some(&mut people))?,
            Some(looking) => Self::see(path, &mut source, (&truth, known.as_ref()), looking)?,
        };
        let losses = source.losses();
        if losses != Losses::default() {
            warn(&format!("{}: left out: {losses}", path.display()));
        }
        if let Some(lost) = outcome.loss.sentence() {
            warn(&format!("{}: lost {lost}", path.display()));
        }
        let label = Label {
            group: if truth.case.is_empty() { "recordings".to_owned() } else { truth.case.clone() },
            level: None,
            name: receipts::headline(path),
            replay: format!("aisle replay {}{}", shell::path(path), if self.looking.is_some() { " --see" } else { "" }),
        };
        let identity = people.0.count(&truth).filter(|_| self.looking.is_none());
        let (receipt_delays, behind) = (delays(&outcome), behind(&outcome));
        Ok(Trip { label, shop, truth, behind, receipt_delays, receipts: outcome.receipts, identity })
    }

    fn run_scenario(&self, job: &Job) -> Result<Trip> {
        let scenario: Scenario = job.scenario.parse().map_err(Error::usage)?;
        let level = if job.level == "room" { Level::Room } else { Level::Clean };
        let shop = self.told.as_ref().unwrap_or(&self.shop).clone();
        let played = sim::Trip { shop: shop.clone(), ..self.simulate(scenario, level, job.seed)? };
        let truth = played.truth.clone();
        let known = self.known(&shop, &job.to_string())?;
        let mut people = people();
        let outcome = run_knowing(&mut Simulation::new(played), RUN, known.as_ref(), Some(&mut people))?;
        let identity = people.0.count(&truth);
        let label = Label {
            group: format!("{}{}", job.scenario, if self.told.is_some() { WITHOUT_ZONES } else { "" }),
            level: Some(job.level.to_owned()),
            name: format!("seed {}", job.seed),
            replay: self.replay(job),
        };
        let (receipt_delays, behind) = (delays(&outcome), behind(&outcome));
        Ok(Trip { label, shop, truth, behind, receipt_delays, receipts: outcome.receipts, identity })
    }
}

/// Seconds from the first fact to the last, by when they were true.
fn length_of(facts: &[Fact]) -> f64 {
    let first = facts.iter().map(|fact| fact.stamp.at).min();
    let last = facts.iter().map(|fact| fact.stamp.at).max();
    first.zip(last).map_or(0.0, |(first, last)| last.secs_since(first))
}

/// What the receipts of a run rest on.
fn behind(outcome: &Outcome) -> Behind {
    Behind { attributions: outcome.attributions.clone(), clock: Some(outcome.clock.clone()) }
}

/// From each shopper's leaving to the arrival of the fact with which it was decided. A visit decided because the recording ended says nothing about it.
fn delays(outcome: &Outcome) -> Vec<Span> {
    let in_time = outcome.closed.iter().filter(|decided| !decided.at_end);
    in_time.map(|decided| decided.arrived - decided.closed.left).collect()
}
