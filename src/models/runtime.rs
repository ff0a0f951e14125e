//! Which execution engine runs models: what was asked for, else the fastest that is found, and where it was looked for.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::base::{Error, Result};
use crate::vision::Engine;

/// Folders in which systems keep shared libraries.
const SYSTEM_FOLDERS: [&str; 8] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/onnxruntime/lib",
    "/opt/homebrew/lib",
    "/usr/local/opt/onnxruntime/lib",
];
/// How to get the faster engine.
const FASTER: &str = "ONNX Runtime is 3 to 5 times faster: `aisle models runtime` fetches it";

/// Which engine is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The library of ONNX Runtime that somebody named, and how: it must open.
    Named(PathBuf, &'static str),
    /// ONNX Runtime, wherever its library is found; an error if it is not.
    OnnxRuntime,
    /// ONNX Runtime where its library is found, else the one inside.
    Fastest,
    /// The one inside this program.
    Embedded,
}

/// The engine in use, and what there is to say about it.
pub struct Chosen {
    /// It.
    pub engine: Engine,
    /// How its library was found; none for the engine inside.
    found_by: Option<&'static str>,
    /// Libraries that were found and cannot be used.
    pub refused: Vec<String>,
}

impl Chosen {
    /// Opens the engine. What was named must open; what was only found on the way may fail, and is told.
    ///
    /// # Errors
    /// When what was asked for is not there or does not open.
    pub fn open(wanted: &Wanted) -> Result<Self> {
        let embedded = |refused| Chosen { engine: Engine::embedded(), found_by: None, refused };
        match wanted {
            Wanted::Embedded => return Ok(embedded(Vec::new())),
            Wanted::Named(path, found_by) => {
                // Loaders look for plain names elsewhere.
                let path = std::path::absolute(path).map_err(|error| Error::io("find", path, &error))?;
                let engine = Engine::onnxruntime(&path)?;
                return Ok(Chosen { engine, found_by: Some(found_by), refused: Vec::new() });
            }
            Wanted::OnnxRuntime | Wanted::Fastest => {}
        }
        let mut refused = Vec::new();
        for (path, found_by) in found() {
            match Engine::onnxruntime(&path) {
                Ok(engine) => return Ok(Chosen { engine, found_by: Some(found_by), refused }),
                Err(error) => refused.push(error.message().to_owned()),
            }
        }
        if *wanted == Wanted::OnnxRuntime {
            let why = refused.first().map_or(String::new(), |why| format!(": {why}"));
            return Err(Error::missing(format!("no library of ONNX Runtime was found{why}"))
                .hint("`aisle models runtime` fetches it, or name one with --onnxruntime"));
        }
        Ok(embedded(refused))
    }

    /// The engine, where it came from, and how to get the faster one.
    pub fn sentence(&self) -> String {
        match (self.engine.library(), self.found_by) {
            (Some(path), Some(found_by)) => {
                let version = self.engine.version().map_or(String::new(), |version| format!(" {version}"));
                format!("ONNX Runtime{version} at {} (by {found_by})", path.display())
            }
            _ => format!("embedded; {FASTER}"),
        }
    }

    /// The same for machines.
    pub fn as_json(&self) -> serde_json::Value {
        json!({
            "name": self.engine.name(),
            "version": self.engine.version(),
            "library": self.engine.library(),
            "found_by": self.found_by,
            "refused": self.refused,
            "faster": self.found_by.is_none().then_some(FASTER),
        })
    }
}

/// The folder in which aisle keeps what it fetched for this user: `aisle` in `XDG_DATA_HOME`, or where the system keeps
/// such data.
///
/// # Errors
/// When the environment names no place.
pub fn data_folder() -> Result<PathBuf> {
    let variable = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || {
        let kept = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
        variable("HOME").map(|home| home.join(kept))
    };
    let folder = variable("XDG_DATA_HOME").or_else(|| variable("LOCALAPPDATA")).or_else(home);
    folder
        .map(|folder| folder.join("aisle"))
        .ok_or_else(|| Error::missing("no place for this user's data is known").hint("set XDG_DATA_HOME, or HOME"))
}

/// Where `aisle models runtime` puts the library.
///
/// # Errors
/// As [`data_folder`].
pub fn runtime_folder() -> Result<PathBuf> {
    data_folder().map(|folder| folder.join("onnxruntime"))
}

/// Libraries on this machine that nobody named, those that we fetched first.
fn found() -> Vec<(PathBuf, &'static str)> {
    let ours = runtime_folder().ok().into_iter().map(|folder| (folder, "aisle models runtime"));
    let listed = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"].into_iter().flat_map(|name| {
        let paths = env::var_os(name).unwrap_or_default();
        env::split_paths(&paths).map(|folder| (folder, "the library path")).collect::<Vec<_>>()
    });
    let system = SYSTEM_FOLDERS.into_iter().map(|folder| (PathBuf::from(folder), "the system's libraries"));
    let libraries = |(folder, by): (PathBuf, &'static str)| libraries(&folder).into_iter().map(move |path| (path, by));
    ours.chain(listed).chain(system).flat_map(libraries).collect()
}

/// Libraries of ONNX Runtime in a folder, the newest version first.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_library(name)).collect();
    let version = |name: &String| -> Vec<u32> { name.split('.').filter_map(|part| part.parse().ok()).collect() };
    names.sort_by_key(|name| (std::cmp::Reverse(version(name)), name.clone()));
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a file is called as the library is, on any system.
pub fn is_library(name: &str) -> bool {
    // A version, or nothing; a file that is only on its way there has other letters.
    let is_version = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let linux = name.strip_prefix("libonnxruntime.so").is_some_and(is_version);
    let mac = name.strip_prefix("libonnxruntime").and_then(|rest| rest.strip_suffix(".dylib")).is_some_and(is_version);
    linux || mac || name == "onnxruntime.dll"
}

#[cfg(test)]
mod tests {
    use super::is_library;

    #[test]
    fn libraries_are_known_by_their_names() {
        let libraries = ["libonnxruntime.so", "libonnxruntime.so.1.32.0", "libonnxruntime.1.32.0.dylib"];
        assert!(libraries.into_iter().chain(["libonnxruntime.dylib", "onnxruntime.dll"]).all(is_library));
        let others = ["libonnxruntime.so.1.32.0.part", "17.libonnxruntime.so", "libonnxruntime_providers_shared.so"];
        assert!(!others.into_iter().any(is_library));
    }
}
