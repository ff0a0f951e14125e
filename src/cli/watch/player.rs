//! Lets a recording go on with time, and does what those who look wish: one after the other, on a thread of its own.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};

use super::super::warn;
use super::deck::Deck;
use crate::base::{Error, Result, Span};
use crate::pipeline::Options;
use crate::ports::{MarkKind, ReplayDesk, ReplayState, ReplayWish, Stop, TimeMark, Wished};

/// How often what is shown goes on.
const TURN: Duration = Duration::from_millis(40);
/// What one turn may go on by at most, of the time of day: where the machine is too slow for the speed, it goes slower.
const TURN_MAX: Duration = Duration::from_millis(250);
/// Two marks nearer to each other than this are one.
const SAME: Span = Span::from_millis(1);
/// How far back from where one is the mark before is while the recording goes on: one that was just passed is it not.
const BACK: Span = Span::from_millis(1_500);

/// A recording that is played.
pub(super) struct Player {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Player {
    /// Begins, on a thread of its own.
    ///
    /// # Errors
    /// When there is no thread.
    pub(super) fn start(deck: Deck, desk: ReplayDesk, wished: Receiver<Wished>, options: Options) -> Result<Self> {
        let (stop, stopped) = bounded(0);
        let turns = Turns { deck, desk, options };
        let thread = thread::Builder::new().name("player".to_owned()).spawn(move || turns.run(&wished, &stopped));
        let thread = thread.map_err(|error| Error::unavailable(format!("no thread for the player: {error}")))?;
        Ok(Player { stop, thread })
    }

    /// Ends it.
    pub(super) fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so.
        let _ = self.thread.join();
    }
}

struct Turns {
    deck: Deck,
    desk: ReplayDesk,
    options: Options,
}

impl Turns {
    fn run(mut self, wished: &Receiver<Wished>, stopped: &Receiver<()>) {
        let mut turned = Instant::now();
        loop {
            let playing = self.desk.state().playing;
            let next = match playing {
                true => after(TURN.saturating_sub(turned.elapsed())),
                false => never(),
            };
            select! {
                recv(stopped) -> _ => return,
                recv(wished) -> wish => {
                    let Ok(Wished { wishes, done }) = wish else { return };
                    let outcome = wishes.into_iter().try_for_each(|wish| self.carry_out(wish));
                    if let Err(error) = &outcome {
                        warn(&format!("a wish could not be done: {error}"));
                    }
                    // Whoever wished may be gone.
                    let _ = done.try_send(outcome);
                    turned = Instant::now();
                }
                recv(next) -> _ => {
                    let passed = turned.elapsed().min(TURN_MAX);
                    turned = Instant::now();
                    self.go_on(passed);
                }
            }
        }
    }

    fn go_on(&mut self, passed: Duration) {
        let state = self.desk.state();
        if let Err(error) = self.deck.go_on(Span::from_secs(passed.as_secs_f64() * state.speed)) {
            warn(&format!("the recording cannot go on: {error}"));
            self.deck.tell(ReplayState { playing: false, ..self.desk.state() });
        }
    }

    fn carry_out(&mut self, wish: ReplayWish) -> Result<()> {
        let (state, line) = (self.desk.state(), self.desk.clone());
        let line = line.line();
        match wish {
            ReplayWish::Play(playing) => {
                if playing && line.ends <= state.at {
                    self.deck.jump(line.begins, self.options)?;
                }
                self.deck.tell(ReplayState { playing, ..self.desk.state() });
                if playing { Ok(()) } else { self.deck.settle() }
            }
            ReplayWish::Speed(speed) => {
                self.deck.tell(ReplayState { speed, ..state });
                Ok(())
            }
            ReplayWish::Seek(since) => {
                let to = if since < line.ends - line.begins { line.begins + since } else { line.ends };
                self.deck.jump(to, self.options)
            }
            ReplayWish::Next(stop) => {
                let next = line.marks.iter().find(|mark| is_stop(mark, stop) && state.at + SAME < mark.from);
                next.map_or(Ok(()), |mark| self.deck.jump(mark.from, self.options))
            }
            ReplayWish::Previous(stop) => {
                let from = state.at - if state.playing { BACK } else { SAME };
                let before = line.marks.iter().rfind(|mark| is_stop(mark, stop) && mark.from < from);
                before.map_or(Ok(()), |mark| self.deck.jump(mark.from, self.options))
            }
        }
    }
}

fn is_stop(mark: &TimeMark, stop: Stop) -> bool {
    stop == Stop::Any || mark.kind == MarkKind::Wrong
}
