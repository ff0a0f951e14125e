//! What has to be known of a model to use it: a checked manifest.

use super::network::{Element, Shape};
use crate::facts::DetectionClass;

/// Everything that has to be known of a model, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its name, that of the manifest's file.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The weights.
    pub weights: Weights,
    /// What goes in.
    pub input: Input,
    /// The outputs that the decoder reads, in its order; none for all of them in the order of the file.
    pub outputs: Vec<OutputName>,
    /// How the outputs become facts.
    pub decoder: Decoder,
    /// Below this nothing is a detection, `0..=1`.
    pub score_min: f64,
    /// Of two detections of one class that overlap by more than this, the less sure is dropped, `0..=1`.
    pub iou_max: f64,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Finds people, perhaps other things too, in a frame.
    People,
    /// Finds joints of people.
    Pose,
    /// Finds faces in a frame.
    Faces,
    /// Tells faces apart.
    FaceEmbedding,
    /// Tells people apart by what they wear.
    Appearance,
    /// Finds hands in a frame.
    Hands,
    /// Finds the points of a hand.
    HandPoints,
    /// Finds goods.
    Products,
    /// Tells products apart.
    ProductEmbedding,
    /// Tells whether a hand holds something, and which product.
    HeldProduct,
}

/// The file of the weights and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Name of the file.
    pub file: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// The licence that it is given under.
    pub licence: String,
    /// Where it was published, an address to fetch it from; none where it was made from something else.
    pub source: Option<String>,
}

/// How a picture becomes the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Width, pixels.
    pub width: usize,
    /// Height, pixels.
    pub height: usize,
    /// In which order its numbers lie.
    pub layout: Layout,
    /// What its numbers are.
    pub element: Element,
    /// The order of its colours.
    pub colour: Colour,
    /// Taken off each colour, in the order of the model, `0..=255`.
    pub mean: [f64; 3],
    /// What each colour is then divided by.
    pub deviation: [f64; 3],
    /// What part of the frame is looked at.
    pub region: Region,
    /// How that part fills the input.
    pub fit: Fit,
    /// The colour around it, all three channels, `0..=255`.
    pub pad: f64,
}

/// In which order the numbers of an input lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One plane for each colour.
    Nchw,
    /// The colours of a pixel together.
    Nhwc,
}

/// The order of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first, as OpenCV has it.
    Bgr,
}

/// What part of a frame a model looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Region {
    /// All of it.
    Frame,
    /// The box of something that was found, its sides made this many times as long.
    Box {
        /// 1 for the box itself.
        margin: f64,
    },
    /// A face turned and scaled until its five points lie where ArcFace was trained to have them.
    FacePoints,
    /// A palm turned until the fingers point up, with room for them, as MediaPipe cuts it.
    Palm,
}

/// How a part of a frame fills an input of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Stretched to it.
    Stretch,
    /// As large as it fits, in the upper left corner, the rest padded.
    Corner,
    /// As large as it fits, in the middle, the rest padded.
    Centre,
    /// So large that nothing is left free; what reaches over is cut off.
    Cover,
}

/// An output that a decoder reads.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputName {
    /// What the model calls it.
    pub name: String,
    /// How its numbers become real ones, `(number - zero) * scale`, where the model is quantised; 1 and 0 otherwise.
    pub scale: f64,
    /// The number that stands for 0.
    pub zero: f64,
}

/// What the classes of a detector are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// How many there are.
    pub count: usize,
    /// Those that have a word of their own; the others are [`DetectionClass::Other`].
    pub named: Vec<(usize, DetectionClass)>,
    /// Those that are looked for; none for all.
    pub keep: Vec<usize>,
}

/// What the rows of a detector hold that suppresses by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The columns of each output, in the order in which the decoder reads outputs.
    pub columns: Vec<Vec<Column>>,
    /// Whether places are parts of the input, from 0 to 1, and not its pixels.
    pub shares: bool,
    /// Points behind the columns of the first output, each of x, y and score; 0 or 17.
    pub keypoints: usize,
}

