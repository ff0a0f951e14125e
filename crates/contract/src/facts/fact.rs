//! A fact: a stamped value.

use serde::{Deserialize, Serialize};

use super::kinds::Body;
use super::stamp::Stamp;

/// A stamped value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Who, when, in what order.
    pub stamp: Stamp,
    /// What.
    pub body: Body,
}
