//! Manifests of models: those that are built in and those of a folder, read with every problem at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::fields::{Fields, Finding, Findings};
use super::files::Text;
use super::node::{Node, Value};
use super::{failure, parse};
use crate::base::limits::NAME_LETTERS_MAX;
use crate::base::text::flaw;
use crate::base::{Error, Result};
use crate::facts::DetectionClass;
use crate::vision::{
    Classes, Colour, Column, Decoder, DecoderKind, Element, Fit, Input, Layout, Manifest, OutputName, Region, Role,
    Rows, Weights,
};

/// Sides of an input and lengths of vectors up to which a manifest is believed.
const LENGTH_MAX: i64 = 4_096;
/// Classes of a detector, at most.
const CLASSES_MAX: i64 = 10_000;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// The manifests of `models/`, built in.
        const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, ".toml")))),*];
    };
}

shipped![
    "aisle_appearance",
    "aisle_face_embedding",
    "aisle_faces",
    "aisle_hand",
    "aisle_joints",
    "aisle_people",
    "light_person",
    "mediapipe_hand",
    "mediapipe_palm",
    "mobilefacenet",
    "mobilenet_v1_product",
    "movenet_lightning",
    "nanodet_m",
    "posenet_075",
    "retail_reid_0248",
    "sface",
    "ultraface_320",
    "yolox_nano",
    "yolox_s",
    "youtu_reid",
    "yunet_n_320",
    "yunet_n_640",
    "yunet_s_640",
];

/// The weights of this file name that are built in: those of our own models, so that they are there wherever this program
/// is.
pub fn built_in_weights(file: &str) -> Option<&'static [u8]> {
    let mut own = aisle_weights_bodies::ALL.iter().chain(&aisle_weights_parts::ALL);
    own.find(|(name, _)| *name == file).map(|(_, bytes)| *bytes)
}

/// Manifests by name: those built in, and those of a folder, which go before a built-in one of their name.
///
/// # Errors
/// When the folder cannot be read, or with every problem of all its manifests.
pub fn load_manifests(folder: Option<&Path>) -> Result<BTreeMap<String, Manifest>> {
    let mut manifests = BTreeMap::new();
    let mut all = Vec::new();
    for (name, text) in SHIPPED {
        let file = Text { path: PathBuf::from(format!("models/{name}.toml")), text: text.to_string() };
        manifests.extend(manifest(&file, name, &mut all).map(|manifest| (manifest.name.clone(), manifest)));
    }
    if let Some(folder) = folder {
        let opened = |error: std::io::Error| Error::io("read", folder, &error);
        let entries = fs::read_dir(folder).map_err(opened)?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let path = entry.map_err(opened)?.path();
            paths.extend(path.extension().is_some_and(|extension| extension == "toml").then_some(path));
        }
        paths.sort();
        for path in paths {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let file = Text::read(&path)?;
            manifests.extend(manifest(&file, &name, &mut all).map(|manifest| (manifest.name.clone(), manifest)));
        }
    }
    match all.first().map(|finding| finding.path.clone()) {
        None => Ok(manifests),
        Some(path) => Err(failure(folder.unwrap_or(&path), "the folder of models", all)),
    }
}

/// Reads one manifest; its problems go to `all`.
fn manifest(file: &Text, name: &str, all: &mut Vec<Finding>) -> Option<Manifest> {
    let findings = Findings::new(&file.path);
    if let Some(flaw) = flaw(name, NAME_LETTERS_MAX) {
        findings.say(1, "model", format!("its name {flaw}"));
    }
    let root = parse(file, &findings);
    let manifest = root.and_then(|root| read(&root, name, &findings));
    let found = findings.found.take();
    let sound = found.is_empty();
    all.extend(found);
    manifest.filter(|_| sound)
}

fn read(root: &Node, name: &str, findings: &Findings) -> Option<Manifest> {
    let mut fields = Fields::new(root, "model", findings);
    let role = choice(&mut fields, "role", &Role::ALL.map(|(role, name)| (name, role)), None);
    let weights = weights(&mut fields);
    let input = table(&mut fields, "input", |node| input(node, findings));
    let decoder = table(&mut fields, "decoder", |node| decoder(node, findings));
    let outputs = fields.list("outputs").iter().enumerate();
    let outputs = outputs.filter_map(|(index, node)| output(index, node, findings)).collect();
    let score_min = within(&mut fields, "score_min", 0.0..=1.0, Some(0.0));
    let iou_max = within(&mut fields, "iou_max", 0.0..=1.0, Some(0.5));
    let line = fields.line;
    fields.finish();
    let manifest = Manifest {
        name: name.to_owned(),
        role: role?,
        weights: weights?,
        input: input?,
        outputs,
        decoder: decoder?,
        score_min: score_min?,
        iou_max: iou_max?,
    };
    let reads = manifest.output_shapes().len();
    if !manifest.outputs.is_empty() && manifest.outputs.len() != reads {
        let message = format!("outputs names {}; this decoder reads {reads}", manifest.outputs.len());
        findings.say(line, "model", message);
    }
    Some(manifest)
}

