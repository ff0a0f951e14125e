//! `aisle models fetch`: gets weights from where they were published.

use clap::Args;

use super::{FolderArgs, fetch_shown};
use crate::base::{Error, Kind, Result};
use crate::models::Library;
use crate::vision::Manifest;

/// Download weights from where they were published, and verify their checksums.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models fetch yunet_n_640 yolox_nano
  aisle models fetch --all

A fetch that broke off goes on where it was when it is run again. Nothing is kept that is not of the length and SHA-256 of
the manifest.")]
pub(super) struct Fetch {
    /// Names of models.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// All that can be fetched.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    #[command(flatten)]
    folder: FolderArgs,
}

impl Fetch {
    pub(super) fn run(self) -> Result<()> {
        let library = self.folder.open()?;
        let mut failures = Vec::new();
        for manifest in library.choose(&self.names)? {
            if self.all && manifest.weights.source.is_none() {
                continue;
            }
            match fetch(&library, manifest) {
                Ok(what) => crate::cli::print(&format!("{}: {what}\n", manifest.name))?,
                Err(error) => failures.push(error.during(&manifest.name)),
            }
        }
        let further: Vec<String> = failures.iter().skip(1).map(|error| format!("\n  {error}")).collect();
        let later = failures.iter().all(|error| error.kind() == Kind::Unavailable);
        match failures.into_iter().next() {
            None => Ok(()),
            Some(first) if further.is_empty() => Err(first),
            Some(first) => {
                let count = further.len() + 1;
                let message = format!("{count} models could not be fetched:\n  {first}{}", further.concat());
                // Trying again later helps only if that is so for all of them.
                Err(if later { Error::unavailable(message) } else { Error::input(message) })
            }
        }
    }
}

fn fetch(library: &Library, manifest: &Manifest) -> Result<String> {
    if let Some(place) = library.weights(manifest) {
        place.check(&manifest.weights)?;
        return Ok(format!("already here: {place}"));
    }
    let Some(source) = &manifest.weights.source else {
        return Err(Error::missing("there is no address to fetch it from").hint("its manifest says how it was made"));
    };
    let path = library.target()?.join(&manifest.weights.file);
    fetch_shown(source, &path, &manifest.weights)?;
    Ok(format!("fetched to {}", path.display()))
}
