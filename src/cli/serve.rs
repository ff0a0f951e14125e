//! `aisle serve`: the shop's HTTP server, with whoever carries its orders to the payment providers.

mod pictures;
mod running;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, FromArgMatches};
use crossbeam_channel::Receiver;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use super::anchors::{AnchorArgs, Anchors};
use super::book::{self, BookArgs};
use super::feed::FeedArgs;
use super::listen::Listen;
use super::log::{self, LeftOut, LogForm};
use super::open::OpenArgs;
use super::{print, shops};
use crate::album::Album;
use crate::api::{Api, GateRole, GateRule, Pictures, Queues, Retention};
use crate::base::limits::{HOLDS_MAX, INTAKE_FACTS_MAX, LOOKUPS_MAX, REQUESTS_MAX};
use crate::base::{CameraId, Error, Result};
use crate::config::Trade;
use crate::db::{Database, carts};
use crate::facts::Body;
use crate::ingest::cameras::Frames;
use crate::ingest::devices::{self, Devices, OfflineRule};
use crate::live::{OpenShop, Opening, Surroundings};
use crate::payment::Settings;
use crate::ports::{Clock, FactSource, WallClock};
use crate::replay::Replay;
use crate::till::{Providers, Till, ends, lock};
pub(super) use running::Running;

/// How often the clock is asked whether it is time to forget.
const RETENTION_PAUSE: Duration = Duration::from_secs(60);
/// Between two anchors, where they are kept.
const ANCHOR_PAUSE: Duration = Duration::from_secs(600);

/// Run a shop: its devices live where its folder has a devices.toml, its HTTP API, its payments.
#[derive(Args)]
#[command(after_help = "Stop it with SIGINT or SIGTERM: requests and payments that have begun are finished.\n\
                        The first token is made by `aisle token create --role operator --holder NAME`, also before the first start.")]
pub(super) struct Serve {
    /// The shop: a folder or file. Without it, the one that the book remembers, or the demonstration shop
    #[arg(long, value_name = "SHOP", conflicts_with = "feed")]
    shop: Option<PathBuf>,
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    anchors: AnchorArgs,
    #[command(flatten)]
    feed: FeedArgs,
    #[command(flatten)]
    open: OpenArgs,
    /// Address to listen on, HOST:PORT, the host by name or number; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: Listen,
    /// Log format; RUST_LOG sets the log level
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: LogForm,
}

impl Serve {
    /// The command with these arguments, as if somebody had typed them.
    ///
    /// # Errors
    /// When it does not take them.
    pub(super) fn typed<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<Self> {
        let command = Serve::augment_args(clap::Command::new("serve")).no_binary_name(true);
        let matches = command.try_get_matches_from(arguments);
        matches.and_then(|matches| Serve::from_arg_matches(&matches)).map_err(|error| Error::usage(error.to_string()))
    }

    pub(super) fn run(&self) -> Result<()> {
        let left_out = log::start(self.log)?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let prepared = self.prepare(&clock)?;
        let till = prepared.till.clone();
        let shop = Running::start(prepared, &clock, &self.listen)?;
        shop.runtime().spawn(tell(left_out.clone()));
        let anchors = self.anchors.open()?.map(|anchors| Arc::new(Mutex::new(anchors)));
        if let Some(anchors) = &anchors {
            // Where they cannot be kept, that is told before the shop opens.
            anchor(anchors, &till, &clock)?;
            shop.runtime().spawn(keep_anchors(anchors.clone(), till.clone(), clock.clone()));
        }
        let address = shop.address();
        print(&format!("listening on http://{address}\n"))?;
        tracing::info!(%address, database = self.book.shown()?, "open");
        shop.is_asked_to_end(None);
        let closed = shop.stop();
        left_out.tell(true);
        anchors.map_or(Ok(()), |anchors| anchor(&anchors, &till, &clock))?;
        closed?;
        tracing::info!("closed");
        Ok(())
    }

