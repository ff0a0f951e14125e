//! Weights of aisle's own networks that look at whole people: the bytes of ONNX files, as they lie beside this crate's
//! manifest. It reads nothing and knows no network; what the bytes are for stands in `models/NAME.toml` of the repository.

/// Every file by its name.
pub static ALL: [(&str, &[u8]); 3] = [
    ("aisle_appearance.onnx", include_bytes!("../aisle_appearance.onnx")),
    ("aisle_joints.onnx", include_bytes!("../aisle_joints.onnx")),
    ("aisle_people.onnx", include_bytes!("../aisle_people.onnx")),
];
