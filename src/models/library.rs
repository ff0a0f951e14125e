//! The models that are known, by their manifests, and where their weights are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::download;
use super::runtime::data_folder;
use crate::base::{Error, Result};
use crate::config;
use crate::vision::{Engine, LoadOptions, Manifest, Model, Weights};

/// The models that are known, and the folders in which their weights may lie.
pub struct Library {
    /// Manifests by name.
    pub manifests: BTreeMap<String, Manifest>,
    folders: Vec<PathBuf>,
}

/// Where weights are.
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In this program.
    BuiltIn(&'static [u8]),
}

impl Library {
    /// What is built in, what was fetched for this user and, before both, a folder of one's own.
    ///
    /// # Errors
    /// When manifests have problems.
    pub fn open(own: Option<&Path>) -> Result<Self> {
        let fetched = data_folder().ok().map(|folder| folder.join("models"));
        let folders = own.map(Path::to_owned).into_iter().chain(fetched).collect();
        Ok(Library { manifests: config::load_manifests(own)?, folders })
    }

    /// Manifests by name, in the order given; all of them when no name is.
    ///
    /// # Errors
    /// When one is not known.
    pub fn choose(&self, names: &[String]) -> Result<Vec<&Manifest>> {
        if names.is_empty() {
            return Ok(self.manifests.values().collect());
        }
        names.iter().map(|name| self.get(name)).collect()
    }

    /// The manifest of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Manifest> {
        let unknown = || Error::missing(format!("no model is called {name}")).hint("`aisle models list` names them");
        self.manifests.get(name).ok_or_else(unknown)
    }

    /// Where the weights are: in the first of the folders that has them, else built in.
    pub fn weights(&self, manifest: &Manifest) -> Option<Place> {
        let file = &manifest.weights.file;
        let found = self.folders.iter().map(|folder| folder.join(file)).find(|path| path.is_file());
        found.map(Place::File).or_else(|| config::built_in_weights(file).map(Place::BuiltIn))
    }

    /// The folder that weights are fetched into.
    ///
    /// # Errors
    /// When none is known.
    pub fn target(&self) -> Result<&Path> {
        self.folders.first().map(PathBuf::as_path).ok_or_else(|| {
            Error::missing("no folder for models is known").hint("give one with --models, or set XDG_DATA_HOME")
        })
    }

    /// Loads a model after its weights were checked against the manifest.
    ///
    /// # Errors
    /// When its weights are not here, are others, or cannot be loaded.
    pub fn load(&self, manifest: &Manifest, engine: &Engine, options: LoadOptions) -> Result<Model> {
        let bytes = self.read(manifest)?;
        Model::new(manifest.clone(), engine.load(&bytes, options)?)
    }

    /// The bytes of the weights, checked.
    ///
    /// # Errors
    /// When they are not here, or are others.
    pub fn read(&self, manifest: &Manifest) -> Result<Vec<u8>> {
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
    ///
    /// # Errors
    /// When they are others or cannot be read.
    pub fn check(&self, weights: &Weights) -> Result<()> {
        match self {
            Place::File(path) => download::check(path, weights),
            Place::BuiltIn(bytes) => download::check_bytes(bytes, weights),
        }
    }

    /// The file; none for what is built in.
    pub fn file(&self) -> Option<&Path> {
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
