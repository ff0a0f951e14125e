//! The plan of an open shop: which threads there are, what lies between them, and what happens when that is full.
//!
//! Threads start from the core outwards, so that nothing speaks before somebody listens: core, vision, cameras, MQTT, HTTP. They
//! stop the other way round, so that nothing is lost on the way: HTTP and MQTT take no more, cameras end, vision looks at what it
//! holds, the core takes what it was given, writes the book and ends the recording. Who is inside stays inside.
//!
//! Beside the core a thread looks whether it waits for its book or its journal for too long, and tells, for the core cannot.

use crate::base::limits::{INTAKE_FACTS_MAX, LIVE_CHANGES_MAX, LIVE_CLOSINGS_MAX};

/// What a queue does when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Who sends waits, and is not acknowledged, so that it sends again after a failure.
    Wait,
    /// A newer one takes the place of the one that waits, and that is counted.
    Replace,
    /// The oldest is lost for a reader who is slow; the reader learns it and begins again from a snapshot.
    LoseOldest,
}

/// A queue between two threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: &'static str,
    /// Who puts into it.
    pub from: &'static str,
    /// Who takes out of it.
    pub to: &'static str,
    /// What it holds.
    pub of: &'static str,
    /// How many.
    pub holds: usize,
    /// What happens when that many wait.
    pub when_full: WhenFull,
}

/// All queues, in the order in which facts pass them.
pub const PLAN: [Queue; 4] = [
    Queue {
        name: "frames",
        from: "cameras",
        to: "vision",
        of: "the newest frame of each camera",
        holds: 1,
        when_full: WhenFull::Replace,
    },
    Queue {
        name: "intake",
        from: "vision, MQTT, HTTP gates",
        to: "core",
        of: "facts",
        holds: INTAKE_FACTS_MAX,
        when_full: WhenFull::Wait,
    },
    Queue {
        name: "closings",
        from: "core",
        to: "book",
        of: "receipts, while the database cannot be used",
        holds: LIVE_CLOSINGS_MAX,
        when_full: WhenFull::Wait,
    },
    Queue {
        name: "changes",
        from: "core",
        to: "screens",
        of: "changes that are shown",
        holds: LIVE_CHANGES_MAX,
        when_full: WhenFull::LoseOldest,
    },
];
