//! Reads a recording.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use mcap::records::{Channel as ChannelRecord, Record, op};

use super::broken::{self, Losses, Mean};
use super::order::{self, InOrder, Spot};
use super::walk::{self, Break, MESSAGE_HEAD_BYTES, Piece, Walk, number};
use super::{Cut, FORMAT, FRAME_TRUTH_CHANNEL, SCENE_TRUTH_CHANNEL, SHOP_CHANNEL, TRUTH_CHANNEL, wire};
use crate::base::json::fault;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::{Error, Result, ShopTime};
use crate::facts::{Fact, Topic};
use crate::ports::FactSource;
use crate::shop::{Shop, ShopDraft};
use crate::truth::{FrameTruth, SceneTruth, Truth};

/// Reads facts out of an MCAP file in order of their log times, with memory bounded by the chunks that lie over each
/// other in time. Of one log time they come in order of the file.
///
/// A message that is no fact and a chunk that cannot be read are reported once, when it is their time, and left out. Where
/// nothing more can be read is reported at the end. The file is walked through before the first fact, so most of this is
/// known before: see [`Reader::check`].
pub struct Reader<R> {
    records: InOrder<R>,
    path: PathBuf,
    shop: Shop,
    head: Head,
    /// What is told before anything else is read: channels that are wrong, then what reading the head ran into behind it.
    waiting: VecDeque<Result<Option<Entry>>>,
    /// What is told at the end.
    behind: VecDeque<Break>,
    /// The first of what is known to be wrong.
    fault: Option<Error>,
    /// The time of the last message that can be read.
    until: Option<ShopTime>,
    content: Vec<u8>,
    losses: Losses,
    /// Messages that were read so far.
    messages: u64,
    /// Bytes of the chunks that could not be read.
    broken_bytes: u64,
    doubt: Doubt,
}

/// Until when nobody knows which messages are missing: those of a broken chunk may be of any time in it.
#[derive(Default)]
struct Doubt {
    /// The log time up to which they may be; 0 for none.
    until: u64,
    /// When that was last said.
    said: u64,
    /// How often it was said.
    count: u64,
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
    channels: BTreeMap<u16, Known>,
    labelled: bool,
    cut: Option<Cut>,
    shop: Option<Shop>,
    truth: Option<Truth>,
    others: u64,
    /// Messages on channels of aisle that are not in JSON.
    unread_messages: u64,
    /// Channels of aisle that are not in JSON, until that is told.
    unread: VecDeque<Error>,
}