/// A column of such rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Left edge.
    Left,
    /// Upper edge.
    Top,
    /// Right edge.
    Right,
    /// Lower edge.
    Bottom,
    /// The middle, across.
    MiddleX,
    /// The middle, down.
    MiddleY,
    /// Width.
    Width,
    /// Height.
    Height,
    /// How sure it is.
    Score,
    /// Number of its class.
    Class,
    /// Number of its picture within the batch.
    Batch,
    /// Something that is not read.
    Other,
}

/// How the outputs of a model become facts. What each reads, in which order, is in `docs/reference/models.md`.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoder {
    /// YuNet (Wu et al., 2023): faces with five points.
    YuNet {
        /// Pixels a cell.
        strides: Vec<usize>,
    },
    /// SCRFD (Guo et al., 2021): faces with five points.
    Scrfd {
        /// Pixels a cell.
        strides: Vec<usize>,
        /// Anchors a cell.
        anchors: usize,
    },
    /// UltraFace (Linzai, 2019): faces without points.
    UltraFace,
    /// YOLOX (Ge et al., 2021), outputs as exported without its own decoding.
    Yolox {
        /// Pixels a cell.
        strides: Vec<usize>,
        /// Its classes.
        classes: Classes,
    },
    /// YOLOv8 and YOLO11 (Ultralytics, 2023), for detection or, with keypoints, for pose.
    YoloV8 {
        /// Its classes.
        classes: Classes,
        /// Points of each detection; 0 or 17.
        keypoints: usize,
    },
    /// NanoDet (RangiLyu, 2020): boxes as distributions over distances.
    NanoDet {
        /// Pixels a cell.
        strides: Vec<usize>,
        /// Distances that are told apart, in cells, from 0.
        bins: usize,
        /// Its classes.
        classes: Classes,
    },
    /// A detector with suppression inside, such as YOLOv10's or what exporters add: a row for each thing.
    Suppressed {
        /// What is in a row.
        rows: Rows,
        /// Its classes.
        classes: Classes,
    },
    /// MoveNet single-pose (Google, 2021): the joints of the one person that the region holds.
    MoveNet,
    /// RTMPose (Jiang et al., 2023): joints as one distribution along each axis (SimCC).
    SimCc {
        /// Places a pixel.
        split: f64,
    },
    /// RTMO (Lu et al., 2023): people with joints, suppressed by the model or not.
    Rtmo,
    /// PoseNet: PersonLab (Papandreou et al., 2018), people with joints put together from the parts.
    PoseNet {
        /// Pixels a cell.
        stride: usize,
    },
    /// A vector that is compared by the cosine.
    Embedding {
        /// Its length.
        length: usize,
    },
    /// A hand, whether it holds something, and a vector of what it holds that is compared with pictures of a catalogue.
    HeldProduct {
        /// Length of the vector.
        length: usize,
        /// What cosines are divided by before a softmax over products, more than 0: so that probabilities are right.
        temperature: f64,
    },
    /// MediaPipe's palm detector (Zhang et al., 2020): hands with seven points on anchors.
    Palm,
    /// MediaPipe's hand landmarks: 21 points of the hand that the region holds.
    HandPoints,
}

aisle_contract::named_enum! {
    /// The kinds of decoders, by the words that manifests use: one for each [`Decoder`].
    pub enum DecoderKind as "kind of decoder" {
        /// [`Decoder::YuNet`]
        YuNet = "yunet",
        /// [`Decoder::Scrfd`]
        Scrfd = "scrfd",
        /// [`Decoder::UltraFace`]
        UltraFace = "ultraface",
        /// [`Decoder::Yolox`]
        Yolox = "yolox",
        /// [`Decoder::YoloV8`]
        YoloV8 = "yolov8",
        /// [`Decoder::NanoDet`]
        NanoDet = "nanodet",
        /// [`Decoder::Suppressed`]
        Suppressed = "suppressed",
        /// [`Decoder::MoveNet`]
        MoveNet = "movenet",
        /// [`Decoder::SimCc`]
        SimCc = "simcc",
        /// [`Decoder::Rtmo`]
        Rtmo = "rtmo",
        /// [`Decoder::PoseNet`]
        PoseNet = "posenet",
        /// [`Decoder::Embedding`]
        Embedding = "embedding",
        /// [`Decoder::HeldProduct`]
        HeldProduct = "held_product",
        /// [`Decoder::Palm`]
        Palm = "palm",
        /// [`Decoder::HandPoints`]
        HandPoints = "hand_points",
    }
}

