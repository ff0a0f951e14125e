//! Writes a recording.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use mcap::records::{MessageHeader, Metadata};
use serde::Serialize;

use super::{
    CHUNK_BYTES, Cut, FORMAT, FRAME_TRUTH_CHANNEL, METADATA, SCENE_TRUTH_CHANNEL, SHOP_CHANNEL, TRUTH_CHANNEL, wire,
};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::{CameraId, Error, Result, ShopTime};
use crate::facts::{Body, Fact, Topic};
use crate::output::OutputFile;
use crate::ports::FactSink;
use crate::shop::Shop;
use crate::truth::{FrameTruth, SceneTruth, Truth};

/// Writes facts into an MCAP stream. Nothing is complete before [`Writer::finish`].
pub struct Writer<W: Write + Seek> {
    out: mcap::Writer<W>,
    cut: Cut,
    channels: BTreeMap<Topic, u16>,
    /// The channels of the shop's cameras.
    cameras: BTreeMap<CameraId, u16>,
    /// The channels of what frames show and where everybody is, from the first of them on.
    truths: [Option<(u16, u32)>; 2],
    /// What stands before the facts, until the first of them says at what time.
    head: Option<Head>,
    message: Vec<u8>,
    summary: Summary,
    path: Option<PathBuf>,
    output: Option<OutputFile>,
}

/// What a finished recording holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Facts written, all topics together.
    pub facts: u64,
    /// Facts written, by channel.
    pub channels: BTreeMap<&'static str, u64>,
    /// Facts given that are not in the cut.
    pub skipped: u64,
    /// The earliest time a written fact was true, nanoseconds since the Unix epoch; `None` without facts.
    pub first: Option<ShopTime>,
    /// The latest time a written fact was true, nanoseconds since the Unix epoch; `None` without facts.
    pub last: Option<ShopTime>,
    /// Length of the file.
    pub bytes: u64,
}

struct Head {
    shop: Vec<u8>,
    truth: Option<Vec<u8>>,
    cameras: Vec<CameraId>,
}

impl Writer<BufWriter<File>> {
    /// Writes to a file, which is there when it is finished, and to whatever else the path leads to; see [`OutputFile`].
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn create(path: &Path, shop: &Shop, truth: Option<&Truth>, cut: Cut) -> Result<Self> {
        let output = OutputFile::create(path)?;
        let mut writer = Writer::new(output.writer()?, shop, truth, cut)?;
        writer.output = Some(output);
        writer.path = Some(path.to_owned());
        Ok(writer)
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Writes to any stream.
    ///
    /// # Errors
    /// When the stream refuses, or the shop is too long for a message.
    pub fn new(out: W, shop: &Shop, truth: Option<&Truth>, cut: Cut) -> Result<Self> {
        let library = concat!("aisle ", env!("CARGO_PKG_VERSION"));
        let options = mcap::WriteOptions::new().library(library).chunk_size(Some(CHUNK_BYTES)).compression_threads(0);
        let head = Head {
            shop: head_json("shop", shop.draft())?,
            truth: truth.map(|truth| head_json("truth", truth)).transpose()?,
            cameras: shop.cameras().iter().map(|camera| camera.id.clone()).collect(),
        };
        let mut out = options.create(out).map_err(|error| refused(None, &error))?;
        out.write_metadata(&Metadata { name: METADATA.to_owned(), metadata: labels(cut) })
            .map_err(|error| refused(None, &error))?;
        let (channels, message, summary) = (BTreeMap::new(), Vec::new(), Summary::default());
        Ok(Writer {
            out,
            cut,
            channels,
            cameras: BTreeMap::new(),
            truths: [None; 2],
            head: Some(head),
            message,
            summary,
            path: None,
            output: None,
        })
    }

    /// Ends the recording: writes the index, flushes, and gives a created file its name.
    ///
    /// # Errors
    /// When the stream or the file system refuses; a created file is then gone.
    pub fn finish(mut self) -> Result<Summary> {
        self.write_head(0)?;
        self.out.finish().map_err(|error| refused(self.path.as_deref(), &error))?;
        let path = self.path.unwrap_or_default();
        let mut out = self.out.into_inner();
        let length = out.stream_position().and_then(|bytes| out.flush().map(|()| bytes));
        let bytes = length.map_err(|error| Error::io("write", &path, &error))?;
        drop(out);
        if let Some(output) = self.output {
            output.finish()?;
        }
        Ok(Summary { bytes, ..self.summary })
    }

    /// Ends the chunk under way and gives everything to the stream: a reader of what is there by then finds every fact so far.
    ///
    /// # Errors
    /// When the stream refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| refused(self.path.as_deref(), &error))
    }

