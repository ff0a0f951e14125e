//! `aisle replay`: recordings in, receipts out.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::book::BookArgs;
use super::charge::{self, Charge, Charger};
use super::looking::{self, LookArgs};
use super::receipts::{self, Report, headline};
use crate::base::Result;
use crate::base::text::plain;
use crate::facts::{Fact, Receipt};
use crate::pipeline::{Options, Outcome, RunOptions, Watched, run};
use crate::ports::{FactSink, FactSource};
use crate::recording::{Cut, Writer};
use crate::replay::{self, Format};
use crate::truth::Purchases;

/// Replay recordings to receipts: the same ones every time.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle replay trip.mcap\n  \
    aisle replay --format autocheckout BENCHMARK-1 --receipts receipts.json\n  \
    aisle replay broken.mcap --tolerate\n  \
    aisle replay trip.mcap --charge --db till.db && aisle ledger check --db till.db\n  \
    aisle replay trip.mcap --record decided.mcap --cut decided\n  \
    aisle replay trip.mcap --see --record people.mcap --cut tracked\n  \
    aisle replay trip.mcap --json | jq '.[0].receipts[].lines'")]
pub(super) struct Replay {
    /// Recordings (.mcap) or AutoCheckout test-case folders.
    #[arg(required = true, value_name = "RECORDING")]
    recordings: Vec<PathBuf>,
    /// What the recordings are; found out when not given.
    #[arg(long)]
    format: Option<Format>,
    /// Write `{"receipts":[{"target_id":…,"products":[{"barcode":…,"quantity":…}]}]}` here.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Write all facts, also the decided ones, to a new recording.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// At which depth to cut the new recording.
    #[arg(long, default_value = "decided", requires = "record")]
    cut: Cut,
    /// Put every receipt into the book and charge it in the sandbox, a payment provider that is invented.
    #[arg(long)]
    charge: bool,
    #[command(flatten)]
    book: BookArgs,
    /// Take what is readable of a broken recording instead of giving up.
    #[arg(long)]
    tolerate: bool,
    /// Hypotheses that stay open; more find rarer explanations, slower.
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u16).range(1..=4096))]
    hypotheses: u16,
    /// Threads: with 2, files are read beside the thinking. The receipts are the same.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Make the people out of the frames, or of what was seen in them, in the place of people that the recording tells of.
    #[arg(long)]
    see: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "With --see")]
    looking: LookArgs,
}

impl Replay {
    pub(super) fn run(self) -> Result<()> {
        self.looking.check(self.see)?;
        let mut all: Vec<Receipt> = Vec::new();
        let mut reports = Vec::new();
        for path in &self.recordings {
            let Replayed { outcome, mut text, wall_secs, charges } = self.replay(path)?;
            if self.json {
                let name = path.display().to_string();
                let report = Report::new(&name, &outcome, wall_secs).with(charges.as_deref());
                reports.push(serde_json::json!(report));
            } else {
                text += &charges.map_or_else(String::new, |charges| charge::text(&charges, &self.book.shown()));
                super::print(&text)?;
            }
            all.extend(outcome.receipts);
        }
        if self.json {
            super::print(&format!("{:#}\n", serde_json::Value::Array(reports)))?;
        }
        if let Some(path) = &self.receipts {
            receipts::write_purchases(path, &Purchases::of(&all))?;
        }
        Ok(())
    }

    fn replay(&self, path: &Path) -> Result<Replayed> {
        let begun = Instant::now();
        let mut source = replay::open(path, self.format, replay::Options { tolerate: self.tolerate })?;
        let options = RunOptions {
            engine: Options { hypotheses_max: usize::from(self.hypotheses) },
            tolerate: self.tolerate,
            threads: usize::from(self.threads),
        };
        let shop = source.shop().clone();
        // What is known of a trip stays with it, but for people who are numbered anew.
        let truth = source.truth().filter(|_| !self.see).cloned();
        let writer = |record: &PathBuf| Writer::create(record, &shop, truth.as_ref(), self.cut);
        let writer = self.record.as_ref().map(writer).transpose()?;
        let charger = self.charge.then(|| Charger::open(&self.book, Arc::new(shop.clone()))).transpose()?;
        let mut sinks = Sinks { writer, charger };
        let (outcome, sight) = match self.see {
            false => (run(&mut source, options, Some(&mut sinks))?, None),
            true => {
                let eyes = self.looking.eyes_for(&source)?;
                let mut watched = Watched::new(&mut source, eyes);
                let outcome = run(&mut watched, options, Some(&mut sinks))?;
                let (eyes, sight) = watched.counters();
                let left_out = looking::left_out(eyes, sight);
                (outcome, Some(format!("people were made of {} frames\n{left_out}", sight.frames)))
            }
        };
        sinks.writer.map(Writer::finish).transpose()?;
        let charges = sinks.charger.map(Charger::finish).transpose()?;
        let wall_secs = begun.elapsed().as_secs_f64();
        let mut text = receipts::text(&headline(path), &shop, &outcome, wall_secs);
        text += &sight.unwrap_or_default();
        for warning in source.warnings() {
            text += &format!("note: {}\n", plain(&warning));
        }
        Ok(Replayed { outcome, text, wall_secs, charges })
    }
}

/// What came of one recording.
struct Replayed {
    outcome: Outcome,
    text: String,
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
