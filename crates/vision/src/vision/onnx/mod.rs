//! What an ONNX file says of itself, read before an engine sees it: whether it is one, whether it is whole, and what it
//! would ask of memory. It takes bytes and gives an error or none. It never runs anything, and of a model that it does
//! not understand it says nothing.

mod foreign;
mod functions;
mod graph;
mod known;
mod layers;
mod operators;
mod sizes;
mod weights;
mod wire;

pub use foreign::other_format;

use crate::base::{Error, Result};

/// How models that are more than one file become one.
const ONE_FILE: &str = "put both into one file: `python -c \"import onnx; onnx.save_model(onnx.load('name.onnx'), \
     'one.onnx', save_as_external_data=False)\"`, and name that in the manifest; PyTorch writes one with \
     torch.onnx.export(…, external_data=False)";

/// Whether a file may be given to an engine, told by what it says of itself.
///
/// # Errors
/// When it is something else than ONNX, broken, not whole, or would take more memory or work than a model may.
pub fn check_network(bytes: &[u8]) -> Result<()> {
    if let Some(refusal) = foreign::refusal(bytes) {
        return Err(refusal);
    }
    let broken = |why: &str| {
        Error::input(format!("the file of the model is no ONNX file, or is broken: {why}"))
            .hint("fetch or export it again, and compare its length")
    };
    let model = graph::Model::read(bytes).map_err(broken)?;
    let graph = model.graph.as_ref().filter(|graph| !graph.nodes.is_empty() || !graph.outputs.is_empty());
    let graph = graph.ok_or_else(|| broken("there is no model in it"))?;
    let mut outside: Option<String> = None;
    let mut wrong: Vec<String> = Vec::new();
    let mut see = |tensor: &graph::Tensor<'_>| match tensor.outside {
        Some(file) => {
            outside.get_or_insert_with(|| plain(file));
        }
        None => wrong.extend(tensor.fault()),
    };
    graph.each_tensor(&mut see);
    model.functions.iter().for_each(|function| graph::each_tensor(&function.nodes, &mut see));
    if let Some(file) = outside {
        return Err(Error::input(format!(
            "the weights of this model lie outside of its file, in {file}; models must be one file"
        ))
        .hint(ONE_FILE));
    }
    if let Some(first) = wrong.first() {
        let more = if 1 < wrong.len() { format!(", and {} more are wrong", wrong.len() - 1) } else { String::new() };
        return Err(broken(&format!("{first}{more}")));
    }
    functions::check(&model)?;
    sizes::check(graph)
}

/// A name out of a file as it can be printed: without control characters, and not too long.
fn plain(name: &str) -> String {
    let letters = name.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    let mut text: String = letters.take(64).collect();
    if 64 < name.chars().count() {
        text.push('…');
    }
    text
}
