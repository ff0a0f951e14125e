//! `aisle models bench`: how long models take on this machine, and how its cores are best shared out.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::super::engine::{self, EngineArgs};
use super::FolderArgs;
use crate::base::text::{left, plain};
use crate::base::{Error, Result};
use crate::image::RgbImage;
use crate::models::Library;
use crate::vision::{Engine, LoadOptions, Manifest, Model, Region};

/// Benchmark models on this machine: inference latency on one thread and on all, and throughput with one model of one
/// thread for each core.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models bench                            every network that is here
  aisle models bench yolox_nano --engine embedded --secs 5")]
pub(super) struct Bench {
    /// Names of models; all whose weights are here if none is given.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How long each measurement takes, seconds.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    secs: f64,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print the figures as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// What was measured of one model.
struct Figures {
    /// Median of one inference on one thread, milliseconds.
    one_thread: f64,
    /// Median of one inference on several threads, milliseconds.
    all_threads: f64,
    /// Inferences a second of one model on several threads.
    wide_per_second: f64,
    /// Inferences a second of a model of one thread on each core.
    narrow_per_second: f64,
}

impl Bench {
    pub(super) fn run(self) -> Result<()> {
        let span = Duration::try_from_secs_f64(self.secs).ok().filter(|span| !span.is_zero());
        let span = span.ok_or_else(|| Error::usage("--secs must be more than 0"))?;
        let library = self.folder.open()?;
        let chosen = self.engine.open()?;
        engine::tell(&chosen);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wide = self.engine.threads().unwrap_or(cores);
        let mut rows = Vec::new();
        if !self.json {
            let threads = if wide == cores { "all".to_owned() } else { format!("{wide} threads") };
            let head =
                format!("{:<21} {:>9} {threads:>9} {:>12} {:>12}", "model", "1 thread", "one model", "one a core");
            crate::cli::print(&format!("{head}\n"))?;
        }
        for manifest in library.choose(&self.names)? {
            if self.names.is_empty() && library.weights(manifest).is_none() {
                continue;
            }
            let options = self.engine.load_options();
            match measure(&library, manifest, &chosen.engine, options, [wide, cores], span) {
                Ok(figures) if self.json => rows.push(json!({
                    "name": manifest.name,
                    "one_thread_ms": figures.one_thread,
                    "all_threads_ms": figures.all_threads,
                    "one_model_per_second": figures.wide_per_second,
                    "model_per_core_per_second": figures.narrow_per_second,
                })),
                Ok(Figures { one_thread, all_threads, wide_per_second, narrow_per_second }) => {
                    let name = left(&plain(&manifest.name), 21);
                    crate::cli::print(&format!(
                        "{name} {one_thread:>6.1} ms {all_threads:>6.1} ms {wide_per_second:>10.1}/s {narrow_per_second:>10.1}/s\n"
                    ))?;
                }
                // One that this engine does not know says so and the others are still measured.
                Err(error) if self.names.is_empty() => crate::cli::warn(&format!("{}: {error}", manifest.name)),
                Err(error) => return Err(error),
            }
        }
        match self.json {
            true => crate::cli::print(&format!(
                "{}\n",
                json!({ "engine": chosen.as_json(), "cores": cores, "threads": wide, "rows": rows })
            )),
            false => Ok(()),
        }
    }
}

fn measure(
    library: &Library,
    manifest: &Manifest,
    engine: &Engine,
    options: LoadOptions,
    [wide, cores]: [usize; 2],
    span: Duration,
) -> Result<Figures> {
    let mut manifest = manifest.clone();
    // What is in the picture does not change how long it takes.
    manifest.input.region = Region::Frame;
    let load = |threads: usize| -> Result<Model> {
        let mut model = library.load(&manifest, engine, LoadOptions { threads, ..options })?;
        model.prepare(&RgbImage::new(64, 64), None)?;
        model.infer()?;
        Ok(model)
    };
    let (one_thread, _) = times(&mut load(1)?, span)?;
    let (all_threads, wide_per_second) = times(&mut load(wide)?, span)?;
    let mut models = (0..cores).map(|_| load(1)).collect::<Result<Vec<Model>>>()?;
    let narrow = std::thread::scope(|scope| -> Result<f64> {
        let runs: Vec<_> = models.iter_mut().map(|model| scope.spawn(move || times(model, span))).collect();
        let mut sum = 0.0;
        for run in runs {
            let outcome = run.join().map_err(|_| Error::input("an inference broke off"))?;
            sum += outcome?.1;
        }
        Ok(sum)
    })?;
    Ok(Figures { one_thread, all_threads, wide_per_second, narrow_per_second: narrow })
}

/// The median of one inference in milliseconds, and inferences a second.
fn times(model: &mut Model, span: Duration) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < span || times.len() < 3 {
        let start = Instant::now();
        model.infer()?;
        times.push(start.elapsed().as_secs_f64());
    }
    let per_second = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2] * 1e3, per_second))
}
