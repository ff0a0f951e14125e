//! What a model would ask of memory and time, reckoned before an engine takes either: shapes follow from shapes, from
//! the input on, and from constants, as engines compute these when they load a model.
//!
//! Where a shape does not follow, nothing does: such a model is not refused. Lengths that a file leaves open are taken to
//! be those of an ordinary picture, so that what makes much out of little shows all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Declared, Graph, Node};
use super::known::Known;
use super::{operators, plain};
use crate::base::limits::{NETWORK_BYTES_MAX, NETWORK_TENSOR_BYTES_MAX};
use crate::base::{Error, Result};

/// Pixels of an input along an axis that the file leaves open.
const OPEN_LENGTH: u64 = 640;
/// Bytes of a number; most are floats.
const NUMBER_BYTES: u64 = 4;
/// Products of two numbers in one layer: minutes of computing.
const PRODUCTS_MAX: u64 = 10_000_000_000_000;
/// Rounds of a loop.
const ROUNDS_MAX: f64 = 100_000.0;
/// Rounds of a loop that are followed: what grows in each shows.
const ROUNDS_FOLLOWED: usize = 40;
/// Operators that are looked at, those in loops once a round, with the values that are handed into a graph.
const STEPS_MAX: usize = 10_000_000;
/// Operators one after the other, each of which waits for the one before: engines go down such a chain step by step, each
/// on top of the one before.
const CHAIN_MAX: usize = 5_000;

/// Values by their names: those of the graphs around come first.
type Values<'a> = BTreeMap<&'a str, Known>;

/// # Errors
/// When a tensor, or all that are there at one time, would be too large, or something would take too long.
pub(super) fn check(graph: &Graph<'_>) -> Result<()> {
    let mut walk = Walk { steps: 0, kept: 0 };
    let mut values: Values<'_> = Values::new();
    let weights: BTreeSet<&str> = graph.weights.iter().map(|weight| weight.name).collect();
    for input in graph.inputs.iter().filter(|input| !weights.contains(input.name)) {
        values.insert(input.name, assumed(input)?);
    }
    chain(graph)?;
    walk.graph(graph, &mut values)
}

/// What an input is taken to be.
fn assumed(input: &Declared<'_>) -> Result<Known> {
    let Some(lengths) = &input.lengths else { return Ok(Known::default()) };
    let rank = lengths.len();
    let length = |(axis, length): (usize, &Option<i64>)| match length {
        // Exporters write 0 and -1 for what is open.
        Some(length) if 0 < *length => length.unsigned_abs(),
        _ if axis == 0 => 1,
        // Colours come before the pixels, unless they are said to come after.
        _ if rank == 4 && axis == 1 && lengths[3] != Some(3) => 3,
        _ => OPEN_LENGTH,
    };
    let known = Known::of_shape(lengths.iter().enumerate().map(length).collect());
    fits(&known, &format!("the input {}", plain(input.name)))?;
    Ok(known)
}

/// How long the longest chain of operators is.
fn chain(graph: &Graph<'_>) -> Result<()> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    let mut longest = 0;
    for node in &graph.nodes {
        let depth = 1 + node.inputs.iter().filter_map(|input| depths.get(input)).max().unwrap_or(&0);
        longest = longest.max(depth);
        depths.extend(node.outputs.iter().map(|output| (*output, depth)));
    }
    if longest <= CHAIN_MAX {
        return Ok(());
    }
    Err(Error::input(format!("this model has {longest} operators one after the other; {CHAIN_MAX} are the most"))
        .hint("it is not what it should be; fetch or export it again"))
}

/// Whether a tensor may be as large as it would be; gives its bytes.
fn fits(known: &Known, what: &str) -> Result<u64> {
    let bytes = known.count().unwrap_or(0).saturating_mul(NUMBER_BYTES);
    if bytes <= NETWORK_TENSOR_BYTES_MAX {
        return Ok(bytes);
    }
    let shape = known.shape.as_deref().unwrap_or_default();
    let (is, most) = (mebibytes(bytes), mebibytes(NETWORK_TENSOR_BYTES_MAX));
    Err(Error::input(format!("{what} of this model makes {shape:?}, {is}; a tensor has {most} at most"))
        .hint("export the model for a smaller input, or it is not what it should be"))
}

fn mebibytes(bytes: u64) -> String {
    if bytes == u64::MAX { "more than can be counted".to_owned() } else { format!("{} MiB", bytes >> 20) }
}