    /// Reads the shop's files and opens its book.
    ///
    /// # Errors
    /// When they are not in order, or the book cannot be opened.
    pub(super) fn prepare(&self, clock: &Arc<dyn Clock>) -> Result<Prepared> {
        // A shop that is not in order leaves no book behind.
        let mut trade = self.shop.as_deref().map(shops::open_trade).transpose()?;
        let payment = trade.as_ref().and_then(|trade| trade.payment.clone());
        let is_sandbox = matches!(payment, None | Some(Settings::Sandbox { .. }));
        let devices = trade.as_mut().and_then(|trade| trade.devices.take());
        if devices.is_none() && self.open.is_given() {
            let error = Error::usage("there are no devices whose facts could be stored or recorded");
            return Err(error.hint("name a shop folder with a devices.toml with --shop"));
        }
        let recording = self.feed.open()?;
        if let Some((source, _)) = &recording {
            shops::check_trade(source.shop())?;
        }
        let mut database = self.book.open_or_create()?;
        let providers = providers(payment, &self.book, &mut database, clock)?;
        let gates = devices.as_ref().map(gate_rules).unwrap_or_default();
        let opening = match (devices, &trade) {
            (Some(devices), Some(trade)) => {
                Some(self.open.opening(&trade.shop, devices, is_sandbox, &self.book, &mut database)?)
            }
            _ => None,
        };
        let album = match &opening {
            Some(opening) => opening.album.clone(),
            None => self.open.album(None, &self.book, &mut database)?,
        };
        let till = match &recording {
            // A recording knows its shop.
            Some((source, _)) => {
                let shop = Arc::new(source.shop().clone());
                Till::open(database, shop, clock.now())?
            }
            None => open_till(database, trade, clock.as_ref())?,
        };
        Ok(Prepared { till: Arc::new(Mutex::new(till)), providers, opening, album, gates, recording })
    }
}

/// A shop before it is open.
pub(super) struct Prepared {
    pub(super) till: Arc<Mutex<Till>>,
    providers: Providers,
    /// How it is opened, where it has devices.
    opening: Option<Opening>,
    /// Where pictures are kept, or were.
    album: Option<Arc<Album>>,
    gates: Vec<GateRule>,
    /// What is played into it instead of devices, and how fast.
    recording: Option<(Replay, f64)>,
}

/// The API of the shop, with what only an open one has.
fn api(
    around: &Surroundings,
    providers: Providers,
    (open, album): (Option<&OpenShop>, Option<&Arc<Album>>),
    gates: Vec<GateRule>,
) -> Api {
    let Surroundings { till, clock, bell, reports, health, screens, plates, seen, desk: _ } = around.clone();
    let api = Api::new(till, providers, clock, bell).with_board(reports);
    let Some(open) = open else { return api };
    let cameras = lock(&around.till).shop().cameras().len() as u64;
    let api = match album.filter(|album| album.rule().is_some()) {
        Some(album) => api.with_kept(album.clone()),
        None => api,
    };
    api.with_live(screens)
        .with_health(health)
        .with_pictures(newest_pictures(open.frames()))
        .with_seen(seen)
        .with_plates(plates)
        .with_queues(queues(open, cameras))
        .with_intake(open.intake())
        .with_gates(gates)
}

/// The payment provider that the shop's file names; without one the sandbox. Where no journal is named the sandbox has its
/// books beside those of the shop.
fn providers(
    settings: Option<Settings>,
    book: &BookArgs,
    database: &mut Database,
    clock: &Arc<dyn Clock>,
) -> Result<Providers> {
    match settings {
        None => Ok(book::alone(book.sandbox(database)?)),
        Some(Settings::Sandbox { journal: None, hold }) => {
            let sandbox = book.sandbox(database)?;
            Ok(book::alone(match hold {
                Some(hold) => sandbox.with_hold_span(hold),
                None => sandbox,
            }))
        }
        Some(settings) => {
            let provider = settings.open(clock.clone())?.provider();
            Ok(Providers::from([(provider.name().to_owned(), provider)]))
        }
    }
}

/// The gates of a shop, as its API knows them.
fn gate_rules(devices: &Devices) -> Vec<GateRule> {
    let role = |role| match role {
        devices::GateRole::Entrance => GateRole::Entrance,
        devices::GateRole::Exit => GateRole::Exit,
        devices::GateRole::Terminal => GateRole::Terminal,
    };
    let rule = |gate: &devices::Gate| GateRule {
        name: gate.name.clone(),
        role: role(gate.role),
        opens_offline: gate.offline == OfflineRule::Open,
    };
    devices.gates.iter().map(rule).collect()
}

/// The newest picture of a camera, and when it came.
fn newest_pictures(frames: Frames) -> Pictures {
    Arc::new(move |camera| {
        let fact = frames.latest(&CameraId::new(camera))?;
        match fact.body {
            Body::Frame(frame) => Some((fact.stamp.arrived, frame.data)),
            _ => None,
        }
    })
}

