//! MOTChallenge: a folder for every camera with `seqinfo.ini`, `img1` and `gt/gt.txt`, and `seqmap.txt` that names them.
//!
//! Boxes are around whole bodies, also where something hides them or the picture ends; the last column says how much of
//! the part in the picture is seen. The middle of the top left pixel is (1, 1) there.

use super::folder::{PartFolder, TextFile};
use super::index::Index;
use super::{FormWriter, Spot};
use crate::base::figures::fixed;
use crate::base::limits::FRAME_SIZES_MAX;
use crate::base::{Error, Result};
use crate::shop::Camera;
use crate::truth::FrameTruth;

/// Added to our coordinates, in which the corner of the picture is (0, 0), to count pixels from 1.
const FIRST_PIXEL: f64 = 1.0;

pub(super) struct Mot<'a> {
    index: &'a Index,
    /// By number of the camera; `None` for cameras without pictures.
    truths: Vec<Option<TextFile>>,
}

impl<'a> Mot<'a> {
    pub(super) fn begin(index: &'a Index, folder: &PartFolder) -> Result<Self> {
        let mut truths: Vec<Option<TextFile>> = index.shop.cameras().iter().map(|_| None).collect();
        let mut map = folder.text("seqmap.txt")?;
        map.put("name\n")?;
        for (number, camera, count) in index.cameras() {
            let (name, ([width, height], ending)) = (camera.id.as_str(), only_kind(index, number, camera)?);
            folder.make(&format!("{name}/img1"))?;
            folder.make(&format!("{name}/gt"))?;
            let rate = camera.rate_hertz;
            let info = format!(
                "[Sequence]\nname={name}\nimDir=img1\nframeRate={rate}\nseqLength={count}\nimWidth={width}\n\
                 imHeight={height}\nimExt=.{ending}\n"
            );
            folder.write(&format!("{name}/seqinfo.ini"), info.as_bytes())?;
            map.put(&format!("{name}\n"))?;
            truths[number] = Some(folder.text(&format!("{name}/gt/gt.txt"))?);
        }
        map.finish()?;
        Ok(Mot { index, truths })
    }
}

impl FormWriter for Mot<'_> {
    fn picture(&self, spot: &Spot<'_>) -> String {
        format!("{}/img1/{:06}.{}", spot.name, spot.number, spot.ending)
    }

    fn truth(&mut self, spot: &Spot<'_>, truth: &FrameTruth) -> Result<u64> {
        let Some(out) = &mut self.truths[spot.camera] else { return Ok(0) };
        for body in &truth.people {
            let bounds = spot.picture_from_calibrated.apply_box(&body.bounds);
            let who = self.index.visit(body.visit);
            let (left, top) = (fixed(bounds.left + FIRST_PIXEL, 2), fixed(bounds.top + FIRST_PIXEL, 2));
            let (width, height) = (bounds.width(), bounds.height());
            let (frame, seen) = (spot.number, body.visible_share);
            out.put(&format!("{frame},{who},{left},{top},{width:.2},{height:.2},1,1,{seen:.4}\n"))?;
        }
        Ok(truth.people.len() as u64)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.truths.into_iter().flatten().try_for_each(TextFile::finish)
    }
}

/// The size and the ending of all pictures of a camera.
///
/// # Errors
/// When there are several: a sequence says one size and one ending.
fn only_kind(index: &Index, number: usize, camera: &Camera) -> Result<([u32; 2], &'static str)> {
    let mut kinds: Vec<([u32; 2], &str)> = Vec::new();
    for kind in index.spots(number).map(|spot| (spot.size_pixels, spot.ending)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if let &[kind] = kinds.as_slice() {
        return Ok(kind);
    }
    let kinds =
        kinds.iter().take(FRAME_SIZES_MAX).map(|([width, height], ending)| format!("{width}x{height} .{ending}"));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let sentence = format!("frames of camera {} are of several kinds, and a sequence has one: {kinds}", camera.id);
    Err(Error::input(sentence).hint("`aisle export coco` says the size of each picture"))
}
