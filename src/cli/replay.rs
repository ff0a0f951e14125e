//! `aisle replay`: recordings in, receipts out.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::anchors::AnchorArgs;
use super::book::BookArgs;
use super::charge::{self, Charge, Charger};
use super::learned;
use super::looking::LookArgs;
use super::lost::{self, LossArgs};
use super::receipts::{self, Report, headline};
use super::watch::{WatchArgs, Watching};
use crate::base::text::plain;
use crate::base::{Error, Result};
use crate::facts::{Fact, Receipt};
use crate::learned::Learned;
use crate::output;
use crate::pipeline::{Options, Outcome, RunOptions, Watched, run_knowing};
use crate::ports::{FactSink, FactSource};
use crate::recording::{Cut, Writer};
use crate::replay::{self, Format};
use crate::tracking::FrameLoss;
use crate::truth::Purchases;

/// Replay recordings to receipts, deterministically: the same ones every time.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle replay trip.mcap\n  \
    aisle replay --format autocheckout BENCHMARK-1 --receipts receipts.json\n  \
    aisle replay broken.mcap --tolerate\n  \
    aisle replay trip.mcap --charge --db till.db && aisle ledger check --db till.db\n  \
    aisle replay trip.mcap --record decided.mcap --cut decided\n  \
    aisle replay trip.mcap --see --record people.mcap --cut tracked\n  \
    aisle replay trip.mcap --watch\n  \
    aisle replay monday.mcap --write-learned shop.learned.toml\n  \
    aisle replay tuesday.mcap --learned shop.learned.toml --write-learned shop.learned.toml\n  \
    aisle replay trip.mcap --json | jq '.[0].receipts[].lines'")]
pub(super) struct Replay {
    /// Recordings (.mcap) or AutoCheckout test-case folders.
    #[arg(required = true, value_name = "RECORDING")]
    recordings: Vec<PathBuf>,
    /// Format of the recordings; detected when not given.
    #[arg(long)]
    format: Option<Format>,
    /// Write `{"receipts":[{"target_id":…,"products":[{"barcode":…,"quantity":…}]}]}` here.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Write all facts, input and derived, to a new recording.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Which stage of the pipeline the new recording holds.
    #[arg(long, default_value = "decided", requires = "record")]
    cut: Cut,
    /// Book every receipt and charge it in the sandbox, a fake payment provider.
    #[arg(long)]
    charge: bool,
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    anchors: AnchorArgs,
    /// Read what is readable of a corrupt recording instead of failing.
    #[arg(long)]
    tolerate: bool,
    #[command(flatten)]
    losing: LossArgs,
    /// Begin with what was learned of the shop before, as `--write-learned` or an open shop wrote it: weights, noise of plates, clocks,
    /// wrists, doors. The receipts may be others than without.
    #[arg(long, value_name = "FILE")]
    learned: Option<PathBuf>,
    /// Write what is learned of the shop to this file; it may be the one of `--learned`.
    #[arg(long, value_name = "FILE")]
    write_learned: Option<PathBuf>,
    /// Beam width: hypotheses kept open; more find rarer explanations, slower.
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u16).range(1..=4096))]
    hypotheses: u16,
    /// Threads; with 2, a second thread reads ahead. The receipts are the same.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Detect and track people in the frames, or in their recorded detections, instead of using recorded people.
    #[arg(long)]
    see: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Serve the dashboard over one recording, with a time line: play, pause, jump to events and to wrong lines
    #[arg(long, conflicts_with_all = ["receipts", "record", "charge", "json", "learned", "write_learned"])]
    watch: bool,
    #[command(flatten, next_help_heading = "With --watch")]
    watching: WatchArgs,
    #[command(flatten, next_help_heading = "With --see")]
    looking: LookArgs,
}

impl Replay {
    pub(super) fn run(self) -> Result<()> {
        self.looking.check(self.see)?;
        self.check_outputs()?;
        if self.anchors.are_given() && !self.charge {
            return Err(Error::usage("`--anchors` goes with `--charge`: without it no book is written"));
        }
        if self.watch {
            return self.watch();
        }
        let mut all: Vec<Receipt> = Vec::new();
        let mut reports = Vec::new();
        let (mut blind, mut lossy) = (None, Vec::new());
        for path in &self.recordings {
            let Replayed { outcome, frames, mut text, notes, wall_secs, charges } = self.replay(path)?;
            if self.json {
                let name = path.display().to_string();
                let report = Report::new(&name, &outcome, wall_secs).noting(notes);
                let report = report.with(charges.as_deref()).seeing(frames.as_ref());
                reports.push(serde_json::json!(report));
            } else {
                if let Some(charges) = charges {
                    text += &charge::text(&charges, &self.book)?;
                }
                super::print(&text)?;
            }
            lossy.extend(self.losing.excess(path, outcome.loss.share, frames.as_ref()));
            all.extend(outcome.receipts);
            let checked = frames.as_ref().map_or(Ok(()), lost::check).map_err(|error| error.at_path(path));
            blind = blind.or(checked.err());
        }
        if self.json {
            super::print(&format!("{:#}\n", serde_json::Value::Array(reports)))?;
        }
        if let Some(path) = &self.receipts {
            receipts::write_purchases(path, &Purchases::of(&all))?;
        }
        // Whatever could be made is told; that it is not to be relied on is said last.
        blind.map_or(Ok(()), Err)?;
        self.losing.check(&lossy)
    }

