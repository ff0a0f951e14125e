//! What an open shop learns, kept beside its book: read when it opens with nobody inside, written once a minute after the book, and when
//! it closes. A file that cannot be read or written is told and costs what it held, never a receipt.

use std::path::PathBuf;
use std::sync::Arc;

use super::shop::{Began, Live};
use crate::base::{ShopTime, Span};
use crate::learned::{self, Learned};
use crate::shop::Shop;

/// How often it is written.
const PERIOD: Span = Span::from_millis(60_000);

/// The name of the copy beside a recording.
const RECORDED: &str = "begun.learned.toml";

/// What was known when the shop opened, and where what is learned is kept.
#[derive(Default)]
pub(super) struct Learning {
    /// None where nothing is kept.
    path: Option<PathBuf>,
    before: Option<Learned>,
    written: Option<ShopTime>,
    is_refused: bool,
}

impl Learning {
    /// Reads what lies at a path, for a shop that opens now, and tells what of it no longer holds. `recorded` is the folder of the shop's
    /// recording: a shop that begins with what it knew leaves a copy there, since its receipts rest on it.
    pub(super) fn open(
        (path, recorded): (Option<PathBuf>, Option<PathBuf>),
        shop: &Shop,
        (live, began): (&mut Live, &Began),
        now: ShopTime,
    ) -> Self {
        let Some(path) = path else { return Learning::default() };
        let (before, told) = learned::open(&path, shop);
        for what in told {
            tracing::warn!(file = %path.display(), "{what}");
        }
        // Whoever goes on from a checkpoint knows it already.
        if let Some(known) = before.as_ref().filter(|_| !matches!(began, Began::Resumed { .. })) {
            live.recall(&known.knowledge());
            tracing::info!(file = %path.display(), "the shop begins with what it has learned before");
            let copy = recorded.map(|folder| folder.join(RECORDED)).filter(|copy| !copy.exists());
            if let Some(Err(error)) = copy.map(|copy| known.write(&copy)) {
                tracing::warn!(%error, "what the shop begins with could not be put beside its recording");
            }
        }
        Learning { path: Some(path), before, written: Some(now), is_refused: false }
    }

    /// The book was written: so is this, where it is time.
    pub(super) fn keep(&mut self, live: &Live, shop: &Arc<Shop>, now: ShopTime) {
        if self.written.is_some_and(|written| PERIOD <= (now - written).abs()) {
            self.write(live, shop, now);
        }
    }

    /// Writes it now.
    pub(super) fn write(&mut self, live: &Live, shop: &Arc<Shop>, now: ShopTime) {
        let Some(path) = &self.path else { return };
        self.written = Some(now);
        let learned = Learned::of(shop, self.before.as_ref(), &live.engine().learned(), now);
        match learned.write(path) {
            Ok(()) if std::mem::take(&mut self.is_refused) => tracing::info!("what the shop learns is written again"),
            Ok(()) => {}
            Err(error) => {
                if !std::mem::replace(&mut self.is_refused, true) {
                    tracing::warn!(%error, "what the shop learns cannot be written");
                }
            }
        }
    }
}
