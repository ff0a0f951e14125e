//! `aisle serve`: the shop's HTTP server, with whoever carries its orders to the payment providers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::book::BookArgs;
use super::feed::{self, Feed, FeedArgs};
use super::{print, shops};
use crate::api::{Api, Retention, serve};
use crate::base::limits::{HOLDS_MAX, REQUESTS_MAX};
use crate::base::{Error, Result};
use crate::config;
use crate::db::{Database, carts};
use crate::payment::Settings;
use crate::ports::{Clock, WallClock};
use crate::till::{Providers, Settler, Till, lock};

/// Threads that carry orders to providers, most of them waiting for answers: with a provider that takes half a second they
/// carry 1,900 orders a minute.
const SETTLERS: usize = 16;
/// How often the clock is asked whether it is time to forget.
const RETENTION_PAUSE: Duration = Duration::from_secs(60);
/// How long requests that were given up may still be at the database when the server ends.
const END_PAUSE: Duration = Duration::from_secs(5);

/// Serve the HTTP API of a shop, and settle its payments.
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
    feed: FeedArgs,
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How the log is written; what is in it, RUST_LOG says
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: LogForm,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogForm {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

impl Serve {
    pub(super) fn run(&self) -> Result<()> {
        start_log(self.log)?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let database = self.book.open_or_create()?;
        let recording = self.feed.open()?;
        let till = match &recording {
            // A recording knows its shop.
            Some((source, _)) => Till::open(database, feed::shop(source), clock.now())?,
            None => open_till(database, self.shop.as_deref(), clock.as_ref())?,
        };
        let till = Arc::new(Mutex::new(till));
        let providers = providers(self.shop.as_deref(), &self.book, &clock)?;
        let runtime = runtime()?;
        let listener =
            runtime.block_on(TcpListener::bind(self.listen)).map_err(|error| refused(self.listen, &error))?;
        let address = listener.local_addr().map_err(|error| refused(self.listen, &error))?;
        let stop = runtime.block_on(async { stop_signal() })?;
        let settler = Settler::start(&till, &providers, &clock, SETTLERS);
        let router = Api::new(till.clone(), providers, clock.clone(), settler.bell()).router();
        let play = |recording| Feed::start(recording, till.clone(), clock.clone(), settler.bell());
        let feed = recording.map(play).transpose()?;
        runtime.spawn(forget(till.clone(), clock.clone()));
        print(&format!("listening on http://{address}\n"))?;
        tracing::info!(%address, database = self.book.shown(), "open");
        runtime.block_on(serve(listener, router, stop));
        tracing::info!("closing");
        if let Some(feed) = feed {
            feed.stop();
        }
        runtime.shutdown_timeout(END_PAUSE);
        settler.stop();
        tracing::info!("closed");
        Ok(())
    }
}

/// The payment provider that the shop's file names; without one the sandbox, with its books beside those of the shop.
fn providers(shop: Option<&Path>, book: &BookArgs, clock: &Arc<dyn Clock>) -> Result<Providers> {
    let settings = shop.map(config::load_payment).transpose()?.flatten();
    match settings {
        None | Some(Settings::Sandbox { journal: None, hold: None }) => book.sandbox(),
        Some(settings) => {
            let provider = settings.open(clock.clone())?.provider();
            Ok(Providers::from([(provider.name().to_owned(), provider)]))
        }
    }
}

/// The till of the shop that was named, or that the book remembers.
fn open_till(mut database: Database, shop: Option<&Path>, clock: &dyn Clock) -> Result<Till> {
    let known = database.transaction(carts::shops)?;
    match (shop, known.as_slice()) {
        (None, [name]) => Till::reopen(database, name),
        (None, [_, _, ..]) => {
            let hint = "name one with --shop";
            Err(Error::usage(format!("the book has several shops: {}", known.join(", "))).hint(hint))
        }
        (shop, _) => {
            let (shop, warnings) = shops::open(shop)?;
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            Till::open(database, shop, clock.now())
        }
    }
}

fn runtime() -> Result<Runtime> {
    // Each request may hold one thread that blocks, and each entry one more for its hold.
    let built = Builder::new_multi_thread().enable_all().max_blocking_threads(REQUESTS_MAX + HOLDS_MAX + 8).build();
    built.map_err(|error| Error::io("start threads for", Path::new("the server"), &error))
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Error {
    let failure = Error::io("listen on", Path::new(&address.to_string()), error);
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            failure.hint("another program listens there; end it, or name another port with --listen")
        }
        std::io::ErrorKind::AddrNotAvailable => failure.hint("this machine does not have that address"),
        _ => failure,
    }
}

/// Is over when somebody wants the server to end.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).map_err(|error| Error::io("listen for", Path::new("signals"), &error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Deletes what is kept no longer, until the runtime ends.
async fn forget(till: Arc<Mutex<Till>>, clock: Arc<dyn Clock>) {
    let retention = Arc::new(Mutex::new(Retention::default()));
    loop {
        let (till, clock, retention) = (till.clone(), clock.clone(), retention.clone());
        let round = tokio::task::spawn_blocking(move || lock(&retention).round(&mut lock(&till), clock.now()));
        match round.await {
            Ok(Ok(Some(forgotten))) => {
                tracing::info!(evidence = forgotten.evidence, notices = forgotten.notices, "forgotten");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "nothing was forgotten; it is tried again"),
            Err(panic) => tracing::error!(%panic, "nothing was forgotten; it is tried again"),
        }
        tokio::time::sleep(RETENTION_PAUSE).await;
    }
}

/// Says on standard error what happens. Requests are named, never quoted.
fn start_log(form: LogForm) -> Result<()> {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env();
    let filter = filter.map_err(|error| Error::usage(format!("RUST_LOG is not understood: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Error::usage(format!("the log cannot be started: {error}")))
}
