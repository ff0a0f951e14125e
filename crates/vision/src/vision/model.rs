//! A model with its manifest: from a frame to what is seen in it.

use super::decode::{self, View};
use super::hand::HeldProduct;
use super::input;
use super::manifest::{Decoder, Manifest};
use super::network::{Network, Output, Shape, Tensor};
use crate::base::{Error, Result};
use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::{Affine, PixelBox};
use crate::image::{RgbImage, Sampler};

/// What the numbers of an output may be.
const READ_ELEMENTS: [&str; 5] = ["f32", "u8", "i8", "i32", "i64"];

/// What to do about a model that gives no numbers.
const BLANK: &str =
    "export the model again and try it on one picture; weights that overflow in half precision give such outputs";

/// A model ready to look at frames, with the memory that it uses again from frame to frame.
pub struct Model {
    manifest: Manifest,
    network: Box<dyn Network>,
    sampler: Sampler,
    tensor: Tensor,
    outputs: Vec<Output>,
    /// Where each output that the decoder reads stands among those of the model.
    reads: Vec<usize>,
    /// The shapes of those outputs for the pictures that are in the tensor.
    expected: Vec<Shape>,
    batch: Batch,
    /// For each place of the batch that was filled, from the input to the frame.
    frame_from_input: Vec<Affine>,
}

/// How many pictures one inference takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    /// Always as many, as the model was exported.
    Fixed(usize),
    /// As many as there are, up to this.
    Open(usize),
}

impl Model {
    /// Puts a model and its manifest together.
    ///
    /// # Errors
    /// When the model has another input or other outputs than its manifest says; names both shapes.
    pub fn new(manifest: Manifest, network: Box<dyn Network>) -> Result<Self> {
        let pictures = check_input(&manifest, network.as_ref())?;
        let mut expected = manifest.output_shapes();
        expected.iter_mut().for_each(|shape| shape.set_batch(pictures.unwrap_or(1)));
        let reads = reads(&manifest, network.as_ref(), expected.len())?;
        let mut is_open = pictures.is_none();
        for (read, shape) in reads.iter().zip(&expected) {
            let slot = &network.outputs()[*read];
            if let Some(element) = slot.element.as_deref().filter(|element| !READ_ELEMENTS.contains(element)) {
                let (name, output) = (&manifest.name, &slot.name);
                let message = format!("{name}: the output {output} of the model is {element}, which is not read");
                return Err(
                    Error::input(message).hint(format!("export it with outputs of {}", READ_ELEMENTS.join(", ")))
                );
            }
            let Some(declared) = slot.shape.as_ref() else { continue };
            if !declared.fits(shape) {
                return Err(unfit(&manifest.name, "output", &slot.name, declared, shape));
            }
            // Some exporters open the batch of the input and leave that of an output at 1, or leave it out.
            is_open &= declared.0.len() == shape.0.len() && declared.0.first() == Some(&None);
        }
        let batch = if is_open { Batch::Open(1) } else { Batch::Fixed(pictures.unwrap_or(1)) };
        let tensor = Tensor::zeros(manifest.input.element, &manifest.input.shape(pictures.unwrap_or(1)));
        Ok(Model {
            manifest,
            network,
            sampler: Sampler::new(),
            tensor,
            outputs: Vec::new(),
            reads,
            expected,
            batch,
            frame_from_input: Vec::new(),
        })
    }

    /// Lets one inference take up to so many pictures, from 1, where the model leaves that open; a model that was
    /// exported for a number of pictures keeps to it. Numbers may differ in their last digits with how many pictures
    /// are inferred together.
    #[must_use]
    pub fn with_batch(mut self, pictures_max: usize) -> Self {
        if let Batch::Open(_) = self.batch {
            self.batch = Batch::Open(pictures_max.max(1));
        }
        self
    }

    /// The most pictures that one inference takes.
    pub fn batch(&self) -> usize {
        match self.batch {
            Batch::Fixed(pictures) | Batch::Open(pictures) => pictures,
        }
    }

    /// What is known of it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Fills the input from a frame, or from the part of it that belongs to something found in it. Once the input has
    /// been filled from a frame of this size, nothing is allocated.
    ///
    /// # Errors
    /// When the model looks at parts and `at` is none, or has not the points that it needs.
    pub fn prepare(&mut self, frame: &RgbImage, at: Option<&Detection>) -> Result<()> {
        self.prepare_place(0, frame, at)
    }

