//! `aisle simulate`: makes a trip with known truth, writes it as a recording, and plays it as devices do. It takes a shop and a
//! seed and gives facts with the truth aside; it never decides anything.

mod boards;
mod broker;
mod cameras;
mod film;
mod folder;
mod gates;
mod live;
mod proxy;
mod staged;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use live::LiveArgs;
pub(super) use staged::{Cast, Played, Staged};

use super::{export, shops};
use crate::base::text::{left, plain};
use crate::base::{Error, Result};
use crate::export::Form;
use crate::facts::{Movement, Topic};
use crate::output;
use crate::ports::FactSink;
use crate::recording::{Cut, Summary, Writer};
use crate::shop::Shop;
use crate::sim::{self, Film, FilmOptions, Options, Scenario, Shown};
use crate::truth::{SceneTruth, Truth};

/// The plates of a trip are worked out before its frames, so an hour is what fits into the memory of a small machine.
const SECONDS_MAX: f64 = 3_600.0;
/// Columns of the code of a product.
const SKU_COLUMNS: usize = 14;

/// Simulate a shopping trip with ground truth and write it as a recording.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  aisle simulate -o trip.mcap
  aisle simulate --shop micro-market --seed 1 --seconds 60 -o trip.mcap
  aisle simulate --shop convenience --seconds 30 -o trip.mcap --video look
  aisle simulate --scenario hand-over --level room --seed 7 -o trip.mcap
  aisle simulate --live -o trip.mcap --broker mqtt://127.0.0.1:1883 --write-shop corner
  aisle simulate --live --play trip.mcap --broker mqtt://127.0.0.1:1883 --faults 1
  aisle simulate --list")]
pub(super) struct Simulate {
    /// What happens; `--list` names them. Default: mixed, with `--seconds` open.
    #[arg(long, value_name = "NAME")]
    scenario: Option<Scenario>,
    /// How long the recording is; default: until everybody has left.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    seconds: Option<f64>,
    /// Fault profile of the simulated sensors.
    #[arg(long, value_enum, default_value = "clean")]
    level: Level,
    /// Random seed: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A shop folder or file, an AutoCheckout folder, `micro-market` or `convenience`; a demonstration shop if not given.
    #[arg(long, value_name = "PATH")]
    shop: Option<PathBuf>,
    /// Leave the entrance and the exit out of the shop that the recording holds. People go through its doors all the same, and
    /// who reads the recording has to find them.
    #[arg(long, conflicts_with = "play")]
    without_zones: bool,
    /// Recording to write.
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["list", "play"])]
    output: Option<PathBuf>,
    /// Which stage of the pipeline to record: raw (camera frames) or tracked (people with 3D joints, no frames). Default: raw
    /// where the shop has cameras.
    #[arg(long, value_name = "CUT", value_parser = deep_cut)]
    cut: Option<Cut>,
    /// Width of the frames; the height follows. Default: as the shop's cameras say.
    #[arg(long, value_name = "PIXELS")]
    width: Option<u32>,
    /// Frame rate, frames per second. Default: as the shop's cameras say.
    #[arg(long, value_name = "HERTZ")]
    rate: Option<f64>,
    /// JPEG quality of the frames.
    #[arg(long, default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Domain randomization for training: vary light, colours, textures and camera poses by the seed too.
    #[arg(long)]
    varied: bool,
    /// Folder to write a page into that plays all cameras with the ground truth drawn over them.
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    /// Print the names of the scenarios and stop.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    live: LiveArgs,
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// Sensor noise only.
    Clean,
    /// Faults too: broken tracks, ghosts, clock offsets, lost and late messages, wrong catalogue weights.
    Room,
}

impl From<Level> for sim::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Clean => sim::Level::Clean,
            Level::Room => sim::Level::Room,
        }
    }
}

