//! The HTTP API: over a till and its book.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, geometry, ports, shop};
use aisle_money::{db, document, ledger, till};

pub mod api;
