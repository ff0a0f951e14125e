//! The shapes that operators make of shapes, as far as a table says: those that models for pictures are made of, and all
//! that can make much out of little. What the table does not know has no known shape.

use super::graph::Node;
use super::known::{Known, axis_of, broadcast, count};

/// Operators whose first output has the shape of the first input.
const SAME: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BatchNormalization",
    "Bernoulli",
    "BitCast",
    "BitwiseNot",
    "Cast",
    "CastLike",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "Cosh",
    "CumSum",
    "DequantizeLinear",
    "Dropout",
    "DynamicQuantizeLinear",
    "Elu",
    "Erf",
    "Exp",
    "EyeLike",
    "Floor",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "MeanVarianceNormalization",
    "Mish",
    "Neg",
    "Not",
    "QuantizeLinear",
    "RMSNormalization",
    "RandomNormalLike",
    "RandomUniformLike",
    "Reciprocal",
    "Relu",
    "ReverseSequence",
    "Round",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sign",
    "SimplifiedLayerNormalization",
    "Sin",
    "Sinh",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Trilu",
];
/// Operators that stretch their inputs to each other.
const STRETCHED: &[&str] = &[
    "Add",
    "And",
    "BitShift",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Or",
    "PRelu",
    "Pow",
    "Sub",
    "Sum",
    "Where",
    "Xor",
];

/// What is known of the outputs of an operator, given its inputs; one entry for each that it may be asked about.
pub(super) fn outputs(node: &Node<'_>, inputs: &[Known]) -> Vec<Known> {
    let none = Known::default();
    let at = |index: usize| inputs.get(index).unwrap_or(&none);
    let first = at(0);
    let known = match node.operator {
        same if SAME.contains(&same) => Some(same_shape(node, first)),
        stretched if STRETCHED.contains(&stretched) => stretch(node, inputs),
        "Constant" => constant(node),
        "Shape" => shape(node, first),
        "Size" => first.count().map(|count| Known::of_numbers(vec![count as f64], true)),
        "ConstantOfShape" => filled(node, first),
        "Range" => range(at(0), at(1), at(2)),
        "Reshape" => reshape(node, first, at(1)),
        "Flatten" => flatten(node, first),
        "Squeeze" => squeeze(node, first, at(1)),
        "Unsqueeze" => unsqueeze(node, first, at(1)),
        "Transpose" => transpose(node, first),
        "Concat" => concat(node, inputs),
        "Slice" => slice(node, inputs),
        "Gather" => gather(node, first, at(1)),
        "GatherElements" => Some(Known::maybe(at(1).shape.clone())),
        "GatherND" => gather_nd(node, first, at(1)),
        "Expand" => expand(first, at(1)),
        "Tile" => tile(first, at(1)),
        "Pad" => pad(node, first, at(1), at(3)),
        "OneHot" => one_hot(node, first, at(1)),
        "NonZero" => non_zero(first),
        "RandomNormal" | "RandomUniform" => wholes(node.wholes("shape")).map(Known::of_shape),
        "Einsum" => einsum(node, inputs),
        "Split" => return split(node, first, at(1)),
        "TopK" => return vec![top(node, first, at(1)).unwrap_or_default(); 2],
        _ => super::layers::output(node, inputs),
    };
    vec![known.unwrap_or_default()]
}

fn wholes(numbers: &[i64]) -> Option<Vec<u64>> {
    numbers.iter().map(|number| u64::try_from(*number).ok()).collect()
}

fn same_shape(node: &Node<'_>, input: &Known) -> Known {
    let each = |change: fn(f64) -> f64| input.numbers.as_ref().map(|all| all.iter().copied().map(change).collect());
    let numbers = match node.operator {
        "Identity" | "Cast" | "CastLike" | "Clip" => input.numbers.clone(),
        "Floor" => each(f64::floor),
        "Ceil" => each(f64::ceil),
        "Round" => each(f64::round),
        "Neg" => each(|number| -number),
        "Abs" => each(f64::abs),
        "Sqrt" => each(f64::sqrt),
        _ => None,
    };
    Known::maybe(input.shape.clone()).with(numbers)
}

