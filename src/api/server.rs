//! Connections: accepted up to a limit, read with a time limit, and finished before the server ends.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::enter::duration;
use crate::base::limits::{
    CONNECTIONS_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_SPAN_MAX, REQUEST_HEADERS_MAX, REQUEST_SPAN_MAX,
};

/// Pause after the system would not give a connection, for want of file handles, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers what comes in at `listener` until `stop` is over; then lets everybody finish who has begun.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, address, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection was accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(duration(REQUEST_HEAD_SPAN_MAX))
            .max_buf_size(REQUEST_HEAD_BYTES_MAX)
            .max_headers(REQUEST_HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone().layer(Extension(address))));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // Whoever goes away in the middle of something is no trouble of ours.
            let _ = watched.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(duration(REQUEST_SPAN_MAX), graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, place))
}
