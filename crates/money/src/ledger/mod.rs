//! The ledger: what may be written into the book of a shop, and what is written for a sale. It takes transfers, receipts
//! and rows that somebody has read, and gives transfers, balances, refusals and findings. It never reads or writes a
//! database, asks a provider or knows what time it is.

mod anchor;
mod arithmetic;
mod audit;
mod book;
mod digest;
pub mod payment;
mod report;
mod rules;
mod sale;
mod seals;

#[cfg(test)]
mod tests;

pub use anchor::{Anchor, AnchorKey, ChainEnd};
pub use audit::{Audit, CartRow};
pub use book::{Balance, Book, Effect, effect};
pub use digest::digest;
pub use report::{Check, Finding, OrderState, Report, Totals};
pub use rules::{Admission, Refusal, Reservation, admit};
pub use sale::{Unbookable, credit, sale};
