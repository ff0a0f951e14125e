//! A folder that gets its name when it is whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::{Error, Result};

/// A folder under a passing name; removed unless it gets its own.
pub(super) struct PartFolder {
    path: PathBuf,
    renamed: bool,
}

/// A text file in such a folder; its errors name it.
pub(super) struct TextFile {
    out: BufWriter<File>,
    path: PathBuf,
}

impl PartFolder {
    /// A folder beside `path`.
    ///
    /// # Errors
    /// When something is there already, or the folder cannot be made.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = free_name(path)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let passing = format!(".{}.{}-{number}.part", name.to_string_lossy(), std::process::id());
        let part = path.with_file_name(passing);
        fs::create_dir(&part).map_err(|error| Error::io("create", path, &error))?;
        Ok(PartFolder { path: part, renamed: false })
    }

    /// Makes a folder in it, with those above.
    pub(super) fn make(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|error| Error::io("create", &path, &error))
    }

    /// Writes a whole file in it.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, bytes).map_err(|error| Error::io("write", &path, &error))
    }

    /// Begins a text file in it.
    pub(super) fn text(&self, name: &str) -> Result<TextFile> {
        let path = self.path.join(name);
        let file = File::create_new(&path).map_err(|error| Error::io("create", &path, &error))?;
        Ok(TextFile { out: BufWriter::new(file), path })
    }

    /// Gives it its own name.
    pub(super) fn rename(mut self, path: &Path) -> Result<()> {
        // Not every system renames over a folder, even an empty one.
        if path.is_dir() {
            fs::remove_dir(path).map_err(|error| Error::io("replace", path, &error))?;
        }
        fs::rename(&self.path, path).map_err(|error| Error::io("write", path, &error))?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for PartFolder {
    fn drop(&mut self) {
        if !self.renamed {
            // There is nobody left to tell if this fails too.
            let _ = fs::remove_dir_all(&self.path);
        }
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

/// The name of a folder that may be made: nothing is there, or an empty folder.
///
/// # Errors
/// When something is there already.
pub(super) fn free_name(path: &Path) -> Result<&OsStr> {
    let Some(name) = path.file_name() else {
        return Err(Error::usage("this is not the name of a folder").at_path(path));
    };
    let hint = "name a folder that does not exist yet; nothing is overwritten";
    if path.is_dir() {
        let mut inside = fs::read_dir(path).map_err(|error| Error::io("open", path, &error))?;
        if inside.next().is_some() {
            return Err(Error::usage("this folder is not empty").at_path(path).hint(hint));
        }
    } else if path.exists() {
        return Err(Error::usage("this is a file; pictures go into a folder").at_path(path).hint(hint));
    }
    Ok(name)
}
