//! What was learned of a shop, for commands that are told where it is.

use std::path::Path;

use crate::base::Result;
use crate::learned::{Learned, door_lines, names_no_door};
use crate::shop::Shop;
use crate::tracking::LearnedDoors;

/// What was learned of a shop and still holds, and a sentence for everything that does not; nothing without a file.
///
/// # Errors
/// As [`Learned::read`].
pub(super) fn known(path: Option<&Path>, shop: &Shop) -> Result<(Option<Learned>, Vec<String>)> {
    let Some(path) = path else { return Ok((None, Vec::new())) };
    let (known, forgotten) = Learned::read(path, shop)?.fitted(shop);
    let forgotten = forgotten.into_iter().map(|what| format!("forgotten: {what}"));
    Ok((Some(known), forgotten.collect()))
}

/// The doors that were learned of a shop that names none.
pub(super) fn doors(shop: &Shop, doors: &LearnedDoors) -> String {
    let lines = door_lines(doors);
    if lines.is_empty() || !names_no_door(shop) {
        return String::new();
    }
    let mut text = "\nthe shop names no entrance and no exit; learned:\n".to_owned();
    lines.iter().for_each(|line| text += &format!("  {line}\n"));
    text
}

/// What is to be said of a shop that leaves it to people to show its doors.
pub(super) fn doors_remark(shop: &Shop) -> Option<String> {
    (names_no_door(shop) && shop.room().is_none()).then(|| {
        "the shop names no zone of the kind entrance or exit and no [room]: doors are learned while it is open, and until then \
         somebody who comes in may be taken for somebody who was lost from sight"
            .to_owned()
    })
}
