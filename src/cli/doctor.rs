//! `aisle doctor`: what this machine has of what aisle can use.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::devices;
use super::engine::EngineArgs;
use super::models::FolderArgs;
use crate::base::Result;
use crate::models::data_folder;
use crate::vision::Provider;

/// Diagnose this machine: the inference engine and how to get a faster one, the models that are here.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle doctor
  aisle doctor --shop shop                                        its broker and cameras, as they are from here
  aisle doctor --api http://127.0.0.1:8080 --token-file token     all devices of a shop that is open, as it hears them
  aisle doctor --json")]
pub(super) struct Doctor {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder of a shop whose devices are to be reached
    #[arg(long, value_name = "FOLDER", conflicts_with = "api")]
    shop: Option<PathBuf>,
    /// URL of an open shop that is asked how its devices are
    #[arg(long, value_name = "URL", requires = "token_file")]
    api: Option<String>,
    /// File with a token of an operator
    #[arg(long, value_name = "FILE", requires = "api")]
    token_file: Option<PathBuf>,
    /// Print the findings as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// When an engine was asked for that cannot be used, or a manifest has problems.
    pub(super) fn run(self) -> Result<()> {
        let devices = match (&self.shop, &self.api, &self.token_file) {
            (Some(shop), ..) => Some(devices::examine(shop)?),
            (_, Some(api), Some(token_file)) => Some(devices::ask(api, token_file)?),
            _ => None,
        };
        let chosen = self.engine.open()?;
        let library = self.folder.open()?;
        let features = [cfg!(feature = "cuda"), cfg!(feature = "tensorrt"), cfg!(feature = "openvino")];
        let built = [true].into_iter().chain(features);
        let providers: Vec<&str> =
            Provider::ALL.iter().zip(built).filter(|(_, built)| *built).map(|(provider, _)| provider.name()).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let here = library.manifests.values().filter(|manifest| library.weights(manifest).is_some());
        let here: Vec<&str> = here.map(|manifest| manifest.name.as_str()).collect();
        let data = data_folder().ok();
        if self.json {
            let findings = json!({
                "version": env!("CARGO_PKG_VERSION"),
                "cores": cores,
                "data_folder": data,
                "engine": chosen.as_json(),
                "providers": providers,
                "models_known": library.manifests.len(),
                "models_here": here,
                "devices": devices.map(|devices| devices.iter().map(devices::Finding::as_json).collect::<Vec<_>>()),
            });
            return super::print(&format!("{findings}\n"));
        }
        let networks = match here.as_slice() {
            [] => "none is here; `aisle models fetch --all` gets them".to_owned(),
            here => here.join(", "),
        };
        let data = data.map_or_else(|| "unknown".to_owned(), |folder| folder.display().to_string());
        super::print(&format!(
            "aisle:     {}\ncores:     {cores}\ndata:      {data}\nengine:    {}\nproviders: {}\nnetworks:  {networks}\n",
            env!("CARGO_PKG_VERSION"),
            chosen.sentence(),
            providers.join(", "),
        ))?;
        let Some(devices) = devices else { return Ok(()) };
        let lines: String = devices.iter().map(|device| format!("  {}\n", device.sentence())).collect();
        super::print(&format!("devices:\n{lines}"))
    }
}
