//! Operators that a file defines by others: engines put each in the place of its use, so a few that use each other twice
//! become more than any memory holds.

use std::collections::BTreeMap;

use super::graph::{Function, Graph, Model, Node};
use super::plain;
use crate::base::{Error, Result};

/// Operators that a model may have once all definitions are put in.
const OPERATORS_MAX: u64 = 1_000_000;

type Key<'a> = (&'a str, &'a str);

/// Operators of a function with all others put in.
enum Size {
    UnderWay,
    Of(u64),
}

/// # Errors
/// When functions are defined by themselves, or make too many operators.
pub(super) fn check(model: &Model<'_>) -> Result<()> {
    let functions: BTreeMap<Key<'_>, &Function<'_>> =
        model.functions.iter().map(|function| ((function.domain, function.name), function)).collect();
    let mut sizes: BTreeMap<Key<'_>, Size> = BTreeMap::new();
    for function in functions.values() {
        size_of(function, &functions, &mut sizes, 0)?;
    }
    let nodes = model.graph.as_ref().map_or(&[][..], |graph| &graph.nodes);
    let operators = size_of_nodes(nodes, &functions, &mut sizes, 0)?;
    if operators <= OPERATORS_MAX {
        return Ok(());
    }
    Err(Error::input(format!("this model has {operators} operators; {OPERATORS_MAX} are the most"))
        .hint("it is not what it should be; fetch or export it again"))
}

fn size_of<'a>(
    function: &Function<'a>,
    functions: &BTreeMap<Key<'a>, &Function<'a>>,
    sizes: &mut BTreeMap<Key<'a>, Size>,
    depth: usize,
) -> Result<u64> {
    let key = (function.domain, function.name);
    match sizes.get(&key) {
        Some(Size::Of(size)) => return Ok(*size),
        None if depth < super::graph::DEPTH_MAX => {}
        Some(Size::UnderWay) | None => {
            let name = plain(function.name);
            return Err(Error::input(format!("the operator {name} of this model is defined by itself, or too deep"))
                .hint("it is not what it should be; fetch or export it again"));
        }
    }
    sizes.insert(key, Size::UnderWay);
    let size = size_of_nodes(&function.nodes, functions, sizes, depth + 1)?;
    sizes.insert(key, Size::Of(size));
    Ok(size)
}

fn size_of_nodes<'a>(
    nodes: &[Node<'a>],
    functions: &BTreeMap<Key<'a>, &Function<'a>>,
    sizes: &mut BTreeMap<Key<'a>, Size>,
    depth: usize,
) -> Result<u64> {
    let mut sum = 0_u64;
    for node in nodes {
        let own = match functions.get(&(node.domain, node.operator)) {
            Some(function) => size_of(function, functions, sizes, depth)?,
            None => 1,
        };
        sum = sum.saturating_add(own);
        for Graph { nodes, .. } in node.attributes.iter().flat_map(|attribute| &attribute.graphs) {
            sum = sum.saturating_add(size_of_nodes(nodes, functions, sizes, depth)?);
        }
    }
    Ok(sum)
}
