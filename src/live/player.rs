//! A recording played into an open shop, as if it happened now.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Began, Live, Payers};
use crate::base::{Kind, Result, ShopTime};
use crate::facts::{Fact, PaymentMethod};
use crate::pipeline::Options;
use crate::ports::{Clock, FactSource, ReportBoard};
use crate::replay::Replay;
use crate::till::{Bell, Till, lock};

/// Pause before a fact is offered again that could not be taken because the database cannot be used.
const AGAIN: Duration = Duration::from_secs(1);

/// A recording that is being played.
pub struct Feed {
    stop: Sender<()>,
    player: JoinHandle<()>,
}

impl Feed {
    /// Begins to play, on a thread of its own: so much faster than it was recorded, or as fast as it goes for 0.
    ///
    /// # Errors
    /// What the database says.
    pub fn start(
        (source, speed): (Replay, f64),
        till: Arc<Mutex<Till>>,
        clock: Arc<dyn Clock>,
        bell: Bell,
        board: ReportBoard,
    ) -> Result<Self> {
        let payers = Payers::WalkIns(walk_in_method());
        let (live, began) = Live::open(&mut lock(&till), payers, Options::USUAL, clock)?;
        match began {
            Began::Fresh => tracing::info!("the feed begins"),
            Began::Resumed { taken } => tracing::info!(taken, "the feed goes on where the book is"),
            Began::Interrupted { carts, why } => tracing::warn!(carts, why, "open carts were put before a person"),
        }
        let live = live.showing_on(board);
        let (stop, stopped) = bounded(0);
        let player = Player { source, speed, till, bell, stopped };
        Ok(Feed { stop, player: thread::spawn(move || player.run(live)) })
    }

    /// Stops playing; who is inside stays inside, and the next feed goes on from here.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so.
        let _ = self.player.join();
    }
}

struct Player {
    source: Replay,
    speed: f64,
    till: Arc<Mutex<Till>>,
    bell: Bell,
    stopped: Receiver<()>,
}

impl Player {
    fn run(mut self, mut live: Live) {
        let begun = Instant::now();
        let mut origin: Option<ShopTime> = None;
        let mut number = 0;
        loop {
            let fact = match self.source.next_fact() {
                Ok(Some(fact)) => fact,
                Ok(None) => break,
                Err(error) => return tracing::error!(%error, "the feed is broken"),
            };
            number += 1;
            if number <= live.taken() {
                continue;
            }
            let since = fact.stamp.arrived.secs_since(*origin.get_or_insert(fact.stamp.arrived));
            let due = if 0.0 < self.speed {
                Duration::try_from_secs_f64(since / self.speed).unwrap_or_default()
            } else {
                Duration::ZERO
            };
            if self.is_stopped_within(due.saturating_sub(begun.elapsed())) || !self.take(&mut live, &fact) {
                return;
            }
        }
        for note in self.source.warnings() {
            tracing::warn!("of the feed {note}");
        }
        if let Some(lost) = live.loss().sentence() {
            tracing::warn!("of the feed was lost {lost}");
        }
        match live.finish(&mut lock(&self.till)) {
            Ok(closed) => tracing::info!(closed = closed.len(), "the feed is over"),
            Err(error) => tracing::error!(%error, "the feed is over, and its last carts could not be written"),
        }
        self.bell.ring();
    }

    /// Gives a fact to the shop until it is taken; whether to go on.
    fn take(&self, live: &mut Live, fact: &Fact) -> bool {
        loop {
            let taken = live.take(&mut lock(&self.till), fact.clone());
            match taken {
                Ok(_) => {
                    let ended = live.take_ended();
                    if !ended.is_empty() {
                        tracing::info!(closed = ended.len(), "carts closed");
                        self.bell.ring();
                    }
                    return true;
                }
                Err(error) if error.kind() == Kind::Unavailable => {
                    if self.is_stopped_within(AGAIN) {
                        return false;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the feed is given up");
                    return false;
                }
            }
        }
    }

    fn is_stopped_within(&self, pause: Duration) -> bool {
        use crossbeam_channel::RecvTimeoutError::{Disconnected, Timeout};
        match self.stopped.recv_timeout(pause) {
            Ok(()) | Err(Disconnected) => true,
            Err(Timeout) => false,
        }
    }
}

/// How people pay whom no gate announced: in the sandbox, which takes it.
pub fn walk_in_method() -> PaymentMethod {
    PaymentMethod { provider: "sandbox".to_owned(), customer: "walk-in".to_owned(), token: "ok".to_owned() }
}
