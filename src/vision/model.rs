//! A network with its manifest: from a frame to what is seen in it.

use super::decode::{self, View};
use super::hand::HeldProduct;
use super::input;
use super::manifest::{Decoder, Manifest};
use super::network::{Network, Output, Shape, Tensor};
use crate::base::{Error, Result};
use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::{Affine, PixelBox};
use crate::image::{RgbImage, Sampler};

/// A network ready to look at frames, with the memory that it uses again from frame to frame.
pub struct Model {
    manifest: Manifest,
    network: Box<dyn Network>,
    sampler: Sampler,
    tensor: Tensor,
    outputs: Vec<Output>,
    /// Where each output that the decoder reads stands among those of the network.
    places: Vec<usize>,
    expected: Vec<Shape>,
    frame_from_input: Affine,
}

impl Model {
    /// Puts a network and its manifest together.
    ///
    /// # Errors
    /// When the network has another input or other outputs than its manifest says; names both shapes.
    pub fn new(manifest: Manifest, network: Box<dyn Network>) -> Result<Self> {
        let shape = manifest.input.shape(1);
        check_input(&manifest, network.as_ref())?;
        let expected = manifest.output_shapes();
        let places = places(&manifest, network.as_ref(), expected.len())?;
        for (place, shape) in places.iter().zip(&expected) {
            let slot = &network.outputs()[*place];
            if let Some(declared) = slot.shape.as_ref().filter(|declared| !declared.fits(shape)) {
                return Err(unfit(&manifest.name, "output", &slot.name, declared, shape));
            }
        }
        let tensor = Tensor::zeros(manifest.input.element, &shape);
        Ok(Model {
            manifest,
            network,
            sampler: Sampler::new(),
            tensor,
            outputs: Vec::new(),
            places,
            expected,
            frame_from_input: Affine::IDENTITY,
        })
    }

    /// What is known of it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Fills the input from a frame, or from the part of it that belongs to something found in it. Once the input has
    /// been filled from a frame of this size, nothing is allocated.
    ///
    /// # Errors
    /// When the network looks at parts and `at` is none, or has not the points that it needs.
    pub fn prepare(&mut self, frame: &RgbImage, at: Option<&Detection>) -> Result<()> {
        let input_from_frame = input::input_from_frame(&self.manifest.input, frame, at)?;
        let inverse = input_from_frame.inverse();
        self.frame_from_input = inverse.ok_or_else(|| Error::input("a part of a frame has no size"))?;
        input::fill(&self.manifest.input, frame, &input_from_frame, 0, &mut self.sampler, &mut self.tensor);
        Ok(())
    }

