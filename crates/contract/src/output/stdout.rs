//! Results that go where the program itself writes, by whatever name: nothing else may be said there then.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Identity;
use crate::base::{Error, Result};

/// Whether a result of this process goes to its standard output.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Names of the standard output.
const NAMES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Whether a result goes to standard output, so that what is said beside it belongs on standard error.
pub fn is_stdout_taken() -> bool {
    IS_TAKEN.load(Ordering::Relaxed)
}

/// Whether a path is a name of the standard output.
pub(super) fn is_named(path: &Path) -> bool {
    path.to_str().is_some_and(|path| NAMES.contains(&path))
}

/// Notes where a result will go.
///
/// # Errors
/// When it is called `-`, which is no name of a file here.
pub(super) fn note(path: &Path) -> Result<()> {
    if path == Path::new("-") {
        let error = Error::usage("`-` does not stand for standard output here");
        return Err(error.hint("write /dev/stdout, or ./- for a file of that name"));
    }
    if leads_there(path) {
        IS_TAKEN.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether what is written to a path comes out at standard output. Devices are known by name only: on a terminal or on
/// nothing at all, what is said does no harm.
fn leads_there(path: &Path) -> bool {
    if is_named(path) {
        return true;
    }
    let Some(data) = fs::metadata(path).ok().filter(|data| !is_device(data)) else { return false };
    !data.is_dir() && Identity::of(path).is_some_and(|ours| Identity::of(Path::new(NAMES[0])) == Some(ours))
}

#[cfg(unix)]
fn is_device(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    data.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_device(_data: &fs::Metadata) -> bool {
    false
}
