//! What a loaded model is to the rest of the program: a tensor in, named tensors out; and how one is loaded.

use std::fmt;

use crate::base::Result;

/// On what ONNX Runtime computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's CUDA.
    Cuda,
    /// NVIDIA's TensorRT.
    TensorRt,
    /// Intel's OpenVINO.
    OpenVino,
}

/// How a model is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Threads of one inference, from 1. Several models of one thread each, run beside each other, do more than one
    /// of several threads; one of several threads answers a single frame sooner.
    pub threads: usize,
    /// On what it runs. One that cannot start is an error, never a silent fall to the processor.
    pub provider: Provider,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { threads: 1, provider: Provider::Cpu }
    }
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 4] = [Provider::Cpu, Provider::Cuda, Provider::TensorRt, Provider::OpenVino];

    /// Its name, also of the feature that this program is built with to have it.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
            Provider::OpenVino => "openvino",
        }
    }
}

/// What the numbers of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// Bytes from 0 to 255.
    U8,
}

impl Element {
    /// The name of the type in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::U8 => "u8",
        }
    }
}

/// The numbers of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Bytes.
    U8(Vec<u8>),
}

/// The input of a model, made once and filled again for every frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Values,
}

/// An output of a model, whatever its type there, as floats; filled again by every inference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// What the model calls it.
    pub name: String,
    /// Lengths of its axes, the outermost first.
    pub shape: Vec<usize>,
    /// Its numbers, row-major.
    pub values: Vec<f32>,
}

/// Lengths of the axes of an input or output as a model declares them; `None` for what is only known when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(pub Vec<Option<usize>>);

/// An input or output as a model declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What its numbers are, by the name of the type in Rust, such as `f32`; `None` where the file does not say.
    pub element: Option<String>,
    /// Its shape; `None` where the file does not say.
    pub shape: Option<Shape>,
}

/// A model in memory, ready to run. One is used by one caller at a time; several of one file run beside each other.
pub trait Network: Send {
    /// What goes in.
    fn inputs(&self) -> &[Slot];

    /// What comes out, in the order of the file.
    fn outputs(&self) -> &[Slot];

    /// Runs on one input and writes every output, in the order of [`outputs`](Network::outputs), into memory that is
    /// used again.
    ///
    /// # Errors
    /// When the engine refuses the input or fails in an operation.
    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()>;
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(element: Element, shape: &[usize]) -> Self {
        let count = shape.iter().product();
        let values = match element {
            Element::F32 => Values::F32(vec![0.0; count]),
            Element::U8 => Values::U8(vec![0; count]),
        };
        Tensor { shape: shape.to_vec(), values }
    }

    /// Lengths of its axes, the outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Changes the length of the outermost axis; what is there stays, what is new is 0. Memory that is there is used
    /// again.
    pub(super) fn set_batch(&mut self, pictures: usize) {
        if let Some(batch) = self.shape.first_mut() {
            *batch = pictures;
        }
        let count = self.shape.iter().product();
        match &mut self.values {
            Values::F32(values) => values.resize(count, 0.0),
            Values::U8(values) => values.resize(count, 0),
        }
    }

    /// Its numbers, row-major.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Its numbers, to be changed.
    pub fn values_mut(&mut self) -> &mut Values {
        &mut self.values
    }
}

impl Output {
    /// Takes over what an engine gives, in memory that is there.
    pub(super) fn fill<T: Copy>(&mut self, shape: impl Iterator<Item = usize>, values: &[T], float: impl Fn(T) -> f32) {
        self.shape.clear();
        self.shape.extend(shape);
        self.values.clear();
        self.values.extend(values.iter().map(|value| float(*value)));
    }
}

impl Shape {
    /// A shape of which every length is known.
    pub fn fixed(lengths: &[usize]) -> Self {
        Shape(lengths.iter().copied().map(Some).collect())
    }

    /// Whether both can be the shape of one tensor: no two known lengths differ. Where one has more axes than the
    /// other, axes of length 1 in front do not count, since exporters keep or drop the batch as they like.
    pub fn fits(&self, other: &Shape) -> bool {
        let (one, two) = (self.without_front(other.0.len()), other.without_front(self.0.len()));
        one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.is_none() || b.is_none() || a == b)
    }

    /// Sets the length of the outermost axis.
    pub(super) fn set_batch(&mut self, pictures: usize) {
        if let Some(batch) = self.0.first_mut() {
            *batch = Some(pictures);
        }
    }

    /// Whether a tensor of these lengths fits, told without taking memory.
    pub(super) fn admits(&self, lengths: &[usize]) -> bool {
        let mut pairs = self.0.iter().zip(lengths);
        let alike =
            self.0.len() == lengths.len() && pairs.all(|(ours, length)| ours.is_none_or(|ours| ours == *length));
        alike || self.fits(&Shape::fixed(lengths))
    }

    /// The last `rank` lengths, if those before are all 1; all lengths otherwise.
    fn without_front(&self, rank: usize) -> &[Option<usize>] {
        let (front, rest) = self.0.split_at(self.0.len().saturating_sub(rank.max(1)));
        if front.iter().all(|length| *length == Some(1)) { rest } else { &self.0 }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.0.iter().map(|length| length.map_or_else(|| "?".to_owned(), |length| length.to_string()));
        write!(f, "[{}]", lengths.collect::<Vec<_>>().join(", "))
    }
}
