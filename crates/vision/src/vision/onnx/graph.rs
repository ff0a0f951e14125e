//! What an ONNX file declares: its graph with operators, weights and values, as far as their sizes depend on it. Weights
//! stay where they are in the file.

use super::plain;
use super::wire::{Broken, Field, Fields, Value};

/// How deep graphs may lie in graphs. Models that people export have two or three.
pub(super) const DEPTH_MAX: usize = 16;

/// An ONNX file.
#[derive(Default)]
pub(super) struct Model<'a> {
    pub(super) graph: Option<Graph<'a>>,
    pub(super) functions: Vec<Function<'a>>,
}

/// A graph of operators, in the order in which they run.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) weights: Vec<Tensor<'a>>,
    pub(super) inputs: Vec<Declared<'a>>,
    pub(super) outputs: Vec<Declared<'a>>,
    pub(super) between: Vec<Declared<'a>>,
}

/// An operator that the file defines by others.
#[derive(Default)]
pub(super) struct Function<'a> {
    pub(super) domain: &'a str,
    pub(super) name: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
}

/// One use of an operator.
#[derive(Default)]
pub(super) struct Node<'a> {
    pub(super) domain: &'a str,
    pub(super) operator: &'a str,
    pub(super) name: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) attributes: Vec<Attribute<'a>>,
}

/// A setting of an operator.
#[derive(Default)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) whole: Option<i64>,
    pub(super) wholes: Vec<i64>,
    pub(super) float: Option<f32>,
    pub(super) floats: Vec<f32>,
    pub(super) text: &'a [u8],
    pub(super) tensor: Option<Tensor<'a>>,
    pub(super) graphs: Vec<Graph<'a>>,
}

/// Numbers in the file, or a note on where else they are.
#[derive(Default)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) lengths: Vec<i64>,
    pub(super) element: i64,
    pub(super) raw: Option<&'a [u8]>,
    pub(super) wholes: Vec<i64>,
    pub(super) floats: Vec<f32>,
    /// Whether numbers are in fields that are not read here: texts, doubles.
    pub(super) has_others: bool,
    /// The file that holds the numbers, where that is another one.
    pub(super) outside: Option<&'a str>,
}

/// A value as the file declares it: `None` for lengths that it leaves open.
#[derive(Default)]
pub(super) struct Declared<'a> {
    pub(super) name: &'a str,
    pub(super) lengths: Option<Vec<Option<i64>>>,
}

impl<'a> Model<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut model = Model::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                7 => model.graph = Some(Graph::read(value.bytes()?, 0)?),
                25 => model.functions.push(Function::read(value.bytes()?)?),
                _ => {}
            }
        }
        Ok(model)
    }
}

impl<'a> Graph<'a> {
    fn read(bytes: &'a [u8], depth: usize) -> Result<Self, Broken> {
        if DEPTH_MAX <= depth {
            return Err("graphs lie in graphs more than 16 deep");
        }
        let mut graph = Graph::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                1 => graph.nodes.push(Node::read(value.bytes()?, depth)?),
                5 => graph.weights.push(Tensor::read(value.bytes()?)?),
                11 => graph.inputs.push(Declared::read(value.bytes()?)?),
                12 => graph.outputs.push(Declared::read(value.bytes()?)?),
                13 => graph.between.push(Declared::read(value.bytes()?)?),
                15 => graph.weights.push(sparse(value.bytes()?)?),
                _ => {}
            }
        }
        Ok(graph)
    }

    /// Every tensor in it, also in the settings of operators and in the graphs of these.
    pub(super) fn each_tensor(&self, see: &mut dyn FnMut(&Tensor<'a>)) {
        self.weights.iter().for_each(&mut *see);
        each_tensor(&self.nodes, see);
    }
}

/// Every tensor in the settings of operators.
pub(super) fn each_tensor<'a>(nodes: &[Node<'a>], see: &mut dyn FnMut(&Tensor<'a>)) {
    for attribute in nodes.iter().flat_map(|node| &node.attributes) {
        attribute.tensor.iter().for_each(&mut *see);
        attribute.graphs.iter().for_each(|graph| graph.each_tensor(see));
    }
}

/// A sparse tensor takes the room of a dense one once it is loaded: its values, with the lengths of the whole.
fn sparse(bytes: &[u8]) -> Result<Tensor<'_>, Broken> {
    let (mut tensor, mut lengths) = (Tensor::default(), Vec::new());
    for field in Fields::of(bytes) {
        let Field { number, value } = field?;
        match number {
            1 => tensor = Tensor::read(value.bytes()?)?,
            3 => value.wholes(&mut lengths)?,
            _ => {}
        }
    }
    // How many of the values are there says nothing of how many it stands for.
    Ok(Tensor {
        name: tensor.name,
        element: tensor.element,
        lengths,
        has_others: true,
        outside: tensor.outside,
        ..Tensor::default()
    })
}

