//! Whether somebody seen after a hole is who they seem to be: by where they can have walked, and by their body.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::body::Body;
use super::track::Track;
use crate::base::{Prob, ShopTime, TrackId, VisitId};
use crate::geometry::{Floor, Point};

/// What is to be said of a visit that begins inside the shop after a hole.
pub(super) const APPEARED: &str = "first seen inside the shop after aisle was stopped";
/// Sights after a hole on which a body is compared: two seconds of frames.
const COMPARED_SIGHTS: u32 = 30;
/// How much more unlike than chance two bodies must be that are not one person's: a sum of squared standard scores above
/// the number of measures.
const UNLIKE_MIN: f64 = 14.0;

/// Why a person has to look at a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Which.
    pub visit: VisitId,
    /// A part of a sentence.
    pub why: String,
}

/// Two shoppers, or more, of whom it is not certain who is who since they were lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixup {
    /// Who may be taken for one another.
    pub visits: Vec<VisitId>,
    /// Since when.
    pub at: ShopTime,
    /// How probably they are.
    pub chance: Prob,
}

/// A track that is there again after a hole, which is not looked at yet.
pub(super) fn seen_after_hole(track: &mut Track, at: ShopTime, place: Point<Floor>) {
    let gap = at - track.last;
    if !track.reaches(place, gap) {
        let metres = place.distance(track.last_place);
        track.doubts.push(format!("the tracker's number {} was {metres:.1} m away {gap} later", track.id));
    }
    let body = std::mem::take(&mut track.body);
    let before = track.before.take().map_or(body, |(before, _)| before);
    track.before = Some((before, 0));
}

/// Compares once enough has been seen; then the older body, which rests on more, is the one that is known.
pub(super) fn compare_with_before(track: &mut Track) {
    let Some((before, sights)) = &mut track.before else { return };
    *sights += 1;
    if *sights < COMPARED_SIGHTS {
        return;
    }
    if is_unlike(before, &track.body) {
        track.doubts.push(format!("whoever goes on under the tracker's number {} looks different", track.id));
    }
    if let Some((before, _)) = track.before.take() {
        track.body = before;
    }
}

/// Whether two bodies are hardly one person's.
pub(super) fn is_unlike(a: &Body, b: &Body) -> bool {
    let (unlike, measures) = a.unlikeness(b);
    UNLIKE_MIN <= unlike - f64::from(measures)
}

/// Moves what was found out about tracks of visits to the list of doubts.
pub(super) fn gather(tracks: &mut BTreeMap<TrackId, Track>, doubts: &mut Vec<Doubt>) {
    for track in tracks.values_mut() {
        let Some(visit) = track.visit else { continue };
        doubts.extend(std::mem::take(&mut track.doubts).into_iter().map(|why| Doubt { visit, why }));
    }
}