fn stretch(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let (first, rest) = inputs.split_first()?;
    let mut shape = first.shape.clone()?;
    for input in rest {
        shape = broadcast(&shape, input.shape.as_ref()?)?;
    }
    let Known { numbers: Some(left), .. } = first else { return Some(Known::of_shape(shape)) };
    let [Known { numbers: Some(right), .. }] = rest else { return Some(Known::of_shape(shape)) };
    let together: Option<fn(f64, f64) -> f64> = match node.operator {
        "Add" | "Sum" => Some(|a, b| a + b),
        "Sub" => Some(|a, b| a - b),
        "Mul" => Some(|a, b| a * b),
        // What is divided here are lengths; whole ones are divided without a rest, so that no more comes out than in floats.
        "Div" => Some(|a, b| a / b),
        "Pow" => Some(f64::powf),
        "Max" => Some(f64::max),
        "Min" => Some(f64::min),
        _ => None,
    };
    let length = left.len().max(right.len());
    let fits = |numbers: &Vec<f64>| numbers.len() == 1 || numbers.len() == length;
    let numbers = together.filter(|_| fits(left) && fits(right)).map(|together| {
        let number = |numbers: &[f64], index: usize| numbers[index.min(numbers.len() - 1)];
        (0..length).map(|index| together(number(left, index), number(right, index))).collect()
    });
    Some(Known::of_shape(shape).with(numbers))
}

fn constant(node: &Node<'_>) -> Option<Known> {
    let attribute = node.attributes.first()?;
    if let Some(tensor) = &attribute.tensor {
        return tensor.known();
    }
    let floats = || attribute.floats.iter().map(|float| f64::from(*float)).collect();
    match attribute.name {
        "value_int" => attribute.whole.map(|whole| Known::of_numbers(vec![whole as f64], true)),
        "value_float" => attribute.float.map(|float| Known::of_numbers(vec![f64::from(float)], true)),
        "value_ints" => Some(Known::of_numbers(attribute.wholes.iter().map(|whole| *whole as f64).collect(), false)),
        "value_floats" => Some(Known::of_numbers(floats(), false)),
        _ => None,
    }
}

fn shape(node: &Node<'_>, input: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let place = |axis: i64| -> usize {
        let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
        usize::try_from(axis.max(0)).unwrap_or(usize::MAX).min(shape.len())
    };
    let (start, end) = (place(node.whole("start", 0)), place(node.whole("end", i64::MAX)));
    let lengths = shape.get(start..end).unwrap_or_default();
    Some(Known::of_numbers(lengths.iter().map(|length| *length as f64).collect(), false))
}

fn filled(node: &Node<'_>, lengths: &Known) -> Option<Known> {
    let shape = wholes(&lengths.wholes()?)?;
    let value = node.attribute("value").and_then(|attribute| attribute.tensor.as_ref());
    let number = value.map_or(Some(0.0), |tensor| tensor.known()?.first());
    let count = usize::try_from(count(&shape)).ok().filter(|count| *count <= 64);
    Some(Known::of_shape(shape).with(number.zip(count).map(|(number, count)| vec![number; count])))
}

fn range(start: &Known, limit: &Known, step: &Known) -> Option<Known> {
    let (start, limit, step) = (start.first()?, limit.first()?, step.first()?);
    let count = ((limit - start) / step).ceil().max(0.0);
    if count.is_nan() {
        return None;
    }
    let numbers = (count <= 64.0).then(|| (0..count as u64).map(|index| start + index as f64 * step).collect());
    Some(Known::of_shape(vec![count as u64]).with(numbers))
}

fn reshape(node: &Node<'_>, input: &Known, lengths: &Known) -> Option<Known> {
    let wanted = lengths.wholes().or_else(|| node.attribute("shape").map(|attribute| attribute.wholes.clone()))?;
    let there = input.shape.as_ref();
    let keeps_zero = node.whole("allowzero", 0) != 0;
    let mut shape = Vec::with_capacity(wanted.len());
    for (axis, length) in wanted.iter().enumerate() {
        shape.push(match length {
            0 if !keeps_zero => *there?.get(axis)?,
            -1 => 1,
            length => u64::try_from(*length).ok()?,
        });
    }
    if let Some(open) = wanted.iter().position(|length| *length == -1) {
        shape[open] = input.count()?.checked_div(count(&shape))?;
    }
    Some(Known::of_shape(shape).with(input.numbers.clone()))
}

fn flatten(node: &Node<'_>, input: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let axis = node.whole("axis", 1);
    let axis = if axis == shape.len() as i64 { shape.len() } else { axis_of(axis, shape.len())? };
    Some(Known::of_shape(vec![count(&shape[..axis]), count(&shape[axis..])]))
}

/// Axes of an operator, in a setting or, in newer files, in an input.
fn axes(node: &Node<'_>, input: &Known) -> Option<Vec<i64>> {
    match node.attribute("axes") {
        Some(attribute) => Some(attribute.wholes.clone()),
        None => input.wholes(),
    }
}

