//! Where results go. It takes the path that somebody named and gives a file that has its name only when it is whole, or
//! whatever else stands there, as the shell's `>` would find it: the file behind a link, a pipe, a device. It never writes
//! over what is read, and never touches a file of anybody else.

mod file;
mod folder;
mod guard;
mod stdout;
#[cfg(test)]
mod tests;

pub use file::{OutputFile, write};
pub use folder::{OutputFolder, check_folder, write_new};
pub use guard::{check_apart, check_inputs};
pub use stdout::is_stdout_taken;

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};

/// Links behind each other that are followed, as systems do.
const LINKS_MAX: usize = 40;
/// Names that are tried before a folder is said to have none that is free.
const NAMES_MAX: usize = 16;

/// A file or folder under a name that nobody else has, until it gets its own; removed if it never does.
struct Passing {
    path: PathBuf,
    /// What tells it from everything else of this name, where the system says.
    identity: Option<Identity>,
    is_kept: bool,
}

/// What tells a file from all others, whatever it is called: the device and its number there; else where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    #[cfg(unix)]
    Number(u64, u64),
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Identity {
    /// Of what a path leads to, over links too; `None` where nothing is.
    fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        return fs::metadata(path).ok().map(|data| Identity::in_data(&data));
        #[cfg(not(unix))]
        return fs::canonicalize(path).ok().map(Identity::Path);
    }

    #[cfg(unix)]
    fn in_data(data: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity::Number(data.dev(), data.ino())
    }
}

impl Passing {
    /// A new file in a folder, with such an ending.
    fn file(folder: &Path, ending: &str) -> io::Result<(Self, File)> {
        Passing::make(folder, ending, |path| File::create_new(path))
    }

    /// A new folder in a folder.
    fn folder(folder: &Path) -> io::Result<Self> {
        Passing::make(folder, "", |path| fs::create_dir(path)).map(|(passing, ())| passing)
    }

    fn make<T>(folder: &Path, ending: &str, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(Self, T)> {
        for _ in 0..NAMES_MAX {
            // Keys of hash maps are the dice that every process has. The name says nothing of the result's, which may be
            // as long as a name can be.
            let name = format!(".aisle-{}-{:016x}.part{ending}", std::process::id(), RandomState::new().hash_one(0));
            let path = folder.join(name);
            match make(&path) {
                Ok(made) => {
                    let identity = Identity::of(&path);
                    return Ok((Passing { path, identity, is_kept: false }, made));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Gives it a name; what had it is replaced.
    fn rename(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let is_ours = !self.is_kept && self.identity.is_some() && Identity::of(&self.path) == self.identity;
        if is_ours {
            // There is nobody left to tell if this fails too.
            let _ = if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        }
    }
}

/// What a path leads to when links are followed, also links to what is not there yet.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::symlink_metadata(&path) {
            Ok(data) if data.is_symlink() => {
                let to = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(to);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many links lead to each other"))
}

/// The folder that something is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether a path ends as those of folders do.
fn ends_as_folder(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    name.last().is_some_and(|last| std::path::is_separator(char::from(*last))) || path.file_name().is_none()
}

/// The name of what a path leads to.
fn name_of(path: &Path, what: &str) -> Result<OsString> {
    path.file_name()
        .map(OsString::from)
        .ok_or_else(|| Error::usage(format!("this is not the name of a {what}")).at_path(path))
}
