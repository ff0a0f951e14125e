//! Reads a recording.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use mcap::McapError;
use mcap::records::{Channel as ChannelRecord, Record, op};

use super::records::{Break, Records, Spot};
use super::{Cut, FORMAT, FRAME_TRUTH_CHANNEL, METADATA, SCENE_TRUTH_CHANNEL, SHOP_CHANNEL, TRUTH_CHANNEL, wire};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::{Error, Result, ShopTime};
use crate::facts::{Fact, Topic};
use crate::ports::FactSource;
use crate::shop::{Shop, ShopDraft};
use crate::truth::{FrameTruth, SceneTruth, Truth};

/// Reads facts out of an MCAP stream, in the order they were written, with memory bounded by one chunk.
///
/// A message that is no fact and a chunk with a wrong checksum are reported once and left out. A stream that breaks
/// off, or whose record structure is destroyed, is reported once and then ends.
pub struct Reader<R> {
    records: Records<R>,
    path: PathBuf,
    shop: Shop,
    head: Head,
    /// What reading the head ran into behind it.
    waiting: Option<Result<Option<Entry>>>,
    content: Vec<u8>,
}

/// A message of a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What somebody said.
    Fact(Fact),
    /// What a frame really shows.
    Frame(FrameTruth),
    /// Where everybody really was.
    Scene(SceneTruth),
}

/// What is known of the recording besides its facts.
#[derive(Default)]
struct Head {
    channels: BTreeMap<u16, Channel>,
    labelled: bool,
    cut: Option<Cut>,
    truth: Option<Truth>,
    last_at: Option<ShopTime>,
    others: u64,
}

#[derive(Clone)]
enum Channel {
    Facts(Topic),
    Shop,
    Truth,
    FrameTruth,
    SceneTruth,
    Other(String),
}

/// What a record turned out to be.
#[allow(clippy::large_enum_variant, reason = "what is found is handed on at once, and never kept in a list")]
enum Found {
    Shop(Box<Shop>),
    Entry(Entry),
    /// A message on a channel that aisle does not know, before the shop.
    Foreign(String),
    Nothing,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads up to the first fact.
    ///
    /// # Errors
    /// When it cannot be opened, is empty, not MCAP, somebody else's MCAP, of a newer format, or damaged before its shop
    /// is complete.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        Reader::new(BufReader::with_capacity(256 << 10, file), path)
    }
}

