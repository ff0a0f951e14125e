//! The ground everybody stands on: identifiers, time, money, measures, chances, errors, limits and seeded dice.
//! It takes and gives plain values. It never touches the world and knows nothing of shops.

pub mod chance;
pub mod error;
pub mod ids;
pub mod limits;
pub mod measure;
pub mod money;
pub mod rng;
pub mod time;

pub use chance::Prob;
pub use error::{Error, Kind, Place, Result};
pub use ids::{PlateId, ShelfId, SkuId, SourceId, TrackId, VisitId};
pub use measure::Grams;
pub use money::{Currency, Money, Quantity};
pub use time::{ShopTime, Span, TimeRange};
