//! Every trait that touches the world, on one page.

mod board;
mod clock;
mod desk;
mod gates;
mod health;
mod intake;
mod live;
mod pictures;
mod plates;
mod seen;

pub use board::ReportBoard;
pub use clock::WallClock;
pub use desk::{MarkKind, ReplayDesk, ReplayState, ReplayWish, Stop, TimeLine, TimeMark, TimeVerdict, Wished};
pub use gates::{GateAsk, GateDesk, GateQuestion};
pub use health::{DeviceHealth, DeviceKind, HealthBoard, HealthWord};
pub use intake::{Delivery, Intake, Kept};
pub use live::{LiveBoard, LiveChange, LivePerson, LivePlate, LiveSnapshot, TruthLine};
pub use pictures::{KeptPicture, KeptPictures, PictureCounts, PicturesOf};
pub use plates::{PlateBoard, PlateCurve, PlateRest};
pub use seen::{KnownPerson, LookedAt, SeenBoard};

use crate::base::{Result, ShopTime, ShopperId};
use crate::facts::{Answer, Fact, Notice, Order, PaymentMethod, StatementLine};
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

    /// Parts of the input that were left out so far, because they could not be read or did not fit.
    fn left_out(&self) -> u64 {
        0
    }
}

/// Where facts go: a recording, a database, a screen.
pub trait FactSink {
    /// Takes one fact.
    ///
    /// # Errors
    /// When the world refuses (a full disk, say); the fact is then not stored.
    fn put(&mut self, fact: &Fact) -> Result<()>;
}

/// What time it is. In tests and simulations it is what they say.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> ShopTime;
}

/// Who moves money. Calls block, for a bounded time, and may come from several threads.
pub trait PaymentProvider: Send + Sync {
    /// The name of its configuration, as in `clearing/<name>`.
    fn name(&self) -> &str;

    /// Asks for an order to be carried out. The same order again, with the same id, is carried out once: asking is how
    /// one learns what became of an order whose answer was lost.
    fn submit(&self, order: &Order) -> Answer;

    /// Asks what became of an order that was accepted (`reference` is what [`Answer::Pending`] said) or that may have
    /// been. [`Answer::Unavailable`] where the provider has never heard of it: it may be submitted again.
    fn query(&self, order: &Order, reference: Option<&str>) -> Answer;

    /// Reads a webhook: checks its signature and age, and says what it is about. Decides nothing.
    ///
    /// # Errors
    /// When it is forged, too old, or not to be understood; the answer to the sender is then a refusal.
    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> Result<Notice>;

    /// Whether the provider itself says that this way to pay was left by this shopper, named by the shop's own id of them.
    /// Knowing a name is no proof of anything; `false` where the provider cannot tell.
    ///
    /// # Errors
    /// When it cannot be reached or read.
    fn confirms(&self, _shopper: ShopperId, _method: &PaymentMethod) -> Result<bool> {
        Ok(false)
    }

    /// Every movement that the provider has on its own books, where it tells; `None` where it does not.
    ///
    /// # Errors
    /// When it cannot be reached or read.
    fn statement(&self) -> Result<Option<Vec<StatementLine>>> {
        Ok(None)
    }
}