impl<R: Read> Reader<R> {
    /// Reads from any stream; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(source: R, path: &Path) -> Result<Self> {
        let (mut records, mut head, mut content) = (Records::new(source), Head::default(), Vec::new());
        let shop = loop {
            match next_found(&mut records, &mut head, &mut content, path)? {
                Some(Found::Shop(shop)) => break *shop,
                Some(Found::Entry(_)) => return Err(foreign(path, "its first fact stands before the shop")),
                Some(Found::Foreign(name)) => {
                    return Err(foreign(path, &format!("its first message is on `{name}`")));
                }
                Some(Found::Nothing) => {}
                None => return Err(foreign(path, "it holds no shop")),
            }
        };
        let mut reader = Reader { records, path: path.to_owned(), shop, head, waiting: None, content };
        reader.waiting = Some(reader.read_entry());
        Ok(reader)
    }

    /// What really happened, if the recording says. Known before the first fact.
    pub fn truth(&self) -> Option<&Truth> {
        self.head.truth.as_ref()
    }

    /// How deep the recording is cut; [`Cut::Tracked`] where it does not say.
    pub fn cut(&self) -> Cut {
        self.head.cut.unwrap_or(Cut::Tracked)
    }

    /// Bytes of the file read so far.
    pub fn position(&self) -> u64 {
        self.records.taken()
    }

    /// Messages passed over because they are on channels that aisle does not know.
    pub fn others(&self) -> u64 {
        self.head.others
    }

    /// The next fact or truth in the order in which they were written, `None` at the end. For those who judge; whoever
    /// thinks asks for facts.
    ///
    /// # Errors
    /// As [`FactSource::next_fact`].
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        match self.waiting.take() {
            Some(result) => result,
            None => self.read_entry(),
        }
    }

    fn read_entry(&mut self) -> Result<Option<Entry>> {
        while let Some(found) = next_found(&mut self.records, &mut self.head, &mut self.content, &self.path)? {
            if let Found::Entry(entry) = found {
                if let Entry::Fact(fact) = &entry {
                    self.head.last_at = Some(fact.stamp.at);
                }
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

impl<R: Read + Send> FactSource for Reader<R> {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        loop {
            match self.next_entry()? {
                Some(Entry::Fact(fact)) => return Ok(Some(fact)),
                Some(Entry::Frame(_) | Entry::Scene(_)) => {}
                None => return Ok(None),
            }
        }
    }
}

fn next_found<R: Read>(
    records: &mut Records<R>,
    head: &mut Head,
    content: &mut Vec<u8>,
    path: &Path,
) -> Result<Option<Found>> {
    let spot = records.next(content).map_err(|broken| head.broken(broken, path))?;
    spot.map(|spot| head.understand(&spot, content, path)).transpose()
}

impl Head {
    fn understand(&mut self, spot: &Spot, content: &[u8], path: &Path) -> Result<Found> {
        if !matches!(spot.opcode, op::CHANNEL | op::METADATA | op::MESSAGE) {
            return Ok(Found::Nothing);
        }
        let record = mcap::parse_record(spot.opcode, content).map_err(|error| {
            Error::input(format!("a record cannot be read: {error}")).at_path(path).at_byte(spot.byte)
        })?;
        match record {
            Record::Channel(channel) => self.channel(channel, spot, path).map(|()| Found::Nothing),
            Record::Metadata(metadata) if metadata.name == METADATA => {
                self.labels(&metadata.metadata, spot, path).map(|()| Found::Nothing)
            }
            Record::Message { header, data } => self.message(header.channel_id, &data, spot, path),
            _ => Ok(Found::Nothing),
        }
    }

    fn channel(&mut self, channel: ChannelRecord, spot: &Spot, path: &Path) -> Result<()> {
        let topic = Topic::ALL.into_iter().find(|topic| match topic {
            Topic::Frame => channel.topic.starts_with(topic.name()),
            _ => channel.topic == topic.name(),
        });
        let meaning = match (channel.topic.as_str(), topic) {
            _ if channel.message_encoding != "json" => Channel::Other(channel.topic),
            (SHOP_CHANNEL, _) => {
                self.labels(&channel.metadata, spot, path)?;
                Channel::Shop
            }
            (TRUTH_CHANNEL, _) => Channel::Truth,
            (FRAME_TRUTH_CHANNEL, _) => Channel::FrameTruth,
            (SCENE_TRUTH_CHANNEL, _) => Channel::SceneTruth,
            (_, Some(topic)) => Channel::Facts(topic),
            (_, None) => Channel::Other(channel.topic),
        };
        self.channels.insert(channel.id, meaning);
        Ok(())
    }

    fn labels(&mut self, labels: &BTreeMap<String, String>, spot: &Spot, path: &Path) -> Result<()> {
        let Some(format) = labels.get("format") else { return Ok(()) };
        match format.parse::<u32>() {
            Ok(format) if format <= FORMAT => {}
            Ok(format) => {
                let writer = labels.get("writer").map_or("a newer one", String::as_str);
                let message = format!(
                    "this recording has format {format}, written by aisle {writer}; this aisle reads up to {FORMAT}"
                );
                return Err(Error::input(message).at_path(path).at_byte(spot.byte).hint("use a newer aisle"));
            }
            Err(_) => return Err(misread(spot, path, &format!("its format version reads `{format}`"))),
        }
        self.labelled = true;
        if let Some(cut) = labels.get("cut") {
            self.cut = Some(cut.parse().map_err(|reason: String| misread(spot, path, &reason))?);
        }
        Ok(())
    }

    fn message(&mut self, channel: u16, json: &[u8], spot: &Spot, path: &Path) -> Result<Found> {
        let wrong = |what: &str, reason: &str| {
            let number = spot.in_chunk.map_or_else(String::new, |number| format!(" (record {number} of the chunk)"));
            Error::input(format!("{what}{number}: {reason}")).at_path(path).at_byte(spot.byte)
        };
        let Some(meaning) = self.channels.get(&channel) else {
            return Err(wrong("a message is on a channel that was never announced", &format!("channel {channel}")));
        };
        if MESSAGE_BYTES_MAX < json.len() && !matches!(meaning, Channel::Other(_)) {
            let reason = format!("{} bytes, and at most {MESSAGE_BYTES_MAX} are read", json.len());
            return Err(wrong("a message is too long", &reason));
        }
        match meaning {
            Channel::Facts(topic) => wire::decode(*topic, json)
                .map(|fact| Found::Entry(Entry::Fact(fact)))
                .map_err(|reason| wrong(&format!("a message on {} is not a fact", topic.name()), &reason)),
            Channel::Shop => {
                let draft: ShopDraft = serde_json::from_slice(json)
                    .map_err(|error| wrong("the shop of this recording cannot be read", &error.to_string()))?;
                let shop = Shop::check(draft).map_err(|problems| {
                    let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
                    wrong("the shop of this recording does not hold together", &list.concat())
                })?;
                Ok(Found::Shop(Box::new(shop)))
            }
            Channel::Truth => {
                let truth = serde_json::from_slice(json)
                    .map_err(|error| wrong("the truth of this recording cannot be read", &error.to_string()))?;
                self.truth = Some(truth);
                Ok(Found::Nothing)
            }
            Channel::FrameTruth => serde_json::from_slice(json)
                .map(|truth| Found::Entry(Entry::Frame(truth)))
                .map_err(|error| wrong("the truth about a frame cannot be read", &error.to_string())),
            Channel::SceneTruth => serde_json::from_slice(json)
                .map(|truth| Found::Entry(Entry::Scene(truth)))
                .map_err(|error| wrong("the truth about a scene cannot be read", &error.to_string())),
            Channel::Other(name) => {
                self.others += 1;
                Ok(if self.labelled { Found::Nothing } else { Found::Foreign(name.clone()) })
            }
        }
    }

    /// The sentence for a break.
    fn broken(&self, broken: Break, path: &Path) -> Error {
        let read = self.last_at.map_or_else(
            || "no fact could be read before it".to_owned(),
            |at| format!("the last fact before it is of {at}"),
        );
        match broken {
            Break::Io(error) => Error::io("read", path, &error),
            Break::Cut { byte: 0 } => Error::input("the file is empty").at_path(path).at_byte(0).hint(AGAIN),
            Break::Cut { byte } if byte < mcap::MAGIC.len() as u64 => {
                Error::input(format!("{byte} bytes are too few for a recording"))
                    .at_path(path)
                    .at_byte(byte)
                    .hint(AGAIN)
            }
            Break::Cut { byte } => Error::input(format!("the recording breaks off here; {read}"))
                .at_path(path)
                .at_byte(byte)
                .hint("everything up to the break can be used; copy the file again if it was cut in transit"),
            Break::Chunk { byte, reason } => {
                Error::input(format!("a chunk is damaged and is left out: {}; {read}", reason_text(&reason)))
                    .at_path(path)
                    .at_byte(byte)
                    .hint("compare the file with its original")
            }
            Break::Rest { reason: McapError::BadMagic, byte: 0 } => {
                Error::input("this is not a recording: it does not begin as an MCAP file does")
                    .at_path(path)
                    .at_byte(0)
                    .hint("`aisle import` makes a recording from other formats")
            }
            Break::Rest { byte, reason } => {
                Error::input(format!("the recording is damaged: {}; {read}", reason_text(&reason)))
                    .at_path(path)
                    .at_byte(byte)
                    .hint("what comes before this place was read; compare the file with its original")
            }
        }
    }
}

const AGAIN: &str = "a recording that was being written when the power went leaves such a file; record it again";

fn reason_text(reason: &McapError) -> String {
    match reason {
        McapError::BadChunkCrc { .. } => "its checksum does not fit".to_owned(),
        McapError::BadDataCrc { .. } => "the checksum over all its facts does not fit".to_owned(),
        McapError::BadSummaryCrc { .. } => "the checksum of its index does not fit".to_owned(),
        McapError::RecordTooLarge { len, .. } => format!("a record claims {len} bytes, more than any recording has"),
        McapError::ChunkTooLarge(bytes) => format!("a chunk claims {bytes} bytes, more than any recording has"),
        McapError::BadMagic => "it does not end as an MCAP file does".to_owned(),
        other => other.to_string(),
    }
}

fn misread(spot: &Spot, path: &Path, reason: &str) -> Error {
    Error::input(format!("the head of the recording is damaged: {reason}")).at_path(path).at_byte(spot.byte)
}

fn foreign(path: &Path, reason: &str) -> Error {
    Error::input(format!("this MCAP file is not a recording of aisle: {reason}"))
        .at_path(path)
        .hint("a recording of aisle begins with the channel /shop; `aisle import` makes one from other formats")
}
