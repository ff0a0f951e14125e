//! The two streams of a folder, message by message, as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::METRES_PER_INCH;
use super::documents::{Documents, Spot};
use super::wire::{Instant, JointWire, Number, PlateData, PlateMessage, Target, TargetMessage, Values};
use crate::base::json::fault;
use crate::base::limits::{PEOPLE_PER_FRAME_MAX, SAMPLES_PER_BATCH_MAX};
use crate::base::{Error, PlateId, Result, ShopTime, SourceId, Span, TrackId};
use crate::facts::{Body, Fact, Joint, Joints, PeopleFrame, Person, PlateBatch, Stamp};
use crate::geometry::{Point, World};
use crate::shop::Shop;

/// What an unconnected input of the scales reads, grams.
const NO_SENSOR_GRAMS: f32 = 6067.416;
/// Samples per second where a message does not say.
const RATE_HZ_DEFAULT: f64 = 60.0;
/// How far a hand may be from a wrist and still be that wrist, metres.
const SAME_HAND_METRES: f64 = 0.01;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `plate_data.json`.
pub(super) struct PlateStream {
    documents: Documents<BufReader<File>>,
    sequences: BTreeMap<u16, u64>,
    /// Plates that have samples but no place in the shop.
    pub(super) strangers: BTreeSet<PlateId>,
    /// Messages without a single sample of the shop's plates.
    pub(super) empty: u64,
}

/// `full_targets.json`.
pub(super) struct TargetStream {
    documents: Documents<BufReader<File>>,
    sequence: u64,
    /// People left out because their track stands twice in a frame, or the frame was over-full.
    pub(super) dropped: u64,
}

/// One stream of facts in the order of a file.
pub(super) trait Stream {
    /// The next fact; `None` at the end.
    fn next(&mut self, shop: &Shop) -> Result<Option<Fact>>;

    /// Bytes read so far.
    fn position(&self) -> u64;
}

fn open(path: &Path) -> Result<Documents<BufReader<File>>> {
    let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
    Ok(Documents::new(BufReader::with_capacity(256 << 10, file), path))
}

/// When it was true and when it arrived; one stands in for the other.
fn times(timestamp: Option<Instant>, date_time: Option<Instant>) -> Result<(ShopTime, ShopTime), String> {
    match (timestamp, date_time) {
        (Some(at), Some(arrived)) => Ok((at.0, arrived.0)),
        (Some(one), None) | (None, Some(one)) => Ok((one.0, one.0)),
        (None, None) => Err("it has neither timestamp nor date_time".to_owned()),
    }
}

impl PlateStream {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let documents = open(path)?;
        Ok(PlateStream { documents, sequences: BTreeMap::new(), strangers: BTreeSet::new(), empty: 0 })
    }

    fn understand(&mut self, shop: &Shop) -> Result<Option<Fact>, String> {
        let message: PlateMessage =
            serde_json::from_slice(self.documents.text()).map_err(|error| json(self.documents.text(), &error))?;
        let (at, arrived) = times(message.timestamp, message.date_time)?;
        let data = message.document.and_then(|document| document.plate_data).ok_or("it has no plate_data")?;
        let gondola = gondola(&data)?;
        let rate = data.freq_samp.map_or(RATE_HZ_DEFAULT, |rate| rate.0);
        if !(0.01..=1e6).contains(&rate) {
            return Err(format!("freq_samp is {rate}; it must be between 0.01 and 1,000,000 samples a second"));
        }
        let period = Span::from_secs(1.0 / rate);
        let Some(values) = data.values.filter(|values| !values.shape.is_empty() || !values.data.0.is_empty()) else {
            self.empty += 1;
            return Ok(None);
        };
        let block = Block::read(&values)?;
        let (plates, grams) = block.columns(gondola, shop, &mut self.strangers);
        if grams.is_empty() {
            self.empty += 1;
            return Ok(None);
        }
        let back = period.as_nanos().saturating_mul(block.samples as i64 - 1);
        let batch = PlateBatch { first_at: at - Span::from_nanos(back), period, plates, grams };
        let sequence = self.sequences.entry(gondola).or_default();
        let source = SourceId::new(&format!("gondola/{gondola}"));
        let stamp = Stamp { source, sequence: *sequence, at, arrived };
        *sequence += 1;
        Ok(Some(Fact { stamp, body: Body::Plates(batch) }))
    }
}

fn gondola(data: &PlateData<'_>) -> Result<u16, String> {
    let number = data.plate_id.as_ref().map_or(0.0, |plate| plate.shelf_id.gondola_id.id.0);
    whole(number).filter(|&number| 0 < number).ok_or_else(|| "it does not say which gondola it is of".to_owned())
}

