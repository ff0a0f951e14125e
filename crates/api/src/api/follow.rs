//! A stay as it changes, for the shopper's page: server-sent events, each of which is the whole stay. Whoever reads slowly gets the
//! newest one and misses those before. It ends when the pass does.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use schemars::{Schema, SchemaGenerator, json_schema};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, interval_at, sleep};

use super::closing::{Closing, is_closing};
use super::enter::duration;
use super::live::{BEAT, EVENTS, Stream, Streams};
use super::problem::{Problem, Sort};
use super::reply::{Nothing, Output, Reply};
use super::route::Call;
use super::visits::{Book, Looking, VisitView};
use crate::base::limits::{LIVE_BEAT_SPAN, LIVE_OF_STAY_MAX, LIVE_STREAM_SPAN_MAX};
use crate::base::{CartId, Error, Interchange, Kind, Result as Outcome, ShopTime, Span, VisitId};
use crate::facts::OpenVisit;
use crate::ports::Clock;
use crate::shop::Shop;
use crate::till::Till;

/// A stay is looked at so often at most.
const LOOK: Duration = Duration::from_millis(250);
/// The book is asked so often while something may change in it, and so often when nothing is expected to.
const BOOK_SPAN: Span = Span::from_millis(2_000);
const BOOK_SPAN_OVER: Span = Span::from_millis(10_000);
/// Where the book could not be asked for so long, the stream ends: what it tells would be older than it seems.
const BOOK_PATIENCE: Span = Span::from_millis(20_000);

/// Whoever is shown no more stays as they were seen last until their receipt is there, for so long at most.
const LEFT_SPAN: Span = Span::from_millis(15_000);

/// How many streams each holder has: those of a pass are one for the whole stay, however many look at it.
#[derive(Clone, Default)]
pub(super) struct Followed(Arc<Mutex<BTreeMap<String, usize>>>);

/// One of them, until it is dropped.
struct Place {
    followed: Followed,
    holder: String,
    _of_class: OwnedSemaphorePermit,
}

impl Followed {
    fn sit(&self, holder: String, of_class: OwnedSemaphorePermit) -> Result<Place, Problem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(holder.clone()).or_default();
        if LIVE_OF_STAY_MAX <= *count {
            let detail = format!("{LIVE_OF_STAY_MAX} look so already; end one, or come again");
            return Err(Problem::new(Sort::Unavailable, detail).retry_after(Span::ZERO));
        }
        *count += 1;
        Ok(Place { followed: self.clone(), holder, _of_class: of_class })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.followed.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.holder);
            }
        }
    }
}

/// Somebody who looks at a stay.
struct Follower {
    till: Arc<Mutex<Till>>,
    streams: Arc<Streams>,
    clock: Arc<dyn Clock>,
    shop: Arc<Shop>,
    cart: CartId,
    /// Of the pass's secret; none where it is a token, which is shown again when the stream has ended.
    pass: Option<String>,
    book: Option<Book>,
    /// When the book said something last; before that, when it began.
    asked_at: ShopTime,
    /// Visits of the stay that screens showed when it was looked last.
    shown: Vec<VisitId>,
    /// The same as they were seen last, and when; those that are over among them until they have a receipt.
    last: Vec<(OpenVisit, ShopTime)>,
    sent: Option<VisitView>,
}

/// What a look came to.
enum Told {
    Text(String),
    Nothing,
    /// The pass has ended, or the book is away.
    Over,
}

impl Follower {
    /// Looks at the stay; it may wait for the book.
    fn look(&mut self) -> Outcome<Told> {
        let mut looking = Looking::at(self.streams.board());
        let now = self.clock.now();
        let shown = self.book.as_ref().map(|book| book.shown(&looking)).unwrap_or_default();
        // Whoever is shown no more has left, and their receipt is in the book or will be soon.
        let has_left = self.shown.iter().any(|visit| !shown.contains(visit));
        let since = (now - self.asked_at).abs();
        let is_due = self.book.as_ref().is_none_or(|book| {
            let span = if book.is_over() { BOOK_SPAN_OVER } else { BOOK_SPAN };
            span <= since
        });
        if is_due || has_left {
            match self.ask(now)? {
                Asked::Told(book) => (self.book, self.asked_at) = (Some(book), now),
                Asked::Ended => return Ok(Told::Over),
                Asked::Away if BOOK_PATIENCE <= since => return Ok(Told::Over),
                Asked::Away => {}
            }
        }
        self.shown = shown;
        self.hold(&mut looking, now);
        let Some(book) = &self.book else { return Ok(Told::Nothing) };
        let view = book.view(&self.shop, &looking, now);
        let is_old = |view: &VisitView| self.sent.as_ref().is_some_and(|sent| view.is_like(sent));
        let Some(view) = view.filter(|view| !is_old(view)) else { return Ok(Told::Nothing) };
        let data = serde_json::to_string(&Interchange(&view));
        let data = data.map_err(|error| Error::broken(format!("a stay cannot be written as JSON: {error}")))?;
        self.sent = Some(view);
        Ok(Told::Text(format!("event: visit\ndata: {data}\n\n")))
    }

