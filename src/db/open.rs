//! From what a person writes on the command line to an open database with its tables in order.

use std::path::Path;

use super::postgresql::Postgresql;
use super::sqlite::Sqlite;
use super::{Database, Engine, migrations};
use crate::base::{Error, Result, ShopTime, Span};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a transaction waits for another process before it fails as busy.
    pub wait_span_max: Span,
    /// Whether a database is made where there is none.
    pub create: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { wait_span_max: Span::from_millis(5_000), create: true }
    }
}

/// Opens the database at `url` and brings its tables to the newest version; `now` is noted for those that are new.
/// `url` is a path, `sqlite:PATH`, `sqlite::memory:`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.
///
/// A database on a server must not be used on a thread that runs async code, where waiting for an answer panics.
///
/// # Errors
/// Says what is wrong with the address or behind it; passwords are never part of it.
pub fn open(url: &str, options: &Options, now: ShopTime) -> Result<Database> {
    let engine: Box<dyn Engine> = match Address::parse(url)? {
        Address::Memory => Box::new(Sqlite::open(None, options)?),
        Address::File(path) => Box::new(Sqlite::open(Some(path), options)?),
        Address::Server(url) => Box::new(Postgresql::open(url, options)?),
    };
    let mut database = Database::new(engine);
    let place = without_password(url);
    migrations::bring_up(&mut database, options.create, now)
        .and_then(|()| database.remember())
        .map_err(|error| error.during(&place))?;
    Ok(database)
}

/// Where a database is.
enum Address<'a> {
    Memory,
    File(&'a Path),
    Server(&'a str),
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Address::Server(url));
        }
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        let hint = "write a path, `sqlite:PATH`, or `postgresql://USER:PASSWORD@HOST/DATABASE`";
        match path {
            "" => Err(Error::usage("the database has no name").hint(hint)),
            ":memory:" => Ok(Address::Memory),
            _ if path.contains("://") || path.contains("password=") => {
                Err(Error::usage(format!("`{}` is no database that aisle knows", without_password(url))).hint(hint))
            }
            _ => Ok(Address::File(Path::new(path))),
        }
    }
}

/// A URL of a database as it may be printed: with `***` for the password, wherever it stands.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return hide_parameters(url) };
    // A password may hold any sign, also those that should have been escaped: it ends at the last `@`.
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    hide_parameters(&format!("{scheme}://{rest}"))
}

/// Hides what stands behind `password=`, `sslpassword=` and the like.
fn hide_parameters(text: &str) -> String {
    let parts = text.split_inclusive(['?', '&', ' ']).map(|part| match part.split_once('=') {
        Some((key, value)) if key.to_ascii_lowercase().contains("password") => {
            let end = value.chars().next_back().filter(|last| matches!(last, '&' | ' '));
            format!("{key}=***{}", end.map(String::from).unwrap_or_default())
        }
        _ => part.to_owned(),
    });
    parts.collect()
}
