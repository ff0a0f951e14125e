//! What happens in an open shop, told as it happens: server-sent events that begin with a snapshot, or behind what a reader
//! has seen. It never tells who a shopper is or how they pay, never waits for a reader, and ends when the server does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use hyper::body::Frame;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, interval_at, sleep};

use super::closing::{Closing, is_closing};
use super::enter::duration;
use super::problem::{Problem, Sort};
use super::reply::{Nothing, Output, Reply, header_text};
use super::route::Call;
use super::shares::Class;
use crate::base::limits::{LIVE_BEAT_SPAN, LIVE_SHOPPERS_MAX, LIVE_STREAM_SPAN_MAX, LIVE_STREAMS_MAX};
use crate::base::{Error, Interchange, ShopTime, Span};
use crate::ports::{HealthBoard, LiveBoard, LiveChange, LiveSnapshot};

/// What server-sent events are.
pub(super) const EVENTS: &str = "text/event-stream";
/// The header that says what a reader has seen.
const LAST_SEEN: HeaderName = HeaderName::from_static("last-event-id");
/// Changes that are written at once; further ones when these are gone.
const CHANGES_AT_ONCE: usize = 64;
/// So many of the latest changes are kept as they are sent. Whoever is further behind has theirs written anew.
const TEXTS_MAX: usize = 64;
/// A line that says nothing, so that nobody on the way takes the stream for dead.
pub(super) const BEAT: &str = ": still here\n\n";

/// Everybody who looks.
pub(super) struct Streams {
    board: LiveBoard,
    woken: watch::Sender<()>,
    /// Tells numbers of this process from those of an earlier one.
    epoch: String,
    /// Each class of readers has places of its own: any number of phones takes none of a screen or an operator.
    places: [(Class, usize, Arc<Semaphore>); 3],
    /// The latest changes as they are sent, by number: each is written once for all who look.
    texts: Mutex<VecDeque<(u64, Bytes)>>,
    /// Snapshots because somebody began, and because what came behind what they had seen was lost.
    begun: AtomicU64,
    behind: AtomicU64,
    sent: AtomicU64,
}

/// What holds when somebody begins to look.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LiveSnapshot")]
pub(super) struct SnapshotView<'a> {
    /// The number of the newest change that is in it.
    number: u64,
    /// When it was written.
    at: ShopTime,
    /// The shop, by name.
    shop: &'a str,
    /// The changes that still hold: people, carts, the latest receipts from the oldest on, the health of every device.
    changes: Vec<&'a LiveChange>,
}

/// A stream that has begun.
pub(super) struct Stream(mpsc::Receiver<Bytes>);

