//! The shop's HTTP server: it takes requests of gates, reviewers, operators, shoppers and payment providers, and gives
//! documents; whatever is wrong with a request, the answer is a problem document that says so. It decides nothing about
//! money: that is asked of the `till`. It never holds the till while a payment provider is asked, and never logs what is
//! secret or personal.
//!
//! Every route is one entry of the table in `routes`: the router, who may do what, and the API's description follow from
//! it.

mod access;
mod asks;
mod carts;
mod cases;
mod checks;
mod closing;
mod codes;
mod dashboard;
mod devices;
mod enter;
mod entries;
mod floor;
mod follow;
mod framing;
mod gates;
mod health;
mod ledger;
mod limiter;
mod live;
mod me;
mod metrics;
mod notices;
mod openapi;
mod orders;
mod page;
mod passes;
mod pictures;
mod plates;
mod problem;
mod receipts;
mod replay;
mod reply;
mod retention;
mod route;
mod routes;
mod scans;
mod seats;
mod seen;
mod server;
mod shares;
mod sheet;
mod shoppers;
mod tagged;
#[cfg(test)]
mod texts;
mod today;
mod tokens;
mod visits;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on};
use tokio::sync::Semaphore;

pub use access::{Grant, Role, TokenBook, create_token, deed, revoke_token};
pub use asks::{Asked, gate_desk};
pub use devices::Pictures;
pub use gates::{GateRole, GateRule};
pub use retention::Retention;
pub use routes::description;
pub use server::serve;
pub use sheet::Paper;
pub use today::Queues;

use crate::base::limits::{HOLD_WAIT_SPAN_MAX, HOLDS_MAX, LOOKUPS_MAX};
use crate::base::{Error, Result, Span};
use crate::ports::{
    Clock, HealthBoard, HealthWord, Intake, KeptPictures, LiveBoard, PlateBoard, ReplayDesk, ReportBoard, SeenBoard,
};
use crate::till::{Bell, Providers, Till, lock};

/// How often it is tried whether somebody else is done with the till, where it may be known meanwhile that its book is away.
const TILL_PAUSE: Duration = Duration::from_millis(2);

/// What the server needs of the world.
pub struct Api {
    till: Arc<Mutex<Till>>,
    providers: Providers,
    clock: Arc<dyn Clock>,
    /// What time it is for those who ask: how often they may come does not stand still with a recording.
    door_clock: Arc<dyn Clock>,
    bell: Bell,
    hold_wait: Span,
    door: access::Door,
    metrics: metrics::Metrics,
    board: ReportBoard,
    described: tagged::Once<serde_json::Value>,
    floor: tagged::Once<floor::FloorView>,
    shares: shares::Shares,
    streams: Option<Arc<live::Streams>>,
    health: Option<HealthBoard>,
    pictures: Option<Pictures>,
    kept: Option<pictures::Kept>,
    seen: Option<SeenBoard>,
    plates: Option<PlateBoard>,
    replay: Option<ReplayDesk>,
    queues: Option<Queues>,
    today: today::Today,
    scans: Option<scans::Scans>,
    gates: Vec<GateRule>,
    /// Makes secrets of passes; none where the system gave no dice.
    mint: Option<codes::Mint>,
    passes: passes::Counts,
    followed: follow::Followed,
    /// Places of those whose token is being looked up.
    lookups: Arc<Semaphore>,
    holds: Arc<Semaphore>,
}

type Shared = Arc<Api>;

impl Api {
    /// A server of this till. After every change `bell` is rung.
    pub fn new(till: Arc<Mutex<Till>>, providers: Providers, clock: Arc<dyn Clock>, bell: Bell) -> Self {
        Api {
            till,
            providers,
            door_clock: clock.clone(),
            clock,
            bell,
            hold_wait: HOLD_WAIT_SPAN_MAX,
            door: access::Door::new(),
            metrics: metrics::Metrics::default(),
            board: ReportBoard::default(),
            described: tagged::Once::default(),
            floor: tagged::Once::default(),
            shares: shares::Shares::new(),
            streams: None,
            health: None,
            pictures: None,
            kept: None,
            seen: None,
            plates: None,
            replay: None,
            queues: None,
            today: today::Today::default(),
            scans: None,
            gates: Vec::new(),
            mint: access::random().ok().map(codes::Mint::new),
            passes: passes::Counts::default(),
            followed: follow::Followed::default(),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            holds: Arc::new(Semaphore::new(HOLDS_MAX)),
        }
    }

