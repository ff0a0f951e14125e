//! `aisle record`: what the devices of a shop say, written down, with no till behind it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;

use super::log::{self, LogForm};
use super::looking::LookArgs;
use super::open::RecordArgs;
use super::{open, print, serve, shops};
use crate::base::{Error, Result};
use crate::db;
use crate::live::{OpenShop, Opening, Payers, Surroundings, walk_in_method};
use crate::ports::{Clock, GateDesk, HealthBoard, LiveBoard, PlateBoard, ReportBoard, SeenBoard, WallClock};
use crate::till::{Providers, Settler, Till};

/// Record the devices of a shop, with no till: every fact, for `aisle replay`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aisle record --shop shop -o tape               until Ctrl-C
  aisle record --shop shop -o tape --seconds 60
  aisle replay tape                                          the receipts of what was recorded

It is what `aisle serve --record` does, without a book: nobody is charged.")]
pub(super) struct Record {
    /// The shop: a folder with a devices.toml
    #[arg(long, value_name = "SHOP")]
    shop: PathBuf,
    /// Folder to record into
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// How long to record; until SIGINT or SIGTERM unless given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    #[command(flatten)]
    recording: RecordArgs,
    #[command(flatten, next_help_heading = "Vision, for cameras of the shop's own")]
    look: LookArgs,
    /// Log format; RUST_LOG sets the log level
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: LogForm,
}

impl Record {
    /// Runs the command.
    ///
    /// # Errors
    /// When the shop has no devices, or the folder cannot be used.
    pub(super) fn run(&self) -> Result<()> {
        log::start(self.log)?;
        let trade = shops::open_trade(&self.shop)?;
        let devices = trade.devices.ok_or_else(|| {
            let hint = "write a devices.toml beside its shop.toml: docs/reference/live.md says how";
            Error::usage("this shop has no devices").at_path(&self.shop).hint(hint)
        })?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let eyes = open::eyes(&self.look, &trade.shop, &devices)?;
        // Receipts are made as ever, so that a recording is known to be complete; they are gone with the process.
        let database = db::open("sqlite::memory:", &db::Options::default(), clock.now())?;
        let till = Arc::new(Mutex::new(Till::open(database, Arc::new(trade.shop), clock.now())?));
        let settler = Settler::start(&till, &Providers::default(), &clock, 1);
        let around = Surroundings {
            till,
            clock,
            bell: settler.bell(),
            reports: ReportBoard::default(),
            health: HealthBoard::default(),
            screens: LiveBoard::default(),
            plates: PlateBoard::default(),
            seen: SeenBoard::default(),
            desk: GateDesk::default(),
        };
        let opening = Opening {
            devices,
            payers: Payers::WalkIns(walk_in_method()),
            eyes,
            exporter: None,
            journal: self.output.join("journal"),
            unread: Some(self.output.join("unread")),
            record: Some(self.recording.within(&self.output)),
            album: None,
            learned: None,
        };
        let runtime = serve::runtime()?;
        let open = OpenShop::start(opening, around)?;
        let stop = runtime.block_on(async { serve::stop_signal(Some(open.failed())) })?;
        print(&format!("recording into {}\n", self.output.display()))?;
        runtime.block_on(async {
            match self.seconds {
                // Also where it takes longer than told, somebody may want it to end.
                Some(secs) => drop(tokio::time::timeout(Duration::from_secs(secs), stop).await),
                None => stop.await,
            }
        });
        let closed = open.stop();
        runtime.shutdown_timeout(Duration::from_secs(1));
        settler.stop();
        closed
    }
}