/// A channel that was announced.
struct Known {
    topic: String,
    encoding: String,
    meaning: Channel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Facts(Topic),
    Shop,
    Truth,
    FrameTruth,
    SceneTruth,
    /// Of aisle, and not in JSON.
    Unread,
    Other,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads up to the first fact.
    ///
    /// # Errors
    /// When it cannot be opened, is no file, empty, not MCAP, somebody else's MCAP, of a newer format, or damaged so that
    /// its shop cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        let kind = fs::metadata(path).map_err(|error| Error::io("open", path, &error))?;
        if !kind.is_file() {
            let message = "this is not a file, and a recording is read in order of time, which takes one";
            return Err(Error::input(message).at_path(path).hint("write it to a file first"));
        }
        Reader::new(BufReader::with_capacity(256 << 10, file), path)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads from anything that can be read from any place; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(mut source: R, path: &Path) -> Result<Self> {
        let mut walk = walk::walk(&mut source).map_err(|broken| broken::told(&broken, None, path))?;
        let (mut head, mut waiting) = (Head::default(), VecDeque::new());
        for (byte, metadata) in &walk.labels {
            head.labels(&metadata.metadata, &Spot::outside(*byte), path)?;
        }
        for (byte, channel) in std::mem::take(&mut walk.channels) {
            let announced = head.channel(channel, &Spot::outside(byte), path);
            waiting.extend(announced.err().map(Err));
        }
        let survey = Survey::of(&mut source, &mut walk, &mut head, path)?;
        waiting.extend(head.unread.drain(..).map(Err));
        let until = survey.until.map(shop_time);
        if survey.broken.is_some() {
            // The sum over everything says nothing that is not known where a chunk is broken.
            walk.breaks.retain(|broken| !matches!(broken, Break::Sum { .. }));
        }
        let fault = survey.broken.as_ref().or(walk.breaks.first()).map(|broken| broken::told(broken, until, path));
        let Some(shop) = head.shop.clone() else {
            return Err(fault.or(survey.error).unwrap_or_else(|| foreign(path, survey.foreign.as_deref())));
        };
        let doubt = Doubt { until: if is_torn(&walk) { u64::MAX } else { 0 }, ..Doubt::default() };
        let records = InOrder::new(source, walk.pieces).map_err(|broken| broken::told(&broken, until, path))?;
        let mut reader = Reader {
            records,
            path: path.to_owned(),
            shop,
            head,
            waiting,
            behind: walk.breaks.into(),
            fault,
            until,
            content: Vec::new(),
            losses: Losses::default(),
            messages: 0,
            broken_bytes: 0,
            doubt,
        };
        let first = reader.read_entry();
        reader.waiting.push_back(first);
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

    /// Bytes of the file that were taken up so far.
    pub fn position(&self) -> u64 {
        self.records.taken()
    }

    /// What was left out so far; complete after the last entry.
    pub fn losses(&self) -> Losses {
        let messages = self.losses.messages + self.head.unread_messages;
        Losses { others: self.head.others, messages, ..self.losses }
    }

    /// The next fact or truth in order of log times, `None` at the end. For those who judge; whoever thinks asks for facts.
    ///
    /// # Errors
    /// As [`FactSource::next_fact`].
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        match self.waiting.pop_front() {
            Some(result) => result,
            None => self.read_entry(),
        }
    }

    /// Refuses a recording of which it is known before the first fact that something is wrong with it.
    ///
    /// # Errors
    /// The first thing that is.
    pub fn check(mut self) -> Result<Self> {
        match self.waiting.pop_front() {
            Some(Err(error)) => return Err(error.hint_further(TOLERATE)),
            Some(entry) => self.waiting.push_front(entry),
            None => {}
        }
        match self.fault.take() {
            Some(error) => Err(error.hint_further(TOLERATE)),
            None => Ok(self),
        }
    }

    fn read_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            let spot = match self.records.next(&mut self.content) {
                Ok(Some(spot)) => Ok(spot),
                Ok(None) => Err(self.behind.pop_front()),
                Err(broken) => Err(Some(broken)),
            };
            let spot = match spot {
                Ok(spot) => spot,
                Err(None) => return Ok(None),
                Err(Some(broken)) => {
                    if let Break::Chunk { piece, .. } = &broken {
                        self.doubt.until = self.doubt.until.max(piece.end);
                        self.broken_bytes += piece.length;
                    }
                    let bytes = self.records.taken().saturating_sub(self.broken_bytes);
                    self.losses.count(&broken, Mean { messages: self.messages, bytes });
                    return Err(broken::told(&broken, self.until, &self.path));
                }
            };
            let found = self.head.understand(&spot, &self.content, &self.path);
            if let Some(unread) = self.head.unread.pop_front() {
                return Err(unread);
            }
            let is_message = spot.opcode == op::MESSAGE;
            self.messages += u64::from(is_message);
            if is_message && let Some(time) = self.content.get(6..14) {
                self.doubt.pass(number(time));
            }
            if let Some(entry) = found.inspect_err(|_| self.losses.messages += u64::from(is_message))? {
                return Ok(Some(entry));
            }
        }
    }
}

