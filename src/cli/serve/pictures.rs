//! When the pictures of an open shop are over.

use std::sync::Mutex;

use crate::album::Album;
use crate::base::{ShopTime, Span};
use crate::ports::KeptPictures as _;
use crate::till::{Till, lock};

/// How much longer than pictures are kept visits may have been over that are asked for: clocks, and stays of a day.
const STAY_SPAN_MAX: Span = Span::from_millis(2 * 86_400_000);

/// Deletes the pictures whose time is over and, where the book is asked, those of visits whose evidence was deleted: what a
/// process had no time for any more that was ended in between is found here.
pub(super) fn forget(album: &Album, asked: Option<&Mutex<Till>>, now: ShopTime) {
    let since = now - album.rule().map_or(Span::ZERO, |rule| rule.kept) - STAY_SPAN_MAX;
    let gone = match asked.map(|till| lock(till).forgotten(since)).transpose() {
        Ok(visits) => visits.into_iter().flatten().collect(),
        Err(error) => {
            tracing::warn!(%error, "the book does not say whose pictures are over; those whose time is over are deleted");
            Default::default()
        }
    };
    match album.forget(now, &gone) {
        Ok(0) => {}
        Ok(strips) => tracing::info!(strips, "pictures were deleted"),
        Err(error) => tracing::warn!(%error, "pictures could not be deleted; it is tried again"),
    }
}
