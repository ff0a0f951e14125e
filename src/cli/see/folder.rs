//! The frames of one camera that nobody calibrated: who is who from picture to picture.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{See, draw, make_folder, write};
use crate::base::{Error, Result, ShopTime, Span};
use crate::cli::print;
use crate::image::decode_picture;
use crate::pipeline::{self, Glance};
use crate::tracking::tracklets::{Options, Tracker};

/// Endings of pictures.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "webp", "gif"];

impl See {
    /// Looks at the pictures of a folder in order of their names.
    pub(super) fn see_folder(&self) -> Result<()> {
        self.refuse_truth("a folder of frames")?;
        let (paths, output) = (self.pictures()?, self.output()?);
        let mut sessions = self.networks()?;
        make_folder(output)?;
        let (mut tracker, mut tracks) = (Tracker::new(Options::default()), BTreeSet::new());
        let (mut seen, mut rows) = (0, Vec::new());
        let together = sessions.len() * usize::from(self.batch);
        for (group, paths) in paths.chunks(together).enumerate() {
            let mut glances = paths.iter().map(|path| glance(path)).collect::<Result<Vec<Glance>>>()?;
            pipeline::look(&mut sessions, &mut glances)?;
            for (number, (path, glance)) in (group * together..).zip(paths.iter().zip(glances)) {
                let Glance { mut picture, detections: people, .. } = glance;
                let at = ShopTime::from_nanos(0) + Span::from_secs(number as f64 / self.rate);
                people.iter().for_each(|found| draw::detection(&mut picture, found));
                for tracklet in tracker.step(at, &people).iter().filter(|tracklet| tracklet.confirmed) {
                    draw::tracked(&mut picture, &tracklet.bounds, tracklet.track.number());
                    tracks.insert(tracklet.track);
                }
                let name = path.file_name().unwrap_or_default();
                write(&picture, &output.join(name).with_extension("jpg"))?;
                seen += people.len();
                if self.json {
                    rows.push(json!({ "picture": name.to_string_lossy(), "people": people }));
                }
            }
        }
        let (frames, tracks) = (paths.len(), tracks.len());
        if self.json {
            return print(&format!("{}\n", json!({ "tracks": tracks, "frames": rows })));
        }
        print(&format!("{}: {frames} frames, {seen} people in them, {tracks} tracks\n", output.display()))
    }

    fn pictures(&self) -> Result<Vec<PathBuf>> {
        let unreadable = |error| Error::io("read", &self.path, &error);
        let entries = fs::read_dir(&self.path).map_err(unreadable)?;
        let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths.map_err(unreadable)?;
        paths.retain(|path| {
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()))
        });
        paths.sort();
        if paths.is_empty() {
            return Err(Error::input("there are no pictures in this folder").at_path(&self.path));
        }
        Ok(paths)
    }
}

/// A picture that nobody has looked at.
fn glance(path: &Path) -> Result<Glance> {
    let bytes = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    let picture = decode_picture(&bytes).map_err(|error| error.at_path(path))?;
    Ok(Glance { picture, ..Glance::default() })
}
