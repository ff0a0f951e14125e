//! With which networks frames are looked at, and how many beside each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::engine::EngineArgs;
use super::models::{FolderArgs, Library};
use super::pictures::{entries, has_picture_name};
use crate::base::{Error, Result, SkuId, Span};
use crate::facts::Topic;
use crate::image::read_picture;
use crate::pipeline::{Eyes, EyesOptions, Networks};
use crate::ports::FactSource;
use crate::replay::Replay;
use crate::shop::Shop;
use crate::vision::{Decoder, Gallery, Manifest, Model, Role};

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
const FOR_JOINTS: [&str; 9] = [
    "aisle_people",
    "yolox_s",
    "yolox_nano",
    "nanodet_m",
    "light_person",
    "aisle_joints",
    "movenet_lightning",
    "aisle_appearance",
    "aisle_hand",
];

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
    /// Pictures of the goods, a folder for every code as `aisle export pictures` writes them: with a network for hands, say
    /// what they hold.
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
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
    /// The frames of calibrated cameras: people with their joints and looks, with pictures of goods also hands.
    Shop,
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

    /// Frames that one inference takes, at most.
    pub(super) fn batch(&self) -> usize {
        usize::from(self.batch)
    }

    /// What looks at the frames of a shop's cameras, held together and passed over as was said; without networks unless it
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

    /// What makes people of a recording with --see; without networks where there is only what others saw in frames.
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
        let hands = manifests.iter().find(|manifest| manifest.role == Role::HeldProduct);
        let gallery = match (&self.pictures, hands) {
            (Some(pictures), Some(hands)) => gallery(pictures, load(hands)?)?,
            (Some(pictures), None) => {
                let error = Error::usage("pictures of goods are for a network that looks at hands, and none is chosen");
                return Err(error.at_path(pictures).hint("add --network aisle_hand"));
            }
            (None, _) => Gallery::new(1.0),
        };
        let gallery = Arc::new(gallery);
        let networks = |_| Networks::new(manifests.iter().map(load).collect::<Result<_>>()?, gallery.clone());
        (0..count).map(networks).collect()
    }

    /// The networks to use: those named, else the best of each role of those that are here.
    fn manifests<'a>(&self, library: &'a Library, purpose: Purpose) -> Result<Vec<&'a Manifest>> {
        if !self.networks.is_empty() {
            return library.choose(&self.networks);
        }
        let (names, roles): (&[&str], &[Role]) = match purpose {
            Purpose::Picture => (&FOR_BOXES, &[Role::People, Role::Faces]),
            Purpose::Film => (&FOR_BOXES, &[Role::People]),
            Purpose::Shop if self.pictures.is_some() => {
                (&FOR_JOINTS, &[Role::People, Role::Pose, Role::Appearance, Role::HeldProduct])
            }
            Purpose::Shop => (&FOR_JOINTS, &[Role::People, Role::Pose, Role::Appearance]),
        };
        let here = names.iter().filter_map(|name| library.manifests.get(*name));
        let here: Vec<&Manifest> = here.filter(|manifest| library.weights(manifest).is_some()).collect();
        let best = |role: &Role| here.iter().find(|manifest| manifest.role == *role).copied();
        let used: Vec<&Manifest> = roles.iter().filter_map(best).collect();
        if used.is_empty() {
            return Err(Error::missing("no network for people or faces is here")
                .hint("`aisle models fetch yolox_nano yunet_n_640`, or name others with --network"));
        }
        Ok(used)
    }
}

/// What the goods of a folder look like to the network for hands.
fn gallery(folder: &Path, mut hands: Model) -> Result<Gallery> {
    let Decoder::HeldProduct { temperature, .. } = hands.manifest().decoder else { return Ok(Gallery::new(1.0)) };
    let mut gallery = Gallery::new(temperature);
    for goods in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let code = goods.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for path in entries(&goods)?.into_iter().filter(|path| has_picture_name(path)) {
            let picture = read_picture(&path)?;
            let seen = hands.look_at_hand(&picture, None).map_err(|error| error.at_path(&path))?;
            gallery.insert(SkuId::new(&code), seen.vector);
        }
    }
    if gallery.is_empty() {
        let hint = "it holds a folder for every code, each with pictures; `aisle export pictures SHOP` makes one";
        return Err(Error::input("there are no pictures of goods in this folder").at_path(folder).hint(hint));
    }
    Ok(gallery)
}

fn parse_still(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (0.0..=10.0).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is too long or no time: write seconds from 0 to 10, such as 0.5"))
}
