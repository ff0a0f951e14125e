//! The plan of an open shop: which threads there are, what lies between them, and what happens when that is full.
//!
//! Threads start from the core outwards, so that nothing speaks before somebody listens: core, vision, cameras, MQTT, HTTP. They
//! stop the other way round, so that nothing is lost on the way: HTTP and MQTT take no more, cameras end, vision looks at what it
//! holds, the core takes what it was given, writes the book and ends the recording. Who is inside stays inside.
//!
//! Beside the core a thread looks whether it waits for its book or its journal for too long, and tells, for the core cannot.

use crate::album::REACHES_MAX;
use crate::base::limits::{
    GATE_ASKS_MAX, INTAKE_FACTS_MAX, LIVE_CHANGES_MAX, LIVE_CLOSINGS_MAX, MQTT_HELD_BYTES_MAX, MQTT_HELD_MESSAGES_MAX,
    MQTT_SAYINGS_MAX, SPANS_MAX,
};

/// What a queue does when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Who sends waits, and is not acknowledged, so that it sends again after a failure.
    Wait,
    /// A newer one takes the place of the one that waits, and that is counted.
    Replace,
    /// The connection is ended, and made again when half of them are taken: the broker sends again what was not acknowledged.
    Disconnect,
    /// The newest is refused, and that is counted; who sends it is told.
    Refuse,
    /// The newest is dropped, and that is counted.
    Drop,
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
    /// How many bytes of them, where that is bounded too.
    pub holds_bytes: Option<usize>,
    /// What happens when that many wait.
    pub when_full: WhenFull,
}

/// All queues, in the order in which facts pass them.
pub const PLAN: [Queue; 9] = [
    Queue {
        name: "frames",
        from: "cameras",
        to: "vision",
        of: "the newest frame of each camera",
        holds: 1,
        holds_bytes: None,
        when_full: WhenFull::Replace,
    },
    Queue {
        name: "messages",
        from: "the connection to the broker",
        to: "who makes facts of them",
        of: "messages; one such queue for plain ones, one for Sparkplug",
        holds: MQTT_HELD_MESSAGES_MAX,
        holds_bytes: Some(MQTT_HELD_BYTES_MAX),
        when_full: WhenFull::Disconnect,
    },
    Queue {
        name: "questions",
        from: "MQTT",
        to: "HTTP server",
        of: "questions of gates",
        holds: GATE_ASKS_MAX,
        holds_bytes: None,
        when_full: WhenFull::Refuse,
    },
    Queue {
        name: "intake",
        from: "vision, MQTT, HTTP gates",
        to: "core",
        of: "facts",
        holds: INTAKE_FACTS_MAX,
        holds_bytes: None,
        when_full: WhenFull::Wait,
    },
    Queue {
        name: "closings",
        from: "core",
        to: "book",
        of: "receipts, while the database cannot be used",
        holds: LIVE_CLOSINGS_MAX,
        holds_bytes: None,
        when_full: WhenFull::Wait,
    },
    Queue {
        name: "changes",
        from: "core",
        to: "screens",
        of: "changes that are shown",
        holds: LIVE_CHANGES_MAX,
        holds_bytes: None,
        when_full: WhenFull::LoseOldest,
    },
    Queue {
        name: "reaches",
        from: "core",
        to: "whoever keeps pictures",
        of: "changes on shelves",
        holds: REACHES_MAX,
        holds_bytes: None,
        when_full: WhenFull::Drop,
    },
    Queue {
        name: "sayings",
        from: "who takes messages, HTTP server",
        to: "the connection to the broker",
        of: "what the shop says over MQTT; one such queue for plain messages, one for Sparkplug",
        holds: MQTT_SAYINGS_MAX,
        holds_bytes: None,
        when_full: WhenFull::Refuse,
    },
    Queue {
        name: "spans",
        from: "core",
        to: "collector of traces",
        of: "spans of visits, while the collector is slow",
        holds: SPANS_MAX,
        holds_bytes: None,
        when_full: WhenFull::Drop,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_queue_with_what_it_holds() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ARCHITECTURE.md")).unwrap();
        for Queue { name, from, to, holds, holds_bytes, .. } in PLAN {
            let begins = format!("| `{name}` | {from} | {to} | ");
            let row = page.lines().find_map(|line| line.strip_prefix(&begins));
            let row = row.unwrap_or_else(|| panic!("no row begins with {begins}"));
            let number = match (holds / 1_000, holds % 1_000) {
                (0, ones) => ones.to_string(),
                (thousands, ones) => format!("{thousands},{ones:03}"),
            };
            assert!(holds == 1 || row.starts_with(&format!("{number} ")), "{name}: {row}");
            let mebibytes = holds_bytes.map(|bytes| format!("{} MiB", bytes >> 20));
            assert!(mebibytes.is_none_or(|bytes| row.contains(&bytes)), "{name}: {row}");
        }
    }
}