fn squeeze(node: &Node<'_>, input: &Known, given: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let gone: Vec<usize> = if node.inputs.len() < 2 && node.attribute("axes").is_none() {
        (0..shape.len()).filter(|axis| shape[*axis] == 1).collect()
    } else {
        axes(node, given)?.into_iter().map(|axis| axis_of(axis, shape.len())).collect::<Option<_>>()?
    };
    let kept = shape.iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
    Some(Known::of_shape(kept.map(|(_, length)| *length).collect()).with(input.numbers.clone()))
}

fn unsqueeze(node: &Node<'_>, input: &Known, given: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let axes = axes(node, given)?;
    let rank = shape.len() + axes.len();
    let new: Vec<usize> = axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Option<_>>()?;
    let mut old = shape.iter().copied();
    let made: Option<Vec<u64>> = (0..rank).map(|axis| if new.contains(&axis) { Some(1) } else { old.next() }).collect();
    Some(Known::of_shape(made?).with(input.numbers.clone()))
}

fn transpose(node: &Node<'_>, input: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let order = node.wholes("perm");
    if order.is_empty() {
        return Some(Known::of_shape(shape.iter().rev().copied().collect()));
    }
    let lengths = order.iter().map(|axis| shape.get(axis_of(*axis, shape.len())?).copied());
    Some(Known::maybe(lengths.collect()))
}

fn concat(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let mut shape = inputs.first()?.shape.clone()?;
    let axis = axis_of(node.whole("axis", 0), shape.len())?;
    let mut lengths = inputs.iter().map(|input| input.shape.as_ref()?.get(axis).copied());
    shape[axis] = lengths.try_fold(0_u64, |sum, length| Some(sum.saturating_add(length?)))?;
    let numbers: Option<Vec<f64>> = (shape.len() == 1)
        .then(|| inputs.iter().map(|input| input.numbers.clone()).collect::<Option<Vec<_>>>())
        .flatten()
        .map(|all| all.concat());
    Some(Known::of_shape(shape).with(numbers))
}

/// Starts, ends, axes and steps of a slice: settings in older files, inputs in newer ones.
fn slice(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let input = inputs.first()?;
    let mut shape = input.shape.clone()?;
    let given = |name: &str, index: usize| match node.attribute(name) {
        Some(attribute) => Some(attribute.wholes.clone()),
        None => inputs.get(index)?.wholes(),
    };
    let (starts, ends) = (given("starts", 1)?, given("ends", 2)?);
    let is_given = |index: usize| node.inputs.get(index).is_some_and(|name| !name.is_empty());
    let axes = match is_given(3) || node.attribute("axes").is_some() {
        true => given("axes", 3)?,
        false => (0..starts.len() as i64).collect(),
    };
    let steps = if is_given(4) { given("steps", 4)? } else { vec![1; starts.len()] };
    let mut numbers = input.numbers.clone().filter(|_| shape.len() == 1);
    for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let axis = axis_of(*axis, shape.len())?;
        let length = i64::try_from(shape[axis]).ok()?;
        let place = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
        let (from, to) = match 0 < *step {
            true => (place(*start).clamp(0, length), place(*end).clamp(0, length)),
            false => (place(*start).clamp(0, (length - 1).max(0)), place(*end).clamp(-1, length)),
        };
        let taken = (i128::from(to) - i128::from(from) + i128::from(*step) - i128::from(step.signum()))
            .checked_div(i128::from(*step))?
            .max(0);
        numbers = numbers.and_then(|numbers| {
            let place = |index: i128| usize::try_from(i128::from(from) + index * i128::from(*step)).ok();
            (0..taken).map(|index| numbers.get(place(index)?).copied()).collect()
        });
        shape[axis] = u64::try_from(taken).ok()?;
    }
    Some(Known::of_shape(shape).with(numbers))
}

fn gather(node: &Node<'_>, input: &Known, places: &Known) -> Option<Known> {
    let (shape, picked) = (input.shape.as_ref()?, places.shape.as_ref()?);
    let axis = axis_of(node.whole("axis", 0), shape.len())?;
    let made = [&shape[..axis], picked, &shape[axis + 1..]].concat();
    let numbers = input.numbers.as_ref().zip(places.wholes()).filter(|_| shape.len() == 1).and_then(|(all, places)| {
        places.into_iter().map(|place| all.get(axis_of(place, all.len())?).copied()).collect()
    });
    Some(Known::of_shape(made).with(numbers))
}