struct Walk {
    steps: usize,
    /// Bytes of constants that engines keep.
    kept: u64,
}

impl Walk {
    /// Follows a graph, and leaves its values among those known.
    fn graph<'a>(&mut self, graph: &Graph<'a>, values: &mut Values<'a>) -> Result<()> {
        for weight in &graph.weights {
            let known = weight.known().unwrap_or_default();
            fits(&known, &format!("the weight {}", plain(weight.name)))?;
            values.insert(weight.name, known);
        }
        // Where a shape does not follow, the file may say it.
        let said: BTreeMap<&str, &Declared<'_>> =
            graph.between.iter().chain(&graph.outputs).map(|one| (one.name, one)).collect();
        let mut last_use: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            last_use.extend(node.inputs.iter().map(|input| (*input, index)));
        }
        let mut here = 0_u64;
        let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            self.step(1)?;
            let inputs: Vec<Known> =
                node.inputs.iter().map(|name| values.get(name).cloned().unwrap_or_default()).collect();
            let mut made = self.node(node, &inputs, values)?;
            made.resize(node.outputs.len(), Known::default());
            let is_constant = node.attributes.iter().all(|attribute| attribute.graphs.is_empty())
                && !node.operator.starts_with("Random")
                && inputs.iter().zip(&node.inputs).all(|(input, name)| input.is_constant || name.is_empty());
            for (name, mut known) in node.outputs.iter().zip(made).filter(|(name, _)| !name.is_empty()) {
                known.is_constant = is_constant;
                if known.shape.is_none() {
                    known.shape = said.get(name).and_then(|said| whole(said));
                }
                let bytes = fits(&known, &node.called())?;
                if is_constant {
                    self.kept = self.kept.saturating_add(bytes);
                } else {
                    here = here.saturating_add(bytes);
                    sizes.insert(name, bytes);
                }
                values.insert(name, known);
            }
            if NETWORK_BYTES_MAX < here.saturating_add(self.kept) {
                let (is, most) = (mebibytes(here.saturating_add(self.kept)), mebibytes(NETWORK_BYTES_MAX));
                return Err(Error::input(format!("at {} this model holds {is}; {most} are the most", node.called()))
                    .hint("export the model for a smaller input, or it is not what it should be"));
            }
            for input in node.inputs.iter().filter(|input| last_use.get(*input) == Some(&index)) {
                here -= sizes.remove(input).unwrap_or(0);
            }
        }
        Ok(())
    }

    fn step(&mut self, count: usize) -> Result<()> {
        self.steps = self.steps.saturating_add(count);
        let fits = self.steps <= STEPS_MAX;
        if fits { Ok(()) } else { Err(too_long("this model", &format!("has more than {STEPS_MAX} steps"))) }
    }

    /// The values that a graph within this one sees.
    fn handed<'a>(&mut self, values: &Values<'a>) -> Result<Values<'a>> {
        self.step(values.len())?;
        Ok(values.clone())
    }

    fn node<'a>(&mut self, node: &Node<'a>, inputs: &[Known], values: &Values<'a>) -> Result<Vec<Known>> {
        match node.operator {
            "Loop" => self.rounds(node, inputs, values),
            "If" => self.branches(node, values),
            "Scan" | "SequenceMap" => {
                for graph in node.attributes.iter().flat_map(|attribute| &attribute.graphs) {
                    let mut inner = self.handed(values)?;
                    self.graph(graph, &mut inner)?;
                }
                Ok(Vec::new())
            }
            _ => {
                let made = operators::outputs(node, inputs);
                made.iter().try_for_each(|known| fits(known, &node.called()).map(|_| ()))?;
                work(node, inputs, &made)?;
                Ok(made)
            }
        }
    }

    /// Both ways: what comes out is as large as the larger.
    fn branches<'a>(&mut self, node: &Node<'a>, values: &Values<'a>) -> Result<Vec<Known>> {
        let mut made = vec![Known::default(); node.outputs.len()];
        for graph in node.attributes.iter().flat_map(|attribute| &attribute.graphs) {
            let mut inner = self.handed(values)?;
            self.graph(graph, &mut inner)?;
            for (made, output) in made.iter_mut().zip(&graph.outputs) {
                let shape = inner.get(output.name).and_then(|known| known.shape.clone());
                let larger = Known::maybe(shape);
                if made.count() < larger.count() {
                    *made = larger;
                }
            }
        }
        Ok(made)
    }

    /// Some rounds: number and condition go in first, then what each round hands to the next; out come the latter, and
    /// what all rounds made, one behind the other.
    fn rounds<'a>(&mut self, node: &Node<'a>, inputs: &[Known], values: &Values<'a>) -> Result<Vec<Known>> {
        let body = node.attributes.iter().flat_map(|attribute| &attribute.graphs).next();
        let Some(body) = body else { return Ok(Vec::new()) };
        let rounds = inputs.first().and_then(Known::first);
        if rounds.is_some_and(|rounds| ROUNDS_MAX < rounds) || (rounds.is_none() && is_endless(node, body)) {
            let why = rounds.map_or("goes on for ever".to_owned(), |rounds| format!("goes round {rounds} times"));
            return Err(too_long(&node.called(), &why));
        }
        let followed = rounds.map_or(ROUNDS_FOLLOWED, |rounds| (rounds.max(0.0) as usize).min(ROUNDS_FOLLOWED));
        let carried_count = inputs.len().saturating_sub(2);
        let mut carried: Vec<Known> = inputs.iter().skip(2).map(|input| Known::maybe(input.shape.clone())).collect();
        let mut gathered: Vec<Known> = Vec::new();
        for _ in 0..followed {
            let mut inner = self.handed(values)?;
            inner.extend(body.inputs.iter().skip(2).map(|input| input.name).zip(carried.iter().cloned()));
            self.graph(body, &mut inner)?;
            let made =
                |output: &Declared<'_>| Known::maybe(inner.get(output.name).and_then(|known| known.shape.clone()));
            let next: Vec<Known> = body.outputs.iter().skip(1).take(carried_count).map(made).collect();
            gathered = body.outputs.iter().skip(1 + carried_count).map(made).collect();
            if next == carried {
                break;
            }
            carried = next;
        }
        for known in &mut gathered {
            let shape = known.shape.take();
            known.shape = rounds.zip(shape).map(|(rounds, shape)| [&[rounds as u64], shape.as_slice()].concat());
        }
        carried.extend(gathered);
        Ok(carried)
    }
}

