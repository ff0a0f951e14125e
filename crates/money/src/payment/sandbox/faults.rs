//! What goes wrong, and how often: drawn from a seed, separately for every order and attempt, so that the order in which
//! threads come changes nothing.

use rand::RngExt;

use super::books::Ruling;
use super::entry::Outcome;
use crate::base::rng::{Dice, dice};
use crate::base::{Span, TransferId};
use crate::facts::{Order, Task};

/// How often what goes wrong. Every number is a probability from 0 to 1; [`Faults::default`] lets nothing go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The same seed lets the same go wrong.
    pub seed: u64,
    /// A hold or a charge is declined.
    pub decline: f64,
    /// A capture of a hold is declined.
    pub decline_capture: f64,
    /// A refund is declined.
    pub decline_refund: f64,
    /// A call is lost on its way: nothing was done, and the caller cannot know.
    pub timeout_before: f64,
    /// The money moved, and the answer was lost on its way.
    pub timeout_after: f64,
    /// A call is turned away.
    pub unavailable: f64,
    /// An order is accepted and becomes final only later.
    pub pending: f64,
    /// A notice is never delivered.
    pub lose_notices: f64,
    /// A notice is delivered twice.
    pub duplicate_notices: f64,
    /// A notice is held back, by up to a minute, so that later ones overtake it.
    pub reorder_notices: f64,
}

/// How long a notice is held back at most.
const HELD_BACK_SPAN_MAX: Span = Span::from_millis(60_000);

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives, and so does its answer.
    Carried,
    /// It is turned away.
    Unavailable,
    /// It never arrives.
    LostBefore,
    /// It arrives, its answer does not.
    LostAfter,
}

impl Faults {
    /// What becomes of the `attempt`th call about an order.
    pub(super) fn fate(&self, attempt: u32, order: TransferId) -> Fate {
        let mut dice = self.dice("call", order, attempt);
        // All are thrown each time, so that one probability does not shift the others.
        let drawn =
            [self.unavailable, self.timeout_before, self.timeout_after].map(|chance| happens(&mut dice, chance));
        match drawn {
            [true, ..] => Fate::Unavailable,
            [_, true, _] => Fate::LostBefore,
            [.., true] => Fate::LostAfter,
            _ => Fate::Carried,
        }
    }

    /// What the faults make of an order that would be done at once; `None` where they leave it alone.
    pub(super) fn ruling(&self, order: &Order) -> Option<Ruling> {
        let mut dice = self.dice("order", order.id, 0);
        let decline = match order.task {
            Task::Authorise | Task::Charge => self.decline,
            Task::Capture { .. } => self.decline_capture,
            Task::Refund { .. } => self.decline_refund,
            Task::Void { .. } => return None,
        };
        let (declined, pending) = (happens(&mut dice, decline), happens(&mut dice, self.pending));
        let outcome = match declined {
            true => Outcome::Declined { code: "generic_decline".to_owned(), wants_shopper: false },
            false => Outcome::Done,
        };
        (declined || pending).then_some(Ruling::Enter(outcome, pending))
    }

    /// How often the notice of an order is delivered, and how much later than it could be.
    pub(super) fn delivery(&self, order: TransferId) -> (usize, Span) {
        let mut dice = self.dice("notice", order, 0);
        let [lost, doubled, held] =
            [self.lose_notices, self.duplicate_notices, self.reorder_notices].map(|chance| happens(&mut dice, chance));
        let span = dice.random_range(0..=HELD_BACK_SPAN_MAX.as_nanos());
        let copies = if lost { 0 } else { 1 + usize::from(doubled) };
        (copies, if held { Span::from_nanos(span) } else { Span::ZERO })
    }

    fn dice(&self, purpose: &str, order: TransferId, attempt: u32) -> Dice {
        dice(self.seed, &format!("sandbox/{purpose}/{order}/{attempt}"))
    }
}

fn happens(dice: &mut Dice, chance: f64) -> bool {
    dice.random::<f64>() < chance
}
