//! Models put together to look at frames: whole ones first, then what was found in them, then hands.

use std::sync::Arc;

use super::{Decoder, Gallery, HandSide, Manifest, Model, Region, Role, hand_region};
use crate::base::limits::DETECTIONS_PER_FRAME_MAX;
use crate::base::{Error, Result};
use crate::facts::{Detection, DetectionClass, Held, HeldGuess};
use crate::image::RgbImage;

/// A wrist that the models are less sure of is not looked at for a hand, `0..=1`.
const WRIST_SCORE_MIN: f64 = 0.3;
/// Of what a hand may hold the most probable are told, so many.
const HELD_GUESSES: usize = 5;

/// The models of one session: those that find something in a frame, then those that look closer at what was found, then
/// those that look at the hands of people whose joints were found.
pub struct Networks {
    whole: Vec<Model>,
    closer: Vec<(DetectionClass, Model)>,
    hands: Vec<Model>,
    /// What the catalogue looks like to the model for hands.
    gallery: Arc<Gallery>,
}

/// A picture, and what models see in it.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// The picture.
    pub picture: RgbImage,
    /// What is seen, of each model the surest first: people with their joints, faces, hands, goods.
    pub detections: Vec<Detection>,
    /// People beyond [`DETECTIONS_PER_FRAME_MAX`], who were left out.
    pub excess: usize,
}

impl Networks {
    /// Puts models together, each in its place: what a model looks at is in its manifest. `gallery` is made by the one
    /// that looks at hands.
    ///
    /// # Errors
    /// When none of them looks at whole frames.
    pub fn new(models: Vec<Model>, gallery: Arc<Gallery>) -> Result<Self> {
        let (whole, parts): (Vec<Model>, Vec<Model>) =
            models.into_iter().partition(|model| model.manifest().input.region == Region::Frame);
        let (hands, closer): (Vec<Model>, Vec<Model>) =
            parts.into_iter().partition(|model| model.manifest().role == Role::HeldProduct);
        if whole.is_empty() {
            return Err(Error::missing("no model that looks at whole frames is among those chosen")
                .hint("add one that finds people, such as aisle_people"));
        }
        let closer = closer.into_iter().map(|model| (looks_at(model.manifest()), model)).collect();
        Ok(Networks { whole, closer, hands, gallery })
    }

    /// How many pictures are looked at together.
    pub fn batch(&self) -> usize {
        self.whole.first().map_or(1, Model::batch)
    }

    /// Looks at these pictures, as many at once as each model takes.
    ///
    /// # Errors
    /// When a model fails.
    pub fn look(&mut self, glances: &mut [Glance]) -> Result<()> {
        for glance in glances.iter_mut() {
            glance.detections.clear();
            glance.excess = 0;
        }
        for model in &mut self.whole {
            look_over(model, glances)?;
        }
        self.closer.iter_mut().try_for_each(|(class, model)| look_closer(model, *class, glances))?;
        self.hands.iter_mut().try_for_each(|model| look_at_hands(model, &self.gallery, glances))
    }
}

/// What a model looks closer at.
fn looks_at(manifest: &Manifest) -> DetectionClass {
    match (manifest.input.region, manifest.role) {
        (Region::Palm, _) => DetectionClass::Hand,
        (Region::FacePoints, _) => DetectionClass::Face,
        (_, Role::Products | Role::ProductEmbedding) => DetectionClass::Product,
        _ => DetectionClass::Person,
    }
}

/// Finds things in whole pictures. A model for people may know many classes, of which only people are kept.
fn look_over(model: &mut Model, glances: &mut [Glance]) -> Result<()> {
    for glances in glances.chunks_mut(model.batch()) {
        for (place, glance) in glances.iter().enumerate() {
            model.prepare_place(place, &glance.picture, None)?;
        }
        model.infer()?;
        for (place, glance) in glances.iter_mut().enumerate() {
            let mut found = model.detections_of(place);
            let finds_people = matches!(model.manifest().role, Role::People | Role::Pose);
            found.retain(|found| !finds_people || found.class == DetectionClass::Person);
            let excess = found.len().saturating_sub(DETECTIONS_PER_FRAME_MAX);
            found.truncate(DETECTIONS_PER_FRAME_MAX);
            glance.excess += excess;
            glance.detections.append(&mut found);
        }
    }
    Ok(())
}