/// Whether a loop without a number of rounds has a condition that is always the one that it was.
fn is_endless(node: &Node<'_>, body: &Graph<'_>) -> bool {
    let is_numbered = node.inputs.first().is_some_and(|name| !name.is_empty());
    let (Some(condition), Some(given)) = (body.outputs.first(), body.inputs.get(1)) else { return false };
    let made = body.nodes.iter().find(|node| node.outputs.contains(&condition.name));
    let is_kept = match made {
        None => condition.name == given.name || body.weights.iter().any(|weight| weight.name == condition.name),
        Some(node) if node.operator == "Constant" => true,
        Some(node) => node.operator == "Identity" && node.inputs.first() == Some(&given.name),
    };
    !is_numbered && is_kept
}

/// Whether a layer takes no longer than it may.
fn work(node: &Node<'_>, inputs: &[Known], made: &[Known]) -> Result<()> {
    let shape = |index: usize| inputs.get(index).and_then(|input| input.shape.as_deref());
    let each = match node.operator {
        // For each place a product with each number of a filter.
        "Conv" | "ConvInteger" => shape(1).map(|shape| super::known::count(&shape[shape.len().min(1)..])),
        "MatMul" | "MatMulInteger" => shape(0).and_then(<[u64]>::last).copied(),
        "Gemm" => shape(0).map(|shape| shape.iter().copied().max().unwrap_or(1)),
        _ => None,
    };
    let places = made.first().and_then(Known::count);
    let products = each.zip(places).map_or(0, |(each, places)| each.saturating_mul(places));
    if products <= PRODUCTS_MAX {
        return Ok(());
    }
    Err(too_long(&node.called(), &format!("makes {products} products; {PRODUCTS_MAX} are the most")))
}

fn too_long(what: &str, why: &str) -> Error {
    Error::input(format!("{what} would take too long: it {why}"))
        .hint("export the model for a smaller input, or it is not what it should be")
}

fn whole(declared: &Declared<'_>) -> Option<Vec<u64>> {
    let lengths = declared.lengths.as_ref()?;
    lengths.iter().map(|length| u64::try_from((*length)?).ok()).collect()
}