    /// Between the exit and the receipt nobody's goods vanish.
    fn hold(&mut self, looking: &mut Looking, now: ShopTime) {
        let Some(book) = &self.book else { return };
        let shown = book.shown(looking);
        let is_of_now = |at: ShopTime| (now - at).abs() < LEFT_SPAN;
        self.last
            .retain(|(visit, at)| !shown.contains(&visit.visit) && is_of_now(*at) && !book.has_receipt(visit.visit));
        for (visit, _) in &self.last {
            book.add(looking, visit);
        }
        let seen = looking.visits.iter().filter(|visit| shown.contains(&visit.visit));
        self.last.extend(seen.map(|visit| (visit.clone(), now)));
    }

    /// Asks the book, unless somebody else has it just now.
    fn ask(&self, now: ShopTime) -> Outcome<Asked> {
        let mut till = match self.till.try_lock() {
            Ok(till) => till,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(Asked::Away),
        };
        match self.read(&mut till, now) {
            Err(error) if error.kind() == Kind::Unavailable => Ok(Asked::Away),
            asked => asked,
        }
    }

    fn read(&self, till: &mut Till, now: ShopTime) -> Outcome<Asked> {
        if let Some(digest) = &self.pass
            && till.open_pass(digest, now)?.is_none()
        {
            return Ok(Asked::Ended);
        }
        till.with(|session| Book::read(session, self.cart)).map(Asked::Told)
    }
}

/// What the book said.
enum Asked {
    Told(Book),
    /// The pass opens nothing any more.
    Ended,
    /// Nothing: it cannot be asked just now.
    Away,
}

/// Writes until the reader goes, the server or the pass ends, or it is time to show the token again.
async fn run(mut follower: Follower, sender: mpsc::Sender<Bytes>, closing: Option<Closing>, place: Place) {
    let mut woken = follower.streams.subscribe();
    let beat = duration(LIVE_BEAT_SPAN);
    let mut beats = interval_at(Instant::now() + beat, beat);
    let end = async {
        tokio::select! {
            () = is_closing(closing) => {}
            () = sleep(duration(LIVE_STREAM_SPAN_MAX)) => {}
            () = sender.closed() => {}
        }
    };
    tokio::pin!(end);
    loop {
        woken.mark_unchanged();
        let looked = tokio::task::spawn_blocking(move || {
            let told = follower.look();
            (follower, told)
        });
        let Ok((back, told)) = looked.await else { break };
        follower = back;
        let mut text = match told {
            Ok(Told::Text(text)) => Some(text),
            Ok(Told::Nothing) => None,
            Ok(Told::Over) => break,
            Err(error) => {
                tracing::error!(%error, "the stream of a stay ends");
                break;
            }
        };
        if text.is_none() {
            tokio::select! {
                biased;
                () = &mut end => break,
                _ = beats.tick() => text = Some(BEAT.to_owned()),
                changed = woken.changed() => if changed.is_err() { break },
                () = sleep(duration(BOOK_SPAN)) => {}
            }
        }
        if let Some(text) = text {
            tokio::select! {
                biased;
                () = &mut end => break,
                sent = sender.send(Bytes::from(text)) => if sent.is_err() { break },
            }
            beats.reset();
        }
        tokio::select! {
            biased;
            () = &mut end => break,
            () = sleep(LOOK) => {}
        }
    }
    drop(place);
}

/// A stream that has begun.
pub(super) struct VisitStream(Stream);

impl Output for VisitStream {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        self.0.reply()
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        let text = "Server-sent events, each a `visit`: the whole stay, as `/v1/carts/{cart}/visit` gives it. One comes first, and one \
                    whenever something of it changed.";
        let visit = generator.subschema_for::<VisitView>();
        vec![(EVENTS, json_schema!({ "type": "string", "description": text, "x-events": { "visit": visit } }))]
    }
}

/// `GET /v1/carts/{cart}/live`
pub(super) fn follow(call: &Call<'_>, cart: CartId, _: Nothing, _: Nothing) -> Result<VisitStream, Problem> {
    let Some(streams) = call.api.streams.clone() else {
        return Err(Problem::new(Sort::Missing, "no shop is open in this server; ask for `/visit` again and again"));
    };
    let shop = call.read(|till| {
        till.with(|session| super::carts::known(session, cart))?;
        Ok(till.shop().clone())
    })?;
    let stay = call.holder.and_then(|holder| holder.stay.as_ref());
    let holder = stay.map_or_else(|| super::shoppers::holder(call), |stay| stay.cart.to_string());
    let place = call.api.followed.sit(holder, streams.place(call.class())?)?;
    let follower = Follower {
        till: call.api.till.clone(),
        streams,
        clock: call.api.clock.clone(),
        shop,
        cart,
        pass: stay.map(|stay| stay.digest.clone()),
        book: None,
        asked_at: call.now,
        shown: Vec::new(),
        last: Vec::new(),
        sent: None,
    };
    let closing = call.closing.cloned();
    if let Some(closing) = &closing {
        closing.streamed.store(true, Ordering::Relaxed);
    }
    // One part is on its way while the next one is made: whoever reads slowly holds no more than that.
    let (sender, receiver) = mpsc::channel(1);
    tokio::runtime::Handle::current().spawn(run(follower, sender, closing, place));
    Ok(VisitStream(Stream::new(receiver)))
}
