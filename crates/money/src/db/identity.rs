//! Which book it is, whatever its address was written like.
//! It takes an open book and gives what goes with it: the file behind all links, or what a server says of itself. It never
//! makes anything of the address of a server, whose parts may be secrets.

use std::path::PathBuf;

use super::address::Place;
use super::{Address, Database, sqlite};
use crate::base::{Error, Result, sha256};

/// Digits of a digest that tell books apart.
const DIGITS: usize = 32;

/// A book as itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// It goes with the process.
    Memory,
    /// Its file, through all links.
    File(PathBuf),
    /// What its database, its schema and the instant of its making come to, as hexadecimal digits.
    Server(String),
}

/// Which book an open database is.
///
/// # Errors
/// What the database says; or that the file is gone.
pub fn identity(address: &Address, database: &mut Database) -> Result<Identity> {
    match address.place() {
        Place::Memory => Ok(Identity::Memory),
        Place::File(path) => {
            sqlite::real_path(path).map(Identity::File).map_err(|error| Error::io("find the book", path, &error))
        }
        Place::Server(_) => {
            let question = "SELECT current_database(), current_schema(), applied_at FROM migrations WHERE version = 1";
            let text = database.transaction(|session| match session.query(question, &[])?.first() {
                Some(row) => Ok(format!("{}\n{}\n{}", row.text(0)?, row.text(1)?, row.int(2)?)),
                None => Err(Error::input("there is no book in this database").into()),
            })?;
            Ok(Identity::Server(sha256(text.as_bytes())[..DIGITS].to_owned()))
        }
    }
}
