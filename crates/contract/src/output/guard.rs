//! What is read is not written over, by whatever name.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Identity, folder_of, resolved, stdout};
use crate::base::{Error, Result};

/// Refuses an output that is one of the inputs, or a file in one of them that is a folder, however it is spelled: over
/// links, hard links, by a path from elsewhere.
///
/// # Errors
/// When it is, or is called `-`.
pub fn check_inputs<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    stdout::note(output)?;
    let Some(ours) = fs::metadata(output).ok().filter(fs::Metadata::is_file).and_then(|_| Identity::of(output)) else {
        return Ok(());
    };
    for input in inputs {
        let is_it = if input.is_dir() { holds(input, &ours) } else { Identity::of(input).as_ref() == Some(&ours) };
        if is_it {
            let message = format!("this would replace {}, which is being read", input.display());
            let message = if input.is_dir() {
                format!("this would replace a file of {}, which is being read", input.display())
            } else {
                message
            };
            return Err(Error::usage(message).at_path(output).hint("name another file; nothing was written"));
        }
    }
    Ok(())
}

/// Refuses outputs of one command that are one file.
///
/// # Errors
/// When two are.
pub fn check_apart<'a>(outputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let mut seen: Vec<Where> = Vec::new();
    for output in outputs {
        let Some(place) = Where::of(output) else { continue };
        if seen.contains(&place) {
            let error = Error::usage("two results cannot go to one file").at_path(output);
            return Err(error.hint("name a file for each"));
        }
        seen.push(place);
    }
    Ok(())
}

/// Where a result would go.
#[derive(PartialEq, Eq)]
enum Where {
    There(Identity),
    New(PathBuf),
}

impl Where {
    /// `None` for pipes and devices, which take several.
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(data) => data.is_file().then(|| Identity::of(path).map(Where::There)).flatten(),
            Err(_) => {
                let target = resolved(path).ok()?;
                let folder = fs::canonicalize(folder_of(&target)).ok()?;
                target.file_name().map(|name| Where::New(folder.join(name)))
            }
        }
    }
}

/// Whether a file is in a folder, or one of those in it.
fn holds(folder: &Path, file: &Identity) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.filter_map(|entry| entry.ok()).any(|entry| {
        let path = entry.path();
        // Links to folders are not followed, for they may lead back.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds(&path, file),
            _ => Identity::of(&path).as_ref() == Some(file),
        }
    })
}