impl<R: Read + Seek + Send> FactSource for Reader<R> {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn left_out(&self) -> u64 {
        self.losses().parts() + self.doubt.count
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

impl Doubt {
    /// Time goes on: as long as there is doubt, one message a second is said to be missing, so that nobody who was there
    /// meanwhile is sure of anything.
    fn pass(&mut self, time: u64) {
        if time <= self.until && self.said.saturating_add(DOUBT_NANOS) <= time {
            (self.said, self.count) = (time, self.count + 1);
        }
    }
}

/// Whether nobody knows of which times the messages are that a file has lost with its end: they are the last where what it
/// has left lies in order of time.
fn is_torn(walk: &Walk) -> bool {
    let lost =
        |broken: &Break| matches!(broken, Break::Cut { .. } | Break::Rest { .. } | Break::Second { ended: false, .. });
    walk.breaks.iter().any(lost) && !walk.pieces.is_sorted_by_key(|piece| piece.start)
}

/// A look into pieces in order of the file, for shop and truth, wherever they are. Where no checksum says that heads of
/// chunks are as they were written, it goes through all of them, and takes from the messages between which times they are.
#[derive(Default)]
struct Survey {
    /// The first piece that cannot be read.
    broken: Option<Break>,
    /// The latest log time in those that can.
    until: Option<u64>,
    /// Why a shop could not be read.
    error: Option<Error>,
    /// The channel of the first message that aisle does not know.
    foreign: Option<String>,
    has_facts: bool,
}

impl Survey {
    fn of<R: Read + Seek>(source: &mut R, walk: &mut Walk, head: &mut Head, path: &Path) -> Result<Self> {
        let mut survey = Survey::default();
        let (mut broken, count) = (Vec::new(), walk.pieces.len());
        let mut span: Option<(u64, u64)> = None;
        for (index, piece) in walk.pieces.iter_mut().enumerate() {
            let is_enough = walk.sealed && survey.is_enough(head);
            if !is_enough && !survey.look_into(source, piece, head, path)? {
                broken.push(index);
            } else {
                let (start, end) = span.unwrap_or((piece.start, piece.end));
                span = Some((start.min(piece.start), end.max(piece.end)));
            }
        }
        survey.until = span.map(|(_, end)| end);
        for index in broken {
            let piece = &mut walk.pieces[index];
            let is_last = index + 1 == count;
            let fits = |(start, end)| start <= piece.start && (is_last || piece.end <= end) && piece.start <= piece.end;
            if !span.is_some_and(fits) {
                // Its head is broken too, and its messages may be of any time.
                (piece.start, piece.end) = (0, u64::MAX);
            }
        }
        Ok(survey)
    }

    /// Whether nothing is to be found any more: shop and truth stand in front of the facts, unless somebody put them
    /// elsewhere.
    fn is_enough(&self, head: &Head) -> bool {
        let is_announced = |meaning| head.channels.values().any(|known| known.meaning == meaning);
        let found = head.shop.is_some() && (head.truth.is_some() || !is_announced(Channel::Truth));
        let is_foreign = self.foreign.is_some() && !head.labelled && head.is_unknown();
        self.error.is_some() || is_foreign || found && self.has_facts
    }