fn table<T>(fields: &mut Fields<'_>, key: &'static str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
    let node = fields.node(key);
    fields.required(key, node).and_then(read)
}

fn weights(fields: &mut Fields<'_>) -> Option<Weights> {
    let text = |fields: &mut Fields<'_>, key| {
        let text = fields.name(key);
        fields.required(key, text)
    };
    let file = text(fields, "file").filter(|file| {
        let plain = !file.is_empty() && !file.contains(['/', '\\']) && !file.starts_with('.');
        if !plain {
            fields.say(format!("file is `{file}`; it must be the plain name of a file"));
        }
        plain
    });
    let size = fields.whole("size_bytes");
    let size = fields.required("size_bytes", size).and_then(|size| {
        let size = u64::try_from(size).ok().filter(|size| 0 < *size);
        if size.is_none() {
            fields.say("size_bytes must be more than 0");
        }
        size
    });
    let sha256 = text(fields, "sha256").filter(|digest| {
        let sound = digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !sound {
            fields.say("sha256 must be 64 hexadecimal digits in lower case");
        }
        sound
    });
    let licence = text(fields, "licence");
    let source = fields.text("source").filter(|source| {
        let sound = is_safe_address(source);
        if !sound {
            fields.say(format!("source is `{source}`; it must be an https:// address"));
        }
        sound
    });
    Some(Weights { file: file?, size_bytes: size?, sha256: sha256?, licence: licence?, source })
}

/// Whether files may be fetched from an address: HTTPS, or plain HTTP to this machine itself. Addresses with a name and
/// a password in them are refused, as such a name can pass for a host.
pub fn is_safe_address(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let odd = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '-' | '_' | ':' | '[' | ']');
    // The colons of an IPv6 address are in brackets; what follows the host is a port.
    let host_end = authority.rfind(']').map_or_else(|| authority.find(':').unwrap_or(authority.len()), |end| end + 1);
    let (host, port) = authority.split_at(host_end);
    let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if host.is_empty() || authority.contains(odd) || !port_fits || address.contains(char::is_whitespace) {
        return false;
    }
    scheme == "https" || (scheme == "http" && ["127.0.0.1", "localhost", "[::1]"].contains(&host))
}

fn input(node: &Node, findings: &Findings) -> Option<Input> {
    let mut fields = Fields::new(node, "input", findings);
    let width = length(&mut fields, "width", LENGTH_MAX, None);
    let height = length(&mut fields, "height", LENGTH_MAX, None);
    let layout = choice(&mut fields, "layout", &[("nchw", Layout::Nchw), ("nhwc", Layout::Nhwc)], Some(Layout::Nchw));
    let element = choice(&mut fields, "element", &[("f32", Element::F32), ("u8", Element::U8)], Some(Element::F32));
    let colour = choice(&mut fields, "colour", &[("rgb", Colour::Rgb), ("bgr", Colour::Bgr)], None);
    let mean = triple(&mut fields, "mean", 0.0, |_| true);
    let deviation = triple(&mut fields, "deviation", 1.0, |number| 0.0 < number);
    if element == Some(Element::U8) && (fields.has("mean") || fields.has("deviation")) {
        fields.say("an input of bytes takes pixels as they are; leave out mean and deviation");
    }
    let region = fields.text("region").unwrap_or_else(|| "frame".to_owned());
    let margin = within(&mut fields, "margin", 0.1..=10.0, Some(1.0));
    if fields.has("margin") && region != "box" {
        fields.say("margin is for the region `box` only");
    }
    let region = match region.as_str() {
        "frame" => Some(Region::Frame),
        "box" => margin.map(|margin| Region::Box { margin }),
        "face_points" => Some(Region::FacePoints),
        "palm" => Some(Region::Palm),
        other => {
            fields.say(format!("region is `{other}`; it must be frame, box, face_points or palm"));
            None
        }
    };
    let fits = [("stretch", Fit::Stretch), ("corner", Fit::Corner), ("centre", Fit::Centre), ("cover", Fit::Cover)];
    let fit = choice(&mut fields, "fit", &fits, Some(Fit::Stretch));
    let pad = within(&mut fields, "pad", 0.0..=255.0, Some(0.0));
    fields.finish();
    Some(Input {
        width: width?,
        height: height?,
        layout: layout?,
        element: element?,
        colour: colour?,
        mean: mean?,
        deviation: deviation?,
        region: region?,
        fit: fit?,
        pad: pad?,
    })
}

