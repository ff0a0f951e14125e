//! How facts come from devices to the core of an open shop, and how the core tells that a fact is kept.

use std::fmt;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::facts::Fact;

/// A ground fact on its way to the core.
#[derive(Debug)]
pub struct Delivery {
    /// The fact, its `arrived` set by whoever received it.
    pub fact: Fact,
    /// Who waits until it is kept.
    pub kept: Kept,
}

/// Is told once a fact is on disk, so that whoever sent it need not send it again. Dropped without that, it was not kept.
#[derive(Default)]
pub struct Kept(Option<Box<dyn FnOnce() + Send>>);

impl Kept {
    /// Nobody waits.
    pub const NOBODY: Kept = Kept(None);

    /// Calls this when the fact is kept; it must not block.
    pub fn then(call: impl FnOnce() + Send + 'static) -> Self {
        Kept(Some(Box::new(call)))
    }

    /// Tells it.
    pub fn tell(self) {
        if let Some(call) = self.0 {
            call();
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "somebody waits" } else { "nobody waits" })
    }
}

/// Where devices put facts. When it is full facts wait, in the order in which they came, and are not acknowledged meanwhile.
#[derive(Clone, Debug)]
pub struct Intake(Sender<Delivery>);

impl Intake {
    /// An intake that holds so many facts, and where they come out.
    pub fn bounded(facts: usize) -> (Intake, Receiver<Delivery>) {
        let (sender, receiver) = bounded(facts);
        (Intake(sender), receiver)
    }

    /// Gives a fact, and waits while there is no room; `false` when the shop is closed and nobody takes it any more.
    pub fn give(&self, delivery: Delivery) -> bool {
        self.0.send(delivery).is_ok()
    }

    /// Gives a fact if there is room; `false` where there is none, or nobody takes it any more.
    pub fn offer(&self, delivery: Delivery) -> bool {
        self.0.try_send(delivery).is_ok()
    }

    /// How many facts wait.
    pub fn waiting(&self) -> usize {
        self.0.len()
    }
}
