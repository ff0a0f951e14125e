//! Every trait that touches the world, on one page.

use crate::base::Result;
use crate::facts::Fact;
use crate::shop::Shop;

/// Where facts come from: a recording, a foreign folder, a simulation, live devices. It may be read on a thread of
/// its own.
pub trait FactSource: Send {
    /// The shop they are about.
    fn shop(&self) -> &Shop;

    /// The next fact in order of arrival, `None` at the end.
    ///
    /// # Errors
    /// Says what could not be read, and where. After an error a source may be asked again: it goes on behind the
    /// broken place if it can, else it answers `None`.
    fn next_fact(&mut self) -> Result<Option<Fact>>;
}

/// Where facts go: a recording, a database, a screen.
pub trait FactSink {
    /// Takes one fact.
    ///
    /// # Errors
    /// When the world refuses (a full disk, say); the fact is then not stored.
    fn put(&mut self, fact: &Fact) -> Result<()>;
}
