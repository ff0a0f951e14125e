//! Gates that ask aisle over HTTP whether the door opens: for every scan of a film a shopper enrols, who pays in the sandbox,
//! and stands at the gate. Calls are made beside the film; whoever finds the queue full is turned away and counted.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value, json};
use ureq::Agent;

use crate::base::{Error, Result, Secret, SecretPlace};
use crate::facts::GateScan;

/// Scans that wait for an answer.
const SCANS_MAX: usize = 256;
/// How often a call is made that nobody answers, and the pause between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
const CALL: Duration = Duration::from_secs(15);

/// What became of the scans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GateCounts {
    /// Scans of the film.
    pub(super) scans: u64,
    /// The door opened.
    pub(super) opened: u64,
    /// It stayed shut.
    pub(super) shut: u64,
    /// Nobody answered, or the answer was a refusal.
    pub(super) failed: u64,
    /// The queue was full.
    pub(super) overflowed: u64,
    /// Calls that were made once more.
    pub(super) again: u64,
}

/// What came of a scan, beside the truth: the cart of the film, and the one that aisle opened for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) scan: GateScan,
    pub(super) cart: Option<String>,
}

#[derive(Default)]
struct State {
    counts: GateCounts,
    entered: Vec<Entered>,
}

/// Gates of a shop, and whoever calls for them.
pub(super) struct Gates {
    queue: Sender<GateScan>,
    state: Arc<Mutex<State>>,
    thread: JoinHandle<()>,
}

/// A cart that was opened, and the address of its page.
type Opened = (String, Option<Secret<String>>);

/// How aisle is called.
struct Caller {
    agent: Agent,
    base: String,
    token: Secret<String>,
    /// Tells the entries of this run from those of any other.
    run: String,
}

impl Gates {
    /// Calls an API with an operator's token, which is in a file.
    ///
    /// `passes` is given the address of the page of the first shopper who is let in.
    pub(super) fn start(api: &str, token: &Path, run: String, passes: Option<Sender<Secret<String>>>) -> Result<Self> {
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let read = SecretPlace::File(token.to_owned()).read("--token-file", is_token, "a token");
        let token = read.map_err(Error::usage)?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(CALL))
            .proxy(None)
            .user_agent(concat!("aisle-simulate/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let caller = Caller { agent, base: api.trim_end_matches('/').to_owned(), token, run };
        let (queue, scans) = bounded(SCANS_MAX);
        let state = Arc::new(Mutex::new(State::default()));
        let theirs = state.clone();
        let thread = thread::Builder::new()
            .name("gates".to_owned())
            .spawn(move || answer(&caller, &scans, &theirs, passes.as_ref()));
        let thread = thread.map_err(|error| Error::io("start", Path::new("a thread"), &error))?;
        Ok(Gates { queue, state, thread })
    }

    /// Somebody shows something at a gate.
    pub(super) fn scan(&self, scan: &GateScan) {
        let taken = self.queue.try_send(scan.clone()).is_ok();
        let counts = &mut lock(&self.state).counts;
        counts.scans += 1;
        counts.overflowed += u64::from(!taken);
    }

    /// Waits until every scan has its answer or was given up, which takes a bounded time.
    pub(super) fn finish(self) -> (GateCounts, Vec<Entered>) {
        drop(self.queue);
        // A thread that panicked has counted what it did.
        let _ = self.thread.join();
        let mut state = lock(&self.state);
        (state.counts, std::mem::take(&mut state.entered))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(caller: &Caller, scans: &Receiver<GateScan>, state: &Mutex<State>, passes: Option<&Sender<Secret<String>>>) {
    for (number, scan) in scans.iter().enumerate() {
        let (said, again) = caller.enter(number, &scan);
        let mut state = lock(state);
        state.counts.again += again;
        let cart = match said {
            Ok(Some((cart, page))) => {
                state.counts.opened += 1;
                if let Some((passes, page)) = passes.zip(page).filter(|_| state.counts.opened == 1) {
                    // Nobody may want it any more.
                    let _ = passes.try_send(page);
                }
                Some(cart)
            }
            Ok(None) => {
                state.counts.shut += 1;
                None
            }
            Err(message) => {
                state.counts.failed += 1;
                super::super::warn(&format!("gate {}: {message}", scan.gate));
                None
            }
        };
        state.entered.push(Entered { scan, cart });
    }
}

impl Caller {
    /// The cart that was opened and the address of its page, `None` where the door stays shut; beside it how many calls were made
    /// again.
    fn enter(&self, number: usize, scan: &GateScan) -> (std::result::Result<Option<Opened>, String>, u64) {
        let mut again = 0;
        let shows = format!("simulated-{}-{number}", self.run);
        let enrolment = json!({
            "name": format!("Simulated {}", number + 1),
            "gate_token": shows,
            "payment": { "provider": "sandbox", "customer": shows, "token": "ok" },
        });
        let mut entry = json!({ "gate_token": shows, "gate": scan.gate });
        if 1 < scan.people {
            entry["people"] = json!(scan.people);
        }
        let welcome = self.call("/v1/shoppers", &format!("enrol-{shows}"), &enrolment, &mut again);
        let entered = welcome.and_then(|_| self.call("/v1/entries", &format!("enter-{shows}"), &entry, &mut again));
        let opened = |answer: Value| {
            let page = answer["pass"]["link"].as_str().map(|link| Secret::new(format!("{}{link}", self.base)));
            Some((answer["cart"].as_str()?.to_owned(), page))
        };
        (entered.map(opened), again)
    }

    fn call(&self, path: &str, key: &str, body: &Value, again: &mut u64) -> std::result::Result<Value, String> {
        let mut trouble = String::new();
        for number in 0..TRIES {
            if number != 0 {
                *again += 1;
                thread::sleep(PAUSE);
            }
            match self.call_once(path, key, body) {
                Ok((200..=299, text)) => {
                    return serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"));
                }
                // Whoever is asked again may say something else to these.
                Ok((status @ (429 | 500..=599), _)) => trouble = format!("{path} answers {status}"),
                Ok((status, text)) => {
                    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
                    let detail = problem["detail"].as_str().unwrap_or("without a reason");
                    return Err(format!("{path} answers {status}: {detail}"));
                }
                Err(error) => trouble = format!("{path}: {error}"),
            }
        }
        Err(trouble)
    }

    fn call_once(&self, path: &str, key: &str, body: &Value) -> std::result::Result<(u16, String), ureq::Error> {
        let mut answer = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token.reveal()))
            .header("Idempotency-Key", key)
            .send_json(body)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }
}
