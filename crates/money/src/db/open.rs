//! From an address to an open database with its tables in order.

use super::address::Place;
use super::postgresql::Postgresql;
use super::sqlite::Sqlite;
use super::{Address, Database, Engine, Options, migrations};
use crate::base::{Result, ShopTime};

/// Opens the database at `url`, as [`Address::parse`] reads it, and brings its tables to the newest version; `now` is
/// noted for those that are new.
///
/// A database on a server must not be used on a thread that runs async code, where waiting for an answer panics.
///
/// # Errors
/// Says what is wrong with the address or behind it; passwords are never part of it.
pub fn open(url: &str, options: &Options, now: ShopTime) -> Result<Database> {
    open_at(&Address::parse(url)?, options, now)
}

/// As [`open`], of an address that was read.
///
/// # Errors
/// Says what is wrong behind it; passwords are never part of it.
pub fn open_at(address: &Address, options: &Options, now: ShopTime) -> Result<Database> {
    let engine: Box<dyn Engine> = match address.place() {
        Place::Memory => Box::new(Sqlite::open(None, options)?),
        Place::File(path) => Box::new(Sqlite::open(Some(path), options)?),
        Place::Server(server) => Box::new(Postgresql::open(server, options)?),
    };
    let mut database = Database::new(engine);
    migrations::bring_up(&mut database, options.create, now)
        .and_then(|()| database.remember())
        .map_err(|error| error.during(&address.to_string()))?;
    Ok(database)
}
