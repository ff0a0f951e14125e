//! The engine that is always there: `rten`, in Rust, inside this program. The only file that knows it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use rten::{Dimension, Model, NodeId, RunOptions, ThreadPool, Value, ValueType, ValueView};
use rten_tensor::Layout;

use super::network::{LoadOptions, Network, Output, Provider, Shape, Slot, Tensor, Values};
use crate::base::{Error, Result};

/// What to do about a model that this engine refuses.
const HINT: &str = "the other engine may know it: `aisle models runtime` fetches ONNX Runtime";

/// Loads a model from the bytes of its ONNX file.
pub(super) fn load(bytes: &[u8], options: LoadOptions) -> Result<Box<dyn Network>> {
    if options.provider != Provider::Cpu {
        let name = options.provider.name();
        return Err(Error::usage(format!("the embedded engine has no provider {name}"))
            .hint("providers need ONNX Runtime: `aisle models runtime` fetches the one for processors"));
    }
    let refused = |error: rten::LoadError| {
        Error::input(format!("the embedded engine cannot load this model: {error}")).hint(HINT)
    };
    // What the engine cannot do it should say; where it breaks off instead, this model is refused and nothing else.
    let loaded = guarded(|| Model::load(bytes.to_vec()));
    let model = loaded.ok_or_else(|| broken_off("loading"))?.map_err(refused)?;
    let slots = |nodes: &[NodeId]| nodes.iter().map(|node| slot(&model, *node)).collect::<Vec<Slot>>();
    let (inputs, outputs) = (slots(model.input_ids()), slots(model.output_ids()));
    let threads = Arc::new(ThreadPool::with_num_threads(options.threads));
    Ok(Box::new(Loaded { model, inputs, outputs, threads }))
}

/// Runs a part of the engine; none where it broke off. The model is only read by it, so nothing is left half done.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

fn broken_off(what: &str) -> Error {
    Error::input(format!("the embedded engine broke off {what} this model")).hint(HINT)
}

fn slot(model: &Model, node: NodeId) -> Slot {
    let info = model.node_info(node);
    let known = |dimension: Dimension| match dimension {
        Dimension::Fixed(length) => Some(length),
        Dimension::Symbolic(_) => None,
    };
    Slot {
        name: info.as_ref().and_then(|info| info.name()).unwrap_or_default().to_owned(),
        element: match info.as_ref().and_then(|info| info.dtype()) {
            Some(ValueType::Tensor(element)) => Some(element.to_string()),
            _ => None,
        },
        shape: info.and_then(|info| info.shape()).map(|shape| Shape(shape.into_iter().map(known).collect())),
    }
}

struct Loaded {
    model: Model,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
    threads: Arc<ThreadPool>,
}

impl Network for Loaded {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| {
            // The engine names the node, which has no name in many files, and not its operation.
            let reason = error.to_string();
            let bytes = reason.contains("unsupported input type") && (reason.contains("u8") || reason.contains("i8"));
            let more = if bytes { " (it has no Concat of 8-bit tensors, among others)" } else { "" };
            Error::input(format!("the embedded engine cannot run this model: {reason}{more}")).hint(HINT)
        };
        let given = match input.values() {
            Values::F32(values) => {
                ValueView::from_shape(input.shape(), values.as_slice()).map_err(|error| failed(&error))?
            }
            Values::U8(values) => {
                ValueView::from_shape(input.shape(), values.as_slice()).map_err(|error| failed(&error))?
            }
        };
        let Some(node) = self.model.input_ids().first() else { return Err(failed(&"it has no input")) };
        let options = RunOptions::default().with_thread_pool(Some(self.threads.clone()));
        let run = || self.model.run(vec![(*node, given.into())], self.model.output_ids(), Some(options));
        let results = guarded(run).ok_or_else(|| broken_off("running"))?.map_err(|error| failed(&error))?;
        outputs.resize_with(self.outputs.len(), Output::default);
        for ((output, slot), value) in outputs.iter_mut().zip(&self.outputs).zip(results) {
            if output.name != slot.name {
                slot.name.clone_into(&mut output.name);
            }
            if !copy(value, output) {
                return Err(failed(&format!("its output {} is no tensor of numbers", output.name)));
            }
        }
        Ok(())
    }
}

fn copy(value: Value, output: &mut Output) -> bool {
    let shape = value.as_view().shape().to_vec().into_iter();
    match value {
        Value::FloatTensor(tensor) => output.fill(shape, &tensor.into_data(), |value| value),
        Value::UInt8Tensor(tensor) => output.fill(shape, &tensor.into_data(), f32::from),
        Value::Int8Tensor(tensor) => output.fill(shape, &tensor.into_data(), f32::from),
        Value::Int32Tensor(tensor) => output.fill(shape, &tensor.into_data(), |value| value as f32),
        _ => return false,
    }
    true
}