    /// Writes shop and truth, once, each in a chunk of its own so that a cut behind it leaves it whole. All channels are
    /// announced with the shop, so that damage to one chunk of facts leaves the others readable.
    fn write_head(&mut self, log_time: u64) -> Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        for topic in Topic::ALL.into_iter().filter(|topic| *topic != Topic::Frame && self.cut.holds(*topic)) {
            let channel = add_channel(&mut self.out, topic.name(), wire::topic_schema(topic), &BTreeMap::new())
                .map_err(|error| refused(self.path.as_deref(), &error))?;
            self.channels.insert(topic, channel);
        }
        if self.cut.holds(Topic::Frame) {
            for camera in head.cameras {
                let name = format!("{}{camera}", Topic::Frame.name());
                let channel = add_channel(&mut self.out, &name, wire::topic_schema(Topic::Frame), &BTreeMap::new())
                    .map_err(|error| refused(self.path.as_deref(), &error))?;
                self.cameras.insert(camera, channel);
            }
        }
        self.write_alone(SHOP_CHANNEL, wire::shop_schema(), &head.shop, log_time)?;
        if let Some(truth) = &head.truth {
            self.write_alone(TRUTH_CHANNEL, wire::truth_schema(), truth, log_time)?;
        }
        Ok(())
    }

    /// Writes what a frame really shows.
    ///
    /// # Errors
    /// When the stream refuses.
    pub fn put_frame_truth(&mut self, truth: &FrameTruth) -> Result<()> {
        self.put_truth(0, truth.at, FRAME_TRUTH_CHANNEL, wire::frame_truth_schema(), truth)
    }

    /// Writes where everybody really was at an instant.
    ///
    /// # Errors
    /// When the stream refuses.
    pub fn put_scene_truth(&mut self, truth: &SceneTruth) -> Result<()> {
        self.put_truth(1, truth.at, SCENE_TRUTH_CHANNEL, wire::scene_truth_schema(), truth)
    }

    fn put_truth(
        &mut self,
        which: usize,
        at: ShopTime,
        name: &str,
        schema: (&str, &str),
        truth: &impl Serialize,
    ) -> Result<()> {
        let json = head_json("truth", truth)?;
        let log_time = unsigned(at);
        self.write_head(log_time)?;
        let failed = |error| refused(self.path.as_deref(), &error);
        let (channel_id, sequence) = match self.truths[which] {
            Some(known) => known,
            None => (add_channel(&mut self.out, name, schema, &BTreeMap::new()).map_err(failed)?, 0),
        };
        self.truths[which] = Some((channel_id, sequence.wrapping_add(1)));
        let header = MessageHeader { channel_id, sequence, log_time, publish_time: log_time };
        self.out.write_to_known_channel(&header, &json).map_err(failed)
    }

    fn write_alone(&mut self, name: &str, schema: (&str, &str), json: &[u8], log_time: u64) -> Result<()> {
        let written = add_channel(&mut self.out, name, schema, &labels(self.cut)).and_then(|channel_id| {
            let header = MessageHeader { channel_id, sequence: 0, log_time, publish_time: log_time };
            self.out.write_to_known_channel(&header, json)?;
            self.out.flush()
        });
        written.map_err(|error| refused(self.path.as_deref(), &error))
    }
}

impl<W: Write + Seek> FactSink for Writer<W> {
    fn put(&mut self, fact: &Fact) -> Result<()> {
        let topic = fact.body.topic();
        if !self.cut.holds(topic) {
            self.summary.skipped += 1;
            return Ok(());
        }
        self.message.clear();
        wire::encode(fact, &mut self.message).map_err(|reason| unwritable(fact, &reason))?;
        if MESSAGE_BYTES_MAX < self.message.len() {
            return Err(unwritable(fact, &format!("{} bytes are more than {MESSAGE_BYTES_MAX}", self.message.len())));
        }
        let stamp = &fact.stamp;
        let log_time = unsigned(stamp.arrived);
        self.write_head(log_time)?;
        let channel_id = match &fact.body {
            Body::Frame(frame) => *self.cameras.get(&frame.camera).ok_or_else(|| {
                unwritable(fact, &format!("the shop of this recording has no camera `{}`", frame.camera))
            })?,
            _ => self.channels[&topic],
        };
        let header =
            MessageHeader { channel_id, sequence: stamp.sequence as u32, log_time, publish_time: unsigned(stamp.at) };
        self.out
            .write_to_known_channel(&header, &self.message)
            .map_err(|error| refused(self.path.as_deref(), &error))?;
        let summary = &mut self.summary;
        summary.facts += 1;
        *summary.channels.entry(topic.name()).or_default() += 1;
        summary.first = Some(summary.first.map_or(stamp.at, |first| first.min(stamp.at)));
        summary.last = Some(summary.last.map_or(stamp.at, |last| last.max(stamp.at)));
        Ok(())
    }
}

fn head_json(what: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(value).map_err(|error| Error::input(format!("cannot write the {what}: {error}")))?;
    match json.len() <= MESSAGE_BYTES_MAX {
        true => Ok(json),
        false => Err(Error::input(format!("the {what} is longer than {MESSAGE_BYTES_MAX} bytes"))),
    }
}

fn labels(cut: Cut) -> BTreeMap<String, String> {
    [("format", FORMAT.to_string()), ("cut", cut.to_string()), ("writer", env!("CARGO_PKG_VERSION").to_owned())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

fn add_channel<W: Write + Seek>(
    out: &mut mcap::Writer<W>,
    name: &str,
    (schema, text): (&str, &str),
    labels: &BTreeMap<String, String>,
) -> mcap::McapResult<u16> {
    let schema = out.add_schema(schema, "jsonschema", text.as_bytes())?;
    out.add_channel(schema, name, "json", labels)
}

fn unsigned(time: ShopTime) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(0)
}

fn unwritable(fact: &Fact, reason: &str) -> Error {
    let (topic, stamp) = (fact.body.topic().name(), &fact.stamp);
    Error::input(format!("cannot record fact {} of {} on {topic}: {reason}", stamp.sequence, stamp.source))
}

fn refused(path: Option<&Path>, error: &mcap::McapError) -> Error {
    let path = path.unwrap_or(Path::new(""));
    match error {
        mcap::McapError::Io(error) => Error::io("write", path, error),
        other => Error::io("write", path, &std::io::Error::other(other.to_string())),
    }
}
