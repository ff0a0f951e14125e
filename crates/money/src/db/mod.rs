//! The shop's database: SQLite in a file, or PostgreSQL by URL, with the same statements and the same behaviour.
//! It takes rows and gives rows, in transactions that happen whole or not at all. It knows nothing of what they mean:
//! what may be booked is decided by `ledger`, when by `till`.

pub mod access;
mod address;
mod body;
pub mod carts;
pub mod cases;
pub mod companions;
mod database;
pub mod duties;
pub mod faulty;
mod identity;
mod migrations;
mod open;
mod options;
pub mod outbox;
pub mod passes;
mod postgresql;
mod schema;
pub mod seals;
mod session;
pub mod shoppers;
mod sqlite;
pub mod transfers;

pub use address::Address;
pub use database::Database;
pub use identity::{Identity, identity};
pub use open::{open, open_at};
pub use options::Options;
pub use schema::{Stray, schema, strays};
pub use session::{Engine, Failure, FailureKind, Row, Session, Value};

#[cfg(test)]
mod tests;
