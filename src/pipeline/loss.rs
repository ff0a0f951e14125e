//! What was lost of the input, in one place: it takes the counters of all stages and gives the sum, its share and a
//! sentence. Whom a loss may have touched is decided by the stages themselves.

use serde::Serialize;

use super::counters::Counters;

/// Facts that came and were not used, and facts that should have come, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Loss {
    /// Facts that came.
    pub received: u64,
    /// Facts that were lost, whyever.
    pub lost: u64,
    /// Which part of the facts that should have come and been used was lost, `0..=1`.
    pub share: f64,
    /// Older than what had been decided by then.
    pub late: u64,
    /// Far ahead of all others, with nothing to confirm it.
    pub leaping: u64,
    /// Something else than the same source had said for the same instant.
    pub conflicting: u64,
    /// Batches whose rows are not of the time on their stamp, and such events of boards.
    pub astray: u64,
    /// Batches that make no sense in themselves.
    pub malformed: u64,
    /// Parts of batches for which samples had been taken already.
    pub stale: u64,
    /// Batches and frames that would fit into the gaps between those that came, without those that came and were dropped.
    pub missing: u64,
    /// Parts of the input that could not be read.
    pub unread: u64,
    /// People beyond what a frame may hold.
    pub people_left_out: u64,
    /// Shelf events of a shelf that the shop does not have.
    pub unknown_shelf: u64,
}

impl Loss {
    /// What the stages have counted.
    pub fn of(counters: &Counters) -> Loss {
        let Counters { reorder, shelf, fusion, .. } = counters;
        let mut loss = Loss {
            received: reorder.received,
            lost: 0,
            share: 0.0,
            late: reorder.dropped_late,
            leaping: reorder.dropped_leap,
            conflicting: reorder.dropped_conflict,
            astray: counters.dropped_astray,
            malformed: shelf.dropped_malformed,
            stale: shelf.dropped_stale,
            missing: shelf.missing + fusion.missing_frames,
            unread: reorder.dropped_unread,
            people_left_out: counters.dropped_people,
            unknown_shelf: fusion.dropped_unknown_shelf,
        };
        // What was dropped or could not be read leaves a gap as well; it is counted once.
        let dropped = loss.late + loss.leaping + loss.conflicting + loss.astray + loss.malformed + loss.unread;
        loss.missing = loss.missing.saturating_sub(dropped);
        loss.lost = loss.parts().iter().map(|(count, _)| count).sum();
        let all = loss.received + loss.missing + loss.unread;
        loss.share = if all == 0 { 0.0 } else { (loss.lost as f64 / all as f64).min(1.0) };
        loss
    }

    /// Everything that was lost, by name.
    fn parts(&self) -> [(u64, &'static str); 10] {
        [
            (self.late, "too late"),
            (self.leaping, "of a time that nothing confirms"),
            (self.conflicting, "in conflict with others of the same source and time"),
            (self.astray, "of another time than they say"),
            (self.malformed, "malformed"),
            (self.stale, "for a time that was taken already"),
            (self.missing, "never came"),
            (self.unread, "unreadable"),
            (self.people_left_out, "people too many in a frame"),
            (self.unknown_shelf, "of an unknown shelf"),
        ]
    }

    /// What was lost in a sentence; `None` where nothing was.
    pub fn sentence(&self) -> Option<String> {
        let named = self.parts().into_iter().filter(|(count, _)| 0 < *count);
        let named: Vec<String> = named.map(|(count, what)| format!("{count} {what}")).collect();
        (!named.is_empty()).then(|| format!("{:.1} % of the input: {}", 100.0 * self.share, named.join(", ")))
    }
}