    /// Takes what a piece says; whether it can be read.
    fn look_into<R: Read + Seek>(
        &mut self,
        source: &mut R,
        piece: &mut Piece,
        head: &mut Head,
        path: &Path,
    ) -> Result<bool> {
        let unpacked = match order::open(source, piece) {
            Ok(unpacked) => unpacked,
            Err(broken @ Break::Chunk { .. }) => {
                self.broken.get_or_insert(broken);
                return Ok(false);
            }
            Err(broken) => return Err(broken::told(&broken, None, path)),
        };
        if let Some((start, end)) = unpacked.times() {
            (piece.start, piece.end) = (start, end);
        }
        for (place, content) in unpacked.all() {
            let spot = Spot { opcode: place.opcode, byte: piece.byte, in_chunk: Some(place.number) };
            if place.opcode == op::CHANNEL {
                // What is wrong with it is told when it is its turn.
                if let Ok(Record::Channel(channel)) = mcap::parse_record(op::CHANNEL, content)
                    && let Err(error) = head.channel(channel, &spot, path)
                    && head.shop.is_none()
                {
                    self.error.get_or_insert(error);
                }
                continue;
            }
            let known = content
                .get(..MESSAGE_HEAD_BYTES)
                .and_then(|message| head.channels.get(&(number(&message[..2]) as u16)));
            match known.map(|known| known.meaning) {
                Some(Channel::Shop | Channel::Truth) => {
                    if let Err(error) = head.understand(&spot, content, path)
                        && head.shop.is_none()
                    {
                        self.error.get_or_insert(error);
                    }
                }
                Some(Channel::Other) => self.foreign = self.foreign.take().or(known.map(|known| known.topic.clone())),
                Some(Channel::Facts(_) | Channel::FrameTruth | Channel::SceneTruth | Channel::Unread) => {
                    self.has_facts = true;
                }
                None => {}
            }
        }
        Ok(true)
    }
}

impl Head {
    /// Whether it knows no channel of aisle, but perhaps that of a shop.
    fn is_unknown(&self) -> bool {
        self.channels.values().all(|known| matches!(known.meaning, Channel::Other | Channel::Shop))
    }

    fn understand(&mut self, spot: &Spot, content: &[u8], path: &Path) -> Result<Option<Entry>> {
        let unread = |reason: String| {
            Error::input(format!("a record cannot be read: {reason}")).at_path(path).at_byte(spot.byte)
        };
        if spot.opcode == op::MESSAGE {
            let Some((message, json)) = content.split_at_checked(MESSAGE_HEAD_BYTES) else {
                return Err(unread(format!("{} bytes are too few for a message", content.len())));
            };
            return self.message(number(&message[..2]) as u16, json, spot, path);
        }
        match mcap::parse_record(spot.opcode, content).map_err(|error| unread(error.to_string()))? {
            Record::Channel(channel) => self.channel(channel, spot, path).map(|()| None),
            _ => Ok(None),
        }
    }

