//! What every stage tells about itself, under one vocabulary: what came, what went, what was dropped and why, what waits and
//! for how long. These are numbers and names; nobody decides anything by them.

use std::collections::BTreeMap;

use super::Span;

/// The stages, from what devices say to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Frames to what is seen in them.
    Eyes,
    /// What is seen to people on the floor.
    Sight,
    /// Facts into the order of the time they were true.
    Reorder,
    /// Plates to shelf events.
    Shelf,
    /// Tracks to visits.
    Stitcher,
    /// Visits and changes of weight to who took what.
    Fusion,
    /// What was taken to receipts.
    Cart,
    /// Scans at gates to the visits that came with them.
    Identity,
    /// What ended into the book.
    Book,
}

/// Why something was not used, by how much of what came that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Older than what was given or decided by then.
    Late,
    /// The same was said before.
    Duplicate,
    /// The same source had said something else for the same instant.
    Conflict,
    /// Far ahead of all others, with nothing to confirm it: a clock has jumped.
    ClockJump,
    /// What is in it is of another time than its stamp.
    WrongTime,
    /// It makes no sense in itself, or cannot be decoded.
    Malformed,
    /// A picture that does not show the view which was calibrated.
    WrongSize,
    /// Of a shelf or a camera that the shop does not have.
    UnknownSource,
    /// Parts for a time that was taken already.
    Stale,
    /// Columns of plates that the shop does not have.
    UnknownPlate,
    /// People beyond what a frame may hold.
    Excess,
    /// What would fit into the gaps between those that came.
    Missing,
    /// Parts of the input that could not be read.
    Unreadable,
    /// Of a kind that is kept and shown, and from which nothing is concluded.
    Unused,
}

/// How much of what a stage receives a [`DropReason`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Whole inputs, which were received and not used.
    Whole,
    /// Parts of inputs whose rest was used.
    Part,
    /// What never came, and is not among what was received.
    Unreceived,
}

/// What a stage has done since it began, and what waits in it. A stage that is written into checkpoints goes on counting where
/// the checkpoint was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageReport {
    /// Which stage.
    pub stage: Stage,
    /// Inputs that came.
    pub received: u64,
    /// Outputs that were given.
    pub sent: u64,
    /// What was dropped, by every reason that this stage has, also where nothing was.
    pub dropped: BTreeMap<DropReason, u64>,
    /// How many wait inside.
    pub depth: u64,
    /// How far the oldest that waits is behind the newest that came, by the time of the shop; zero where nothing waits.
    pub delay: Span,
}

/// How often what screens showed turned out to be otherwise, since the shop was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneReport {
    /// Times that the lane for screens was set back to the one that decides.
    pub resets: u64,
    /// Carts that were compared then, and when a visit was over.
    pub compared: u64,
    /// Of these, carts that were shown otherwise.
    pub corrected: u64,
    /// Lines that were not shown, were shown for nothing, or with another quantity.
    pub lines: u64,
    /// Visits that were over because somebody walked out through an exit, and not for not being seen.
    pub went_out: u64,
    /// Of these, those about which something else was known later: a person looks at them.
    pub revised: u64,
}

/// A stage that tells about itself.
pub trait Reports {
    /// What it has done so far.
    fn report(&self) -> StageReport;
}

impl Stage {
    /// All of them, from what devices say to the book.
    pub const ALL: [Stage; 9] = [
        Stage::Eyes,
        Stage::Sight,
        Stage::Reorder,
        Stage::Shelf,
        Stage::Stitcher,
        Stage::Fusion,
        Stage::Cart,
        Stage::Identity,
        Stage::Book,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Eyes => "eyes",
            Stage::Sight => "sight",
            Stage::Reorder => "reorder",
            Stage::Shelf => "shelf",
            Stage::Stitcher => "stitcher",
            Stage::Fusion => "fusion",
            Stage::Cart => "cart",
            Stage::Identity => "identity",
            Stage::Book => "book",
        }
    }

    /// Whether each input that it uses becomes one output; the outputs of others are of another kind and number.
    pub const fn passes_on(self) -> bool {
        match self {
            Stage::Eyes | Stage::Reorder | Stage::Book => true,
            Stage::Sight | Stage::Shelf | Stage::Stitcher | Stage::Fusion | Stage::Cart | Stage::Identity => false,
        }
    }
}

