//! `aisle models`: the models that are known, whether their weights are here and right, and how to get them.
//! It takes a command line and gives lists, files and timings. It never uses a file whose digest it has not checked.

mod bench;
mod fetch;
mod runtime;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::text::{left, plain};
use crate::base::{Error, Result};
use crate::models::{Library, Place};
use crate::vision::{Manifest, Weights};

/// Models: list them, download and verify their weights, benchmark them, get a faster inference engine.
#[derive(Args, Debug)]
pub(super) struct Models {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Verify(Verify),
    Fetch(fetch::Fetch),
    Bench(bench::Bench),
    Runtime(runtime::Runtime),
}

impl Models {
    /// Runs the command.
    ///
    /// # Errors
    /// When manifests have problems, or with what the command below says.
    pub(super) fn run(self) -> Result<()> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Verify(verify) => verify.run(),
            Verb::Fetch(fetch) => fetch.run(),
            Verb::Bench(bench) => bench.run(),
            Verb::Runtime(runtime) => runtime.run(),
        }
    }
}

/// Where models are.
#[derive(Args, Clone, Debug)]
pub(super) struct FolderArgs {
    /// A folder of manifests and weights of your own; it goes before what is built in and fetched.
    #[arg(long, value_name = "FOLDER", env = "AISLE_MODELS")]
    models: Option<PathBuf>,
}

impl FolderArgs {
    /// The folder that somebody named.
    pub(super) fn given(&self) -> Option<&Path> {
        self.models.as_deref()
    }

    pub(super) fn open(&self) -> Result<Library> {
        Library::open(self.models.as_deref())
    }
}

/// List the models that are known, and whether their weights are here.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models list
  aisle models list --models my-networks --json")]
struct List {
    #[command(flatten)]
    folder: FolderArgs,
    /// Print the list as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl List {
    fn run(self) -> Result<()> {
        let library = self.folder.open()?;
        if self.json {
            let row = |manifest: &Manifest| {
                json!({
                    "name": manifest.name,
                    "role": manifest.role.name(),
                    "size_bytes": manifest.weights.size_bytes,
                    "sha256": manifest.weights.sha256,
                    "licence": manifest.weights.licence,
                    "source": manifest.weights.source,
                    "here": library.weights(manifest).is_some(),
                    "file": library.weights(manifest).as_ref().and_then(Place::file),
                })
            };
            let rows: Vec<_> = library.manifests.values().map(row).collect();
            return super::print(&format!("{}\n", json!(rows)));
        }
        let mut text = String::new();
        for manifest in library.manifests.values() {
            let state = match (library.weights(manifest), &manifest.weights.source) {
                (Some(place), _) => place.to_string(),
                (None, Some(_)) => "not here; can be fetched".to_owned(),
                (None, None) => "not here".to_owned(),
            };
            let size = manifest.weights.size_bytes as f64 / 1e6;
            let (name, role) = (left(&plain(&manifest.name), 21), manifest.role.name());
            let (licence, state) = (left(&plain(&manifest.weights.licence), 11), plain(&state));
            text += &format!("{name} {role:<18} {size:>6.1} MB  {licence} {state}\n");
        }
        super::print(&text)
    }
}

/// Verify weights against the checksums of their manifests.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models verify                   everything that is here
  aisle models verify yunet_n_640       this one, which must be here

Exit status 0: all right. 3: one is missing or another file.")]
struct Verify {
    /// Names of models; all whose weights are here if none is given.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    folder: FolderArgs,
}

impl Verify {
    fn run(self) -> Result<()> {
        let library = self.folder.open()?;
        let (mut problems, mut seen) = (Vec::new(), 0);
        for manifest in library.choose(&self.names)? {
            let outcome = match library.weights(manifest) {
                None if self.names.is_empty() => continue,
                None => Err(Error::missing("its weights are not here")),
                Some(place) => place.check(&manifest.weights),
            };
            seen += 1;
            match outcome {
                Ok(()) => super::print(&format!("{}: right\n", plain(&manifest.name)))?,
                Err(error) => problems.push(format!("\n  {}: {error}", manifest.name)),
            }
        }
        if seen == 0 {
            return super::print("no weights are here; `aisle models fetch --all` gets them\n");
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::input(format!("weights are missing or wrong:{}", problems.concat())))
    }
}

/// Fetches a file, with a bar that shows how far it has come.
fn fetch_shown(address: &str, path: &Path, weights: &Weights) -> Result<()> {
    let progress = super::progress(weights.size_bytes, "{msg} {bytes} of {total_bytes} {bar:30} {eta}");
    progress.set_message(weights.file.clone());
    crate::models::download::fetch(address, path, weights, &progress)
}
