//! `aisle import`: foreign recordings to ours.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use serde_json::json;

use crate::base::text::plain;
use crate::base::{Error, Result};
use crate::output;
use crate::ports::{FactSink, FactSource};
use crate::recording::{Cut, Summary, Writer};
use crate::replay::{self, Format, Replay};

/// Convert a foreign recording or dataset into an aisle recording.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The foreign format.
    #[command(subcommand)]
    format: ForeignFormat,
}

/// The formats that can be imported.
#[derive(Debug, Subcommand)]
enum ForeignFormat {
    /// A test-case folder of the AutoCheckout competition.
    #[command(after_help = "\
Examples:
  aisle import autocheckout BENCHMARK-1 -o trip.mcap
  aisle import autocheckout BENCHMARK-1 -o trip.mcap --tolerate --json

The folder holds planogram.json, products.json, plate_data.json and full_targets.json; a truth.json is taken along.
The recording opens in Foxglove and with the `mcap` tool, and replays with `aisle replay trip.mcap`.")]
    Autocheckout(Folder),
}

#[derive(Debug, Args)]
struct Folder {
    /// The folder of one test case.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The recording to write; a file of this name is replaced once the new one is whole.
    #[arg(short, long, value_name = "FILE.mcap")]
    output: PathBuf,
    /// Which stage of the pipeline to record: raw, seen or tracked. The folder has plate samples and tracked people, which all
    /// three hold.
    #[arg(long, value_name = "CUT", default_value = "tracked", value_parser = deep_cut)]
    cut: Cut,
    /// Skip what is malformed with a warning, instead of failing.
    #[arg(long)]
    tolerate: bool,
    /// Print a summary as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Runs the command.
    ///
    /// # Errors
    /// When the input cannot be read or the output cannot be written.
    pub(super) fn run(self) -> Result<()> {
        match self.format {
            ForeignFormat::Autocheckout(folder) => folder.import(),
        }
    }
}

impl Folder {
    fn import(self) -> Result<()> {
        output::check_inputs(&self.output, [self.folder.as_path()])?;
        let options = replay::Options { tolerate: self.tolerate };
        let mut source = replay::open(&self.folder, Some(Format::AutoCheckout), options)?;
        let shop = source.shop().clone();
        let mut writer = Writer::create(&self.output, &shop, source.truth(), self.cut)?;
        let bar = match self.json {
            true => ProgressBar::hidden(),
            false => super::progress(source.progress().1, "{bar:40} {bytes}/{total_bytes} {eta}"),
        };
        while let Some(fact) = source.next_fact().map_err(|error| with_way_out(error, self.tolerate))? {
            writer.put(&fact)?;
            bar.set_position(source.progress().0);
        }
        let summary = writer.finish()?;
        bar.finish_and_clear();
        report(&summary, &source, &self.output, self.json)
    }
}

fn deep_cut(text: &str) -> Result<Cut, String> {
    match text.parse()? {
        Cut::Decided => Err("nothing is decided yet in a foreign recording: write raw, seen or tracked".to_owned()),
        cut => Ok(cut),
    }
}

fn with_way_out(error: Error, tolerate: bool) -> Error {
    match tolerate {
        true => error,
        false => error.hint("`--tolerate` leaves out what is broken and goes on"),
    }
}

fn report(summary: &Summary, source: &Replay, output: &Path, as_json: bool) -> Result<()> {
    let warnings = source.warnings();
    if as_json {
        let truth = source.truth().is_some();
        let all = json!({ "output": output, "summary": summary, "truth": truth, "warnings": warnings });
        return super::print(&format!("{all}\n"));
    }
    for warning in &warnings {
        super::warn(warning);
    }
    let counts: Vec<String> = summary.channels.iter().map(|(name, count)| format!("{count} on {name}")).collect();
    let mut text = format!(
        "{}: {} facts ({}), {} bytes\n",
        plain(&output.to_string_lossy()),
        summary.facts,
        counts.join(", "),
        summary.bytes
    );
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        text += &format!("from {first} to {last}, {}\n", last - first);
    }
    super::print(&text)
}
