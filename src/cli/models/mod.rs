//! `aisle models`: the networks that are known, whether their weights are here and right, and how to get them.
//! It takes a command line and gives lists, files and timings. It never uses a file whose digest it has not checked.

mod bench;
mod download;
mod fetch;
mod runtime;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::engine::data_folder;
use crate::base::text::{left, plain};
use crate::base::{Error, Result};
use crate::config;
use crate::vision::{Engine, LoadOptions, Manifest, Model, Weights};

/// Networks: list them, check and fetch their weights, measure them, get a faster engine.
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

/// Where networks are.
#[derive(Args, Clone, Debug)]
pub(super) struct FolderArgs {
    /// A folder of manifests and weights of your own; it goes before what is built in and fetched.
    #[arg(long, value_name = "FOLDER", env = "AISLE_MODELS")]
    models: Option<PathBuf>,
}

/// The networks that are known, and the folders in which their weights may lie.
pub(super) struct Library {
    pub(super) manifests: BTreeMap<String, Manifest>,
    folders: Vec<PathBuf>,
}

/// Where weights are.
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In this program.
    BuiltIn(&'static [u8]),
}

impl FolderArgs {
    /// The folder that somebody named.
    pub(super) fn given(&self) -> Option<&Path> {
        self.models.as_deref()
    }

    pub(super) fn open(&self) -> Result<Library> {
        let fetched = data_folder().ok().map(|folder| folder.join("models"));
        let folders = self.models.clone().into_iter().chain(fetched).collect();
        Ok(Library { manifests: config::load_manifests(self.models.as_deref())?, folders })
    }
}

impl Library {
    /// Manifests by name, in the order given; all of them when no name is.
    pub(super) fn choose(&self, names: &[String]) -> Result<Vec<&Manifest>> {
        if names.is_empty() {
            return Ok(self.manifests.values().collect());
        }
        names.iter().map(|name| self.get(name)).collect()
    }

    pub(super) fn get(&self, name: &str) -> Result<&Manifest> {
        let unknown = || Error::missing(format!("no network is called {name}")).hint("`aisle models list` names them");
        self.manifests.get(name).ok_or_else(unknown)
    }

    /// Where the weights are: in the first of the folders that has them, else built in.
    pub(super) fn weights(&self, manifest: &Manifest) -> Option<Place> {
        let file = &manifest.weights.file;
        let found = self.folders.iter().map(|folder| folder.join(file)).find(|path| path.is_file());
        found.map(Place::File).or_else(|| config::built_in_weights(file).map(Place::BuiltIn))
    }

    /// The folder that weights are fetched into.
    fn target(&self) -> Result<&Path> {
        self.folders.first().map(PathBuf::as_path).ok_or_else(|| {
            Error::missing("no folder for networks is known").hint("give one with --models, or set XDG_DATA_HOME")
        })
    }

    /// Loads a network after its weights were checked against the manifest.
    pub(super) fn load(&self, manifest: &Manifest, engine: &Engine, options: LoadOptions) -> Result<Model> {
        let bytes = self.read(manifest)?;
        Model::new(manifest.clone(), engine.load(&bytes, options)?)
    }

    /// The bytes of the weights, checked.
    pub(super) fn read(&self, manifest: &Manifest) -> Result<Vec<u8>> {
        let Some(place) = self.weights(manifest) else {
            let hint = match manifest.weights.source {
                Some(_) => format!("`aisle models fetch {}`", manifest.name),
                None => format!("put {} into the folder given with --models", manifest.weights.file),
            };
            return Err(Error::missing(format!("the weights of {} are not here", manifest.name)).hint(hint));
        };
        match place {
            Place::File(path) => download::read(&path, &manifest.weights),
            Place::BuiltIn(bytes) => place.check(&manifest.weights).map(|()| bytes.to_vec()),
        }
    }
}

impl Place {
    /// Whether these are the weights that were meant.
    fn check(&self, weights: &Weights) -> Result<()> {
        match self {
            Place::File(path) => download::check(path, weights),
            Place::BuiltIn(bytes) => download::check_bytes(bytes, weights),
        }
    }

    /// The file; none for what is built in.
    fn file(&self) -> Option<&Path> {
        match self {
            Place::File(path) => Some(path),
            Place::BuiltIn(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::BuiltIn(_) => f.write_str("built in"),
        }
    }
}

/// List the networks that are known, and whether their weights are here.
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

/// Check that weights are the ones of their manifests, byte for byte.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models verify                   everything that is here
  aisle models verify yunet_n_640       this one, which must be here

Exit status 0: all right. 3: one is missing or another file.")]
struct Verify {
    /// Names of networks; all whose weights are here if none is given.
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

/// Opens a file to be read.
fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("open", path, &error))
}