/// How full the queues are that can be asked: facts on the way to the core, and frames, one a camera at most.
fn queues(open: &OpenShop, cameras: u64) -> Queues {
    let (intake, frames) = (open.intake(), open.frames());
    Arc::new(move || {
        let mut queues = vec![("intake", intake.waiting() as u64, INTAKE_FACTS_MAX as u64)];
        if 0 < cameras {
            queues.push(("frames", frames.depth() as u64, cameras));
        }
        queues
    })
}

/// The till of the shop that was named, or that the book remembers.
fn open_till(mut database: Database, trade: Option<Trade>, clock: &dyn Clock) -> Result<Till> {
    let known = database.transaction(carts::shops)?;
    match (trade, known.as_slice()) {
        (None, [name]) => Till::reopen(database, name),
        (None, [_, _, ..]) => {
            let hint = "name one with --shop";
            Err(Error::usage(format!("the book has several shops: {}", known.join(", "))).hint(hint))
        }
        (None, []) => Till::open(database, shops::open(None)?.0, clock.now()),
        (Some(Trade { shop, warnings, .. }), _) => {
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            Till::open(database, Arc::new(shop), clock.now())
        }
    }
}

pub(super) fn runtime() -> Result<Runtime> {
    // Each request may hold one thread that blocks, as each token that is looked up, and each entry one more for its hold.
    let threads = REQUESTS_MAX + LOOKUPS_MAX + HOLDS_MAX + 8;
    let built = Builder::new_multi_thread().enable_all().max_blocking_threads(threads).build();
    built.map_err(|error| Error::io("start threads for", Path::new("the server"), &error))
}

/// Is over when somebody wants the server to end, or the core cannot go on.
pub(super) fn stop_signal(failed: Option<Receiver<()>>) -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).map_err(|error| Error::io("listen for", Path::new("signals"), &error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        let failed = async {
            match failed {
                // A thread waits for it; when the core ends well it ends too.
                Some(failed) => drop(tokio::task::spawn_blocking(move || failed.recv()).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = failed => {}
        }
    })
}

/// Adds an anchor, if the book has gone on since the last one.
fn anchor(anchors: &Mutex<Anchors>, till: &Mutex<Till>, clock: &Arc<dyn Clock>) -> Result<()> {
    let ends = lock(till).with(ends)?;
    lock(anchors).add(ends, clock.now()).map(drop)
}

/// Adds anchors from time to time, until the runtime ends.
async fn keep_anchors(anchors: Arc<Mutex<Anchors>>, till: Arc<Mutex<Till>>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(ANCHOR_PAUSE).await;
        let (anchors, till, clock) = (anchors.clone(), till.clone(), clock.clone());
        match tokio::task::spawn_blocking(move || anchor(&anchors, &till, &clock)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "no anchor was added; it is tried again"),
            Err(panic) => tracing::error!(%panic, "no anchor was added; it is tried again"),
        }
    }
}

/// Deletes what is kept no longer, until the runtime ends.
async fn forget(till: Arc<Mutex<Till>>, album: Option<Arc<Album>>, clock: Arc<dyn Clock>) {
    let retention = Arc::new(Mutex::new(Retention::default()));
    loop {
        let (book, time, rounds) = (till.clone(), clock.clone(), retention.clone());
        let round = tokio::task::spawn_blocking(move || lock(&rounds).round(&mut lock(&book), time.now())).await;
        // Times are looked at every minute, and the book is asked whenever it has forgotten something itself.
        let asked = matches!(round, Ok(Ok(Some(_)))).then(|| till.clone());
        match round {
            Ok(Ok(Some(forgotten))) => {
                let crate::till::Forgotten { evidence, notices, passes } = forgotten;
                tracing::info!(evidence, notices, passes, "forgotten");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "nothing was forgotten; it is tried again"),
            Err(panic) => tracing::error!(%panic, "nothing was forgotten; it is tried again"),
        }
        if let Some(album) = album.clone() {
            let now = clock.now();
            let forgetting = tokio::task::spawn_blocking(move || pictures::forget(&album, asked.as_deref(), now));
            if let Err(panic) = forgetting.await {
                tracing::error!(%panic, "no pictures were deleted; it is tried again");
            }
        }
        tokio::time::sleep(RETENTION_PAUSE).await;
    }
}

/// Tells what is left out of the log, until the runtime ends.
async fn tell(left_out: LeftOut) {
    loop {
        tokio::time::sleep(log::TOLD_EVERY).await;
        left_out.tell(false);
    }
}