fn output(index: usize, node: &Node, findings: &Findings) -> Option<OutputName> {
    if let Value::Text(name) = &node.value {
        return Some(OutputName { name: name.clone(), scale: 1.0, zero: 0.0 });
    }
    let mut fields = Fields::new(node, format!("output {}", index + 1), findings);
    let name = fields.text("name");
    let name = fields.required("name", name);
    let scale = fields.number("scale").unwrap_or(1.0);
    let zero = fields.number("zero").unwrap_or(0.0);
    fields.finish();
    Some(OutputName { name: name?, scale, zero })
}

fn decoder(node: &Node, findings: &Findings) -> Option<Decoder> {
    let mut fields = Fields::new(node, "decoder", findings);
    let kind = fields.text("kind");
    let kind = fields.required("kind", kind)?;
    let kind = match kind.parse::<DecoderKind>() {
        Ok(kind) => kind,
        Err(why) => {
            fields.say(format!("kind: {why}"));
            return None;
        }
    };
    let decoder = match kind {
        DecoderKind::YuNet => strides(&mut fields).map(|strides| Decoder::YuNet { strides }),
        DecoderKind::Scrfd => {
            let strides = strides(&mut fields);
            let anchors = length(&mut fields, "anchors", 16, Some(2));
            strides.zip(anchors).map(|(strides, anchors)| Decoder::Scrfd { strides, anchors })
        }
        DecoderKind::UltraFace => Some(Decoder::UltraFace),
        DecoderKind::Yolox => {
            let strides = strides(&mut fields);
            strides.zip(classes(&mut fields)).map(|(strides, classes)| Decoder::Yolox { strides, classes })
        }
        DecoderKind::YoloV8 => {
            let keypoints = choice(&mut fields, "keypoints", &[("none", 0), ("coco", 17)], Some(0));
            classes(&mut fields).zip(keypoints).map(|(classes, keypoints)| Decoder::YoloV8 { classes, keypoints })
        }
        DecoderKind::NanoDet => {
            let strides = strides(&mut fields);
            let bins = length(&mut fields, "bins", 64, Some(8));
            let all = strides.zip(bins).zip(classes(&mut fields));
            all.map(|((strides, bins), classes)| Decoder::NanoDet { strides, bins, classes })
        }
        DecoderKind::Suppressed => {
            let (rows, classes) = (rows(&mut fields), classes(&mut fields));
            rows.zip(classes).map(|(rows, classes)| Decoder::Suppressed { rows, classes })
        }
        DecoderKind::MoveNet => Some(Decoder::MoveNet),
        DecoderKind::SimCc => within(&mut fields, "split", 0.1..=16.0, Some(2.0)).map(|split| Decoder::SimCc { split }),
        DecoderKind::Rtmo => Some(Decoder::Rtmo),
        DecoderKind::PoseNet => length(&mut fields, "stride", 64, Some(16)).map(|stride| Decoder::PoseNet { stride }),
        DecoderKind::Embedding => {
            let length = length(&mut fields, "length", LENGTH_MAX, None);
            length.map(|length| Decoder::Embedding { length })
        }
        DecoderKind::HeldProduct => {
            let length = length(&mut fields, "length", LENGTH_MAX, None);
            let temperature = within(&mut fields, "temperature", 0.001..=10.0, Some(0.05));
            length.zip(temperature).map(|(length, temperature)| Decoder::HeldProduct { length, temperature })
        }
        DecoderKind::Palm => Some(Decoder::Palm),
        DecoderKind::HandPoints => Some(Decoder::HandPoints),
    };
    fields.finish();
    decoder
}

/// What rows hold: columns of one output, or a list for each of several.
fn rows(fields: &mut Fields<'_>) -> Option<Rows> {
    let keypoints = choice(fields, "keypoints", &[("none", 0), ("coco", 17)], Some(0));
    let shares = choice(fields, "boxes", &[("pixels", false), ("shares", true)], Some(false));
    let columns = match fields.has("columns") {
        true => columns(fields)?,
        false => {
            let _ = fields.node("columns");
            let usual = [Column::Left, Column::Top, Column::Right, Column::Bottom, Column::Score, Column::Class];
            vec![usual.to_vec()]
        }
    };
    let rows = Rows { columns, shares: shares?, keypoints: keypoints? };
    if !rows.are_readable() {
        fields.say(
            "columns must name score and left, top, right and bottom, once each; or width and height beside left and top \
             or middle_x and middle_y",
        );
        return None;
    }
    Some(rows)
}