impl DropReason {
    /// All of them.
    pub const ALL: [DropReason; 14] = [
        DropReason::Late,
        DropReason::Duplicate,
        DropReason::Conflict,
        DropReason::ClockJump,
        DropReason::WrongTime,
        DropReason::Malformed,
        DropReason::WrongSize,
        DropReason::UnknownSource,
        DropReason::Stale,
        DropReason::UnknownPlate,
        DropReason::Excess,
        DropReason::Missing,
        DropReason::Unreadable,
        DropReason::Unused,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            DropReason::Late => "late",
            DropReason::Duplicate => "duplicate",
            DropReason::Conflict => "conflict",
            DropReason::ClockJump => "clock_jump",
            DropReason::WrongTime => "wrong_time",
            DropReason::Malformed => "malformed",
            DropReason::WrongSize => "wrong_size",
            DropReason::UnknownSource => "unknown_source",
            DropReason::Stale => "stale",
            DropReason::UnknownPlate => "unknown_plate",
            DropReason::Excess => "excess",
            DropReason::Missing => "missing",
            DropReason::Unreadable => "unreadable",
            DropReason::Unused => "unused",
        }
    }

    /// How much of what came it is about.
    pub const fn extent(self) -> Extent {
        match self {
            DropReason::Late
            | DropReason::Duplicate
            | DropReason::Conflict
            | DropReason::ClockJump
            | DropReason::WrongTime
            | DropReason::Malformed
            | DropReason::WrongSize
            | DropReason::UnknownSource
            | DropReason::Unused => Extent::Whole,
            DropReason::Stale | DropReason::UnknownPlate | DropReason::Excess => Extent::Part,
            DropReason::Missing | DropReason::Unreadable => Extent::Unreceived,
        }
    }
}

impl StageReport {
    /// A stage that has received and sent so much, and drops nothing.
    pub fn new(stage: Stage, received: u64, sent: u64) -> Self {
        StageReport { stage, received, sent, dropped: BTreeMap::new(), depth: 0, delay: Span::ZERO }
    }

    /// The same, with so many dropped for this reason besides.
    #[must_use]
    pub fn dropping(mut self, reason: DropReason, count: u64) -> Self {
        *self.dropped.entry(reason).or_insert(0) += count;
        self
    }

    /// The same, with so many that wait, the oldest of them so far behind the newest that came.
    #[must_use]
    pub fn holding(self, depth: usize, delay: Span) -> Self {
        let delay = if depth == 0 { Span::ZERO } else { delay.max(Span::ZERO) };
        StageReport { depth: depth as u64, delay, ..self }
    }

    /// How many inputs were dropped as a whole.
    pub fn dropped_whole(&self) -> u64 {
        self.dropped.iter().filter(|(reason, _)| reason.extent() == Extent::Whole).map(|(_, count)| count).sum()
    }

    /// What does not add up about it, if anything. Of a stage that passes on, every input was sent, dropped or waits; no other
    /// drops more inputs than came. Where nothing waits, nothing is behind.
    pub fn fault(&self) -> Option<String> {
        let StageReport { stage, received, sent, dropped, depth, delay } = self;
        let whole = self.dropped_whole();
        let adds_up = if stage.passes_on() { sent + whole + depth == *received } else { whole <= *received };
        let waits = if *depth == 0 { *delay == Span::ZERO } else { Span::ZERO <= *delay };
        (!adds_up || !waits).then(|| {
            let name = stage.name();
            format!("{name}: {received} received, {sent} sent, {dropped:?} dropped, {depth} wait, {delay} behind")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DropReason, Span, Stage, StageReport};

    #[test]
    fn names_are_distinct_and_plain() {
        let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let stages: BTreeSet<&str> = Stage::ALL.map(Stage::name).into_iter().filter(plain).collect();
        let reasons: BTreeSet<&str> = DropReason::ALL.map(DropReason::name).into_iter().filter(plain).collect();
        assert_eq!((stages.len(), reasons.len()), (Stage::ALL.len(), DropReason::ALL.len()));
    }

    #[test]
    fn what_does_not_add_up_is_told() {
        let report = |received, sent| StageReport::new(Stage::Reorder, received, sent).dropping(DropReason::Late, 2);
        assert_eq!(report(9, 4).holding(3, Span::from_millis(5)).fault(), None);
        assert!(report(9, 5).holding(3, Span::from_millis(5)).fault().unwrap().starts_with("reorder: 9 received"));
        let shelf = StageReport::new(Stage::Shelf, 3, 70).dropping(DropReason::Stale, 9);
        assert_eq!(shelf.clone().dropping(DropReason::Malformed, 3).fault(), None, "parts and outputs are not counted");
        assert!(shelf.dropping(DropReason::Malformed, 4).fault().is_some());
    }
}
