//! `aisle serve` on a shop with devices: where the journal is, what is recorded, and who pays.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::book::BookArgs;
use super::looking::LookArgs;
use crate::album::Album;
use crate::base::{Error, Result, Secret};
use crate::db::Database;
use crate::facts::Cut;
use crate::ingest::devices::{Devices, GateRole, PictureRule};
use crate::live::{Opening, Payers, RecordLimits, walk_in_method};
use crate::pipeline::Eyes;
use crate::ports::{Clock as _, WallClock};
use crate::shop::Shop;
use crate::telemetry::Exporter;

/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;

/// How a shop with devices is opened.
#[derive(Args, Clone, Debug)]
pub(super) struct OpenArgs {
    /// Folder of the journal, where facts are stored until the book knows them; beside the book unless given
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Record every fact of the open shop into this folder, in files that `aisle replay DIR` takes together
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Folder of the pictures around changes on shelves, where devices.toml says that they are kept; beside the book unless given
    #[arg(long, value_name = "DIR")]
    album: Option<PathBuf>,
    /// File of what the shop learns, which its next start begins with; beside the book unless given
    #[arg(long, value_name = "FILE")]
    learned: Option<PathBuf>,
    #[command(flatten)]
    recording: RecordArgs,
    #[command(flatten, next_help_heading = "Vision, for cameras of the shop's own")]
    look: LookArgs,
}

/// How much is recorded of an open shop.
#[derive(Args, Clone, Debug)]
pub(super) struct RecordArgs {
    /// How deep to record: tracked (plates, people, gates), seen (detections too), raw (camera frames too)
    #[arg(long, value_name = "CUT", default_value = "tracked", value_parser = parse_cut)]
    record_cut: Cut,
    /// Size of one file of the recording, MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    record_file_mib: u64,
    /// Disk space of the whole recording, MiB; beyond it the oldest file is deleted
    #[arg(long, value_name = "MIB", default_value_t = 20_480, value_parser = clap::value_parser!(u64).range(2..))]
    record_disk_mib: u64,
}

impl OpenArgs {
    /// How the shop with these devices is opened.
    ///
    /// # Errors
    /// When nothing says where the journal is to be, or the models for its cameras cannot be loaded.
    pub(super) fn opening(
        &self,
        shop: &Shop,
        devices: Devices,
        is_sandbox: bool,
        book: &BookArgs,
        database: &mut Database,
    ) -> Result<Opening> {
        let has_gates = devices.gates.iter().any(|gate| gate.role == GateRole::Entrance);
        // Where money is real nobody is made up who pays: a person finds out.
        let payers = if has_gates || !is_sandbox { Payers::Gates } else { Payers::WalkIns(walk_in_method()) };
        let journal = match &self.journal {
            Some(folder) => folder.clone(),
            None => book.journal_path(database)?.ok_or_else(|| {
                let error = Error::usage("a book in memory has no place beside it for the journal of facts");
                error.hint("name a book with --db, or a folder with --journal")
            })?,
        };
        let record = self.record.as_ref().map(|folder| self.recording.within(folder));
        let unread = Some(journal.join("unread"));
        let album = self.album(devices.pictures.as_ref(), book, database)?;
        let eyes = eyes(&self.look, shop, &devices)?;
        let learned = match &self.learned {
            Some(path) => Some(path.clone()),
            None => book.learned_path(database)?,
        };
        Ok(Opening { devices, payers, eyes, exporter: exporter(shop), journal, unread, record, album, learned })
    }

    /// Where pictures are kept, or were: what is there is deleted on time also when no more are kept.
    ///
    /// # Errors
    /// When nothing says where they are to be, or as [`Album::open`].
    pub(super) fn album(
        &self,
        rule: Option<&PictureRule>,
        book: &BookArgs,
        database: &mut Database,
    ) -> Result<Option<Arc<Album>>> {
        let folder = match &self.album {
            Some(folder) => Some(folder.clone()),
            None => book.pictures_path(database)?,
        };
        let Some(folder) = folder else {
            let error = Error::usage("a book in memory has no place beside it for pictures");
            let hint = "name a book with --db, or a folder with --album";
            return if rule.is_some() { Err(error.hint(hint)) } else { Ok(None) };
        };
        Album::open(&folder, rule, WallClock.now()).map(Arc::new).map(Some)
    }

    /// Whether anything was said that only a shop with devices has.
    pub(super) fn is_given(&self) -> bool {
        self.journal.is_some() || self.record.is_some() || self.album.is_some() || self.learned.is_some()
    }
}

impl RecordArgs {
    /// Recording into this folder.
    pub(super) fn within(&self, folder: &Path) -> (PathBuf, Cut, RecordLimits) {
        let disk_bytes = self.record_disk_mib.saturating_mul(MIB);
        (folder.to_owned(), self.record_cut, RecordLimits { file_bytes: self.record_file_mib * MIB, disk_bytes })
    }
}

/// Where spans go that OpenTelemetry's own variables name.
fn exporter(shop: &Shop) -> Option<Exporter> {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = said("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let headers = said("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let headers = headers.split(',').filter_map(|header| header.split_once('='));
    let headers = headers.map(|(name, value)| (name.trim().to_owned(), Secret::new(value.trim().to_owned())));
    Some(Exporter::start(&endpoint, headers.collect(), shop.name()))
}

/// Who looks at the frames of the shop's own cameras.
///
/// # Errors
/// When the models cannot be loaded.
pub(super) fn eyes(look: &LookArgs, shop: &Shop, devices: &Devices) -> Result<Option<Eyes>> {
    let is_used = devices.cameras.iter().any(|camera| camera.enabled);
    is_used.then(|| look.eyes(shop, true)).transpose()
}

fn parse_cut(text: &str) -> std::result::Result<Cut, String> {
    match text.parse()? {
        Cut::Decided => Err("what is decided follows from what is recorded: write tracked, seen or raw".to_owned()),
        cut => Ok(cut),
    }
}
