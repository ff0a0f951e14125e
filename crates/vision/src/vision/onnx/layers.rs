//! The shapes that layers make: windows that move over a picture, products of matrices, what makes pictures larger and
//! smaller.

use super::graph::Node;
use super::known::{Known, axis_of, broadcast};

/// Boxes of a class up to which the number that a suppression may keep is taken for one that it will.
const SUPPRESSED_MAX: f64 = 10_000.0;

/// Strides, pads and the like beyond this are taken to be this: any tensor of theirs is too large.
const SETTING_MAX: i64 = 1 << 40;

/// What is known of the first output of a layer.
pub(super) fn output(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let none = Known::default();
    let at = |index: usize| inputs.get(index).unwrap_or(&none);
    let first = at(0);
    match node.operator {
        "Conv" | "ConvInteger" => window(node, first, channels_of(at(1)), Some(at(1))),
        "QLinearConv" => window(node, first, channels_of(at(3)), Some(at(3))),
        "MaxPool" | "AveragePool" | "LpPool" => window(node, first, first.shape.as_ref()?.get(1).copied(), None),
        "ConvTranspose" => spread(node, first, at(1)),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => global(first),
        "MatMul" | "MatMulInteger" => product(first, at(1)),
        "QLinearMatMul" => product(first, at(3)),
        "Gemm" => general(node, first, at(1)),
        "Resize" | "Upsample" => resize(node, inputs),
        "DepthToSpace" | "SpaceToDepth" => Some(Known::maybe(blocks(node, first))),
        "ArgMax" | "ArgMin" => arg(node, first),
        "NonMaxSuppression" => suppressed(at(1), at(2)),
        "GridSample" => sampled(first, at(1)),
        reduce if reduce.starts_with("Reduce") => reduced(node, first, at(1)),
        _ => None,
    }
}

fn channels_of(weights: &Known) -> Option<u64> {
    weights.shape.as_ref()?.first().copied()
}

/// A setting that is a number for each axis of the window, with what it is where it is left out.
fn each(node: &Node<'_>, name: &str, count: usize, default: i64) -> Vec<i64> {
    let given = node.wholes(name);
    (0..count).map(|index| given.get(index).map_or(default, |given| within_reason(*given))).collect()
}

/// Settings are multiplied with each other; those beyond reason stay beyond it.
fn within_reason(setting: i64) -> i64 {
    setting.clamp(-SETTING_MAX, SETTING_MAX)
}

/// The sizes of the window: said, or those of the weights.
fn kernel(node: &Node<'_>, weights: Option<&Known>, axes: usize) -> Option<Vec<i64>> {
    let said = node.wholes("kernel_shape");
    if said.len() == axes {
        return Some(said.iter().map(|length| within_reason(*length)).collect());
    }
    let weights = weights?.shape.as_ref()?.get(2..)?;
    let length = |length: &u64| within_reason(i64::try_from(*length).unwrap_or(i64::MAX));
    (weights.len() == axes).then(|| weights.iter().map(length).collect())
}

/// A window that moves over the picture.
fn window(node: &Node<'_>, input: &Known, channels: Option<u64>, weights: Option<&Known>) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let axes = shape.len().checked_sub(2)?;
    let kernel = kernel(node, weights, axes)?;
    let (strides, dilations) = (each(node, "strides", axes, 1), each(node, "dilations", axes, 1));
    let pads = each(node, "pads", 2 * axes, 0);
    let is_same = node.text("auto_pad").starts_with(b"SAME");
    let mut made = vec![shape[0], channels?];
    for axis in 0..axes {
        let (length, stride) = (i128::from(shape[axis + 2]), i128::from(strides[axis].max(1)));
        let reach = (i128::from(kernel[axis]) - 1) * i128::from(dilations[axis]) + 1;
        let padded = length + i128::from(pads[axis]) + i128::from(pads[axis + axes]);
        // The last place may reach over the edge where lengths are rounded up.
        let places = if is_same { (length + stride - 1) / stride } else { (padded - reach + stride - 1) / stride + 1 };
        made.push(u64::try_from(places.max(0)).ok()?);
    }
    Some(Known::of_shape(made))
}

/// A window that spreads each place over several.
fn spread(node: &Node<'_>, input: &Known, weights: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let axes = shape.len().checked_sub(2)?;
    let kernel = kernel(node, Some(weights), axes)?;
    let (strides, dilations) = (each(node, "strides", axes, 1), each(node, "dilations", axes, 1));
    let (pads, more) = (each(node, "pads", 2 * axes, 0), each(node, "output_padding", axes, 0));
    let said = node.wholes("output_shape");
    let groups = u64::try_from(node.whole("group", 1)).ok()?;
    let mut made = vec![shape[0], weights.shape.as_ref()?.get(1)?.saturating_mul(groups)];
    for axis in 0..axes {
        let places = match said.get(axis) {
            Some(said) => i128::from(*said),
            None => {
                let reach = (i128::from(kernel[axis]) - 1) * i128::from(dilations[axis]) + 1;
                let moved = i128::from(strides[axis]) * (i128::from(shape[axis + 2]) - 1) + i128::from(more[axis]);
                moved + reach - i128::from(pads[axis]) - i128::from(pads[axis + axes])
            }
        };
        made.push(u64::try_from(places.max(0)).ok()?);
    }
    Some(Known::of_shape(made))
}

