//! A file that is written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::{Passing, ends_as_folder, folder_of, resolved, stdout};
use crate::base::{Error, Result};

/// What a database of SQLite begins with.
const DATABASE_MAGIC: &[u8] = b"SQLite format 3\0";

/// A result on its way: it is written under a passing name, and put in its place by [`OutputFile::finish`]. What is dropped
/// before leaves nothing behind, and what was there as it was.
pub struct OutputFile {
    /// As it was named.
    path: PathBuf,
    passing: Passing,
    file: File,
    place: Place,
}

/// Where a result goes in the end.
enum Place {
    /// To a name, which it takes.
    Name(PathBuf),
    /// Into something that is open: a pipe, a device, or a file that has to stay the one it is.
    Into(File),
    /// To where this program writes.
    Stdout,
    /// To where this program complains.
    Stderr,
}

/// What stands at a path.
enum Found {
    Nothing(PathBuf),
    File(PathBuf, Metadata),
    /// A pipe, a device, or a file that is open already under this name.
    Open(File),
    Stdout,
    Stderr,
}

/// Writes a whole result, or nothing.
///
/// # Errors
/// As [`OutputFile::create`] and [`OutputFile::finish`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut output = OutputFile::create(path)?;
    output.file.write_all(bytes).map_err(|error| Error::io("write", path, &error))?;
    output.finish()
}

impl OutputFile {
    /// Begins a result. A link is followed, as the shell's `>` does; a file that is there keeps its permissions, its owner
    /// and its other names, and what is in it until the result is whole. A pipe is opened now, so that whoever reads it
    /// comes to an end, and gets everything at the end.
    ///
    /// # Errors
    /// When a folder or a database is there, or the system refuses.
    pub fn create(path: &Path) -> Result<Self> {
        OutputFile::with_ending(path, "")
    }

    /// The same, under a passing name that ends so, for programs that go by the ending of a name.
    ///
    /// # Errors
    /// As [`OutputFile::create`].
    pub fn with_ending(path: &Path, ending: &str) -> Result<Self> {
        let refused = |error: io::Error| Error::io("write", path, &error);
        let aside = |place| -> Result<Self> {
            let (passing, file) = Passing::file(&std::env::temp_dir(), ending).map_err(refused)?;
            keep_private(&file).map_err(refused)?;
            Ok(OutputFile { path: path.to_owned(), passing, file, place })
        };
        match found(path)? {
            Found::Stdout => aside(Place::Stdout),
            Found::Stderr => aside(Place::Stderr),
            Found::Open(open) => aside(Place::Into(open)),
            Found::Nothing(target) => {
                let (passing, file) = Passing::file(folder_of(&target), ending).map_err(refused)?;
                Ok(OutputFile { path: path.to_owned(), passing, file, place: Place::Name(target) })
            }
            Found::File(target, data) => {
                // Who may not write to it may not replace it either.
                let mut open = OpenOptions::new().read(true).write(true).open(&target);
                if open.as_ref().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
                    open = OpenOptions::new().write(true).open(&target);
                }
                let mut open = open.map_err(refused)?;
                if begins_as_database(&mut open) {
                    let hint = "name another file; nothing is written over a book";
                    return Err(Error::usage("this file is a database").at_path(path).hint(hint));
                }
                match Passing::file(folder_of(&target), ending) {
                    Ok((passing, file)) => {
                        file.set_permissions(data.permissions()).map_err(refused)?;
                        let stays = file.metadata().map_or(true, |ours| has_to_stay(&data, &ours));
                        let place = if stays { Place::Into(open) } else { Place::Name(target) };
                        Ok(OutputFile { path: path.to_owned(), passing, file, place })
                    }
                    // The file may be written to, and nothing be put beside it.
                    Err(_) => aside(Place::Into(open)),
                }
            }
        }
    }

    /// What to write to. It shares its place with all others of this result.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn writer(&self) -> Result<BufWriter<File>> {
        self.file.try_clone().map(BufWriter::new).map_err(|error| Error::io("write", &self.path, &error))
    }

    /// Where it is written meanwhile, for other programs.
    pub fn passing_path(&self) -> &Path {
        &self.passing.path
    }

    /// Puts the result in its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> Result<()> {
        let OutputFile { path, passing, file, place } = self;
        let put = || -> io::Result<()> {
            match place {
                Place::Name(target) => file.sync_all().and_then(|()| passing.rename(&target)),
                Place::Into(mut open) => {
                    if open.metadata()?.is_file() {
                        open.set_len(0)?;
                        open.rewind()?;
                        copy(&passing, &mut open)?;
                        return open.sync_all();
                    }
                    copy(&passing, &mut open)
                }
                Place::Stdout => copy(&passing, &mut io::stdout().lock()),
                Place::Stderr => copy(&passing, &mut io::stderr().lock()),
            }
        };
        match put() {
            // Whoever listened has heard enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.map_err(|error| Error::io("write", &path, &error)),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn copy(passing: &Passing, to: &mut impl Write) -> io::Result<()> {
    io::copy(&mut File::open(&passing.path)?, to)?;
    to.flush()
}

fn found(path: &Path) -> Result<Found> {
    let refused = |error: io::Error| Error::io("write", path, &error);
    stdout::note(path)?;
    match path.to_str() {
        _ if stdout::is_named(path) => return Ok(Found::Stdout),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => return Ok(Found::Stderr),
        _ => {}
    }
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            let error = Error::usage("this is a folder, and the result is a file");
            Err(error.at_path(path).hint("name the file, with the folder before it"))
        }
        Ok(data) if data.is_file() && !is_descriptor(path) => {
            fs::canonicalize(path).map(|target| Found::File(target, data)).map_err(refused)
        }
        Ok(_) => OpenOptions::new().write(true).open(path).map(Found::Open).map_err(refused),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let target = resolved(path).map_err(refused)?;
            if ends_as_folder(&target) {
                return Err(Error::usage("this is not the name of a file").at_path(path));
            }
            Ok(Found::Nothing(target))
        }
        Err(error) => Err(refused(error)),
    }
}

/// Whether a path names something that is open, not something that is in a folder: its file has to stay the one it is.
fn is_descriptor(path: &Path) -> bool {
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match (parts.next(), parts.next().as_deref()) {
        (Some(_), Some("dev")) => parts.next().as_deref() == Some("fd"),
        (Some(_), Some("proc")) => parts.any(|part| part == "fd"),
        _ => false,
    }
}

fn begins_as_database(file: &mut File) -> bool {
    let mut begin = Vec::new();
    let read = Read::by_ref(file).take(DATABASE_MAGIC.len() as u64).read_to_end(&mut begin);
    read.is_ok() && begin == DATABASE_MAGIC
}

/// Whether a file has other names, or an owner whom a new file would not have.
#[cfg(unix)]
fn has_to_stay(data: &Metadata, ours: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    1 < data.nlink() || (data.uid(), data.gid()) != (ours.uid(), ours.gid())
}

#[cfg(not(unix))]
fn has_to_stay(_data: &Metadata, _ours: &Metadata) -> bool {
    false
}

/// Lets nobody else read what lies in a folder of all.
#[cfg(unix)]
fn keep_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_file: &File) -> io::Result<()> {
    Ok(())
}
