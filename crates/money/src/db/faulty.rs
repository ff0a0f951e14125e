//! An engine to which things happen: for simulations, and for whoever wants to see how the rest copes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Engine, Failure, FailureKind, Row, Session, Value};

/// When something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// Before a transaction begins.
    Begin,
    /// Before this statement or question.
    Statement(&'a str),
    /// All is said, nothing is kept yet.
    Commit,
    /// All is kept, nobody was told yet.
    Committed,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischance {
    /// It fails in this way. At [`Moment::Committed`] what was done is kept all the same, so only
    /// [`FailureKind::Lost`] is true to life there.
    Fail(FailureKind),
    /// It fails as lost, and so does everything from now on, until [`Life::revive`].
    Die,
}

/// Decides what happens.
pub trait Mischief: Send {
    /// What happens at this moment; `None` for nothing.
    fn strike(&mut self, moment: Moment<'_>) -> Option<Mischance>;
}

impl<F: FnMut(Moment<'_>) -> Option<Mischance> + Send> Mischief for F {
    fn strike(&mut self, moment: Moment<'_>) -> Option<Mischance> {
        self(moment)
    }
}

/// Whether a faulty engine lives; stays with whoever set it up.
#[derive(Clone, Debug)]
pub struct Life(Arc<AtomicBool>);

impl Life {
    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets it answer again. What was committed before it died is there.
    pub fn revive(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// An engine inside of which another one does the work while mischief is had with it.
pub struct Faulty {
    engine: Box<dyn Engine>,
    trouble: Trouble,
}

struct Trouble {
    mischief: Box<dyn Mischief>,
    life: Life,
}

impl Faulty {
    /// Around an engine, such as [`super::Database::into_engine`] gives.
    pub fn new(engine: Box<dyn Engine>, mischief: impl Mischief + 'static) -> Self {
        let life = Life(Arc::new(AtomicBool::new(true)));
        Faulty { engine, trouble: Trouble { mischief: Box::new(mischief), life } }
    }

    /// By which it is seen whether it lives, and made to live again.
    pub fn life(&self) -> Life {
        self.trouble.life.clone()
    }
}

impl Trouble {
    fn meet(&mut self, moment: Moment<'_>) -> Result<(), Failure> {
        if !self.life.is_alive() {
            return Err(Failure::new(FailureKind::Lost, "by mischief: dead"));
        }
        match self.mischief.strike(moment) {
            None => Ok(()),
            Some(Mischance::Fail(kind)) => Err(Failure::new(kind, format!("by mischief, at {moment:?}"))),
            Some(Mischance::Die) => {
                self.life.0.store(false, Ordering::SeqCst);
                Err(Failure::new(FailureKind::Lost, format!("by mischief: died at {moment:?}")))
            }
        }
    }
}

impl Engine for Faulty {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        let trouble = &mut self.trouble;
        trouble.meet(Moment::Begin)?;
        self.engine.transaction(&mut |session| {
            work(&mut Troubled { session, trouble })?;
            trouble.meet(Moment::Commit)
        })?;
        trouble.meet(Moment::Committed)
    }
}

/// A session in which things happen.
struct Troubled<'a> {
    session: &'a mut dyn Session,
    trouble: &'a mut Trouble,
}

impl Session for Troubled<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        self.trouble.meet(Moment::Statement(statement))?;
        self.session.execute(statement, values)
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        self.trouble.meet(Moment::Statement(statement))?;
        self.session.query(statement, values)
    }
}
