//! What a service manager is told (`sd_notify`): that the shop is open, how it is, that its engine moves, that it closes.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The service manager; where there is none, nothing is said.
#[derive(Debug)]
pub struct Service {
    /// How often it wants to hear that the engine moves: half of what it waits for.
    every: Option<Duration>,
    moved: Option<Instant>,
    status: String,
}

impl Service {
    /// Asks the environment what the manager wants.
    pub fn new() -> Self {
        Service::wanting(sd_notify::watchdog_enabled())
    }

    fn wanting(within: Option<Duration>) -> Self {
        Service { every: within.map(|within| within / 2), moved: None, status: String::new() }
    }

    /// The shop is open.
    pub fn ready(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        say(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// How the shop is, in a sentence; said when it changed.
    pub fn status(&mut self, status: &str) {
        if self.status != status {
            status.clone_into(&mut self.status);
            say(&[NotifyState::Status(status)]);
        }
    }

    /// The engine has taken a fact, a tick of the clock among them. By this call alone the manager learns that the shop lives: an
    /// engine that stands is ended and started again. Whether something was said.
    pub fn moved(&mut self) -> bool {
        let Some(every) = self.every else { return false };
        if self.moved.is_some_and(|moved| moved.elapsed() < every) {
            return false;
        }
        self.moved = Some(Instant::now());
        say(&[NotifyState::Watchdog]);
        true
    }

    /// The shop closes.
    pub fn stopping(&mut self) {
        say(&[NotifyState::Stopping]);
    }
}

impl Default for Service {
    fn default() -> Self {
        Service::new()
    }
}

fn say(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::debug!(%error, "the service manager did not hear");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_that_the_engine_moves_no_more_often_than_it_wants() {
        let mut deaf = Service::wanting(None);
        assert!(!deaf.moved());
        let mut service = Service::wanting(Some(Duration::from_secs(3_600)));
        assert!(service.moved() && !service.moved());
        let mut eager = Service::wanting(Some(Duration::ZERO));
        assert!(eager.moved() && eager.moved());
    }
}