/// Looks at everything of a class in these pictures, what is in one picture after what is in the one before. What has
/// no size, or not the points that a model needs, stays as it is.
fn look_closer(model: &mut Model, class: DetectionClass, glances: &mut [Glance]) -> Result<()> {
    let of_class = |(index, glance): (usize, &Glance)| -> Vec<(usize, usize)> {
        let numbers = glance.detections.iter().enumerate().filter(|(_, found)| found.class == class);
        numbers.map(|(number, _)| (index, number)).collect()
    };
    let all: Vec<(usize, usize)> = glances.iter().enumerate().flat_map(of_class).collect();
    in_batches(
        model,
        &all,
        glances,
        |glances, (index, number)| (&glances[*index].picture, &glances[*index].detections[*number]),
        |glances, model, place, (index, number)| note(model, place, &mut glances[*index].detections[*number]),
    )
}

/// Looks at both hands of everybody in these pictures; where there is one, it is added to what was seen.
fn look_at_hands(model: &mut Model, gallery: &Gallery, glances: &mut [Glance]) -> Result<()> {
    let mut all: Vec<(usize, Detection)> = Vec::new();
    for (index, glance) in glances.iter().enumerate() {
        for person in glance.detections.iter().filter(|found| found.class == DetectionClass::Person) {
            let regions = [HandSide::Left, HandSide::Right].map(|side| hand_region(person, side, WRIST_SCORE_MIN));
            let hand = |bounds| Detection {
                class: DetectionClass::Hand,
                bounds,
                score: 0.0,
                keypoints: Vec::new(),
                embedding: Vec::new(),
                held: None,
            };
            all.extend(regions.into_iter().flatten().map(|bounds| (index, hand(bounds))));
        }
    }
    in_batches(
        model,
        &all,
        glances,
        |glances, (index, hand)| (&glances[*index].picture, hand),
        |glances, model, place, (index, hand)| {
            let seen = model.held_product_of(place)?;
            if model.manifest().score_min <= seen.hand {
                let mut ranked = gallery.rank(&seen.vector, gallery.products());
                ranked.truncate(HELD_GUESSES);
                let guess = |(sku, probability)| HeldGuess { sku, probability };
                let held = Held { holding: seen.holding, guesses: ranked.into_iter().map(guess).collect() };
                let hand = Detection { score: seen.hand, embedding: seen.vector, held: Some(held), ..hand.clone() };
                glances[*index].detections.push(hand);
            }
            Ok(())
        },
    )
}

/// Lets a model look at parts of pictures, as many at once as it takes; parts that it cannot look at are left out.
/// `part` says where one is, `note` takes in what is seen in it.
fn in_batches<P>(
    model: &mut Model,
    parts: &[P],
    glances: &mut [Glance],
    part: impl for<'a> Fn(&'a [Glance], &'a P) -> (&'a RgbImage, &'a Detection),
    mut note: impl FnMut(&mut [Glance], &Model, usize, &P) -> Result<()>,
) -> Result<()> {
    let mut filled: Vec<&P> = Vec::with_capacity(model.batch());
    for (number, one) in parts.iter().enumerate() {
        let (picture, at) = part(glances, one);
        if model.prepare_place(filled.len(), picture, Some(at)).is_ok() {
            filled.push(one);
        }
        if filled.is_empty() || (filled.len() < model.batch() && number + 1 < parts.len()) {
            continue;
        }
        model.infer()?;
        for (place, one) in filled.drain(..).enumerate() {
            note(glances, model, place, one)?;
        }
    }
    Ok(())
}

/// Adds to what was found what a closer look says of it.
fn note(model: &Model, place: usize, found: &mut Detection) -> Result<()> {
    if let Decoder::Embedding { .. } = model.manifest().decoder {
        found.embedding = model.embedding_of(place)?;
    } else if let Some(closer) = model.detections_of(place).into_iter().next() {
        found.keypoints = closer.keypoints;
    }
    Ok(())
}
