//! Connections: accepted up to a limit, read with time limits, and finished before the server ends. It gives the router what
//! is a request, and answers whatever is not with a problem document too. It never lets one that says nothing keep the
//! place of one that does.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::access::origin;
use super::closing::{Closing, is_cut};
use super::enter::duration;
use super::problem::{Problem, Sort};
use super::seats::{Seat, Seats};
use super::wire::{Wire, answer};
use crate::base::Span;
use crate::base::limits::{
    CONNECTION_IDLE_SPAN_MAX, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, REQUEST_HEAD_BYTES_MAX,
    REQUEST_HEAD_SPAN_MAX, REQUEST_HEADERS_MAX, REQUEST_SPAN_MAX,
};

/// Pause after the system would not give a connection, for want of file handles, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether something still moves on a connection.
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// How long what is streamed over a connection may still be on its way when the server ends.
const STREAM_END: Duration = Duration::from_secs(5);
/// How long the last words on a connection may take to be heard.
const PARTING: Duration = Duration::from_secs(2);

/// Why a connection is over.
enum End {
    /// The library has nothing more to read, or cannot go on.
    Read(hyper::Result<()>),
    /// Somebody else needs its seat.
    SeatNeeded,
    /// Nothing moved for too long, or what was streamed is not heard.
    Idle,
}

/// Answers what comes in at `listener` until `stop` is over; then lets everybody finish who has begun.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let seats = Seats::new(CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX);
    let (close, closing) = watch::channel(false);
    let (alive, mut ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection was accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match seats.sit(origin(address.ip())) {
            Some(seat) => {
                let attended = attend(stream, address, seat, router.clone(), closing.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    // Whoever goes away in the middle of something is no trouble of ours.
                    let _ = attended.await;
                    drop(alive);
                });
            }
            None => turn_away(&stream, &router).await,
        }
    }
    drop((listener, alive));
    let _ = close.send(true);
    if timeout(duration(REQUEST_SPAN_MAX), ended.recv()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

/// Says that there is no seat. Nobody waits until that is heard.
async fn turn_away(stream: &TcpStream, router: &Router) {
    let problem = Problem::new(Sort::Unavailable, "too many connections; come again").retry_after(Span::ZERO);
    let answer = answer(router.clone(), problem).await;
    if let Err(error) = stream.try_write(&answer) {
        tracing::debug!(%error, "nobody heard that there are too many connections");
    }
}

/// Answers what comes over one connection.
async fn attend(
    stream: TcpStream,
    address: SocketAddr,
    seat: Seat,
    router: Router,
    mut closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let (wire, moved) = Wire::new(stream);
    let peer = seat.peer(origin(address.ip()));
    let told = Closing { told: closing.clone(), streamed: Arc::new(AtomicBool::new(false)) };
    let cut = is_cut(told.clone(), STREAM_END);
    let routed = TowerToHyperService::new(router.clone());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(told.clone());
        Box::pin(routed.call(request))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(duration(REQUEST_HEAD_SPAN_MAX))
        // What is too large was refused before it comes here.
        .max_buf_size(2 * REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX)
        // Who has asked and shuts their side is answered; and what stands behind a request does not take its answer away.
        .half_close(true)
        .serve_connection(wire, service);
    let (mut still, mut cut) = (pin!(is_still(&moved)), pin!(cut));
    let mut said = false;
    let end = loop {
        tokio::select! {
            end = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break End::Read(end),
            () = seat.is_needed() => break End::SeatNeeded,
            () = &mut still => break End::Idle,
            () = &mut cut => break End::Idle,
            _ = closing.changed(), if !said => {
                said = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let mut wire = connection.into_parts().io;
    let parting = async {
        match end {
            // An answer may be on its way already, so nothing is said; but it is counted like one.
            End::SeatNeeded => {
                let problem = Problem::new(Sort::Unavailable, "its seat was needed by another connection");
                drop(answer(router, problem).await);
                Ok(())
            }
            End::Idle => Ok(()),
            End::Read(end) => match why(&mut wire, &end) {
                Some(problem) => wire.refuse(router, problem).await,
                None => wire.end().await,
            },
        }
    };
    timeout(PARTING, parting).await.unwrap_or(Ok(()))
}

/// What is still to be said about the end of a connection.
fn why(wire: &mut Wire, end: &hyper::Result<()>) -> Option<Problem> {
    let late = || Problem::new(Sort::Slow, "the head of the request did not arrive in time");
    let is_late = matches!(end, Err(error) if error.is_timeout()) && wire.is_within_head();
    let refusal = wire.refusal().filter(|_| end.is_ok());
    if is_late { Some(late()) } else { refusal }
}

/// Is over when nothing moves any more.
async fn is_still(moved: &Arc<AtomicU64>) {
    let looks =
        u64::try_from(CONNECTION_IDLE_SPAN_MAX.as_nanos()).unwrap_or(0).div_euclid(1_000_000_000) / IDLE_LOOK.as_secs();
    let (mut ticks, mut before, mut without) = (interval(IDLE_LOOK), 0, 0);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while without < looks {
        ticks.tick().await;
        let now = moved.load(Ordering::Relaxed);
        without = if now == before { without + 1 } else { 0 };
        before = now;
    }
}
