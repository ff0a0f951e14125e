//! Pictures and their truth for other tools and for eyes. It takes a recording with frames and, where a form needs it,
//! with what they really show; it gives a folder: COCO keypoints, MOTChallenge, the bare pictures, or a page that plays
//! them. Of a picture it reads the head: how it is compressed, how large it is, and whether it is whole. It leaves no
//! folder behind that is not whole.
//!
//! A recording is read twice, first for which frames there are and what is known of them, then for the pictures, so that
//! memory grows by a few bytes a frame, not by its picture.

mod coco;
mod folder;
mod index;
mod mot;
mod preview;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::base::{Error, Result};
use crate::facts::{Body, Frame, Stamp};
use crate::geometry::Affine;
use crate::image::{RgbImage, encode_png, picture_head};
use crate::recording::{Entry, Losses, Reader};
use crate::truth::{FrameTruth, SceneTruth};
use folder::PartFolder;
use index::Index;

/// What is made of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Images and `person_keypoints.json`, as COCO keeps people (Lin et al., 2014). Only frames whose truth is known.
    Coco,
    /// A sequence for every camera, as MOTChallenge keeps them (Dendorfer et al., 2020). Only frames whose truth is known.
    Mot,
    /// The pictures, a folder for every camera.
    Frames,
    /// The pictures, and a page that plays them with the truth over them where it is known.
    Preview,
}

/// What an export holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cameras with at least one picture.
    pub cameras: usize,
    /// Pictures written.
    pub frames: u64,
    /// Pictures left out.
    pub left_out: LeftOut,
    /// People in pictures written down; 0 where the form has none.
    pub people: u64,
    /// What of the recording was lost on the way in.
    pub lost: Losses,
}

/// Frames that are not in an export, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Nobody knows what they show, and the form needs it.
    pub unlabelled: u64,
    /// They are no whole pictures.
    pub undecodable: u64,
    /// Their size does not show the view at which their camera was calibrated.
    pub other_size: u64,
    /// Which sizes of which cameras these are, as ends of sentences; of many not all.
    other_sizes: BTreeMap<String, u64>,
}

/// Exports a recording to a folder that does not exist yet, or is empty. `progress` is told how many of how many bytes are
/// read.
///
/// # Errors
/// When the recording cannot be read or has no frames, when the form needs truth and there is none, when the folder is not
/// empty, or the disk refuses; nothing is left behind then.
pub fn export(form: Form, recording: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Summary> {
    let folder = PartFolder::create(to)?;
    let bytes = fs::metadata(recording).map_err(|error| Error::io("open", recording, &error))?.len();
    let mut index = Index::of(recording, &mut |read| progress(read, 2 * bytes))?;
    if form.needs_truth() {
        index.keep_labelled(recording)?;
    }
    let mut writer: Box<dyn FormWriter + '_> = match form {
        Form::Coco => Box::new(coco::Coco::begin(&index, &folder)?),
        Form::Mot => Box::new(mot::Mot::begin(&index, &folder)?),
        Form::Frames => Box::new(Frames::begin(&index, &folder)?),
        Form::Preview => Box::new(preview::Preview::begin(&index, &folder)?),
    };
    let (cameras, left_out) = (index.cameras().count(), index.left_out.clone());
    let mut summary = Summary { cameras, left_out, ..Summary::default() };
    let mut reader = Reader::open(recording)?;
    while let Some(entry) = reader.next_entry()? {
        progress(bytes + reader.position().min(bytes), 2 * bytes);
        match entry {
            Entry::Fact(fact) => {
                let Body::Frame(frame) = fact.body else { continue };
                let spot = index.spot(&frame.camera, fact.stamp.sequence).filter(|spot| spot.shows(&frame));
                let Some(spot) = spot else { continue };
                folder.write(&writer.picture(&spot), &frame.data)?;
                writer.frame(&spot, &fact.stamp)?;
                summary.frames += 1;
            }
            Entry::Frame(truth) => {
                let Some(spot) = index.spot(&truth.camera, truth.sequence) else { continue };
                summary.people += writer.truth(&spot, &truth)?;
            }
            Entry::Scene(scene) => writer.scene(&scene)?,
        }
    }
    summary.lost = reader.losses();
    writer.finish()?;
    folder.finish()?;
    Ok(summary)
}