/// A whole number that fits an id.
pub(super) fn whole(number: f64) -> Option<u16> {
    (number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&number)).then_some(number as u16)
}

/// The samples of one message: sample by sample, shelf by shelf, plate by plate; shelf 0 and plate 0 are padding.
struct Block {
    samples: usize,
    shelves: usize,
    plates: usize,
    grams: Vec<f32>,
}

impl Block {
    fn read(values: &Values<'_>) -> Result<Self, String> {
        let sizes: Option<Vec<u16>> = values.shape.iter().map(|size| whole(size.0)).collect();
        let Some(&[samples, shelves, plates]) = sizes.as_deref() else {
            let shape: Vec<f64> = values.shape.iter().map(|size| size.0).collect();
            return Err(format!("its shape is {shape:?}; it must be [samples, shelves + 1, plates + 1]"));
        };
        let (samples, shelves, plates) = (usize::from(samples), usize::from(shelves), usize::from(plates));
        if SAMPLES_PER_BATCH_MAX < samples {
            return Err(format!("it has {samples} samples; at most {SAMPLES_PER_BATCH_MAX} are read at a time"));
        }
        let bytes = BASE64.decode(values.data.0.as_bytes()).map_err(|error| format!("its data: {error}"))?;
        let grams: Vec<f32> = match values.kind.as_deref() {
            None | Some("DATATYPE_FLOAT32") => from_bytes(&bytes, f32::from_le_bytes)?,
            Some("DATATYPE_FLOAT64") => from_bytes(&bytes, |eight| f64::from_le_bytes(eight) as f32)?,
            Some(other) => return Err(format!("its data are of type `{other}`; DATATYPE_FLOAT32 can be read")),
        };
        let expected = samples * shelves * plates;
        if grams.len() != expected {
            let shape = format!("{samples} x {shelves} x {plates}");
            return Err(format!("its data hold {} numbers, its shape {shape} means {expected}", grams.len()));
        }
        Ok(Block { samples, shelves, plates, grams })
    }

    /// The plates of the shop and their samples, row after row.
    fn columns(&self, gondola: u16, shop: &Shop, strangers: &mut BTreeSet<PlateId>) -> (Vec<PlateId>, Vec<f32>) {
        let (mut ids, mut offsets) = (Vec::new(), Vec::new());
        for shelf in 1..self.shelves {
            for plate in 1..self.plates {
                let id = PlateId::new(gondola, shelf as u16, plate as u16);
                let offset = shelf * self.plates + plate;
                if shop.plate(id).is_some() {
                    ids.push(id);
                    offsets.push(offset);
                } else if self.grams.get(offset).is_some_and(|&grams| cleaned(grams).is_finite()) {
                    strangers.insert(id);
                }
            }
        }
        let rows = self.grams.chunks_exact((self.shelves * self.plates).max(1));
        let grams = rows.flat_map(|row| offsets.iter().map(|&offset| cleaned(row[offset]))).collect();
        (ids, grams)
    }
}

fn cleaned(grams: f32) -> f32 {
    if grams == NO_SENSOR_GRAMS || !grams.is_finite() { f32::NAN } else { grams }
}

fn from_bytes<const N: usize>(bytes: &[u8], number: fn([u8; N]) -> f32) -> Result<Vec<f32>, String> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    match rest.len() {
        0 => Ok(chunks.iter().map(|chunk| number(*chunk)).collect()),
        _ => Err(format!("its data have {} bytes, not whole numbers of {N}", bytes.len())),
    }
}

impl TargetStream {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(TargetStream { documents: open(path)?, sequence: 0, dropped: 0 })
    }

    fn understand(&mut self) -> Result<Fact, String> {
        let message: TargetMessage =
            serde_json::from_slice(self.documents.text()).map_err(|error| json(self.documents.text(), &error))?;
        let (at, arrived) = times(message.timestamp, message.date_time)?;
        let list = message.document.and_then(|document| document.targets).and_then(|list| list.targets);
        let targets = list.unwrap_or_default();
        let mut people = BTreeMap::new();
        for target in &targets {
            let code = target.target_id.as_ref().and_then(|key| key.id.as_ref());
            let code = code.ok_or("a target has no target_id")?;
            let track: TrackId = code.0.trim().parse().map_err(|reason| format!("a target_id: {reason}"))?;
            if people.len() == PEOPLE_PER_FRAME_MAX || people.contains_key(&track) {
                self.dropped += 1;
                continue;
            }
            people.insert(track, Person { track, joints: joints(target) });
        }
        let stamp = Stamp { source: SourceId::new("people"), sequence: self.sequence, at, arrived };
        self.sequence += 1;
        Ok(Fact { stamp, body: Body::People(PeopleFrame { people: people.into_values().collect() }) })
    }
}

