//! The ground everybody stands on: identifiers, time, money, measures, chances, errors, limits and seeded dice.
//! It takes and gives plain values. It never touches the world and knows nothing of shops.

pub mod chance;
pub mod digest;
pub mod durable;
pub mod error;
pub mod figures;
pub mod holes;
pub mod ids;
pub mod interchange;
pub mod json;
pub mod limits;
pub mod measure;
pub mod money;
pub mod named;
pub mod rng;
pub mod secret;
pub mod shell;
pub mod stages;
pub mod text;
pub mod time;

pub use chance::Prob;
pub use digest::{add_part, chained, hex, sha256};
pub use durable::{CartId, CaseId, PaymentId, ShopperId, TokenId, TransferId};
pub use error::{Error, Kind, Place, Result};
pub use holes::Holes;
pub use ids::{CameraId, PlateId, ShelfId, SkuId, SourceId, TrackId, VisitId};
pub use interchange::Interchange;
pub use measure::Grams;
pub use money::{BasisPoints, Currency, Money, Quantity};
pub use secret::{Secret, SecretPlace};
pub use stages::{DropReason, Extent, LaneReport, Reports, Stage, StageReport};
pub use time::{ShopTime, Span, TimeRange};