/// Writes pictures under their names, with `/` between folders, to a folder that does not exist yet, or is empty; answers
/// how many.
///
/// # Errors
/// As `pictures` gives them, when the folder is not empty, or the disk refuses; nothing is left behind then.
pub fn pictures(to: &Path, pictures: impl Iterator<Item = Result<(String, RgbImage)>>) -> Result<u64> {
    let folder = PartFolder::create(to)?;
    let mut count = 0;
    for picture in pictures {
        let (name, picture) = picture?;
        if let Some((above, _)) = name.rsplit_once('/') {
            folder.make(above)?;
        }
        folder.write(&name, &encode_png(&picture)?)?;
        count += 1;
    }
    folder.finish()?;
    Ok(count)
}

/// Where a frame stands in an export.
#[derive(Clone, Copy, Debug)]
struct Spot<'a> {
    /// Number of its camera in the shop, from 0.
    camera: usize,
    /// Name of its camera.
    name: &'a str,
    /// Number of the frame among those of its camera, from 1.
    number: u64,
    /// Width and height of its picture.
    size_pixels: [u32; 2],
    /// How the name of its picture ends.
    ending: &'static str,
    /// From the pixels in which the truth is written to those of its picture.
    picture_from_calibrated: Affine,
}

impl Spot<'_> {
    /// Whether this is the frame that was counted, and not a broken one with its number.
    fn shows(&self, frame: &Frame) -> bool {
        let head = picture_head(&frame.data);
        head.is_ok_and(|head| (head.size_pixels, head.format.ending()) == (self.size_pixels, self.ending))
    }
}

/// What makes a folder of one form.
trait FormWriter {
    /// Where in the folder a picture goes.
    fn picture(&self, spot: &Spot<'_>) -> String {
        format!("{}/{:06}.{}", spot.name, spot.number, spot.ending)
    }

    /// Notes a picture that was written.
    fn frame(&mut self, _spot: &Spot<'_>, _stamp: &Stamp) -> Result<()> {
        Ok(())
    }

    /// Notes what a picture shows; answers how many people of it were written down.
    fn truth(&mut self, _spot: &Spot<'_>, _truth: &FrameTruth) -> Result<u64> {
        Ok(0)
    }

    /// Notes where everybody was.
    fn scene(&mut self, _scene: &SceneTruth) -> Result<()> {
        Ok(())
    }

    /// Writes what stands at the end.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The bare pictures.
struct Frames;

impl Frames {
    fn begin(index: &Index, folder: &PartFolder) -> Result<Self> {
        index.cameras().try_for_each(|(_, camera, _)| folder.make(camera.id.as_str()))?;
        Ok(Frames)
    }
}

impl FormWriter for Frames {
    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Form {
    const fn needs_truth(self) -> bool {
        matches!(self, Form::Coco | Form::Mot)
    }
}

impl LeftOut {
    /// What was left out and why; nothing where every frame is there.
    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut say = |count: u64, why: &str| {
            if 0 < count {
                sentences.push(format!("{count} frames left out{why}"));
            }
        };
        say(self.unlabelled, ", for nobody knows what they show");
        say(self.undecodable, ", for they cannot be decoded");
        let named: u64 = self.other_sizes.values().sum();
        self.other_sizes.iter().for_each(|(sizes, count)| say(*count, &format!(" of {sizes}")));
        say(self.other_size - named, " of other sizes");
        sentences
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames of {} cameras", self.frames, self.cameras)?;
        if 0 < self.people {
            write!(f, ", {} people in them", self.people)?;
        }
        self.left_out.sentences().iter().try_for_each(|sentence| write!(f, "; {sentence}"))?;
        match self.lost {
            none if none == Losses::default() => Ok(()),
            lost => write!(f, "; left out: {lost}"),
        }
    }
}
