//! The vision worker of an open shop: it takes the newest frames, and gives people on the floor to the core. When it cannot keep
//! up frames give way to newer ones where they wait; what it cannot use is told to the core, which doubts whoever was inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};

use crate::album::Ring;
use crate::base::{Error, Reports, Result};
use crate::facts::{Body, Cut, Fact, Topic};
use crate::ingest::cameras::Frames;
use crate::pipeline::{Eyes, Look};
use crate::ports::{Delivery, Intake, Kept, ReportBoard, SeenBoard};
use crate::tracking::Sight;

/// How long frames that are held together wait for those of the other cameras.
const HOLD: Duration = Duration::from_millis(40);

/// What the worker has lost, for the core.
pub(super) type Lost = Arc<AtomicU64>;

/// The worker, before it runs.
pub(super) struct Vision {
    pub(super) eyes: Eyes,
    pub(super) sight: Sight,
    pub(super) frames: Frames,
    pub(super) intake: Intake,
    /// How deep is recorded: whether the core gets frames, and what is seen in them, as well.
    pub(super) cut: Cut,
    pub(super) lost: Lost,
    pub(super) reports: ReportBoard,
    /// Where it is told what was seen.
    pub(super) seen: SeenBoard,
    /// Where frames are held for pictures of changes; none where no pictures are kept.
    pub(super) ring: Option<Ring>,
    /// Closed when the shop closes.
    pub(super) stop: Receiver<()>,
}

impl Vision {
    /// Looks at frames on a thread of its own until the shop closes.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn start(self) -> Result<JoinHandle<()>> {
        let spawned = thread::Builder::new().name("vision".to_owned()).spawn(move || self.run());
        spawned.map_err(|error| Error::unavailable(format!("no thread for vision: {error}")))
    }

    fn run(mut self) {
        let mut failures = 0_u64;
        while matches!(self.stop.try_recv(), Err(TryRecvError::Empty)) {
            let looked = match self.frames.take(HOLD) {
                Some(frame) => self.eyes.take(&frame),
                None => self.eyes.flush(),
            };
            let went_on = match looked {
                Ok(looks) => looks.into_iter().all(|look| self.follow(look)),
                Err(error) => {
                    // The frames that were held are lost; the next ones may be seen.
                    if failures.is_power_of_two() || failures == 0 {
                        tracing::error!(%error, failures, "a model failed on frames");
                    }
                    failures += 1;
                    true
                }
            };
            let noted = self.eyes.loss().noted() + self.sight.loss().noted();
            self.lost.fetch_max(noted + failures, Ordering::Relaxed);
            self.reports.show_beside(vec![self.eyes.report(), self.sight.report()]);
            if !went_on {
                return;
            }
        }
        // What is held when the shop closes is looked at all the same.
        if let Ok(looks) = self.eyes.flush() {
            looks.into_iter().all(|look| self.follow(look));
        }
    }

    /// Gives what follows from a frame to the core; `false` when nobody takes it any more.
    fn follow(&mut self, look: Look) -> bool {
        let Look { frame, seen } = look;
        if let Body::Seen(told) = &seen.body {
            self.seen.look(&seen.stamp, told);
        }
        let people = self.sight.take(&seen);
        if let (Some(ring), Body::Frame(picture)) = (&self.ring, &frame.body) {
            // Cameras' clocks differ, and people are told of by the one that they share.
            ring.look(self.sight.shared_time(&picture.camera, frame.stamp.at), &frame, &seen);
        }
        let recorded = [frame, seen].into_iter().filter(|fact| self.is_recorded(fact));
        recorded.chain(people).all(|fact| self.intake.give(Delivery { fact, kept: Kept::NOBODY }))
    }

    fn is_recorded(&self, fact: &Fact) -> bool {
        match fact.body {
            Body::Frame(_) => self.cut.holds(Topic::Frame),
            _ => self.cut.holds(Topic::Seen),
        }
    }
}
