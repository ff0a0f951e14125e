//! With which models frames are looked at, and how many beside each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::engine::{self, EngineArgs};
use super::models::FolderArgs;
use crate::base::{Error, Result, Span};
use crate::facts::Topic;
use crate::models::{Loading, Purpose};
use crate::pipeline::{Eyes, EyesOptions};
use crate::ports::FactSource;
use crate::replay::Replay;
use crate::shop::Shop;
use crate::vision::Networks;

/// How frames are inferred.
#[derive(Args, Clone, Debug)]
pub(super) struct LookArgs {
    /// Model to use; may be given again. Without it, the best of those whose weights are here.
    #[arg(id = "model", long = "model", alias = "network", value_name = "NAME")]
    networks: Vec<String>,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Frames inferred in parallel; one for each core unless given, and one where models do not run on the CPU.
    #[arg(id = "parallel", long = "parallel", alias = "sessions", value_name = "COUNT",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    sessions: Option<u16>,
    /// Batch size: frames, and people in them, per inference, where a model was exported for any batch size.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    batch: u16,
    /// Pictures of the products, a folder for every code as `aisle export pictures` writes them: with a model for hands, say
    /// what they hold.
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
    /// Skip inference where nothing has moved in a recording, and reuse the last detections for up to so long; 0 infers
    /// every frame.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = parse_still)]
    still_secs: f64,
}

impl LookArgs {
    /// Files and folders that are read beside the frames.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.pictures.as_deref().into_iter().chain(self.folder.given())
    }

    /// Checks that nothing is said of how frames are looked at where they are not.
    ///
    /// # Errors
    /// When it is.
    pub(super) fn check(&self, sees: bool) -> Result<()> {
        let is_given =
            !self.networks.is_empty() || self.sessions.is_some() || self.pictures.is_some() || 0.0 < self.still_secs;
        if sees || !is_given {
            return Ok(());
        }
        let error = Error::usage("frames are not looked at, so nothing can be said of how");
        Err(error.hint("add --see, or leave out the options under `With --see`"))
    }

    /// Checks that no model is named twice: whatever it sees would count twice.
    fn check_names(&self) -> Result<()> {
        let mut known = BTreeSet::new();
        match self.networks.iter().find(|name| !known.insert(*name)) {
            Some(twice) => Err(Error::usage(format!("--model {twice} is given twice")).hint("name each model once")),
            None => Ok(()),
        }
    }

    /// Frames that one inference takes, at most.
    pub(super) fn batch(&self) -> usize {
        usize::from(self.batch)
    }

    /// What looks at the frames of a shop's cameras, held together and passed over as was said; without models unless it
    /// `looks`.
    ///
    /// # Errors
    /// As [`sessions`](Self::sessions).
    pub(super) fn eyes(&self, shop: &Shop, looks: bool) -> Result<Eyes> {
        let sessions = if looks { self.sessions(Purpose::Shop, None)? } else { Vec::new() };
        let still_span_max = (0.0 < self.still_secs).then(|| Span::from_secs(self.still_secs));
        let options = EyesOptions { still_span_max, ..EyesOptions::usual(shop.cameras().len()) };
        Ok(Eyes::new(sessions, options).with_cameras(shop.cameras()))
    }

    /// What makes people of a recording with --see; without models where there is only what others saw in frames.
    ///
    /// # Errors
    /// When its shop has no cameras, or as [`sessions`](Self::sessions).
    pub(super) fn eyes_for(&self, source: &Replay) -> Result<Eyes> {
        let shop = source.shop();
        if shop.cameras().is_empty() {
            return Err(Error::input("the shop of this recording has no cameras").hint("leave out --see"));
        }
        self.eyes(shop, source.cut().holds(Topic::Frame))
    }

    /// The models, those named or the best for this purpose, once for each of so many sessions; for each core or as the
    /// user says if no number is given. Tells which engine runs them.
    ///
    /// # Errors
    /// When one that is named is named twice, not here or broken, or none looks at whole frames.
    pub(super) fn sessions(&self, purpose: Purpose, count: Option<usize>) -> Result<Vec<Networks>> {
        let count = count.unwrap_or_else(|| self.sessions.map_or_else(|| self.engine.sessions(), usize::from));
        self.check_names()?;
        let library = self.folder.open()?;
        let manifests = library.choose_for(&self.networks, purpose, self.pictures.is_some())?;
        let chosen = self.engine.open()?;
        engine::tell(&chosen);
        let (options, pictures) = (self.engine.load_options(), self.pictures.as_deref());
        library.networks(&manifests, &chosen, Loading { options, batch: self.batch(), pictures }, count)
    }
}

fn parse_still(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (0.0..=10.0).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is too long or no time: write seconds from 0 to 10, such as 0.5"))
}