    fn channel(&mut self, channel: ChannelRecord, spot: &Spot, path: &Path) -> Result<()> {
        if let Some(known) = self.channels.get(&channel.id) {
            if known.topic == channel.topic && known.encoding == channel.message_encoding {
                return Ok(());
            }
            let message =
                format!("channel {} is announced as `{}` and as `{}`", channel.id, known.topic, channel.topic);
            return Err(Error::input(message)
                .at_path(path)
                .at_byte(spot.byte)
                .hint("`mcap merge` joins files so that each channel keeps a number of its own; `cat` does not"));
        }
        let topic = Topic::ALL.into_iter().find(|topic| match topic {
            Topic::Frame => channel.topic.starts_with(topic.name()),
            _ => channel.topic == topic.name(),
        });
        let meaning = match (channel.topic.as_str(), topic) {
            (SHOP_CHANNEL, _) => Channel::Shop,
            (TRUTH_CHANNEL, _) => Channel::Truth,
            (FRAME_TRUTH_CHANNEL, _) => Channel::FrameTruth,
            (SCENE_TRUTH_CHANNEL, _) => Channel::SceneTruth,
            (_, Some(topic)) => Channel::Facts(topic),
            (_, None) => Channel::Other,
        };
        let is_read = meaning == Channel::Other || channel.message_encoding == "json";
        if !is_read {
            let (name, encoding) = (&channel.topic, &channel.message_encoding);
            let message = format!("the messages on {name} are written as `{encoding}`, and aisle reads JSON there");
            let error = Error::input(message).at_path(path).at_byte(spot.byte);
            self.unread.push_back(error.hint("they are left out; write them as JSON"));
        }
        let meaning = if is_read { meaning } else { Channel::Unread };
        let known = Known { topic: channel.topic, encoding: channel.message_encoding, meaning };
        self.channels.insert(channel.id, known);
        if meaning == Channel::Shop {
            self.labels(&channel.metadata, spot, path)?;
        }
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

    fn message(&mut self, channel: u16, json: &[u8], spot: &Spot, path: &Path) -> Result<Option<Entry>> {
        let wrong = |what: &str, reason: &str| {
            let number = spot.in_chunk.map_or_else(String::new, |number| format!(" (record {number} of the chunk)"));
            Error::input(format!("{what}{number}: {reason}")).at_path(path).at_byte(spot.byte)
        };
        let Some(Known { meaning, topic: name, .. }) = self.channels.get(&channel) else {
            return Err(wrong("a message is on a channel that was never announced", &format!("channel {channel}")));
        };
        if MESSAGE_BYTES_MAX < json.len() && !matches!(meaning, Channel::Other | Channel::Unread) {
            let reason = format!("{} bytes, and at most {MESSAGE_BYTES_MAX} are read", json.len());
            return Err(wrong("a message is too long", &reason));
        }
        match *meaning {
            Channel::Facts(topic) => wire::decode(topic, json)
                .map(|fact| Some(Entry::Fact(fact)))
                .map_err(|reason| wrong(&format!("a message on {name} is not a fact"), &reason).hint(MALFORMED)),
            Channel::Shop => {
                let draft: ShopDraft = serde_json::from_slice(json)
                    .map_err(|error| wrong("the shop of this recording cannot be read", &fault(json, &error)))?;
                let shop = Shop::check_recorded(draft).map_err(|problems| {
                    let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
                    wrong("the shop of this recording does not hold together", &list.concat())
                })?;
                let known = self.shop.get_or_insert_with(|| shop.clone());
                let is_second = *known != shop;
                if is_second { Err(wrong(SECOND, "its shop differs from the first")) } else { Ok(None) }
            }
            Channel::Truth => {
                let truth: Truth = serde_json::from_slice(json)
                    .map_err(|error| wrong("the truth of this recording cannot be read", &fault(json, &error)))?;
                let known = self.truth.get_or_insert_with(|| truth.clone());
                let is_second = *known != truth;
                if is_second { Err(wrong(SECOND, "its truth differs from the first")) } else { Ok(None) }
            }
            Channel::FrameTruth => serde_json::from_slice(json)
                .map(|truth| Some(Entry::Frame(truth)))
                .map_err(|error| wrong("the truth about a frame cannot be read", &fault(json, &error))),
            Channel::SceneTruth => serde_json::from_slice(json)
                .map(|truth| Some(Entry::Scene(truth)))
                .map_err(|error| wrong("the truth about a scene cannot be read", &fault(json, &error))),
            Channel::Unread => {
                self.unread_messages += 1;
                Ok(None)
            }
            Channel::Other => {
                self.others += 1;
                Ok(None)
            }
        }
    }
}

/// How often it is said that messages may be missing, nanoseconds.
const DOUBT_NANOS: u64 = 1_000_000_000;
/// What to do about a message that is no fact.
const MALFORMED: &str = "the reference page recording.md says what the messages of each channel hold";
/// What to do about a recording of which a part can be read.
pub const TOLERATE: &str = "`aisle replay --tolerate` leaves out what is broken and reads the rest";
/// What it is called when one file has the heads of two recordings.
const SECOND: &str = "this file holds more than one recording";

fn misread(spot: &Spot, path: &Path, reason: &str) -> Error {
    Error::input(format!("the head of the recording is damaged: {reason}")).at_path(path).at_byte(spot.byte)
}

/// An MCAP file without a shop; `first` is the channel of the first message that aisle does not know.
fn foreign(path: &Path, first: Option<&str>) -> Error {
    let reason =
        first.map_or_else(|| "it holds no shop".to_owned(), |name| format!("its first message is on `{name}`"));
    Error::input(format!("this MCAP file is not a recording of aisle: {reason}"))
        .at_path(path)
        .hint("a recording of aisle has its shop on the channel /shop; `aisle import` makes one from other formats")
}

/// A log time as the stamps of facts have it.
fn shop_time(log_time: u64) -> ShopTime {
    ShopTime::from_nanos(i64::try_from(log_time).unwrap_or(i64::MAX))
}
