//! Opening the book for a command, and the sandbox beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::base::{Error, Kind, Result, shell};
use crate::db::{self, Address, Database, Identity};
use crate::facts::StatementLine;
use crate::learned;
use crate::payment::Sandbox;
use crate::ports::{Clock, WallClock};
use crate::till::Providers;

/// The file of the book where none is named.
pub(super) const BOOK: &str = "aisle.db";
/// The variable that names the book.
const VARIABLE: &str = "AISLE_DB";
/// What the journal of facts is called, behind what the book is called.
const FACTS_ENDING: &str = ".journal";
/// What the folder of pictures is called, behind what the book is called.
const PICTURES_ENDING: &str = ".pictures";
/// What the journal of the sandbox is called, behind what the book is called.
const JOURNAL_ENDING: &str = ".sandbox.jsonl";

/// Where the book is.
#[derive(Args, Clone, Debug)]
pub(super) struct BookArgs {
    /// The book: a file (SQLite), or the URL of a PostgreSQL database, postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, value_name = "FILE|URL", default_value = BOOK, env = VARIABLE, hide_env_values = true)]
    pub(super) db: String,
}

impl BookArgs {
    fn address(&self) -> Result<Address> {
        Address::parse(&self.db)
    }

    /// Refuses a book that is gone with the process, where what is written is for later.
    ///
    /// # Errors
    /// When it is in memory.
    pub(super) fn check_lasting(&self) -> Result<()> {
        if !self.address()?.is_memory() {
            return Ok(());
        }
        let error = Error::usage("a book in memory is gone when this command ends, and what it makes with it");
        Err(error.hint("name a file with --db"))
    }

    /// Opens the book, making a new one where there is none.
    pub(super) fn open_or_create(&self) -> Result<Database> {
        db::open_at(&self.address()?, &db::Options::default(), WallClock.now())
    }

    /// Opens a book that must be there.
    pub(super) fn open(&self) -> Result<Database> {
        let options = db::Options { create: false, ..db::Options::default() };
        db::open_at(&self.address()?, &options, WallClock.now())
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

    /// Where the sandbox keeps its own books, the same whichever way the book is named: beside a file, and for a database
    /// on a server in a folder of this machine that is for such things. None for a book in memory.
    pub(super) fn sandbox_path(&self, database: &mut Database) -> Result<Option<PathBuf>> {
        let address = self.address()?;
        match db::identity(&address, database)? {
            Identity::Memory => Ok(None),
            Identity::File(path) => {
                let journal = with_ending(&path);
                refuse_two_places(address.file().unwrap_or(&path), &journal)?;
                Ok(Some(journal))
            }
            Identity::Server(name) => Ok(Some(state_folder()?.join(format!("postgresql-{name}{JOURNAL_ENDING}")))),
        }
    }

    /// Where facts are stored until the book knows them: beside the book, as the sandbox's own books are.
    pub(super) fn journal_path(&self, database: &mut Database) -> Result<Option<PathBuf>> {
        self.beside(database, FACTS_ENDING)
    }

    /// Where pictures around changes on shelves are kept: beside the book too.
    pub(super) fn pictures_path(&self, database: &mut Database) -> Result<Option<PathBuf>> {
        self.beside(database, PICTURES_ENDING)
    }

    /// Where it is kept what the shop learns: beside the book too.
    pub(super) fn learned_path(&self, database: &mut Database) -> Result<Option<PathBuf>> {
        self.beside(database, learned::ENDING)
    }

    fn beside(&self, database: &mut Database, ending: &str) -> Result<Option<PathBuf>> {
        match db::identity(&self.address()?, database)? {
            Identity::Memory => Ok(None),
            Identity::File(mut path) => {
                path.as_mut_os_string().push(ending);
                Ok(Some(path))
            }
            Identity::Server(name) => Ok(Some(state_folder()?.join(format!("postgresql-{name}{ending}")))),
        }
    }

    /// The sandbox that goes with this book.
    pub(super) fn sandbox(&self, database: &mut Database) -> Result<Sandbox> {
        match self.sandbox_path(database)? {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    make_private_folder(folder)?;
                }
                Sandbox::open(&path, Arc::new(WallClock))
            }
            None => Ok(Sandbox::new(Arc::new(WallClock))),
        }
    }

    /// What the sandbox has on its own books, if it was ever used with this book.
    pub(super) fn sandbox_statement(&self, database: &mut Database) -> Result<Vec<(String, Vec<StatementLine>)>> {
        match self.sandbox_path(database)?.filter(|path| path.exists()) {
            Some(path) => Ok(vec![("sandbox".to_owned(), Sandbox::statement_of(&path, WallClock.now())?)]),
            None => Ok(Vec::new()),
        }
    }

    /// The book as it may be printed, without a password.
    pub(super) fn shown(&self) -> Result<String> {
        Ok(self.address()?.to_string())
    }

    /// A command about this book, to be pasted into a shell, and what has to be done to it first. None for a book that is
    /// gone with the process.
    pub(super) fn command(&self, command: &str) -> Result<Option<String>> {
        let address = self.address()?;
        if address.is_memory() {
            return Ok(None);
        }
        if !address.has_password() {
            return Ok(Some(format!("`{command} {}`", shell::option("--db", &address.to_string()))));
        }
        if std::env::var(VARIABLE).is_ok_and(|named| named == self.db) {
            return Ok(Some(format!("`{command}`, with {VARIABLE} as it is set now,")));
        }
        let option = shell::option("--db", &address.to_string());
        Ok(Some(format!("`{command} {option}`, with the password in the place of ***,")))
    }
}

/// The sandbox as the only provider.
pub(super) fn alone(sandbox: Sandbox) -> Providers {
    Providers::from([("sandbox".to_owned(), Arc::new(sandbox) as _)])
}

fn with_ending(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(JOURNAL_ENDING);
    PathBuf::from(name)
}

/// A journal beside a link to the book, where the book's own is missing, is of an older aisle: what it says must not be
/// forgotten by and by.
fn refuse_two_places(written: &Path, journal: &Path) -> Result<()> {
    let beside_link = with_ending(written);
    if journal.exists() || !beside_link.exists() {
        return Ok(());
    }
    let why = "the sandbox's journal lies beside a link to the book, and belongs beside the book itself";
    let command =
        format!("mv {} {}", shell::word(&beside_link.to_string_lossy()), shell::word(&journal.to_string_lossy()));
    Err(Error::usage(why).at_path(&beside_link).hint(format!("`{command}`")))
}

/// Where programs keep what must outlive them and is nobody else's affair.
fn state_folder() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("aisle")).ok_or_else(|| {
        Error::usage("there is no place for the sandbox's journal: neither XDG_STATE_HOME nor HOME names a folder")
            .hint("set XDG_STATE_HOME, or name a file as `journal` in `[payment]` of the shop's file")
    })
}

/// Makes a folder that is missing, for its owner alone.
fn make_private_folder(folder: &Path) -> Result<()> {
    if folder.as_os_str().is_empty() || folder.exists() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Error::io("make the folder", folder, &error))
}