fn gather_nd(node: &Node<'_>, input: &Known, places: &Known) -> Option<Known> {
    let (shape, picked) = (input.shape.as_ref()?, places.shape.as_ref()?);
    let (width, rest) = picked.split_last()?;
    let from = usize::try_from(*width).ok()?.checked_add(usize::try_from(node.whole("batch_dims", 0)).ok()?)?;
    Some(Known::of_shape([rest, shape.get(from..)?].concat()))
}

fn expand(input: &Known, lengths: &Known) -> Option<Known> {
    broadcast(input.shape.as_ref()?, &wholes(&lengths.wholes()?)?).map(Known::of_shape)
}

fn tile(input: &Known, times: &Known) -> Option<Known> {
    let (shape, times) = (input.shape.as_ref()?, wholes(&times.wholes()?)?);
    let lengths = shape.iter().zip(&times).map(|(length, times)| length.saturating_mul(*times));
    (shape.len() == times.len()).then(|| Known::of_shape(lengths.collect()))
}

fn pad(node: &Node<'_>, input: &Known, given: &Known, axes: &Known) -> Option<Known> {
    let mut shape = input.shape.clone()?;
    let pads = match node.attribute("pads") {
        Some(attribute) => attribute.wholes.clone(),
        None => given.wholes()?,
    };
    let axes = match node.inputs.get(3).is_some_and(|name| !name.is_empty()) {
        true => axes.wholes()?,
        false => (0..shape.len() as i64).collect(),
    };
    for (index, axis) in axes.iter().enumerate() {
        let axis = axis_of(*axis, shape.len())?;
        let both = i128::from(*pads.get(index)?) + i128::from(*pads.get(index + axes.len())?);
        shape[axis] = u64::try_from((i128::from(shape[axis]) + both).max(0)).ok()?;
    }
    Some(Known::of_shape(shape))
}

/// How many numbers of a picture are not 0 only shows later; of a constant it may be all.
fn non_zero(input: &Known) -> Option<Known> {
    let shape = input.shape.as_ref().filter(|_| input.is_constant)?;
    Some(Known::of_shape(vec![shape.len() as u64, count(shape)]))
}

fn one_hot(node: &Node<'_>, input: &Known, depth: &Known) -> Option<Known> {
    let mut shape = input.shape.clone()?;
    let depth = u64::try_from(depth.first()? as i64).ok()?;
    let axis = axis_of(node.whole("axis", -1), shape.len() + 1)?;
    shape.insert(axis, depth);
    Some(Known::of_shape(shape))
}

fn top(node: &Node<'_>, input: &Known, given: &Known) -> Option<Known> {
    let mut shape = input.shape.clone()?;
    let axis = axis_of(node.whole("axis", -1), shape.len())?;
    let most = given.first().map_or_else(|| node.whole("k", i64::MAX), |most| most as i64);
    shape[axis] = shape[axis].min(u64::try_from(most).ok()?);
    Some(Known::of_shape(shape))
}

fn split(node: &Node<'_>, input: &Known, given: &Known) -> Vec<Known> {
    let parts = node.outputs.len().max(1);
    let made = || -> Option<Vec<Known>> {
        let shape = input.shape.as_ref()?;
        let axis = axis_of(node.whole("axis", 0), shape.len())?;
        let said = match node.attribute("split") {
            Some(attribute) => Some(attribute.wholes.clone()),
            None => given.wholes(),
        };
        let length = |part: usize| match &said {
            Some(lengths) => u64::try_from(*lengths.get(part)?).ok(),
            None => Some(shape[axis].div_ceil(parts as u64)),
        };
        let part = |part: usize| {
            let mut shape = shape.clone();
            shape[axis] = length(part)?.min(shape[axis]);
            Some(Known::of_shape(shape))
        };
        (0..parts).map(part).collect()
    };
    made().unwrap_or_else(|| vec![Known::default(); parts])
}

/// An equation with letters for axes and nothing left out.
fn einsum(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let equation: String = std::str::from_utf8(node.text("equation")).ok()?.split_whitespace().collect();
    let (left, right) = equation.split_once("->")?;
    let mut lengths: Vec<(char, u64)> = Vec::new();
    for (letters, input) in left.split(',').zip(inputs) {
        lengths.extend(letters.chars().zip(input.shape.as_ref()?.iter().copied()));
    }
    let length = |letter: char| lengths.iter().filter(|(known, _)| *known == letter).map(|(_, length)| *length).max();
    right.chars().map(length).collect::<Option<Vec<u64>>>().map(Known::of_shape)
}
