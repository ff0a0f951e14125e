//! A shop that is open. It takes ground facts as they come, scans at gates and ticks of the clock among them, and gives
//! every fact to whoever listens, and carts and receipts to the book; killed at any instant and started again it goes on with
//! the same carts. It decides nothing that a replay of the same facts would decide otherwise.

mod clocks;
mod core;
mod eyes;
mod journal;
mod learning;
mod open;
mod opening;
pub mod plan;
mod player;
mod record;
mod screens;
mod shop;
mod tags;
mod view;
mod watch;

pub use journal::{Journal, Replayed};
pub use open::OpenShop;
pub use opening::{Opening, Surroundings};
pub use player::{Feed, walk_in_method};
pub use record::{RecordLimits, Recorder};
pub use screens::Screens;
pub use shop::{Began, Ended, Live, Payers};
pub use view::View;