fn columns(fields: &mut Fields<'_>) -> Option<Vec<Vec<Column>>> {
    let one = |node: &Node| match &node.value {
        Value::Text(text) => Column::ALL.iter().find(|(name, _)| name == text).map(|(_, column)| *column),
        _ => None,
    };
    let nodes = fields.list("columns");
    let lists: Option<Vec<Vec<Column>>> = match nodes.first().map(|node| &node.value) {
        Some(Value::List(_)) => {
            let list = |node: &Node| match &node.value {
                Value::List(nodes) if !nodes.is_empty() => nodes.iter().map(one).collect(),
                _ => None,
            };
            nodes.iter().map(list).collect()
        }
        _ => nodes.iter().map(one).collect::<Option<Vec<Column>>>().map(|columns| vec![columns]),
    };
    if lists.is_none() {
        let names: Vec<&str> = Column::ALL.iter().map(|(name, _)| *name).collect();
        fields.say(format!("columns must be a list, or one list for each output, of {}", names.join(", ")));
    }
    lists
}

fn classes(fields: &mut Fields<'_>) -> Option<Classes> {
    let count = length(fields, "classes", CLASSES_MAX, None)?;
    let mut named = Vec::new();
    let words = [
        ("person", DetectionClass::Person),
        ("face", DetectionClass::Face),
        ("hand", DetectionClass::Hand),
        ("product", DetectionClass::Product),
    ];
    let number = |fields: &Fields<'_>, what: &str, number: i64| {
        let class = usize::try_from(number).ok().filter(|class| *class < count);
        if class.is_none() {
            fields.say(format!("{what} is {number}; classes are numbered from 0 to {}", count - 1));
        }
        class
    };
    for (word, class) in words {
        if let Some(index) = fields.whole(word) {
            named.push((number(fields, word, index)?, class));
        }
    }
    let mut keep = Vec::new();
    for node in fields.list("keep") {
        let Value::Whole(index) = node.value else {
            fields.say("keep must be a list of numbers of classes");
            return None;
        };
        keep.push(number(fields, "keep", index)?);
    }
    Some(Classes { count, named, keep })
}

fn strides(fields: &mut Fields<'_>) -> Option<Vec<usize>> {
    let stride = |node: &Node| match node.value {
        Value::Whole(stride) => usize::try_from(stride).ok().filter(|stride| (1..=256).contains(stride)),
        _ => None,
    };
    if !fields.has("strides") {
        let _ = fields.node("strides");
        return Some(vec![8, 16, 32]);
    }
    let strides: Option<Vec<usize>> = fields.list("strides").iter().map(stride).collect();
    let strides = strides.filter(|strides| !strides.is_empty());
    if strides.is_none() {
        fields.say("strides must be a list of whole numbers from 1 to 256");
    }
    strides
}

fn length(fields: &mut Fields<'_>, key: &'static str, most: i64, default: Option<usize>) -> Option<usize> {
    let number = fields.whole(key);
    let Some(number) = number else {
        return if fields.has(key) { None } else { default.or_else(|| fields.required(key, None)) };
    };
    let length = usize::try_from(number).ok().filter(|_| (1..=most).contains(&number));
    if length.is_none() {
        fields.say(format!("{key} is {number}; it must be from 1 to {most}"));
    }
    length
}

fn within(
    fields: &mut Fields<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<f64>,
    default: Option<f64>,
) -> Option<f64> {
    let Some(number) = fields.number(key) else { return if fields.has(key) { None } else { default } };
    if !range.contains(&number) {
        fields.say(format!("{key} is {number}; it must be from {} to {}", range.start(), range.end()));
    }
    range.contains(&number).then_some(number)
}

/// A number, whole or not.
fn real(node: &Node) -> Option<f64> {
    match node.value {
        Value::Whole(number) => Some(number as f64),
        Value::Real(number) => Some(number),
        _ => None,
    }
}

/// One number for all colours, or one for each.
fn triple(fields: &mut Fields<'_>, key: &'static str, default: f64, sound: impl Fn(f64) -> bool) -> Option<[f64; 3]> {
    let Some(node) = fields.node(key) else { return Some([default; 3]) };
    let numbers = match &node.value {
        Value::List(items) => items.iter().map(real).collect::<Option<Vec<f64>>>(),
        _ => real(node).map(|number| vec![number; 3]),
    };
    let numbers = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
    let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite() && sound(*number)));
    if numbers.is_none() {
        fields.say(format!("{key} must be a number or a list of three, in the order of the model's colours"));
    }
    numbers
}

fn choice<T: Copy>(fields: &mut Fields<'_>, key: &'static str, choices: &[(&str, T)], default: Option<T>) -> Option<T> {
    let Some(text) = fields.text(key) else {
        return if fields.has(key) { None } else { default.or_else(|| fields.required(key, None)) };
    };
    let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
    if chosen.is_none() {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        fields.say(format!("{key} is `{text}`; it must be one of {}", names.join(", ")));
    }
    chosen
}
