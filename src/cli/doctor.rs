//! `aisle doctor`: what this machine has of what aisle can use.

use clap::Args;
use serde_json::json;

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
  aisle doctor --json")]
pub(super) struct Doctor {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
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
        ))
    }
}