    /// Fills one place of a batch, as [`prepare`](Self::prepare) does. Place 0 begins a new batch, and the others
    /// follow without a gap; what was filled since is inferred together.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), and when the place does not follow or is beyond [`batch`](Self::batch).
    pub fn prepare_place(&mut self, place: usize, frame: &RgbImage, at: Option<&Detection>) -> Result<()> {
        if self.batch() <= place || self.frame_from_input.len() < place {
            let (filled, most) = (self.frame_from_input.len(), self.batch());
            let what = format!("place {place} of a batch with {filled} filled and at most {most}");
            return Err(Error::input(format!("{}: {what} cannot be filled", self.manifest.name)));
        }
        let input_from_frame = input::input_from_frame(&self.manifest.input, frame, at)?;
        let inverse = input_from_frame.inverse();
        let inverse = inverse.ok_or_else(|| Error::input("a part of a frame has no size"))?;
        self.frame_from_input.truncate(place);
        if let Batch::Open(_) = self.batch {
            self.tensor.set_batch(place + 1);
        }
        input::fill(&self.manifest.input, frame, &input_from_frame, place, &mut self.sampler, &mut self.tensor);
        self.frame_from_input.push(inverse);
        Ok(())
    }

    /// Runs the model on the input as it was filled last.
    ///
    /// # Errors
    /// When the engine fails, an output has not the shape that the manifest makes one expect, or most numbers of one
    /// are not finite.
    pub fn infer(&mut self) -> Result<()> {
        self.network.infer(&self.tensor, &mut self.outputs)?;
        let pictures = self.tensor.shape()[0];
        for (read, shape) in self.reads.iter().zip(&mut self.expected) {
            shape.set_batch(pictures);
            let Some(output) = self.outputs.get(*read) else {
                return Err(Error::input(format!("{}: an output is missing", self.manifest.name)));
            };
            if !shape.admits(&output.shape) {
                let actual = Shape::fixed(&output.shape);
                return Err(unfit(&self.manifest.name, "output", &output.name, &actual, shape));
            }
            let (none, all) = (output.values.iter().filter(|value| !value.is_finite()).count(), output.values.len());
            // Not all need be: some engines make a number of NaN where they bound one. A single one that is none only
            // leaves out what it belongs to.
            if 1 < all && all < 2 * none {
                let (model, name) = (&self.manifest.name, &output.name);
                let message =
                    format!("{model}: its outputs are not numbers: {none} of the {all} of {name} are NaN or infinite");
                return Err(Error::input(message).hint(BLANK));
            }
        }
        // Numbers of a quantised model become real ones.
        for (read, name) in self.reads.iter().zip(&self.manifest.outputs) {
            if name.scale != 1.0 || name.zero != 0.0 {
                let (scale, zero) = (name.scale as f32, name.zero as f32);
                self.outputs[*read].values.iter_mut().for_each(|value| *value = (*value - zero) * scale);
            }
        }
        Ok(())
    }

    /// The input as it was filled last.
    pub fn input(&self) -> &Tensor {
        &self.tensor
    }

    /// The outputs of the last inference, all of them, in the order of the file; those that the manifest says are
    /// quantised, as real numbers.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// What the last inference saw, in pixels of the frame, surest first. Empty for models that give vectors.
    pub fn detections(&self) -> Vec<Detection> {
        self.detections_of(0)
    }

    /// What the last inference saw in one picture of the batch, as [`detections`](Self::detections); empty where no
    /// picture was.
    pub fn detections_of(&self, place: usize) -> Vec<Detection> {
        let Some(frame_from_input) = self.frame_from_input.get(place) else { return Vec::new() };
        let views: Vec<View<'_>> = self.reads.iter().filter_map(|read| self.view(*read, place)).collect();
        if views.len() < self.reads.len() {
            return Vec::new();
        }
        let mut found = decode::detections(&self.manifest, &views);
        for detection in &mut found {
            let PixelBox { left, top, right, bottom } = frame_from_input.apply_box(&detection.bounds);
            // A zero from below becomes a plain one.
            detection.bounds = PixelBox { left: left + 0.0, top: top + 0.0, right: right + 0.0, bottom: bottom + 0.0 };
            for Keypoint { pixel, .. } in &mut detection.keypoints {
                *pixel = frame_from_input.apply(*pixel);
            }
        }
        found
    }

    /// The vector of the last inference, of length 1.
    ///
    /// # Errors
    /// When the model gives no vectors, or gave one of no length.
    pub fn embedding(&self) -> Result<Vec<f32>> {
        self.embedding_of(0)
    }

    /// The vector of one picture of the batch, as [`embedding`](Self::embedding).
    ///
    /// # Errors
    /// As [`embedding`](Self::embedding), and when there was no such picture.
    pub fn embedding_of(&self, place: usize) -> Result<Vec<f32>> {
        let read = self.reads.first().filter(|_| place < self.frame_from_input.len());
        let view = read.and_then(|read| self.view(*read, place));
        let (Decoder::Embedding { .. }, Some(view)) = (&self.manifest.decoder, view) else {
            return Err(Error::input(format!("{} gives no vectors", self.manifest.name)));
        };
        decode::embedding(view.values)
            .ok_or_else(|| Error::input(format!("{} gave a vector of no length", self.manifest.name)))
    }