impl Simulate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the shop does not hold together or the recording cannot be written.
    pub(super) fn run(self) -> Result<()> {
        if self.list {
            let line = |scenario: &Scenario| format!("{:<26} {}\n", scenario.name(), scenario.story());
            return super::print(&Scenario::every().map(|scenario| line(&scenario)).collect::<String>());
        }
        if let Some(film) = &self.live.play {
            return self.live.play(film);
        }
        let Some(output) = self.output.clone() else { return Ok(()) };
        output::check_inputs(&output, self.shop.as_deref())?;
        output::check_apart([Some(output.as_path()), self.video.as_deref()].into_iter().flatten())?;
        let (mut shop, warnings) = shops::open(self.shop.as_deref())?;
        warnings.iter().for_each(|warning| super::warn(warning));
        shops::check_trade(&shop).map_err(|error| named(error, self.shop.as_deref()))?;
        if self.width.is_some() || self.rate.is_some() {
            shop = Arc::new(sim::with_frames(&shop, self.width, self.rate)?);
        }
        if self.varied {
            shop = Arc::new(sim::varied(&shop, self.seed)?);
        }
        let cut = self.cut.unwrap_or(if shop.cameras().is_empty() { Cut::Tracked } else { Cut::Raw });
        let films = cut == Cut::Raw && !shop.cameras().is_empty();
        self.check(cut, films)?;
        let scenario = self.scenario.unwrap_or(if self.seconds.is_some() { Scenario::Open } else { Scenario::Mixed });
        let told = if self.without_zones { shops::without_doors(&shop)? } else { shop.clone() };
        let options = Options { shop, scenario, level: self.level.into(), seed: self.seed, secs: self.seconds };
        let text = match films {
            true => self.film(&options, &told, &output)?,
            false => without_frames(&options, &told, cut, &output)?,
        };
        super::print(&text)?;
        self.video.as_ref().map_or(Ok(()), |folder| export::write(Form::Preview, &output, folder))?;
        if self.live.live { self.live.play(&output) } else { Ok(()) }
    }

    /// Refuses what could only fail after everything was rendered.
    fn check(&self, cut: Cut, films: bool) -> Result<()> {
        if cut == Cut::Raw && !films {
            let hint = "`--shop micro-market` and `--shop convenience` have cameras; `--cut tracked` needs none";
            return Err(Error::usage("this shop has no cameras, so there are no frames to record").hint(hint));
        }
        if self.video.is_some() && !films {
            let hint = "leave out --video, or take a shop with cameras and `--cut raw`";
            return Err(Error::usage("there is nothing to look at without frames").hint(hint));
        }
        self.video.as_deref().map_or(Ok(()), output::check_folder)
    }

    /// Renders what the cameras see while the trip is played, and records all of it.
    fn film(&self, options: &Options, told: &Shop, output: &Path) -> Result<String> {
        let options = (options, FilmOptions { quality: self.quality, varied: self.varied });
        let (written, truth) = render(options, told, output, |_| {})?;
        Ok(summary(told, &truth, &written))
    }
}

/// Renders a trip into a recording that holds the shop as it is `told`; `scene` is told where everybody really is, ten times a
/// second. Gives what was written and the truth of the trip.
///
/// # Errors
/// When the shop does not hold together, or the recording cannot be written.
fn render(
    (options, film): (&Options, FilmOptions),
    told: &Shop,
    output: &Path,
    mut scene: impl FnMut(&SceneTruth),
) -> Result<(Summary, Truth)> {
    let (mut film, truth) = Film::new(options, film)?;
    let mut writer = Writer::create(output, told, Some(&truth), Cut::Raw)?;
    let bar = super::progress(film.frames() as u64, "{bar:40} {pos}/{len} frames, {per_sec}, {eta} left");
    while let Some(shown) = film.next_shown()? {
        match shown {
            Shown::Fact(fact) => writer.put(&fact)?,
            Shown::Scene(truth) => {
                scene(&truth);
                writer.put_scene_truth(&truth)?;
            }
            Shown::Frame(fact, truth) => {
                writer.put(&fact)?;
                writer.put_frame_truth(&truth)?;
                bar.inc(1);
            }
        }
    }
    let written = writer.finish()?;
    bar.finish_and_clear();
    Ok((written, truth))
}

fn named(error: Error, shop: Option<&Path>) -> Error {
    match shop {
        Some(path) => error.at_path(path),
        None => error,
    }
}

/// Records plates and people only.
fn without_frames(options: &Options, told: &Shop, cut: Cut, output: &Path) -> Result<String> {
    let trip = sim::trip(options)?;
    let mut writer = Writer::create(output, told, Some(&trip.truth), cut)?;
    for fact in &trip.facts {
        writer.put(fact)?;
    }
    let written = writer.finish()?;
    Ok(summary(told, &trip.truth, &written))
}

fn parse_seconds(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (1.0..=SECONDS_MAX).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is not a length: write seconds from 1 to {SECONDS_MAX}, such as 60"))
}

fn deep_cut(text: &str) -> std::result::Result<Cut, String> {
    match text.parse()? {
        cut @ (Cut::Raw | Cut::Tracked) => Ok(cut),
        Cut::Seen | Cut::Decided => Err("a simulation is cut at raw or tracked".to_owned()),
    }
}

/// What a person wants to know of a trip.
fn summary(shop: &Shop, truth: &Truth, written: &Summary) -> String {
    let secs = written.first.zip(written.last).map_or(0.0, |(first, last)| last.secs_since(first));
    let takes = truth.actions.iter().filter(|action| action.movement == Movement::Take).count();
    let frames = written.channels.get(Topic::Frame.name()).copied().unwrap_or(0);
    let mut text = format!(
        "{}: {secs:.1} s, {} facts of which {frames} frames, {} shoppers, {takes} takes, {} returns, {} ghosts\n",
        truth.case,
        written.facts,
        truth.receipts.len(),
        truth.actions.len() - takes,
        truth.ghosts.len(),
    );
    for receipt in &truth.receipts {
        text += &format!("shopper {}\n", receipt.target_id);
        for item in &receipt.products {
            let name = shop.catalogue().get(&item.barcode).map_or("", |product| product.name.as_str());
            let (sku, name) = (left(&plain(item.barcode.as_str()), SKU_COLUMNS), plain(name));
            text += &format!("  {:>3} x {sku} {name}\n", item.quantity.get());
        }
    }
    text
}