impl<'a> Function<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut function = Function::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                1 => function.name = value.text()?,
                7 => function.nodes.push(Node::read(value.bytes()?, 0)?),
                10 => function.domain = value.text()?,
                _ => {}
            }
        }
        Ok(function)
    }
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8], depth: usize) -> Result<Self, Broken> {
        let mut node = Node::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                1 => node.inputs.push(value.text()?),
                2 => node.outputs.push(value.text()?),
                3 => node.name = value.text()?,
                4 => node.operator = value.text()?,
                5 => node.attributes.push(Attribute::read(value.bytes()?, depth)?),
                7 => node.domain = value.text()?,
                _ => {}
            }
        }
        Ok(node)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn whole(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.whole).unwrap_or(default)
    }

    /// Whole numbers of a setting; none where it is not there.
    pub(super) fn wholes(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.wholes)
    }

    pub(super) fn text(&self, name: &str) -> &[u8] {
        self.attribute(name).map_or(b"", |attribute| attribute.text)
    }

    /// The operator, with the name of this use of it where it has one.
    pub(super) fn called(&self) -> String {
        let domain = if self.domain.is_empty() { String::new() } else { format!("{}.", plain(self.domain)) };
        let name = if self.name.is_empty() { String::new() } else { format!(" ({})", plain(self.name)) };
        format!("{domain}{}{name}", plain(self.operator))
    }
}

impl<'a> Attribute<'a> {
    fn read(bytes: &'a [u8], depth: usize) -> Result<Self, Broken> {
        let mut attribute = Attribute::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match (number, value) {
                (1, value) => attribute.name = value.text()?,
                (2, Value::Four(float)) => attribute.float = Some(f32::from_le_bytes(float)),
                (3, value) => attribute.whole = Some(value.whole()?),
                (4, value) => attribute.text = value.bytes()?,
                (5, value) => attribute.tensor = Some(Tensor::read(value.bytes()?)?),
                (6 | 11, value) => attribute.graphs.push(Graph::read(value.bytes()?, depth + 1)?),
                (7, value) => value.floats(&mut attribute.floats)?,
                (8, value) => value.wholes(&mut attribute.wholes)?,
                _ => {}
            }
        }
        Ok(attribute)
    }
}

impl<'a> Tensor<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut tensor = Tensor::default();
        let mut is_outside = false;
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                1 => value.wholes(&mut tensor.lengths)?,
                2 => tensor.element = value.whole()?,
                4 => value.floats(&mut tensor.floats)?,
                5 | 7 | 11 => value.wholes(&mut tensor.wholes)?,
                6 | 10 => tensor.has_others = true,
                8 => tensor.name = value.text()?,
                9 => tensor.raw = Some(value.bytes()?),
                13 => tensor.outside = location(value.bytes()?)?.or(tensor.outside),
                14 => is_outside = value.whole()? == 1,
                _ => {}
            }
        }
        tensor.outside = is_outside.then(|| tensor.outside.unwrap_or_default());
        Ok(tensor)
    }
}

/// The name of a file, where an entry says that.
fn location(bytes: &[u8]) -> Result<Option<&str>, Broken> {
    let (mut key, mut text) = ("", "");
    for field in Fields::of(bytes) {
        let Field { number, value } = field?;
        match number {
            1 => key = value.text()?,
            2 => text = value.text()?,
            _ => {}
        }
    }
    Ok((key == "location").then_some(text))
}

impl<'a> Declared<'a> {
    /// Reads `ValueInfoProto`: name, and within its type, a tensor's, the shape.
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut declared = Declared::default();
        for field in Fields::of(bytes) {
            let Field { number, value } = field?;
            match number {
                1 => declared.name = value.text()?,
                2 => {
                    let tensor = within(value.bytes()?, 1)?;
                    let shape = tensor.map(|tensor| within(tensor, 2)).transpose()?.flatten();
                    declared.lengths = shape.map(lengths).transpose()?;
                }
                _ => {}
            }
        }
        Ok(declared)
    }
}

/// The message in a field of another.
fn within(bytes: &[u8], wanted: u64) -> Result<Option<&[u8]>, Broken> {
    let mut found = None;
    for field in Fields::of(bytes) {
        let Field { number, value } = field?;
        if number == wanted {
            found = Some(value.bytes()?);
        }
    }
    Ok(found)
}

fn lengths(shape: &[u8]) -> Result<Vec<Option<i64>>, Broken> {
    let mut lengths = Vec::new();
    for field in Fields::of(shape) {
        let Field { number, value } = field?;
        if number == 1 {
            let mut length = None;
            for field in Fields::of(value.bytes()?) {
                let Field { number, value } = field?;
                if number == 1 {
                    length = Some(value.whole()?);
                }
            }
            lengths.push(length);
        }
    }
    Ok(lengths)
}