    /// Runs the network on the input as it was filled last.
    ///
    /// # Errors
    /// When the engine fails, or an output has not the shape that the manifest makes one expect.
    pub fn infer(&mut self) -> Result<()> {
        self.network.infer(&self.tensor, &mut self.outputs)?;
        for (place, shape) in self.places.iter().zip(&self.expected) {
            let Some(output) = self.outputs.get(*place) else {
                return Err(Error::input(format!("{}: an output is missing", self.manifest.name)));
            };
            if !shape.admits(&output.shape) {
                let actual = Shape::fixed(&output.shape);
                return Err(unfit(&self.manifest.name, "output", &output.name, &actual, shape));
            }
        }
        // Numbers of a quantised network become real ones.
        for (place, name) in self.places.iter().zip(&self.manifest.outputs) {
            if name.scale != 1.0 || name.zero != 0.0 {
                let (scale, zero) = (name.scale as f32, name.zero as f32);
                self.outputs[*place].values.iter_mut().for_each(|value| *value = (*value - zero) * scale);
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

    /// What the last inference saw, in pixels of the frame, surest first. Empty for networks that give vectors.
    pub fn detections(&self) -> Vec<Detection> {
        let views: Vec<View<'_>> =
            self.places.iter().filter_map(|place| self.outputs.get(*place)).map(View::of).collect();
        if views.len() < self.places.len() {
            return Vec::new();
        }
        let mut found = decode::detections(&self.manifest, &views);
        found.iter_mut().for_each(|detection| self.place(detection));
        found
    }

    /// The vector of the last inference, of length 1.
    ///
    /// # Errors
    /// When the network gives no vectors, or gave one of no length.
    pub fn embedding(&self) -> Result<Vec<f32>> {
        let output = self.places.first().and_then(|place| self.outputs.get(*place));
        let (Decoder::Embedding { .. }, Some(output)) = (&self.manifest.decoder, output) else {
            return Err(Error::input(format!("{} gives no vectors", self.manifest.name)));
        };
        decode::embedding(&output.values)
            .ok_or_else(|| Error::input(format!("{} gave a vector of no length", self.manifest.name)))
    }

    /// What the last inference saw in a hand's region.
    ///
    /// # Errors
    /// When the network is none for hands and products, or gave no numbers.
    pub fn held_product(&self) -> Result<HeldProduct> {
        let output = |number: usize| self.places.get(number).and_then(|place| self.outputs.get(*place));
        let (Decoder::HeldProduct { .. }, Some(scores), Some(vector)) = (&self.manifest.decoder, output(0), output(1))
        else {
            return Err(Error::input(format!("{} tells nothing of hands", self.manifest.name)));
        };
        decode::held_product(&scores.values, &vector.values)
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
        };
        self.prepare(frame, region.map(hand).as_ref())?;
        self.infer()?;
        self.held_product()
    }

    /// Brings a detection from the input to the frame.
    fn place(&self, detection: &mut Detection) {
        detection.bounds = self.frame_from_input.apply_box(&detection.bounds);
        for Keypoint { pixel, .. } in &mut detection.keypoints {
            *pixel = self.frame_from_input.apply(*pixel);
        }
    }
}

fn check_input(manifest: &Manifest, network: &dyn Network) -> Result<()> {
    let shape = Shape::fixed(&manifest.input.shape(1));
    let [slot] = network.inputs() else {
        let count = network.inputs().len();
        return Err(Error::input(format!("{}: the network has {count} inputs; one is supported", manifest.name)));
    };
    if let Some(declared) = slot.shape.as_ref().filter(|declared| !declared.fits(&shape)) {
        return Err(unfit(&manifest.name, "input", &slot.name, declared, &shape));
    }
    let should = manifest.input.element.name();
    match slot.element.as_deref() {
        Some(is) if is != should => {
            let message = format!("{}: the input of the network is {is}, its manifest says {should}", manifest.name);
            Err(Error::input(message).hint("export the network with an input of f32 or u8"))
        }
        _ => Ok(()),
    }
}

/// Where the outputs stand that the decoder reads.
fn places(manifest: &Manifest, network: &dyn Network, count: usize) -> Result<Vec<usize>> {
    let there: Vec<&str> = network.outputs().iter().map(|slot| slot.name.as_str()).collect();
    if manifest.outputs.is_empty() {
        if there.len() < count {
            let message =
                format!("{}: the decoder reads {count} outputs, the network has {}", manifest.name, there.len());
            return Err(Error::input(message));
        }
        return Ok((0..count).collect());
    }
    let place = |wanted: &str| {
        there.iter().position(|name| *name == wanted).ok_or_else(|| {
            let names = there.join(", ");
            Error::input(format!("{}: the network has no output {wanted}; it has {names}", manifest.name))
        })
    };
    manifest.outputs.iter().map(|output| place(&output.name)).collect()
}

fn unfit(name: &str, kind: &str, slot: &str, is: &Shape, should: &Shape) -> Error {
    Error::input(format!("{name}: the {kind} {slot} of the network is {is}, its manifest makes it {should}"))
        .hint("the manifest belongs to another network, or this one was exported for another size")
}
