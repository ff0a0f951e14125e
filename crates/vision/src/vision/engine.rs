//! The two engines that run models, and how one is chosen.

use std::path::Path;

use super::network::{LoadOptions, Network};
use super::{embedded, onnx, onnxruntime};
use crate::base::Result;

/// What runs models.
#[derive(Clone)]
pub struct Engine(Kind);

#[derive(Clone)]
enum Kind {
    OnnxRuntime(onnxruntime::Runtime),
    Embedded,
}

impl Engine {
    /// The engine inside this program.
    pub const fn embedded() -> Self {
        Engine(Kind::Embedded)
    }

    /// ONNX Runtime from its shared library. A process has one library: the first that was opened.
    ///
    /// # Errors
    /// When the file is no such library, or an older one than 1.24.
    pub fn onnxruntime(library: &Path) -> Result<Self> {
        onnxruntime::Runtime::open(library).map(|runtime| Engine(Kind::OnnxRuntime(runtime)))
    }

    /// `onnxruntime` or `embedded`.
    pub const fn name(&self) -> &'static str {
        match self.0 {
            Kind::OnnxRuntime(_) => "onnxruntime",
            Kind::Embedded => "embedded",
        }
    }

    /// The version of the library; none for the engine inside, and where the library does not tell it.
    pub fn version(&self) -> Option<&str> {
        match &self.0 {
            Kind::OnnxRuntime(runtime) => runtime.version(),
            Kind::Embedded => None,
        }
    }

    /// The file of the library; none for the engine inside.
    pub fn library(&self) -> Option<&Path> {
        match &self.0 {
            Kind::OnnxRuntime(runtime) => Some(runtime.path()),
            Kind::Embedded => None,
        }
    }

    /// Loads a model from the bytes of its ONNX file.
    ///
    /// # Errors
    /// When it is no ONNX file, not whole, or would take more memory than a model may; when the engine does not know an
    /// operation of it, or the provider cannot start.
    pub fn load(&self, bytes: &[u8], options: LoadOptions) -> Result<Box<dyn Network>> {
        onnx::check_network(bytes)?;
        match &self.0 {
            Kind::OnnxRuntime(runtime) => runtime.load(bytes, options),
            Kind::Embedded => embedded::load(bytes, options),
        }
    }
}
