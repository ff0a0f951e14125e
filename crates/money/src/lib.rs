//! What is owed and paid: carts, review, the ledger, payment providers, the book and its till.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, ports, shop};

pub mod cart;
pub mod db;
pub mod document;
pub mod ledger;
pub mod payment;
pub mod review;
pub mod till;
