//! The faster engine: ONNX Runtime, a shared library that is loaded when the program runs. The only file that knows `ort`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef};

use super::network::{LoadOptions, Network, Output, Provider, Shape, Slot, Tensor, Values};
use crate::base::{Error, Result};

/// The library allows one environment a process, which therefore outlives whoever asked for it first.
static ENVIRONMENT: OnceLock<Result<(Environment, PathBuf), String>> = OnceLock::new();

/// The library, loaded. A process has one; opening it again gives the same one.
#[derive(Clone)]
pub(super) struct Runtime {
    environment: Environment,
    path: PathBuf,
    version: Option<String>,
}

impl Runtime {
    /// Loads the library of a file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::unavailable(format!("cannot use ONNX Runtime at {}: {error}", path.display()))
                .hint("versions from 1.24 on work; `aisle models runtime` fetches one")
        };
        let builder = ort::init_from(path).map_err(|error| wrong(&error))?;
        let opened = ENVIRONMENT.get_or_init(|| {
            let environment = builder.with_name("aisle").with_telemetry(false).build();
            environment.map(|environment| (environment, path.to_owned())).map_err(|error| first_line(&error))
        });
        let (environment, first) = opened.as_ref().map_err(|error| wrong(error))?;
        if first != path {
            return Err(wrong(&format!("{} is in use already, and a process has one", first.display())));
        }
        let version = version(ort::info(), path);
        Ok(Runtime { environment: environment.clone(), path: path.to_owned(), version })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(super) fn load(&self, bytes: &[u8], options: LoadOptions) -> Result<Box<dyn Network>> {
        let started = |error: &dyn std::fmt::Display| {
            let name = options.provider.name();
            Error::unavailable(format!("the provider {name} cannot start: {error}"))
                .hint("install what it needs and a library that was built with it, or choose another provider")
        };
        let failed = |error: &dyn std::fmt::Display| {
            Error::input(format!("ONNX Runtime cannot load this model: {}", first_line(error)))
        };
        let mut builder = Session::builder(&self.environment)
            .map_err(|error| failed(&error))?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(|error| failed(&error))?
            .with_intra_threads(options.threads)
            .map_err(|error| failed(&error))?;
        if let Some(provider) = dispatch(options.provider)? {
            // Without this, operations that the provider lacks would run on the processor unsaid.
            builder = builder.with_disable_cpu_fallback().map_err(|error| failed(&error))?;
            builder =
                builder.with_execution_providers([provider.error_on_failure()]).map_err(|error| started(&error))?;
        }
        let session = builder.commit_from_memory(bytes).map_err(|error| failed(&error))?;
        let (inputs, outputs) = (slots(session.inputs()), slots(session.outputs()));
        Ok(Box::new(Loaded { session, inputs, outputs }))
    }
}

/// The version, from what the library says of the branch it was built from, else from the name of its file.
fn version(info: &str, path: &Path) -> Option<String> {
    let branch = info.split("git-branch=rel-").nth(1).and_then(|rest| rest.split(',').next());
    let name = path.file_name()?.to_str()?;
    let named = || name.split_once(".so.").map(|(_, version)| version);
    branch.or_else(named).map(str::to_owned)
}

/// What starts a provider; none for the processor itself.
fn dispatch(provider: Provider) -> Result<Option<ExecutionProviderDispatch>> {
    match provider {
        Provider::Cpu => Ok(None),
        #[cfg(feature = "cuda")]
        Provider::Cuda => Ok(Some(ort::ep::CUDA::default().build())),
        #[cfg(feature = "tensorrt")]
        Provider::TensorRt => Ok(Some(ort::ep::TensorRT::default().build())),
        #[cfg(feature = "openvino")]
        Provider::OpenVino => Ok(Some(ort::ep::OpenVINO::default().build())),
        #[allow(unreachable_patterns, reason = "with every feature there is no other one")]
        other => Err(Error::usage(format!("this aisle was built without the provider {}", other.name()))
            .hint(format!("build it with `--features {}`", other.name()))),
    }
}

/// Messages of the library go on with paths of the machine it was built on, and some begin with one and with the name of a
/// function, which end in a bracket.
fn first_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let said = if line.starts_with('/') { line.split_once(") ").map_or(line, |(_, said)| said) } else { line };
    said.to_owned()
}

fn slots(outlets: &[Outlet]) -> Vec<Slot> {
    let slot = |outlet: &Outlet| Slot {
        name: outlet.name().to_owned(),
        element: outlet.dtype().tensor_type().map(|element| element.to_string()),
        shape: outlet
            .dtype()
            .tensor_shape()
            .map(|shape| Shape(shape.iter().map(|length| usize::try_from(*length).ok()).collect())),
    };
    outlets.iter().map(slot).collect()
}

struct Loaded {
    session: Session,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
}

impl Network for Loaded {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        let failed = |error: ort::Error| Error::input(format!("ONNX Runtime failed: {}", first_line(&error)));
        let given = match input.values() {
            Values::F32(values) => {
                TensorRef::from_array_view((input.shape(), values.as_slice())).map_err(failed)?.into_dyn()
            }
            Values::U8(values) => {
                TensorRef::from_array_view((input.shape(), values.as_slice())).map_err(failed)?.into_dyn()
            }
        };
        let results = self.session.run([given.into()]).map_err(failed)?;
        outputs.resize_with(self.outputs.len(), Output::default);
        for (output, (name, value)) in outputs.iter_mut().zip(results.iter()) {
            if output.name != name {
                name.clone_into(&mut output.name);
            }
            copy(&value, output).map_err(failed)?;
        }
        Ok(())
    }
}

fn copy(value: &DynValue, output: &mut Output) -> ort::Result<()> {
    let length = |length: &i64| usize::try_from(*length).unwrap_or(0);
    match value.dtype().tensor_type() {
        Some(TensorElementType::Uint8) => {
            let (shape, values) = value.try_extract_tensor::<u8>()?;
            output.fill(shape.iter().map(length), values, f32::from);
        }
        Some(TensorElementType::Int8) => {
            let (shape, values) = value.try_extract_tensor::<i8>()?;
            output.fill(shape.iter().map(length), values, f32::from);
        }
        Some(TensorElementType::Int32) => {
            let (shape, values) = value.try_extract_tensor::<i32>()?;
            output.fill(shape.iter().map(length), values, |value| value as f32);
        }
        Some(TensorElementType::Int64) => {
            let (shape, values) = value.try_extract_tensor::<i64>()?;
            output.fill(shape.iter().map(length), values, |value| value as f32);
        }
        _ => {
            let (shape, values) = value.try_extract_tensor::<f32>()?;
            output.fill(shape.iter().map(length), values, |value| value);
        }
    }
    Ok(())
}
