//! ONNX files of a few operators, written field by field, for what models of any origin may hold.

/// A field of bytes: a text, or a message.
pub(super) fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![];
    varint(&mut field, u64::from(number) << 3 | 2);
    varint(&mut field, content.len() as u64);
    field.extend_from_slice(content);
    field
}

/// A field of a whole number.
pub(super) fn whole(number: u8, value: i64) -> Vec<u8> {
    let mut field = vec![];
    varint(&mut field, u64::from(number) << 3);
    varint(&mut field, value.cast_unsigned());
    field
}

fn varint(into: &mut Vec<u8>, mut value: u64) {
    while 0x7f < value {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// A use of an operator.
pub(super) fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let names = |number, names: &[&str]| names.iter().flat_map(|name| bytes(number, name.as_bytes())).collect();
    let settings = attributes.iter().flat_map(|attribute| bytes(5, attribute)).collect();
    let parts: [Vec<u8>; 4] = [names(1, inputs), names(2, outputs), bytes(4, operator.as_bytes()), settings];
    parts.concat()
}

/// A setting of whole numbers.
pub(super) fn wholes(name: &str, values: &[i64]) -> Vec<u8> {
    let values = values.iter().flat_map(|value| whole(8, *value)).collect();
    [bytes(1, name.as_bytes()), values, whole(20, 7)].concat()
}

/// A setting of one whole number.
pub(super) fn setting(name: &str, value: i64) -> Vec<u8> {
    [bytes(1, name.as_bytes()), whole(3, value), whole(20, 2)].concat()
}

/// A setting that is a graph.
pub(super) fn inner(name: &str, graph: &[u8]) -> Vec<u8> {
    [bytes(1, name.as_bytes()), bytes(6, graph), whole(20, 5)].concat()
}

/// Weights of 64-bit whole numbers.
pub(super) fn longs(name: &str, lengths: &[i64], values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 7, lengths, &raw)
}

/// Weights of floats.
pub(super) fn floats(name: &str, lengths: &[i64], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 1, lengths, &raw)
}

/// Weights of a type by its number in ONNX.
pub(super) fn tensor(name: &str, element: i64, lengths: &[i64], raw: &[u8]) -> Vec<u8> {
    let lengths = lengths.iter().flat_map(|length| whole(1, *length)).collect();
    [lengths, whole(2, element), bytes(8, name.as_bytes()), bytes(9, raw)].concat()
}

/// Floats that lie in another file.
pub(super) fn outside(name: &str, lengths: &[i64], file: &str) -> Vec<u8> {
    let lengths = lengths.iter().flat_map(|length| whole(1, *length)).collect();
    let entry = |key: &str, value: &str| bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat());
    let entries = [entry("location", file), entry("offset", "0"), entry("length", "16")].concat();
    [lengths, whole(2, 1), bytes(8, name.as_bytes()), entries, whole(14, 1)].concat()
}

/// An input or output of floats; 0 is left open, and without lengths all are.
pub(super) fn value(name: &str, lengths: &[i64]) -> Vec<u8> {
    let length = |length: &i64| bytes(1, &if *length == 0 { bytes(2, b"open") } else { whole(1, *length) });
    let shape: Vec<u8> = lengths.iter().flat_map(length).collect();
    let tensor = if lengths.is_empty() { whole(1, 1) } else { [whole(1, 1), bytes(2, &shape)].concat() };
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A graph.
pub(super) fn graph(nodes: &[Vec<u8>], weights: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    let all = |number, parts: &[Vec<u8>]| parts.iter().flat_map(|part| bytes(number, part)).collect::<Vec<u8>>();
    [all(1, nodes), bytes(2, b"ours"), all(5, weights), all(11, inputs), all(12, outputs)].concat()
}

/// A file of that graph, with operators of ONNX's version 17.
pub(super) fn file(graph: &[u8]) -> Vec<u8> {
    [whole(1, 8), bytes(7, graph), bytes(8, &whole(2, 17))].concat()
}

/// A file whose graph takes a picture of 8 by 8 pixels in `x` and gives `y`.
pub(super) fn net(nodes: &[Vec<u8>], weights: &[Vec<u8>]) -> Vec<u8> {
    file(&graph(nodes, weights, &[value("x", &[1, 3, 8, 8])], &[value("y", &[])]))
}

/// A detector that says the same of every picture: `outputs` with their lengths and numbers.
pub(super) fn detector(outputs: &[(&str, &[i64], &[f32])]) -> Vec<u8> {
    let (mut nodes, mut weights, mut values) = (vec![node("Flatten", &["x"], &["flat"], &[])], Vec::new(), Vec::new());
    for (name, lengths, numbers) in outputs {
        let part = |part: &str| format!("{name}.{part}");
        let (nothing, said, row, shape, sum) = (part("0"), part("said"), part("row"), part("shape"), part("sum"));
        let count = numbers.len() as i64;
        weights.push(floats(&nothing, &[192, count], &vec![0.0; 192 * numbers.len()]));
        weights.push(floats(&said, &[count], numbers));
        weights.push(longs(&shape, &[lengths.len() as i64], lengths));
        nodes.push(node("MatMul", &["flat", &nothing], &[&row], &[]));
        nodes.push(node("Add", &[&row, &said], &[&sum], &[]));
        nodes.push(node("Reshape", &[&sum, &shape], &[name], &[]));
        values.push(value(name, lengths));
    }
    file(&graph(&nodes, &weights, &[value("x", &[1, 3, 8, 8])], &values))
}