impl Decoder {
    /// Which kind it is.
    pub fn kind(&self) -> DecoderKind {
        match self {
            Decoder::YuNet { .. } => DecoderKind::YuNet,
            Decoder::Scrfd { .. } => DecoderKind::Scrfd,
            Decoder::UltraFace => DecoderKind::UltraFace,
            Decoder::Yolox { .. } => DecoderKind::Yolox,
            Decoder::YoloV8 { .. } => DecoderKind::YoloV8,
            Decoder::NanoDet { .. } => DecoderKind::NanoDet,
            Decoder::Suppressed { .. } => DecoderKind::Suppressed,
            Decoder::MoveNet => DecoderKind::MoveNet,
            Decoder::SimCc { .. } => DecoderKind::SimCc,
            Decoder::Rtmo => DecoderKind::Rtmo,
            Decoder::PoseNet { .. } => DecoderKind::PoseNet,
            Decoder::Embedding { .. } => DecoderKind::Embedding,
            Decoder::HeldProduct { .. } => DecoderKind::HeldProduct,
            Decoder::Palm => DecoderKind::Palm,
            Decoder::HandPoints => DecoderKind::HandPoints,
        }
    }
}

impl Role {
    /// All of them, with the names that manifests use.
    pub const ALL: [(Role, &'static str); 10] = [
        (Role::People, "people"),
        (Role::Pose, "pose"),
        (Role::Faces, "faces"),
        (Role::FaceEmbedding, "face_embedding"),
        (Role::Appearance, "appearance"),
        (Role::Hands, "hands"),
        (Role::HandPoints, "hand_points"),
        (Role::Products, "products"),
        (Role::ProductEmbedding, "product_embedding"),
        (Role::HeldProduct, "held_product"),
    ];

    /// The name that manifests use.
    pub fn name(self) -> &'static str {
        Role::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, name)| name)
    }
}

impl Input {
    /// The shape of the input tensor for `batch` pictures.
    pub fn shape(&self, batch: usize) -> [usize; 4] {
        match self.layout {
            Layout::Nchw => [batch, 3, self.height, self.width],
            Layout::Nhwc => [batch, self.height, self.width, 3],
        }
    }

    /// Cells across and down of a grid of so many pixels a cell.
    pub fn grid(&self, stride: usize) -> [usize; 2] {
        [self.width.div_ceil(stride), self.height.div_ceil(stride)]
    }

    fn cells(&self, strides: &[usize]) -> usize {
        strides.iter().map(|stride| self.grid(*stride).into_iter().product::<usize>()).sum()
    }
}

impl Column {
    /// All of them, with the names that manifests use.
    pub const ALL: [(&'static str, Column); 12] = [
        ("left", Column::Left),
        ("top", Column::Top),
        ("right", Column::Right),
        ("bottom", Column::Bottom),
        ("middle_x", Column::MiddleX),
        ("middle_y", Column::MiddleY),
        ("width", Column::Width),
        ("height", Column::Height),
        ("score", Column::Score),
        ("class", Column::Class),
        ("batch", Column::Batch),
        ("other", Column::Other),
    ];
}

impl Rows {
    /// Whether boxes and scores can be read from the columns, each of which is there once.
    pub fn are_readable(&self) -> bool {
        let times = |wanted: &Column| self.columns.iter().flatten().filter(|column| *column == wanted).count();
        let has = |wanted: &[Column]| wanted.iter().all(|column| times(column) == 1);
        let once = Column::ALL.iter().all(|(_, column)| *column == Column::Other || times(column) <= 1);
        let (corner, size) = ([Column::Left, Column::Top], [Column::Width, Column::Height]);
        let is_box = (has(&corner) && (has(&[Column::Right, Column::Bottom]) || has(&size)))
            || (has(&[Column::MiddleX, Column::MiddleY]) && has(&size));
        once && is_box && has(&[Column::Score])
    }
}

impl Classes {
    /// Whether a class is looked for.
    pub fn is_wanted(&self, number: usize) -> bool {
        self.keep.is_empty() || self.keep.contains(&number)
    }

