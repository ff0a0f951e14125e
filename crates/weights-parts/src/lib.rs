//! Weights of aisle's own networks that look at parts of people: the bytes of ONNX files, as they lie beside this crate's
//! manifest. It reads nothing and knows no network; what the bytes are for stands in `models/NAME.toml` of the repository.

/// Every file by its name.
pub static ALL: [(&str, &[u8]); 3] = [
    ("aisle_face_embedding.onnx", include_bytes!("../aisle_face_embedding.onnx")),
    ("aisle_faces.onnx", include_bytes!("../aisle_faces.onnx")),
    ("aisle_hand.onnx", include_bytes!("../aisle_hand.onnx")),
];