impl Stream for PlateStream {
    fn next(&mut self, shop: &Shop) -> Result<Option<Fact>> {
        while let Some(spot) = self.documents.advance()? {
            if let Some(fact) = self.understand(shop).map_err(|reason| self.documents.wrong(spot, &reason))? {
                return Ok(Some(fact));
            }
        }
        Ok(None)
    }

    fn position(&self) -> u64 {
        self.documents.position()
    }
}

impl Stream for TargetStream {
    fn next(&mut self, _: &Shop) -> Result<Option<Fact>> {
        let spot: Option<Spot> = self.documents.advance()?;
        spot.map(|spot| self.understand().map_err(|reason| self.documents.wrong(spot, &reason))).transpose()
    }

    fn position(&self) -> u64 {
        self.documents.position()
    }
}

/// A JSON error without the line and column, which would be those inside the document.
pub(super) fn json(document: &[u8], error: &serde_json::Error) -> String {
    let fault = fault(document, error);
    if fault != error.to_string() {
        return fault;
    }
    let (text, column) = (error.to_string(), error.column());
    let sentence = text.rsplit_once(" at line ").map_or(text.as_str(), |(sentence, _)| sentence);
    format!("{sentence} (column {column} of it)")
}

fn joint(wire: Option<&JointWire>) -> Option<Joint> {
    let wire = wire?;
    let [x, y, z] = wire.point?.coordinates()?.map(|inches| inches * METRES_PER_INCH);
    let position: Point<World> = Point::new(x, y, z);
    let score = wire.score.map_or(0.0, |Number(score)| score);
    (position.is_finite() && score.is_finite()).then_some(Joint { position, score })
}

fn joints(target: &Target) -> Joints {
    let mut joints = Joints {
        head: joint(target.head.as_ref()),
        neck: joint(target.neck.as_ref()),
        left_shoulder: joint(target.l_shoulder.as_ref()),
        right_shoulder: joint(target.r_shoulder.as_ref()),
        left_elbow: joint(target.l_elbow.as_ref()),
        right_elbow: joint(target.r_elbow.as_ref()),
        left_wrist: joint(target.l_wrist.as_ref()),
        right_wrist: joint(target.r_wrist.as_ref()),
    };
    let hands: Vec<Joint> = target.hands.iter().flatten().filter_map(|hand| joint(Some(hand))).collect();
    add_hands(&mut joints, &hands);
    joints
}

/// Hands are wrists that nobody told left from right; they fill in for wrists that are missing.
fn add_hands(joints: &mut Joints, hands: &[Joint]) {
    let far = |from: Option<Joint>, hand: &Joint| from.map_or(0.0, |from| from.position.distance(hand.position));
    let left_of = |hand: &Joint, joints: &Joints| far(joints.left_elbow.or(joints.left_shoulder), hand);
    let right_of = |hand: &Joint, joints: &Joints| far(joints.right_elbow.or(joints.right_shoulder), hand);
    let is = |wrist: Option<Joint>, hand: &Joint| {
        wrist.is_some_and(|wrist| wrist.position.distance(hand.position) < SAME_HAND_METRES)
    };
    let free = hands.iter().filter(|hand| !is(joints.left_wrist, hand) && !is(joints.right_wrist, hand));
    let free: Vec<Joint> = free.copied().collect();
    match (joints.left_wrist.is_some(), joints.right_wrist.is_some(), free.as_slice()) {
        (false, true, [hand, ..]) => joints.left_wrist = Some(*hand),
        (true, false, [hand, ..]) => joints.right_wrist = Some(*hand),
        (false, false, [hand]) => match left_of(hand, joints) <= right_of(hand, joints) {
            true => joints.left_wrist = Some(*hand),
            false => joints.right_wrist = Some(*hand),
        },
        (false, false, [one, other, ..]) => {
            let straight = left_of(one, joints) + right_of(other, joints);
            let crossed = left_of(other, joints) + right_of(one, joints);
            let (left, right) = if straight <= crossed { (one, other) } else { (other, one) };
            (joints.left_wrist, joints.right_wrist) = (Some(*left), Some(*right));
        }
        _ => {}
    }
}
