//! What others want a connection to say, and when it is to end. It takes sentences from any thread without making it wait, and
//! gives them to the one that speaks; when it is full the newest is refused and counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::wire::Said;
use crate::base::limits::MQTT_SAYINGS_MAX;

/// What a connection is to do, shared.
#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
    /// Which connection is there, counted from 1; zero while there is none.
    connection: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Said>,
    refused: u64,
    stop_by: Option<Instant>,
}

impl Outbox {
    /// Says something as soon as there is a connection; whether there was room.
    pub(super) fn say(&self, said: Said) -> bool {
        let mut state = self.lock();
        let has_room = state.waiting.len() < MQTT_SAYINGS_MAX;
        if has_room {
            state.waiting.push_back(said);
        } else {
            state.refused += 1;
        }
        drop(state);
        self.0.wake.notify_one();
        has_room
    }

    /// The connection is to end when all that was given is kept, and after this time at the latest.
    pub(super) fn stop(&self, patience: Duration) {
        self.lock().stop_by = Some(Instant::now() + patience);
        self.0.wake.notify_one();
    }

    /// Until when the connection may last; none while it is to last on.
    pub(super) fn stop_by(&self) -> Option<Instant> {
        self.lock().stop_by
    }

    /// Which connection is there.
    pub(super) fn connection(&self) -> Option<u64> {
        Some(self.0.connection.load(Ordering::Acquire)).filter(|connection| *connection != 0)
    }

    /// A connection has come, or none is there.
    pub(super) fn set_connection(&self, connection: Option<u64>) {
        self.0.connection.store(connection.unwrap_or(0), Ordering::Release);
    }

    /// What is to be said next.
    pub(super) fn pop(&self) -> Option<Said> {
        self.lock().waiting.pop_front()
    }

    /// How many were refused since this was last asked.
    pub(super) fn take_refused(&self) -> u64 {
        std::mem::take(&mut self.lock().refused)
    }

    /// Ends when there is something to do.
    pub(super) async fn changed(&self) {
        self.0.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
