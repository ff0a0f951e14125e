//! Which engine a command runs models with, and how.

use std::env;
use std::path::PathBuf;
use std::sync::Once;

use clap::{Args, ValueEnum};

use crate::base::Result;
use crate::models::{Chosen, Wanted};
use crate::vision::{LoadOptions, Provider};

/// How models are run.
#[derive(Args, Clone, Debug)]
pub(super) struct EngineArgs {
    /// Inference engine: the faster one that is found, or one of them.
    #[arg(long, value_enum, default_value = "auto")]
    engine: Choice,
    /// The shared library of ONNX Runtime [also: AISLE_ONNXRUNTIME, ORT_DYLIB_PATH].
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// Execution provider of ONNX Runtime; fails if it is unavailable.
    #[arg(long, value_enum, default_value = "cpu")]
    provider: Chip,
    /// Threads of one inference (intra-op); 1 unless given (`models bench`: one for each core).
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    inference_threads: Option<u16>,
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// ONNX Runtime where its library is found, else the one inside.
    Auto,
    /// ONNX Runtime; an error if its library is not found.
    Onnxruntime,
    /// The one inside this program.
    Embedded,
}

/// The execution provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Chip {
    Cpu,
    Cuda,
    Tensorrt,
    Openvino,
}

impl EngineArgs {
    /// How models are loaded.
    pub(super) fn load_options(&self) -> LoadOptions {
        let provider = match self.provider {
            Chip::Cpu => Provider::Cpu,
            Chip::Cuda => Provider::Cuda,
            Chip::Tensorrt => Provider::TensorRt,
            Chip::Openvino => Provider::OpenVino,
        };
        LoadOptions { threads: self.threads().unwrap_or(1), provider }
    }

    /// Threads of one inference, if somebody named a number.
    pub(super) fn threads(&self) -> Option<usize> {
        self.inference_threads.map(usize::from)
    }

    /// Sessions that run beside each other without having to wait for a core.
    pub(super) fn sessions(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self.provider {
            Chip::Cpu => (cores / self.threads().unwrap_or(1)).max(1),
            Chip::Cuda | Chip::Tensorrt | Chip::Openvino => 1,
        }
    }

    /// Opens the engine. What was named must open; what was only found on the way may fail, and is told.
    pub(super) fn open(&self) -> Result<Chosen> {
        let named = || self.named().map(|(path, by)| Wanted::Named(path, by));
        let wanted = match self.engine {
            Choice::Embedded => Wanted::Embedded,
            Choice::Onnxruntime => named().unwrap_or(Wanted::OnnxRuntime),
            Choice::Auto if self.load_options().provider != Provider::Cpu => named().unwrap_or(Wanted::OnnxRuntime),
            Choice::Auto => named().unwrap_or(Wanted::Fastest),
        };
        Chosen::open(&wanted)
    }

    /// The library that somebody named.
    fn named(&self) -> Option<(PathBuf, &'static str)> {
        let variable = |name: &'static str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let option = self.onnxruntime.clone().map(|path| (path, "--onnxruntime"));
        let ours = || variable("AISLE_ONNXRUNTIME").map(|path| (path, "AISLE_ONNXRUNTIME"));
        let theirs = || variable("ORT_DYLIB_PATH").map(|path| (path, "ORT_DYLIB_PATH"));
        option.or_else(ours).or_else(theirs)
    }
}

/// What is said when a command begins that runs models, once however many recordings it looks at.
pub(super) fn tell(chosen: &Chosen) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        for refused in &chosen.refused {
            super::warn(refused);
        }
        eprintln!("engine: {}", chosen.sentence());
    });
}
