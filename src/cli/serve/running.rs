//! A shop that is open: its devices, its server and whoever carries its orders, from the start of all to the end of all.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::listen::Listen;
use super::{Prepared, api, forget, runtime, stop_signal};
use crate::api::{gate_desk, serve};
use crate::base::{Error, Result};
use crate::live::{Feed, OpenShop, Surroundings};
use crate::ports::{Clock, HealthBoard, LiveBoard, PlateBoard, ReportBoard, SeenBoard};
use crate::till::Settler;

/// Threads that carry orders to providers, most of them waiting for answers: with a provider that takes half a second they
/// carry 1,900 orders a minute.
const SETTLERS: usize = 16;
/// How long requests that were given up may still be at the database when the server ends.
const END_PAUSE: Duration = Duration::from_secs(5);

/// A shop that is open.
pub(in crate::cli) struct Running {
    runtime: Runtime,
    around: Surroundings,
    settler: Settler,
    open: Option<OpenShop>,
    feed: Option<Feed>,
    server: JoinHandle<()>,
    /// Says that the server is to end.
    end: watch::Sender<bool>,
    /// Whether somebody wants it to end, or the core cannot go on.
    asked: watch::Receiver<bool>,
    address: SocketAddr,
}

impl Running {
    /// Opens the shop and listens.
    ///
    /// # Errors
    /// When the address cannot be had, or a thread or device of the shop cannot be started.
    pub(in crate::cli) fn start(prepared: Prepared, clock: &Arc<dyn Clock>, listen: &Listen) -> Result<Self> {
        let Prepared { till, providers, opening, album, gates, recording } = prepared;
        let runtime = runtime()?;
        let listener = listen.bind(&runtime)?;
        let place = listen.to_string();
        let address = listener.local_addr().map_err(|error| Error::io("listen on", Path::new(&place), &error))?;
        let (desk, questions) = gate_desk();
        let settler = Settler::start(&till, &providers, clock, SETTLERS);
        let around = Surroundings {
            till: till.clone(),
            clock: clock.clone(),
            bell: settler.bell(),
            reports: ReportBoard::default(),
            health: HealthBoard::default(),
            screens: LiveBoard::default(),
            plates: PlateBoard::default(),
            seen: SeenBoard::default(),
            desk,
        };
        let open = opening.map(|opening| OpenShop::start(opening, around.clone())).transpose()?;
        let failed = open.as_ref().map(OpenShop::failed);
        let stop = runtime.block_on(async { stop_signal(failed) })?;
        let (asking, asked) = watch::channel(false);
        runtime.spawn(async move {
            stop.await;
            asking.send_replace(true);
        });
        let router = api(&around, providers, (open.as_ref(), album.as_ref()), gates).router();
        let play =
            |recording| Feed::start(recording, till.clone(), clock.clone(), settler.bell(), around.reports.clone());
        let feed = recording.map(play).transpose()?;
        runtime.spawn(questions.answer(router.clone(), clock.clone()));
        runtime.spawn(forget(till, album, clock.clone()));
        let (end, mut ended) = watch::channel(false);
        let server = runtime.spawn(serve(listener, router, async move {
            // It is over as well when nobody is left who could say so.
            let _ = ended.wait_for(|ended| *ended).await;
        }));
        Ok(Running { runtime, around, settler, open, feed, server, end, asked, address })
    }

    /// Where it listens.
    pub(in crate::cli) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it shares.
    pub(in crate::cli) fn around(&self) -> &Surroundings {
        &self.around
    }

    /// Whoever does something beside it, until it ends.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Waits until somebody wants it to end, or the core cannot go on; `false` after this long. Without a bound as long as it takes.
    pub(in crate::cli) fn is_asked_to_end(&self, within: Option<Duration>) -> bool {
        let mut asked = self.asked.clone();
        self.runtime.block_on(async move {
            let asked = asked.wait_for(|asked| *asked);
            match within {
                Some(span) => tokio::time::timeout(span, asked).await.is_ok(),
                None => {
                    let _ = asked.await;
                    true
                }
            }
        })
    }

    /// Finishes what has begun: requests, the facts that were given, payments.
    ///
    /// # Errors
    /// When what the shop knows could not be kept.
    pub(in crate::cli) fn stop(self) -> Result<()> {
        let Running { runtime, settler, open, feed, server, end, .. } = self;
        end.send_replace(true);
        if let Err(panic) = runtime.block_on(server) {
            tracing::error!(%panic, "the server ended");
        }
        tracing::info!("closing");
        if let Some(feed) = feed {
            feed.stop();
        }
        let closed = open.map_or(Ok(()), OpenShop::stop);
        runtime.shutdown_timeout(END_PAUSE);
        settler.stop();
        closed
    }
}
