//! Where a book is, from what a person writes: a file, memory, or a server.
//! It takes text and gives the parts, or all that is wrong with it. It never opens anything, and no secret of an address
//! is ever in what it prints or in an error.

mod server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub(super) use self::server::{Host, Server, Target};
use crate::base::{Error, Result};

/// How an address may be written, for those who wrote another one.
const FORMS: &str = "write a path, `sqlite:PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`";

/// Where a book is. It prints as a person may see it: with `***` for the password.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    place: Place,
}

/// The three places that there are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Memory that goes with the process.
    Memory,
    /// A file of SQLite.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Box<Server>),
}

impl Address {
    /// Reads an address: a path, `sqlite:PATH`, `sqlite::memory:`, or that of a PostgreSQL database as `libpq` takes it,
    /// as a URL or as keywords with values.
    ///
    /// # Errors
    /// Says what is wrong with it, all at once; passwords are never part of it.
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().any(char::is_control) {
            return Err(Error::usage("the address of the book holds a control character, such as the end of a line"));
        }
        let (scheme, rest) = scheme(text);
        let place = match scheme {
            Some("postgres" | "postgresql") => match rest.strip_prefix("//") {
                Some(rest) => Place::Server(Box::new(Server::from_url(rest)?)),
                None => return Err(unknown("an address of PostgreSQL begins with `postgresql://`")),
            },
            Some("sqlite") => sqlite(rest)?,
            Some("file") => return Err(unknown("`file:` is not taken: write the path alone, without parameters")),
            Some(other) => {
                let hint = format!("{FORMS}; a file with such a name is written `./NAME`");
                return Err(
                    Error::usage(format!("`{other}:` is the address of no database that aisle knows")).hint(hint)
                );
            }
            None if is_words(text) => Place::Server(Box::new(Server::from_words(text)?)),
            None if is_nearly_a_url(text) => {
                let hint = format!("{FORMS}; a file with such a name is written `./NAME`");
                return Err(Error::usage("this is no path, and the address of no database that aisle knows").hint(hint));
            }
            None if text.is_empty() => return Err(unknown("the database has no name")),
            None if text == ":memory:" => Place::Memory,
            None => Place::File(PathBuf::from(text)),
        };
        Ok(Address { place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The file, as it was written; none for memory and servers.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Memory | Place::Server(_) => None,
        }
    }

    /// Whether it goes with the process.
    pub fn is_memory(&self) -> bool {
        self.place == Place::Memory
    }

    /// Whether a password is part of it, in whose place `***` is printed.
    pub fn has_password(&self) -> bool {
        matches!(&self.place, Place::Server(server) if server.password.is_some())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Memory => f.write_str("sqlite::memory:"),
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Server(server) => write!(f, "{server}"),
        }
    }
}

/// What stands before the first colon, if that is how a URL begins, and what comes after it.
fn scheme(text: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = text.split_once(':') else { return (None, text) };
    let begins = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let goes_on = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if begins && goes_on { (Some(scheme), rest) } else { (None, text) }
}

/// Whether a text begins with a keyword and its value, `host=…`, as `libpq` takes them beside URLs.
fn is_words(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    })
}

/// Whether somebody meant a URL and mistyped it. It may hold a password, which must not become the name of a file.
fn is_nearly_a_url(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let is_path = text.starts_with(['.', '/']);
    !is_path
        && (text.contains("://") || text.contains("password=") || text.starts_with("postgres") && text.contains('@'))
}

/// What stands behind `sqlite:`. Where programs disagree what it means it is refused.
fn sqlite(rest: &str) -> Result<Place> {
    if rest == ":memory:" {
        return Ok(Place::Memory);
    }
    if rest.is_empty() {
        return Err(unknown("the database has no name"));
    }
    if rest.starts_with("//") {
        return Err(unknown("`sqlite://` means other files to other programs: write `sqlite:PATH`"));
    }
    if rest.contains('?') {
        let why = "parameters are not taken behind `sqlite:`";
        return Err(Error::usage(why).hint("write the path alone; that of a file with a `?` in its name as `./NAME`"));
    }
    Ok(Place::File(PathBuf::from(rest)))
}

fn unknown(why: &str) -> Error {
    Error::usage(why).hint(FORMS)
}
