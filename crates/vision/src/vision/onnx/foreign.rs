//! What a file is that is no ONNX file, by its first bytes: people give what their training wrote.

use crate::base::Error;

/// How to make an ONNX file of what PyTorch wrote.
const FROM_PYTORCH: &str = "export it: `torch.onnx.export(model, picture, \"name.onnx\")`, with Ultralytics \
     `yolo export model=name.pt format=onnx`";

/// The error for a file that is something else; none for what may be ONNX.
pub(super) fn refusal(bytes: &[u8]) -> Option<Error> {
    let (is, hint) = other_format(bytes)?;
    Some(Error::input(format!("the file of the model is {is}, no ONNX file")).hint(hint))
}

/// What a file is that is surely something else than ONNX, by its first 4,096 bytes, and what to do about it.
pub fn other_format(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let at = |place: usize, with: &[u8]| bytes.get(place..).is_some_and(|rest| rest.starts_with(with));
    let holds = |text: &[u8]| bytes[..bytes.len().min(4_096)].windows(text.len()).any(|window| window == text);
    Some(match () {
        () if bytes.is_empty() => ("empty", "fetch or export it again"),
        () if begins(b"version https://git-lfs") => {
            ("a pointer of Git LFS to the model, not the model itself", "`git lfs pull` gets it")
        }
        () if begins(b"PK") && (holds(b"data.pkl") || holds(b".pt") || holds(b"/version")) => {
            ("weights that PyTorch saved", FROM_PYTORCH)
        }
        () if begins(b"PK") => ("a ZIP archive", "unpack it, and use the .onnx file that is in it"),
        () if begins(b"\x80") && bytes.get(1).is_some_and(|version| (2..=5).contains(version)) => {
            ("a pickle of Python, such as PyTorch's older weights", FROM_PYTORCH)
        }
        () if begins(b"\x1f\x8b") => ("packed with gzip", "unpack it: `gunzip name.onnx.gz`"),
        () if begins(b"BZh") || begins(b"\xfd7zXZ\0") || begins(b"\x28\xb5\x2f\xfd") || begins(b"7z\xbc\xaf") => {
            ("a packed archive", "unpack it, and use the .onnx file that is in it")
        }
        () if at(257, b"ustar") => ("a tar archive", "unpack it, and use the .onnx file that is in it"),
        () if at(4, b"TFL3") => (
            "a model of TensorFlow Lite",
            "convert it: `python -m tf2onnx.convert --tflite name.tflite --output name.onnx`",
        ),
        () if at(4, b"ORTM") => ("in ONNX Runtime's own format", "use the .onnx file that it was made of"),
        () if begins(b"RTEN") => ("in rten's own format", "use the .onnx file that it was made of"),
        () if begins(b"\x89HDF\r\n\x1a\n") => {
            ("weights that Keras saved", "convert them: `python -m tf2onnx.convert --keras name.h5 --output name.onnx`")
        }
        () if begins(b"GGUF") || begins(b"GGML") => ("weights of llama.cpp", "bring a model in ONNX"),
        () if begins(b"\x93NUMPY") => ("an array of NumPy", "bring a model in ONNX"),
        () if begins(b"7767517") => ("a model of ncnn", "use the .onnx file that it was made of"),
        () if at(8, b"{\"") && bytes.get(4..8) == Some(&[0; 4]) => {
            ("weights in safetensors, without the model", FROM_PYTORCH)
        }
        () if holds(b"<net ") || holds(b"<net\n") => ("a model of OpenVINO", "use the .onnx file that it was made of"),
        () if is_page(bytes) => (
            "a page of the web, as servers send in the place of a file",
            "fetch it again, from the address of the file itself",
        ),
        () if begins(b"\x89PNG") || begins(b"\xff\xd8\xff") => ("a picture", "name the model's file in its manifest"),
        () if is_text(bytes) => ("a text", "name the model's file in its manifest"),
        () => return None,
    })
}

fn is_page(bytes: &[u8]) -> bool {
    let start: Vec<u8> = bytes.iter().take(256).map(u8::to_ascii_lowercase).collect();
    let start = start.trim_ascii_start();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || start.starts_with(b"<?xml")
}

/// Whether the beginning holds nothing but what people type; an ONNX file begins with a number below 32.
fn is_text(bytes: &[u8]) -> bool {
    let typed = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 32..=126);
    bytes.iter().take(256).all(typed) && std::str::from_utf8(&bytes[..bytes.len().min(256)]).is_ok()
}