    /// The part of an output that belongs to one picture of the batch.
    fn view(&self, read: usize, place: usize) -> Option<View<'_>> {
        let output = self.outputs.get(read)?;
        let count = output.values.len() / self.tensor.shape()[0];
        Some(View { values: output.values.get(place * count..(place + 1) * count)?, ..View::of(output) })
    }

    /// What the last inference saw in a hand's region.
    ///
    /// # Errors
    /// When the model is none for hands and products, or gave no numbers.
    pub fn held_product(&self) -> Result<HeldProduct> {
        self.held_product_of(0)
    }

    /// What was seen in one region of the batch, as [`held_product`](Self::held_product).
    ///
    /// # Errors
    /// As [`held_product`](Self::held_product), and when there was no such region.
    pub fn held_product_of(&self, place: usize) -> Result<HeldProduct> {
        let filled = place < self.frame_from_input.len();
        let view = |number: usize| self.reads.get(number).filter(|_| filled).and_then(|read| self.view(*read, place));
        let (Decoder::HeldProduct { .. }, Some(scores), Some(vector)) = (&self.manifest.decoder, view(0), view(1))
        else {
            return Err(Error::input(format!("{} tells nothing of hands", self.manifest.name)));
        };
        decode::held_product(scores.values, vector.values)
            .ok_or_else(|| Error::input(format!("{} gave no numbers", self.manifest.name)))
    }

    /// Looks at a frame, or at the part of it that belongs to something found in it.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare) and [`infer`](Self::infer).
    pub fn detect(&mut self, frame: &RgbImage, at: Option<&Detection>) -> Result<Vec<Detection>> {
        self.prepare(frame, at)?;
        self.infer()?;
        Ok(self.detections())
    }

    /// The vector of something found in a frame, or of a whole picture.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), [`infer`](Self::infer) and [`embedding`](Self::embedding).
    pub fn embed(&mut self, frame: &RgbImage, at: Option<&Detection>) -> Result<Vec<f32>> {
        self.prepare(frame, at)?;
        self.infer()?;
        self.embedding()
    }

    /// What is seen in the region of a hand, see [`hand_region`](super::hand_region), or in a whole picture: the vector of
    /// a picture of the catalogue is what a [`Gallery`](super::Gallery) takes.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), [`infer`](Self::infer) and [`held_product`](Self::held_product).
    pub fn look_at_hand(&mut self, frame: &RgbImage, region: Option<PixelBox>) -> Result<HeldProduct> {
        let hand = |bounds| Detection {
            class: DetectionClass::Hand,
            bounds,
            score: 1.0,
            keypoints: Vec::new(),
            embedding: Vec::new(),
            held: None,
        };
        self.prepare(frame, region.map(hand).as_ref())?;
        self.infer()?;
        self.held_product()
    }
}

/// How many pictures the model was exported for; `None` where it leaves that open.
fn check_input(manifest: &Manifest, network: &dyn Network) -> Result<Option<usize>> {
    let [slot] = network.inputs() else {
        let count = network.inputs().len();
        return Err(Error::input(format!("{}: the model has {count} inputs; one is supported", manifest.name)));
    };
    // Where the file says nothing of the shape, one picture is surely right.
    let pictures = match &slot.shape {
        Some(Shape(lengths)) if lengths.len() == manifest.input.shape(1).len() => lengths[0],
        _ => Some(1),
    };
    let shape = Shape::fixed(&manifest.input.shape(pictures.unwrap_or(1).max(1)));
    if let Some(declared) = slot.shape.as_ref().filter(|declared| !declared.fits(&shape)) {
        return Err(unfit(&manifest.name, "input", &slot.name, declared, &shape));
    }
    let should = manifest.input.element.name();
    match slot.element.as_deref() {
        Some(is) if is != should => {
            let message = format!("{}: the input of the model is {is}, its manifest says {should}", manifest.name);
            Err(Error::input(message).hint("export the model with an input of f32 or u8"))
        }
        _ => Ok(pictures),
    }
}

/// Where the outputs stand that the decoder reads.
fn reads(manifest: &Manifest, network: &dyn Network, count: usize) -> Result<Vec<usize>> {
    let there: Vec<&str> = network.outputs().iter().map(|slot| slot.name.as_str()).collect();
    if manifest.outputs.is_empty() {
        if there.len() < count {
            let message =
                format!("{}: the decoder reads {count} outputs, the model has {}", manifest.name, there.len());
            return Err(Error::input(message));
        }
        return Ok((0..count).collect());
    }
    let place = |wanted: &str| {
        there.iter().position(|name| *name == wanted).ok_or_else(|| {
            let names = there.join(", ");
            Error::input(format!("{}: the model has no output {wanted}; it has {names}", manifest.name))
        })
    };
    manifest.outputs.iter().map(|output| place(&output.name)).collect()
}

fn unfit(name: &str, kind: &str, slot: &str, is: &Shape, should: &Shape) -> Error {
    Error::input(format!("{name}: the {kind} {slot} of the model is {is}, its manifest makes it {should}"))
        .hint("the manifest belongs to another model, or this one was exported for another size")
}
