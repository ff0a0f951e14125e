//! With which networks frames are looked at, and how many beside each other.

use clap::Args;

use super::engine::EngineArgs;
use super::models::{FolderArgs, Library};
use crate::base::{Error, Result, Span};
use crate::pipeline::{EyesOptions, Networks};
use crate::shop::Shop;
use crate::vision::{Manifest, Model, Region, Role};

/// The networks that are tried where none is named, the better first; of each role one is used.
const FOR_BOXES: [&str; 9] = [
    "yolox_s",
    "yolox_nano",
    "nanodet_m",
    "light_person",
    "aisle_people",
    "yunet_n_640",
    "yunet_s_640",
    "yunet_n_320",
    "aisle_faces",
];
/// The same where joints of everybody are needed.
const FOR_JOINTS: [&str; 6] =
    ["aisle_people", "yolox_s", "yolox_nano", "nanodet_m", "light_person", "movenet_lightning"];

/// How frames are looked at.
#[derive(Args, Clone, Debug)]
pub(super) struct LookArgs {
    /// A network to use; may be given again. The best of those that are here if none is.
    #[arg(long = "network", value_name = "NAME")]
    networks: Vec<String>,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Frames that are looked at beside each other; one for each core unless given, and one where networks do
    /// not run on the processor.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    sessions: Option<u16>,
    /// Frames, and people in them, that one inference takes, where a network was exported for any number.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    batch: u16,
    /// Where nothing has moved in a recording, see again for so long what was seen last; 0 looks at every frame.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = parse_still)]
    still_secs: f64,
}

/// What networks are chosen for where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Pictures of any kind: people and faces.
    Picture,
    /// The frames of a camera that nobody calibrated: people.
    Film,
    /// The frames of calibrated cameras: people with their joints.
    Shop,
}

impl LookArgs {
    /// Frames that one inference takes, at most.
    pub(super) fn batch(&self) -> usize {
        usize::from(self.batch)
    }

    /// How the frames of a shop's cameras are held together, and when one is passed over.
    pub(super) fn eyes(&self, shop: &Shop) -> EyesOptions {
        let still_span_max = (0.0 < self.still_secs).then(|| Span::from_secs(self.still_secs));
        EyesOptions { still_span_max, ..EyesOptions::usual(shop.cameras().len()) }
    }

    /// The networks, those named or the best for this purpose, once for each of so many sessions; for each core or as the
    /// user says if no number is given. Tells which engine runs them.
    ///
    /// # Errors
    /// When one that is named is not here or broken, or none looks at whole frames.
    pub(super) fn sessions(&self, purpose: Purpose, count: Option<usize>) -> Result<Vec<Networks>> {
        let count = count.unwrap_or_else(|| self.sessions.map_or_else(|| self.engine.sessions(), usize::from));
        let library = self.folder.open()?;
        let manifests = self.manifests(&library, purpose)?;
        let chosen = self.engine.open()?;
        chosen.tell();
        let load = |manifest: &&Manifest| -> Result<Model> {
            let model = library.load(manifest, &chosen.engine, self.engine.load_options())?;
            Ok(model.with_batch(self.batch()))
        };
        (0..count).map(|_| Networks::new(manifests.iter().map(load).collect::<Result<_>>()?)).collect()
    }

    /// The networks to use: those named, else the best of each role of those that are here.
    fn manifests<'a>(&self, library: &'a Library, purpose: Purpose) -> Result<Vec<&'a Manifest>> {
        if !self.networks.is_empty() {
            return library.choose(&self.networks);
        }
        let (names, roles): (&[&str], &[Role]) = match purpose {
            Purpose::Picture => (&FOR_BOXES, &[Role::People, Role::Faces]),
            Purpose::Film => (&FOR_BOXES, &[Role::People]),
            Purpose::Shop => (&FOR_JOINTS, &[Role::People, Role::Pose]),
        };
        let here = names.iter().filter_map(|name| library.manifests.get(*name));
        let here: Vec<&Manifest> = here.filter(|manifest| library.weights(manifest).is_some()).collect();
        let best = |role: &Role| here.iter().find(|manifest| manifest.role == *role).copied();
        let mut used: Vec<&Manifest> = roles.iter().filter_map(best).collect();
        if used.iter().any(|manifest| manifest.input.region == Region::Frame && manifest.gives_joints()) {
            used.retain(|manifest| manifest.role != Role::Pose);
        }
        if used.is_empty() {
            return Err(Error::missing("no network for people or faces is here")
                .hint("`aisle models fetch yolox_nano yunet_n_640`, or name others with --network"));
        }
        Ok(used)
    }
}

fn parse_still(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (0.0..=10.0).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is too long or no time: write seconds from 0 to 10, such as 0.5"))
}