    /// Shows a recording; what was lost of it is said again when that ends.
    fn watch(&self) -> Result<()> {
        let [path] = self.recordings.as_slice() else {
            let count = self.recordings.len();
            return Err(Error::usage(format!("{count} recordings cannot be watched at once")).hint("watch one"));
        };
        let source = replay::open(path, self.format, replay::Options { tolerate: self.tolerate })?;
        let (options, looking) = (self.options(), self.see.then_some(&self.looking));
        let (share, frames) = Watching { path, source, options, looking, args: &self.watching }.run()?;
        let lossy = self.losing.excess(path, share, frames.as_ref());
        self.losing.check(&lossy.into_iter().collect::<Vec<_>>())
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            engine: Options { hypotheses_max: usize::from(self.hypotheses), ..Options::USUAL },
            tolerate: self.tolerate,
            threads: usize::from(self.threads),
        }
    }

    /// Refuses outputs that would be lost, or would replace what is read.
    fn check_outputs(&self) -> Result<()> {
        let count = self.recordings.len();
        if self.write_learned.is_some() && 1 < count {
            let error = Error::usage(format!("what {count} recordings teach cannot be written to one file"));
            return Err(error.hint("replay them one by one, each with --learned what the one before has written"));
        }
        if self.record.is_some() && 1 < count {
            let error = Error::usage(format!("{count} recordings cannot be written to one, each over the one before"));
            return Err(error.hint("replay them one by one, each with a --record of its own"));
        }
        let outputs = || self.receipts.iter().chain(&self.record).chain(&self.write_learned).map(PathBuf::as_path);
        for output in outputs() {
            let read = self.recordings.iter().map(PathBuf::as_path);
            output::check_inputs(output, read.chain(self.looking.inputs()))?;
        }
        output::check_apart(outputs())
    }

    fn replay(&self, path: &Path) -> Result<Replayed> {
        let begun = Instant::now();
        let mut source = replay::open(path, self.format, replay::Options { tolerate: self.tolerate })?;
        let options = self.options();
        let shop = source.shop().clone();
        let (known, forgotten) = learned::known(self.learned.as_deref(), &shop)?;
        let knowledge = known.as_ref().map(Learned::knowledge);
        // What is known of a trip stays with it, but for people who are numbered anew.
        let truth = source.truth().filter(|_| !self.see).cloned();
        let writer = |record: &PathBuf| Writer::create(record, &shop, truth.as_ref(), self.cut);
        let writer = self.record.as_ref().map(writer).transpose()?;
        let charger =
            self.charge.then(|| Charger::open(&self.book, Arc::new(shop.clone()), &self.anchors)).transpose()?;
        let mut sinks = Sinks { writer, charger };
        let (outcome, sight) = match self.see {
            false => (run_knowing(&mut source, options, knowledge.as_ref(), Some(&mut sinks))?, None),
            true => {
                let eyes = self.looking.eyes_for(&source)?;
                let mut watched = Watched::new(&mut source, eyes);
                let outcome = run_knowing(&mut watched, options, knowledge.as_ref(), Some(&mut sinks))?;
                let (loss, (_, sight)) = (watched.loss(), watched.counters());
                if sight.frames == 0 && loss.dropped() == 0 {
                    return Err(lost::no_frames().at_path(path));
                }
                let made = format!("people were made of {} frames\n{}", sight.frames, lost::text(&loss));
                (outcome, Some((loss, made)))
            }
        };
        sinks.writer.map(Writer::finish).transpose()?;
        let charges = sinks.charger.map(Charger::finish).transpose()?;
        if let Some(path) = &self.write_learned {
            Learned::of(&shop, known.as_ref(), &outcome.learned, outcome.ended_at).write(path)?;
        }
        let wall_secs = begun.elapsed().as_secs_f64();
        let mut text = receipts::text(&headline(path), &shop, &outcome, wall_secs);
        let (frames, made) = sight.unzip();
        text += &made.unwrap_or_default();
        text += &learned::doors(&shop, &outcome.doors);
        let mut notes = source.warnings();
        notes.extend(forgotten);
        if source.cut() != Cut::Decided {
            notes.extend(lost::silent(&outcome).map(str::to_owned));
        }
        for note in &notes {
            text += &format!("note: {}\n", plain(note));
        }
        Ok(Replayed { outcome, frames, text, notes, wall_secs, charges })
    }
}

/// What came of one recording.
struct Replayed {
    outcome: Outcome,
    /// Which frames were left out, where people were made of frames.
    frames: Option<FrameLoss>,
    text: String,
    /// What was assumed or left out when it was read.
    notes: Vec<String>,
    wall_secs: f64,
    charges: Option<Vec<Charge>>,
}

/// Everybody who wants to see the facts.
struct Sinks {
    writer: Option<Writer<BufWriter<File>>>,
    charger: Option<Charger>,
}

impl FactSink for Sinks {
    fn put(&mut self, fact: &Fact) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.put(fact)?;
        }
        self.charger.as_mut().map_or(Ok(()), |charger| charger.put(fact))
    }
}
