//! `aisle eval`: how right the receipts are.
//! Takes recordings with truth, or scenarios of the simulator; gives a table, JSON or a page, and an exit status.
//! It runs no pipeline itself: a [`Runner`] does.

use std::env;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use self::runner::PipelineRunner;
use self::trip::{Job, Runner, Trip};
use super::looking::LookArgs;
use crate::base::{Error, Result};
use crate::eval::{self, Case, Summary};
use crate::output;

mod runner;
#[cfg(test)]
mod tests;
mod trip;

/// Seeds of one scenario and level.
const SEEDS_MAX: u32 = 10_000;
/// Longest time on the command line, seconds.
const SECS_MAX: f64 = 600.0;
/// Longest trip, seconds.
const LENGTH_SECS_MAX: f64 = 86_400.0;
/// Seed of the bootstrap: the same receipts give the same intervals.
const BOOTSTRAP_SEED: u64 = 1;

const EXAMPLES: &str = "\
Examples:
  aisle eval trip.mcap                            judge one recording that knows its truth
  aisle eval trip.mcap --see                      the same with people made out of its frames
  aisle eval cases/*                              judge AutoCheckout folders that hold a truth.json
  aisle eval --scenarios all --level both         simulate every scenario, five trips of each and level
  aisle eval --scenarios single-pick --seeds 100 --html report.html
  aisle eval --scenarios open,ordinary --seconds 300 --shop convenience --seeds 10 --level both
                                                  stretches of a day in an open shop
  aisle eval --scenarios open --seconds 300 --shop convenience --without-zones
                                                  the same where the shop's files name no doors
  aisle eval --scenarios all --tail 30 --people-delay 0.3
                                                  how soon receipts are decided in a shop that stays open
  aisle eval --scenarios open --seconds 300 --shop convenience --frontier --review-cost 0.05
                                                  which bar for review is cheapest where a wrong receipt costs 20 looks
  aisle eval --scenarios all --min-f1 0.95        fail (exit status 1) below a mean F1 of 0.95

Exit status: 0 judged, 1 below --min-f1 or --min-exact, 2 wrong arguments, 3 unusable input, 4 refused by the system.";

/// Evaluate receipts against ground truth: unit F1, exact receipts, money error, calibration.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Eval {
    /// Recordings, or AutoCheckout folders, with ground truth.
    #[arg(value_name = "PATH", required_unless_present = "scenarios")]
    paths: Vec<PathBuf>,
    /// Scenarios to simulate, or `all`; `aisle simulate --list` names them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Trips of every scenario and level; seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "scenarios",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(SEEDS_MAX)))]
    seeds: u32,
    /// First seed.
    #[arg(long, value_name = "SEED", default_value_t = 1, requires = "scenarios")]
    first_seed: u64,
    /// Fault profile of the simulated sensors.
    #[arg(long, value_enum, default_value_t = Levels::Room, requires = "scenarios")]
    level: Levels,
    /// Shop to simulate, as `aisle simulate` takes it; the demonstration shop if not given.
    #[arg(long, value_name = "PATH", requires = "scenarios")]
    shop: Option<PathBuf>,
    /// Leave the entrance and the exit out of the shop that is judged. People go through its doors all the same, and the engine
    /// has to find them. The table names such trips `... without zones`.
    #[arg(long, requires = "scenarios")]
    without_zones: bool,
    /// How long each trip is, seconds: the open shop of `open`, `ordinary`, `families` and `alike` lets people in for so long,
    /// others go on until then. Without it those four take 120.
    #[arg(long, value_name = "SECONDS", requires = "scenarios", conflicts_with = "tail", value_parser = parse_length)]
    seconds: Option<f64>,
    /// Seconds that each trip goes on after everybody has left, so that receipts are decided as in a shop that stays open, and
    /// not by the end of the recording.
    #[arg(long, value_name = "SECONDS", requires = "scenarios", value_parser = parse_secs)]
    tail: Option<f64>,
    /// Seconds by which people are told of later than weights; simulated trips have 2.31, as the shop that they are modelled on.
    #[arg(long, value_name = "SECONDS", requires = "scenarios", value_parser = parse_secs)]
    people_delay: Option<f64>,
    /// Detect and track people in the frames of recordings, instead of using recorded people; tracks are matched to the ground
    /// truth by position.
    #[arg(long, requires = "paths", conflicts_with = "scenarios")]
    see: bool,
    /// Begin each trip with what was learned of the shop before, as `aisle replay --write-learned` or an open shop wrote it.
    #[arg(long, value_name = "FILE")]
    learned: Option<PathBuf>,
    /// Print below the table what each bar for review would do: the share of receipts for a person against those that are wrong
    /// without a mark, for one `policy.review_probability_min` after the other. `--json` and `--html` have it always.
    #[arg(long)]
    frontier: bool,
    /// What a look at a receipt costs, as a share of what a wrong receipt costs that nobody looked at, 0 to 1: the curve says which
    /// bar is cheapest then. With honest probabilities that is 1 - SHARE.
    #[arg(long, value_name = "SHARE", default_value_t = eval::REVIEW_COST, value_parser = parse_share)]
    review_cost: f64,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// Also write a page with plots; it needs no other file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Trips evaluated in parallel; 0 is one for each CPU, and with --see one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Fail when mean F1 is below this, 0 to 1.
    #[arg(long, value_name = "X", value_parser = parse_share)]
    min_f1: Option<f64>,
    /// Fail when the share of exact receipts is below this, 0 to 1.
    #[arg(long, value_name = "Y", value_parser = parse_share)]
    min_exact: Option<f64>,
    #[command(flatten, next_help_heading = "With --see")]
    looking: LookArgs,
}

/// Which fault profiles to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Levels {
    /// Sensor noise only.
    Clean,
    /// Faults too: broken tracks, ghosts, clock offsets, lost and late messages, wrong catalogue weights.
    Room,
    /// Each trip with both.
    Both,
}

/// What is to be run.
enum Work<'a> {
    Path(&'a Path),
    Scenario(Job),
}

impl Eval {
    /// Runs and judges; prints to standard output, progress to standard error.
    ///
    /// # Errors
    /// When arguments are wrong, a trip cannot be run, a file cannot be written, or a score is below what was asked.
    pub(super) fn run(self) -> Result<()> {
        self.looking.check(self.see)?;
        if let Some(page) = &self.html {
            let read = self.paths.iter().chain(&self.shop).chain(&self.learned).map(PathBuf::as_path);
            output::check_inputs(page, read.chain(self.looking.inputs()))?;
        }
        let looking = self.see.then(|| self.looking.clone());
        let runner = PipelineRunner::new(self.shop.as_deref(), looking)?
            .in_time(self.seconds, self.tail, self.people_delay)
            .knowing(self.learned.clone());
        let runner = if self.without_zones { runner.without_zones()? } else { runner };
        let summary = self.judge(&runner)?;
        let curve = if self.frontier { summary.frontier.to_text() } else { String::new() };
        let text = if self.json { to_json(&summary)? } else { summary.to_text() + &curve };
        super::print(&text)?;
        if let Some(path) = &self.html {
            let page = eval::Page { title: "aisle eval", about: &self.about(), summary: &summary, ablations: &[] };
            output::write(path, page.to_html().as_bytes())?;
        }
        self.check(&summary)
    }

    /// Runs everything that was asked for and adds up the scores.
    fn judge(&self, runner: &dyn Runner) -> Result<Summary> {
        let work = self.work(&runner.scenarios())?;
        let progress = super::progress(work.len() as u64, "{bar:40} {pos}/{len} trips, {eta} left");
        let judged = |one: &Work<'_>| {
            let trip = match one {
                Work::Path(path) => runner.run_path(path).map_err(|error| error.at_path(path)),
                Work::Scenario(job) => runner.run_scenario(job).map_err(|error| error.during(&job.to_string())),
            };
            let case = trip.map(judge_trip);
            progress.inc(1);
            case
        };
        // The sessions of one trip use all processors already.
        let threads = if self.see { self.threads.max(1) } else { self.threads };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| Error::usage(format!("cannot start {threads} threads: {error}")))?;
        let cases: Result<Vec<Case>> = pool.install(|| work.par_iter().map(judged).collect());
        progress.finish_and_clear();
        Ok(Summary::of(cases?, BOOTSTRAP_SEED).with_review_cost(self.review_cost))
    }

    fn work(&self, known: &[(String, bool)]) -> Result<Vec<Work<'_>>> {
        let mut scenarios = Vec::new();
        for name in &self.scenarios {
            match name.as_str() {
                "all" => scenarios.extend(known.iter().filter(|(_, in_all)| *in_all).map(|(name, _)| name.clone())),
                name if known.iter().any(|(other, _)| other == name) => scenarios.push(name.to_owned()),
                name => {
                    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
                    return Err(Error::usage(format!("there is no scenario `{name}`"))
                        .hint(format!("write `all` or some of: {}", names.join(", "))));
                }
            }
        }
        let levels: &[&'static str] = match self.level {
            Levels::Clean => &["clean"],
            Levels::Room => &["room"],
            Levels::Both => &["clean", "room"],
        };
        let mut work: Vec<Work<'_>> = self.paths.iter().map(|path| Work::Path(path)).collect();
        scenarios.sort();
        scenarios.dedup();
        for scenario in scenarios {
            for &level in levels {
                let seeds = self.first_seed..self.first_seed.saturating_add(u64::from(self.seeds));
                work.extend(seeds.map(|seed| Work::Scenario(Job { scenario: scenario.clone(), level, seed })));
            }
        }
        if work.is_empty() {
            return Err(Error::usage("there is nothing to judge").hint("name recordings, or --scenarios all"));
        }
        Ok(work)
    }

    fn check(&self, summary: &Summary) -> Result<()> {
        let exact = summary.overall.exact_receipts.share.unwrap_or(0.0);
        let asked = [("mean F1", summary.overall.mean_f1, self.min_f1), ("exact receipts", exact, self.min_exact)];
        let short: Vec<String> = asked
            .into_iter()
            .filter_map(|(name, value, least)| Some((name, value, least?)))
            .filter(|(_, value, least)| value < least)
            .map(|(name, value, least)| format!("{name} is {value:.4}, asked for at least {least}"))
            .collect();
        if short.is_empty() { Ok(()) } else { Err(Error::unmet(short.join("; "))) }
    }

    /// What the page says about the run.
    fn about(&self) -> Vec<(String, String)> {
        let mut facts = vec![("aisle".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
        let arguments: Vec<String> = env::args().skip(1).collect();
        facts.push(("command".to_owned(), format!("aisle {}", arguments.join(" "))));
        if !self.scenarios.is_empty() {
            facts.push(("scenarios".to_owned(), self.scenarios.join(", ")));
            facts.push(("seeds".to_owned(), format!("{} from {}", self.seeds, self.first_seed)));
        }
        if let Some(shop) = &self.shop {
            facts.push(("shop".to_owned(), shop.display().to_string()));
        }
        if self.without_zones {
            facts.push(("zones".to_owned(), "entrance and exit left out".to_owned()));
        }
        if !self.paths.is_empty() {
            facts.push(("recordings".to_owned(), self.paths.len().to_string()));
        }
        facts
    }
}

fn judge_trip(trip: Trip) -> Case {
    let review_below = trip.shop.policy().review_below;
    let score = eval::score_case(&trip.truth, &trip.receipts, trip.shop.catalogue(), review_below);
    let score = score.with_receipt_delays(trip.receipt_delays).with_identity(trip.identity);
    let score = score.with_evidence(&trip.receipts, &trip.behind);
    Case { label: trip.label, score }
}

fn to_json(summary: &Summary) -> Result<String> {
    let text = serde_json::to_string_pretty(summary);
    text.map(|text| text + "\n").map_err(|error| Error::input(format!("the scores cannot be written as JSON: {error}")))
}

fn parse_length(text: &str) -> std::result::Result<f64, String> {
    let secs: Option<f64> = text.parse().ok().filter(|secs| (1.0..=LENGTH_SECS_MAX).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is no length: write seconds from 1 to {LENGTH_SECS_MAX}, such as 300"))
}

fn parse_secs(text: &str) -> std::result::Result<f64, String> {
    let secs: Option<f64> = text.parse().ok().filter(|secs| (0.0..=SECS_MAX).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is no time: write seconds from 0 to {SECS_MAX}, such as 0.3"))
}

fn parse_share(text: &str) -> std::result::Result<f64, String> {
    let wrong = || format!("`{text}` is not a share: write a number from 0 to 1, such as 0.95");
    let share: f64 = text.parse().map_err(|_| wrong())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}