    /// The same, with another time that a shopper waits at a gate for the provider's hold.
    pub fn with_hold_wait(self, hold_wait: Span) -> Self {
        Api { hold_wait, ..self }
    }

    /// The same, which tells in its metrics what an engine shows on this board.
    pub fn with_board(self, board: ReportBoard) -> Self {
        Api { board, ..self }
    }

    /// The same, of a shop that is open: tells what is said on this board as it is said.
    pub fn with_live(self, board: LiveBoard) -> Self {
        // Where the system gives no dice, the time tells one process from another.
        let epoch = access::random().unwrap_or_else(|_| {
            let [.., a, b, c, d] = self.clock.now().as_nanos().rotate_right(20).to_be_bytes();
            [a, b, c, d]
        });
        Api { streams: Some(Arc::new(live::Streams::new(board, epoch))), ..self }
    }

    /// The same, which tells how devices are.
    pub fn with_health(self, board: HealthBoard) -> Self {
        Api { health: Some(board), ..self }
    }

    /// The same, which gives the newest picture of each camera. It is asked on a thread that may block for a moment.
    pub fn with_pictures(self, pictures: Pictures) -> Self {
        Api { pictures: Some(pictures), ..self }
    }

    /// The same, which gives the pictures that the shop keeps to whoever decides a case.
    pub fn with_kept(self, kept: Arc<dyn KeptPictures>) -> Self {
        Api { kept: Some(kept), ..self }
    }

    /// The same, which gives what cameras saw last, as it is told on this board.
    pub fn with_seen(self, board: SeenBoard) -> Self {
        Api { seen: Some(board), ..self }
    }

    /// The same, which gives the curves of plates, as they are told on this board.
    pub fn with_plates(self, board: PlateBoard) -> Self {
        Api { plates: Some(board), ..self }
    }

    /// The same, of a recording that is watched: its clock is the recording's, and only how often somebody may come and whether
    /// their token is valid go by the time of day.
    pub fn with_replay(self, desk: ReplayDesk, time_of_day: Arc<dyn Clock>) -> Self {
        Api { clock: Arc::new(desk.clone()), replay: Some(desk), door_clock: time_of_day, ..self }
    }

    /// The same, which tells how full these queues are. They are asked on a thread that may block for a moment.
    pub fn with_queues(self, queues: Queues) -> Self {
        Api { queues: Some(queues), ..self }
    }

    /// The same, with an engine that is told of every scan for which a door opens. A door stays shut while it does not keep
    /// them.
    pub fn with_intake(self, intake: Intake) -> Self {
        Api { scans: Some(scans::Scans::new(intake)), ..self }
    }

    /// The same, of a shop with these gates.
    pub fn with_gates(self, gates: Vec<GateRule>) -> Self {
        Api { gates, ..self }
    }

    /// Everything that it answers. What a request asks of the book runs on threads of the runtime that may block.
    pub fn router(self) -> Router {
        let api = Arc::new(self);
        let mut router = Router::new();
        for route in routes::all() {
            let Ok(method) = MethodFilter::try_from(route.method.clone()) else { continue };
            let (api, route) = (api.clone(), Arc::new(route));
            let path = route.path;
            router = router.route(path, on(method, move |request: Request| enter::enter(api, route, request)));
        }
        router
            .fallback(enter::no_route)
            .method_not_allowed_fallback(enter::no_method)
            .layer(axum::middleware::from_fn_with_state(api, enter::around))
    }

    fn till(&self) -> MutexGuard<'_, Till> {
        lock(&self.till)
    }

    /// The till, to look something up without which an answer is of use as well.
    ///
    /// # Errors
    /// When the open shop says that its book does not answer: whoever has the till may have it for long.
    fn till_unless_away(&self) -> Result<MutexGuard<'_, Till>> {
        let book = || self.health.as_ref().and_then(|health| health.get("book"));
        if book().is_none() {
            return Ok(self.till());
        }
        loop {
            if book().is_some_and(|book| book.health == HealthWord::Offline) {
                return Err(Error::unavailable("the database of the book does not answer"));
            }
            match self.till.try_lock() {
                Ok(till) => return Ok(till),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TILL_PAUSE),
            }
        }
    }
}