fn global(input: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    Some(Known::of_shape((0..shape.len()).map(|axis| if axis < 2 { shape[axis] } else { 1 }).collect()))
}

fn product(one: &Known, other: &Known) -> Option<Known> {
    let (one, other) = (one.shape.as_ref()?, other.shape.as_ref()?);
    let (rows, columns) = (one.len().checked_sub(2), other.len().checked_sub(2));
    let front = broadcast(&one[..rows.unwrap_or(0)], &other[..columns.unwrap_or(0)])?;
    let rows = rows.map(|rows| one[rows]);
    let columns = columns.and_then(|_| other.last().copied());
    Some(Known::of_shape(front.into_iter().chain(rows).chain(columns).collect()))
}

fn general(node: &Node<'_>, one: &Known, other: &Known) -> Option<Known> {
    let ([rows, inner], [depth, columns]) = (one.shape.as_deref()?, other.shape.as_deref()?) else { return None };
    let rows = if node.whole("transA", 0) == 0 { rows } else { inner };
    let columns = if node.whole("transB", 0) == 0 { columns } else { depth };
    Some(Known::of_shape(vec![*rows, *columns]))
}

/// Sizes or scales: of the second input and a setting in older files, of the third and fourth in newer ones.
fn resize(node: &Node<'_>, inputs: &[Known]) -> Option<Known> {
    let shape = inputs.first()?.shape.as_ref()?;
    let scales: Option<Vec<f64>> = match node.attribute("scales") {
        Some(attribute) => Some(attribute.floats.iter().map(|scale| f64::from(*scale)).collect()),
        None => [1, 2].iter().find_map(|index| inputs.get(*index)?.numbers.clone().filter(|all| !all.is_empty())),
    };
    let sizes = inputs.get(3).and_then(Known::wholes);
    let axes = node.wholes("axes");
    let count = if axes.is_empty() { shape.len() } else { axes.len() };
    let mut made = shape.clone();
    for index in 0..count {
        let axis = axes.get(index).map_or(Some(index), |axis| axis_of(*axis, shape.len()))?;
        made[axis] = match (&sizes, &scales) {
            (Some(sizes), _) => u64::try_from(*sizes.get(index)?).ok()?,
            (None, Some(scales)) => (shape[axis] as f64 * *scales.get(index)?).floor().max(0.0) as u64,
            (None, None) => return None,
        };
    }
    Some(Known::of_shape(made))
}

fn blocks(node: &Node<'_>, input: &Known) -> Option<Vec<u64>> {
    let [pictures, channels, rows, columns] = *input.shape.as_deref()? else { return None };
    let side = u64::try_from(node.whole("blocksize", 1)).ok()?.max(1);
    let square = side.saturating_mul(side);
    Some(match node.operator {
        "DepthToSpace" => vec![pictures, channels / square, rows.saturating_mul(side), columns.saturating_mul(side)],
        _ => vec![pictures, channels.saturating_mul(square), rows / side, columns / side],
    })
}

fn arg(node: &Node<'_>, input: &Known) -> Option<Known> {
    let mut shape = input.shape.clone()?;
    let axis = axis_of(node.whole("axis", 0), shape.len())?;
    if node.whole("keepdims", 1) == 0 {
        shape.remove(axis);
    } else {
        shape[axis] = 1;
    }
    Some(Known::of_shape(shape))
}

fn reduced(node: &Node<'_>, input: &Known, given: &Known) -> Option<Known> {
    let shape = input.shape.as_ref()?;
    let axes = match node.attribute("axes") {
        Some(attribute) => attribute.wholes.clone(),
        None if node.inputs.len() < 2 => (0..shape.len() as i64).collect(),
        None => given.wholes()?,
    };
    let gone: Vec<usize> = axes.into_iter().map(|axis| axis_of(axis, shape.len())).collect::<Option<_>>()?;
    let keeps = node.whole("keepdims", 1) != 0;
    let length = |(axis, length): (usize, &u64)| match gone.contains(&axis) {
        true => keeps.then_some(1),
        false => Some(*length),
    };
    Some(Known::of_shape(shape.iter().enumerate().filter_map(length).collect()))
}

/// At most so many rows for each class. Where that is left open, it is no size to reckon with.
fn suppressed(scores: &Known, most: &Known) -> Option<Known> {
    let [pictures, classes, boxes] = *scores.shape.as_deref()? else { return None };
    let most = boxes.min(most.first().filter(|most| *most <= SUPPRESSED_MAX)?.max(0.0) as u64);
    Some(Known::of_shape(vec![pictures.saturating_mul(classes).saturating_mul(most), 3]))
}

fn sampled(input: &Known, grid: &Known) -> Option<Known> {
    let (shape, grid) = (input.shape.as_ref()?, grid.shape.as_ref()?);
    let places = grid.get(1..grid.len().checked_sub(1)?)?;
    Some(Known::of_shape(shape.get(..2)?.iter().chain(places).copied().collect()))
}
