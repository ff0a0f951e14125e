//! What every fact carries: who said it, in what order, when it was true, when it arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{ShopTime, SourceId};

/// The stamp of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stamp {
    /// Who made it.
    pub source: SourceId,
    /// Number of the fact within its source, rising.
    pub sequence: u64,
    /// When it was true, nanoseconds since the Unix epoch; facts are ordered by this.
    pub at: ShopTime,
    /// When it arrived here, nanoseconds since the Unix epoch; never used for ordering.
    pub arrived: ShopTime,
}

/// Points at a fact of the same log, such as the evidence behind a receipt line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FactRef {
    /// Who made it.
    pub source: SourceId,
    /// Its number within that source.
    pub sequence: u64,
}

impl Stamp {
    /// A pointer to the fact that has this stamp.
    pub fn fact_ref(&self) -> FactRef {
        FactRef { source: self.source.clone(), sequence: self.sequence }
    }
}
