//! What a shop has taught while it was open, as a file: what units weigh, how much plates tremble, how far clocks are apart, how near
//! wrists are, where doors are. It takes what an engine has learned and gives it to the next one, without what the shop no longer is: a
//! weight goes with the catalogue's, a plate with its place, a door with walls, zones and cameras. A file that cannot be read is an error
//! with a sentence; whoever opens a shop begins without it then. Nothing in it is about anybody.

mod file;
mod fit;
mod words;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;

use self::file::Document;
pub use self::words::{door_lines, names_no_door};
use crate::base::limits::LEARNED_FILE_BYTES_MAX;
use crate::base::text::plain;
use crate::base::{Error, Result, ShopTime};
use crate::output::{self, OutputFile};
use crate::pipeline::Knowledge;
use crate::shop::Shop;

/// What such a file is called, behind what the book is called.
pub const ENDING: &str = ".learned.toml";

const HINT: &str = "start without it: what it held is learned anew";

/// What was learned of one shop.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Learned(Document);

impl Learned {
    /// Reads what was learned of this shop, whatever the shop has become since; [`Learned::fitted`] is what of it still holds.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or nothing of the kind, is of a newer aisle, or of another shop.
    pub fn read(path: &Path, shop: &Shop) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        let mut bytes = Vec::new();
        let read = file.take(LEARNED_FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("read", path, &error))?;
        let document = Document::parse(&bytes).map_err(|error| error.at_path(path).hint(HINT))?;
        if document.shop != shop.name() {
            let (theirs, ours) = (plain(&document.shop), plain(shop.name()));
            let error = Error::input(format!("this was learned of the shop {theirs}, and the shop is {ours}"));
            return Err(error.at_path(path).hint("name the file of this shop"));
        }
        Ok(Learned(document))
    }

    /// What an engine has learned by now, and what was known before of which it has learned nothing new. `before` is what the engine
    /// began with.
    pub fn of(shop: &Shop, before: Option<&Learned>, learned: &Knowledge, at: ShopTime) -> Self {
        Learned(Document::of(shop, before.map(|before| &before.0), learned, at))
    }

    /// What of it still holds in the shop as it is now, and a sentence for everything that does not.
    pub fn fitted(&self, shop: &Shop) -> (Learned, Vec<String>) {
        let (document, forgotten) = fit::fitted(&self.0, shop);
        (Learned(document), forgotten)
    }

    /// The same for an engine.
    pub fn knowledge(&self) -> Knowledge {
        self.0.knowledge()
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        output::write(path, self.0.text()?.as_bytes())
    }

    /// All of it for people, a line each.
    pub fn lines(&self, shop: &Shop) -> Vec<String> {
        words::lines(&self.0, shop)
    }
}

/// Reads what was learned of a shop and still holds, for a shop that is opened: nothing where nothing lies there. Of a file that cannot be
/// used a copy is kept under another name, since the next one is written over it. Beside it stands in sentences what is not used, and why.
pub fn open(path: &Path, shop: &Shop) -> (Option<Learned>, Vec<String>) {
    if !path.exists() {
        return (None, Vec::new());
    }
    match Learned::read(path, shop) {
        Ok(learned) => {
            let (learned, forgotten) = learned.fitted(shop);
            (Some(learned), forgotten.into_iter().map(|what| format!("forgotten: {what}")).collect())
        }
        Err(error) => {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".unread");
            let put = match copy(path, Path::new(&aside)) {
                Ok(()) => format!("a copy of it is kept as {}", Path::new(&aside).display()),
                Err(error) => format!("no copy of it could be kept: {error}"),
            };
            (
                None,
                vec![format!("what was learned before cannot be used, and the shop begins without it: {error}; {put}")],
            )
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut file = File::open(from).map_err(|error| Error::io("open", from, &error))?;
    let mut output = OutputFile::create(to)?;
    io::copy(&mut file, &mut output).map_err(|error| Error::io("write", to, &error))?;
    output.finish()
}
