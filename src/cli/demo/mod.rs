//! `aisle demo`: a shop to look at, for people who have none. Simulated people walk before rendered cameras, boards speak MQTT to a
//! broker inside the process, and the engine runs live; what it decides is compared with the truth.

mod live;
mod quick;
mod score;
mod story;

use std::path::PathBuf;

use clap::Args;

use super::listen::Listen;
use super::simulate::Level;
use crate::base::Result;
use crate::sim::Scenario;
use live::LiveDemo;
use quick::Quick;

/// Seed of a stretch of a day with two shoppers.
const SEED: u64 = 4;
/// Seed of a trip with four shoppers, and one receipt for review.
const SEED_QUICK: u64 = 13;

/// Open a simulated shop and watch it: cameras, boards, broker, engine and payments in one process, nothing to install.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  aisle demo\n  aisle demo --shop convenience --seconds 120\n  aisle demo --quick\n  \
                        aisle demo --scenario hand-over --seed 7\n  aisle demo --level room --json"
)]
pub(super) struct Demo {
    /// Shop with cameras: micro-market (two cameras), convenience (six), or a shop folder
    #[arg(long, value_name = "SHOP", default_value = "micro-market")]
    shop: PathBuf,
    /// How long people come and go
    #[arg(long, value_name = "SECONDS", default_value_t = 75.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Frames a second of each camera
    #[arg(long, value_name = "HERTZ", default_value_t = 6.0, value_parser = parse_rate)]
    rate: f64,
    /// Address to listen on; 127.0.0.1:8080 unless given, or any free port where that is taken
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// End when the last shopper has left, on a terminal too
    #[arg(long)]
    no_wait: bool,
    /// Random seed
    #[arg(long)]
    seed: Option<u64>,
    /// Show receipts of a generated trip at once, without devices; the options below say the same
    #[arg(long, conflicts_with_all = ["listen", "no_wait"])]
    quick: bool,
    /// What happens in the trip, mixed unless given; `aisle simulate --list` names the scenarios
    #[arg(long, value_name = "NAME", conflicts_with_all = ["listen", "no_wait"], help_heading = "Quick")]
    scenario: Option<Scenario>,
    /// Fault profile of the trip's sensors, clean unless given
    #[arg(long, value_enum, conflicts_with_all = ["listen", "no_wait"], help_heading = "Quick")]
    level: Option<Level>,
    /// Print the trip's receipts as JSON
    #[arg(long, conflicts_with_all = ["listen", "no_wait"], help_heading = "Quick")]
    json: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<()> {
        if self.quick || self.json || self.scenario.is_some() || self.level.is_some() {
            let quick = Quick {
                scenario: self.scenario.unwrap_or(Scenario::Mixed),
                level: self.level.unwrap_or(Level::Clean),
                seed: self.seed.unwrap_or(SEED_QUICK),
                is_json: self.json,
            };
            return quick.run();
        }
        let live = LiveDemo {
            shop: self.shop,
            secs: self.seconds,
            rate_hertz: self.rate,
            seed: self.seed.unwrap_or(SEED),
            listen: self.listen,
            waits: !self.no_wait,
        };
        live.run()
    }
}

fn parse_seconds(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (20.0..=3_600.0).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is not a length: write seconds from 20 to 3600, such as 75"))
}

fn parse_rate(text: &str) -> std::result::Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (2.0..=30.0).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is not a rate: write frames a second from 2 to 30, such as 6"))
}
