//! How gates ask that do not speak HTTP: whoever hears them hands their questions on, and whoever answers is the one who answers over
//! HTTP, by the same rules.

use std::fmt;
use std::sync::Arc;

use crate::base::{Secret, ShopTime};

crate::named_enum! {
    /// What a gate asks.
    pub enum GateQuestion as "question of a gate" {
        /// Whether somebody may come in.
        Enter = "enter",
        /// Whether somebody may leave, and with what.
        Leave = "leave",
        /// That somebody begins a visit who is not enrolled.
        Begin = "begin",
        /// What it should do by itself.
        Rule = "rule",
    }
}

/// A question of a gate.
pub struct GateAsk {
    /// Which gate, as the shop names it.
    pub gate: String,
    /// What the gate calls this question; the same when it is repeated.
    pub id: String,
    /// When the gate asked, by its own clock.
    pub at: ShopTime,
    /// What is asked.
    pub question: GateQuestion,
    /// The gate's own token.
    pub token: Secret<String>,
    /// What it says besides, as JSON; what a shopper shows may be in it.
    pub body: Secret<Vec<u8>>,
    /// Takes the answer: its status as in HTTP, and its body, JSON. It must not block.
    pub answer: Box<dyn FnOnce(u16, Vec<u8>) + Send>,
}

impl fmt::Debug for GateAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateAsk").field("gate", &self.gate).field("question", &self.question).finish_non_exhaustive()
    }
}

/// Takes a question, or gives it back when there is no room.
type Take = dyn Fn(GateAsk) -> Result<(), Box<GateAsk>> + Send + Sync;

/// Where questions of gates are handed on.
#[derive(Clone, Default)]
pub struct GateDesk(Option<Arc<Take>>);

impl GateDesk {
    /// Hands questions to this, which must not block.
    pub fn new(take: impl Fn(GateAsk) -> Result<(), Box<GateAsk>> + Send + Sync + 'static) -> Self {
        GateDesk(Some(Arc::new(take)))
    }

    /// Hands a question on; gives it back when nobody answers questions here, or there is no room for it just now.
    ///
    /// # Errors
    /// The question.
    pub fn ask(&self, ask: GateAsk) -> Result<(), Box<GateAsk>> {
        match &self.0 {
            Some(take) => take(ask),
            None => Err(Box::new(ask)),
        }
    }
}

impl fmt::Debug for GateDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "somebody answers" } else { "nobody answers" })
    }
}