impl Streams {
    pub(super) fn new(board: LiveBoard, epoch: [u8; 4]) -> Self {
        let woken = watch::Sender::new(());
        let wake = woken.clone();
        board.on_change(move || wake.send_replace(()));
        Streams {
            board,
            woken,
            epoch: crate::base::hex(&epoch),
            places: [
                (Class::Staff, LIVE_STREAMS_MAX),
                (Class::Screens, LIVE_STREAMS_MAX),
                (Class::Shoppers, LIVE_SHOPPERS_MAX),
            ]
            .map(|(class, most)| (class, most, Arc::new(Semaphore::new(most)))),
            texts: Mutex::default(),
            begun: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    pub(super) fn board(&self) -> &LiveBoard {
        &self.board
    }

    /// How many read, by class.
    pub(super) fn reading(&self) -> [(&'static str, usize); 3] {
        self.places
            .each_ref()
            .map(|(class, most, places)| (class.name(), most.saturating_sub(places.available_permits())))
    }

    /// Is told whenever something changed on the board.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.woken.subscribe()
    }

    /// Snapshots that were given, by why, and changes that were sent.
    pub(super) fn counts(&self) -> ([(&'static str, u64); 2], u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ([("begun", count(&self.begun)), ("behind", count(&self.behind))], count(&self.sent))
    }

    /// A place for somebody who looks.
    ///
    /// # Errors
    /// When the class has taken all of its own.
    pub(super) fn place(&self, class: Class) -> Result<OwnedSemaphorePermit, Problem> {
        let found = self.places.iter().find(|(other, ..)| *other == class);
        let most = found.map_or(0, |(_, most, _)| *most);
        let full = || format!("{most} of this sort look already; end one, or come again");
        found
            .and_then(|(_, _, places)| places.clone().try_acquire_owned().ok())
            .ok_or_else(|| Problem::new(Sort::Unavailable, full()).retry_after(Span::ZERO))
    }

    /// The number behind which whoever saw this event last goes on; none where that is of another process, or no event.
    fn seen(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('.')?;
        number.parse().ok().filter(|_| epoch == self.epoch)
    }

    fn event(&self, number: u64, kind: &str, value: &impl Serialize) -> Result<String, Error> {
        let data = serde_json::to_string(&Interchange(value));
        let data = data.map_err(|error| Error::broken(format!("an event cannot be written as JSON: {error}")))?;
        Ok(format!("id: {}.{number}\nevent: {kind}\ndata: {data}\n\n", self.epoch))
    }

    /// A change as it is sent.
    fn told(&self, number: u64, change: &LiveChange) -> Result<Bytes, Error> {
        // Whoever comes meanwhile waits for what is being written rather than write it as well.
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(place) = texts.binary_search_by_key(&number, |(known, _)| *known) {
            return Ok(texts[place].1.clone());
        }
        let text = Bytes::from(self.event(number, change.kind(), change)?);
        if texts.back().is_none_or(|(newest, _)| *newest < number) {
            texts.push_back((number, text.clone()));
            if TEXTS_MAX < texts.len() {
                texts.pop_front();
            }
        }
        Ok(text)
    }
}

/// One reader.
struct Reader {
    streams: Arc<Streams>,
    health: Option<HealthBoard>,
    clock: Arc<dyn crate::ports::Clock>,
    shop: String,
    /// The number of the last change that was sent; none before anything was.
    at: Option<u64>,
}

impl Reader {
    /// What comes next; nothing where there is nothing new.
    fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let counters = &self.streams;
        let changes = match self.at {
            None => {
                counters.begun.fetch_add(1, Ordering::Relaxed);
                return self.snapshot().map(Some);
            }
            Some(at) => match counters.board.since(at) {
                None => {
                    counters.behind.fetch_add(1, Ordering::Relaxed);
                    return self.snapshot().map(Some);
                }
                Some(changes) => changes,
            },
        };
        let mut texts = Vec::with_capacity(changes.len().min(CHANGES_AT_ONCE));
        for (number, change) in changes.iter().take(CHANGES_AT_ONCE) {
            texts.push(self.streams.told(*number, change)?);
            self.at = Some(*number);
            self.streams.sent.fetch_add(1, Ordering::Relaxed);
        }
        Ok(match texts.as_slice() {
            [] => None,
            // Mostly there is one, which all who look have in common.
            [text] => Some(text.clone()),
            texts => Some(Bytes::from(texts.concat())),
        })
    }

    fn snapshot(&mut self) -> Result<Bytes, Error> {
        let LiveSnapshot { number, changes } = self.streams.board.snapshot();
        // How devices are is asked of themselves, where they can be: a change of it may not have been told yet.
        let devices = self.health.as_ref().map(HealthBoard::all);
        let told: Vec<LiveChange> =
            devices.iter().flatten().map(|device| LiveChange::Health { device: device.clone() }).collect();
        let is_kept = |change: &&LiveChange| devices.is_none() || !matches!(change, LiveChange::Health { .. });
        let changes = changes.iter().map(|change| &**change).filter(is_kept).chain(&told).collect();
        let view = SnapshotView { number, at: self.clock.now(), shop: &self.shop, changes };
        let text = self.streams.event(number, "snapshot", &view)?;
        self.at = Some(number);
        Ok(Bytes::from(text))
    }
}

/// Writes until the reader goes, the server ends, or it is time to show the token again.
async fn run(mut reader: Reader, sender: mpsc::Sender<Bytes>, closing: Option<Closing>, place: OwnedSemaphorePermit) {
    let mut woken = reader.streams.subscribe();
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
        let text = match reader.next() {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(%error, "a live stream ends");
                break;
            }
        };
        let text = match text {
            Some(text) => text,
            None => tokio::select! {
                biased;
                () = &mut end => break,
                changed = woken.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => break,
                },
                _ = beats.tick() => Bytes::from_static(BEAT.as_bytes()),
            },
        };
        // Whoever does not read is waited for here, and by nobody else.
        tokio::select! {
            biased;
            () = &mut end => break,
            sent = sender.send(text) => if sent.is_err() { break },
        }
        beats.reset();
    }
    drop(place);
}

