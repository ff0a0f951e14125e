//! Opening the book for a command, and the sandbox beside it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::base::{Kind, Result};
use crate::db::{self, Database};
use crate::facts::{PaymentMethod, StatementLine};
use crate::payment::Sandbox;
use crate::ports::{Clock, WallClock};
use crate::till::Providers;

/// The file of the book where none is named.
pub(super) const BOOK: &str = "aisle.db";

/// Where the book is.
#[derive(Args, Clone, Debug)]
pub(super) struct BookArgs {
    /// The book: a file (SQLite), or the URL of a PostgreSQL database, postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, value_name = "FILE|URL", default_value = BOOK, env = "AISLE_DB", hide_env_values = true)]
    pub(super) db: String,
}

impl BookArgs {
    /// Opens the book, making a new one where there is none.
    pub(super) fn open_or_create(&self) -> Result<Database> {
        db::open(&self.db, &db::Options::default(), WallClock.now())
    }

    /// Opens a book that must be there.
    pub(super) fn open(&self) -> Result<Database> {
        let options = db::Options { create: false, ..db::Options::default() };
        db::open(&self.db, &options, WallClock.now())
    }

    /// Opens the book, and begins one where there is none: then true stands beside it.
    pub(super) fn open_or_begin(&self) -> Result<(Database, bool)> {
        match self.open() {
            // Whatever else is wrong here is as wrong the second time.
            Err(error) if !matches!(error.kind(), Kind::Usage | Kind::Unavailable) => {
                self.open_or_create().map(|database| (database, true))
            }
            opened => opened.map(|database| (database, false)),
        }
    }

    /// The file of the book; none for a database on a server.
    fn path(&self) -> Option<PathBuf> {
        (!self.db.contains("://")).then(|| PathBuf::from(self.db.trim_start_matches("sqlite:")))
    }

    /// Where the sandbox keeps its own books: beside ours, or in the current folder under the name of a database on a
    /// server.
    pub(super) fn sandbox_path(&self) -> PathBuf {
        let on_server = || {
            let address = self.db.split('?').next().unwrap_or_default();
            PathBuf::from(address.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(BOOK))
        };
        let mut name = self.path().unwrap_or_else(on_server).into_os_string();
        name.push(".sandbox.jsonl");
        PathBuf::from(name)
    }

    /// The sandbox that goes with this book, as the only provider.
    pub(super) fn sandbox(&self) -> Result<Providers> {
        let sandbox = Sandbox::open(&self.sandbox_path(), Arc::new(WallClock))?;
        Ok(Providers::from([("sandbox".to_owned(), Arc::new(sandbox) as _)]))
    }

    /// What the sandbox has on its own books, if it was ever used with this book.
    pub(super) fn sandbox_statement(&self) -> Result<Vec<(String, Vec<StatementLine>)>> {
        let path = self.sandbox_path();
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(vec![("sandbox".to_owned(), Sandbox::statement_of(&path, WallClock.now())?)])
    }

    /// The book as it may be printed, without a password.
    pub(super) fn shown(&self) -> String {
        db::without_password(&self.db)
    }
}

/// How people pay whom no gate announced: in the sandbox, which takes it.
pub(super) fn walk_in_method() -> PaymentMethod {
    PaymentMethod { provider: "sandbox".to_owned(), customer: "walk-in".to_owned(), token: "ok".to_owned() }
}
