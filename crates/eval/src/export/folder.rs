//! A folder that gets its name when it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};
use crate::output::{self, OutputFolder};

/// A folder that is being filled.
pub(super) struct PartFolder(OutputFolder);

/// A text file in such a folder; its errors name it.
pub(super) struct TextFile {
    out: BufWriter<File>,
    path: PathBuf,
}

impl PartFolder {
    /// A folder that will be at `path`.
    ///
    /// # Errors
    /// When something is there already, or the folder cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self> {
        OutputFolder::create(path).map(PartFolder)
    }

    /// Makes a folder in it, with those above.
    pub(super) fn make(&self, name: &str) -> Result<()> {
        let path = self.0.passing_path().join(name);
        fs::create_dir_all(&path).map_err(|error| Error::io("create", &path, &error))
    }

    /// Writes a whole file in it.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.0.passing_path().join(name);
        output::write_new(&path, bytes)
    }

    /// Begins a text file in it.
    pub(super) fn text(&self, name: &str) -> Result<TextFile> {
        let path = self.0.passing_path().join(name);
        let file = File::create_new(&path).map_err(|error| Error::io("create", &path, &error))?;
        Ok(TextFile { out: BufWriter::new(file), path })
    }

    /// Gives it its own name.
    pub(super) fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

impl TextFile {
    pub(super) fn put(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(|error| Error::io("write", &self.path, &error))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::io("write", &self.path, &error))
    }
}
