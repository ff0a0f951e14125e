//! Which models are used where nobody names any, and how they are loaded to work beside each other.

use std::path::Path;
use std::sync::Arc;

use super::{Chosen, Library};
use crate::base::{Error, Result, SkuId};
use crate::image::read_picture;
use crate::ingest::{entries, has_picture_name};
use crate::vision::{Decoder, Gallery, LoadOptions, Manifest, Model, Networks, Role};

/// The models that are tried where none is named, the better first; of each role one is used.
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

/// What models are chosen for where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Pictures of any kind: people and faces.
    Picture,
    /// The frames of a camera that nobody calibrated: people.
    Film,
    /// The frames of calibrated cameras: people with their joints and looks, with pictures of goods also hands.
    Shop,
}

/// How models are loaded.
#[derive(Clone, Copy, Debug)]
pub struct Loading<'a> {
    /// For the engine.
    pub options: LoadOptions,
    /// Pictures, or regions of one, that one inference takes at most, where a model was exported for any number.
    pub batch: usize,
    /// Pictures of the goods, a folder for every code: with a model for hands, to say what they hold.
    pub pictures: Option<&'a Path>,
}

impl Library {
    /// The models to use: those named, else the best of each role of those whose weights are here. `holds` asks for hands.
    ///
    /// # Errors
    /// When one that is named is not known, or none for people or faces is here.
    pub fn choose_for(&self, named: &[String], purpose: Purpose, holds: bool) -> Result<Vec<&Manifest>> {
        if !named.is_empty() {
            return self.choose(named);
        }
        let (names, roles): (&[&str], &[Role]) = match purpose {
            Purpose::Picture => (&FOR_BOXES, &[Role::People, Role::Faces]),
            Purpose::Film => (&FOR_BOXES, &[Role::People]),
            Purpose::Shop if holds => (&FOR_JOINTS, &[Role::People, Role::Pose, Role::Appearance, Role::HeldProduct]),
            Purpose::Shop => (&FOR_JOINTS, &[Role::People, Role::Pose, Role::Appearance]),
        };
        let here = names.iter().filter_map(|name| self.manifests.get(*name));
        let here: Vec<&Manifest> = here.filter(|manifest| self.weights(manifest).is_some()).collect();
        let best = |role: &Role| here.iter().find(|manifest| manifest.role == *role).copied();
        let used: Vec<&Manifest> = roles.iter().filter_map(best).collect();
        if used.is_empty() {
            return Err(Error::missing("no model for people or faces is here")
                .hint("`aisle models fetch yolox_nano yunet_n_640`, or name others with --model"));
        }
        Ok(used)
    }

    /// Models, loaded once for each of so many workers.
    ///
    /// # Errors
    /// When one is not here or broken, none looks at whole frames, or pictures are given and no model looks at hands.
    pub fn networks(
        &self,
        manifests: &[&Manifest],
        chosen: &Chosen,
        loading: Loading<'_>,
        count: usize,
    ) -> Result<Vec<Networks>> {
        let load = |manifest: &&Manifest| -> Result<Model> {
            let model = self.load(manifest, &chosen.engine, loading.options)?;
            Ok(model.with_batch(loading.batch))
        };
        let hands = manifests.iter().find(|manifest| manifest.role == Role::HeldProduct);
        let gallery = match (loading.pictures, hands) {
            (Some(pictures), Some(hands)) => gallery(pictures, load(hands)?)?,
            (Some(pictures), None) => {
                let error = Error::usage("pictures of goods are for a model that looks at hands, and none is chosen");
                return Err(error.at_path(pictures).hint("add --model aisle_hand"));
            }
            (None, _) => Gallery::new(1.0),
        };
        let gallery = Arc::new(gallery);
        let networks = |_| Networks::new(manifests.iter().map(load).collect::<Result<_>>()?, gallery.clone());
        (0..count).map(networks).collect()
    }
}

/// What the goods of a folder look like to the model for hands.
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
