//! `aisle export`: pictures and their truth for other tools and for eyes.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::shops;
use crate::base::Result;
use crate::export::{self, Form};
use crate::sim;

/// Export images, labels (COCO, MOTChallenge) or a preview page from a recording with cameras.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aisle export preview trip.mcap -o look        then open look/index.html
  aisle export coco trip.mcap -o keypoints      for pycocotools
  aisle export mot trip.mcap -o tracks          for TrackEval and py-motmetrics
  aisle export frames trip.mcap -o pictures
  aisle export pictures convenience -o goods")]
pub(super) struct Export {
    /// What to make.
    #[command(subcommand)]
    form: FormCommand,
}

#[derive(Debug, Subcommand)]
enum FormCommand {
    /// COCO keypoints: images, and person_keypoints.json with boxes and joints of everybody who is seen.
    #[command(after_help = "\
Keypoints are pixel indices: the middle of the top left pixel is (0, 0). Boxes are around the pixels that show a body, from
the corner of the picture; `area` is that of the box. `track_id` is one number a visit. Needs frames with truth.")]
    Coco(Paths),
    /// MOTChallenge: a sequence for every camera, with img1, gt/gt.txt and seqinfo.ini.
    #[command(after_help = "\
Boxes are around whole bodies, also their hidden parts; the last column says how much of them is seen. Pixels count from 1.
Ids are the same in all cameras. `seqmap.txt` names the sequences for TrackEval. Needs frames with truth.")]
    Mot(Paths),
    /// The images, a folder for every camera.
    Frames(Paths),
    /// A page that plays all cameras in sync, with the ground truth over them, a floor plan and the receipts.
    #[command(after_help = "\
Open index.html in a browser; it needs nothing else. Space plays, the arrow keys step, b, s and h switch boxes, skeletons and
hands. `#t=12.5` behind the address begins there.")]
    Preview(Paths),
    /// Pictures of a shop's goods from all sides, a folder for every code, as a catalogue has them.
    #[command(after_help = "\
Goods are drawn as the simulator draws them, from their names, codes and packages. A network that compares goods with pictures
of the catalogue takes such folders.")]
    Pictures(Goods),
}

#[derive(Debug, Args)]
struct Goods {
    /// A shop folder or file, `micro-market` or `convenience`.
    #[arg(value_name = "SHOP")]
    shop: PathBuf,
    /// The folder to write: one that does not exist yet, or is empty. It is there only when it is whole.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Side of the pictures in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 160, value_parser = clap::value_parser!(u16).range(16..=2_048))]
    side: u16,
}

#[derive(Debug, Args)]
struct Paths {
    /// The recording.
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    /// The folder to write: one that does not exist yet, or is empty. It is there only when it is whole.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Export {
    /// Runs the command.
    ///
    /// # Errors
    /// As [`export::export`].
    pub(super) fn run(self) -> Result<()> {
        let (form, paths) = match self.form {
            FormCommand::Coco(paths) => (Form::Coco, paths),
            FormCommand::Mot(paths) => (Form::Mot, paths),
            FormCommand::Frames(paths) => (Form::Frames, paths),
            FormCommand::Preview(paths) => (Form::Preview, paths),
            FormCommand::Pictures(goods) => return goods.run(),
        };
        write(form, &paths.recording, &paths.output)
    }
}

impl Goods {
    fn run(&self) -> Result<()> {
        let (shop, _) = shops::open(Some(&self.shop))?;
        let count = export::pictures(&self.output, sim::pictures(shop.catalogue(), usize::from(self.side)))?;
        super::print(&format!(
            "{}: {count} pictures of {} products\n",
            self.output.display(),
            shop.catalogue().products().len()
        ))
    }
}

/// Exports with a bar, and says what came of it.
pub(super) fn write(form: Form, recording: &Path, output: &Path) -> Result<()> {
    let bar = super::progress(1, "{bar:40} {percent} % {eta}");
    let summary = export::export(form, recording, output, &mut |read, all| {
        bar.set_length(all);
        bar.set_position(read);
    });
    bar.finish_and_clear();
    super::print(&format!("{}: {}\n", output.display(), summary?))
}