impl Stream {
    /// What comes out of this channel, until nobody holds its other end.
    pub(super) fn new(parts: mpsc::Receiver<Bytes>) -> Self {
        Stream(parts)
    }
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl Output for Stream {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let mut reply = Reply::streamed(EVENTS, Body::new(self));
        reply.headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")));
        reply.headers.push((HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")));
        Ok(reply)
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        let (snapshot, change) =
            (generator.subschema_for::<SnapshotView<'_>>(), generator.subschema_for::<LiveChange>());
        let text = "Server-sent events. `snapshot` comes first, then `people`, `shelf`, `carts`, `receipt`, `truth` and `health`, \
                    and of a recording that is watched `replay`, each with the data that is described under its name.";
        let changes = json_schema!({
            "snapshot": snapshot, "people": change, "shelf": change, "carts": change, "receipt": change, "truth": change,
            "health": change, "replay": change,
        });
        vec![(EVENTS, json_schema!({ "type": "string", "description": text, "x-events": changes }))]
    }
}

/// `GET /v1/live`
pub(super) fn watch(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Stream, Problem> {
    let Some(streams) = call.api.streams.clone() else {
        return Err(Problem::new(Sort::Missing, "no shop is open in this server, so nothing happens here"));
    };
    let place = streams.place(call.class())?;
    let seen = header_text(call.headers, &LAST_SEEN).and_then(|id| streams.seen(id.trim()));
    let shop = call.api.till().shop().name().to_owned();
    let reader = Reader { streams, health: call.api.health.clone(), clock: call.api.clock.clone(), shop, at: seen };
    let closing = call.closing.cloned();
    if let Some(closing) = &closing {
        closing.streamed.store(true, Ordering::Relaxed);
    }
    // One part is on its way while the next one is made: whoever reads slowly holds no more than that.
    let (sender, receiver) = mpsc::channel(1);
    tokio::runtime::Handle::current().spawn(run(reader, sender, closing, place));
    Ok(Stream::new(receiver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_once_for_all_who_look() {
        let streams = Streams::new(LiveBoard::default(), [1, 2, 3, 4]);
        let change = LiveChange::People { at: ShopTime::from_nanos(1_780_000_000_000_000_000), people: Vec::new() };
        let told = |number| streams.told(number, &change).unwrap();
        let first = told(7);
        assert!(first.starts_with(b"id: 01020304.7\nevent: people\ndata: {"), "{first:?}");
        assert_eq!(told(7).as_ptr(), first.as_ptr());
        let last = (8..200).map(told).last().unwrap();
        assert_eq!(told(199).as_ptr(), last.as_ptr());
        let kept = || streams.texts.lock().unwrap().iter().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(kept(), (136..200).collect::<Vec<_>>());
        // Whoever is far behind gets the same, and takes nobody's place.
        assert_eq!(told(7), first);
        assert_eq!(kept(), (136..200).collect::<Vec<_>>());
    }
}
