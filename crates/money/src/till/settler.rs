//! Whoever carries orders to the providers: threads that take what is due, ask, and bring the answer back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};

use super::{Answered, Till};
use crate::base::{Result, Span};
use crate::db::outbox::Letter;
use crate::facts::Answer;
use crate::ports::{Clock, PaymentProvider};

/// Pause after the database could not be used, and longest pause without anything to do.
const REST: Duration = Duration::from_millis(1_000);

/// The providers of a shop, by name.
pub type Providers = BTreeMap<String, Arc<dyn PaymentProvider>>;

/// Carries out everything that is due at `now`, and what follows from it, until nothing is due.
///
/// # Errors
/// What the database says; what was asked is safe, and is asked again.
pub fn settle_due(till: &mut Till, providers: &Providers, clock: &dyn Clock) -> Result<()> {
    // One at a time: a lease is too short for several providers that take their time.
    while let Some(letter) = till.take_due(clock.now(), 1)?.pop() {
        let answer = ask(providers, &letter);
        till.answered(letter.order.id, &answer, letter.unsure_since.is_none(), clock.now())?;
    }
    Ok(())
}

/// Asks the provider of an order for it, or what became of it.
fn ask(providers: &Providers, letter: &Letter) -> Answer {
    let name = &letter.order.method.provider;
    match (providers.get(name), &letter.reference) {
        (Some(provider), Some(reference)) => match provider.query(&letter.order, Some(reference)) {
            // It has never heard of it after all.
            Answer::Unavailable { .. } => provider.submit(&letter.order),
            answer => answer,
        },
        (Some(provider), None) => provider.submit(&letter.order),
        // Whoever has that provider set up will carry it out.
        (None, _) => Answer::Unavailable {
            message: format!("no payment provider is set up here under the name `{name}`"),
            retry_after: None,
        },
    }
}

/// Wakes whoever carries orders to the providers. Clones ring the same bell.
#[derive(Clone)]
pub struct Bell(Sender<()>);

impl Bell {
    /// A bell and what hears it, for so many listeners. One that rings for all of them already is not rung again.
    pub fn new(listeners: usize) -> (Self, Receiver<()>) {
        let (bell, rung) = bounded(listeners.max(1));
        (Bell(bell), rung)
    }

    /// Something may be due now.
    pub fn ring(&self) {
        match self.0.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }
}

/// Threads that settle until they are stopped.
pub struct Settler {
    bell: Bell,
    stop: Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Settler {
    /// Starts `threads` of them. The till is locked only while the database is used, never while a provider is asked.
    pub fn start(till: &Arc<Mutex<Till>>, providers: &Providers, clock: &Arc<dyn Clock>, threads: usize) -> Self {
        let (bell, rung) = Bell::new(threads);
        let (stop, stopped) = bounded(0);
        let tray = Arc::new(Mutex::new(Tray::default()));
        let one = |_| {
            let worker = Worker {
                till: till.clone(),
                tray: tray.clone(),
                providers: providers.clone(),
                clock: clock.clone(),
                rung: rung.clone(),
                stopped: stopped.clone(),
            };
            thread::spawn(move || worker.run())
        };
        Settler { bell, stop, threads: (0..threads.max(1)).map(one).collect() }
    }

    /// What tells them that something may be due now.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Lets everybody finish what they are at, and waits for it.
    pub fn stop(self) {
        drop(self.stop);
        for thread in self.threads {
            // A thread that panicked has said so; its orders are taken again after their lease.
            let _ = thread.join();
        }
    }
}

/// What those who wait for the till hand each other: whoever gets it next writes the answers of all of them and takes an
/// order for each, in one transaction. So a slow disk makes transactions larger, not the queue longer.
#[derive(Default)]
struct Tray {
    /// Answers that are not in the book yet; at most one for each who waits.
    answers: Vec<Answered>,
    /// Orders that are taken for those who wait; never more than there are of them, and each of them looks here first.
    letters: VecDeque<Letter>,
    /// How many wait.
    waiting: usize,
}

struct Worker {
    till: Arc<Mutex<Till>>,
    tray: Arc<Mutex<Tray>>,
    providers: Providers,
    clock: Arc<dyn Clock>,
    rung: Receiver<()>,
    stopped: Receiver<()>,
}

impl Worker {
    fn run(self) {
        let mut answered = None;
        loop {
            let goes_on = self.stopped.try_recv() != Err(TryRecvError::Disconnected);
            let pause = match self.exchange(answered.take(), goes_on) {
                Ok(Some(letter)) => {
                    let (order, sure_before) = (letter.order.id, letter.unsure_since.is_none());
                    answered = Some(Answered { order, answer: ask(&self.providers, &letter), sure_before });
                    continue;
                }
                Ok(None) if goes_on => self.pause(),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "orders wait");
                    REST
                }
            };
            crossbeam_channel::select! {
                recv(self.stopped) -> _ => return,
                recv(self.rung) -> _ => {}
                default(pause) => {}
            }
        }
    }

    /// Brings an answer into the book and gives the next order, if one is due and more are wanted.
    fn exchange(&self, answered: Option<Answered>, wants_more: bool) -> Result<Option<Letter>> {
        let mut tray = lock(&self.tray);
        tray.answers.extend(answered);
        tray.waiting += usize::from(wants_more);
        drop(tray);
        // While this waits for the till, whoever has it may do all of it.
        let mut till = lock(&self.till);
        let mut tray = lock(&self.tray);
        let mut done = Ok(Vec::new());
        let wanted = tray.waiting.saturating_sub(tray.letters.len());
        if !tray.answers.is_empty() || (wants_more && tray.letters.is_empty()) {
            let answers = std::mem::take(&mut tray.answers);
            drop(tray);
            done = self.write(&mut till, &answers, u32::try_from(wanted).unwrap_or(u32::MAX));
            tray = lock(&self.tray);
        }
        tray.waiting -= usize::from(wants_more);
        tray.letters.extend(done?);
        Ok(if wants_more { tray.letters.pop_front() } else { None })
    }

    /// Writes answers and takes orders. An answer that the book refuses does not hold the others back.
    fn write(&self, till: &mut Till, answers: &[Answered], most: u32) -> Result<Vec<Letter>> {
        let done = till.exchange(answers, self.clock.now(), most);
        if done.is_err() && 1 < answers.len() {
            for answered in answers {
                if let Err(error) = till.exchange(std::slice::from_ref(answered), self.clock.now(), 0) {
                    tracing::warn!(order = %answered.order, %error, "an answer waits");
                }
            }
        }
        done
    }

    /// How long nothing is due.
    fn pause(&self) -> Duration {
        let Ok(due) = lock(&self.till).next_due() else { return REST };
        let wait = due.map_or(Span::from_millis(1_000), |due| due - self.clock.now());
        let millis = u64::try_from(wait.as_nanos() / 1_000_000).unwrap_or(0);
        Duration::from_millis(millis).clamp(Duration::from_millis(1), REST)
    }
}

/// Locks what threads share. A panic elsewhere leaves no transaction half done, so a till is as good as before.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
