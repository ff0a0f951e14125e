//! The end of the server, as those learn of it who would never end by themselves. It takes word that the server ends, and lets
//! them wait for it. It ends nobody by force.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The connection's end is told here to whoever is streaming over it.
#[derive(Clone)]
pub(super) struct Closing {
    /// Whether the server is ending.
    pub(super) told: watch::Receiver<bool>,
    /// Whether something was streamed over this connection.
    pub(super) streamed: Arc<AtomicBool>,
}

/// Is over when the server ends.
pub(super) async fn is_closing(closing: Option<Closing>) {
    let told = match closing {
        Some(mut closing) => closing.told.wait_for(|told| *told).await.is_ok(),
        None => false,
    };
    // Without a server around it a stream ends with its reader.
    if !told {
        std::future::pending::<()>().await;
    }
}

/// Is over some time after the server began to end, where something was streamed over the connection and is not heard.
pub(super) async fn is_cut(closing: Closing, wait: Duration) {
    let streamed = closing.streamed.clone();
    is_closing(Some(closing)).await;
    sleep(wait).await;
    if !streamed.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
