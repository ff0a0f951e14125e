//! A folder that gets its name when it is whole, and files in folders that nobody else knows.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Passing, folder_of, name_of, resolved};
use crate::base::{Error, Result};

/// A folder on its way: it is filled under a passing name, and takes its own at [`OutputFolder::finish`].
pub struct OutputFolder {
    /// As it was named.
    path: PathBuf,
    /// Where that leads.
    target: PathBuf,
    passing: Passing,
}

impl OutputFolder {
    /// A folder where nothing is yet, or an empty folder.
    ///
    /// # Errors
    /// When something else is there already, or the folder cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let target = free_folder(path)?;
        let passing = Passing::folder(folder_of(&target)).map_err(|error| Error::io("create", path, &error))?;
        Ok(OutputFolder { path: path.to_owned(), target, passing })
    }

    /// Where it is filled.
    pub fn passing_path(&self) -> &Path {
        &self.passing.path
    }

    /// Gives it its own name.
    ///
    /// # Errors
    /// When something has come there meanwhile, or the system refuses.
    pub fn finish(self) -> Result<()> {
        let OutputFolder { path, target, passing } = self;
        // Not every system renames over a folder, even an empty one; and one that is not empty any more stays.
        if target.is_dir() {
            if let Ok(data) = fs::metadata(&target) {
                // Permissions are of use where they are given, so they are carried over as far as the system lets.
                let _ = fs::set_permissions(&passing.path, data.permissions());
            }
            fs::remove_dir(&target).map_err(|error| Error::io("replace", &path, &error))?;
        }
        passing.rename(&target).map_err(|error| Error::io("write", &path, &error))
    }
}

/// Whether a folder may be made here: nothing is there, or an empty folder.
///
/// # Errors
/// When something is there already.
pub fn check_folder(path: &Path) -> Result<()> {
    free_folder(path).map(drop)
}

fn free_folder(path: &Path) -> Result<PathBuf> {
    let target = resolved(path).map_err(|error| Error::io("open", path, &error))?;
    name_of(&target, "folder").map_err(|error| error.at_path(path))?;
    let hint = "name a folder that does not exist yet; nothing is overwritten";
    if target.is_dir() {
        let mut inside = fs::read_dir(&target).map_err(|error| Error::io("open", path, &error))?;
        if inside.next().is_some() {
            return Err(Error::usage("this folder is not empty").at_path(path).hint(hint));
        }
    } else if fs::symlink_metadata(&target).is_ok() {
        return Err(Error::usage("this is a file; pictures go into a folder").at_path(path).hint(hint));
    }
    Ok(target)
}

/// Writes a file of a folder that this program has made; nothing that is there is touched.
///
/// # Errors
/// When something of this name is there, or the system refuses.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create_new(path).map_err(|error| Error::io("create", path, &error))?;
    file.write_all(bytes).map_err(|error| Error::io("write", path, &error))
}
