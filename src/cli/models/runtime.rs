//! `aisle models runtime`: gets the faster engine from the Python package that has it.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use zip::ZipArchive;
use zip::result::ZipError;

use super::fetch_shown;
use crate::base::{Error, Result};
use crate::models::{download, is_library, runtime_folder};
use crate::output::OutputFile;
use crate::vision::{Engine, Weights};

/// The version that is known to work.
const VERSION: &str = "1.32.0";

/// Download ONNX Runtime, the faster inference engine, from PyPI, for this user.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle models runtime
  aisle models runtime --release 1.26.0

The library is taken out of the wheel of the package onnxruntime, whose SHA-256 the index gives. It is for processors; for
CUDA, TensorRT or OpenVINO name a library that was built with them: --onnxruntime, or AISLE_ONNXRUNTIME.")]
pub(super) struct Runtime {
    /// Version of ONNX Runtime, from 1.24.
    #[arg(long, value_name = "VERSION", default_value = VERSION)]
    release: String,
    /// A package index with the JSON API of PyPI.
    #[arg(long, value_name = "ADDRESS", default_value = "https://pypi.org")]
    index: String,
}

impl Runtime {
    pub(super) fn run(self) -> Result<()> {
        if !self.release.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.') {
            return Err(Error::usage(format!("`{}` is no version", self.release)));
        }
        let address = format!("{}/pypi/onnxruntime/{}/json", self.index.trim_end_matches('/'), self.release);
        let answer = download::document(&address)?;
        let https_only = address.starts_with("https://");
        let (weights, source) = wheel(&answer).ok_or_else(|| {
            let platform = format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH);
            Error::missing(format!("{address} has no wheel for {platform}"))
        })?;
        // What is loaded into this program comes no less safely than its digest.
        let source = download::checked(&source, https_only)?;
        let folder = runtime_folder()?;
        let wheel = folder.join(&weights.file);
        fetch_shown(&source, &wheel, &weights)?;
        let installed = install(&wheel, &folder);
        match fs::remove_file(&wheel) {
            // Another aisle that did the same at the same time was sooner.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => outcome.map_err(|error| Error::io("remove", &wheel, &error))?,
        }
        let (library, version) = installed?;
        crate::cli::print(&format!("ONNX Runtime {version} at {}\n", library.display()))
    }
}

/// The wheel for this machine, and its address. Whatever Python it is for, the library in it is the same.
fn wheel(answer: &Value) -> Option<(Weights, String)> {
    let machine = match std::env::consts::ARCH {
        "aarch64" if cfg!(target_os = "macos") => "arm64",
        "x86_64" if cfg!(windows) => "amd64",
        machine => machine,
    };
    let system = match std::env::consts::OS {
        "linux" => "manylinux",
        "windows" => "win",
        _ => "macosx",
    };
    let read = |file: &Value| -> Option<(Weights, String)> {
        let name = file["filename"].as_str()?;
        let fits = name.ends_with(".whl") && name.contains(system) && !name.contains(['/', '\\']);
        let fits = fits && (name.contains(machine) || name.contains("universal2"));
        let weights = Weights {
            file: name.to_owned(),
            size_bytes: file["size"].as_u64()?,
            sha256: file["digests"]["sha256"].as_str()?.to_owned(),
            licence: "MIT".to_owned(),
            source: None,
        };
        fits.then(|| Some((weights, file["url"].as_str()?.to_owned()))).flatten()
    };
    answer["urls"].as_array()?.iter().find_map(read)
}

/// Takes the library out of a wheel and gives it its name once it works; what does not is removed. Says where it is, and
/// its version.
fn install(wheel: &Path, folder: &Path) -> Result<(PathBuf, String)> {
    let (name, mut archive, entry) = library_in(wheel)?;
    let path = folder.join(&name);
    let broken = |error: ZipError| Error::input(format!("not a wheel: {error}")).at_path(wheel);
    let mut packed = archive.by_name(&entry).map_err(broken)?;
    // Nobody takes a file for the library that is not called as one, and no other aisle writes to it.
    let mut output = OutputFile::create(&path)?;
    std::io::copy(&mut packed, &mut output).map_err(|error| Error::io("write", &path, &error))?;
    let version = Engine::onnxruntime(output.passing_path())?.version().unwrap_or_default().to_owned();
    output.finish()?;
    Ok((path, version))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("open", path, &error))
}

/// The name of the library in a wheel, the wheel, and where in it the library is.
fn library_in(wheel: &Path) -> Result<(String, ZipArchive<File>, String)> {
    let broken = |error: ZipError| Error::input(format!("not a wheel: {error}")).at_path(wheel);
    let archive = ZipArchive::new(open(wheel)?).map_err(broken)?;
    let inside = |name: &str| name.rsplit('/').next().filter(|file| is_library(file)).map(str::to_owned);
    let mut names = archive.file_names().filter_map(|name| name.ok().map(|name| name.into_owned()));
    let found = names.find_map(|name| inside(&name).map(|file| (name, file)));
    drop(names);
    let Some((entry, name)) = found else {
        return Err(Error::input("the wheel has no library of ONNX Runtime").at_path(wheel));
    };
    Ok((name, archive, entry))
}