    /// What a class is.
    pub fn class(&self, number: usize) -> DetectionClass {
        let named = self.named.iter().find(|(index, _)| *index == number);
        named.map_or(DetectionClass::Other(number as u16), |(_, class)| *class)
    }
}

impl Manifest {
    /// The shapes of the outputs that the decoder reads, in its order, as the manifest makes one expect them.
    pub fn output_shapes(&self) -> Vec<Shape> {
        let fixed = Shape::fixed;
        let grids = |strides: &[usize]| -> Vec<usize> {
            strides.iter().map(|stride| self.input.grid(*stride).into_iter().product()).collect()
        };
        let each = |counts: &[usize], width: usize| counts.iter().map(|count| fixed(&[1, *count, width])).collect();
        let one_stride = |stride: usize| (self.input.height.div_ceil(stride), self.input.width.div_ceil(stride));
        match &self.decoder {
            Decoder::YuNet { strides } => {
                let groups = [1, 1, 4, 10].map(|width| each(&grids(strides), width));
                groups.into_iter().flat_map(|group: Vec<Shape>| group).collect()
            }
            Decoder::Scrfd { strides, anchors } => {
                let counts: Vec<usize> = grids(strides).into_iter().map(|count| count * anchors).collect();
                let groups = [1, 4, 10].map(|width| each(&counts, width));
                groups.into_iter().flat_map(|group: Vec<Shape>| group).collect()
            }
            Decoder::UltraFace => vec![Shape(vec![Some(1), None, Some(2)]), Shape(vec![Some(1), None, Some(4)])],
            Decoder::Yolox { strides, classes } => vec![fixed(&[1, self.input.cells(strides), 5 + classes.count])],
            Decoder::YoloV8 { classes, keypoints } => {
                let cells = self.input.cells(&[8, 16, 32]);
                vec![fixed(&[1, 4 + classes.count + keypoints * 3, cells])]
            }
            Decoder::NanoDet { strides, bins, classes } => {
                let groups = [classes.count, 4 * bins].map(|width| each(&grids(strides), width));
                groups.into_iter().flat_map(|group: Vec<Shape>| group).collect()
            }
            Decoder::Suppressed { rows, .. } => {
                let widths = rows.columns.iter().enumerate();
                let widths = widths.map(|(index, all)| all.len() + if index == 0 { 3 * rows.keypoints } else { 0 });
                let shape = |width: usize| match width {
                    1 => Shape(vec![Some(1), None]),
                    width => Shape(vec![Some(1), None, Some(width)]),
                };
                widths.map(shape).collect()
            }
            Decoder::MoveNet => vec![fixed(&[1, 1, 17, 3])],
            Decoder::SimCc { split } => {
                let places = |length: usize| (length as f64 * split).round() as usize;
                vec![fixed(&[1, 17, places(self.input.width)]), fixed(&[1, 17, places(self.input.height)])]
            }
            Decoder::Rtmo => {
                vec![Shape(vec![Some(1), None, Some(5)]), Shape(vec![Some(1), None, Some(17), Some(3)])]
            }
            Decoder::PoseNet { stride } => {
                let (rows, columns) = one_stride(*stride);
                [17, 34, 64].map(|width| fixed(&[1, rows, columns, width])).to_vec()
            }
            Decoder::Embedding { length, .. } => vec![fixed(&[1, *length])],
            Decoder::HeldProduct { length, .. } => vec![fixed(&[1, 2]), fixed(&[1, *length])],
            Decoder::Palm => vec![fixed(&[1, 2016, 18]), fixed(&[1, 2016, 1])],
            Decoder::HandPoints => vec![fixed(&[1, 63]), fixed(&[1, 1]), fixed(&[1, 1])],
        }
    }
}
